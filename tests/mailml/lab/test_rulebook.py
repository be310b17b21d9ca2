"""Rules as forms: what a form says is the flow, what it does on the archive is what the flow does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import FlowError, InputError, NotEnoughData
from mailml.flow import Ask, Flow, source
from mailml.lab import panels
from mailml.lab.columns import OURS, columns
from mailml.lab.panels.drafts import blank, draft_of, mapping_of
from mailml.lab.panels.rulebook import RuleBook, Tried
from mailml.lab.panels.rulepanel import RulePanel
from mailml.lab.replay import replay
from mailml.reply.policy import Words
from tests.laws.flows import flows


@pytest.fixture(scope="module")
def messages(mailbox: Archive, word_bundle: Bundle) -> pl.DataFrame:
    """The sample as columns."""
    return columns(mailbox, word_bundle)


@pytest.fixture
def book(word_bundle: Bundle, messages: pl.DataFrame, tmp_path: Path) -> RuleBook:
    """The rules of a desk in a file of their own."""
    path = tmp_path / "flow.toml"
    path.write_text(source.dumps(word_bundle.flow), encoding="utf-8")
    return RuleBook(path, messages, categories=word_bundle.desk.categories)


@settings(max_examples=60, deadline=None)
@given(flow=flows())
def test_a_form_says_the_rule_it_was_made_from(flow: Flow) -> None:
    """Any flow, filled into forms and read back, is the same flow: rows and text lose nothing."""
    faults: list[Any] = []
    table = {"default": flow.default, "rule": [mapping_of(draft_of(rule), faults) for rule in flow.rules]}
    assert not faults
    assert source.from_mapping(table) == flow


def test_forms_give_typed_values() -> None:
    """What is typed is text; numbers, flags and words reach the flow as what they are."""
    draft = blank("Billing", [])
    draft["asks"] = [
        {"field": "size", "operator": "at_least", "values": ["5000000"], "scope": "", "negated": False},
        {"field": "has_attachment", "operator": "is", "values": ["true"], "scope": "", "negated": True},
        {"field": "category", "operator": "at_least", "values": ["0.8"], "scope": "", "negated": False},
        {"field": "subject", "operator": "is", "values": ["5", "true"], "scope": "", "negated": False},
        {"field": "header.X-Tag", "operator": "exists", "values": ["false"], "scope": "", "negated": False},
    ]
    flow = source.from_mapping({"default": "Billing", "rule": [mapping_of(draft, [])]})
    expected = [(5_000_000,), (True,), (0.8,), ("5", "true"), (False,)]
    assert [ask.expected for ask in flow.rules[0].asks()] == expected


def test_it_decides_on_the_archive_what_the_flow_decides(
    book: RuleBook, mailbox: Archive, word_bundle: Bundle
) -> None:
    """Counts per rule are those of a replay with the code of production."""
    rows = replay(mailbox, word_bundle)
    routed = rows[~rows["sent"] & rows["queue"].ne("")]
    made = book.try_rule(1)
    assert made.of == len(routed)
    assert list(made.reach) == [int(routed["rule"].eq(rule["name"]).sum()) for rule in book.rules]
    assert made.rest == int(routed["rule"].eq("default").sum())
    assert made.hits >= made.decides == made.reach[1] > 10
    assert sum(count for _, count in made.places) <= made.hits
    assert made.milliseconds > 0
    assert f"{made.hits} of {made.of} messages fit" in repr(made)


def test_places_and_sample_are_those_of_the_messages_that_fit(book: RuleBook, messages: pl.DataFrame) -> None:
    """The four queues in which most of what fits was left, and the latest that fit, counted anew."""
    draft = book.add(0)
    book.put(0, {**draft, "asks": [{"field": "size", "operator": "at_least", "values": ["1500"]}]})
    made = book.try_rule(0)
    fits = messages.filter(messages["size"] >= 1500)
    counts = fits.filter(fits["final_queue"] != "").group_by("final_queue").len()
    wanted = sorted(counts.iter_rows(), key=lambda pair: (-pair[1], pair[0]))[:4]
    assert made.hits == fits.height > 10
    assert list(made.places) == wanted
    assert [row["place"] for row in made.sample] == fits["final_queue"].to_list()[-8:][::-1]


def test_drafts_that_are_changed_in_place_are_read_again(book: RuleBook) -> None:
    """A flow that was read once is not taken for one whose drafts have changed since."""
    before = book.flow()
    assert book.flow() is before
    book.rules[0]["then"]["queue"] = "Billing"
    assert book.flow().rules[0].then.queue == "Billing"
    book.default = "Tech Support"
    assert book.flow().default == "Tech Support"
    book.rules[0]["name"] = ""
    with pytest.raises(FlowError):
        book.flow()


def test_the_sample_is_masked_text(book: RuleBook) -> None:
    """Strangers' words in the sample bear no address; hostile subjects stand there as they are."""
    book.put(0, {**book.rules[0], "asks": [], "text": '{ subject = { contains = "<" } }'})
    made = book.try_rule(0)
    assert made.sample
    assert any("<" in row["subject"] for row in made.sample)
    assert all("…" in row["from"] or not row["from"] for row in made.sample)


