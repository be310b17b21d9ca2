"""Panels: widgets for JupyterLab that show strangers' mail as text, never as markup, and write to disk first.

Each has a plain object beside it that does the same without a widget (`Session`).
"""

from mailml.lab.panels.candidates import Candidate, candidates
from mailml.lab.panels.labelling import label
from mailml.lab.panels.session import Session

__all__ = ["Candidate", "Session", "candidates", "label"]
