"""`make bench`: every benchmark in a process of its own, one after the other, and which ended well."""

from __future__ import annotations

import subprocess
import sys
import time

BENCHES = ("ingest", "text", "autoreply", "classifier", "flow", "backtest", "pull", "reports")


def main() -> int:
    """Run them all; exit code 1 when one of them failed."""
    ended: list[tuple[str, int, float]] = []
    for name in BENCHES:
        print(f"\n=== {name} " + "=" * (70 - len(name)), flush=True)
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False)
        ended.append((name, done.returncode, time.monotonic() - began))
    print("\n" + "=" * 76)
    for name, code, seconds in ended:
        print(f"{name:<16}{'well' if code == 0 else f'exit code {code}':<16}{seconds:8.0f} s")
    return int(any(code for _, code, _ in ended))


if __name__ == "__main__":
    sys.exit(main())
