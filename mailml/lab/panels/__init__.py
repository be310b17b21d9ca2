"""Panels: widgets for JupyterLab that show strangers' mail as text, never as markup, and write to disk first.

Each has a plain object beside it that does the same without a widget: `Session` for `label`, `Tuning` for
`tune`, `Mistakes` for `errors`, `Digest` for `digest`, `RuleBook` for `rules`.
"""

from mailml.lab.panels.candidates import Candidate, candidates
from mailml.lab.panels.digest import digest
from mailml.lab.panels.filed import Digest, Filed, filed
from mailml.lab.panels.labelling import label
from mailml.lab.panels.mistakes import Mistakes
from mailml.lab.panels.opening import errors, tune
from mailml.lab.panels.rulebook import RuleBook
from mailml.lab.panels.rules import rules
from mailml.lab.panels.session import Session
from mailml.lab.panels.tuning import Minutes, Tuning

__all__ = [
    "Candidate",
    "Digest",
    "Filed",
    "Minutes",
    "Mistakes",
    "RuleBook",
    "Session",
    "Tuning",
    "candidates",
    "digest",
    "errors",
    "filed",
    "label",
    "rules",
    "tune",
]
