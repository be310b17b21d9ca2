"""API keys, webhook deliveries, shadow decisions, and marks of how far something has been read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of the service's edges."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("hint", sa.String(12), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        _big("created_at"),
        _big("revoked_at", null=True),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(None, "api_keys", ["name"])
    op.create_table(
        "shadows",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incoming_id", sa.Integer(), sa.ForeignKey("incoming.id"), nullable=False),
        sa.Column("bundle", sa.String(40), nullable=False),
        *(_text(name) for name in ("kind", "disposition", "queue", "folder")),
        sa.Column("ack", sa.Boolean(), nullable=False),
        _text("decision"),
        _big("at"),
        sa.UniqueConstraint("incoming_id", "bundle"),
    )
    op.create_index(None, "shadows", ["bundle"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("target", sa.String(100), nullable=False),
        sa.Column("event", sa.String(60), nullable=False),
        _text("body"),
        sa.Column("state", sa.String(20), nullable=False, server_default="pending"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        _big("due_at"),
        _big("created_at"),
        _big("done_at", null=True),
        _text("note"),
        sa.UniqueConstraint("target", "event"),
    )
    op.create_index(None, "deliveries", ["state", "due_at"])
    op.create_table("marks", sa.Column("name", sa.String(120), primary_key=True), _big("value"))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _big(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)
