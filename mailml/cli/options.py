"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ArchiveOption = Annotated[Path, typer.Option("--archive", help="The archive's folder.")]
LabelsOption = Annotated[Path, typer.Option("--labels", help="The label file (JSON Lines).")]
