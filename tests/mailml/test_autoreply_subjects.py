"""Localised subjects: rows 7 and 7b, bounce phrases, and the people who use the same words."""

from __future__ import annotations

import pytest

from mailml.autoreply import languages
from mailml.autoreply.subjects import bounce_phrase, fold, reply_echo, sources, strip_tags, written
from mailml.verdict import Disposition, Kind
from tests.mailml.judged import mail, verdict

ANSWERS = "In-Reply-To: <ours@acme.example>"

PREFIXED = {
    "en": "Automatic reply: Invoice",
    "de": "Abwesenheitsnotiz: Rechnung",
    "fr": "Réponse automatique : Facture",
    "es": "Respuesta automática: Factura",
    "it": "Risposta automatica: Fattura",
    "pt": "Resposta automática: Fatura",
    "nl": "Automatisch antwoord: Factuur",
    "sv": "Autosvar: Faktura",
    "da": "Automatisk svar: Faktura",
    "fi": "Automaattinen vastaus: Lasku",
    "pl": "Odpowiedź automatyczna: Faktura",
    "cs": "Automatická odpověď: Faktura",
    "sk": "Automatická odpoveď: Faktúra",
    "hu": "Automatikus válasz: Számla",
    "ro": "Răspuns automat: Factura",
    "hr": "Automatski odgovor: Račun",
    "sl": "Samodejni odgovor: Račun",
    "bg": "Автоматичен отговор: Фактура",
    "el": "Αυτόματη απάντηση: Τιμολόγιο",
    "ru": "Автоматический ответ: Счёт",
    "uk": "Автоматична відповідь: Рахунок",
    "tr": "Otomatik yanıt: Fatura",
    "ar": "رد تلقائي: فاتورة",
    "he": "תשובה אוטומטית: חשבונית",
    "ja": "自動応答: 請求書",
    "zh": "自动答复: 发票",
    "ko": "자동 회신: 청구서",
    "vi": "Trả lời tự động: Hóa đơn",
    "th": "ตอบกลับอัตโนมัติ: ใบแจ้งหนี้",
    "lt": "Automatinis atsakymas: Sąskaita",
    "lv": "Automātiska atbilde: Rēķins",
    "et": "Automaatvastus: Arve",
}


def subject(text: str) -> str:
    """The Subject header as raw UTF-8, as many responders write it."""
    return f"Subject: {text}"


def documents(written_source: str) -> set[str]:
    """The keys of real documents a phrase is taken from; `vendor` and `usage` say that there is none."""
    return set(written_source.partition(":")[0].split(", ")) - {"vendor", "usage"}


def test_every_phrase_names_its_source() -> None:
    """Each line holds a key of a document, or says which software, or that people type it."""
    known = sources()
    for section in written().values():
        for language, phrases in section.items():
            assert len(language) == 2
            for phrase, source in phrases.items():
                assert set(source.partition(":")[0].split(", ")) <= set(known), phrase
                assert not source.startswith("vendor") or len(source) > len("vendor: x"), phrase


def test_at_least_thirty_languages_have_a_prefix_taken_from_a_document() -> None:
    """Not what somebody remembers: a page, a specification or a program that can be looked up."""
    replies = written()["replies"]
    proven = {code for code, found in replies.items() if any(map(documents, found.values()))}
    assert len(proven) >= 30
    assert proven >= {
        "en",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "sv",
        "da",
        "no",
        "fi",
        "pl",
        "cs",
        "hu",
        "ru",
    }
    assert proven >= {"ja", "zh", "ko", "tr", "ar", "he", "el", "ro", "uk", "vi"}
    assert len(languages()) >= len(proven)


def test_every_document_is_used_and_can_be_looked_up() -> None:
    """A source has a name long enough to find it by, and phrases that come from it."""
    used = {
        key
        for section in written().values()
        for found in section.values()
        for text in found.values()
        for key in documents(text)
    }
    assert used == set(sources()) - {"vendor", "usage"}
    assert all(len(title) > 20 for title in sources().values())


def test_no_phrase_stands_twice_in_a_language() -> None:
    """Folded, every phrase of a language has one line and one section, replies or topics."""
    for language in languages():
        found = [
            fold(phrase) for name in ("replies", "topics") for phrase in written()[name].get(language, ())
        ]
        assert len(found) == len(set(found)), language


@pytest.mark.parametrize("language", PREFIXED)
def test_a_prefix_and_an_answer_to_our_mail_is_filed_as_an_automatic_reply(language: str) -> None:
    """Row 7 in each language: the prefix, a colon, and In-Reply-To; the rest is our own subject."""
    found = verdict(mail(subject(PREFIXED[language]), ANSWERS))
    assert (found.kind, found.row, found.disposition) == (Kind.AUTO_REPLY, "7", Disposition.FILE)
    assert found.on_interaction
    assert found.echoes_subject


@pytest.mark.parametrize("language", PREFIXED)
def test_a_prefix_alone_is_delivered_unanswered(language: str) -> None:
    """Row 7b in each language: people write about being away too."""
    found = verdict(mail(subject(PREFIXED[language])))
    assert (found.row, found.disposition) == ("7b", Disposition.DELIVER)
    assert not found.ack_allowed


