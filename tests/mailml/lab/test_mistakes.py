"""From a number in the confusion matrix to a corrected label on disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError, LabelError
from mailml.lab.escape import esc
from mailml.lab.labels import Labels
from mailml.lab.panels import Mistakes, errors
from mailml.lab.panels.errors import ErrorPanel
from mailml.lab.panels.mistakes import NOTE
from tests.mailml.lab.trained import trained

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def mistakes(tmp_path: Path) -> Mistakes:
    """The made-up tickets' errors with a label file of their own."""
    return Mistakes(trained(), Labels(tmp_path / "labels.jsonl"), by="anna", clock=lambda: NOON)


def a_cell(mistakes: Mistakes) -> tuple[str, str]:
    """A number off the diagonal that is not 0."""
    counts = mistakes.confusion()
    return next(
        (truth, said)
        for truth in counts.index
        for said in counts.columns
        if truth != said and counts.loc[truth, said]
    )


def test_every_number_opens_as_many_messages(mistakes: Mistakes) -> None:
    """The cells' messages are the matrix's counts, all messages once, the surest first."""
    counts, seen = mistakes.confusion(), []
    for truth in counts.index:
        for said in counts.columns:
            found = mistakes.cell(truth, said)
            assert len(found) == counts.loc[truth, said]
            assert [m.sure for m in found] == sorted((m.sure for m in found), reverse=True)
            seen += [m.row for m in found]
    assert sorted(seen) == list(range(len(trained().examples)))


def test_reasons_name_both_sides(mistakes: Mistakes) -> None:
    """Why: the probabilities, and the words for what was said and for the truth."""
    truth, said = a_cell(mistakes)
    told = mistakes.reasons(mistakes.cell(truth, said)[0])
    assert told.startswith(f"labelled {truth}, answered {said}: ")
    assert f"for {truth}: " in told
    assert f"for {said}: " in told


def test_a_correction_is_on_disk(mistakes: Mistakes) -> None:
    """The new label outranks the old one, with who said it and why."""
    one = mistakes.cell(*a_cell(mistakes))[0]
    mistakes.correct(one, one.said)
    assert mistakes.labels is not None
    (said,) = Labels(mistakes.labels.path).all()
    assert (said.message, said.label, said.by, said.source) == (one.message, one.said, "anna", "panel")
    assert (said.at, said.note) == (NOON, NOTE)
    assert mistakes.corrected == {one.message: one.said}


def test_what_cannot_be_is_refused(mistakes: Mistakes) -> None:
    """Unknown cells and categories, and a correction with nowhere to go, say so."""
    one = mistakes.cell(*a_cell(mistakes))[0]
    with pytest.raises(InputError, match="no number for 'x'"):
        mistakes.cell("x", "billing")
    with pytest.raises(LabelError, match="'nonsense' is no category"):
        mistakes.correct(one, "nonsense")
    with pytest.raises(LabelError, match="no label file"):
        Mistakes(trained()).correct(one, "billing")


def test_the_tree_of_the_decision_is_told(mailbox: Archive, word_bundle: Bundle) -> None:
    """With an archive and a bundle the rules that were tried stand below the words, addresses masked."""
    row = next(r for r in mailbox.table(columns=["sha256", "from_addr"]).to_pylist() if "@" in r["from_addr"])
    mistakes = Mistakes(trained(), archive=mailbox, bundle=word_bundle)
    one = replace(mistakes.cell(*a_cell(mistakes))[0], message=row["sha256"])
    told = mistakes.reasons(one)
    assert "├─ rules" in told
    assert row["from_addr"] not in told


class TestPanel:
    def test_a_number_opens_its_messages(self, mistakes: Mistakes) -> None:
        """A press shows the list, the first message's words and its reasons."""
        panel = ErrorPanel(mistakes)
        truth, said = a_cell(mistakes)
        panel._show(truth, said)
        assert len(panel._list.options) == len(mistakes.cell(truth, said))
        assert esc(mistakes.read(mistakes.cell(truth, said)[0])) in panel._words.value
        assert f">labelled {truth}" in panel._why.value

    def test_another_number_shows_other_words(self, mistakes: Mistakes) -> None:
        """The first message of a second number is read although the first one was chosen before, too."""
        panel = ErrorPanel(mistakes)
        panel._show("billing", "billing")
        first = panel._words.value
        panel._show("technical", "technical")
        assert esc(mistakes.read(mistakes.cell("technical", "technical")[0])) in panel._words.value
        assert panel._words.value != first

    def test_the_label_is_wrong(self, mistakes: Mistakes) -> None:
        """The button writes the chosen category, marks the message, and says where it is saved."""
        panel = ErrorPanel(mistakes)
        panel._show(*a_cell(mistakes))
        one = panel.current
        assert one is not None
        panel._what.value = one.said
        panel._correct()
        assert mistakes.labels is not None
        assert mistakes.labels.latest()[one.message].label == one.said
        assert panel._list.label.startswith(f"✓ now {one.said}")
        assert "Saved in" in panel._told.value

    def test_a_label_that_is_not_saved_is_said(self) -> None:
        """Without a label file the panel says NOT saved and marks nothing."""
        panel = errors(trained())
        panel._show(*a_cell(panel.mistakes))
        panel._correct()
        assert panel._told.value.startswith("NOT saved")
        assert not panel.mistakes.corrected

    def test_nothing_chosen_does_nothing(self, mistakes: Mistakes) -> None:
        """The button before any choice asks for one."""
        panel = ErrorPanel(mistakes)
        panel._correct()
        assert panel._told.value == "Choose a message first."
