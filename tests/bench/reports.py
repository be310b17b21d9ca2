"""The SLA and misrouting figures of a long history, against the same aggregations hand-written in DuckDB.

python -m tests.bench.reports [MESSAGES]     100,000 unless given; 1,000,000 is the goal's size

The columns are made up: threads of a customer's mails and our answers over three years. Both sides start from
the same table and must come to the same figures, or the bench fails. Goals at 1,000,000 messages: under 60 s,
under 4 GiB; the ratio to DuckDB is printed.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from mailml.lab.misroutes import count
from mailml.lab.waits import Waits, measure
from mailml.sla import Calendar

QUEUES = ("Billing", "Enterprise Support", "General Support", "Priority Support", "Tech Support")
RULES = tuple(f"rule {n:02}" for n in range(20))
CALENDAR = Calendar.from_mapping(
    {"zone": "Europe/Berlin", "week": {"mon-fri": ["08:00-18:00"]}, "country": "DE", "subdiv": "BE"}
)
START, DAYS = datetime(2023, 11, 1, tzinfo=UTC), 1_095
SECONDS, GIBIBYTES = 60.0, 4.0


@dataclass(frozen=True)
class Measured:
    """Seconds of one side, and what it found."""

    seconds: float
    figures: dict[str, pd.DataFrame]
    rest: float = 0.0  # seconds for what the pages show besides, which the other side does not compute


def history(messages: int, seed: int = 7) -> pd.DataFrame:
    """A ledger as `lab.replay` gives it: a third opens interactions, a third answers, a third is the rest."""
    rng = np.random.default_rng(seed)
    opened = messages // 3
    at = np.sort(rng.integers(0, DAYS * 86_400, opened))
    answered = rng.random(opened) < 0.95
    after = at + rng.lognormal(9.2, 1.2, opened).astype(np.int64) + 60
    again = messages - opened - int(answered.sum())
    which = rng.integers(0, opened, again)
    thread = np.concatenate([np.arange(opened), np.flatnonzero(answered), which])
    times = np.concatenate([at, after[answered], at[which] + rng.integers(1, 3 * 86_400, again)])
    kind = np.concatenate([np.zeros(opened, int), np.ones(int(answered.sum()), int), np.full(again, 2)])
    return _table(rng, messages, thread, times, kind)


def _table(rng: Any, messages: int, thread: Any, times: Any, kind: Any) -> pd.DataFrame:
    opens, sent = kind == 0, kind == 1
    first = rng.integers(0, len(QUEUES), messages)
    moved = rng.random(messages) < 0.12
    final = np.where(moved, rng.integers(0, len(QUEUES), messages), first)
    known = opens & (rng.random(messages) < 0.9)
    queues, rules = np.array(QUEUES, dtype=object), np.array(RULES, dtype=object)
    made = pd.DataFrame(
        {
            "at": pd.to_datetime(times + int(START.timestamp()), unit="s", utc=True),
            "thread": pd.Series(thread).astype(str),
            "sha256": pd.Series(np.arange(messages)).astype(str).str.zfill(64),
            "opens": opens,
            "sent": sent,
            "automatic": sent & (rng.random(messages) < 0.1),
            "kind": np.where(sent, "", np.where(rng.random(messages) < 0.9, "human", "auto_reply")),
            "row": "14",
            "queue": np.where(sent, "", queues[first]),
            "final_queue": np.where(known, queues[final], ""),
            "from_addr": "someone@domain"
            + pd.Series(rng.integers(0, 5_000, messages)).astype(str)
            + ".example",
            "subject": "a question",
            "priority": np.where(rng.random(messages) < 0.05, 10, 0),
            "target": "4 business hours",
            "due": pd.Series(pd.NaT, index=range(messages), dtype="datetime64[us, UTC]"),
            "due_sum": "",
            "rule": rules[rng.integers(0, len(RULES), messages)],
            "category": np.where(rng.random(messages) < 0.3, None, queues[first]),
            "probability": rng.random(messages),
            "bundle": np.where(times < DAYS * 43_200, "b1", "b2"),
            "seen": False,
            "thanks": False,
        }
    )
    return made.sort_values("at", kind="stable").reset_index(drop=True)


def ours(ledger: pd.DataFrame) -> Measured:
    """The figures by the lab, everything the pages show included."""
    began = time.perf_counter()
    desk: Any = SimpleNamespace(
        id="b2", desk=SimpleNamespace(calendar=CALENDAR), manifest={}, model=None,
        flow=SimpleNamespace(queues=lambda: QUEUES),
    )  # fmt: skip
    sla = measure(ledger, desk)
    wrong = count(ledger, desk)
    figures = {
        "sla by queue": _plain(sla.by("queue", "priority"), "within_target"),
        "arrivals": sla.arrivals().stack().rename("n").reset_index(),
        "backlog": sla.backlog()[["opened", "answered", "waiting", "overdue"]].reset_index(drop=True),
        **{
            f"misroutes by {name}": _plain(wrong.by(name), "rate")
            for name in ("first", "rule", "domain", "bundle")
        },
        "transfers": wrong.transfers().stack().rename("n").reset_index(),
    }
    figures["sla by month"] = _plain(sla.by_month(), "within_target")
    compared = time.perf_counter()
    _rest(sla, wrong)
    return Measured(compared - began, figures, time.perf_counter() - compared)


def _rest(sla: Waits, wrong: Any) -> None:
    """What the pages show besides: computed, and not compared."""
    sla.breaches()
    sla.promises(["2 business hours", "8 business hours"])
    wrong.changes("rule")
    wrong.telling()


def _plain(table: pd.DataFrame, share: str) -> pd.DataFrame:
    """A table with the two numbers of each share instead of the share."""
    hits = [(one.hits, one.of) for one in table[share]]
    return table.drop(columns=share).assign(hits=[h for h, _ in hits], judged=[n for _, n in hits])


def open_hours() -> pd.DataFrame:
    """The calendar as a table for SQL: each interval with the open microseconds before it."""
    rows, before, day = [], 0, date(2023, 10, 1)
    while day < date(2027, 6, 1):
        for opens, closes in CALENDAR.intervals(day):
            start, end = (round(one.timestamp()) * 1_000_000 for one in (opens, closes))
            rows.append((start, end, before))
            before += end - start
        day += timedelta(days=1)
    return pd.DataFrame(rows, columns=["opens", "closes", "before"])


SQL = """
create macro passed(t, opens, closes, before) as
  case when opens is null then 0 else before + least(t, closes) - opens end;
