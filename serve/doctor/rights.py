"""What the account may do in the folders mail leaves and comes to, as the server itself says (RFC 4314)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mailml.errors import MailmlError
from mailml.transport.imap import ImapSession

from ..config import Mailbox
from .check import FAILED, OK, WARNING, Check

_WORDS = {
    "l": "see the folder",
    "r": "read",
    "i": "put mail in",
    "t": "mark mail as deleted",
    "e": "take mail out",
    "k": "make folders",
    "s": "keep the mark of what was read",
    "w": "keep other marks",
}
# MOVE needs t and e where mail leaves and i where it comes to (RFC 6851); we read both to know what is done.
_LEAVES, _COMES, _MAKES = "lrte", "lri", "k"
_KEEPS = "sw"  # without these mail arrives as unread and unflagged
_CURE = "Give the account full access (Exchange), or e.g.: doveadm acl set -u OWNER FOLDER user=ACCOUNT "


def rights(name: str, session: ImapSession, box: Mailbox, targets: Collection[str]) -> Iterator[Check]:
    """The rights to the inbox and to every folder of `targets`, or to make those that are missing."""
    if not session.has("ACL"):
        yield Check(f"{name}: rights", OK, "the server tells none (no ACL): --probe proves them by a move")
        return
    there = {folder.name for folder in session.folders()}
    wanted = {box.places.inbox: _LEAVES}
    wanted |= {folder: _COMES for folder in sorted(targets) if folder in there}
    parents = {folder.rpartition("/")[0] for folder in targets if folder not in there}
    wanted |= {parent: wanted.get(parent, "") + _MAKES for parent in sorted(parents) if parent in there}
    lacking = 0
    for folder, needs in wanted.items():
        for check in _judged(f"{name}: rights to {folder}", session, folder, needs):
            lacking += 1
            yield check
    if not lacking:
        yield Check(f"{name}: rights", OK, f"enough to move mail, in {len(wanted)} folders")


def _judged(name: str, session: ImapSession, folder: str, needs: str) -> Iterator[Check]:
    """What is missing there; nothing where all is well."""
    try:
        has = full(session.rights(folder))
    except MailmlError as error:
        yield Check(name, WARNING, f"could not be asked: {error.what}", "")
        return
    lacks = [right for right in needs if right not in has]
    if lacks:
        yield Check(name, FAILED, f"cannot {_told(lacks)}", _CURE + "".join(dict.fromkeys(needs + _KEEPS)))
    elif "i" in needs and (marks := [right for right in _KEEPS if right not in has]):
        yield Check(name, WARNING, f"cannot {_told(marks)}", _CURE + "".join(marks))


def full(told: str) -> str:
    """In the rights of today. An old server knows only d for t and e, and c for k (RFC 2086).

    A new one tells them too, as soon as it grants any of what they once meant.
    """
    if set(told) & set("kxte"):
        return told
    return told + ("te" if "d" in told else "") + ("k" if "c" in told else "")


def _told(lacks: Collection[str]) -> str:
    return ", ".join(f"{_WORDS[right]} ({right})" for right in lacks)
