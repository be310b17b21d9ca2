"""The sample mailbox as successive pulls saw it: mail comes where it was sorted first, agents move it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from mailml.archive import Archive, Arrival
from mailml.archive.rows import News
from mailml.lab.sample import SampleMessage

ACCOUNT = "desk"


class Desk:
    """A mailbox whose folders number their mail, pulled once a week into an archive."""

    def __init__(self, path: Path) -> None:
        self.archive = Archive.open(path, create=True)
        self._uids: dict[str, int] = {}

    def live(self, box: Iterable[SampleMessage]) -> Archive:
        """Let the messages arrive in their first queue, and agents move them within the week after."""
        moved: list[tuple[SampleMessage, str, int]] = []
        for _, week in groupby(
            box, key=lambda message: (message.received - timedelta(days=3)).isocalendar()[:2]
        ):
            with self.archive.writer() as writer:
                for message, source, uid in moved:
                    writer.note(News(ACCOUNT, source, 1, uid, present=False))
                    writer.add(self.arrival(message, message.folder))
                moved = []
                for message in week:
                    folder = first_folder(message)
                    arrival = self.arrival(message, folder)
                    writer.add(arrival)
                    if folder != message.folder:
                        moved.append((message, folder, arrival.uid))
        with self.archive.writer() as writer:
            for message, source, uid in moved:
                writer.note(News(ACCOUNT, source, 1, uid, present=False))
                writer.add(self.arrival(message, message.folder))
        return self.archive

    def arrival(self, message: SampleMessage, folder: str) -> Arrival:
        """The message as the next one of a folder."""
        uid = self._uids[folder] = self._uids.get(folder, 0) + 1
        return Arrival(ACCOUNT, folder, 1, uid, message.raw, message.received, message.flags)

    def move(self, arrivals: Iterable[Arrival], folder: str) -> None:
        """One client moves these messages in one go, and the next pull sees it."""
        with self.archive.writer() as writer:
            for one in arrivals:
                writer.note(News(one.account, one.folder, one.uidvalidity, one.uid, present=False))
                uid = self._uids[folder] = self._uids.get(folder, 0) + 1
                writer.add(one._replace(folder=folder, uid=uid))


def first_folder(message: SampleMessage) -> str:
    """Where the generator says the desk has put it first."""
    truth: Any = message.truth
    return (
        f"Queues/{truth['first_queue']}"
        if truth["moved_by"] and truth["role"] == "customer"
        else message.folder
    )
