"""Clients of the HTTP API: keys made here and shown once, kept as digests, compared in constant time.

A key is 256 random bits: no dictionary can reach it, so one SHA-256 protects it as well as scrypt would, at a
price that can be paid for every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable

from mailml.errors import InputError

from .instants import Clock, now_ms
from .journal import Journal, api_keys
from .journal.api_keys import ApiKey

_PREFIX = "mml_"
_LOOK_SECONDS = 2.0  # how long a revoked key may still open the door
_LONGEST = 200


def add(journal: Journal, name: str, *, per_minute: int | None = None, clock: Clock = now_ms) -> str:
    """A fresh key for a client, which nobody can show again. Raises InputError for a name that is none."""
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise InputError(f"{name!r} is no name for a client", cure="Use one that says who calls")
    key = _PREFIX + secrets.token_urlsafe(32)
    with journal.write() as tx:
        api_keys.add(tx, name, _digest(key), key[:8], clock(), per_minute=per_minute)
    return key


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class Clients:
    """Who may call, as the journal says, looked up at most every two seconds."""

    def __init__(self, journal: Journal, *, time: Callable[[], float] = time.monotonic) -> None:
        self.journal, self._time = journal, time
        self._keys: list[ApiKey] = []
        self._looked = -_LOOK_SECONDS
        self._lock = threading.Lock()

    def who(self, key: str) -> ApiKey | None:
        """The client of this key. Every known digest is compared, whatever the first ones say."""
        if not key or len(key) > _LONGEST:
            return None
        digest, found = _digest(key), None
        for one in self._known():
            if hmac.compare_digest(one.digest, digest):
                found = one
        return found

    def _known(self) -> list[ApiKey]:
        with self._lock:
            if self._time() - self._looked >= _LOOK_SECONDS:
                with self.journal.read() as tx:
                    self._keys = api_keys.good(tx)
                self._looked = self._time()
            return self._keys


class Rates:
    """A bucket for each client that refills evenly: a minute's worth at once, and no more than that."""

    def __init__(self, *, time: Callable[[], float] = time.monotonic) -> None:
        self._time = time
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait(self, client: str, per_minute: int) -> float:
        """0 when this request may pass now, else the seconds until one may."""
        with self._lock:
            now = self._time()
            left, at = self._buckets.get(client, (float(per_minute), now))
            left = min(float(per_minute), left + (now - at) * per_minute / 60)
            passes = left >= 1
            self._buckets[client] = (left - 1 if passes else left, now)
            return 0.0 if passes else (1 - left) * 60 / per_minute
