"""Make the frozen bundle of the present format: `python -m tests.bundles.freeze`.

Run once per format number, before its first release; afterwards the files under v<N>/ are never made again.
They prove that what was exported once keeps loading and answering.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from mailml.bundle import Bundle, desk
from mailml.bundle.manifest import FORMAT
from mailml.flow import ready
from mailml.lab.export import export
from tests.mailml.bundles import DESK
from tests.mailml.lab.trained import trained


def freeze() -> Bundle:
    """Train on made-up tickets and export with every part a bundle can have."""
    path = Path(__file__).parent / f"v{FORMAT}"
    made = datetime(2026, 3, 1, 12, tzinfo=UTC)
    by = f"the first version of format {FORMAT}"
    return export(trained(), ready.load("default"), desk.loads(DESK), path, created=made, by=by, replace=True)


if __name__ == "__main__":
    print(freeze())
