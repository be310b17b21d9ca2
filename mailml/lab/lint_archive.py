"""`lab.lint`: what is remarkable about a flow, with what an archive shows of it.

`mailml.flow.lint` says what can be proven of the rules alone; here stands what a year of mail adds:
rules that never fire, whose mail others take, that disagree, and how often quoted history, forgers and lost
acknowledgements are more than a possibility.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from mailml.flow.conditions import All, Ask, Condition, Not
from mailml.flow.flow import Rule
from mailml.flow.lint import Finding
from mailml.flow.lint import lint as examine
from mailml.lab.covering import covering
from mailml.lab.folders import leaf
from mailml.lab.labels import Labels
from mailml.lab.lost_acks import acks_lost
from mailml.lab.reaching import Reaching, place_of, reaching
from mailml.lab.sides import Side, bundle_of

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle

_ORDER = frozenset({"never", "shadowed", "unreachable"})  # proven without mail; nothing is to be added
_MOST = 3  # other rules that a remark names
_UNPROVEN = Ask("authenticated", "is", (False,))


@dataclass(frozen=True, eq=False, repr=False)
class Linted:
    """The remarks in the order of the rules; `mail` says on how much of the mail they were tried."""

    findings: tuple[Finding, ...]
    mail: str
    rules: int

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """The remarks that are more than a note."""
        return tuple(one for one in self.findings if not one.note)

    def to_frame(self) -> pd.DataFrame:
        """One row per remark."""
        import pandas as pd

        names = ["rule", "sort", "what", "proof", "cure", "note"]
        return pd.DataFrame([[getattr(one, name) for name in names] for one in self.findings], columns=names)

    def __str__(self) -> str:
        lines = [f"{one.sort:>12}  {'note: ' * one.note}{one}" for one in self.findings]
        return "\n".join([*(lines or ["nothing is to be said"]), f"on the archive: {self.mail}"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from mailml.lab.report.page import Page, Section, table

        names = ("rule", "sort", "what", "on the archive", "what to do")
        rows = [
            (one.rule, f"{one.sort} (note)" if one.note else one.sort, one.what, one.proof, one.cure)
            for one in self.findings
        ]
        shown = table(names, rows)
        section = Section("Remarks" if rows else "Nothing is to be said", "", None, (shown,) if rows else ())
        lead = f"{self.rules} rules, tried on an archive: {self.mail}."
        return Page("What is remarkable about the flow", lead, "", "", (), (section,))._repr_html_()


def lint(
    bundle: Bundle,
    archive: Archive,
    flow: Side | None = None,
    *,
    truth: Mapping[str, str] | Labels | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> Linted:
    """Everything remarkable about the bundle's flow, or another `flow` on it, with proof from an archive.

    Beside the sorts of `mailml.flow.lint`, which get counts, stand `unused` (no message fits), `taken` (by
    others before it, every message it fits), `overridden` (a later rule places all that it places),
    `contradict` (two rules that fit set different things; a note where the one that wins is right at least
    as often), `costs` (messages that get no acknowledgement for it: a note), `queue` (no mail lies in its
    queue; a note unless another is spelled nearly so) and `untried` (it asks for what is not known here: a
    note).
    """
    candidate = bundle if flow is None else bundle_of(flow, bundle)
    desk = candidate.desk
    known = examine(candidate.flow, desk.identity, categories=desk.categories)
    mail = reaching(archive, bundle, candidate, truth=truth, keep=keep)
    return with_proof(known, mail, candidate, archive)


def with_proof(known: Sequence[Finding], mail: Reaching, bundle: Bundle, archive: Archive) -> Linted:
    """What was proven of the rules alone, with what the mail shows."""
    trial, places = _Trial(mail, bundle), _Places(archive, mail)
    lost = acks_lost(archive, bundle, mail)
    found: list[Finding] = []
    for n, rule in enumerate(mail.flow.rules):
        mine = [trial.proven(n, one, lost[n]) for one in known if one.rule == rule.name]
        found += mine
        if not _ORDER & {one.sort for one in mine}:
            found += [*trial.order(n), *trial.disputes(n)]
        found += places.missing(rule)
        if any(lost[n]) and not {"suppress", "hides"} & {one.sort for one in mine}:
            found.append(Finding(rule.name, "costs", _costs(lost[n]), note=True))
    return Linted(tuple(found), mail.share, len(mail.flow.rules))


class _Places:
    """The queues that have a folder in the archive."""

    def __init__(self, archive: Archive, mail: Reaching) -> None:
        there = {leaf(folder) for folder in archive.table(columns=["folder"]).column(0).to_pylist()}
        self._names = {name.casefold(): name for name in there}
        # an archive of the Inbox alone says nothing of queues
        self._known = any(queue.casefold() in self._names for queue in mail.flow.queues())

    def missing(self, rule: Rule) -> Iterator[Finding]:
        """A queue in which no mail lies: a new one, or a name that is spelled otherwise."""
        queue = rule.then.queue
        if self._known and queue and queue.casefold() not in self._names:
            near = get_close_matches(queue.casefold(), self._names, n=1)
            meant = f'Did you mean "{self._names[near[0]]}"?' if near else ""
            what = f'no folder of the archive is named after its queue "{queue}"'
            yield Finding(rule.name, "queue", what, meant, note=not near)


class _Trial:
    """The rules of a flow on the mail that reaches it."""

    def __init__(self, mail: Reaching, bundle: Bundle) -> None:
        self._mail, self._rules = mail, mail.flow.rules
        self._blind = {
            "category": _silent(bundle),
            "authenticated": "" if bundle.desk.identity.authserv_ids else "the desk trusts no server's "
            "Authentication-Results",
        }  # fmt: skip
        self._going_on = {rule.name for rule in self._rules if rule.continue_}
        pairs = covering(mail).pairs
        self._pairs = pairs[pairs["differ"].ne("")]

    def proven(self, at: int, finding: Finding, lost: tuple[int, int]) -> Finding:
        """A remark with its count."""
        told = ""
        if finding.sort in _ORDER:
            told = f"It fits {_messages(self._count(at))} and decides none."
        elif finding.sort == "quoted":
            told = self._quoted(at)
        elif finding.sort == "forgeable":
            told = self._forged(at)
        elif finding.sort in ("suppress", "hides"):
            told = f"{_costs(lost)[0].upper()}{_costs(lost)[1:]}." if any(lost) else "It costs none here."
        return replace(finding, proof=told)

    def order(self, at: int) -> Iterator[Finding]:
        """Whether it ever fires, and whether what it says stands."""
        rule, fits = self._rules[at], self._count(at)
        acts = int(self._mail.bits(self._mail.acts[at]).sum())
        asked = {ask.field for ask in rule.asks()}
        blind = [why for field, why in self._blind.items() if field in asked and why]
        if blind and not acts:
            yield Finding(rule.name, "untried", f"it cannot fire here: {' and '.join(blind)}", note=True)
        elif not fits:
            yield Finding(rule.name, "unused", self._nothing(rule), "Mend its condition, or take it out.")
        elif not acts:
            takers = _listed(list(self._takers(at)))
            what = f"{_all(fits)} it fits {_is(fits)} taken before it: {takers}"
            yield Finding(rule.name, "taken", what, "Move it up, or make it go.")
        elif place_of(rule) and not (self._mail.decided == at).any():
            what = f"{_all(acts)} it places {_is(acts)} placed elsewhere by a later rule"
            yield Finding(rule.name, "overridden", what, "Leave out its queue, or its continue.")

    def disputes(self, at: int) -> Iterator[Finding]:
        """Rules before it that fit the same mail and say otherwise."""
        mine = self._pairs[self._pairs["second"].eq(self._rules[at].name)].head(_MOST)
        for row in mine.to_dict("records"):
            goes_on = row["first"] in self._going_on
            wins, loses = ("second", "first") if goes_on else ("first", "second")
            known = row["judged"] if "queue" in row["differ"] else 0
            bad = bool(known) and row[f"{loses}_right"] > row[f"{wins}_right"]
            both, winner = _messages(row["messages"]), "this rule" if goes_on else "that one"
            what = f'"{row["first"]}" before it sets another {row["differ"]} for {both} that both fit'
            told = "Where they belonged is not known." if "queue" in row["differ"] else ""
            if known:
                told = (
                    f"Of {known:,} whose place is known, {row['first_right']:,} belonged where "
                    f'"{row["first"]}" sends, {row["second_right"]:,} where this one does.'
                )
            cure = f'Perhaps it belongs before "{row["first"]}".' if bad and not goes_on else ""
            yield Finding(
                self._rules[at].name, "contradict", f"{what}; {winner} wins", cure, told, note=not bad
            )

    def _count(self, at: int) -> int:
        return int(self._mail.bits(self._mail.fits[at]).sum())

    def _takers(self, at: int) -> Iterator[tuple[int, str]]:
        """Which rules take what it fits, the greediest first."""
        fits = self._mail.fits[at]
        earlier = [n for n in range(at) if not self._rules[n].continue_]
        taken = [(int(np.bitwise_count(fits & self._mail.acts[n]).sum()), n) for n in earlier]
        for many, n in sorted(taken, key=lambda pair: (-pair[0], pair[1])):
            if many:
                yield many, self._rules[n].name

    def _nothing(self, rule: Rule) -> str:
        """That no message fits, and which of its questions none answers with yes."""
        parts = rule.when.of if isinstance(rule.when, All) else (rule.when,)
        empty = [part for part in parts if isinstance(part, Ask) and not self._mail.batch.count(part)]
        why = f": none has {empty[0].field} {empty[0].operator.replace('_', ' ')} " if empty else ""
        said = ", ".join(map(repr, empty[0].expected[:_MOST])) if empty else ""
        return f"no message fits it{why}{said}"

    def _quoted(self, at: int) -> str:
        """How many messages fit, or do not, only for what the customer did not write now."""
        fits = self._mail.bits(self._mail.fits[at])
        own = self._mail.batch.matches(own_words_only(self._rules[at].when))
        by, less = int((fits & ~own).sum()), int((~fits & own).sum())
        whole = _messages(int(fits.sum()))
        told = f"{by:,} of the {whole} it fits do so only by text that was not written then."
        return told + (f" {less:,} more would fit by the customer's own words." if less else "")

    def _forged(self, at: int) -> str:
        if self._blind["authenticated"]:
            return f"Which are genuine cannot be said: {self._blind['authenticated']}."
        unproven = self._mail.fits[at] & self._mail.batch.packed(_UNPROVEN)
        many, fits = int(np.bitwise_count(unproven).sum()), self._count(at)
        if fits and not many:
            return f"Of the {_messages(fits)} it fits, each is proven to be genuine: the cure costs none."
        return f"{many:,} of the {_messages(fits)} it fits are not proven to be genuine."


def _silent(bundle: Bundle) -> str:
    """Why no rule hears of a category ("" where the classifier speaks)."""
    if bundle.model is None:
        return "the bundle has no classifier"
    why = bundle.model.policy.withheld
    return f"the classifier always abstains ({why})" if why else ""


def own_words_only(condition: Condition) -> Condition:
    """The same condition reading the customer's own words only."""
    if isinstance(condition, Ask):
        return replace(condition, scope="")
    if isinstance(condition, Not):
        return Not(own_words_only(condition.of))
    return type(condition)(tuple(own_words_only(part) for part in condition.of))


def _costs(lost: tuple[int, int]) -> str:
    return f"it costs {lost[0]:,} acknowledgement{'s' * (lost[0] != 1)} here, {lost[1]:,} of them to people"


def _listed(pairs: Sequence[tuple[int, str]]) -> str:
    told = ", ".join(f'"{name}" takes {many:,}' for many, name in pairs[:_MOST])
    return told + (f", {len(pairs) - _MOST} others the rest" if len(pairs) > _MOST else "")


def _messages(many: int) -> str:
    return f"{many:,} message" + "s" * (many != 1)


def _all(many: int) -> str:
    return "the one message" if many == 1 else f"all {many:,} messages"


def _is(many: int) -> str:
    return "is" if many == 1 else "are"
