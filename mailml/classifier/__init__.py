"""Text -> category with a calibrated probability, or an abstention, with the words that decided.

numpy only: the numbers are those of the scikit-learn estimator that was trained in the lab, proven equal
to 1e-6 before export and checked again on golden texts whenever a bundle is loaded.
"""

from __future__ import annotations

from mailml.classifier.caution import Caution
from mailml.classifier.model import NO_MODEL, Explanation, Model
from mailml.classifier.policy import Choice, Policy

__all__ = ["NO_MODEL", "Caution", "Choice", "Explanation", "Model", "Policy"]
