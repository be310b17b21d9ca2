"""Header rules of other desks, restated by us from their documented behaviour: would they answer a mail?

Each function says True where the system sends nothing. They are yardsticks, not copies: order and wording
are ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mailml.message import Message

Rule = Callable[[Message], bool]


def guide(message: Message) -> bool:
    """The guide's three checks: any suppress header, Auto-Submitted auto-replied, one English subject."""
    return (
        message.get("X-Auto-Response-Suppress") is not None
        or "auto-replied" in (message.get("Auto-Submitted") or "").lower()
        or message.subject.startswith("Delivery Status Notification")
    )


def zammad(message: Message) -> bool:
    """Zammad: precedence, Auto-Submitted, suppress All, X-Loop, and robot senders by regular expression."""
    sender = message.from_.addr if message.from_ else ""
    return bool(
        re.search(r"bulk|list|junk", message.get("Precedence") or "", re.IGNORECASE)
        or re.search(r"auto-(?:generated|replied)", message.get("Auto-Submitted") or "", re.IGNORECASE)
        or re.search(r"all", message.get("X-Auto-Response-Suppress") or "", re.IGNORECASE)
        or re.search(r"yes", message.get("X-Loop") or "", re.IGNORECASE)
        or message.return_path == ""
        or re.match(r"(?:mailer-daemon|postmaster|abuse|root|no-?reply.*)@", sender)
    )


def osticket(message: Message) -> bool:
    """osTicket: a list of auto-reply headers, a few subjects, and bounces by sender, type and null path."""
    sender = message.from_.addr if message.from_ else ""
    submitted = (message.get("Auto-Submitted") or "no").lower()
    precedence = (message.get("Precedence") or message.get("X-Precedence") or "").strip().lower()
    marks = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From", "X-AutoReply-From", "X-Autoresponder")
    subject = message.subject.lower()
    return bool(
        not submitted.startswith("no")
        or precedence in ("auto_reply", "bulk", "junk", "list")
        or message.get("X-Auto-Response-Suppress") is not None
        or any(message.get(mark) is not None for mark in marks)
        or subject.startswith(("auto:", "out of office", "out of the office", "autoreply", "auto-reply"))
        or re.match(r"mailer-daemon@|postmaster@", sender)
        or message.content_type == "multipart/report"
        or message.get("X-Failed-Recipients") is not None
        or message.return_path == ""
        or re.match(r"delivery status notif|delivery failure|undeliver|returned mail|mail delivery", subject)
    )


def discourse(message: Message) -> bool:
    """Discourse: subjects of ten languages and one pattern over the whole header block."""
    block = "\n".join(f"{header.name}: {header.value}" for header in message.headers)
    sender = message.get("From") or ""
    subjects = (
        r"\s*(?:Auto:|Automatic reply|Autosvar|Automatisk svar|Automatisch antwoord|Abwesenheitsnotiz"
        r"|Auto Response|Respuesta automática|Fuori sede|Out of Office|Frånvaro|Réponse automatique)"
    )
    anywhere = (
        r"auto[\-_]?(?:response|submitted|replied|reply|generated|respond)|holidayreply|machinegenerated"
    )
    return bool(
        re.search(r"list|junk|bulk|auto_reply", message.get("Precedence") or "", re.IGNORECASE)
        or re.search(r"(?:mailer-?daemon|post-?master|no-?reply)@", sender, re.IGNORECASE)
        or re.match(subjects, message.subject, re.IGNORECASE)
        or re.search(anywhere, block, re.IGNORECASE)
    )


DESKS: dict[str, Rule] = {"guide": guide, "Zammad": zammad, "osTicket": osticket, "Discourse": discourse}
