"""The back-test as a page: what changes, and whether it is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mailml.lab.escape import mask
from mailml.lab.report.figures import shares
from mailml.lab.report.misrouting import transfer_section
from mailml.lab.report.page import Page, Section, Tile, from_frame, table

if TYPE_CHECKING:
    from mailml.lab.comparison import Comparison

CHANGED = "Pale bands keep their queue; strong bands go to another one."
_MOST = 200


def backtest_page(test: Comparison, *, addresses: bool = False) -> Page:
    """The page: tiles, the diff as a flow, misroutes before and after per queue and rule, the list."""
    lead = (
        f"Bundle {test.candidate} (after) against bundle {test.baseline} (before) over {len(test.rows):,} "
        f"incoming messages; {len(test.judged):,} of them are judged by where agents finally left them. "
        f"{test.note}"
    ).strip()
    made = f"{test.rows['at'].max():%Y-%m-%d}" if len(test.rows) else ""
    sections = (
        transfer_section(test.transfers(), ("before", "after"), "What changes queue", CHANGED),
        rates_section(test, "truth", "Misroutes by resolving queue"),
        rates_section(test, "rule_after", "Misroutes by rule"),
        rates_section(test, "domain", "Misroutes by sender's domain"),
        _list(test, addresses=addresses),
    )
    return Page("Back-test", lead, test.source, made, backtest_tiles(test), sections)


def backtest_tiles(test: Comparison) -> tuple[Tile, ...]:
    """The head of the report: the rates, what changes, what it saves, and the gate where there is one."""
    before, after, changes = test.before, test.after, test.changes
    tiles = [
        Tile("messages that change queue", f"{changes['queue']:,}", f"of {len(test.rows):,}"),
        Tile(
            "other changes",
            f"{changes['priority'] + changes['ack'] + changes['due']:,}",
            f"{changes['priority']:,} priority, {changes['ack']:,} ack, {changes['due']:,} due time",
        ),
    ]
    if after.of:
        mood = "good" if after.hits <= before.hits else "bad"
        note = f"was {before.value:.1%}; interval now {after.low:.1%} to {after.high:.1%}"
        tiles.insert(0, Tile("misrouted after", f"{after.value:.1%}", note, mood))
        saved = (before.hits - after.hits) * test.minutes_each / 60
        tiles.append(
            Tile("hours saved", f"{saved:+,.1f}", f"at {test.minutes_each:g} minutes a hand-over", mood)
        )
    if test.gate:
        verdict = "failed" if test.gate.fails else "passed"
        tiles.append(Tile(test.gate.condition, verdict, test.gate.why, "bad" if test.gate.fails else "good"))
    return tuple(tiles)


def rates_section(test: Comparison, column: str, title: str, most: int = 15) -> Section:
    """Misroutes before and after, row by row."""
    rows = test.by(column).head(most)
    after = list(zip(map(str, rows[column]), rows["misrouted_after"], strict=True))
    before = dict(zip(map(str, rows[column]), rows["misrouted_before"], strict=True))
    alt = f"Share misrouted before and after by {column.removesuffix('_after')}, with 95 % intervals."
    picture = shares(after, alt, before=before) if after else None
    return Section(title, "Green is better than before, red worse.", picture, (from_frame(rows),))


def _list(test: Comparison, *, addresses: bool) -> Section:
    rows = test.diff()
    shown = rows.head(_MOST)
    hide = str if addresses else mask
    cells = [
        (
            row["at"],
            hide(row["from_addr"]),
            hide(row["subject"]),
            f"{row['queue_before'] or row['filed_in']} → {row['queue_after']}"
            if row["changed_queue"]
            else row["queue_after"],
            f"{row['rule_before']} → {row['rule_after']}",
            row["truth"] or None,
            _judgement(row),
        )
        for row in shown.rename(columns={"filed_in_before": "filed_in"}).to_dict("records")
    ]
    columns = ("at (UTC)", "from", "subject", "queue", "rule", "agents left it in", "verdict")
    lead = f"{len(rows):,} messages would be treated differently; the latest that change queue come first."
    return Section("The messages", lead, None, (table(columns, cells),))


def _judgement(row: Mapping[Any, Any]) -> str:
    if not row["changed_queue"]:
        changed = (name for name in ("priority", "ack", "due") if row[f"changed_{name}"])
        return "other " + ", ".join(changed)
    if not row["truth"]:
        return "unknown"
    before, after = row["queue_before"] == row["truth"], row["queue_after"] == row["truth"]
    return "better" if after and not before else "worse" if before and not after else "no better"
