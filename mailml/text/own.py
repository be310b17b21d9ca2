"""Message -> what its author wrote now, and what the classifier reads of it."""

from __future__ import annotations

import re

from mailml.message import Message
from mailml.text.html import render
from mailml.text.phrases import either
from mailml.text.reply import Text, split_reply

CLASSIFIER_LIMIT = 20 * 1024  # characters
_PREFIX = re.compile(
    rf"\s*+(?:{either('prefix')}(?:\[\d{{1,3}}\]|\(\d{{1,3}}\))?\s?[:：]|\[[^\[\]]{{1,60}}+\])", re.IGNORECASE
)
# "This message needs a viewer that shows HTML" and the like stand in for a text that is not there.
_PLACEHOLDER = re.compile(
    r"(?:view|read|client|program|format|mail|show|anzeig|affich)[^\n]{0,80}html", re.IGNORECASE
)
_SHORT = 300  # characters; a longer text is no placeholder


def own_words(message: Message) -> Text:
    """The author's own words of this mail, quoted history and signature beside them."""
    # Four rooms of the service ask for them: kept on the message, as its own lazy properties are.
    kept: Text | None = message.__dict__.get("_own_words")
    if kept is None:
        kept = split_reply(readable(message), message.from_.name if message.from_ else "")
        message.__dict__["_own_words"] = kept
    return kept


def readable(message: Message) -> str:
    """The body to read: text/plain, or the HTML as text where there is no plain text worth reading."""
    plain = message.plain
    if message.html and (not plain.strip() or (len(plain) < _SHORT and _PLACEHOLDER.search(plain))):
        return render(message.html)
    return plain


def bare_subject(subject: str) -> str:
    """The subject without Re:, Fwd: (of many languages) and [tags] in front."""
    at = 0
    while match := _PREFIX.match(subject, at):
        at = match.end()
    return subject[at:].strip()


def classifier_input(message: Message, text: Text, *, echoes_subject: bool = False) -> str:
    """What the classifier reads, at training and when deciding: bare subject, a newline, own words.

    At most 20 KB of characters. `echoes_subject` leaves the subject out: in an automatic reply it is ours.
    """
    subject = "" if echoes_subject else bare_subject(message.subject)
    return f"{subject}\n{text.own}"[:CLASSIFIER_LIMIT].strip("\n")
