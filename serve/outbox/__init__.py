"""Outbox rows -> the world: the only sender. Moves, mail by SMTP, copies in the Sent folder.

Each mailbox has a mover on an IMAP connection of its own, so that a mailbox that fails never holds up
another; one sender serves all of them. They meet in the journal: a mail is moved whether or not SMTP is up.
"""

from __future__ import annotations

from .mover import Mover
from .sender import Sender

__all__ = ["Mover", "Sender"]
