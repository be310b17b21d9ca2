"""`lab.explain`: one answer of the classifier, taken apart: phrases, how near the call was, look-alikes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailml.classifier import Model
from mailml.classifier.phrases import Phrase
from mailml.classifier.why import Why, why
from mailml.errors import InputError
from mailml.lab import examples as rows_of
from mailml.lab.escape import NO_MATH, esc, plain_text
from mailml.lab.neighbours import Neighbour, Neighbours
from mailml.message import Message
from mailml.text import classifier_input, detect_language, own_words

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 1_500  # characters of a text
_SNIPPET = 160  # of a neighbour
_GREEN, _RED = "0,158,115", "213,94,0"  # colours that the colour-blind tell apart
_STYLE = (
    "max-width:60em;font:14px/1.5 system-ui,sans-serif",
    "white-space:pre-wrap;border-left:3px solid #e5e7eb;padding:.4em .8em;margin:.6em 0",
)


@dataclass(frozen=True, eq=False)
class Explained:
    """Why one text got its answer; in a notebook it shows itself.

    `why` is what the model says of itself, `neighbours` the labelled messages most like the text (none
    without a frame and labels), `language` what the text is written in ("" where it cannot be told).
    """

    text: str
    why: Why
    language: str
    neighbours: tuple[Neighbour, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return "\n".join([self.answer, self.why.near, *self._without(), *self._alike()]).strip()

    @property
    def answer(self) -> str:
        """The answer in a sentence."""
        category = self.why.category
        if category.abstained:
            return f"It cannot tell: {category.reason}."
        words = ", ".join(f"“{phrase.text}”" for phrase in self.why.spoke_for[:3])
        because = f", because of {words}" if words else ""
        return f"{category.label} with a probability of {category.probability:.0%}{because}."

    def to_frame(self) -> pd.DataFrame:
        """The phrases with their weights, the strongest first; above 0 speaks for the answer."""
        import pandas as pd

        rows = sorted([*self.why.spoke_for, *self.why.against], key=lambda phrase: -abs(phrase.weight))
        return pd.DataFrame([(p.text, p.weight) for p in rows], columns=["phrase", "weight"])

    def neighbours_frame(self) -> pd.DataFrame:
        """The look-alikes: hash, label, likeness, the beginning of the text."""
        import pandas as pd

        rows = [(n.message, n.label, n.likeness, _begin(n.text)) for n in self.neighbours]
        return pd.DataFrame(rows, columns=["message", "label", "likeness", "text"])

    def _without(self) -> list[str]:
        return [f"Without “{one.phrase}” it would {_would(one.category.label)}." for one in self.why.turned]

    def _alike(self) -> list[str]:
        return [f"{n.likeness:.2f}  {n.label:<12} {_begin(n.text)}" for n in self.neighbours]

    def _repr_html_(self) -> str:
        shares = ", ".join(f"{esc(name)} {share:.1%}" for name, share in _by_share(self.why))
        language = f", language {esc(self.language)}" if self.language else ""
        known = f"{self.why.known:.0%} of it is known to the model{language}"
        told = "".join(f"<p>{esc(line)}</p>" for line in [self.why.near, *self._without()] if line)
        phrases = _table(
            (phrase, f"{weight:+.2f}") for phrase, weight in self.to_frame().itertuples(index=False)
        )
        alike = _table((n.label, f"{n.likeness:.2f}", _begin(n.text)) for n in self.neighbours)
        table = f"<h4>Labelled messages like it</h4>{alike}" if self.neighbours else ""
        return (
            f'<div class="{NO_MATH}" style="{_STYLE[0]}">'
            f"<p><b>{esc(self.answer)}</b><br><small>{shares}; {known}</small></p>"
            f'<div style="{_STYLE[1]}">{_marked(self.text, self.why)}</div>{told}'
            f"<h4>What spoke for and against {esc(self.why.about)}</h4>{phrases}{table}</div>"
        )


def explain(
    model: Any,
    mail: str | Message,
    frame: Any = None,
    labels: Any = None,
    *,
    label: str | None = None,
    n: int = 5,
    neighbours: Neighbours | None = None,
) -> Explained:
    """Explain the answer of a model, a trained model or a bundle on a mail or a text.

    With a frame and labels (or `neighbours` made from them before) the `n` labelled messages most like it are
    found; a trained model brings its own. `label` asks what speaks for that class instead. Raises InputError
    for a bundle without a classifier, ValueError for a label that is no class.
    """
    served: Model | None = model.model if hasattr(model, "model") else model
    if served is None:
        raise InputError("this bundle has no classifier", cure="Export one with a trained model")
    text = mail if isinstance(mail, str) else classifier_input(mail, own_words(mail))
    own: Sequence[str] = () if isinstance(mail, str) else (mail.sha256,)
    if neighbours is None:
        found = rows_of.from_frame(frame, labels) if frame is not None else getattr(model, "examples", None)
        neighbours = Neighbours(found) if found is not None else None
    alike = neighbours.of(text, n, leaving_out=own) if neighbours is not None and text.strip() else ()
    return Explained(text, why(served, text, label), detect_language(text), alike)


def _marked(text: str, told: Why) -> str:
    """The text with its phrases coloured, the stronger the darker."""
    spans = sorted([*told.spoke_for, *told.against], key=lambda phrase: phrase.start)
    most = max((abs(phrase.weight) for phrase in spans), default=1.0)
    out, at = [], 0
    for phrase in spans:
        if phrase.start < at or phrase.end > _SHOWN:
            continue
        out += [esc(text[at : phrase.start]), _mark(text, phrase, most)]
        at = phrase.end
    return "".join([*out, esc(text[at:_SHOWN]), "…" if len(text) > _SHOWN else ""])


def _mark(text: str, phrase: Phrase, most: float) -> str:
    colour, strength = (_GREEN if phrase.weight > 0 else _RED), 0.12 + 0.4 * abs(phrase.weight) / most
    style = f"background:rgba({colour},{strength:.2f});color:inherit;border-radius:3px"
    return f'<mark title="{phrase.weight:+.2f}" style="{style}">{esc(text[phrase.start : phrase.end])}</mark>'


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows of text, set left."""
    cells = ("".join(f'<td style="text-align:left">{esc(value)}</td>' for value in row) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _by_share(told: Why) -> list[tuple[str, float]]:
    return sorted(told.category.probabilities, key=lambda pair: -pair[1])


def _would(label: str | None) -> str:
    return "abstain" if label is None else f"say {label}"


def _begin(text: str) -> str:
    return plain_text(" ".join(text[: 2 * _SNIPPET].split()), _SNIPPET)
