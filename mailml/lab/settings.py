"""What training may be told. The defaults are the measured ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailml.errors import InputError

MODELS = ("linear", "hashing", "embedding", "averaged")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a classifier is trained; costs and thresholds as in `Policy`.

    `encoder` is the folder of a sentence encoder (model.onnx and tokenizer.json), `teacher` names the model
    that labels the mail without labels ("self" for the model's own kind, "" for none).
    """

    model: str = "linear"
    C: float = 0.5
    class_weight: str | None = "balanced"
    words: tuple[int, int] = (1, 2)
    chars: tuple[int, int] = (3, 5)
    word_limit: int = 20_000
    char_limit: int = 30_000
    buckets: int = 2**17  # of the hashing model, for words and for pieces of words each
    encoder: str = ""
    teacher: str = ""
    unlabelled: int = 3_000  # messages without a label that a teacher labels at most
    folds: int = 5
    seed: int = 7
    least: int = 5  # labelled messages a class must have
    novelty: float = 1 / 3  # of mail, first taken to be about something new; 0 trusts every probability
    per_sender: int = 50  # messages of one sender and class at most; raise it for a desk behind a web form
    by_sender: bool = True  # mail of one sender stays on one side
    fallback: str = "general"
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    withhold: bool = True  # abstain always when the data cannot support the model

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise InputError(f"there is no model {self.model!r}", cure=f"Choose one of {', '.join(MODELS)}")
        if self.teacher not in ("", "self", *MODELS):
            named = ", ".join(("self", *MODELS))
            raise InputError(f"there is no teacher {self.teacher!r}", cure=f"Choose one of {named}")
        if "embedding" in (self.model, self.teacher) and not self.encoder:
            cure = "Give encoder=FOLDER (--encoder): one with model.onnx and tokenizer.json"
            raise InputError("the embedding model needs a sentence encoder", cure=cure)
