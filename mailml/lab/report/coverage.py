"""The coverage of a flow's rules, told as a page and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailml.lab.escape import plain_text
from mailml.lab.intervals import Share, wilson
from mailml.lab.report.page import Page, Section, Tile, table

if TYPE_CHECKING:
    import pandas as pd

    from mailml.lab.covering import Covering
    from mailml.lab.report.figures import Picture

_COLUMNS = ("rule", "goes to", "fits", "share", "decides", "overlap", "conflict", "right, of what it fits",
            "right, of what it decides")  # fmt: skip
_MOST_PAIRS = 40


def coverage_page(made: Covering, picture: Picture) -> Page:
    """Tiles, the picture with its table, and the rules that get in each other's way."""
    flow = made.reaching.flow
    until = max(made.reaching.messages["at"].to_list())
    lead = f"{len(flow.rules):,} rules. {made.note}"
    sections = [
        Section(
            "What each rule does",
            "A bar is what the rule's condition fits, whatever stands before it.",
            picture,
            (table(_COLUMNS, rows_of(made)),),
        )
    ]
    if len(made.pairs):
        sections.append(_pairs(made.pairs))
    source = f"mailbox history, {made.reaching.incoming:,} incoming messages"
    return Page("Coverage of the rules", lead, source, f"{until:%Y-%m-%d}", _tiles(made), tuple(sections))


def coverage_text(made: Covering) -> str:
    """The same for a terminal."""
    lines = [
        made.note,
        "",
        f"{'rule':<30}{'goes to':<24}{'fits':>7}{'decides':>9}{'overlap':>9}{'conflict':>9}"
        "  right, of what it decides",
    ]
    for one in made.rules:
        name, where = _short(one.rule, 29), _short(one.goes, 23)
        counts = f"{one.fits:>7,}{one.decides:>9,}{one.overlap:>9,}{one.conflict:>9,}"
        lines.append(f"{name:<30}{where:<24}{counts}  {one.decided_accuracy}")
    return "\n".join(lines)


def rows_of(made: Covering) -> list[tuple[object, ...]]:
    """The table's rows, with shares as a reader wants them."""
    return [
        (one.rule, one.goes, one.fits, f"{one.coverage:.1%}", one.decides, one.overlap, one.conflict,
         _told(one.accuracy), _told(one.decided_accuracy))
        for one in made.rules
    ]  # fmt: skip


def _tiles(made: Covering) -> tuple[Tile, ...]:
    of = max(made.of, 1)
    held = sum(one.decided_accuracy.hits for one in made.rules)
    judged = sum(one.decided_accuracy.of for one in made.rules)
    share = wilson(held, judged)
    tiles = [
        Tile("reach the flow", f"{made.of:,}", f"of {made.reaching.incoming:,} incoming messages"),
        Tile("placed by a rule", f"{made.placed / of:.0%}", f"{made.of - made.placed:,} go to the default"),
        Tile("fit two rules or more", f"{made.overlapping:,}", f"{made.overlapping / of:.1%}"),
        Tile("on which rules differ", f"{made.conflicting:,}", "the earlier rule wins, unless it goes on"),
    ]
    if judged:
        note = f"{share.low:.0%} to {share.high:.0%}, of {judged:,} judged"
        tiles.append(Tile("in the right queue", f"{share.value:.0%}", note))
    return tuple(tiles)


def _pairs(pairs: pd.DataFrame) -> Section:
    names = ("first", "second", "both fit", "they set another", "judged", "first right", "second right")
    shown = pairs.head(_MOST_PAIRS)
    rows = [tuple(cell or "–" for cell in row) if not row[3] else tuple(row) for row in shown.values.tolist()]
    left = f"{len(pairs) - len(shown):,} more pairs: see `pairs`." if len(pairs) > len(shown) else ""
    lead = (
        "Pairs of rules that fit the same messages, those that differ first. Where the second is right more "
        "often, it may belong before the first."
    )
    return Section("Rules that fit the same mail", lead, None, (table(names, rows),), (left,) if left else ())


def _told(share: Share) -> str:
    """A share as short as a column needs it."""
    return f"{share.value:.0%} of {share.of:,} ({share.low:.0%} to {share.high:.0%})" if share.of else "–"


def _short(text: str, most: int) -> str:
    return plain_text(text, most).replace("\n", " ")
