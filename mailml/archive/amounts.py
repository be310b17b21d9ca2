"""Amounts as people say them."""

from __future__ import annotations


def megabytes(count: int) -> str:
    """Bytes as people say them: 0.3 MB, 12 MB, 1.4 GB."""
    if count >= 1_000_000_000:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 10_000_000 else f"{count / 1e6:.1f} MB"
