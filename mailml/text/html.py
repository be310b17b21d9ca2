"""HTML to the text a reader sees, in one pass without a tree.

A tree is what makes HTML dangerous to read: lexbor takes 4.8 s on 250 KB of unclosed <div>, lxml drops what
is nested 255 deep. One pass over the tags with a few counters is linear on any input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from mailml.text.tags import ATTRIBUTION, COMMENT, QUOTED, RAW, Tag, end_of, ends_block, tag_of, unbalanced

LIMIT = 1_000_000  # characters of HTML that are read
_INVISIBLE = re.compile("[\u200b\u200c\u00ad\ufeff\u2060]+")
# A tag never reaches over a "<", so each character is looked at a few times; any other "<" is text.
_TAG = re.compile("<(?=!--|[a-zA-Z/!?][^<>]*+>)")


@dataclass(slots=True)
class _Page:
    """What has been written, and the counters that say where we are."""

    out: list[str] = field(default_factory=list)
    breaks: int = 0  # line ends wanted before the next word
    space: bool = False  # a space wanted before the next word
    quotes: int = 0  # open <blockquote>
    pre: int = 0  # open <pre>
    hidden: str = ""  # the tag that hides, and how many of its name are open
    depth: int = 0

    def write(self, text: str) -> None:
        """Text between two tags."""
        if self.pre:
            self.verbatim(unescape(text))
            return
        if "&" in text:
            text = unescape(text)
        if not text.isascii():
            text = _INVISIBLE.sub("", text)
        bare = " ".join(text.split())
        if not bare:
            self.space = self.space or text != ""
        elif bare == text:
            self.put(bare)
        else:
            self.space = self.space or text[0].isspace()
            self.put(bare)
            self.space = text[-1].isspace()

    def verbatim(self, text: str) -> None:
        """Text inside <pre>: its lines and spaces are its own."""
        if text == "\n":
            self.breaks += 1
            return
        first, *rest = text.replace("\r", "").split("\n")
        self.put(first)
        for line in rest:
            self.breaks += 1
            self.put(line)

    def put(self, text: str) -> None:
        """Words, after the line ends and the space that are due."""
        if not text:
            return
        out = self.out
        begun = len(out) > 0
        if self.breaks or not begun:
            if begun:
                out.append("\n" if self.breaks == 1 else "\n\n")
            self.breaks = 0
            if self.quotes:
                out.append("> " * min(self.quotes, 5))
        elif self.space:
            out.append(" ")
        out.append(text)
        self.space = False

    def stand(self, tag: Tag) -> None:
        """The line ends and the space of a tag."""
        if tag.breaks > self.breaks:
            self.breaks = tag.breaks
        self.breaks += tag.adds
        if tag.space:
            self.space = True

    def apply(self, tag: Tag) -> None:
        """A tag that is shown."""
        self.stand(tag)
        if tag.quotes:
            self.quotes = max(0, self.quotes + tag.quotes)
        elif tag.pre:
            self.pre = max(0, self.pre + tag.pre)
        if tag.hides:
            self.hidden, self.depth = tag.name, 1
        elif tag.mark:
            self.breaks = max(self.breaks, 1)
            self.put(tag.mark)

    def hide(self, tag: Tag) -> bool:
        """Whether a tag is inside hidden content; the end of it included."""
        if tag.name == self.hidden:
            self.depth += -1 if tag.closing else 1
            if not self.depth:
                self.hidden = ""
        # An open <p> ends where any other block begins.
        if self.hidden == "p" and not tag.closing and ends_block(tag.name):
            self.hidden = ""
            return False
        return True


def render(html: str) -> str:
    """The shown text with quotes as "> " and with the marks of quoted history still in it."""
    first, *rest = _TAG.split(without_marks(html[:LIMIT]))
    page = _Page()
    page.write(first)
    known: dict[str, Tag] = {}  # mails repeat their tags: each is understood once
    pieces = iter(rest)
    for piece in pieces:
        inside, found, text = piece.partition(">")
        tag = known.get(inside)
        if tag is None:
            tag, text = _understood(piece, inside)
            if tag is not None and found and len(inside) + len(text) + 1 == len(piece):
                known[inside] = tag
        if tag is None:
            page.write(text)
            continue
        if tag.rare and (not tag.name or (tag.name in RAW and not tag.closing)):
            text = _behind(tag, piece, pieces)
        elif page.hidden:
            if not page.hide(tag):
                page.apply(tag)
        elif tag.rare:
            page.apply(tag)
        else:
            # As in Page.stand: this runs for every tag of every mail.
            if tag.breaks > page.breaks:
                page.breaks = tag.breaks
            if tag.adds:
                page.breaks += 1
            elif tag.space:
                page.space = True
        if text and not page.hidden:
            page.write(text)
    return "".join(page.out)


def _understood(piece: str, inside: str) -> tuple[Tag | None, str]:
    """A tag not met before, and the text behind it; without a tag it is all text."""
    if piece.startswith("!--"):
        return COMMENT, ""
    cut = len(inside)
    if unbalanced(inside):
        cut = end_of(piece)
    if cut < 0 or "<" in piece[:cut]:
        return None, "<" + piece
    tag = tag_of(piece[:cut])
    return (None, "<" + piece) if tag is None else (tag, piece[cut + 1 :])


def _behind(tag: Tag, piece: str, pieces: Iterator[str]) -> str:
    """The text behind a comment, or behind an element like <style> whose content is no text."""
    if not tag.name:
        while "-->" not in piece:
            piece = next(pieces, "-->")
        return piece.partition("-->")[2]
    end = f"/{tag.name}"
    for piece in pieces:
        closing, found, text = piece.partition(">")
        if found and closing.rstrip().lower() == end:
            return text
    return ""


def html_to_text(html: str) -> str:
    """The text a reader of this HTML sees: hidden text left out, blocks on lines, quotes as "> ".

    At most the first million characters are read; linear time and memory on any input.
    """
    return "\n".join(line.rstrip() for line in without_marks(render(html)).split("\n"))


def without_marks(text: str) -> str:
    """The text without the marks of quoted history."""
    return text.replace(ATTRIBUTION, "").replace(QUOTED, "")
