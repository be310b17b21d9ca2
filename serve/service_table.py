"""The [serve] table of serve.toml: where things lie, and how eagerly mail is looked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_DATABASE = r"postgresql://([^:/@\s]+@)?[^@\s]*"  # without a password


def _database(address: str) -> str:
    """An address of PostgreSQL; its password is a secret and stands elsewhere."""
    if not address or re.fullmatch(_DATABASE, address):
        return address
    if address.startswith("postgresql://"):
        raise ValueError("holds a password or is no address; give the password in PGPASSWORD or ~/.pgpass")
    raise ValueError("must be postgresql://user@host/name, or left out for SQLite")


class Service(BaseModel):
    """The [serve] table; paths are taken from the folder of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    journal: Path
    # with an address the journal is on PostgreSQL, and `journal` only names the folder of local files
    database: Annotated[str, AfterValidator(_database)] = ""
    bundle: Path  # a bundle, or a symbolic link to the current one
    loop_key_file: Path = Path("loop.key")  # made on the first run
    loop_key_env: str = ""  # the name of a variable that holds the key instead
    poll_seconds: Annotated[float, Field(ge=0.2, le=3600)] = 60.0
    idle: bool = True
    # Gmail and Outlook fall silent after about 15 minutes of IDLE, RFC 2177 allows 29
    idle_minutes: Annotated[float, Field(gt=0, lt=29)] = 4.0
    cut_off_hours: Annotated[float, Field(gt=0)] | None = None  # stricter than the bundle's own
    max_message_mb: Annotated[float, Field(gt=0, le=1000)] = 50.0
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    due_soon_minutes: Annotated[int, Field(ge=0)] = 30
    reconcile_hours: Annotated[float, Field(gt=0)] = 24.0
    give_up_hours: Annotated[float, Field(gt=0)] = 48.0  # how long a mail of ours is tried
