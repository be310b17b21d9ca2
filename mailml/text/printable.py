"""Text of others for terminals and logs: nothing in it moves a cursor, hides a line or turns it around.

`isprintable` is false for control characters (escape sequences start with them), for line and paragraph
separators, and for the invisible format characters that reverse the order of what is read (UAX 9).
"""

from __future__ import annotations

import json
import re
from typing import Any

# C1 controls, marks and overrides of direction, separators, byte-order marks, lone surrogates
_HIDDEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def one_line(text: str, most: int = 300) -> str:
    """The text on one line of at most `most` characters; what is not printable is a blank."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * most]).split())
    return flat if len(flat) <= most and len(text) <= 4 * most else flat[: most - 1] + "…"


def lines(text: str) -> str:
    """The text with its line ends; whatever else is not printable is U+FFFD."""
    return "".join(
        char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def json_text(value: Any, **options: Any) -> str:
    """JSON that says the same and shows nothing invisible: such characters are written as \\uXXXX."""
    return _HIDDEN.sub(_escaped, json.dumps(value, ensure_ascii=False, **options))


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
