"""Message -> which interaction it belongs to, and why; signed Message-IDs, references, normal subjects."""

from mailml.thread.joining import Joined, Lookup, Party, answered_ids, fold_message_id, join
from mailml.thread.people import copy_key, parties_of
from mailml.thread.references import find_references, own_message_id, reference_of, verify_own_message_id
from mailml.thread.subjects import LONGEST_SUBJECT, is_marked, normal_subject
from mailml.thread.threads import Threads

__all__ = [
    "LONGEST_SUBJECT",
    "Joined",
    "Lookup",
    "Party",
    "Threads",
    "answered_ids",
    "copy_key",
    "find_references",
    "fold_message_id",
    "is_marked",
    "join",
    "normal_subject",
    "own_message_id",
    "parties_of",
    "reference_of",
    "verify_own_message_id",
]
