"""One message of a back-test, opened: what it says, both decisions with their traces, what agents did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailml.decide import decide
from mailml.explain import explain
from mailml.lab.change_words import BETTER, WORSE, judgement, what_agents_did, what_changes
from mailml.lab.escape import mask, plain_text
from mailml.message import parse
from mailml.text import own_words
from mailml.verdict import Context, Decision

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.report.page import Entry

_LONGEST = 2_000  # characters of the customer's own words
_MOODS = {BETTER: "good", WORSE: "bad"}


@dataclass(frozen=True)
class Change:
    """One message that two bundles decide; texts are masked unless addresses were asked for.

    `row` is its row of the comparison; `told_before` and `told_after` are what `mailml explain` says of the
    two decisions; `verdict` is better, worse, no better or unknown, by where agents left it.
    """

    row: Mapping[str, Any]
    before: Decision
    after: Decision
    told_before: str
    told_after: str
    own: str
    masked: bool

    @property
    def verdict(self) -> str:
        """Whether the candidate does better by this message."""
        return judgement(self.row)

    @property
    def did(self) -> str:
        """What agents finally did, in a sentence."""
        return what_agents_did(self.row, masked=self.masked)

    def head(self) -> tuple[str, ...]:
        """When, from whom, what about, and what changes."""
        hide = mask if self.masked else str
        sender, subject = hide(self.row["from_addr"]), hide(self.row["subject"]) or "(no subject)"
        return (
            f"{self.row['at']:%Y-%m-%d %H:%M}",
            what_changes(self.row),
            plain_text(subject, 120),
            plain_text(sender, 80),
        )

    def entry(self) -> Entry:
        """The message as a row of a page that opens."""
        from mailml.lab.report.page import Entry

        texts = (
            ("before", self.told_before),
            ("after", self.told_after),
            ("the customer's own words", self.own),
        )
        return Entry(self.verdict, _MOODS.get(self.verdict, ""), self.head(), self.did, texts)

    def __str__(self) -> str:
        when, change, subject, sender = self.head()
        return "\n".join(
            [
                f"{when}  {change}  [{self.verdict}]",
                f"{sender}: {subject}",
                self.did,
                "",
                "before",
                self.told_before,
                "after",
                self.told_after,
                self.own,
            ]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from mailml.lab.report.page import entries_html

        return entries_html([self.entry()], opened=True)


def open_change(
    row: Mapping[str, Any],
    archive: Archive,
    sides: tuple[Bundle, Bundle],
    contexts: tuple[Context, Context],
    *,
    addresses: bool = False,
) -> Change:
    """Decide one message again with both bundles (before, after), in the very contexts of the replays."""
    raw = archive.raw(row["sha256"])
    message = parse(raw)
    made = [decide(message, bundle, context) for bundle, context in zip(sides, contexts, strict=True)]
    hide = str if addresses else mask
    told = [
        hide(explain(decision.message[:12], message, decision, bundle, context.received_at))
        for decision, bundle, context in zip(made, sides, contexts, strict=True)
    ]
    own = plain_text(hide(own_words(message).own), _LONGEST)
    return Change(row, made[0], made[1], told[0], told[1], own, masked=not addresses)