create table o as
  select thread, epoch_us("at") t, coalesce(nullif(final_queue, ''), queue) q, priority
  from ledger where opens and not sent and kind = 'human' and queue <> '';
create table a as select thread, epoch_us("at") t from ledger where sent and not automatic;
create table w1 as
  select o.thread, o.t, o.q, o.priority, min(a.t) ans
  from o left join a on a.thread = o.thread and a.t >= o.t group by all;
create table w2 as
  select w1.*, passed(w1.t, h.opens, h.closes, h.before) p_open
  from w1 asof left join hours h on w1.t >= h.opens;
create table w3 as
  select w2.*, case when ans is null then null else passed(ans, h.opens, h.closes, h.before) end p_ans
  from w2 asof left join hours h on coalesce(w2.ans, 0) >= h.opens;
create table w4 as
  select w3.*, h.opens + (w3.p_open + 14400000000) - h.before due
  from w3 asof join hours h on w3.p_open + 14400000000 > h.before;
create table w as
  select *, (p_ans - p_open) / 60000000.0 as minutes,
    case when ans is null and due >= (select epoch_us(max("at")) from ledger) then null
         else coalesce(ans <= due, false) end as within,
    to_timestamp(t / 1e6) at time zone 'Europe/Berlin' as local,
    to_timestamp(ans / 1e6) at time zone 'Europe/Berlin' as local_ans
  from w4;
