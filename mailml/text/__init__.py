"""Message -> what the customer wrote now; linear time on any input."""

from mailml.text.html import html_to_text
from mailml.text.language import detect_language
from mailml.text.own import bare_subject, classifier_input, own_words, readable
from mailml.text.reply import Text, split_reply

__all__ = [
    "Text",
    "bare_subject",
    "classifier_input",
    "detect_language",
    "html_to_text",
    "own_words",
    "readable",
    "split_reply",
]
