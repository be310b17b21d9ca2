"""The first schema of the journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _mail()
    _interactions()
    _effects()
    _guards()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _big(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _mail() -> None:
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        _text("folder"),
        _big("uidvalidity", null=True),
        sa.Column("last_uid", sa.BigInteger(), nullable=False, server_default="0"),
        _big("fresh_at", null=True),
        _big("failed_at", null=True),
        _text("failure"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "incoming",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("mailbox_id", sa.Integer(), sa.ForeignKey("mailboxes.id"), nullable=False),
        _big("uidvalidity"),
        _big("uid"),
        _text("message_id"),
        sa.Column("sha256", sa.String(64), nullable=False),
        _big("size"),
        sa.Column("truncated", sa.Boolean(), nullable=False, server_default="0"),
        _big("received_at"),
        _big("seen_at"),
        _big("decided_at", null=True),
        _big("moved_at", null=True),
        sa.Column("state", sa.String(20), nullable=False, server_default="new"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        _big("due_at"),
        sa.UniqueConstraint("mailbox_id", "uidvalidity", "uid"),
    )
    op.create_index(None, "incoming", ["sha256"])
    op.create_index(None, "incoming", ["state", "due_at"])
    op.create_table(
        "raws",
        sa.Column("incoming_id", sa.Integer(), sa.ForeignKey("incoming.id"), primary_key=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
    )


def _interactions() -> None:
    op.create_table(
        "interactions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("reference", sa.String(40), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), sa.ForeignKey("mailboxes.id"), nullable=False),
        sa.Column("opened_by", sa.Integer(), sa.ForeignKey("incoming.id"), nullable=False),
        _big("opened_at"),
        _text("subject"),
        _text("customer"),
        _text("queue"),
        sa.Column("priority", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("state", sa.String(20), nullable=False, server_default="open"),
        _big("due_at", null=True),
        _text("target"),
        _big("warned_at", null=True),
        _big("breached_at", null=True),
        _big("acked_at", null=True),
        _big("answered_at", null=True),
        sa.UniqueConstraint("opened_by"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(None, "interactions", ["state", "due_at"])
    op.create_table(
        "parties",
        sa.Column("interaction_id", sa.Integer(), sa.ForeignKey("interactions.id"), primary_key=True),
        sa.Column("address", sa.String(320), primary_key=True),
    )
    op.create_index(None, "parties", ["address"])
    op.create_table(
        "thread_ids",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("interaction_id", sa.Integer(), sa.ForeignKey("interactions.id"), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        _big("at"),
    )
    op.create_index(None, "thread_ids", ["interaction_id"])
    op.create_index(None, "thread_ids", ["message_id"])
    op.create_table(
        "arrivals",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incoming_id", sa.Integer(), sa.ForeignKey("incoming.id"), nullable=False),
        sa.Column("interaction_id", sa.Integer(), sa.ForeignKey("interactions.id"), nullable=False),
        _big("at"),
        _text("sender"),
        _text("kind"),
        _text("joined_by"),
        _text("evidence"),
        _text("copy_key"),
        sa.UniqueConstraint("incoming_id"),
    )
    op.create_index(None, "arrivals", ["copy_key"])
    op.create_index(None, "arrivals", ["interaction_id"])


def _effects() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incoming_id", sa.Integer(), sa.ForeignKey("incoming.id"), nullable=False),
        sa.Column("interaction_id", sa.Integer(), sa.ForeignKey("interactions.id"), nullable=True),
        _text("bundle"),
        _text("kind"),
        _text("disposition"),
        _text("queue"),
        _text("folder"),
        _text("rule"),
        sa.Column("ack", sa.Boolean(), nullable=False),
        _text("ack_reason"),
        _big("decided_at"),
        _big("undone_at", null=True),
        _text("context"),
        _text("decision"),
        sa.UniqueConstraint("incoming_id"),
    )
    op.create_index(None, "decisions", ["decided_at"])
    op.create_index(None, "decisions", ["disposition", "decided_at"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("dedupe", sa.String(120), nullable=False),
        sa.Column("effect", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False, server_default="pending"),
        sa.Column("mailbox_id", sa.Integer(), sa.ForeignKey("mailboxes.id"), nullable=False),
        sa.Column("incoming_id", sa.Integer(), sa.ForeignKey("incoming.id"), nullable=True),
        sa.Column("interaction_id", sa.Integer(), sa.ForeignKey("interactions.id"), nullable=True),
        _text("source"),
        _text("folder"),
        _text("message_id"),
        _text("sender"),
        _text("recipient"),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        _big("due_at"),
        _big("created_at"),
        _big("done_at", null=True),
        sa.Column("copied", sa.Boolean(), nullable=False, server_default="0"),
        _big("remote_uid", null=True),
        _text("note"),
        sa.UniqueConstraint("dedupe"),
    )
    op.create_index(None, "outbox", ["incoming_id"])
    op.create_index(None, "outbox", ["message_id"])
    op.create_index(None, "outbox", ["state", "effect", "due_at"])


def _guards() -> None:
    op.create_table(
        "acks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("interaction_id", sa.Integer(), sa.ForeignKey("interactions.id"), nullable=False),
        _text("address"),
        _text("domain"),
        _text("subject"),
        _text("body"),
        _big("at"),
        sa.UniqueConstraint("interaction_id"),
    )
    op.create_index(None, "acks", ["address", "at"])
    op.create_index(None, "acks", ["at"])
    op.create_index(None, "acks", ["body", "at"])
    op.create_index(None, "acks", ["domain", "at"])
    op.create_index(None, "acks", ["subject", "at"])
    op.create_table(
        "silences",
        sa.Column("address", sa.String(320), primary_key=True),
        _big("until"),
        _text("why"),
    )
    op.create_table(
        "breakers",
        sa.Column("name", sa.String(40), primary_key=True),
        _big("tripped_at"),
        _text("why"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), primary_key=True),
        _big("at"),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("level", sa.String(10), nullable=False, server_default="info"),
        sa.Column("mailbox_id", sa.Integer(), sa.ForeignKey("mailboxes.id"), nullable=True),
        sa.Column("interaction_id", sa.Integer(), sa.ForeignKey("interactions.id"), nullable=True),
        sa.Column("incoming_id", sa.Integer(), sa.ForeignKey("incoming.id"), nullable=True),
        _text("note"),
    )
    op.create_index(None, "events", ["kind", "at"])
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incoming_id", sa.Integer(), sa.ForeignKey("incoming.id"), nullable=False),
        _text("reason"),
        _big("at"),
        _big("retried_at", null=True),
        sa.UniqueConstraint("incoming_id"),
    )
