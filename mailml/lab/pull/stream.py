"""Fetching the new messages of one folder into the archive."""

from __future__ import annotations

from collections.abc import Callable

from mailml.archive import Arrival, Writer
from mailml.errors import ConnectError, DisconnectedError, ThrottledError, TransportError
from mailml.lab.pull.folders import Job
from mailml.transport.imap import ImapSession


def fetch(
    session: ImapSession, job: Job, account: str, writer: Writer, one_more: Callable[[int], None]
) -> None:
    """Fetches what is left of `job.todo`; may be called again after a broken connection.

    A message the server will not hand out does not keep the others back: the rest is then asked for one by
    one, and what is refused again is left for the next pull. The folder must be open.
    """
    job.todo = [uid for uid in job.todo if uid not in _known(writer, account, job)]
    if not job.todo:
        return
    try:
        _stream(session, job, job.todo, account, writer, one_more)
    except (DisconnectedError, ThrottledError, ConnectError):
        raise
    except TransportError:
        known = _known(writer, account, job)
        for uid in [uid for uid in job.todo if uid not in known]:
            _one(session, job, uid, account, writer, one_more)


def _one(
    session: ImapSession, job: Job, uid: int, account: str, writer: Writer, one_more: Callable[[int], None]
) -> None:
    try:
        _stream(session, job, [uid], account, writer, one_more)
    except (DisconnectedError, ThrottledError, ConnectError):
        raise
    except TransportError:
        job.refused.append(uid)


def _stream(
    session: ImapSession,
    job: Job,
    uids: list[int],
    account: str,
    writer: Writer,
    one_more: Callable[[int], None],
) -> None:
    for item in session.fetch_raw(uids):
        if item.raw is None:
            continue
        arrival = Arrival(
            account, job.folder, job.uidvalidity, item.uid, item.raw, item.internaldate, item.flags
        )
        if writer.add(arrival):
            job.new += 1
            job.bytes += len(item.raw)
            one_more(len(item.raw))


def _known(writer: Writer, account: str, job: Job) -> set[int]:
    return writer.known.folder(account, job.folder).uids.get(job.uidvalidity, set())
