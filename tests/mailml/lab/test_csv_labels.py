"""Labels from a CSV file that names messages by Message-ID."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailml.errors import LabelError
from mailml.lab.csv_labels import from_csv

AT = datetime(2026, 5, 4, tzinfo=UTC)
ONE, TWO = "1" * 64, "2" * 64
ROWS = {"message_id": ["<a@shop.example>", "<b@shop.example>", ""], "sha256": [ONE, TWO, "3" * 64]}


def written(folder: Path, *lines: str) -> Path:
    """A CSV file with these lines under the head."""
    path = folder / "labels.csv"
    path.write_text("message,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_message_id_is_looked_up(tmp_path: Path) -> None:
    """A line that names a Message-ID labels the message that carries it."""
    path = written(tmp_path, "<a@shop.example>,billing", f"{TWO},technical")
    assert [(label.message, label.label) for label in from_csv(path, messages=ROWS, at=AT)] == [
        (ONE, "billing"),
        (TWO, "technical"),
    ]


def test_every_copy_of_a_message_id_is_labelled(tmp_path: Path) -> None:
    """Where two messages carry one Message-ID, both get the label."""
    rows = {"message_id": ["<a@shop.example>", "<a@shop.example>"], "sha256": [ONE, TWO]}
    labels = from_csv(written(tmp_path, "<a@shop.example>,billing"), messages=rows, at=AT)
    assert {label.message for label in labels} == {ONE, TWO}


def test_an_unknown_message_id_names_its_line(tmp_path: Path) -> None:
    """A Message-ID that is not in the archive is refused with the file and line."""
    with pytest.raises(LabelError, match=r"labels.csv:2.*no message has the Message-ID '<x@shop.example>'"):
        from_csv(written(tmp_path, "<x@shop.example>,billing"), messages=ROWS, at=AT)


def test_a_message_id_without_messages_says_what_to_pass(tmp_path: Path) -> None:
    """Without an archive to look in, the error says so."""
    with pytest.raises(LabelError, match="Pass the archive"):
        from_csv(written(tmp_path, "<a@shop.example>,billing"), at=AT)
