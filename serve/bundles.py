"""The bundles in use: each loaded whole or not at all, and again when its link leads elsewhere.

`current` decides. A `canary` decides in its place for a share of the interactions. A `shadow` is asked later,
by a role of its own, and only recorded.
"""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import structlog

from mailml.bundle import Bundle
from mailml.errors import MailmlError

from .instants import Clock, now_ms
from .journal import Journal, events
from .optional import Releases

_LOOK_SECONDS = 1.0


class Held:
    """One bundle at one path. A new one that cannot be loaded is refused loudly, and the old one stays."""

    def __init__(
        self, path: Path, journal: Journal, role: str, public_key: Path | None, clock: Clock
    ) -> None:
        self.path, self.journal, self.role = path, journal, role
        self.public_key, self.clock = public_key, clock
        self.log = structlog.get_logger("bundles").bind(role=role)
        self.bundle: Bundle | None = None
        self.refused = ""  # why what stands at the path now is not in use
        self._mark = ("", 0, 0)

    def load(self) -> Bundle:
        """Load what stands at the path now; raises BundleError, FlowError or ConfigError."""
        self._mark = _mark(self.path)
        self.bundle = load(self.path, self.public_key)
        self.log.info("bundle loaded", bundle=self.bundle.id)
        return self.bundle

    def look(self, *, asked: bool = False) -> None:
        """Load it again if it is another one now."""
        mark = _mark(self.path)
        if mark == self._mark and not asked:
            return
        old = self.bundle.id if self.bundle else "none"
        try:
            found = self.load()
        except (MailmlError, OSError) as error:
            self.refused = str(error)
            self.log.error("bundle refused", why=self.refused, kept=old)
            self._tell("bundle_refused", f"{self.role}: {old} stays in use: {error}", "alarm")
            return
        self.refused = ""
        if found.id != old:
            self._tell("bundle_loaded", f"{self.role}: {old} -> {found.id}", "info")

    def _tell(self, kind: str, note: str, level: str) -> None:
        with self.journal.write() as tx:
            events.add(tx, kind, self.clock(), note, level=level)


class Bundles:
    """The current bundle, and the canary and shadow beside it where there are any."""

    def __init__(
        self, path: Path, journal: Journal, releases: Releases | None = None, *, clock: Clock = now_ms
    ) -> None:
        """Load them; raises BundleError, FlowError or ConfigError when the current one cannot be used."""
        self.releases = releases or Releases()
        key = self.releases.public_key
        self._held = Held(path, journal, "current", key, clock)
        self._held.load()
        self._canary = (
            Held(self.releases.canary, journal, "canary", key, clock) if self.releases.canary else None
        )
        self._shadow = (
            Held(self.releases.shadow, journal, "shadow", key, clock) if self.releases.shadow else None
        )
        self._asked = threading.Event()
        self._looked = time.monotonic()
        for other in (self._canary, self._shadow):
            if other is not None:
                other.look(asked=True)  # one that cannot be used is an alarm, and no reason not to serve

    @property
    def current(self) -> Bundle:
        """The bundle that decides."""
        assert self._held.bundle is not None
        return self._held.bundle

    @property
    def shadow(self) -> Bundle | None:
        """The bundle that is only recorded."""
        return self._shadow.bundle if self._shadow else None

    @property
    def canary(self) -> Bundle | None:
        """The bundle that decides for a share of the interactions."""
        return self._canary.bundle if self._canary else None

    @property
    def refusals(self) -> dict[str, str]:
        """What stands at a path and is not in use, by role, with the reason."""
        held = [one for one in (self._held, self._canary, self._shadow) if one is not None]
        return {one.role: one.refused for one in held if one.refused}

    def choose(self, reference: str) -> Bundle:
        """The bundle that decides for this interaction: always the same one as long as the share is."""
        if self.canary is not None and share(reference) < self.releases.canary_percent:
            return self.canary
        return self.current

    def reload(self) -> None:
        """Look again at the next opportunity, whatever the clock says (SIGHUP)."""
        self._asked.set()

    def look(self) -> None:
        """Load what is another one now. Called between messages, never within one."""
        asked = self._asked.is_set()
        if not asked and time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._asked.clear()
        self._looked = time.monotonic()
        for one in (self._held, self._canary, self._shadow):
            if one is not None:
                one.look(asked=asked)


def load(path: Path, public_key: Path | None) -> Bundle:
    """The bundle a path leads to. Resolved first: a link that is led elsewhere meanwhile changes nothing."""
    return Bundle.load(path.resolve(), public_key=public_key)


def share(reference: str) -> float:
    """Where an interaction lies between 0 and 100, by its reference alone."""
    digest = hashlib.sha256(b"mailml canary 1\0" + reference.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * 100


def _mark(path: Path) -> tuple[str, int, int]:
    """What changes when another bundle stands at the path: where it leads, and its manifest."""
    try:
        manifest = (path / "manifest.json").stat()
    except OSError:
        return "", 0, 0
    return str(path.resolve()), manifest.st_mtime_ns, manifest.st_ino
