"""Labels reach the disk before they count, and strangers' mail stays text in every panel."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError, LabelError
from mailml.lab import panels
from mailml.lab.escape import esc
from mailml.lab.labels import Label, Labels
from mailml.lab.panels import Candidate, Session, candidates, label
from mailml.lab.panels.buttons import ButtonPanel
from mailml.lab.panels.frame import _guard, framed, words
from mailml.lab.panels.keyboard import KeyboardPanel
from mailml.lab.panels.session import AUTOMATED

CATEGORIES = ("billing", "technical", "general")
HOSTILE = "<img src=x onerror=document.title='owned'>"


def items(n: int = 3) -> list[Candidate]:
    """Messages to label, the first one hostile."""
    return [
        Candidate(f"{i:064x}", HOSTILE if not i else f"mail {i}", "a@x.example", "Mon", "body")
        for i in range(n)
    ]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Three messages to label."""
    return Session(items(), Labels(tmp_path / "labels.jsonl"), CATEGORIES, by="anna")


def test_a_label_is_on_disk_when_put_returns(session: Session) -> None:
    """Another reader of the file sees the label at once, with who said it and how."""
    session.put("billing")
    (said,) = Labels(session.store.path).all()
    assert (said.message, said.label, said.by, said.source) == ("0" * 64, "billing", "anna", "panel")


def test_walk_skip_and_undo(session: Session) -> None:
    """The walk goes on by one, a skip leaves no label, undo goes back and withdraws what was said."""
    session.put("billing")
    session.skip()
    session.put(AUTOMATED)
    assert session.current is None
    assert session.left == 0
    assert session.undo() == f"{2:064x}"
    assert session.undo() == f"{1:064x}"
    assert session.current is not None
    assert session.current.message == f"{1:064x}"
    assert {m: said.label for m, said in session.store.latest().items()} == {"0" * 64: "billing"}
    assert len(session.store.all()) == 3  # nothing is ever taken out of the file


def test_undo_at_the_start_does_nothing(session: Session) -> None:
    """There is nothing to take back before the first label."""
    assert session.undo() == ""
    assert not session.store.path.exists()


def test_strange_labels_and_messages_are_refused(session: Session) -> None:
    """Only categories of the session and messages of the session get a label."""
    with pytest.raises(LabelError, match="is no category"):
        session.put("biling")
    with pytest.raises(LabelError, match="not part of this session"):
        session.put("billing", "f" * 64)
    assert session.done == []


