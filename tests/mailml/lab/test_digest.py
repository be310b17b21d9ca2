"""The digest of filed mail: what was filed and why, and requests to undo that change nothing themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailml import lab
from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError, LabelError
from mailml.lab.labels import Labels
from mailml.lab.panels import Digest, Filed, filed
from mailml.lab.panels.filed import in_words
from mailml.lab.panels.filing import DigestPanel
from mailml.verdict import Kind
from serve.undoing import requests

History = Callable[..., pd.DataFrame]
HOSTILE = "<img src=x onerror=document.title='owned'>\x1b[31m\u202e"


def mails(n: int = 3, **changed: str) -> list[Filed]:
    """Filed mails, the first one hostile."""
    base = {
        "at": "2026-03-05 09:00",
        "sender": "a@x.example",
        "kind": "bounce",
        "folder": "Automated/Bounces",
    }
    told = {**base, "evidence": "Return-Path: <>", **changed}
    return [Filed(message=f"{i:064x}", subject=HOSTILE if not i else f"mail {i}", **told) for i in range(n)]


@pytest.fixture
def digest(tmp_path: Path) -> Digest:
    """Three filed mails."""
    return Digest(mails(), tmp_path / "undo.jsonl", tmp_path / "labels.jsonl", by="anna")


def test_a_click_is_a_label_and_a_request_on_disk(digest: Digest) -> None:
    """Both are durable when `put_back` returns, and the service reads the request."""
    digest.put_back(f"{1:064x}", "Billing")
    (label,) = Labels(digest.store.path).all()
    assert (label.label, label.by, label.source, label.note) == (
        "human",
        "anna",
        "panel",
        "was filed as bounce",
    )
    (request,) = requests(digest.undo)
    assert (request.message, request.queue, request.by) == (f"{1:064x}", "Billing", "anna")
    assert digest.command == f"mailml-serve filed undo --from {digest.undo}"
    assert list(digest.table()["put_back"]) == [False, True, False]


def test_what_is_taken_back_is_asked_no_more(digest: Digest) -> None:
    """The last word counts; nothing is taken out of either file."""
    digest.put_back(f"{1:064x}")
    digest.put_back(f"{2:064x}")
    digest.withdraw(f"{1:064x}")
    assert [request.message for request in requests(digest.undo)] == [f"{2:064x}"]
    assert set(digest.store.latest()) == {f"{2:064x}"}
    assert len(digest.undo.read_text().splitlines()) == 3
    assert digest.wanted == {f"{2:064x}"}


def test_only_mail_of_the_digest_can_be_put_back(digest: Digest) -> None:
    """A strange message is refused before anything is written."""
    with pytest.raises(LabelError, match="not part of this digest"):
        digest.put_back("f" * 64)
    assert not digest.undo.exists()
    assert not digest.store.path.exists()


def test_a_torn_line_swallows_no_request(digest: Digest) -> None:
    """After a crash in the middle of a line the next request starts on its own line."""
    digest.undo.write_bytes(b'{"message": "')
    assert requests(digest.undo) == []
    digest.put_back(f"{1:064x}")
    with pytest.raises(InputError, match="no request"):
        requests(digest.undo)  # the torn line is in the middle now: a person looks at it
    assert digest.undo.read_text().splitlines()[1].startswith('{"message"')


def test_a_file_name_is_quoted_in_the_command(tmp_path: Path) -> None:
    """The command can be copied into a shell whatever the file is called."""
    made = Digest(mails(), tmp_path / "it's; rm -rf" / "undo.jsonl", tmp_path / "l.jsonl")
    assert made.command.endswith(f"'{tmp_path}/it'\"'\"'s; rm -rf/undo.jsonl'")


def test_groups_are_by_kind_and_folder(tmp_path: Path) -> None:
    """Each kind in each folder is one group, the oldest mail first."""
    more = [*mails(2, kind="report", folder="Automated/Reports", at="2026-03-04 09:00"), *mails(1)]
    made = Digest(more, tmp_path / "u", tmp_path / "l")
    assert [(group, len(found)) for group, found in made.groups().items()] == [
        (("bounce", "Automated/Bounces"), 1),
        (("report", "Automated/Reports"), 2),
    ]
    assert "3 filed mails, 0 to put back" in repr(made)


def test_strangers_words_are_shown_as_text(digest: Digest) -> None:
    """No widget of the panel reads markup, and no control character is left in any of them."""
    panel = DigestPanel(digest)
    texts = list(_texts(panel))
    assert any("&lt;img src=x" in text for kind, text in texts if kind == "HTML")
    assert {kind for kind, text in texts if "<img" in text} == {"Button"}  # its tooltip is an attribute
    shown = "".join(text for _, text in texts)
    assert "\x1b" not in shown.replace("\n", "")
    made = filed([{**_row(), "subject": HOSTILE}])
    assert "\u202e" not in made[0].subject


def _texts(widget: Any) -> list[tuple[str, str]]:
    """(kind of widget, text) of everything a panel shows."""
    name = type(widget).__name__
    found = [
        (name, str(getattr(widget, trait)))
        for trait in ("value", "description", "tooltip")
        if hasattr(widget, trait)
    ]
    for child in getattr(widget, "children", ()):
        found += _texts(child)
    return found


def _row(**changed: Any) -> dict[str, Any]:
    """A filed mail as the service prints it."""
    row = {"number": 1, "mailbox": "desk", "kind": "auto_reply", "folder": "Automated/Replies"}
    return {
        **row,
        "at": "2026-03-05 09:00",
        "sender": "a@x.example",
        "subject": "x",
        "evidence": "row 6",
        "message": "a" * 64,
        **changed,
    }


def test_buttons_put_back_and_take_back(digest: Digest) -> None:
    """A click writes the request, another one withdraws it; the state of each row is shown."""
    panel = DigestPanel(digest)
    buttons = [row.children[0] for row in panel._rows.children]
    assert [button.description for button in buttons] == ["a person wrote it"] * 3
    buttons[1].click()
    assert [row.children[0].description for row in panel._rows.children][1] == "take back"
    assert panel._status.value.startswith("1 to put back")
    panel._rows.children[1].children[0].click()
    assert requests(digest.undo) == []


def test_a_full_disk_is_told_and_counts_as_nothing(digest: Digest, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the label cannot be written there is no request either, and the panel says so."""
    monkeypatch.setattr(Labels, "add", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    panel = DigestPanel(digest)
    panel._rows.children[0].children[0].click()
    assert panel._status.value == "NOT saved: no space left"
    assert not digest.undo.exists()


def test_many_mails_are_turned_page_by_page(tmp_path: Path) -> None:
    """A group of twenty has three pages; the ends have no further."""
    panel = DigestPanel(Digest(mails(20), tmp_path / "u", tmp_path / "l"))
    where, earlier, later = panel._where, panel._earlier, panel._later
    assert (where.value, earlier.disabled, later.disabled) == ("1 of 3", True, False)
    later.click()
    later.click()
    assert (where.value, earlier.disabled, later.disabled) == ("3 of 3", False, True)
    assert len(panel._rows.children) == 4


def test_nothing_filed_is_said(tmp_path: Path) -> None:
    """An empty digest opens and says that it is."""
    panel = DigestPanel(Digest([], tmp_path / "u", tmp_path / "l"))
    assert panel._rows.children[0].value == "No mail was filed."


def test_of_an_archive_every_filed_mail_with_its_evidence(
    mailbox: Archive, plain_bundle: Bundle, tmp_path: Path
) -> None:
    """The digest over an archive holds exactly what its replay files, each with what was found."""
    ledger = lab.replay(mailbox, plain_bundle, decisions=True)
    panel = lab.panels.digest(mailbox, plain_bundle, undo=tmp_path / "u", labels=tmp_path / "l")
    shown = panel.digest.table()
    expected = ledger[~ledger["sent"] & ledger["disposition"].eq("file")]
    assert sorted(shown["message"]) == sorted(expected["sha256"])
    assert shown["evidence"].ne("").all()
    week = filed(ledger, days=7)
    assert 0 < len(week) < len(shown)
    with pytest.raises(InputError, match="needs a bundle"):
        filed(mailbox)


def test_of_the_service_what_it_prints(tmp_path: Path) -> None:
    """A file of `filed list --json` is read; anything else is refused with the command that makes it."""
    path = tmp_path / "filed.json"
    path.write_text(json.dumps([_row()]))
    assert filed(path)[0].folder == "Automated/Replies"
    for wrong in ("{}", "[1]", "no json", '[{"kind": "bounce"}]'):
        path.write_text(wrong)
        with pytest.raises(InputError):
            filed(path)


def test_every_kind_has_words() -> None:
    """No snake_case reaches the dropdown."""
    assert not [kind for kind in Kind if "_" in in_words(kind.value)]
