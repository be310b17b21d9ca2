"""Row 13: the text model may only withhold an acknowledgement, and reads words as they stand together."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mailml.autoreply import TextModel
from mailml.autoreply.text_model import BUCKETS
from mailml.autoreply.wording import features
from mailml.errors import BundleDamagedError
from mailml.verdict import Disposition, Kind, Reason
from tests.conftest import ROOT
from tests.mailml.judged import mail, verdict

AWAY = (
    "I am currently out of the office and will return on 5 May. In urgent cases please contact my colleague."
)
WORDS = json.loads((ROOT / "tests" / "corpus" / "automated" / "words.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def model() -> TextModel:
    """The model that comes with mailml."""
    return TextModel.shipped()


def test_words_alone_withhold_the_acknowledgement_and_never_file(model: TextModel) -> None:
    """Row 13: delivered to a queue, unanswered, with score and model version on record."""
    found = verdict(mail("Subject: Re: Invoice", "In-Reply-To: <a@b>", body=AWAY), model=model)
    assert (found.kind, found.row, found.disposition) == (Kind.AUTO_GENERATED, "13", Disposition.DELIVER)
    assert found.ack_reason is Reason.TEXT_MODEL
    assert found.model_version == model.version
    assert float(found.evidence[-1].value) >= model.threshold


def test_without_a_model_the_table_decides(model: TextModel) -> None:
    """The same mail without a model is a person's: the table alone cannot know."""
    raw = mail("Subject: Re: Invoice", "In-Reply-To: <a@b>", body=AWAY)
    assert verdict(raw).ack_allowed
    assert not verdict(raw, model=model).ack_allowed


@pytest.mark.parametrize(
    "header",
    ["Precedence: bulk", "Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Return-Path: <>"],
)
def test_the_model_is_asked_only_where_the_table_leaves_an_answer_open(model: TextModel, header: str) -> None:
    """Rows 1 to 12 stand: whatever the words say, their verdict is the same."""
    raw = mail(header, body=AWAY)
    assert verdict(raw, model=model) == verdict(raw)


def test_the_model_never_turns_a_refusal_into_an_answer(model: TextModel) -> None:
    """A model that calls everything human changes nothing but its version."""
    blind = replace(model, weights=np.zeros(BUCKETS, dtype=np.float32), bias=-9.0)
    for header in ("Precedence: bulk", "Subject: Out of office", "From: noreply@x.example"):
        assert verdict(mail(header), model=blind).ack_reason == verdict(mail(header)).ack_reason


def test_our_web_form_is_not_read_by_the_model(model: TextModel) -> None:
    """A form's mail looks made by a machine because it is; its customer is answered."""
    raw = mail("Reply-To: jane@customer.example", sender="form@acme.example", body=AWAY)
    assert verdict(raw, model=model).ack_allowed


def test_automatic_words_in_many_languages_are_recognised(model: TextModel) -> None:
    """Nine in ten of notes written apart from the training sentences, in twelve languages."""
    scores = [model.score(subject=subject, sender="jane.doe", text=text) for subject, text in WORDS["away"]]
    assert np.mean([score >= model.threshold for score in scores]) >= 0.9


@pytest.mark.parametrize(("subject", "text"), WORDS["people"])
def test_people_who_write_about_absence_are_people(model: TextModel, subject: str, text: str) -> None:
    """Questions about auto-replies, late answers after a holiday, bounces asked about, and "test"."""
    assert model.score(subject=subject, sender="jane.doe", text=text, answers_ours=True) < model.threshold


def test_an_automatic_answer_below_a_persons_words_is_a_persons(model: TextModel) -> None:
    """Whoever quotes the words to complain of them writes first."""
    body = f"Your desk has sent me this four times today, please stop it. What is wrong?\r\n\r\n> {AWAY}\r\n"
    assert verdict(mail(body=body), model=model).ack_allowed


def test_the_score_is_the_same_number_each_time(model: TextModel) -> None:
    """Rounded to six places, exact in whatever order the features come."""
    scores = {model.score(subject="Re: x", sender="a", text=AWAY) for _ in range(5)}
    assert len(scores) == 1
    score = scores.pop()
    assert score == round(score, 6)
    assert 0 < score < 1


def test_the_words_that_spoke_most_can_be_shown(model: TextModel) -> None:
    """An analyst sees why."""
    assert any("office" in word for word in model.words(subject="", sender="", text=AWAY, n=20))


def test_arrays_round_trip(model: TextModel) -> None:
    """What a bundle holds is the model."""
    again = TextModel.from_arrays(*model.to_arrays())
    for subject, text in WORDS["away"]:
        assert again.score(subject=subject, sender="", text=text) == model.score(
            subject=subject, sender="", text=text
        )


@pytest.mark.parametrize(
    ("meta", "arrays", "what"),
    [
        ({"format": 99}, {}, "format 99"),
        ({"bias": None}, {}, "lacks or misstates"),
        ({"threshold": 1.5}, {}, "threshold"),
        ({"scale": float("nan")}, {}, "not finite"),
        ({}, {"weights": np.zeros(7)}, "finite numbers"),
        ({}, {"weights": np.full(BUCKETS, np.inf)}, "finite numbers"),
        ({}, {"weights": np.array(["x"] * BUCKETS)}, "lacks or misstates"),
    ],
)
def test_a_damaged_model_is_refused(
    model: TextModel, meta: dict[str, Any], arrays: dict[str, Any], what: str
) -> None:
    """A wrong format, a missing number, a wrong shape or an infinite weight: one clear sentence."""
    good_meta, good_arrays = model.to_arrays()
    with pytest.raises(BundleDamagedError, match=what):
        TextModel.from_arrays(good_meta | meta, good_arrays | arrays)


def test_only_the_first_lines_are_read() -> None:
    """A megabyte of text costs what a page costs."""
    long = features("x" * 100_000, "a", "word " * 200_000, False, None)
    assert len(long) < 1_000


def test_scripts_without_spaces_are_read_in_pairs_of_letters() -> None:
    """Japanese, Chinese and Thai have no words to split at."""
    found = features("", "", "不在にしております", False, None)
    assert "t:不在" in found


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("AW: Schulung", "Ein halber Tag reicht. Ich bin zum Webinar am 19. September angemeldet."),
        ("AW: Mahnung", "Die Gebühr von 29,90 EUR zahlen wir nicht. Wir haben am 5. Oktober gezahlt."),
        ("Re: Invoice", "I paid this on 5 May and still got a reminder."),
        ("Re: Facture", "J'ai payé le 5 mai et pourtant j'ai reçu un rappel."),
        ("Re: Factuur", "Ik heb op 5 mei betaald en toch een aanmaning gekregen."),
        ("Order 17", "I will be out of the office next week, please call Bob about order 17."),
        ("Lieferung", "Unser Büro ist am Freitag geschlossen, bitte liefern Sie am Montag."),
        ("Closed?", "Your autoresponder says you are closed until Monday. I need the part by Friday."),
        ("Printer", "Please do not reply to this address, use my private one. My printer is broken."),
    ],
)
def test_people_who_state_a_fact_with_a_date_are_people(model: TextModel, subject: str, text: str) -> None:
    """An answer without a question, with a date or an amount in it, reads like a person's."""
    assert model.score(subject=subject, sender="jane.doe", text=text, answers_ours=True) < model.threshold
