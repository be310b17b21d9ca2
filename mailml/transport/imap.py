"""An IMAP session: what the puller and the watcher need, every failure a clear TransportError.

with connect(account) as session:
    session.examine("INBOX")
    for message in session.fetch_raw(session.uids()): ...
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType

from imapclient.exceptions import IMAPClientError

from mailml.errors import DisconnectedError, FolderError, TLSError
from mailml.transport import _appending, _faults, _fetch, _finding, _idle, _numbers
from mailml.transport._fetch import Fetched
from mailml.transport._finding import Head
from mailml.transport._folders import Folder, folder_of, guessed, rights_to
from mailml.transport._idle import Stop
from mailml.transport._login import log_in
from mailml.transport._wire import Client, tls_context
from mailml.transport.account import Account

__all__ = ["Fetched", "Folder", "Head", "ImapSession", "Selected", "connect"]


@dataclass(frozen=True, slots=True)
class Selected:
    """An opened folder; `highestmodseq` is 0 where the server has no CONDSTORE."""

    folder: str
    readonly: bool
    exists: int
    uidvalidity: int
    uidnext: int
    highestmodseq: int = 0


def connect(account: Account) -> ImapSession:
    """Opens a connection, secures it and logs in.

    Raises ConnectError, TLSError, AuthError or ThrottledError, each with a cure.
    """
    with _faults.connecting(account):
        context = tls_context(account)
        client = Client(account, context)
    try:
        with _faults.connecting(account):
            if account.security == "starttls":
                if not client.has_capability("STARTTLS"):
                    # Perhaps somebody on the way took it out: the password must not follow in clear.
                    raise TLSError("the server offers no STARTTLS", where=account.where, cure="Use 'tls'")
                client.starttls(context)
        log_in(client, account)
    except BaseException:
        client.drop()
        raise
    return ImapSession(account, client)


class ImapSession:
    """One logged-in connection. Not for several threads at a time."""

    def __init__(self, account: Account, client: Client) -> None:
        self.account, self._client = account, client
        self.selected: Selected | None = None
        with self._working():
            # The login may have changed what the server offers.
            self.capabilities = frozenset(c.decode("ascii", "replace").upper() for c in client.capabilities())
            if self.has("CONDSTORE") and self.has("ENABLE"):
                client.enable("CONDSTORE")  # opening a folder then tells HIGHESTMODSEQ (RFC 7162)

    def __enter__(self) -> ImapSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    @contextlib.contextmanager
    def _working(self, folder: str = "") -> Iterator[None]:
        try:
            with _faults.working(self.account, folder):
                yield
        except DisconnectedError:
            # A half-open line would keep close() waiting for the answer to LOGOUT.
            self._client.drop()
            raise

    def has(self, capability: str) -> bool:
        """Whether the server offers this capability (case does not matter)."""
        return capability.upper() in self.capabilities

    # -- folders ---------------------------------------------------------------------------------------------

    def folders(self) -> tuple[Folder, ...]:
        """All folders, INBOX first, then by name."""
        with self._working():
            listed = self._client.list_folders()
        folders = guessed([folder_of(flags, delimiter, str(name)) for flags, delimiter, name in listed])
        return tuple(sorted(folders, key=lambda f: (f.name.upper() != "INBOX", f.name)))

    def examine(self, folder: str) -> Selected:
        """Opens a folder read-only (EXAMINE: \\Recent and \\Seen stay as they are)."""
        return self._open(folder, readonly=True)

    def select(self, folder: str) -> Selected:
        """Opens a folder for reading and writing."""
        return self._open(folder, readonly=False)

    def _open(self, folder: str, *, readonly: bool) -> Selected:
        self.selected = None
        with self._working(folder):
            told = self._client.select_folder(folder, readonly=readonly)
        self.selected = Selected(
            folder=folder,
            readonly=readonly,
            exists=int(told.get(b"EXISTS", 0)),
            uidvalidity=int(told.get(b"UIDVALIDITY", 0)),
            uidnext=int(told.get(b"UIDNEXT", 0)),
            highestmodseq=int(told.get(b"HIGHESTMODSEQ", 0)),
        )
        self._forget_news()
        return self.selected

    def has_folder(self, folder: str) -> bool:
        """Whether the server has a folder of this name."""
        with self._working(folder):
            listed = self._client.list_folders("", folder)  # a name with * or % is a pattern to LIST
            return any(str(name).casefold() == folder.casefold() for _, _, name in listed)

    def create_folder(self, folder: str) -> None:
        """Makes a folder (and subscribes to it); it is no error when it exists already."""
        with self._working(folder):
            if not self.has_folder(folder):
                self._client.create_folder(folder)
            self._client.subscribe_folder(folder)

    def rights(self, folder: str) -> str:
        """What we may do in this folder, a letter each (RFC 4314); ask only where ACL is offered."""
        with self._working(folder):
            return rights_to(self._client, folder)

    # -- messages --------------------------------------------------------------------------------------------

    def uids(self, first: int = 1) -> list[int]:
        """The UIDs from `first` on in the opened folder, ascending."""
        self._forget_news()
        with self._working(self._folder()):
            return _finding.from_uid(self._client, first, extended=self.has("ESEARCH"))

    def search_message_id(self, folder: str, message_id: str) -> list[int]:
        """The UIDs in `folder` with exactly this Message-ID; the folder open before is reopened."""
        before = self.selected
        if before is None or before.folder != folder:
            self.examine(folder)
        with self._working(folder):
            found = _finding.with_message_id(self._client, message_id)
        if before is not None and before.folder != folder:
            self._open(before.folder, readonly=before.readonly)
        return found

    def uids_arrived_since(self, day: date) -> list[int]:
        """The UIDs of what arrived in the opened folder on this day or later, ascending.

        COPY and MOVE keep the day of arrival (RFC 3501 6.4.7), or servers set a later one.
        """
        with self._working(self._folder()):
            return _finding.since(self._client, day)

    def heads(self, uids: Sequence[int]) -> list[Head]:
        """UID, size and Message-ID line of these messages: enough to tell which are worth fetching."""
        with self._working(self._folder()):
            return list(_finding.heads(self._client, uids))

    def fetch_raw(
        self, uids: Sequence[int], *, per_command: int = 500, max_bytes: int | None = None
    ) -> Iterator[Fetched]:
        """Streams whole messages (BODY.PEEK[]), ascending; expunged ones are left out.

        With `max_bytes` only that many bytes of a body come, and `size` tells the whole size. Read it to the
        end: a consumer that stops early closes the connection.
        """
        body = f"BODY.PEEK[]<0.{max_bytes}>" if max_bytes else "BODY.PEEK[]"
        size = " RFC822.SIZE" if max_bytes else ""
        items = f"(UID FLAGS INTERNALDATE{size} {body})"
        for item in self._stream(sorted(uids), per_command, items):
            if item.raw is not None:
                yield item

    def fetch_flags(self, uids: Sequence[int]) -> Iterator[Fetched]:
        """Streams UID and flags only."""
        return self._stream(sorted(uids), 5000, "(UID FLAGS)")

    def flags_changed_since(self, modseq: int) -> Iterator[Fetched]:
        """UID and flags of the messages changed after `modseq` (CONDSTORE, RFC 7162)."""
        with self._working(self._folder()):
            yield from _fetch.stream(self._client.connection, ["1:*"], f"(UID FLAGS) (CHANGEDSINCE {modseq})")

    def _stream(self, uids: Sequence[int], per_command: int, items: str) -> Iterator[Fetched]:
        with self._working(self._folder()):
            yield from _fetch.stream(self._client.connection, _fetch.sets_of(uids, per_command), items)

    def move(self, uids: Sequence[int], folder: str) -> dict[int, int]:
        """Moves messages and returns their new UIDs where the server tells them (COPYUID, RFC 4315).

        Without MOVE (RFC 6851) it copies, marks and expunges exactly these UIDs; a server without UIDPLUS is
        refused, because its EXPUNGE would take other people's deleted mail along.
        """
        if self.has("MOVE"):
            with self._working(folder):
                return self._copied("MOVE", uids, folder) if uids else {}
        copied = self.copy(uids, folder)
        self.expunge(uids)
        return copied

    def copy(self, uids: Sequence[int], folder: str) -> dict[int, int]:
        """Copies messages and returns their new UIDs: the first half of a move where the server has no MOVE.

        Refused on a server without UIDPLUS, where `expunge` could not follow.
        """
        self._need_uidplus()
        with self._working(folder):
            return self._copied("COPY", uids, folder) if uids else {}

    def expunge(self, uids: Sequence[int]) -> None:
        """Takes exactly these messages out of the opened folder: for those that lie elsewhere by now."""
        self._need_uidplus()
        with self._working(self._folder()):
            if uids:
                self._client.add_flags(uids, [b"\\Deleted"], silent=True)
                self._client.uid_expunge(uids)

    def _need_uidplus(self) -> None:
        if not self.has("UIDPLUS"):
            raise FolderError("the server has neither MOVE nor UIDPLUS", where=self.account.where)

    def _copied(self, command: str, uids: Sequence[int], folder: str) -> dict[int, int]:
        untagged = self._client.connection.untagged_responses
        untagged.pop("COPYUID", None)
        getattr(self._client, command.lower())(uids, folder)
        told = untagged.pop("COPYUID", None)
        return _numbers.copyuid(bytes(told[-1])) if told and isinstance(told[-1], bytes) else {}

    def append(
        self, folder: str, raw: bytes, flags: Iterable[str] = (), when: datetime | None = None
    ) -> int | None:
        """Puts a message into a folder; returns its UID where the server tells it (APPENDUID)."""
        with self._working(folder):
            return _appending.append(self._client, folder, raw, flags, when)

    def append_all(self, folder: str, raws: Sequence[bytes], flags: Sequence[str] = ()) -> list[int]:
        """Puts messages into a folder, at once where it can (MULTIAPPEND); their UIDs where it tells them."""
        with self._working(folder):
            return _appending.append_all(self._client, folder, raws, flags)

    # -- waiting ---------------------------------------------------------------------------------------------

    def idle(self, seconds: float, stop: Stop | None = None) -> tuple[bytes, ...]:
        """Waits up to `seconds` for news in the opened folder; returns at once what came since the last scan.

        Raises DisconnectedError when the connection is gone. News is a hint: scan after every return.
        """
        untagged = self._client.connection.untagged_responses
        news = [b"* " + name.encode() for name in ("EXISTS", "EXPUNGE") for _ in untagged.pop(name, [])]
        news += self._client.connection.noted
        self._client.connection.noted = []
        if news:
            return tuple(news)
        with self._working(self._folder()):
            return _idle.idle(self._client.connection, seconds, stop)

    def noop(self) -> None:
        """Asks for a sign of life."""
        with self._working():
            self._client.noop()

    def close(self) -> None:
        """Logs out; a connection that is gone already is simply closed."""
        try:
            self._client.logout()
        except (IMAPClientError, OSError):
            self._client.drop()

    def _folder(self) -> str:
        if self.selected is None:
            raise FolderError(
                "no folder is open", where=self.account.where, cure="Call examine or select first"
            )
        return self.selected.folder

    def _forget_news(self) -> None:
        self._client.connection.noted = []
        for name in ("EXISTS", "EXPUNGE", "RECENT", "FETCH"):
            self._client.connection.untagged_responses.pop(name, None)
