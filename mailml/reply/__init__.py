"""What we send: the acknowledgement that cannot loop, its policy and templates, and an agent's reply."""

from mailml.reply.compose import ACK_MAIL_FROM, LOOP_HEADER, Preview, compose_ack, compose_reply, preview
from mailml.reply.policy import BODY, FIXED_SUBJECT, SUBJECT, AckPolicy, Words, read

__all__ = [
    "ACK_MAIL_FROM",
    "BODY",
    "FIXED_SUBJECT",
    "LOOP_HEADER",
    "SUBJECT",
    "AckPolicy",
    "Preview",
    "Words",
    "compose_ack",
    "compose_reply",
    "preview",
    "read",
]
