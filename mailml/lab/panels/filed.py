"""Filed mail to look through: what it was filed for, who sent it, when, and a file of requests to undo it."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailml.autoreply.reasons import REASONS
from mailml.errors import InputError, LabelError
from mailml.lab.escape import plain_text
from mailml.lab.labels import Label, Labels
from mailml.lab.panels.session import login

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle

_LONGEST = 300  # characters of a sender, a subject, an evidence


@dataclass(frozen=True, slots=True)
class Filed:
    """One filed mail as plain text; `message` is its SHA-256."""

    message: str
    at: str
    sender: str
    subject: str
    kind: str
    folder: str
    evidence: str


class Digest:
    """Filed mail by kind and folder, and what is to be undone: nothing here changes mail.

    `put_back` writes down, durably and in this order, the label `human` and a request in `undo`, a file of
    JSON Lines that `mailml-serve filed undo --from` carries out. `withdraw` takes both back.
    """

    def __init__(
        self,
        mails: Iterable[Filed],
        undo: str | os.PathLike[str] = "undo.jsonl",
        labels: Labels | str | os.PathLike[str] = "labels.jsonl",
        *,
        by: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.mails = tuple(sorted(mails, key=lambda mail: (mail.kind, mail.folder, mail.at)))
        self.undo, self.store = Path(undo), labels if isinstance(labels, Labels) else Labels(labels)
        self.by = by or login()
        self.wanted: set[str] = set()  # messages to put back
        self._clock = clock
        self._kinds = {mail.message: mail.kind for mail in self.mails}

    def __repr__(self) -> str:
        return f"Digest({len(self.mails)} filed mails, {len(self.wanted)} to put back, {self.undo})"

    @property
    def command(self) -> str:
        """What carries the requests out, to be run where the service runs."""
        return f"mailml-serve filed undo --from {shlex.quote(str(self.undo))}"

    def groups(self) -> dict[tuple[str, str], tuple[Filed, ...]]:
        """(kind, folder) -> its mails, the oldest first."""
        found: dict[tuple[str, str], list[Filed]] = {}
        for mail in self.mails:
            found.setdefault((mail.kind, mail.folder), []).append(mail)
        return {group: tuple(mails) for group, mails in found.items()}

    def table(self) -> pd.DataFrame:
        """The same as a DataFrame with the column `put_back`."""
        import pandas as pd

        names = ("kind", "folder", "at", "sender", "subject", "evidence", "message")
        rows = [{name: getattr(mail, name) for name in names} for mail in self.mails]
        back = [mail.message in self.wanted for mail in self.mails]
        return pd.DataFrame(rows, columns=list(names)).assign(put_back=back)

    def put_back(self, message: str, queue: str = "") -> None:
        """A person wrote it: label it so, and ask that it be put into a queue ("" is the flow's default)."""
        self._label(message, "human", f"was filed as {self._kinds.get(message, '')}")
        self._request({"message": message, "queue": queue, "by": self.by, "at": self._clock().isoformat()})
        self.wanted.add(message)

    def withdraw(self, message: str) -> None:
        """Take both back; mail that was put back meanwhile stays where it is."""
        self._label(message, "", "undone")
        self._request({"message": message, "withdrawn": True, "by": self.by, "at": self._clock().isoformat()})
        self.wanted.discard(message)

    def _label(self, message: str, label: str, note: str) -> None:
        if message not in self._kinds:
            raise LabelError(f"the message {message[:12]}… is not part of this digest")
        self.store.add([Label(message, label, self.by, "panel", self._clock(), note=note)])

    def _request(self, row: Mapping[str, Any]) -> None:
        line = (json.dumps(row, ensure_ascii=False) + "\n").encode()
        self.undo.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.undo, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line  # a line torn by a crash must not swallow this one
            while line:
                line = line[os.write(handle, line) :]
            os.fsync(handle)
        finally:
            os.close(handle)


def filed(
    source: Archive | pd.DataFrame | Sequence[Mapping[str, Any]] | str | os.PathLike[str],
    bundle: Bundle | None = None,
    *,
    days: float | None = None,
) -> tuple[Filed, ...]:
    """The filed mail of an archive (a bundle decides it), of a replay, or of the running service.

    Of the service: what `mailml-serve filed list --json` prints, as a file or as the list in it. `days` keeps
    the last days of an archive or a replay only, counted back from its latest mail.
    """
    import pandas as pd

    from mailml.archive import Archive

    if isinstance(source, (str, os.PathLike)):
        return tuple(_of_service(row) for row in _read(Path(source)))
    if isinstance(source, pd.DataFrame):
        return _of_replay(source, days)
    if not isinstance(source, Archive):
        return tuple(_of_service(row) for row in source)
    if bundle is None:
        raise InputError("an archive needs a bundle that decides it", cure="Give bundle=…")
    from mailml.lab.replay import replay

    return _of_replay(replay(source, bundle, decisions=True), days)


def _of_replay(ledger: pd.DataFrame, days: float | None) -> tuple[Filed, ...]:
    import pandas as pd

    from mailml.lab.autoreply_proof import evidence

    since = ledger["at"].max() - pd.Timedelta(days=days) if days is not None and len(ledger) else None
    told = ledger.assign(evidence=evidence(ledger))
    mine = told[~told["sent"] & told["disposition"].eq("file")]
    if since is not None:
        mine = mine[mine["at"] >= since]
    columns = ("sha256", "at", "from_addr", "subject", "kind", "filed_in", "evidence")
    rows = zip(*(mine[name] for name in columns), strict=True)
    return tuple(
        _plain(sha, f"{at:%Y-%m-%d %H:%M}", sender, subject, kind, folder, proof)
        for sha, at, sender, subject, kind, folder, proof in rows
    )


def _of_service(row: Mapping[str, Any]) -> Filed:
    try:
        names = ("message", "at", "sender", "subject", "kind", "folder", "evidence")
        return _plain(*(row[name] for name in names))
    except KeyError as error:
        cure = "Give what `mailml-serve filed list --json` prints"
        raise InputError(f"a filed mail has no {error}", cure=cure) from error


def _plain(message: object, *words: object) -> Filed:
    return Filed(str(message), *(plain_text(word, _LONGEST) for word in words))


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path)) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        cure = "Give what `mailml-serve filed list --json` prints"
        raise InputError("is no list of filed mail", where=str(path), cure=cure)
    return rows


def in_words(kind: str) -> str:
    """A kind for people: "an automatic reply"."""
    if kind == "human":
        return "a person's mail that a rule filed"
    return REASONS.get({"calendar_reply": "calendar"}.get(kind, kind), kind)
