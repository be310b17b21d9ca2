"""Patience with servers: a broken connection is opened again, as long as that gets anywhere."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from mailml.errors import ConnectError, DisconnectedError, ThrottledError, TransportError

T = TypeVar("T")

ATTEMPTS = 8  # without a single message in between: about a minute and a half
LONGEST = 30.0
# A server may ask for five minutes; more than that is for the next pull.
LONGEST_THROTTLE = 600.0
WORTH_ANOTHER = (DisconnectedError, ThrottledError, ConnectError)


class Patience:
    """Counts failures in a row and waits between them."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.failures = 0
        self._sleep = sleep

    def rewarded(self) -> None:
        """Something came: the count starts again."""
        self.failures = 0

    def keep_trying(self, work: Callable[[], T], reconnect: Callable[[], None]) -> T:
        """Does the work; after a failure that may pass it waits, reconnects and does it again."""
        broken = False
        while True:
            try:
                if broken:
                    reconnect()
                return work()
            except WORTH_ANOTHER as error:
                self.failures += 1
                if self.failures > ATTEMPTS:
                    raise
                broken = True
                self._sleep(self.pause(error))

    def pause(self, error: TransportError) -> float:
        """How long to wait: the server's own wish, or 0.5 s doubled each time, with jitter."""
        if isinstance(error, ThrottledError):
            return min(error.retry_after, LONGEST_THROTTLE)
        # Jitter, so that ten notebooks do not come back at the same moment.
        return min(LONGEST, 0.5 * 2.0 ** (self.failures - 1)) * random.uniform(0.5, 1.0)
