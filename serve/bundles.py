"""The bundle in use: loaded whole or not at all, and again when the link `current` points elsewhere."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import structlog

from mailml.bundle import Bundle
from mailml.errors import MailmlError

from .instants import Clock, now_ms
from .journal import Journal, events

_LOOK_SECONDS = 1.0


class Bundles:
    """Holds the current bundle. A new one that cannot be loaded is refused loudly, and the old one stays."""

    def __init__(self, path: Path, journal: Journal, *, clock: Clock = now_ms) -> None:
        """Load the bundle at `path`; raises BundleError, FlowError or ConfigError."""
        self.path, self.journal, self.clock = path, journal, clock
        self.log = structlog.get_logger("bundles")
        self._asked = threading.Event()
        self._mark = _mark(path)
        self.current = Bundle.load(path)
        self._looked = time.monotonic()
        self.log.info("bundle loaded", bundle=self.current.id)

    def reload(self) -> None:
        """Look again at the next opportunity, whatever the clock says (SIGHUP)."""
        self._asked.set()

    def look(self) -> None:
        """Load the bundle again if it is another one now. Called between messages, never within one."""
        if not self._asked.is_set() and time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        mark = _mark(self.path)
        if mark == self._mark and not self._asked.is_set():
            return
        self._asked.clear()
        self._mark = mark
        self._load()

    def _load(self) -> None:
        old = self.current.id
        try:
            self.current = Bundle.load(self.path)
        except (MailmlError, OSError) as error:
            self.log.error("bundle refused", why=str(error), kept=old)
            self._tell("bundle_refused", f"{old} stays in use: {error}", "alarm")
            return
        if self.current.id != old:
            self.log.info("bundle loaded", bundle=self.current.id, before=old)
            self._tell("bundle_loaded", f"{old} -> {self.current.id}", "info")

    def _tell(self, kind: str, note: str, level: str) -> None:
        with self.journal.write() as tx:
            events.add(tx, kind, self.clock(), note, level=level)


def _mark(path: Path) -> tuple[str, int, int]:
    """What changes when another bundle stands at the path: where it leads, and its manifest."""
    try:
        manifest = (path / "manifest.json").stat()
    except OSError:
        return "", 0, 0
    return str(path.resolve()), manifest.st_mtime_ns, manifest.st_ino
