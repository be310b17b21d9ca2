"""A probe mail: sent as the service sends, seen as the service sees, and filed as our own mail is filed.

Its Message-ID is signed by us, so that a running service knows it as its own: no interaction, no answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate

from mailml.errors import FolderError, InputError, MailmlError
from mailml.message import Message, parse
from mailml.message.authentication import authenticated
from mailml.thread import own_message_id, reference_of
from mailml.transport import imap, smtp
from mailml.transport.imap import Fetched, ImapSession

from ..bundles import load
from ..config import Config, Mailbox
from ..keys import loop_key
from ..roster import alone
from .check import FAILED, OK, WARNING, Check, failed
from .line import skew

_SLOW = 60.0
_FOLDER = "Automated/Probe"


def probe(config: Config, to: str = "", *, seconds: float = 120.0) -> Iterator[Check]:
    """Send one mail to the desk (or to `to`) and wait for it in every mailbox."""
    recipient = to or config.smtp.sending.from_
    raw, message_id = _composed(config, recipient)
    begun = time.time()
    try:
        smtp.send(config.smtp.account, config.smtp.sending.from_, [recipient], raw)
    except MailmlError as error:
        yield failed("probe: sent", error)
        return
    yield Check("probe: sent", OK, f"to {recipient}")
    found = None
    while found is None and time.time() - begun < seconds:
        for box in config.mailboxes:
            with suppress(MailmlError), imap.connect(box.account) as session:
                found = found or _arrived(box, session, message_id)
        time.sleep(0.0 if found else 1.0)
    if found is None:
        cure = "Look into the sending server's log, the junk folder, and the MX record"
        yield Check("probe: arrived", FAILED, f"not within {seconds:g} s", cure)
        return
    yield from _judged(config, begun, time.time() - begun, *found)


def _composed(config: Config, recipient: str) -> tuple[bytes, str]:
    sender = config.smtp.sending.from_
    reference = reference_of(f"probe {time.time_ns()}".encode())
    message_id = own_message_id(reference, 1, sender.rpartition("@")[2], loop_key(config.service))
    made = EmailMessage()
    made["From"], made["To"], made["Message-ID"] = sender, recipient, message_id
    made["Subject"], made["Date"] = "Probe of the mail routing", formatdate(usegmt=True)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("A test of the way from the outgoing server to the mailbox. Nothing has to be done.")
    return made.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), message_id


def _arrived(box: Mailbox, session: ImapSession, message_id: str) -> tuple[Mailbox, str, Fetched] | None:
    """The probe in the inbox, or where a running service has filed it meanwhile."""
    prefix = box.places.filed_prefix.rstrip("/.")
    filed = [
        one.name for one in session.folders() if prefix and one.name.startswith(prefix) and one.selectable
    ]
    for folder in (box.places.inbox, *filed):
        session.examine(folder)
        uids = session.search_message_id(folder, message_id)
        for fetched in session.fetch_raw(uids):
            return box, folder, fetched
    return None


def _judged(
    config: Config, begun: float, took: float, box: Mailbox, folder: str, fetched: Fetched
) -> Iterator[Check]:
    slow = took > _SLOW
    cure = "Ask the provider what holds mail up (greylisting, scanning)" if slow else ""
    yield Check("probe: arrived", WARNING if slow else OK, f"{took:.1f} s, in {folder}", cure)
    yield _alignment(config, parse(fetched.raw or b""))
    if fetched.internaldate is not None:
        # INTERNALDATE has whole seconds, and the mail was under way for a while
        off = begun - fetched.internaldate.timestamp()
        yield skew("probe: clock", off if off > 0 else min(off + took + 1.0, 0.0), box.account.host)
    yield from _moved(config, box, folder, fetched.uid)


def _alignment(config: Config, message: Message) -> Check:
    name = "probe: authenticated"
    try:
        trusted = load(config.service.bundle, config.releases.public_key).desk.identity.authserv_ids
    except MailmlError as error:
        return failed(name, error)
    if not trusted:
        cure = "Name your server in [identity] authserv_ids of desk.toml, else no rule can trust a sender"
        return Check(name, WARNING, "no server's Authentication-Results are trusted", cure)
    if authenticated(message, trusted):
        return Check(name, OK, "SPF or DKIM aligned with From, or DMARC passed")
    told = (message.get("Authentication-Results") or "no Authentication-Results")[:300]
    return Check(
        name, FAILED, told, "Let the provider sign with DKIM for the From domain, and name it in SPF"
    )


def _moved(config: Config, box: Mailbox, folder: str, uid: int) -> Iterator[Check]:
    """Prove that folders can be made and mail be moved, unless a running service does just that."""
    name = "probe: moved"
    if folder != box.places.inbox:
        yield Check(name, OK, f"by the running service, to {folder}")
        return
    target = box.filed_folder(_FOLDER)
    try:
        with alone(config, ["send"]), imap.connect(box.account) as session:
            session.select(box.places.inbox)
            try:
                session.move([uid], target)
            except FolderError:
                session.create_folder(target)
                session.move([uid], target)
    except InputError:
        yield Check(name, OK, "left to the running service")
    except MailmlError as error:
        yield failed(name, error)
    else:
        yield Check(name, OK, f"to {target}")
