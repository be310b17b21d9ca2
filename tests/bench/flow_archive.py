"""A 20-rule flow over an archive's columns, against Python `re` per row; then reordered, then with one edit.

python -m tests.bench.flow_archive [ROWS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl

from mailml.flow import Ask, Flow, Rule
from mailml.flow.batch import Batch, frame
from tests.bench.flow import by_re, the_flow, the_mail

SAMPLE = 1_000  # distinct messages; the archive repeats them


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of one call, all threads."""
    start = time.process_time()
    call()
    return time.process_time() - start


def measure(rows: int) -> dict[str, float]:
    """CPU seconds cold from Parquet, reordered, with one condition edited, and of `re` for as many rows."""
    flow, mail = the_flow(), the_mail(SAMPLE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.parquet"
        once = frame(mail, headers=["X-Mailer"])
        pl.concat([once] * (rows // SAMPLE)).write_parquet(path)
        kept: list[Batch] = []

        def cold() -> None:
            batch = Batch(pl.read_parquet(path))
            batch.run(flow)
            kept.append(batch)

        found = {"cold": seconds(cold)}
    batch, backwards = kept[0], Flow(tuple(reversed(flow.rules)), flow.default)
    edited = replace(
        flow, rules=(*flow.rules[:1], Rule("new", Ask("text", "contains", ("refund",))), *flow.rules[2:])
    )
    found["reordered"] = seconds(lambda: batch.run(backwards))
    found["edited"] = seconds(lambda: batch.run(edited))
    found["re"] = seconds(lambda: [by_re(one) for one in mail]) * (rows // SAMPLE)
    return found


def main() -> None:
    """Print each as a ratio beside its goal."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    found = measure(rows)
    cold = found["cold"]
    print(f"{rows} rows cold from Parquet: {cold:.2f} CPU-s; re per row: {found['re']:.2f} CPU-s")
    print(f"re / cold {found['re'] / cold:.1f} (goal: at least 15)")
    print(f"reordered / cold {found['reordered'] / cold:.3f} (goal: at most 0.01)")
    print(f"one edit / cold {found['edited'] / cold:.2f} (goal: at most 0.6)")


if __name__ == "__main__":
    main()