"""
SUMMARY = """count(*) interactions, count(minutes) answered, median(minutes) / 60 median_hours,
  quantile_cont(minutes, 0.9) / 60 p90_hours, count(*) filter (not within) breaches,
  count(*) filter (within) hits, count(within) judged"""
QUERIES = {
    "sla by queue": f"select q queue, priority, {SUMMARY} from w group by all order by all",
    "sla by month": f"select strftime(local, '%Y-%m') as month, {SUMMARY} from w group by 1 order by 1",
    "arrivals": """select isodow(local) - 1 weekday, hour(local) as hour, count(*) n from w group by all""",
    "backlog": """
      with e as (select epoch_us(max("at")) z from ledger),
      d as (select unnest(generate_series((select min(local)::date from w),
        (select (to_timestamp(z / 1e6) at time zone 'Europe/Berlin')::date from e), interval 1 day))::date d),
      s as (select d, least(epoch_us(((d + 1)::timestamp) at time zone 'Europe/Berlin'),
        (select z + 1 from e)) e from d),
      i as (select local::date d, count(*) opened from w group by 1),
      u as (select local_ans::date d, count(*) answered from w where ans is not null group by 1),
      b as (select s.d, count(*) waiting, count(*) filter (due < s.e) overdue
        from s join w on w.t < s.e and (w.ans is null or w.ans >= s.e) group by 1)
      select coalesce(opened, 0) opened, coalesce(answered, 0) answered, coalesce(waiting, 0) waiting,
        coalesce(overdue, 0) overdue
      from s left join i using (d) left join u using (d) left join b using (d) order by d""",
    "transfers": """select queue as "first", final_queue as "final", count(*) n from m group by all""",
    **{
        f"misroutes by {name}": f"""select {column} as "{name}", count(*) interactions,
          count(*) filter (queue <> final_queue) misrouted, misrouted hits, interactions judged
          from m group by 1"""
        for name, column in (
            ("first", "queue"), ("rule", "rule"), ("bundle", "bundle"),
            ("domain", "regexp_extract(from_addr, '@(.*)', 1)"),
        )
    },
}  # fmt: skip


def theirs(ledger: pd.DataFrame) -> Measured:
    """The same aggregations as a DuckDB user writes them, on the same table."""
    hours = open_hours()
    connection = duckdb.connect()
    connection.execute("set threads to 2; set timezone to 'UTC'")
    for name, table in (("ledger", ledger), ("hours", hours)):
        connection.register(name, table)
    began = time.perf_counter()
    connection.execute(SQL)
    opened = "opens and not sent and queue <> '' and final_queue <> ''"
    connection.execute(f"create table m as select * from ledger where {opened}")
    figures = {name: connection.execute(query).df() for name, query in QUERIES.items()}
    return Measured(time.perf_counter() - began, figures)


def differences(mine: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> list[str]:
    """The figures that are not the same on both sides; counts exactly, hours to a millionth."""
    wrong = []
    for name, table in other.items():
        a, b = (_sorted(side[name], list(table.columns)) for side in (mine, {name: table}))
        a = a[a["n"] > 0].reset_index(drop=True) if "n" in a else a
        try:
            pd.testing.assert_frame_equal(a, b, check_dtype=False, rtol=1e-6)
        except AssertionError as error:
            wrong.append(f"{name}: {str(error).splitlines()[0]}")
    return wrong


def _sorted(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    keys = [name for name in columns if name in ("queue", "priority", "month", "weekday", "hour", "first",
                                                 "final", "rule", "domain", "bundle")]  # fmt: skip
    chosen = table[columns].astype(dict.fromkeys(keys, str))
    return chosen.sort_values(keys).reset_index(drop=True) if keys else chosen.reset_index(drop=True)


def best(call: Callable[[], Measured], times: int) -> Measured:
    """The fastest of some runs."""
    return min((call() for _ in range(times)), key=lambda one: one.seconds)


def main() -> int:
    """Measure both sides, print seconds, memory and the ratio; 1 when figures differ or a goal is missed."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    ledger = history(messages)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mine = ours(ledger)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yardstick = best(lambda: theirs(ledger), 2)
    wrong = differences(mine.figures, yardstick.figures)
    whole, ratio = mine.seconds + mine.rest, mine.seconds / yardstick.seconds
    print(f"{messages:,} messages, SLA and misrouting with breaches, what-if and changes: {whole:.1f} s")
    print(f"what both compute: lab {mine.seconds:.1f} s, DuckDB {yardstick.seconds:.1f} s")
    print(f"lab / DuckDB {ratio:.1f}")
    print(f"peak memory {memory / 2**20:.2f} GiB ({(memory - before) / 2**20:.2f} above the history itself)")
    print(f"{len(yardstick.figures)} tables compared, {len(wrong)} differ", *wrong, sep="\n  ")
    goal = whole <= SECONDS * max(messages / 1_000_000, 0.5) and memory / 2**20 <= GIBIBYTES
    print(f"goal ({SECONDS:.0f} s and {GIBIBYTES:.0f} GiB for 1,000,000): {'met' if goal else 'missed'}")
    return int(bool(wrong) or not goal)


if __name__ == "__main__":
    sys.exit(main())