@pytest.mark.parametrize(
    "header",
    [
        "Return-Path: <>",
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "References: <ours@acme.example>",
    ],
)
def test_each_header_beside_a_prefix_makes_it_certain(header: str) -> None:
    """Row 7: one header that people's programs do not write, or an answer to our mail."""
    assert verdict(mail(subject("Out of Office: Invoice"), header)).row == "7"


@pytest.mark.parametrize(
    "text",
    [
        "Out of office",
        "OUT OF OFFICE AutoReply: Invoice",
        "[EXTERNAL] Automatic reply: Invoice",
        "***SPAM*** Automatic reply: Invoice",
        "[list] Jane Doe/Dublin/Acme is out of the office.",
        "Jane Doe is out of the office (returning 05/06/2026)",
        "Jane Doe is currently out of office until Monday",
        "[Auto-Reply] Invoice",
        "【自動返信】お問い合わせ",
        "Auto-Reply Re: Invoice",
        "Réponse automatique : Facture",
        "ＡＵＴＯＭＡＴＩＣ　ＲＥＰＬＹ： Invoice",
    ],
)
def test_prefixes_are_found_behind_tags_in_any_case_and_width(text: str) -> None:
    """Matching is anchored and folded, and strips list tags."""
    assert verdict(mail(subject(text), ANSWERS)).row == "7"


@pytest.mark.parametrize(
    "text",
    [
        "Out of office settings do not work",
        "Out of office replies are sent twice",
        "Who is covering while Jane is out of the office",
        "Is somebody there? Everybody is out of office?",
        "How do I write an automatic reply: the manual is silent",
        "Automatic reply does not work",
        "Abwesenheitsnotiz einrichten",
        "Urlaub",
        "Auto: Schaden am Kotflügel",
        "不在通知について",
        "My absence: Automatic reply",
    ],
)
def test_people_who_write_about_being_away_are_people(text: str) -> None:
    """Prose that begins alike, questions, and topics are not prefixes, and get their acknowledgement."""
    assert verdict(mail(subject(text))).ack_allowed, text


@pytest.mark.parametrize("mark", ["Re", "RE", "AW", "SV", "Antw", "Odp", "回复", "Re[2]"])
def test_a_person_who_answers_our_automatic_reply_is_never_filed(mark: str) -> None:
    """ "Re: Automatic reply: ..." with In-Reply-To is what people's programs write."""
    found = verdict(mail(subject(f"{mark}: Automatic reply: Invoice"), ANSWERS))
    assert (found.kind, found.disposition) == (Kind.HUMAN, Disposition.DELIVER)
    assert found.ack_allowed


def test_a_robot_that_answers_below_a_reply_mark_is_filed() -> None:
    """Behind "Re:" the prefix needs a header that no person's program writes."""
    assert verdict(mail(subject("Re: Automatic reply: Invoice"), ANSWERS, "Return-Path: <>")).row == "7"


def test_auto_submitted_no_speaks_for_a_person() -> None:
    """RFC 3834 5: "no" says that a person sent it; the prefix does not outweigh that."""
    assert verdict(mail(subject("Automatic reply: Invoice"), ANSWERS, "Auto-Submitted: no")).ack_allowed


def test_somebody_who_wrote_here_lately_is_not_filed() -> None:
    """Row 7 becomes deliver within 30 days of a human message in the interaction; still unanswered."""
    found = verdict(mail(subject("Automatic reply: Invoice"), ANSWERS), human_within_30_days=True)
    assert (found.row, found.disposition, found.on_interaction) == ("7", Disposition.DELIVER, False)
    assert found.folder == ""
    assert not found.ack_allowed


def test_a_prefix_without_an_echo_leaves_the_subject_its_own() -> None:
    """ "Out of office" alone echoes nothing."""
    assert not verdict(mail(subject("Out of office"), ANSWERS)).echoes_subject


@pytest.mark.parametrize(
    "text",
    [
        "Undelivered Mail Returned to Sender",
        "Delivery Status Notification (Failure)",
        "Warning: could not send message for past 4 hours",
        "DELIVERY FAILURE: User jane not listed",
        "Unzustellbar: Rechnung",
        "Non remis : Facture",
        "No se puede entregar: Factura",
        "Недоставленное сообщение",
        "配信不能: 請求書",
        "无法投递: 发票",
        "Niedostarczalne: Faktura",
    ],
)
def test_bounce_subjects_are_known_in_many_languages(text: str) -> None:
    """A delivery report's subject is recognised at the start, and not behind Fwd:."""
    assert bounce_phrase(text)
    assert not bounce_phrase(f"Fwd: {text}")
    assert bounce_phrase(f"Fwd: {text}", forwarded=True)


def test_hostile_subjects_cost_no_time() -> None:
    """Folding and matching read a bounded piece of the subject."""
    for text in ("[" * 200_000, "Re: " * 100_000, "a " * 200_000 + "is out of the office", "﷽" * 100_000):
        assert reply_echo(text) is None
        assert bounce_phrase(text) == ""
        assert len(fold(text)) < 20_000
        assert len(strip_tags(text)) <= 400
