"""Business time: arrival + calendar + target -> when the first human answer is due, with its own sum."""

from mailml.sla.calendar import Calendar
from mailml.sla.clock import due, elapsed, in_words, length
from mailml.sla.targets import Target, parse_target

__all__ = ["Calendar", "Target", "due", "elapsed", "in_words", "length", "parse_target"]
