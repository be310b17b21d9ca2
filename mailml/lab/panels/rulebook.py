"""Rules being written: tried on the archive, put in order, compared with the saved flow, saved. No widget."""

from __future__ import annotations

import difflib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mailml.errors import Fault, FlowError, InputError, MailmlError
from mailml.flow import Flow, source
from mailml.flow.editing import rewrite
from mailml.lab.escape import mask, plain_text
from mailml.lab.panels.drafts import Draft, blank, draft_of, mapping_of
from mailml.lab.report.page import write_whole

if TYPE_CHECKING:
    import polars as pl

    from mailml.flow.batch import Batch
    from mailml.flow.batch.bitmaps import Bits

SAMPLE = 8
_PLACES = 4
Writer = Callable[[str, Flow], str]  # the saved text and the new flow -> the text to save


@dataclass(frozen=True, repr=False)
class Tried:
    """What a rule would do: `hits` of `of` messages fit its condition, it `decides` so many of them.

    `sample` are some that fit, as plain text and masked; `places` says in which queues agents left those that
    fit. `reach` is, rule by rule, how many messages each decides. With `faults` nothing else is known.
    """

    faults: tuple[str, ...] = ()
    hits: int = 0
    of: int = 0
    decides: int = 0
    sample: tuple[Mapping[str, str], ...] = ()
    places: tuple[tuple[str, int], ...] = ()
    reach: tuple[int, ...] = ()
    rest: int = 0  # messages that go to the default queue
    milliseconds: float = field(default=0.0, compare=False)

    def __repr__(self) -> str:
        if self.faults:
            return "\n".join(("not tried:", *self.faults))
        lines = [f"{self.hits:,} of {self.of:,} messages fit; the rule decides {self.decides:,} of them"]
        if self.places:
            lines.append("agents left them in " + ", ".join(f"{name} {n:,}" for name, n in self.places))
        lines += [
            f"  {row['subject']}  ({row['from']}; {row['place'] or 'in no queue'})" for row in self.sample
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        told = {name: getattr(self, name) for name in ("hits", "of", "decides", "rest")}
        return {
            **told,
            "faults": list(self.faults),
            "sample": [dict(row) for row in self.sample],
            "places": [list(pair) for pair in self.places],
            "reach": list(self.reach),
            "ms": round(self.milliseconds, 1),
        }


class RuleBook:
    """The rules of one flow while they are being written.

    `rules` are drafts (see mailml.lab.panels.drafts). Nothing is on disk before `save`; `flow()` is what the
    drafts say now. `messages` are columns of `lab.columns`; without them rules can be written, not tried.
    """

    def __init__(
        self,
        flow: str | os.PathLike[str] | Flow,
        messages: pl.DataFrame | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        categories: Iterable[str] = (),
        queues: Iterable[str] = (),
        templates: Iterable[str] = (),
        writer: Writer | None = None,
    ) -> None:
        """From a flow file (which is saved to) or a `Flow` with the `path` to save to.

        `categories`, `queues` and `templates` (of acknowledgements) are the desk's, to choose from.
        """
        self.path = Path(path) if path is not None else None if isinstance(flow, Flow) else Path(flow)
        self.categories, self.templates = tuple(categories), tuple(templates)
        loaded = flow if isinstance(flow, Flow) else source.load(Path(flow), categories=self._known())
        self.saved = source.dumps(loaded) if isinstance(flow, Flow) else Path(flow).read_text("utf-8")
        self.default, self.rules = loaded.default, [draft_of(rule) for rule in loaded.rules]
        self.queues = tuple(dict.fromkeys([*loaded.queues(), *queues]))
        self._messages, self._writer = messages, writer or rewrite
        self.heard: list[Callable[[], None]] = []  # called when the rules were looked at from code
        self._read: tuple[str, Flow] | None = None  # the drafts as they were read last, and their flow
        self._batch: Batch | None = None
        if messages is not None:
            from mailml.flow.batch import Batch

            self._batch = Batch(messages)
            # numbered once, since they are counted at every key
            places = messages["final_queue"].to_numpy().astype(str)
            self._queues_left, self._left = np.unique(places, return_inverse=True)

    def __repr__(self) -> str:
        state = "changed" if self.diff() else "saved"
        return f"RuleBook({len(self.rules)} rules, {self.path or 'no file'}, {state})"

    def flow(self) -> Flow:
        """The flow that the drafts say; raises FlowError with every fault."""
        said = json.dumps([self.default, self.rules], default=str)
        if self._read is None or self._read[0] != said:
            self._read = said, self._flow()
        return self._read[1]

    def _flow(self) -> Flow:
        faults: list[Fault] = []
        rules = [mapping_of(draft, faults) for draft in self.rules]
        if faults:
            raise FlowError(faults, where=str(self.path or "the panel"))
        table = {"default": self.default, "rule": rules}
        return source.from_mapping(table, where=str(self.path or "the panel"), categories=self._known())

    def put(self, at: int, draft: Draft) -> None:
        """Replace a rule."""
        self.rules[self._place(at)] = draft

    def add(self, at: int | None = None) -> Draft:
        """A new rule, at the end unless `at` says before which."""
        draft = blank(self.default, [str(rule["name"]) for rule in self.rules])
        self.rules.insert(len(self.rules) if at is None else at, draft)
        return draft

    def remove(self, at: int) -> Draft:
        """Take a rule out; returns it."""
        return self.rules.pop(self._place(at))

    def move(self, at: int, to: int) -> None:
        """Move a rule to another place."""
        self.rules.insert(max(0, min(to, len(self.rules) - 1)), self.rules.pop(self._place(at)))

    def try_rule(self, at: int) -> Tried:
        """Try one rule where it stands among the others; faults are told, not raised."""
        self._tell()
        begun = time.perf_counter()
        try:
            flow = self.flow()
            made = self._tried(flow, self._place(at)) if flow.rules else self.nothing()
        except FlowError as error:
            return Tried(faults=tuple(map(str, error.faults)))
        except MailmlError as error:
            return Tried(faults=(str(error),))
        took = 1000 * (time.perf_counter() - begun)
        return Tried(**{**vars(made), "milliseconds": took})

    def nothing(self) -> Tried:
        """What a flow without rules does: all mail goes to the default queue."""
        of = len(self._batch or ())
        return Tried(of=of, rest=of)

    def text(self) -> str:
        """The flow as it would be saved, with the comments of the saved one; FlowError with every fault."""
        return self._writer(self.saved, self.flow())

    def diff(self) -> str:
        """What saving would change, as a unified diff; "" where nothing changes or faults are in the way."""
        try:
            new = self.text()
        except FlowError:
            return ""
        name = self.path.name if self.path else "flow.toml"
        lines = difflib.unified_diff(
            self.saved.splitlines(), new.splitlines(), f"{name} (saved)", f"{name} (now)", lineterm="", n=2
        )
        return "\n".join(lines)

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the flow, whole or not at all; returns the path. Raises FlowError with every fault."""
        target = Path(path) if path is not None else self.path
        if target is None:
            raise InputError("nobody said where to save the flow", cure="Give save(path), or path=… before")
        text = self.text()
        self.path, self.saved = write_whole(target, text), text
        self._tell()
        return target

    def _tell(self) -> None:
        for call in self.heard:
            call()

    def _tried(self, flow: Flow, at: int) -> Tried:
        if self._batch is None:
            return Tried()
        rule, counts = flow.rules[at], self._batch.outcomes(flow).counts("rule")
        fitting = self._batch.matches(rule.when)
        return Tried(
            hits=int(fitting.sum()),
            of=len(self._batch),
            decides=counts.get(rule.name, 0),
            sample=self._sample(np.flatnonzero(fitting)[-SAMPLE:][::-1].tolist()),
            places=self._places(fitting),
            reach=tuple(counts.get(one.name, 0) for one in flow.rules),
            rest=counts.get("default", 0),
        )

    def _sample(self, rows: list[int]) -> tuple[Mapping[str, str], ...]:
        """The latest that fit: strangers' words, as plain text."""
        if self._messages is None:
            return ()
        found = self._messages[rows].select("from_address", "subject", "final_queue")
        return tuple(
            {
                "from": plain_text(mask(row["from_address"]), 60),
                "subject": plain_text(mask(row["subject"]), 100),
                "place": plain_text(row["final_queue"], 40),
            }
            for row in found.to_dicts()
        )

    def _places(self, fitting: Bits) -> tuple[tuple[str, int], ...]:
        """Where agents left what fits, the most frequent queues first."""
        if self._messages is None:
            return ()
        counts = np.bincount(self._left[fitting], minlength=len(self._queues_left)).tolist()
        found = [(-many, place) for place, many in zip(self._queues_left.tolist(), counts, strict=True)]
        most = [pair for pair in sorted(found) if pair[0] and pair[1]][:_PLACES]
        return tuple((plain_text(place, 40), -many) for many, place in most)

    def _place(self, at: int) -> int:
        if not -len(self.rules) <= at < len(self.rules):
            raise InputError(f"there is no rule {at}", cure=f"There are {len(self.rules)}, counted from 0")
        return at % len(self.rules)

    def _known(self) -> tuple[str, ...] | None:
        return self.categories or None
