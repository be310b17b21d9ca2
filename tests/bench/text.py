"""Who finds what was written now: ours next to four reply parsers, on replies of many mailers and languages.

`python -m tests.bench.text` prints token precision, recall and F1 on two halves of tests/corpus/clients.
The half "tuned" may be looked at when something is mended. The half "held_out" was frozen before our reader
first saw it; of it only these figures are ever printed. Then: milliseconds per 100 KB of hostile input.
"""

from __future__ import annotations

import argparse
import importlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailml.message import parse
from mailml.text import html_to_text, own_words, split_reply
from tests.bench.hostile import HTML, TEXT
from tests.conftest import ROOT

CORPUS = ROOT / "tests" / "corpus" / "clients"
HALVES = ("tuned", "held_out")
HOSTILE = 100_000  # characters
GOAL = 20.0  # milliseconds per 100 KB
# Scripts without spaces between words count by character, or one wrong sentence would be one wrong token.
_TOKEN = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\W_]+")


@dataclass(frozen=True)
class Reply:
    """A mail's body, whether it is HTML, and what its author wrote now."""

    name: str
    body: str
    html: bool
    own: str

    @property
    def readable(self) -> str:
        """The body as text, for those that read text only: our own HTML reader serves them all."""
        return html_to_text(self.body) if self.html else self.body


def replies(half: str, corpus: Path = CORPUS) -> Iterator[Reply]:
    """The replies of one half."""
    for expected in sorted((corpus / half).glob("*.expected")):
        body = next(
            path for path in (expected.with_suffix(".txt"), expected.with_suffix(".html")) if path.exists()
        )
        own = expected.read_text(encoding="utf-8").strip()
        yield Reply(expected.stem, body.read_text(encoding="utf-8"), body.suffix == ".html", own)


def tokens(text: str) -> Counter[str]:
    """Words, lower-cased and counted."""
    return Counter(_TOKEN.findall(text.lower()))


@dataclass(frozen=True)
class Score:
    """Means over replies, shares of 1; `exact` counts replies whose words are all right."""

    exact: int
    precision: float
    recall: float
    f1: float
    replies: int


def score(reader: Callable[[Reply], str], half: str) -> Score:
    """How well one reader does on one half."""
    rows = []
    for reply in replies(half):
        want, got = tokens(reply.own), tokens(reader(reply))
        shared = (want & got).total()
        precision, recall = shared / max(got.total(), 1), shared / max(want.total(), 1)
        rows.append((want == got, precision, recall, 2 * shared / max(want.total() + got.total(), 1)))
    exact, *means = (sum(column) for column in zip(*rows, strict=True))
    precision, recall, f1 = (float(total) / len(rows) for total in means)
    return Score(int(exact), precision, recall, f1, len(rows))


def ours(reply: Reply) -> str:
    """mailml.text, through the same door as in production."""
    kind = "html" if reply.html else "plain"
    head = f"From: ada@client.example\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n"
    return own_words(parse((head + reply.body).encode())).own


def mail_parser_reply(library: Any) -> Callable[[Reply], str]:
    """All its languages at once, without signatures and disclaimers."""
    languages = list(importlib.import_module("mailparser_reply.constants").MAIL_LANGUAGES)
    parser = library.EmailReplyParser(languages=[name for name in languages if len(name) == 2])

    def read(reply: Reply) -> str:
        found = parser.read(reply.readable).replies
        return str(found[0].body) if found else ""

    return read


def email_reply_parser(library: Any) -> Callable[[Reply], str]:
    """Its `reply`: what is neither hidden, quoted nor a signature."""
    return lambda reply: str(library.EmailReplyParser.parse_reply(reply.readable))


def quotequail(library: Any) -> Callable[[Reply], str]:
    """What it would show unfolded; HTML by its own reader of HTML."""

    def read(reply: Reply) -> str:
        if reply.html:
            shown = library.quote_html(reply.body, quote_intro_line=True)
            return html_to_text("".join(part for visible, part in shown if visible))
        shown = library.quote(reply.body, quote_intro_line=True)
        return "\n".join(part for visible, part in shown if visible)

    return read


def talon(library: Any) -> Callable[[Reply], str]:
    """Quotations by its own readers of text and HTML, then its signature rules of thumb."""
    quotations = importlib.import_module("talon.quotations")
    signatures = importlib.import_module("talon.signature.bruteforce")
    etree = importlib.import_module("lxml.etree")

    def read(reply: Reply) -> str:
        text = quotations.extract_from_plain(reply.readable)
        if reply.html:
            # Its reader of Outlook's HTML asks for EXSLT, which lxml 6 no longer knows: then the text serves.
            with suppress(ValueError, SyntaxError, LookupError, etree.LxmlError):
                text = html_to_text(quotations.extract_from_html(reply.body))
        return str(signatures.extract_signature(text)[0])

    return read


OTHERS = {
    "mail-parser-reply": ("mailparser_reply", mail_parser_reply),
    "email-reply-parser": ("email_reply_parser", email_reply_parser),
    "quotequail": ("quotequail", quotequail),
    "talon": ("talon", talon),
}


def readers() -> Iterator[tuple[str, Callable[[Reply], str] | str]]:
    """Each reader by name, or the reason why it is not there."""
    yield "mailml.text", ours
    for name, (module, make) in OTHERS.items():
        try:
            yield name, make(importlib.import_module(module))
        except ImportError as error:
            yield name, f"not measured: {error} (pip install {name})"


def hostile() -> list[tuple[float, str]]:
    """Milliseconds of the best of three runs over 100 KB of each hostile piece, the slowest first."""
    cases = [("text", split_reply, piece) for piece in TEXT] + [
        ("html", html_to_text, piece) for piece in HTML
    ]
    found = []
    for kind, reader, piece in cases:
        body, best = piece * (HOSTILE // len(piece)), float("inf")
        for _ in range(3):
            begun = time.process_time()
            reader(body)
            best = min(best, time.process_time() - begun)
        found.append((best * 1e3, f"{kind} {piece!r}"))
    return sorted(found, reverse=True)


def main(argv: list[str] | None = None) -> None:
    """Both tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slowest", type=int, default=5, help="hostile cases shown")
    slowest = options.parse_args(argv).slowest
    print(f"{'reader':<20}{'half':<10}{'exact':>10}{'precision':>11}{'recall':>8}{'F1':>7}{'ms':>8}")
    for name, reader in readers():
        if isinstance(reader, str):
            print(f"{name:<20}{reader}")
            continue
        for half in HALVES:
            begun = time.process_time()
            got = score(reader, half)
            each = (time.process_time() - begun) / got.replies * 1e3
            exact = f"{got.exact}/{got.replies}"
            print(
                f"{name:<20}{half:<10}{exact:>10}{got.precision:>11.3f}{got.recall:>8.3f}{got.f1:>7.3f}{each:>8.2f}"
            )
    times = hostile()
    over = sum(milliseconds > GOAL for milliseconds, _ in times)
    print(f"\nhostile input, ms per 100 KB: {len(times)} cases, {over} over the goal of {GOAL:.0f}")
    for milliseconds, case in times[:slowest]:
        print(f"{milliseconds:8.1f}  {case}")


if __name__ == "__main__":
    main()
