"""What people should look at: messages on which agents' moves, folders and hand labels disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailml.lab.labels import Conflict, Label, Labels

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive

_HANDS = ("panel", "csv")


def disagreements(store: Labels) -> tuple[Conflict, ...]:
    """Messages whose current statements differ, whoever made them, the weightiest first.

    First where a person's label and agents' later doings differ, then mined against folder. A label that a
    person gives after all the others settles the matter.
    """
    found = [conflict for conflict in store.disagreements() if not _settled(conflict)]
    return tuple(sorted(found, key=lambda one: (not _by_hand(one), -_weight(one), one.message)))


def review(store: Labels, archive: Archive | None = None, n: int = 100) -> pd.DataFrame:
    """The first `n` disagreements: message, what each source says and why, and of an archive the subject."""
    import pandas as pd

    queue = disagreements(store)[:n]
    subjects: dict[str, str] = {}
    if archive is not None:
        table = archive.table(columns=["sha256", "subject"]).to_pydict()
        subjects = dict(zip(table["sha256"], table["subject"], strict=True))
    rows = [
        {
            "message": one.message,
            "subject": subjects.get(one.message) or "",
            **{source: _said(one, sources) for source, sources in _COLUMNS.items()},
            "why": "; ".join(label.note for label in one.labels if label.note),
        }
        for one in queue
    ]
    return pd.DataFrame(rows, columns=["message", "subject", *_COLUMNS, "why"])


def to_review(store: Labels) -> list[str]:
    """The same as message hashes, in the order in which to look at them: for the label panel."""
    return [one.message for one in disagreements(store)]


_COLUMNS = {"hand": _HANDS, "mined": ("mined",), "folder": ("folder",)}


def _said(conflict: Conflict, sources: tuple[str, ...]) -> str:
    return ", ".join(sorted({label.label for label in conflict.labels if label.source in sources}))


def _by_hand(conflict: Conflict) -> bool:
    return any(label.source in _HANDS for label in conflict.labels)


def _weight(conflict: Conflict) -> float:
    return max((label.confidence for label in conflict.labels if label.source == "mined"), default=0.0)


def _settled(conflict: Conflict) -> bool:
    """Whether a person spoke last, and people agree among themselves."""
    last: Label = max(conflict.labels, key=lambda label: (label.at, label.source in _HANDS))
    said = {label.label for label in conflict.labels if label.source in _HANDS}
    return last.source in _HANDS and len(said) == 1
