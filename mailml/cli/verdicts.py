"""A verdict on automated mail for scripts and for people: what it is, what is done with it, what was seen."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text as Styled

from mailml.autoreply.reasons import REASONS, row_in_words
from mailml.message import Message
from mailml.text.printable import one_line
from mailml.verdict import Disposition, Verdict, plain

_KINDS = {
    "human": "a person",
    "own_loop": "our own mail come back",
    "own_address": "a colleague",
    "bounce": "a bounce",
    "report": "a report or receipt",
    "calendar_reply": "an answer to an invitation",
    "auto_reply": "an automatic reply",
    "auto_generated": "a machine",
    "list_bulk": "a mailing list or newsletter",
    "robot_sender": "a sender at which nobody reads",
}
KEYS = ("kind", "disposition", "ack", "reason", "row", "evidence")


def row_of(verdict: Verdict) -> dict[str, Any]:
    """The verdict as the fields of `mailml autoreply --jsonl`."""
    return {
        "kind": verdict.kind.value,
        "disposition": verdict.disposition.value,
        "ack": verdict.ack_allowed,
        "reason": verdict.ack_reason.value if verdict.ack_reason else "",
        "row": verdict.row,
        "evidence": [plain(item) for item in verdict.evidence],
    }


def unread(error: str) -> dict[str, Any]:
    """The same fields for a file that cannot be read: nothing is known of it, and why."""
    return {**dict.fromkeys(KEYS), "ack": False, "evidence": [], "error": error}


def show(name: str, message: Message, verdict: Verdict) -> None:
    """Print a verdict for people; what a mail says stays on one line and moves no cursor."""
    sender = message.from_.addr if message.from_ else "nobody"
    _print(Styled(f"== {one_line(name)}", "bold"))
    _print(Styled(f"   {one_line(message.subject, 100) or '(no subject)'}, from {one_line(sender, 100)}"))
    mood = "green" if verdict.ack_allowed else "yellow"
    told = f"{_KINDS.get(verdict.kind, verdict.kind)}: {_place(verdict)}, {_ack(verdict)}"
    _print(Styled("   → ") + Styled(told, mood))
    _print(Styled(f"   because {row_in_words(verdict)} (row {verdict.row} of the table)"))
    for item in verdict.evidence:
        _print(Styled(f"     {one_line(item.name, 60)}: {one_line(item.value, 160)}", "dim"))
    _print(Styled(""))


def show_unread(name: str, error: str) -> None:
    """Print that a file cannot be read."""
    _print(Styled(f"== {one_line(name)}", "bold"))
    _print(Styled(f"   cannot be read: {one_line(error)}\n", "red"))


def _place(verdict: Verdict) -> str:
    if verdict.disposition is Disposition.DELIVER:
        return "goes to a queue"
    on = " as an event of its interaction" if verdict.on_interaction else ""
    return f"filed in {one_line(verdict.folder)}{on}"


def _ack(verdict: Verdict) -> str:
    if verdict.ack_reason is None:
        return f"may be acknowledged to {one_line(verdict.reply_to)}"
    return f"no acknowledgement ({REASONS.get(verdict.ack_reason, verdict.ack_reason)})"


def _print(line: Styled) -> None:
    # lone surrogates of hostile mail cannot be encoded; colours only where a person looks
    line.plain = line.plain.encode("utf-8", "replace").decode()
    Console(highlight=False, soft_wrap=True).print(line)
