"""Why even a person gets no acknowledgement: no sender, our address nowhere, a spam verdict."""

from __future__ import annotations

import re

from mailml.autoreply.case import Case, Finding
from mailml.verdict import Reason

_PLAIN = re.compile(r"[\x21\x23-\x27\x2a\x2b\x2d-\x39\x3d\x3f\x41-\x5a\x5e-\x7e]{1,64}")
_SCORE = re.compile(r"(?:score|hits)=(-?\d{1,4}(?:\.\d{1,4})?)")
# Filters' own mistakes gather just above their threshold: 3 of 144 real letters measured carried "Yes" with
# 4 to 7 points. So a verdict that states its score must be a clear one.
_CLEAR_SCORE = 10.0
_CLEAR_SCL = 7  # Exchange's spam confidence level: 7 to 9 is "high confidence"


def refusal(case: Case, reply_to: str) -> tuple[Reason, Finding] | None:
    """The first reason outside the table for no acknowledgement, with what it was read from."""
    # Without SMTPUTF8 (RFC 6531) an address that is not plain ASCII cannot be answered.
    if not _PLAIN.fullmatch(reply_to.partition("@")[0]):
        return Reason.NO_SENDER, ("From", case.message.get("From") or "")
    if reply_to in case.identity.addresses:
        return Reason.OWN_ADDRESS, ("Reply-To", reply_to)
    spam = _spam(case)
    if spam:
        return Reason.SPAM, spam
    return _not_to_us(case)


def _not_to_us(case: Case) -> tuple[Reason, Finding] | None:
    if not case.identity.addresses:
        return None  # nobody said who we are
    # searched, not parsed: a mail may name twenty thousand recipients
    lines = [value.lower() for name in ("To", "Cc") for value in case.message.all(name)]
    if any(_names(address, line) for address in case.ours for line in lines):
        return None
    return Reason.NOT_ADDRESSED_TO_US, ("To", case.message.get("To") or "")


def _names(address: str, line: str) -> bool:
    at = line.find(address)
    while at >= 0:
        before, after = line[at - 1 : at], line[at + len(address) : at + len(address) + 1]
        if not (before.isalnum() or before in tuple("._+-")) and not (
            after.isalnum() or after in tuple(".-")
        ):
            return True
        at = line.find(address, at + 1)
    return False


def _spam(case: Case) -> Finding | None:
    status = next(case.values("X-Spam-Status"), None)
    score = _SCORE.search(status[1][:300]) if status else None
    if score:
        # Without a verdict the score alone says nothing: thresholds are local.
        said_yes = status is not None and status[1].lstrip().lower().startswith("yes")
        return status if said_yes and float(score[1]) >= _CLEAR_SCORE else None
    for name, value, word in case.tokens("X-Spam-Flag", "X-Spam"):
        if word == "yes":
            return name, value
    for name, value, word in case.tokens("X-MS-Exchange-Organization-SCL"):
        if word.isdecimal() and len(word) < 3 and int(word) >= _CLEAR_SCL:
            return name, value
    return None
