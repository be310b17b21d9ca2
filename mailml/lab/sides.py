"""What may stand on either side of a back-test: a bundle, or other rules on the other side's bundle."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path

from mailml.bundle import Bundle, check_rules
from mailml.errors import InputError
from mailml.flow import Flow, source
from mailml.lab.folders import leaf

Side = Bundle | Flow | str | os.PathLike[str]


def bundle_of(side: Side, beside: Bundle | None, name: str = "candidate") -> Bundle:
    """The bundle that is meant: itself, a bundle's folder, or a flow on the bundle of the other side.

    A flow is a `Flow`, a flow file, or TOML text (it has more than one line). Raises InputError where a flow
    has no bundle beside it, FlowError with every fault of a flow, BundleError for a folder that is none.
    """
    if isinstance(side, Bundle):
        return side
    if isinstance(side, Flow):
        return with_rules(_beside(beside, name), side)
    if isinstance(side, str) and "\n" in side:
        other = _beside(beside, name)
        return with_rules(other, source.loads(side, where=name, categories=other.desk.categories))
    if Path(side).is_file():
        other = _beside(beside, name)
        return with_rules(other, source.load(Path(side), categories=other.desk.categories))
    return Bundle.load(side)


def both_sides(candidate: Side, baseline: Side) -> tuple[Bundle, Bundle]:
    """Candidate and baseline as bundles; at most one of them may be rules alone."""
    before = bundle_of(baseline, None, "baseline") if _is_whole(baseline) else None
    after = bundle_of(candidate, before)
    return after, before if before is not None else bundle_of(baseline, after, "baseline")


def with_rules(bundle: Bundle, flow: Flow) -> Bundle:
    """The bundle with another flow, in this process only; the same flow is the same bundle.

    Raises FlowError where the rules name a category or a template that the desk has not.
    """
    if flow == bundle.flow:
        return bundle
    check_rules(flow, bundle.desk)
    mark = sha256(source.dumps(flow).encode()).hexdigest()[:6]
    return replace(bundle, flow=flow, id=f"{bundle.id}+{mark}")


def check_desk(candidate: Bundle, baseline: Bundle, folders: Collection[str]) -> str:
    """What is to be said of queues that only the candidate knows ("" if there are none).

    Raises InputError when it knows none of the baseline's queues: it was written for another desk.
    """
    known = {*baseline.flow.queues()}
    there = {leaf(folder).casefold() for folder in folders}
    mine = candidate.flow.queues()
    strange = [queue for queue in mine if queue not in known and queue.casefold() not in there]
    if len(strange) == len(mine):
        what = f"the candidate sends to {_list(strange)}, and nobody here has such a queue"
        raise InputError(what, where=candidate.id, cure=f"The queues are {_list(sorted(known))}")
    if not strange:
        return ""
    near = {queue: get_close_matches(queue, sorted(known), n=1) for queue in strange}
    meant = "".join(f" Did you mean {found[0]!r} for {queue!r}?" for queue, found in near.items() if found)
    return (
        f"Only the candidate knows {_list(strange)}, where no mail lies: it can only be judged wrong.{meant}"
    )


def _is_whole(side: Side) -> bool:
    if isinstance(side, Bundle):
        return True
    return not isinstance(side, Flow) and not (isinstance(side, str) and "\n" in side) and Path(side).is_dir()


def _beside(bundle: Bundle | None, name: str) -> Bundle:
    if bundle is None:
        what = f"the {name} is a flow alone, and so is the other side"
        raise InputError(what, cure="Give a bundle on one side: its desk and classifier decide for both")
    return bundle


def _list(names: Collection[str]) -> str:
    return ", ".join(map(repr, names))
