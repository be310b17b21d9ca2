"""What a folder's name says: our sent mail, a queue where agents put work, or a place that is no history."""

from __future__ import annotations

import re
from collections.abc import Collection

# The last part of the name of the folder with our own mail, as servers and mail programs call it.
_SENT = frozenset({
    "sent", "sent items", "sent mail", "sent messages", "gesendet", "gesendete objekte", "gesendete elemente",
    "envoyés", "éléments envoyés", "messages envoyés", "enviados", "elementos enviados", "verzonden",
    "verzonden items", "inviata", "posta inviata", "wysłane", "skickat", "sendt",
})  # fmt: skip
_TRASH = frozenset({
    "trash", "deleted items", "deleted messages", "deleted", "papierkorb", "gelöschte elemente",
    "gelöschte objekte", "corbeille", "éléments supprimés", "papelera", "elementos eliminados", "prullenbak",
    "verwijderde items", "cestino", "lixeira", "kosz", "bin",
})  # fmt: skip
_JUNK = frozenset({
    "junk", "junk email", "junk e-mail", "spam", "bulk mail", "spamverdacht", "courrier indésirable",
    "indésirables", "correo no deseado", "ongewenste e-mail", "posta indesiderata", "lixo eletrônico",
})  # fmt: skip
_NOT_HISTORY = _TRASH | {
    "drafts", "draft", "entwürfe", "brouillons", "borradores", "concepten", "outbox",
}  # fmt: skip
_DELIMITER = re.compile(r"[/.\\]")


def leaf(folder: str) -> str:
    """The last part of a folder's name, whatever the server's delimiter is."""
    return _DELIMITER.split(folder)[-1].strip()


def is_sent(folder: str) -> bool:
    """Whether the folder holds mail that we sent."""
    return leaf(folder).casefold() in _SENT


def is_history(folder: str) -> bool:
    """Whether mail in the folder tells what was worked on: drafts and deleted mail do not."""
    return leaf(folder).casefold() not in _NOT_HISTORY


def is_trash(folder: str) -> bool:
    """Whether the folder holds what somebody threw away."""
    return leaf(folder).casefold() in _TRASH


def is_junk(folder: str) -> bool:
    """Whether the folder holds what somebody or something took for spam."""
    return leaf(folder).casefold() in _JUNK


def queue_of(folder: str, queues: Collection[str]) -> str:
    """The queue whose folder this is, or "" for INBOX and folders that are no queue.

    The name is compared without case, whole (`Queues/Billing`) or by what follows a delimiter, since a
    queue's own name may hold a dot or a slash.
    """
    name = folder.casefold()
    for queue in queues:
        wanted = queue.casefold()
        if name == wanted or (name.endswith(wanted) and _DELIMITER.match(name[-len(wanted) - 1])):
            return queue
    return ""
