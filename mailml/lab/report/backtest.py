"""The back-test as a page: what changes, and whether it is better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mailml.lab.change_words import BETTER, UNKNOWN, WORSE, judgement, what_changes
from mailml.lab.escape import mask
from mailml.lab.paired import signed
from mailml.lab.report.figures import shares
from mailml.lab.report.loads import load_section
from mailml.lab.report.misrouting import transfer_section
from mailml.lab.report.page import Entry, Page, Section, Table, Tile, from_frame, table

if TYPE_CHECKING:
    import pandas as pd

    from mailml.lab.comparison import Comparison

CHANGED = "Pale bands keep their queue; strong bands go to another one."
_MOST = 200


def backtest_page(test: Comparison, entries: Sequence[Entry] = (), *, addresses: bool = False) -> Page:
    """The page: tiles, the diff as a flow, misroutes before and after, the load, the messages.

    `entries` are messages that open; without them the list is a table.
    """
    lead = (
        f"Bundle {test.candidate} (after) against bundle {test.baseline} (before) over {len(test.rows):,} "
        f"incoming messages; {len(test.judged):,} of them are judged by where agents finally left them. "
        f"{test.note}"
    ).strip()
    made = f"{test.rows['at'].max():%Y-%m-%d}" if len(test.rows) else ""
    sections = [_diff(test)]
    if test.after.of:
        sections += [
            rates_section(test, "truth", "Misroutes by resolving queue"),
            rates_section(test, "rule_after", "Misroutes by rule"),
            rates_section(test, "domain", "Misroutes by sender's domain"),
        ]
    sections += [load_section(test.load(), test.zone), _list(test, entries, addresses=addresses)]
    return Page("Back-test", lead, test.source, made, backtest_tiles(test), tuple(sections))


def backtest_tiles(test: Comparison) -> tuple[Tile, ...]:
    """The head of the report: the rates, what changes, what it saves, and the gates where there are any."""
    changes, acks = test.changes, test.acks
    tiles = [
        Tile("messages that change queue", f"{changes['queue']:,}", f"of {len(test.rows):,}"),
        Tile(
            "other changes",
            f"{changes['priority'] + changes['ack'] + changes['due']:,}",
            f"{changes['priority']:,} priority; {acks['gain']:,} gain and {acks['lose']:,} lose an "
            f"acknowledgement; {changes['due']:,} due time",
        ),
    ]
    if test.after.of:
        tiles = [_rate(test), *tiles, _saved(test)]
    for gate in test.gates:
        verdict = "failed" if gate.fails else "passed"
        tiles.append(Tile(gate.condition, verdict, gate.why, "bad" if gate.fails else "good"))
    return tuple(tiles)


def _rate(test: Comparison) -> Tile:
    before, after, paired = test.before, test.after, test.difference
    # coloured only where the paired interval says that it is no accident
    mood = "good" if paired.high < 0 else "bad" if paired.low > 0 else ""
    note = f"was {before.value:.1%}; {signed(paired, points=True)}"
    return Tile("misrouted after", f"{after.value:.1%}", note, mood)


def _saved(test: Comparison) -> Tile:
    hours = [part / 60 for part in (test.saved.value, test.saved.low, test.saved.high)]
    mood = "good" if hours[1] > 0 else "bad" if hours[2] < 0 else ""
    note = f"{hours[1]:+,.1f} to {hours[2]:+,.1f}; by the cost matrix, {test.minutes_each:g} minutes at most"
    return Tile("hours saved", f"{hours[0]:+,.1f}", note, mood)


def _diff(test: Comparison) -> Section:
    section = transfer_section(test.transfers(), ("before", "after"), "What changes queue", CHANGED)
    return Section(section.title, section.lead, section.picture, (*section.tables, _moves(test)))


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _moves(test: Comparison) -> Table:
    """Each way from queue to queue that mail would newly take, and what agents say to it."""
    rows = _records(test.rows[test.rows["changed_queue"]])
    counted: dict[str, Counter[str]] = {}
    for row in rows:
        way = what_changes({**row, "changed_priority": False, "changed_ack": False, "changed_due": False})
        counted.setdefault(way, Counter())[judgement(row)] += 1
    order = sorted(counted.items(), key=lambda item: (-item[1].total(), item[0]))
    cells = [
        (
            way,
            seen.total(),
            seen[BETTER],
            seen[WORSE],
            seen[UNKNOWN],
            seen.total() - seen[BETTER] - seen[WORSE] - seen[UNKNOWN],
        )
        for way, seen in order
    ]
    columns = ("way", "messages", "better", "worse", "nobody knows", "no better")
    return table(columns, cells, "The ways that change")


def rates_section(test: Comparison, column: str, title: str, most: int = 15) -> Section:
    """Misroutes before and after, row by row."""
    rows = test.by(column).head(most)
    after = list(zip(map(str, rows[column]), rows["misrouted_after"], strict=True))
    before = dict(zip(map(str, rows[column]), rows["misrouted_before"], strict=True))
    alt = f"Share misrouted before and after by {column.removesuffix('_after')}, with 95% intervals."
    picture = shares(after, alt, before=before) if after else None
    told = rows.assign(difference=[signed(one, points=True) for one in rows["difference"]])
    lead = (
        "Green is better than before, red worse, blue unchanged. Differences are paired, with 95% intervals."
    )
    return Section(title, lead, picture, (from_frame(told),))


def _list(test: Comparison, entries: Sequence[Entry], *, addresses: bool) -> Section:
    rows = test.diff()
    lead = f"{len(rows):,} messages would be treated differently; the latest that change queue come first."
    if entries:
        lead += " Each opens: both decisions with every rule that was tried, and what agents did."
        more = len(rows) - len(entries)
        notes = (
            (f"{more:,} more are not shown here: `diff()` lists them, `open(n)` opens one.",) if more else ()
        )
        return Section("The messages", lead, notes=notes, entries=tuple(entries))
    hide = str if addresses else mask
    cells = [
        (
            row["at"],
            hide(row["from_addr"]),
            hide(row["subject"]),
            what_changes(row),
            f"{row['rule_before']} → {row['rule_after']}",
            row["truth"] or None,
            judgement(row),
        )
        for row in _records(rows.head(_MOST))
    ]
    columns = ("at (UTC)", "from", "subject", "change", "rule", "agents left it in", "verdict")
    return Section("The messages", lead, None, (table(columns, cells),))
