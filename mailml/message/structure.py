"""The MIME tree in one pass over the lines that begin with "--", with an explicit stack.

Time is linear in the size of the mail however deep it is nested, and nothing recurses: a mail of 3,000
levels raises RecursionError in the standard library. Embedded messages are leaves, never entered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from mailml.message.fields import Fields
from mailml.message.headers import Block, split
from mailml.message.params import parse_value

MAX_DEPTH = 100  # Postfix' mime_nesting_limit
MAX_PARTS = 1_000
_LONGEST_BOUNDARY = 1_000  # RFC 2046 allows 70
_GUESS = re.compile(
    rb"^--([^\s-][^\r\n]{0,200}?)[ \t]*\r?\n(?=content-(?:type|transfer|disp))", re.MULTILINE | re.IGNORECASE
)


class Leaf(NamedTuple):
    """A part that is no container: its header, its still encoded bytes as offsets, and its containers."""

    fields: Fields
    start: int
    end: int
    within: tuple[str, ...]  # content types of the containers, outermost first
    default: str = "text/plain"


class Structure(NamedTuple):
    """All leaves in order, what was repaired, and whether a limit was passed (then there are no leaves)."""

    leaves: tuple[Leaf, ...]
    defects: tuple[str, ...] = ()
    too_complex: bool = False


class _Container(NamedTuple):
    boundary: bytes
    kind: str
    block: Block
    begun: int  # parts begun before it was opened


@dataclass(slots=True)
class _Walk:
    source: bytes
    leaves: list[Leaf] = field(default_factory=list)
    open: list[_Container] = field(default_factory=list)
    level: dict[bytes, int] = field(default_factory=dict)  # boundary -> its innermost place in `open`
    leaf: Leaf | None = None  # begun, not yet ended
    begun: int = 0
    defects: dict[str, None] = field(default_factory=dict)
    limit: str = ""

    def begin(self, block: Block, default: str) -> None:
        """A part starts: a container is opened, anything else is a leaf until the next delimiter."""
        self.begun += 1
        self.defects.update(dict.fromkeys(block.defects))
        kind, params = block.fields.content or parse_value(default)
        boundary = params.get("boundary", "").rstrip().encode("utf-8", "replace") if params else b""
        if boundary and kind.startswith("multipart/"):
            self.enter(_Container(boundary, kind, block, self.begun))
        else:
            self.leaf = Leaf(block.fields, block.body, block.body, self.within(), default)
        if len(self.leaves) >= MAX_PARTS:
            self.limit = f"more than {MAX_PARTS} parts"

    def enter(self, container: _Container) -> None:
        """A container is opened: from here on its delimiters are looked for."""
        self.level[container.boundary] = len(self.open)
        self.open.append(container)
        if len(self.open) > MAX_DEPTH:
            self.limit = f"nested more than {MAX_DEPTH} deep"

    def within(self) -> tuple[str, ...]:
        """The content types of the open containers."""
        return tuple(container.kind for container in self.open)

    def end(self, at: int, level: int) -> None:
        """The open leaf ends, and so does every container inside `level`."""
        if self.leaf is not None:
            leaf, self.leaf = self.leaf, None
            self.leaves.append(leaf._replace(end=max(leaf.start, at)))
        for container in reversed(self.open[level:]):
            self.open.pop()
            self.level.pop(container.boundary, None)
            if container.begun == self.begun:  # nothing began inside: its text is kept as a leaf
                self.defects["boundary never appears"] = None
                start = container.block.body
                self.leaves.append(Leaf(container.block.fields, start, max(start, at), self.within()))
        for place, container in enumerate(self.open):
            self.level[container.boundary] = place  # an inner one may have had the same boundary


def scan(source: bytes, block: Block) -> Structure:
    """The leaves of a message whose header block is already split."""
    content = block.fields.content
    if content is None or not content[0].startswith("multipart/"):
        return Structure((Leaf(block.fields, block.body, len(source), ()),))
    walk = _walked(source, block, b"")
    if walk.begun == 1 and (guess := _GUESS.search(source, block.body)):
        walk = _walked(source, block, guess[1])
        walk.defects["multipart without a usable boundary, one was guessed"] = None
    elif walk.begun == 1:
        walk.defects["multipart without parts"] = None
    if walk.limit:
        return Structure((), (*walk.defects, walk.limit + ": only the header was read"), True)
    return Structure(tuple(walk.leaves), tuple(walk.defects))


def _walked(source: bytes, block: Block, boundary: bytes) -> _Walk:
    walk = _Walk(source)
    if boundary:
        walk.begun = 1
        walk.enter(_Container(boundary, "multipart/mixed", block, 1))
    else:
        walk.begin(block, "text/plain")
    at = block.body
    while walk.open and not walk.limit:
        found = _delimiter(walk, at)
        if found is None:
            walk.defects["multipart without its closing delimiter"] = None
            break
        at = _step(walk, *found)
    if not walk.limit:
        walk.end(len(source), 0)
    return walk


def _delimiter(walk: _Walk, at: int) -> tuple[int, int, bytes] | None:
    """Start, end and text of the next line that is a delimiter of an open container."""
    source, level = walk.source, walk.level
    at = source.find(b"\n--", max(at - 1, 0))
    while at >= 0:
        end = source.find(b"\n", at + 3)
        end = end if end >= 0 else len(source)
        line = source[at + 3 : min(end, at + 3 + _LONGEST_BOUNDARY)].rstrip()
        if line in level or (line.endswith(b"--") and line[:-2] in level):
            return at + 1, end, line
        at = source.find(b"\n--", end)
    return None


def _step(walk: _Walk, start: int, end: int, line: bytes) -> int:
    """One delimiter: what is open ends, and unless it was a closing one the next part begins."""
    source = walk.source
    closing = line not in walk.level
    level = walk.level[line[:-2] if closing else line]
    before = start - 1  # the newline before a delimiter belongs to it (RFC 2046 section 5.1.1)
    before -= source[before - 1 : before] == b"\r"
    walk.end(before, level if closing else level + 1)
    after = min(end + 1, len(source))
    if closing:
        return after
    digest = walk.open[-1].kind == "multipart/digest"
    block = split(source, after, part=True)
    walk.begin(block, "message/rfc822" if digest else "text/plain")
    return block.body
