"""lab.explain: the answer, its phrases, how near it was, and labelled look-alikes; safe in a notebook."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from mailml.errors import InputError, NotEnoughData
from mailml.lab.examples import from_lists
from mailml.lab.explain import explain
from mailml.lab.neighbours import Neighbours
from mailml.message import parse
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.trained import frame_of, store_of, trained

REFUND = "I was charged twice for the mobile app and want a refund"
HOSTILE = "<img src=x onerror=alert(1)> charged twice <script>refund</script>"


def test_a_trained_model_explains_with_its_own_labels() -> None:
    """Answer, nearness and look-alikes with their labels, in words and as frames."""
    made = explain(trained(), REFUND)
    assert made.answer.startswith("billing with a probability of")
    assert "charged twice" in str(made)
    assert made.language == "en"
    assert [n.label for n in made.neighbours[:2]] == ["billing", "billing"]
    likeness = made.neighbours_frame()["likeness"].tolist()
    assert likeness == sorted(likeness, reverse=True)
    assert 0 < likeness[-1] <= likeness[0] <= 1
    frame = made.to_frame()
    assert frame["weight"].abs().is_monotonic_decreasing
    assert "charged twice" in set(frame["phrase"])


def test_a_bundle_needs_a_frame_and_labels_for_look_alikes(tmp_path: Path) -> None:
    """The bundle holds no text: without the lab's labels there are no neighbours, with them there are."""
    bundle = SimpleNamespace(model=trained().model)
    assert explain(bundle, REFUND).neighbours == ()
    fresh = tickets(60, seed=9)
    made = explain(bundle, REFUND, frame_of(fresh), store_of(tmp_path, fresh), n=3)
    assert len(made.neighbours) == 3
    with pytest.raises(InputError, match="no classifier"):
        explain(SimpleNamespace(model=None), REFUND)


def test_a_mail_is_not_its_own_neighbour() -> None:
    """A labelled mail is explained by others, by its hash and by its text."""
    examples = from_lists([REFUND, f"{REFUND} please", "the scanner is broken"], ["b", "b", "t"])
    found = Neighbours(examples)
    assert [n.text for n in found.of(REFUND, 1)] == [f"{REFUND} please"]
    message = parse(f"Subject: x\r\n\r\n{REFUND}".encode())
    made = explain(trained(), message, neighbours=found)
    assert made.text == f"x\n{REFUND}"
    left_out = found.of("the broken scanner", leaving_out=[examples.messages[2]])
    assert all(n.label == "b" for n in left_out)


def test_abstentions_say_so() -> None:
    """Foreign, empty, wordless: no category, the reason, no failure."""
    for text in ("", " \n", "😀😀", "!!", "Ζητώ επιστροφή χρημάτων γιατί χρεώθηκα δύο φορές"):
        made = explain(trained(), text)
        assert made.answer.startswith("It cannot tell: ")
        assert made._repr_html_()


def test_hostile_text_is_only_text() -> None:
    """Markup in the mail, in a neighbour or in a label is shown, never obeyed."""
    found = Neighbours(from_lists([HOSTILE, f"{HOSTILE} again", "x y z"], ["<b>b</b>", "b", "t"]))
    page = explain(trained(), f"{HOSTILE} now", neighbours=found)._repr_html_()
    for tag in ("<img", "<script", "<b>b</b>"):
        assert tag not in page
    assert "&lt;img" in page
    assert "<mark" in page


def test_neighbours_of_nothing() -> None:
    """No labelled mail is a clear refusal; labelled mail of one word in common is still found."""
    with pytest.raises(NotEnoughData):
        Neighbours(from_lists([], []))
    assert Neighbours(from_lists(["same", "same"], ["a", "b"])).of("same thing")
    assert Neighbours(from_lists(["", "😀"], ["a", "b"])).of("word") == ()
