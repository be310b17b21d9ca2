"""Bells that wake a role at once; the journal stays the truth, and a missed bell only costs a poll."""

from __future__ import annotations

import copy
import os
import threading
import weakref
from contextlib import suppress


class End(threading.Event):
    """An end that a poll can wait for beside a socket, so that nobody has to look for it now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._pipe: tuple[int, int] | None = None
        self._making = threading.Lock()

    def set(self) -> None:
        """It has come: whoever waits, in whatever way, wakes."""
        with self._making:
            if not self.is_set():
                super().set()
                self._shout()

    def fileno(self) -> int:
        """A descriptor that can be read from as soon as the end has come, and stays so."""
        with self._making:
            if self._pipe is None:
                self._pipe = os.pipe()
                weakref.finalize(self, _closed, *self._pipe)
                if self.is_set():
                    self._shout()
            return self._pipe[0]

    def _shout(self) -> None:
        if self._pipe is not None:
            os.write(self._pipe[1], b"!")


def _closed(*descriptors: int) -> None:
    for one in descriptors:
        with suppress(OSError):
            os.close(one)


class Bell:
    """Something has been committed for somebody. Ringing twice before it is heard is ringing once."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """Wake whoever listens, now or at their next wait."""
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the bell; False when the time passed without it."""
        heard = self._rung.wait(seconds)
        self._rung.clear()
        return heard


class Bells:
    """The bells of one process: the worker's, the sender's, one per mailbox for its mover, and the end."""

    def __init__(self) -> None:
        self.worker, self.sender, self.clock = Bell(), Bell(), Bell()
        self._movers: dict[str, Bell] = {}
        self._webhooks: dict[str, Bell] = {}
        self._senders: dict[int, Bell] = {0: self.sender}
        self.stop = End()
        self._shifts: list[Bells] = []

    def shift(self) -> Bells:
        """The same bells with an end of their own: for a turn that may end before the process does."""
        own = copy.copy(self)
        own.stop = End()
        self._shifts.append(own)
        if self.stop.is_set():
            own.stop.set()
        return own

    def over(self) -> None:
        """A shift is over: who works in it comes to an end after what they are doing."""
        if self in self._shifts:
            self._shifts.remove(self)
        self.stop.set()
        self._ring()

    def mover(self, mailbox: str) -> Bell:
        """The bell of a mailbox's mover."""
        return self._movers.setdefault(mailbox, Bell())

    def sender_of(self, number: int) -> Bell:
        """The bell of one of several senders; the first one's is `sender`."""
        return self._senders.setdefault(number, Bell())

    def mail(self) -> None:
        """Mail of ours is to be sent: every sender looks for his share."""
        for bell in list(self._senders.values()):
            bell.ring()

    def webhook(self, target: str) -> Bell:
        """The bell of the role that calls a webhook."""
        return self._webhooks.setdefault(target, Bell())

    def news(self) -> None:
        """Something was decided or told: whoever calls webhooks has something to say."""
        for bell in list(self._webhooks.values()):
            bell.ring()

    def end(self) -> None:
        """Everybody comes to an end after what they are doing."""
        self.stop.set()
        for shift in list(self._shifts):
            shift.stop.set()
        self._ring()

    def _ring(self) -> None:
        others = [*self._movers.values(), *self._webhooks.values()]
        for bell in (self.worker, self.clock, *self._senders.values(), *others):
            bell.ring()
