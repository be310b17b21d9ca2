"""What kind of mail it is and what may be done about it: a table of evidence, and a model of the words."""

from mailml.autoreply.judging import judge
from mailml.autoreply.subjects import languages
from mailml.autoreply.table import TABLE, Row
from mailml.autoreply.text_model import TextModel

__all__ = ["TABLE", "Row", "TextModel", "judge", "languages"]
