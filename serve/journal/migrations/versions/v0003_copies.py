"""What was sent and is not copied yet is found without reading everything that was ever sent."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the index."""
    op.create_index(None, "outbox", ["state", "copied", "mailbox_id"])
