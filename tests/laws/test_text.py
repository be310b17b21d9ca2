"""Laws of reading replies: total, nothing lost, and reading what was read changes nothing."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailml.text import Text, html_to_text, split_reply
from tests.bench.text import HALVES, ours, replies

LINES = st.sampled_from(
    [
        "",
        "It is 4711.",
        "Please send two of them to our office before Friday.",
        "> quoted",
        ">> quoted twice",
        "On Mon, Jan 5, 2026 at 10:00 AM Acme <support@acme.example> wrote:",
        "Am 05.01.2026 um 10:00 schrieb Acme:",
        "From: Acme <support@acme.example>",
        "Sent: Monday, January 5, 2026 10:00 AM",
        "To: Ada",
        "Subject: Re: Invoice",
        "-----Original Message-----",
        "---------- Forwarded message ---------",
        "-- ",
        "--",
        "____________________",
        "Kind regards",
        "Thanks, Ada",
        "Ada Byte",
        "Tel. +49 221 5550",
        "PS: and a blue one.",
        "Sent from my iPhone",
        "This email is confidential and intended solely for you.",
        "CAUTION: This email originated from outside.",
        "##- Please type your reply above this line -##",
        "お世話になっております。",
        "\u202bבתאריך 5.1.2026 10:00 מאת <a@b.example>:\u202c",
    ]
)
MAILS = st.lists(LINES, max_size=14).map("\n".join)
ANYTHING = st.text(max_size=300) | MAILS
SIGNS = re.compile(r"[\s>›»|\ue000\ue001]+")


def words(text: str) -> set[str]:
    """Words without the signs of quoting, which a forwarded mail loses."""
    return {word for word in SIGNS.split(text) if word}


@settings(max_examples=150, deadline=None)
@given(plain=ANYTHING, author=st.sampled_from(["", "Ada Byte", "kind regards", "."]))
@example(plain="", author="Ada")
@example(plain="\n\n", author="Ada")
def test_reading_is_total_and_loses_nothing(plain: str, author: str) -> None:
    """Any text is read; each of its words is own, quoted or signature, and all are in `everything`."""
    text = split_reply(plain, author)
    assert words(text.everything) == words(plain)
    assert words(plain) <= words(f"{text.own} {text.quoted} {text.signature}")
    assert words(text.own) <= words(text.everything)


@settings(max_examples=150, deadline=None)
@given(plain=MAILS)
def test_something_was_written(plain: str) -> None:
    """Own words are empty only where every line is empty or quoted."""
    text = split_reply(plain)
    if not text.own:
        assert text.quoted or not plain.strip()


@settings(max_examples=100, deadline=None)
@given(
    html=st.text(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<",
                ">",
                "<!--",
                "-->",
                "<b",
                "a",
                "'",
                '"',
                "<style>",
                "</style>",
                "<pre>",
                "&amp;",
                "<blockquote>",
                "<i hidden>",
            ]
        )
    ).map("".join)
)
def test_html_is_read_whatever_it_is(html: str) -> None:
    """Any HTML gives text, and never the marks that only mailml itself may set."""
    text = html_to_text(html)
    assert "\ue000" not in text
    assert "\ue001" not in text


def test_reading_own_words_changes_nothing() -> None:
    """What an author wrote, sent again as a mail of its own, is read as it is."""
    changed = [
        reply.name
        for half in HALVES
        for reply in replies(half)
        if split_reply(once := ours(reply)) != Text(once, once)
    ]
    assert not changed
