"""What the text model reads of a mail: words, pairs, word beginnings, and the shape of the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST_TEXT = 900  # an automatic answer says so in its first lines; people may bury the words below
LONGEST_SUBJECT = 200
_MOST_WORDS = 160
# Thai, Devanagari and Hebrew vowel marks belong to the word, though re does not count them as letters.
_MARKS = r"\u0591-\u05c7\u064b-\u0652\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
_WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}])*|\d+|[?@!]")
# Scripts written without spaces: kana, Han, Thai, Lao, Khmer, Burmese; read in pairs and triples of letters.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")
_URL = re.compile(r"https?://\S{1,200}|www\.\S{1,200}")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")


def features(
    subject: str, sender: str, text: str, answers_ours: bool, seconds_since_ours: float | None
) -> frozenset[str]:
    """The set of named features of a mail; names are `kind:value`."""
    head = text[: 2 * LONGEST_TEXT].strip()[:LONGEST_TEXT]
    found = {f"t:{name}" for name in _names(_clean(head))}
    found |= {f"s:{name}" for name in _names(_clean(subject[:LONGEST_SUBJECT]))}
    found |= {f"f:{name}" for name in _shape(subject, sender, text[: 4 * LONGEST_TEXT], head)}
    found.add(f"f:answers={answers_ours}")
    if seconds_since_ours is not None:
        found.add(f"f:after={_age(seconds_since_ours)}")
    return frozenset(found)


def _clean(text: str) -> str:
    text = _ADDRESS.sub(" @ ", _URL.sub(" urlurl ", text))
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


def _names(text: str) -> Iterator[str]:
    words = [word if not word.isdigit() else "0" for word in _WORD.findall(text)][:_MOST_WORDS]
    previous = "^"
    for word in words:
        if word == previous:
            continue  # a date is one number, and so is a table of them
        unspaced = _UNSPACED.match(word)
        if unspaced:
            yield from _grams(word)
        else:
            yield word
            yield f"{previous} {word}"
            if len(word) > 6:
                # one stem for many endings: abwesend, abwesende, abwesenheit
                yield f"{word[:5]}~"
        previous = word if not unspaced else "^"


def _grams(word: str) -> Iterator[str]:
    for size in (2, 3, 4):
        for start in range(len(word) - size + 1):
            yield word[start : start + size]


def _shape(subject: str, sender: str, text: str, head: str) -> Iterator[str]:
    yield f"asks={'?' in head or '？' in head or '؟' in head}"
    yield f"length={min(5, len(text) // 150)}"
    yield f"lines={min(5, text.count(chr(10)) // 4)}"
    yield f"address={'@' in head}"
    yield f"subject={bool(subject.strip())}"
    if re.fullmatch(r"[a-z]{1,12}", sender):
        yield f"sender={sender}"


def _age(seconds: float) -> str:
    for limit, name in ((60, "minute"), (600, "minutes"), (86_400, "day")):
        if seconds < limit:
            return name
    return "long"