def test_rules_are_added_moved_and_taken_out(book: RuleBook) -> None:
    """Every step shows in the flow and in the diff; going back leaves no difference."""
    names = [rule["name"] for rule in book.rules]
    assert book.diff() == ""
    fresh = book.add(1)
    fresh["asks"][0]["values"] = ["refund"]
    assert [rule.name for rule in book.flow().rules] == [names[0], "rule 4", *names[1:]]
    assert '+name = "rule 4"' in book.diff()
    book.move(1, 3)
    assert [rule.name for rule in book.flow().rules] == [*names, "rule 4"]
    assert book.remove(3) is fresh
    assert book.diff() == ""
    with pytest.raises(InputError, match="no rule 9"):
        book.move(9, 0)


def test_saving_is_whole_and_only_without_faults(book: RuleBook) -> None:
    """What is saved loads as the flow of the forms; a fault leaves the file as it was."""
    assert book.path is not None
    before = book.path.read_text(encoding="utf-8")
    fresh = book.add()
    with pytest.raises(FlowError):
        book.save()
    assert book.path.read_text(encoding="utf-8") == before
    fresh["asks"][0]["values"] = ["refund"]
    expected = book.flow()
    assert source.load(book.save()) == expected
    assert book.diff() == ""
    assert "saved" in repr(book)


def test_faults_are_told_all_at_once(book: RuleBook) -> None:
    """An unknown field, a category nobody has, text that is no TOML: each in words, nothing raised."""
    book.put(0, {**book.rules[0], "asks": [{"field": "subjekt", "operator": "is", "values": ["x"]}]})
    book.put(1, {**book.rules[1], "asks": [{"field": "category", "operator": "is", "values": ["biling"]}]})
    told = "\n".join(book.try_rule(0).faults)
    assert '"subjekt" is not a field' in told
    assert "biling" in told
    book.put(2, {**book.rules[2], "asks": [], "text": "{ subject = "})
    assert any("is not TOML" in fault for fault in book.try_rule(0).faults)


def test_a_header_that_is_not_at_hand_is_told(book: RuleBook) -> None:
    """A header field that the columns lack is a fault in words; the usual ones are there."""
    ask = {"field": "header.X-Mailer", "operator": "exists", "values": ["true"]}
    book.put(0, {**book.rules[0], "asks": [ask]})
    assert not book.try_rule(0).faults
    book.put(0, {**book.rules[0], "asks": [{**ask, "field": "header.X-Rare"}]})
    assert "X-Rare" in book.try_rule(0).faults[0]


def test_without_messages_rules_are_written_not_tried(word_bundle: Bundle) -> None:
    """No archive at hand: the forms work, and nothing pretends to be counted."""
    book = RuleBook(word_bundle.flow)
    assert book.try_rule(0) == Tried()
    with pytest.raises(InputError, match="where to save"):
        book.save()


def test_columns_are_kept_and_made_again_when_something_changes(
    mailbox: Archive, word_bundle: Bundle, plain_bundle: Bundle, messages: pl.DataFrame, tmp_path: Path
) -> None:
    """The second time they come from disk, equal; another bundle or header makes its own."""
    first = columns(mailbox, word_bundle, keep=tmp_path)
    assert first.equals(messages)
    assert columns(mailbox, word_bundle, keep=tmp_path).equals(first)
    assert len(list(tmp_path.iterdir())) == 1
    columns(mailbox, plain_bundle, keep=tmp_path)
    more = columns(mailbox, word_bundle, ["X-Rare"], keep=tmp_path)
    assert "header.X-Rare" in more.columns
    assert len(list(tmp_path.iterdir())) == 3
    assert set(OURS) <= set(first.columns)
    with pytest.raises(NotEnoughData, match="Pull the Inbox"):
        columns(Archive.open(tmp_path / "empty", create=True), word_bundle)


