"""What processes cost: CPU time and memory, as the kernel counts them."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def family_seconds(pid: int) -> float:
    """CPU time of a process and of everything it has started, those that have ended included."""
    total, parents = 0.0, dict[int, list[tuple[int, float]]]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used = sum(int(value) for value in fields[11:15]) / TICKS
        parents.setdefault(int(fields[1]), []).append((int(stat.parent.name), used))
        if int(stat.parent.name) == pid:
            total = used
    waiting = [pid]
    while waiting:
        for number, used in parents.get(waiting.pop(), []):
            total += used
            waiting.append(number)
    return total


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20
