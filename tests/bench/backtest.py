"""The back-test: a flow edited and decided again, against deciding all anew; a rule tried while typing.

python -m tests.bench.backtest [MESSAGES] [ROWS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from mailml import lab
from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.flow import source
from mailml.lab.columns import columns
from mailml.lab.panels.rulebook import RuleBook, Tried
from mailml.lab.replay import replay

TYPED = "account statement"
RULE = '[[rule]]\nname = "new"\nwhen = {{ text = {{ contains = "{}" }} }}\nthen = {{ queue = "Billing" }}\n'


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def deciding(archive: Archive, bundle: Bundle) -> dict[str, float]:
    """CPU seconds: all decided anew, a back-test anew, the same after an edit, a replay once more."""
    flow = source.dumps(bundle.flow)
    found = {"anew": seconds(lambda: replay(Archive.open(archive.path), bundle))}
    fresh = Archive.open(archive.path)
    found["back-test"] = seconds(lambda: lab.backtest(flow + RULE.format("account"), bundle, fresh))
    edits = [RULE.format(word) for word in ("invoice", "password", "refund")]
    found["edited"] = min(seconds(lambda e=e: lab.backtest(flow + e, bundle, fresh)) for e in edits)  # type: ignore[misc]
    found["replayed"] = seconds(lambda: replay(fresh, bundle))
    return found


def typing(archive: Archive, bundle: Bundle, rows: int) -> tuple[list[tuple[float, float]], float]:
    """Milliseconds (CPU, wall) of each key typed over so many messages, and of `in` row by row."""
    once = columns(archive, bundle)
    many = pl.concat([once] * (rows // once.height + 1)).head(rows)
    book = RuleBook(bundle.flow, many, categories=bundle.desk.categories)
    book.try_rule(0)
    draft, took = book.add(0), list[tuple[float, float]]()
    for field in ("text", "subject"):
        for end in range(1, len(TYPED) + 1):
            ask = {"field": field, "operator": "contains", "values": [TYPED[:end]]}
            book.put(0, {**draft, "asks": [ask]})
            made = list[Tried]()
            cpu = seconds(lambda: made.append(book.try_rule(0)))  # noqa: B023 - called at once
            took.append((1000 * cpu, made[0].milliseconds))
    texts = many["text"].to_list()
    plain = seconds(lambda: sum(TYPED in (text or "").casefold() for text in texts))
    return took, 1000 * plain


def main() -> None:
    """Print each as a ratio beside its goal."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        archive = lab.sample_archive(Path(folder) / "archive", messages=messages)
        bundle = lab.sample_bundle(archive, Path(folder) / "bundle")
        found = deciding(archive, bundle)
        incoming = int((~replay(archive, bundle)["sent"]).sum())
        took, plain = typing(archive, bundle, rows)
        anew = found["anew"]
        print(f"{len(archive)} messages, {incoming} decided; deciding all anew: {anew:.2f} CPU-s")
    print(f"back-test, nothing known / deciding anew {found['back-test'] / anew:.2f}")
    print(f"replay again / deciding anew {found['replayed'] / anew:.3f} (goal: at most 0.15)")
    edited = found["edited"] / (2 * anew)
    print(f"back-test after an edit / deciding both sides anew {edited:.3f} (goal: at most 0.15)")
    cpu, wall = ([one[at] for one in took] for at in (0, 1))
    print(f"a key typed over {rows} messages: {told(cpu)} CPU-ms, {told(wall)} ms on the wall (goal: 300)")
    print(f"a key / `in` row by row {statistics.median(cpu) / plain:.2f} (goal: at most 1)")


def told(values: list[float]) -> str:
    """Median and 95th percentile."""
    return f"{statistics.median(values):.0f} (95 %: {statistics.quantiles(values, n=20)[-1]:.0f})"


if __name__ == "__main__":
    main()