def test_the_panel_answers_every_change(
    mailbox: Archive, word_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change is tried, a save is on disk before it is told, a refusal is told; nonsense does nothing."""
    panel = panels.rules(word_bundle, mailbox, tmp_path / "new.toml")
    assert isinstance(panel, RulePanel)
    answers = list[dict[str, Any]]()
    monkeypatch.setattr(panel, "send", answers.append)
    rules = [dict(rule) for rule in panel.rules]
    panel._heard(panel, {"type": "try", "seq": 1, "rules": rules, "at": 1}, [])
    assert (answers[0]["seq"], answers[0]["tried"]["faults"]) == (1, [])
    assert answers[0]["tried"]["hits"] > 0
    panel._heard(panel, {"type": "save", "seq": 2, "rules": rules[::-1], "at": 0}, [])
    assert answers[1]["saved"] == str(tmp_path / "new.toml")
    assert source.load(tmp_path / "new.toml").rules[0].name == rules[-1]["name"]
    panel._heard(panel, {"type": "save", "seq": 3, "rules": [{**rules[0], "name": ""}], "at": 0}, [])
    assert "is not a name" in answers[2]["refused"]
    panel._heard(panel, {"type": "try", "seq": 4, "rules": [], "at": 7}, [])
    assert answers[3]["tried"]["rest"] == answers[3]["tried"]["of"]
    panel._heard(panel, {"type": "try", "seq": 5, "rules": "nonsense", "at": "x"}, [])
    panel._heard(panel, "nonsense", [])
    assert panel.rules == []
    panel.book.rules = rules
    panel._heard(panel, {"type": "look", "seq": 6, "at": 0}, [])  # looking undoes nothing that code has done
    assert panel.book.rules == rules
    assert panel.rules == rules
    panel.book.rules[0]["name"] = "renamed by code"
    panel.book.try_rule(0)
    assert panel.rules[0]["name"] == "renamed by code"
    panel._heard(panel, {"type": "look", "seq": 7, "default": "Billing", "at": 0}, [])
    assert panel.default == panel.book.default == "General Support"
    panel._heard(panel, {"type": "try", "seq": 8, "rules": rules, "default": "Billing", "at": 0}, [])
    assert panel.default == panel.book.flow().default == "Billing"
    panel._heard(panel, {"type": "try", "seq": 9, "rules": rules, "default": "", "at": 0}, [])
    assert answers[-1]["tried"]["faults"]
    panel.book.rules[0]["name"] = rules[0]["name"] = "urgent"
    assert [answer["seq"] for answer in answers] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    fresh = panels.rules(word_bundle, None, tmp_path / "new.toml", fresh=True)
    assert [rule["name"] for rule in fresh.rules] == [rule["name"] for rule in rules]
    again = panels.rules(word_bundle, None, tmp_path / "new.toml")
    assert [rule["name"] for rule in again.rules] == [rule["name"] for rule in rules[::-1]]


def test_a_desks_templates_can_be_chosen(word_bundle: Bundle) -> None:
    """The form offers every template of acknowledgements that the desk has."""
    words = Words(subject="Hello", body="We have it.")
    policy = replace(word_bundle.desk.ack, templates={"vip": words})
    bundle = replace(word_bundle, desk=replace(word_bundle.desk, ack=policy))
    assert panels.rules(bundle).templates == ["vip"]


def test_conditions_that_rows_cannot_say_are_text(book: RuleBook) -> None:
    """Groups within groups stand in the form as TOML, and read back as they were."""
    inner = "{ all = [{ is_reply = true }, { size = { at_least = 5 } }] }"
    text = f'{{ any = [{{ subject = {{ contains = "a" }} }}, {inner}] }}'
    book.put(0, {**book.rules[0], "asks": [], "text": text})
    draft = draft_of(book.flow().rules[0])
    assert draft["text"]
    assert not draft["asks"]
    assert isinstance(book.flow().rules[0].asks()[0], Ask)
