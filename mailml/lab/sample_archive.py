"""The sample mailbox as an archive: something to work on before one's own mail is pulled."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailml.archive import Archive, Arrival
    from mailml.lab.sample import SampleMessage

ACCOUNT = "sample"


def sample_archive(
    path: str | os.PathLike[str], *, seed: int = 7, messages: int = 3000, hostile: bool = False
) -> Archive:
    """The made-up sample mailbox in the archive at `path`, made there unless it is there already.

    The same arguments give the same messages. With `hostile` there are mails that attack their readers among
    them. The same archive comes from `lab.pull` on a server that was filled with the sample.
    """
    from mailml.archive import Archive
    from mailml.lab import sample

    archive = Archive.open(Path(path), create=True)
    archive.append(_arrivals(sample.generate(seed=seed, messages=messages, hostile=hostile)))
    return archive


def _arrivals(messages: Iterable[SampleMessage]) -> Iterator[Arrival]:
    """Messages numbered per folder in order of arrival, as a server would."""
    from mailml.archive import Arrival

    numbers: dict[str, int] = {}
    for message in messages:
        uid = numbers[message.folder] = numbers.get(message.folder, 0) + 1
        yield Arrival(ACCOUNT, message.folder, 1, uid, message.raw, message.received, message.flags)
