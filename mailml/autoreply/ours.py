"""Rows 1, 2 and 8: our own mail come back, our own addresses, and mail that we forwarded ourselves."""

from __future__ import annotations

from collections.abc import Iterator

from mailml.autoreply.case import Case, Finding
from mailml.autoreply.senders import daemon, robot
from mailml.message import parse_addresses
from mailml.thread import verify_own_message_id

LOOP_HEADER = "X-Mailml-Loop"


def own_loop(case: Case) -> list[Finding]:
    """Row 1: a Message-ID or X-Mailml-Loop with our valid signature; a look-alike proves nothing."""
    key = case.context.loop_key
    if not key:
        return []
    # bounded: each check is an HMAC, and a header bomb may hold thousands
    found = [*case.values("Message-ID", LOOP_HEADER)][:20]
    return [(name, value) for name, value in found if verify_own_message_id(value.strip(), key)]


def own_address(case: Case) -> list[Finding]:
    """Row 2: From is one of our addresses, and neither our list, nor our group, nor our web form."""
    ours = case.sender in case.identity.addresses and case.sender not in case.identity.lists
    return [("From", case.sender)] if ours and not case.web_form else []


def forwarded_by_us(case: Case) -> list[Finding]:
    """Row 8: forwarding through one of our addresses or groups left its marks on a person's mail."""
    if not case.ours or daemon(case) or robot(case):
        return []  # a robot stays one, whoever forwards it
    return list(_forwarding(case))


def original_sender(case: Case) -> str:
    """Who wrote a forwarded mail: X-Original-From (Google Groups), else From."""
    for _, value in case.values("X-Original-From", "X-Original-Sender"):
        for address in parse_addresses(value):
            if address.addr not in case.ours:
                return address.addr
    return case.sender


def _forwarding(case: Case) -> Iterator[Finding]:
    named = ("Resent-From", "X-MS-Exchange-Inbox-Rules-Loop", "X-Forwarded-For")
    for name, value in case.values(*named):
        words = {word.strip("<>,;\"'").lower() for word in value.split()}
        if words & case.ours:
            yield name, value
    for name, value in case.values("List-ID"):
        inside = value.rpartition("<")[2].strip("<> \t").lower()
        if inside in case.ours or any(inside == address.replace("@", ".") for address in case.ours):
            yield name, value
