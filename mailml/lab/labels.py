"""What people and folders said about messages: an append-only file that never forgets who said it.

One JSON object a line: `{message, label, by, source, at, confidence, note}`; `message` is the SHA-256 of the
raw bytes. Nothing is ever changed in place: a correction is a later line, a withdrawal a line with an empty
label. A line torn by a crash is the last one at most, is skipped when read and closed off when written.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mailml.errors import InputError, LabelError
from mailml.files import writing

# A person who read the message outranks a move that was mined, and that a folder it happens to lie in.
_RANK = {"panel": 3, "csv": 3, "mined": 2, "folder": 1}
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Label:
    """One statement: this message is `label`, said `by` whom or what, from which `source`, when, how sure.

    An empty label withdraws what the same source said before. `at` is aware; `confidence` is 0 to 1.
    """

    message: str
    label: str
    by: str
    source: str
    at: datetime
    confidence: float = 1.0
    note: str = ""

    def __post_init__(self) -> None:
        if len(self.message) != 64 or not set(self.message) <= _HEX:
            raise LabelError(f"{self.message!r:.80} is not the SHA-256 of a message in hex")
        if self.source not in _RANK:
            raise LabelError(f"the source {self.source!r} is none of {', '.join(_RANK)}")
        if self.at.tzinfo is None:
            raise LabelError("the time of a label has no time zone")
        if not 0 <= self.confidence <= 1:
            raise LabelError(f"a confidence of {self.confidence} is not between 0 and 1")


@dataclass(frozen=True, slots=True)
class Conflict:
    """One message that has been given different labels by its current statements."""

    message: str
    labels: tuple[Label, ...]


class Labels:
    """A label file. Opening one that does not exist yet is an empty store; the first `add` makes it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise InputError(
                "is a folder, not a label file", where=str(path), cure="Name a .jsonl file in it"
            )

    def __iter__(self) -> Iterator[Label]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def __repr__(self) -> str:
        return f"Labels({str(self.path)!r}, {len(self.latest())} messages)"

    def add(self, labels: Iterable[Label]) -> int:
        """Append statements durably: all of them are on disk when this returns. Returns how many."""
        lines = [json.dumps({**asdict(label), "at": _iso(label.at)}, ensure_ascii=False) for label in labels]
        if not lines:
            return 0
        with writing(self.path):
            self._append(lines)
        return len(lines)

    def _append(self, lines: list[str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # a panel and a command may write at the same time
            data = _torn_end(fd) + "".join(line + "\n" for line in lines).encode()
            while data:
                data = data[os.write(fd, data) :]
            os.fsync(fd)
        finally:
            os.close(fd)

    def merge(self, labels: Iterable[Label]) -> int:
        """`add` the statements that their source and author do not make already. Returns how many."""
        current = {(label.message, label.source, label.by): label.label for label in self.current()}
        news = [new for new in labels if current.get((new.message, new.source, new.by)) != new.label]
        return self.add(news)

    def all(self) -> tuple[Label, ...]:
        """Every statement ever made, in file order. Raises LabelError for a line that is none."""
        if not self.path.exists():
            return ()
        lines = self.path.read_bytes().split(b"\n")
        kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
        if kept and kept[-1][0] == len(lines) and not _whole(kept[-1][1]):
            kept.pop()  # torn by a crash: it was never acknowledged
        return tuple(_read(line, f"{self.path}:{number}") for number, line in kept)

    def latest(self) -> dict[str, Label]:
        """Message -> the statement that counts: a person's, else a mined one, else a folder's, the latest."""
        best: dict[str, Label] = {}
        for label in self.current():
            known = best.get(label.message)
            if known is None or (_RANK[label.source], label.at) >= (_RANK[known.source], known.at):
                best[label.message] = label
        return best

    def conflicts(self) -> tuple[Conflict, ...]:
        """Messages on which the most trusted statements disagree, for a person to look at."""
        said: dict[str, list[Label]] = {}
        for label in self.current():
            said.setdefault(label.message, []).append(label)
        for message, labels in said.items():
            top = max(_RANK[label.source] for label in labels)
            said[message] = [label for label in labels if _RANK[label.source] == top]
        mixed = (m for m, labels in said.items() if len({label.label for label in labels}) > 1)
        return tuple(Conflict(message, tuple(said[message])) for message in sorted(mixed))

    def disagreements(self) -> tuple[Conflict, ...]:
        """Messages on which any current statements disagree, however much they are trusted."""
        said: dict[str, list[Label]] = {}
        for label in self.current():
            said.setdefault(label.message, []).append(label)
        mixed = (m for m, labels in said.items() if len({label.label for label in labels}) > 1)
        return tuple(Conflict(message, tuple(said[message])) for message in sorted(mixed))

    def current(self) -> list[Label]:
        """The last statement of each author and source on each message, withdrawals taken out."""
        last: dict[tuple[str, str, str], Label] = {}
        for label in self.all():
            last[label.message, label.source, label.by] = label
        return [label for label in last.values() if label.label]


def from_folders(
    messages: Any, mapping: Mapping[str, str], *, by: str = "folders", at: datetime | None = None
) -> list[Label]:
    """Labels from where messages lie: `mapping` is folder -> category.

    `messages` is a frame or an archive with the columns `folder` and `sha256`. Raises LabelError for a
    mapped folder that holds no message, with the folder that was probably meant.
    """
    at = at or datetime.now(UTC)
    rows = _folders_of(messages)
    present = sorted({folder for folder, _ in rows})
    for folder in mapping:
        if folder not in present:
            near = get_close_matches(folder, present, n=1)
            cure = (
                f"Did you mean {near[0]!r}?" if near else f"The folders are: {', '.join(present) or 'none'}"
            )
            raise LabelError(f"no message lies in the folder {folder!r}", cure=cure)
    found: dict[str, dict[str, str]] = {}
    for folder, sha in rows:
        if folder in mapping:
            found.setdefault(sha, {}).setdefault(mapping[folder], folder)
    labels = []
    for sha, places in found.items():
        for category, folder in places.items():
            # one author, so that a later run corrects an earlier one; two where copies lie in two queues
            author = by if len(places) == 1 else f"{by}: {folder}"
            labels.append(Label(sha, category, author, "folder", at, 1.0 / len(places), folder))
    return labels


def _folders_of(messages: Any) -> list[tuple[str, str]]:
    table = (
        messages.table(columns=["folder", "sha256"]).to_pydict() if hasattr(messages, "table") else messages
    )
    try:
        return list(zip(map(str, table["folder"]), map(str, table["sha256"]), strict=True))
    except KeyError as error:
        raise LabelError(
            f"the messages have no column {error}", cure="Pass lab.frame(…) or an archive"
        ) from error


def _read(line: bytes, where: str) -> Label:
    try:
        values = json.loads(line)
        return Label(**{**values, "at": datetime.fromisoformat(values["at"])})
    except (ValueError, TypeError, KeyError, LabelError) as error:
        cure = "Take the line out, or restore the file from a backup"
        raise LabelError(f"is not a label ({error})", where=where, cure=cure) from error


def _whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _torn_end(fd: int) -> bytes:
    """What must come first so that a line torn by a crash does not swallow ours: cut it off, or end it."""
    size = os.fstat(fd).st_size
    if size == 0 or os.pread(fd, 1, size - 1) == b"\n":
        return b""
    tail = os.pread(fd, min(size, 1 << 20), max(0, size - (1 << 20)))
    last = tail[tail.rfind(b"\n") + 1 :]
    if _whole(last):
        return b"\n"
    os.ftruncate(fd, size - len(last))
    return b""


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
