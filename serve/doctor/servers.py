"""Every mailbox and the server that sends: line, token, login, capabilities, folders."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from mailml.errors import MailmlError
from mailml.transport import imap, smtp
from mailml.transport.delegated import DelegatedTokens
from mailml.transport.oauth import MicrosoftTokens

from ..bundles import load
from ..config import Config, Mailbox
from . import line
from .check import OK, WARNING, Check, failed, judged
from .rights import rights
from .token import token

# What the service does with each capability, and what it costs to be without.
_WANTED = {
    "IDLE": "without it new mail is seen at the next poll",
    "MOVE": "without it mail is copied, marked and expunged",
    "UIDPLUS": "without it every move is looked up in its folder",
    "CONDSTORE": "not used for routing; the lab's pull is quicker with it",
}


def mailbox(config: Config, box: Mailbox) -> Iterator[Check]:
    """One mailbox, from the line to its folders; what cannot be asked is left out."""
    name = f"mailbox {box.name}"
    yield from line.certificate(name, box.account, "imap")
    yield from token(name, box.account, "imap")
    try:
        with imap.connect(box.account) as session:
            yield Check(f"{name}: login", OK, box.account.where)
            yield from _capabilities(name, session)
            selected = session.select(box.places.inbox)
            rights = "read-only" if selected.readonly else "may be read and written"
            told = f"{selected.exists} messages, {rights}"
            cure = "Give the account full access to the mailbox: mail is moved out of the inbox"
            yield judged(f"{name}: {selected.folder}", not selected.readonly, told, cure)
            yield from _folders(config, box, session, name)
    except MailmlError as error:
        yield failed(name, error)


def _capabilities(name: str, session: imap.ImapSession) -> Iterator[Check]:
    for capability, cost in _WANTED.items():
        has = session.has(capability)
        optional = capability == "CONDSTORE"
        state = OK if has or optional else WARNING
        yield Check(f"{name}: {capability}", state, "offered" if has else f"not offered: {cost}")
    if not session.has("MOVE") and not session.has("UIDPLUS"):
        yield Check(f"{name}: moving", "failed", "neither MOVE nor UIDPLUS", "Use another server")


def _folders(config: Config, box: Mailbox, session: imap.ImapSession, name: str) -> Iterator[Check]:
    there = {folder.name for folder in session.folders()}
    try:
        queues = sorted(load(config.service.bundle, config.releases.public_key).flow.queues())
    except MailmlError:
        return
    targets = [box.queue_folder(queue) for queue in queues]
    missing = [folder for folder in targets if folder not in there]
    found = "all there" if not missing else f"will be made when first needed: {', '.join(missing)}"
    yield Check(f"{name}: queue folders", OK, found)
    yield from rights(name, session, box, targets)


def sending(config: Config) -> Iterator[Check]:
    """The server that sends, up to an accepted login; no mail is sent."""
    account = config.smtp.account
    yield from line.certificate("smtp", account, "smtp")
    yield from token("smtp", account, "smtp")
    try:
        smtp.connect(account).close()
    except MailmlError as error:
        yield failed("smtp", error)
        return
    how = "login accepted" if account.auth is not None else "no login asked for"
    yield Check("smtp", OK, f"{account.where}, {account.security}, {how}")


def clocks(config: Config) -> Iterator[Check]:
    """This machine's clock, against whoever tells the time: identity provider, mail hosts, the kernel."""
    accounts = list(config.accounts().values())
    providers = [one.auth for one in accounts if isinstance(one.auth, (MicrosoftTokens, DelegatedTokens))]
    asked = [(one.authority, one.ca_file) for one in providers]
    asked += [(f"https://{one.host}", one.ca_file) for one in accounts]
    for address, ca_file in dict.fromkeys(asked):
        theirs = line.time_of(address, ca_file)
        if theirs is not None:
            yield line.skew("clock", time.time() - theirs, urlsplit(address).hostname or address)
            return
    yield line.kept_by_the_kernel()