def test_a_full_disk_is_not_a_label(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the write fails nothing is counted as done."""
    monkeypatch.setattr(Labels, "add", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space"):
        session.put("billing")
    assert session.left == 3


@pytest.mark.parametrize("categories", [(), tuple("abcdefghij"), ("a", "a")])
def test_categories_must_fit_the_keys(categories: tuple[str, ...], tmp_path: Path) -> None:
    """One to nine different categories: each has a key."""
    with pytest.raises(LabelError, match="keys 1 to 9"):
        Session(items(), Labels(tmp_path / "l"), categories)


class _Page:
    """What the page would hear."""

    def __init__(self, panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heard: list[dict[str, Any]] = []
        monkeypatch.setattr(panel, "send", lambda content, buffers=None: self.heard.append(content))
        self.panel = panel

    def send(self, **content: Any) -> None:
        self.panel._handle_custom_msg(content, [])


def test_the_keyboard_panel_acknowledges_after_the_disk(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page gets the number of its key back, and only when the label can be read from the file."""
    page = _Page(KeyboardPanel(session), monkeypatch)
    page.send(type="label", message="0" * 64, label="technical", seq=1)
    assert page.heard == [{"ack": 1}]
    assert session.store.latest()["0" * 64].label == "technical"
    page.send(type="skip", message=f"{1:064x}", seq=2)
    page.send(type="undo", seq=3)
    page.send(type="undo", seq=4)
    assert [told["ack"] for told in page.heard] == [1, 2, 3, 4]
    assert page.panel.done == []
    assert session.store.latest() == {}


def test_the_keyboard_panel_says_what_was_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that could not be written is answered with the reason, not with an acknowledgement."""
    page = _Page(KeyboardPanel(session), monkeypatch)
    page.send(type="label", message="0" * 64, label="nonsense", seq=7)
    assert page.heard[0]["refused"] == 7
    assert "no category" in page.heard[0]["why"]
    assert page.panel.done == []


def test_the_page_shows_text_only() -> None:
    """The panel's script has no way to read mail as markup."""
    script = KeyboardPanel._esm if isinstance(KeyboardPanel._esm, str) else str(KeyboardPanel._esm)
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in script
    assert "lmSuppressShortcuts" in script


def test_the_buttons_do_the_same(session: Session) -> None:
    """Without anywidget: buttons label, undo, and show mail as text."""
    panel = ButtonPanel(session)
    names = [button.description for button in panel.children[-3].children]
    assert names == [*CATEGORIES, AUTOMATED, "skip", "undo"]
    assert panel._subject.value == f"<b>{esc(HOSTILE)}</b>"
    assert "<img" not in panel._subject.value
    panel.children[-3].children[0].click()
    assert session.store.latest()["0" * 64].label == "billing"
    assert panel._subject.value == "<b>mail 1</b>"
    panel.children[-3].children[-1].click()
    assert session.done == []


def test_no_panel_hands_words_to_a_label() -> None:
    """A Label sets "$5 instead of $9" as a formula; `words` shows them as they are."""
    rooms = list(Path(panels.__file__).parent.glob("*.py"))
    makers = [room.name for room in rooms if re.search(r"widgets\.(Label|HTMLMath)\(", room.read_text())]
    assert len(rooms) > 10
    assert makers == []
    shown = words("$5 instead of $9 <b>")
    assert (type(shown).__name__, shown.value) == ("HTML", "$5 instead of $9 &lt;b&gt;")


def test_the_guard_answers_its_page_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's question comes back with its number: that is how it knows that the kernel is there."""
    guard, child = framed(["child"])
    assert child == "child"
    page = _Page(guard, monkeypatch)
    page.send(alive=3)
    page.send(other=1)
    guard._handle_custom_msg("no mapping", [])
    assert page.heard == [{"alive": 3}]


def test_without_anywidget_a_panel_still_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain widgets are all that is needed; the guard is left out."""
    monkeypatch.setitem(sys.modules, "anywidget", None)
    _guard.cache_clear()
    assert framed(["child"]) == ["child"]


def test_candidates_are_incoming_and_unlabelled(mailbox: Archive, tmp_path: Path) -> None:
    """No mail of ours, nothing a person has labelled; a folder's label does not count as a person's."""
    store = Labels(tmp_path / "l.jsonl")
    first = candidates(mailbox, labels=store, n=10_000)
    ours = mailbox.table(columns=["folder", "sha256"]).to_pylist()
    assert not {item.message for item in first} & {row["sha256"] for row in ours if row["folder"] == "Sent"}
    now = datetime.now(UTC)
    store.add([Label(first[0].message, "billing", "anna", "panel", now)])
    store.add([Label(first[1].message, "billing", "folders", "folder", now)])
    again = {item.message for item in candidates(mailbox, labels=store, n=10_000)}
    assert first[0].message not in again
    assert first[1].message in again


def test_the_same_seed_asks_the_same(mailbox: Archive) -> None:
    """Random order is repeatable, and another seed gives another order."""
    one, two, other = (candidates(mailbox, n=20, seed=seed) for seed in (1, 1, 2))
    assert one == two
    assert one != other


def test_disagreement_shows_where_agents_differ(mailbox: Archive, word_bundle: Bundle) -> None:
    """Orders that need a classifier say so when the bundle has none."""
    with pytest.raises(InputError, match="needs a bundle with a classifier"):
        candidates(mailbox, bundle=word_bundle, order="disagreement")
    with pytest.raises(InputError, match="random, uncertain, disagreement, cluster"):
        candidates(mailbox, order="best")


def test_clusters_deal_one_of_each_topic(mailbox: Archive) -> None:
    """The cluster order holds every message once, as the other orders do."""
    dealt = candidates(mailbox, order="cluster", n=10_000)
    assert len({item.message for item in dealt}) == len(dealt) == len(candidates(mailbox, n=10_000))


def test_the_guess_is_in_words(mailbox: Archive, word_bundle: Bundle) -> None:
    """With a bundle each candidate carries kind, rule and queue as text."""
    for item in candidates(mailbox, bundle=word_bundle, n=10):
        assert " → " in item.guess


def test_label_opens_the_panel(mailbox: Archive, tmp_path: Path) -> None:
    """`lab.panels.label` gives the keyboard panel, or buttons where asked for."""
    panel = label(mailbox, tmp_path / "l.jsonl", CATEGORIES, n=5)
    assert isinstance(panel, KeyboardPanel)
    assert len(panel.items) == 5
    assert isinstance(label(items(), tmp_path / "l.jsonl", CATEGORIES, plain=True), ButtonPanel)


def test_buttons_show_the_bundle_on_demand(tmp_path: Path) -> None:
    """What the bundle says is hidden until it is asked for, so that it does not lead."""
    one = Candidate("0" * 64, "s", "a@x.example", "Mon", "body", "billing 90%", "├─ rules")
    panel = ButtonPanel(Session([one], Labels(tmp_path / "labels.jsonl"), CATEGORIES))
    assert panel._guess.layout.display == "none"
    panel._shown.value = True
    assert panel._guess.layout.display == ""
    assert panel._guess.value == "billing 90%\n\n├─ rules"
