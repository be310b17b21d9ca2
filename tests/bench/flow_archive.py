"""A 20-rule flow over an archive's columns in Parquet, against a DuckDB CASE and Python `re` per row.

    python -m tests.bench.flow_archive [ROWS]

All read the same files, and must name the same rule for every message (`re`: for a sample, and its time is
scaled up). CPU seconds of all threads; each engine in a process of its own, so that memory is its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mailml.flow import Ask, Flow, Rule
from tests.bench.flow_mail import write_archive
from tests.bench.flow_rules import CONDITIONS, case_of_sql, first_by_re, the_flow

SAMPLE = 3_000  # messages that `re` decides


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one call, all threads, and what it returned."""
    start = time.process_time()
    made = call()
    return time.process_time() - start, made


def _quickest(paths: Sequence[str], call: Callable[[], Any]) -> tuple[float, Any]:
    """The quickest of three calls, for what others do on the machine only adds; many files are read once."""
    rounds = 3 if len(paths) <= 20 else 1
    return min((seconds(call) for _ in range(rounds)), key=lambda found: found[0])


def ours(paths: Sequence[str], out: str) -> dict[str, float]:
    """Cold from Parquet; with the rules reversed; with one condition edited."""
    from mailml.flow.batch import Batch

    flow = the_flow()
    warm = Batch(paths[:1])
    warm.outcomes(flow)  # tables of letters, imports
    cold, (batch, outcomes) = _quickest(paths, lambda: _cold(paths, flow))
    backwards = Flow(tuple(reversed(flow.rules)), flow.default)
    edited = Rule("new", Ask("text", "contains", ("refund",)))
    changed = replace(flow, rules=(*flow.rules[:1], edited, *flow.rules[2:]))
    numbers = np.array([_number(one.rule) for one in outcomes.different], np.uint8)
    np.save(out, numbers[outcomes.number])
    return {
        "cold": cold,
        "reordered": min(seconds(lambda: batch.outcomes(backwards))[0] for _ in range(3)),
        "edited": seconds(lambda: batch.outcomes(changed))[0],
    }


def _cold(paths: Sequence[str], flow: Flow) -> Any:
    from mailml.flow.batch import Batch

    batch = Batch(paths)
    return batch, batch.outcomes(flow)


def duckdb(paths: Sequence[str], out: str) -> dict[str, float]:
    """The CASE, each column in lower case once."""
    import duckdb as engine

    con = engine.connect()
    con.execute("SET threads = 2")
    inner = "SELECT *, lower(subject) AS s, lower(text) AS t FROM read_parquet($paths)"
    query = f"SELECT ({case_of_sql()})::UTINYINT AS rule FROM ({inner})"
    con.execute(query, {"paths": list(paths[:1])}).fetchnumpy()
    cold, rules = _quickest(paths, lambda: con.execute(query, {"paths": list(paths)}).fetchnumpy()["rule"])
    np.save(out, np.asarray(rules, np.uint8))
    return {"cold": cold}


def by_re(paths: Sequence[str], out: str) -> dict[str, float]:
    """The patterns over the first messages, their columns read before."""
    import polars as pl

    fields = sorted({field for field, *_ in CONDITIONS})
    table = pl.read_parquet(paths[0], columns=fields, n_rows=SAMPLE)
    rows = [{f: v if isinstance(v, list) else [v] for f, v in row.items()} for row in table.to_dicts()]
    cold, rules = _quickest(paths, lambda: [first_by_re(row) for row in rows])
    np.save(out, np.array([_number(rule) for rule in rules], np.uint8))
    return {"cold": cold / len(rows)}


def _number(rule: str) -> int:
    return int(rule[1:]) if rule[1:].isdigit() else len(CONDITIONS)


def measure(rows: int, *, alone: bool = False) -> dict[str, float]:
    """All three (or ours alone) over so many different messages; raises if they decide differently."""
    with tempfile.TemporaryDirectory() as folder:
        write_archive(Path(folder), rows)
        paths = [str(path) for path in sorted(Path(folder).glob("*.parquet"))]
        engines = ("ours",) if alone else ("ours", "duckdb", "by_re")
        found = {name: _apart(name, paths, f"{folder}/{name}.npy") for name in engines}
        decided = {name: np.load(f"{folder}/{name}.npy") for name in engines}
    for name, rules in decided.items():
        if not np.array_equal(rules, decided["ours"][: len(rules)]):
            raise AssertionError(
                f"{name} and the flow differ on {np.sum(rules != decided['ours'][: len(rules)])}"
            )
    return {f"{name}_{what}": value for name, one in found.items() for what, value in one.items()} | {
        "rows": rows
    }


def _apart(name: str, paths: Sequence[str], out: str) -> dict[str, float]:
    """One engine in a process of its own: its CPU seconds and its peak memory in MB."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.flow_archive", "--engine", name, out],
        input=json.dumps(list(paths)),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def table(found: dict[str, float]) -> list[tuple[str, float, str, str]]:
    """Lines of the bench's table: what, the ratio, the goal, and the figures behind it."""
    rows, cold = found["rows"], found["ours_cold"]
    each, re_each = cold / rows * 1e6, found["by_re_cold"] * 1e6
    yardstick = found["duckdb_cold"] / rows * 1e6
    return [
        (
            "archive cold / DuckDB CASE",
            each / yardstick,
            "<= 0.5",
            f"{each:.2f} and {yardstick:.2f} us a message",
        ),
        ("Python re per row / archive cold", re_each / each, ">= 15", f"{re_each:.0f} us a message"),
        ("rules reordered / cold", found["ours_reordered"] / cold, "<= 0.01", ""),
        ("one condition edited / cold", found["ours_edited"] / cold, "<= 0.6", ""),
        (
            "resident memory, GB",
            found["ours_rss"] / 1_000,
            "<= 1.2",
            f"DuckDB {found['duckdb_rss'] / 1_000:.2f}",
        ),
    ]


def _peak() -> float:
    """The most memory this process had, in MB; getrusage would tell that of its parent where it was more."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1_000


def main() -> None:
    """One engine for a parent process, or the whole table."""
    if "--engine" in sys.argv:
        name, out = sys.argv[2:4]
        found = {"ours": ours, "duckdb": duckdb, "by_re": by_re}[name](json.load(sys.stdin), out)
        print(json.dumps(found | {"rss": _peak()}))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for what, ratio, goal, behind in table(measure(rows)):
        print(f"{what:<36}{ratio:10.3f}  goal {goal:<10}{behind}")


if __name__ == "__main__":
    main()
