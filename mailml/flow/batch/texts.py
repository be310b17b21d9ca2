"""Many texts at once: in the forms that questions look at, each made when it is first needed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from mailml.flow.batch.alphabet import Bytes, bytes_of, foreign_letters
from mailml.flow.batch.bitmaps import Bits
from mailml.flow.batch.columns import Rows
from mailml.flow.folding import fold

_SPACES = "\n\r\t\v\f"
# up to here one pattern of alternatives is searched with vector instructions, twenty times as fast
MOST_ALTERNATIVES = 40


class Texts:
    """Some texts, a few of them null."""

    def __init__(self, texts: pl.Series | pa.Array) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def take(self, rows: Rows) -> Texts:
        """Only these texts; what is known of them is kept."""
        made = Texts(self.series[rows])
        # copied, since many looks follow, and texts that lie apart take twice as long to look at
        made.__dict__["_lower"] = self._lower.take(pa.array(rows))
        made.__dict__["_letters"] = tuple(known[rows] for known in self._letters)
        return made

    @cached_property
    def series(self) -> pl.Series:
        """The texts as they were written."""
        return pl.Series(self._texts)

    @cached_property
    def _array(self) -> pa.Array:
        return self._texts.to_arrow() if isinstance(self._texts, pl.Series) else self._texts

    @cached_property
    def there(self) -> Bits:
        """Which are not null."""
        return bits_of(self.series.is_not_null())

    @cached_property
    def _lower(self) -> pa.Array:
        return pc.ascii_lower(self._array)

    @cached_property
    def lowered(self) -> pl.Series:
        """The texts with their ASCII letters in lower case: a fiftieth of what folding costs."""
        return pl.Series(self._lower)

    @cached_property
    def foreign(self) -> Bits:
        """Which are not all ASCII."""
        return self._letters[0]

    @cached_property
    def wild(self) -> Bits:
        """Which hold a letter that folding may turn into an ASCII letter or digit."""
        return self._letters[1]

    @cached_property
    def changing(self) -> Bits:
        """Which hold a letter that folding may turn into anything of ASCII but a blank or ss."""
        return self._letters[2]

    @cached_property
    def unsteady(self) -> Bits:
        """Which hold a letter that NFC may write another way, or compose with the one before it."""
        return self._letters[3]

    @cached_property
    def _letters(self) -> tuple[Bits, Bits, Bits, Bits]:
        return foreign_letters(*self.raw)

    @cached_property
    def raw(self) -> tuple[Rows, Bytes]:
        """Where each text begins, and the bytes of all of them."""
        return bytes_of(self._array)

    def holds(self, pieces: Sequence[str]) -> Bits:
        """Which hold one of these lower-case ASCII texts, or may do so once they are folded."""
        if len(pieces) > MOST_ALTERNATIVES:
            found = bits_of(self.lowered.str.contains_any(list(pieces)))
        else:
            found = contains(self.lowered, "|".join(map(pl.escape_regex, pieces)))
        return found | self.wild


def contains(texts: pl.Series, pattern: str) -> Bits:
    """Which match a pattern of Rust's `regex`."""
    return contains_each(texts, [pattern])[0]


def contains_each(texts: pl.Series, patterns: Sequence[str]) -> list[Bits]:
    """The same for several patterns; each call of polars costs 0.1 ms by itself, so they share one."""
    here = texts.alias("text")
    asked = [pl.col("text").str.contains(one).alias(str(n)) for n, one in enumerate(patterns)]
    return [bits_of(answers) for answers in here.to_frame().select(asked)]


def bits_of(answers: pl.Series) -> Bits:
    """Answers of which a missing one is no."""
    if answers.null_count():
        answers = answers.fill_null(value=False)
    return answers.to_numpy().astype(bool, copy=False)


def folded(texts: pl.Series) -> pl.Series:
    """`fold` of every text; null stays null."""
    ascii_ = texts.str.len_bytes() == texts.str.len_chars()
    quick = texts.str.to_lowercase()
    # looking costs a fifth of replacing, and one pattern for all white space stops at every single blank
    for space in _SPACES:
        if quick.str.contains(space, literal=True).any():
            quick = quick.str.replace_all(space, " ", literal=True)
    while quick.str.contains("  ", literal=True).any():
        quick = quick.str.replace_all("  ", " ", literal=True)
    quick = quick.str.strip_chars(" ")
    return _patched(texts, quick, ascii_, fold)


def composed(texts: pl.Series, unsteady: Bits) -> pl.Series:
    """Every text in NFC, as patterns search it; those that are not unsteady are so already."""
    return _patched(texts, texts, pl.Series(~unsteady), lambda text: unicodedata.normalize("NFC", text))


def _patched(texts: pl.Series, quick: pl.Series, good: pl.Series, slow: Callable[[str], str]) -> pl.Series:
    """`quick` where it is good, and the slow way where it is not."""
    rest = (~good).fill_null(value=False)
    if not rest.any():
        return quick
    patch = pl.Series([slow(text) for text in texts.filter(rest)], dtype=pl.String)
    return quick.scatter(rest.arg_true(), patch)
