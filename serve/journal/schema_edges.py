"""The tables of the service's edges: who may call, who is told, what a second bundle would have decided."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from .schema import _count, _id, _moment, _moment_or_none, _text, metadata

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    Column("name", String(100), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the key, never the key
    Column("hint", String(12), nullable=False),  # its first letters, so that people can tell keys apart
    Column("per_minute", Integer, nullable=True),  # None is the default of [http]
    _moment("created_at"),
    _moment_or_none("revoked_at"),
    Index(None, "name"),
)

shadows = Table(
    "shadows",
    metadata,
    _id(),
    Column("incoming_id", ForeignKey("incoming.id"), nullable=False),
    Column("bundle", String(40), nullable=False),
    _text("kind"),
    _text("disposition"),
    _text("queue"),
    _text("folder"),
    Column("ack", Boolean, nullable=False),
    _text("decision"),
    _moment("at"),
    UniqueConstraint("incoming_id", "bundle"),
    Index(None, "bundle"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    Column("target", String(100), nullable=False),  # the webhook's name
    Column("event", String(60), nullable=False),  # what is told, e.g. decision:17
    _text("body"),
    Column("state", String(20), nullable=False, server_default="pending"),  # pending, delivered, dead
    _count("attempts"),
    _moment("due_at"),
    _moment("created_at"),
    _moment_or_none("done_at"),
    _text("note"),
    UniqueConstraint("target", "event"),
    Index(None, "state", "due_at"),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
