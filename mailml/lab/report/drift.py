"""Drift as a page: what changed since training, what customers newly write about, and whether to retrain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailml.lab.escape import mask
from mailml.lab.report.figures import lines, shares
from mailml.lab.report.page import Page, Section, Tile, from_frame, table

if TYPE_CHECKING:
    from mailml.lab.drifted import Drift

_TOLD = {
    "retrain": ("Retrain", "bad", "training again would help"),
    "watch": ("Watch", "", "something changed that training does not cure"),
    "steady": ("No need", "good", "the mail is still what it was trained for"),
}
_CONTENTS = {"abstained": "share undecided", "confidence": "mean confidence", "known_words": "known words"}


def drift_page(found: Drift, *, addresses: bool = False) -> Page:
    """The page: the verdict with its reasons, every check, the weeks, the mix, and the new topics."""
    then, now = found.then, found.now
    lead = (
        f"{found.messages[1]:,} messages that people wrote between {now[0]:%d %B %Y} and {now[1]:%d %B %Y}, "
        f"against {found.messages[0]:,} of the training time ({then[0]:%d %B %Y} to {then[1]:%d %B %Y}); "
        f"bundle {found.bundle}."
    )
    sections = (
        _reasons(found), _checks(found), *_weeks(found), _mix(found), _topics(found, addresses=addresses)
    )  # fmt: skip
    return Page(
        "Is the classifier still trained for this mail?", lead, found.source, f"{now[1]:%Y-%m-%d}",
        _tiles(found), sections,
    )  # fmt: skip


def _tiles(found: Drift) -> tuple[Tile, ...]:
    word, mood, why = _TOLD[found.verdict]
    changed = sum(one.changed for one in found.checks)
    new = sum(topic.messages for topic in found.topics)
    tiles = [
        Tile("retrain?", word, why, mood),
        Tile(
            "checks that changed", f"{changed} of {len(found.checks)}", "corrected for looking at all of them"
        ),
        Tile("new topics", f"{len(found.topics)}", f"{new:,} recent messages the classifier cannot place"),
    ]
    if found.new_labels is not None:
        tiles.append(Tile("new labels", f"{found.new_labels:,}", "given since the training"))
    return tuple(tiles)


def _reasons(found: Drift) -> Section:
    rows = [(reason,) for reason in found.reasons]
    lead = "Each of these alone is reason enough." if rows else "Nothing speaks for training again now."
    tables = (table(("reason",), rows),) if rows else ()
    return Section("Retrain, and why", lead, None, tables, found.notes)


def _checks(found: Drift) -> Section:
    lead = (
        "What it was in the training time, what it is now, and p: how often chance alone would do as much. "
        "Below 0.05 it is called changed."
    )
    return Section("What was checked", lead, None, (from_frame(found.table()),))


def _weeks(found: Drift) -> tuple[Section, ...]:
    weeks = found.weeks
    names = [f"{week:%Y-%m-%d}" for week in weeks["week"]]
    arrivals = lines(
        names, {"messages": [float(value) for value in weeks["arrivals"]]},
        "Messages of people per week since the training time began.", "messages",
    )  # fmt: skip
    shown = weeks.assign(week=names)
    made = [Section("Arrivals by week", "By the Monday of the week.", arrivals,
                    (from_frame(shown[["week", "arrivals"]], "Messages by week", folded=True),))]  # fmt: skip
    known = [name for name in _CONTENTS if name in weeks]
    if known:
        series = {_CONTENTS[name]: [float(value) for value in weeks[name].fillna(0.0)] for name in known}
        picture = lines(
            names, series, "Share undecided, mean confidence and share of known words, week by week.", "",
            percent=True,
        )  # fmt: skip
        lead = (
            "On the training mail itself the classifier knows more words and is surer than on any other: the "
            f"step at its end ({found.then[1]:%Y-%m-%d}) is natural, a slope after it is drift."
        )
        numbers = from_frame(shown[["week", *known]], "By week", folded=True)
        made.append(Section("Confidence and vocabulary by week", lead, picture, (numbers,)))
    return tuple(made)


def _mix(found: Drift) -> Section:
    column = str(found.mix.columns[0])
    now = list(zip(map(str, found.mix[column]), found.mix["now"], strict=True))
    then = dict(zip(map(str, found.mix[column]), found.mix["then"], strict=True))
    alt = f"Share of each {column} in the training time and now, with 95% intervals."
    picture = shares(now, alt, before=then, names=("training time", "now")) if now else None
    lead = f"Share of each {column}; grey is the training time. Colours only tell up from down."
    return Section(f"What it is about: {column}", lead, picture, (from_frame(found.mix),))


def _topics(found: Drift, *, addresses: bool) -> Section:
    hide = str if addresses else mask
    rows = [
        (
            ", ".join(topic.words), topic.messages, f"{topic.share:.1%}", f"{topic.before:.1%}",
            " · ".join(str(hide(subject)) for _, subject in topic.examples if subject),
        )
        for topic in found.topics
    ]  # fmt: skip
    lead = "Clusters of recent mail on which the classifier abstains, with mail like it rare in training."
    if not rows:
        lead += " There is none: what it abstains on has no common matter that is new."
    columns = ("words", "messages", "of recent mail", "of the training time", "such as")
    return Section("New topics", lead, None, (table(columns, rows),) if rows else ())
