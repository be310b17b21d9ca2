"""Bring a journal to this version's schema by the numbered migrations that ship inside the package."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from mailml.errors import InputError

HEAD = "0003"  # raise it with every migration that is added
_SCRIPTS = Path(__file__).with_name("migrations")


def version(connection: Connection) -> str:
    """The number of the last migration that ran, "" for an empty file."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found or "")


def upgrade(connection: Connection, where: str) -> None:
    """Run what is missing. Raises InputError for a journal of a later version than this program."""
    found = version(connection)
    if found == HEAD:
        return
    if found > HEAD:
        raise InputError(
            f"the journal has schema {found}, this program knows up to {HEAD}",
            where=where,
            cure="Run the newer mailml-serve, or restore the journal from before the upgrade",
        )
    # Alembic takes a third of a second to import: only those who need it pay
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
