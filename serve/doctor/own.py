"""Our own house: the journal's folder, the loop key, the bundle, secrets that end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mailml.errors import MailmlError

from ..bundles import load
from ..config import Config
from ..journal import Journal, figures
from ..keys import loop_key
from .check import FAILED, OK, WARNING, Check, failed, judged


def own_things(config: Config) -> Iterator[Check]:
    """What needs no server."""
    folder = config.service.journal.parent
    nearest = folder if folder.exists() else _nearest(folder)
    writable = nearest.is_dir() and os.access(nearest, os.W_OK)
    cure = "Give the service a folder it may write to ([serve] journal)"
    yield judged("journal folder", writable, str(folder), cure)
    if config.service.database:
        yield _database(config)
    yield _key(config)
    yield from _bundle(config)
    yield from _secrets(config)


def _database(config: Config) -> Check:
    """Whether the journal's database answers, and its schema is one we know."""
    try:
        with Journal.open(config.service.journal, config.service.database) as journal, journal.read() as tx:
            kept = figures.states(tx)
    except MailmlError as error:
        return failed("journal database", error)
    return Check("journal database", OK, f"{sum(kept.values()):,} messages")


def _key(config: Config) -> Check:
    if not config.service.loop_key_env and not config.service.loop_key_file.exists():
        return Check("loop key", OK, "will be made on the first run")
    try:
        loop_key(config.service)
    except MailmlError as error:
        return failed("loop key", error)
    return Check("loop key", OK, "present, readable by us alone")


def _bundle(config: Config) -> Iterator[Check]:
    others = {"shadow bundle": config.releases.shadow, "canary bundle": config.releases.canary}
    for name, path in {"bundle": config.service.bundle, **others}.items():
        if path is None:
            continue
        try:
            bundle = load(path, config.releases.public_key)
        except MailmlError as error:
            yield failed(name, error)
            continue
        signed = "signed" if config.releases.public_key else "not asked for a signature"
        yield Check(name, OK, f"{bundle.id}, made {bundle.created or 'at an unknown time'}, {signed}")
        if name == "bundle":
            sender = config.smtp.sending.from_
            known = sender.lower() in bundle.desk.identity.addresses
            yield judged(
                "corporate address",
                known,
                sender if known else f"{sender} is none of the bundle's own addresses",
                "Add it to [identity] addresses of desk.toml: mail we send must be recognised as ours",
                otherwise=WARNING,
            )


def _secrets(config: Config) -> Iterator[Check]:
    """When client secrets and certificates end; nobody but the operator knows of a secret."""
    for name, account in config.accounts().items():
        try:
            ends = account.secret_ends()
        except MailmlError as error:
            yield failed(f"{name}: credential", error)
            continue
        if ends is None:
            continue
        left = (ends - datetime.now(UTC)).total_seconds() / 86400
        state = FAILED if left <= 0 else WARNING if left <= config.alarms.secret_days else OK
        told = f"ended on {ends:%Y-%m-%d}" if left <= 0 else f"ends on {ends:%Y-%m-%d}, in {left:.0f} days"
        cure = "" if state == OK else "Make a new one in Entra ID and put it in place; no restart is needed"
        yield Check(f"{name}: credential", state, told, cure)


def _nearest(folder: Path) -> Path:
    return next((parent for parent in folder.parents if parent.exists()), folder)
