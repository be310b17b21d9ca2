"""The models behind one interface: each learns from rows of a corpus, and scores rows of it."""

from __future__ import annotations

from mailml.lab.models.averaged import AveragedLearner
from mailml.lab.models.embedding import EmbeddingLearner
from mailml.lab.models.learner import Learner
from mailml.lab.models.linear import LinearLearner
from mailml.lab.settings import Settings

__all__ = ["learner_of"]


def learner_of(settings: Settings, name: str = "") -> Learner:
    """The learner of a name, of the settings' own model unless given."""
    wanted = name or settings.model
    if wanted == "embedding":
        return EmbeddingLearner(settings)
    if wanted == "averaged":
        other = "embedding" if settings.encoder else "hashing"
        return AveragedLearner((LinearLearner(settings), learner_of(settings, other)))
    return LinearLearner(settings, hashed=wanted == "hashing")
