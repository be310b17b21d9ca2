"""The one way a stranger's words enter HTML: `esc`. Panels, tables, reports and notebooks all use it.

A subject such as `<img src=x onerror=...>` shown through an HTML widget, a Styler, Markdown or a progress
bar's description runs code in the analyst's Jupyter origin, with the analyst's kernel behind it (tried).
"""

from __future__ import annotations

import html
import re

# Controls break terminals, NUL breaks XML, and overrides of direction make "exe.fdp" out of "pdf.exe".
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
NO_MATH = "mathjax_ignore"  # the class that keeps JupyterLab from setting "$5 instead of $9" as a formula
_ADDRESS = re.compile(r"([^\s@<>\"'(),:;]{1,64})@([^\s@<>\"'(),:;]{1,255})")


def esc(value: object, limit: int = 0) -> str:
    """The value as text that is safe between tags and inside quoted attributes.

    Markup characters and quotes become entities; control characters and overrides of writing direction become
    U+FFFD. With `limit` the text is first cut to that many characters and ends in an ellipsis.
    """
    return html.escape(plain_text(value, limit), quote=True)


def plain_text(value: object, limit: int = 0) -> str:
    """The value as text without control characters: for terminals, SVG labels and widgets that show text."""
    text = _INVISIBLE.sub("\ufffd", "" if value is None else str(value))
    if limit and len(text) > limit:
        text = text[: max(limit - 1, 1)].rstrip() + "…"
    return text


def mask(value: object) -> str:
    """The text with every mail address masked: `anna.schmidt@example.com` becomes `a…t@example.com`.

    The domain stays, because routing depends on it; reports mask unless asked not to.
    """
    return _ADDRESS.sub(_masked, "" if value is None else str(value))


def _masked(match: re.Match[str]) -> str:
    local, domain = match.group(1), match.group(2)
    shown = local[0] + "…" + (local[-1] if len(local) > 2 else "")
    return f"{shown}@{domain}"
