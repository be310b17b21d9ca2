"""A trained model, a flow and a desk -> one bundle, with the card and everything it was made from."""

from __future__ import annotations

import os
import platform
from dataclasses import replace as changed
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from mailml import __version__
from mailml import bundle as bundles
from mailml.autoreply import TextModel
from mailml.bundle import Bundle, Desk
from mailml.classifier import Policy
from mailml.errors import InputError
from mailml.flow import Flow
from mailml.lab import card
from mailml.lab.evaluate import Report, evaluate
from mailml.lab.train import Trained

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED = ("numpy", "scikit-learn", "scipy", "google-re2", "holidays", "tzdata", "py3langid")


def export(
    trained: Trained | None,
    flow: Flow,
    desk: Desk,
    path: str | os.PathLike[str],
    *,
    report: Report | None = None,
    text_model: TextModel | None = None,
    created: datetime | None = None,
    by: str = "",
    replace: bool = False,
) -> Bundle:
    """Write the bundle at `path` and load it back with every check.

    The desk's costs, thresholds and fallback, where it sets them, decide how the classifier answers; the card
    is of that. With `trained=None` the bundle routes by rules alone. `text_model=None` takes the one shipped
    with mailml. The same arguments are the same bytes: `created` is, unless given, SOURCE_DATE_EPOCH of the
    environment, else when the newest label was given. Raises BundleError for a model that only the workbench
    can run.
    """
    created = created or made_at(trained)
    if trained is not None:
        trained.model.to_arrays()  # refuses, before any work, what production could not run
        priced = trained.with_policy(_priced(trained, desk))
        if report is None or report.policy != _bare(priced):
            report = evaluate(priced, control=report is None or bool(report.others))
        trained = priced
    return bundles.write(
        path,
        flow=flow,
        desk=desk,
        model=trained.model if trained else None,
        text_model=text_model or TextModel.shipped(),
        card=report.to_dict() if report else {"verdict": "no classifier: this bundle routes by rules alone"},
        card_html=card.html(report, created) if report else "",
        created=created,
        by=by,
        versions=versions(),
        training=_training(trained) if trained else {},
        parameters=trained.parameters if trained else {},
        replace=replace,
    )


def made_at(trained: Trained | None) -> datetime:
    """When a bundle counts as made: SOURCE_DATE_EPOCH, else the newest label, else now.

    See https://reproducible-builds.org/specs/source-date-epoch/. Raises InputError for one that is no number.
    """
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    if told:
        try:
            return datetime.fromtimestamp(int(told), UTC)
        except (ValueError, OverflowError, OSError) as error:
            cure = "Give seconds since 1970, or unset it"
            raise InputError(f"SOURCE_DATE_EPOCH is {told[:30]!r}", cure=cure) from error
    newest = trained.examples.newest if trained is not None else None
    return newest or datetime.now(UTC)


def versions() -> dict[str, str]:
    """The versions of what the figures depend on."""
    found = {"mailml": __version__, "python": platform.python_version()}
    for name in _NAMED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _training(trained: Trained) -> Mapping[str, Any]:
    examples = trained.examples
    times = [time for time in examples.times if time is not None]
    spans = {"from": min(times).isoformat(), "to": max(times).isoformat()} if times else {}
    if examples.newest is not None:
        spans["labels_until"] = examples.newest.isoformat()
    counts = {name: list(examples.labels).count(name) for name in trained.classes}
    gap = float(f"{trained.gap:.1e}")
    return {"sha256": examples.hash, "messages": len(examples), "classes": counts, "export_gap": gap, **spans}


def _priced(trained: Trained, desk: Desk) -> Policy:
    """The desk's policy; what it leaves open is as it was trained and tried out."""
    now, wanted = trained.policy, desk.policy(trained.classes)
    costs, thresholds = wanted.costs or now.costs, wanted.thresholds or now.thresholds
    return changed(wanted, costs=costs, thresholds=thresholds)


def _bare(trained: Trained) -> Policy:
    return changed(trained.policy, withheld="")
