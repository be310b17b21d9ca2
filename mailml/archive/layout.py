"""Where the parts of an archive lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of the archive at `path`."""

    path: Path

    @property
    def raw(self) -> Path:
        """Raw messages."""
        return self.path / "raw"

    @property
    def facts(self) -> Path:
        """Parsed facts, one part per raw part and of the same name."""
        return self.path / "facts"

    @property
    def state(self) -> Path:
        """News of later pulls."""
        return self.path / "state"
