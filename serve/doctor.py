"""`mailml-serve doctor`: is everything there that the service needs? Each failure with its cure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mailml.bundle import Bundle
from mailml.errors import MailmlError
from mailml.transport import imap, smtp

from .config import Config, Mailbox
from .keys import loop_key

# What the service does with each capability, and what it costs to be without.
_WANTED = {
    "IDLE": "without it new mail is seen at the next poll",
    "MOVE": "without it mail is copied, marked and expunged",
    "UIDPLUS": "without it every move is looked up in its folder",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One question, its answer, and the cure; `state` is ok, warning or failed."""

    name: str
    state: str
    found: str
    cure: str = ""

    def to_plain(self) -> dict[str, Any]:
        """The check as JSON-able values."""
        return asdict(self)


def examine(config: Config) -> Iterator[Check]:
    """Every check, one by one; what cannot be asked because an earlier one failed is left out."""
    yield from _own_things(config)
    for mailbox in config.mailboxes:
        yield from _mailbox(config, mailbox)
    yield from _smtp(config)


def _own_things(config: Config) -> Iterator[Check]:
    folder = config.service.journal.parent
    writable = os.access(folder if folder.exists() else _nearest(folder), os.W_OK)
    cure = "" if writable else "Give the service a folder it may write to ([serve] journal)"
    yield Check("journal folder", "ok" if writable else "failed", str(folder), cure)
    if config.service.loop_key_env or config.service.loop_key_file.exists():
        try:
            loop_key(config.service)
            yield Check("loop key", "ok", "present, readable by us alone")
        except MailmlError as error:
            yield _failed("loop key", error)
    else:
        yield Check("loop key", "ok", "will be made on the first run")
    try:
        bundle = Bundle.load(config.service.bundle)
    except MailmlError as error:
        yield _failed("bundle", error)
        return
    yield Check("bundle", "ok", f"{bundle.id}, made {bundle.created or 'at an unknown time'}")
    if config.smtp.sending.from_.lower() in bundle.desk.identity.addresses:
        yield Check("corporate address", "ok", config.smtp.sending.from_)
    else:
        yield Check(
            "corporate address",
            "warning",
            f"{config.smtp.sending.from_} is none of the bundle's own addresses",
            "Add it to [identity] addresses of desk.toml: mail we send must be recognised as ours",
        )


def _nearest(folder: Path) -> Path:
    return next((parent for parent in folder.parents if parent.exists()), folder)


def _mailbox(config: Config, mailbox: Mailbox) -> Iterator[Check]:
    name = f"mailbox {mailbox.name}"
    try:
        with imap.connect(mailbox.account) as session:
            yield Check(f"{name}: login", "ok", mailbox.account.where)
            for capability, cost in _WANTED.items():
                has = session.has(capability)
                yield Check(f"{name}: {capability}", "ok" if has else "warning", "offered" if has else cost)
            if not session.has("MOVE") and not session.has("UIDPLUS"):
                yield Check(f"{name}: moving", "failed", "neither MOVE nor UIDPLUS", "Use another server")
            selected = session.select(mailbox.places.inbox)
            rights = "read-only" if selected.readonly else "may be read and written"
            yield Check(f"{name}: {selected.folder}", "ok", f"{selected.exists} messages, {rights}")
            yield from _folders(config, mailbox, session, name)
    except MailmlError as error:
        yield _failed(name, error)


def _folders(config: Config, mailbox: Mailbox, session: imap.ImapSession, name: str) -> Iterator[Check]:
    there = {folder.name for folder in session.folders()}
    try:
        queues = sorted(Bundle.load(config.service.bundle).flow.queues())
    except MailmlError:
        return
    missing = [mailbox.queue_folder(queue) for queue in queues if mailbox.queue_folder(queue) not in there]
    found = "all there" if not missing else f"will be made when first needed: {', '.join(missing)}"
    yield Check(f"{name}: queue folders", "ok", found)


def _smtp(config: Config) -> Iterator[Check]:
    try:
        smtp.connect(config.smtp.account).close()
    except MailmlError as error:
        yield _failed("smtp", error)
        return
    how = "login accepted" if config.smtp.account.auth is not None else "no login asked for"
    yield Check("smtp", "ok", f"{config.smtp.account.where}, {config.smtp.account.security}, {how}")


def _failed(name: str, error: MailmlError) -> Check:
    return Check(
        name, "failed", f"{error.where}: {error.what}" if error.where else str(error.what), error.cure
    )
