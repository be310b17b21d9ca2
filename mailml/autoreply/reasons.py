"""Why no acknowledgement is sent, and what a row of the table means, in words for people."""

from __future__ import annotations

from mailml.autoreply.table import HUMAN, TABLE, TEXT_MODEL
from mailml.verdict import Verdict

# For people who have never seen the table of automated mail; a key is a value of `Reason`.
REASONS = {
    "own_loop": "our own mail came back",
    "own_address": "from one of our own addresses",
    "bounce": "a bounce",
    "report": "a delivery or abuse report",
    "calendar": "an answer to an invitation",
    "auto_reply": "an automatic reply",
    "auto_generated": "written by a machine",
    "list_bulk": "a newsletter or mailing list",
    "robot_sender": "a sender that reads no mail",
    "suppress_requested": "the sender asked for no automatic answer",
    "text_model": "reads like an automatic answer",
    "no_sender": "no readable sender",
    "not_addressed_to_us": "our address is in neither To nor Cc",
    "spam": "spam",
    "too_old": "older than the cut-off",
    "already_acked": "the interaction was acknowledged before",
    "answered": "a person of ours had answered already",
    "unauthenticated": "the sender is not proven",
    "limit": "the loop breaker said no",
    "switched_off": "switched off by a rule or the desk",
}


# What the message itself says against an acknowledgement, wherever in the conversation it stands.
OF_THE_MESSAGE = frozenset(REASONS) - {
    "too_old",
    "already_acked",
    "answered",
    "unauthenticated",
    "limit",
    "switched_off",
}


def row_in_words(verdict: Verdict) -> str:
    """What the row of the table that decided says, "" for a row this version does not know."""
    return row_says(verdict.row, verdict.kind, verdict.ack_reason or "")


def row_says(number: str, kind: str, reason: str = "") -> str:
    """The sentence of a row by its number and kind, "" for a row this version does not know."""
    rows = [row for row in (*TABLE, TEXT_MODEL, HUMAN) if (row.number, row.kind) == (number, kind)]
    # rows 5 and 11 each stand there more than once: the reason tells them apart
    exact = [row.says for row in rows if (row.reason or "") == reason]
    return next(iter(exact or [row.says for row in rows]), "")
