"""The journal's tables, as one schema for every database SQLAlchemy Core speaks.

All moments are milliseconds UTC in integers: SQLite loses time zones. Raw bytes stand in a table of their
own, so that scanning states never drags bodies through memory. The numbered migrations build exactly this
schema; a test compares them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

# Names of constraints are fixed, so that a later migration can drop them on every database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


class Words(TypeDecorator[str]):
    """Text that may come from mail: NUL, which PostgreSQL refuses, becomes U+FFFD on every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> str | None:
        """What is stored for a value."""
        return value.replace("\0", "\ufffd") if value else value


def _text(name: str) -> Column[str]:
    return Column(name, Words, nullable=False, server_default="")


def _moment(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _moment_or_none(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=True)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


mailboxes = Table(
    "mailboxes",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    _text("folder"),
    Column("uidvalidity", BigInteger, nullable=True),
    Column(
        "last_uid", BigInteger, nullable=False, server_default="0"
    ),  # the cursor: everything up to it is stored
    _moment_or_none("fresh_at"),  # when the server last showed us the folder
    _moment_or_none("failed_at"),
    _text("failure"),
)

incoming = Table(
    "incoming",
    metadata,
    _id(),
    Column("mailbox_id", ForeignKey("mailboxes.id"), nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    _text("message_id"),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("truncated", Boolean, nullable=False, server_default="0"),
    _moment("received_at"),  # INTERNALDATE
    _moment("seen_at"),  # when the watcher learned of it: latency is counted from here
    _moment_or_none("decided_at"),
    _moment_or_none("moved_at"),
    Column("state", String(20), nullable=False, server_default="new"),  # new, decided, quarantined
    _count("attempts"),
    _moment("due_at"),
    UniqueConstraint("mailbox_id", "uidvalidity", "uid"),
    Index(None, "state", "due_at"),
    Index(None, "sha256"),
)

raws = Table(
    "raws",
    metadata,
    Column("incoming_id", ForeignKey("incoming.id"), primary_key=True),
    Column("raw", LargeBinary, nullable=False),
)

interactions = Table(
    "interactions",
    metadata,
    _id(),
    Column("reference", String(40), nullable=False, unique=True),
    Column("mailbox_id", ForeignKey("mailboxes.id"), nullable=False),
    Column("opened_by", ForeignKey("incoming.id"), nullable=False, unique=True),
    _moment("opened_at"),
    _text("subject"),
    _text("customer"),
    _text("queue"),
    _count("priority"),
    Column("state", String(20), nullable=False, server_default="open"),  # open, answered, closed
    _moment_or_none("due_at"),
    _text("target"),
    _moment_or_none("warned_at"),
    _moment_or_none("breached_at"),
    _moment_or_none("acked_at"),
    _moment_or_none("answered_at"),
    Index(None, "state", "due_at"),
)

parties = Table(
    "parties",
    metadata,
    Column("interaction_id", ForeignKey("interactions.id"), primary_key=True),
    Column("address", String(320), primary_key=True),
    Index(None, "address"),
)

thread_ids = Table(
    "thread_ids",
    metadata,
    _id(),
    Column("message_id", Text, nullable=False),
    Column("interaction_id", ForeignKey("interactions.id"), nullable=False),
    Column("ours", Boolean, nullable=False),
    _moment("at"),
    Index(None, "message_id"),
    Index(None, "interaction_id"),
)

arrivals = Table(
    "arrivals",
    metadata,
    _id(),
    Column("incoming_id", ForeignKey("incoming.id"), nullable=False, unique=True),
    Column("interaction_id", ForeignKey("interactions.id"), nullable=False),
    _moment("at"),
    _text("sender"),
    _text("kind"),
    _text("joined_by"),
    _text("evidence"),
    _text("copy_key"),  # what copies of one mail share, "" for mail without a Message-ID
    Index(None, "interaction_id"),
    Index(None, "copy_key"),
)

decisions = Table(
    "decisions",
    metadata,
    _id(),
    Column("incoming_id", ForeignKey("incoming.id"), nullable=False, unique=True),
    Column("interaction_id", ForeignKey("interactions.id"), nullable=True),
    _text("bundle"),
    _text("kind"),
    _text("disposition"),
    _text("queue"),
    _text("folder"),
    _text("rule"),
    Column("ack", Boolean, nullable=False),
    _text("ack_reason"),
    _moment("decided_at"),
    _moment_or_none("undone_at"),
    _text("context"),
    _text("decision"),
    Index(None, "disposition", "decided_at"),
    Index(None, "decided_at"),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("dedupe", String(120), nullable=False, unique=True),
    Column("effect", String(20), nullable=False),  # move, ack, reply
    Column("state", String(20), nullable=False, server_default="pending"),
    Column("mailbox_id", ForeignKey("mailboxes.id"), nullable=False),
    Column("incoming_id", ForeignKey("incoming.id"), nullable=True),
    Column("interaction_id", ForeignKey("interactions.id"), nullable=True),
    _text("source"),  # where a move starts; "" is the inbox
    _text("folder"),
    _text("message_id"),
    _text("sender"),
    _text("recipient"),
    Column("raw", LargeBinary, nullable=True),
    _count("attempts"),
    _moment("due_at"),
    _moment("created_at"),
    _moment_or_none("done_at"),
    Column("copied", Boolean, nullable=False, server_default="0"),  # a copy lies in the Sent folder
    Column("remote_uid", BigInteger, nullable=True),
    _text("note"),
    Index(None, "state", "effect", "due_at"),
    Index(None, "state", "copied", "mailbox_id"),
    Index(None, "incoming_id"),
    Index(None, "message_id"),
)

acks = Table(
    "acks",
    metadata,
    _id(),
    Column(
        "interaction_id", ForeignKey("interactions.id"), nullable=False, unique=True
    ),  # one, whatever happens
    _text("address"),
    _text("domain"),
    _text("subject"),
    _text("body"),
    _moment("at"),
    Index(None, "at"),
    # every measure of the loop breaker is asked for every message
    *(Index(None, measure, "at") for measure in ("address", "domain", "subject", "body")),
)

silences = Table(
    "silences",
    metadata,
    Column("address", String(320), primary_key=True),
    _moment("until"),
    _text("why"),
)

breakers = Table(
    "breakers",
    metadata,
    Column("name", String(40), primary_key=True),
    _moment("tripped_at"),
    _text("why"),
)

events = Table(
    "events",
    metadata,
    _id(),
    _moment("at"),
    Column("kind", String(40), nullable=False),
    Column("level", String(10), nullable=False, server_default="info"),
    Column("mailbox_id", ForeignKey("mailboxes.id"), nullable=True),
    Column("interaction_id", ForeignKey("interactions.id"), nullable=True),
    Column("incoming_id", ForeignKey("incoming.id"), nullable=True),
    _text("note"),
    Index(None, "kind", "at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    _id(),
    Column("incoming_id", ForeignKey("incoming.id"), nullable=False, unique=True),
    _text("reason"),
    _moment("at"),
    _moment_or_none("retried_at"),
)
