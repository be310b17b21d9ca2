"""Message ids: the names by which mails refer to one another (RFC 5322 section 3.6.4)."""

from __future__ import annotations

import re

from mailml.message.words import one_line

_ID = re.compile(r"<([^<>]+)>")


def message_ids(value: str) -> tuple[str, ...]:
    """The ids in angle brackets, each once, in order; a lone one without brackets gets them."""
    if "<" in value:
        found = dict.fromkeys(["".join(one.split()) for one in _ID.findall(value)])
        return tuple([f"<{one}>" for one in found if one])
    words = value.split()
    return (f"<{words[0]}>",) if len(words) == 1 and "@" in words[0] else ()


def own_id(value: str) -> str:
    """The id in Message-ID, "" when there is none.

    One without brackets or @ is taken as it is: it still tells this mail from others.
    """
    found = message_ids(value)
    if found:
        return found[0]
    words = value.split()
    return one_line(f"<{words[0]}>") if len(words) == 1 and not set("<>") & set(words[0]) else ""
