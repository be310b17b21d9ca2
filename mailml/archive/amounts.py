"""Amounts as people say them."""

from __future__ import annotations


def amount(count: int) -> str:
    """Bytes as people say them: 512 bytes, 3.4 KB, 12 MB, 1.4 GB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= size:
            return f"{count / size:.0f} {unit}" if count >= 10 * size else f"{count / size:.1f} {unit}"
    return "1 byte" if count == 1 else f"{count} bytes"
