"""What Alembic runs: the numbered migrations, on the connection the journal hands over."""

from __future__ import annotations

from alembic import context

from serve.journal.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a column in place
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
