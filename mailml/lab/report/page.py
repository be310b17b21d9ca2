"""A report as values - tiles, sections, pictures, tables - and its one self-contained HTML file.

The file has no script, asks no network (a Content-Security-Policy inside says so), prints well, and reads
well with a keyboard and a screen reader. Every picture has a table with the same numbers under it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mailml import __version__
from mailml.bundle.writing import write_file
from mailml.files import writing
from mailml.lab.escape import plain_text
from mailml.lab.intervals import Share
from mailml.lab.report.figures import Picture
from mailml.sla import length

if TYPE_CHECKING:
    import pandas as pd

LONGEST_CELL = 160
NOTEBOOK_ROWS = 15  # of each table; the written page has all


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of the head of a report: what, how much, and what to think of it.

    `mood` is "good", "bad" or "" and only colours the edge; the words say the same.
    """

    name: str
    value: str
    note: str = ""
    mood: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: column names, rows of cells, which columns are numbers, and what it shows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    caption: str = ""
    folded: bool = False  # long tables open on demand; they print open


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that opens: a verdict and its mood, a head of short texts, a sentence, texts side by side."""

    verdict: str
    mood: str
    head: tuple[str, ...]
    note: str
    texts: tuple[tuple[str, str], ...]  # (what it is, the text as it stands)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a sentence that says what to see, then a picture and the table with its numbers."""

    title: str
    lead: str = ""
    picture: Picture | None = None
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def anchor(self) -> str:
        """The heading as the name of a link target."""
        return "".join(char if char.isalnum() else "-" for char in self.title.lower()).strip("-")


class Hours(float):
    """Hours of a table, shown as `3 h 10`; to a DataFrame they are a number."""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report. `source` says what it was made from, `made` the day of its newest mail."""

    title: str
    lead: str
    source: str
    made: str
    tiles: tuple[Tile, ...] = ()
    sections: tuple[Section, ...] = field(default=())

    def html(self) -> str:
        """The page as one HTML document."""
        return _environment().get_template("page.html").render(page=self, version=__version__, most=None)

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to `path`, whole or not at all; returns the path."""
        return write_whole(Path(path), self.html())

    def _repr_html_(self) -> str:
        # only the inside, with styles that reach nothing else: a notebook already is a document
        return _environment().get_template("notebook.html").render(page=self, most=NOTEBOOK_ROWS)


def entries_html(entries: Sequence[Entry], *, opened: bool = False) -> str:
    """Rows that open, for a notebook's cell."""
    template = _environment().get_template("notebook_entries.html")
    return template.render(entries=entries, most=None, opened=opened)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "", *, folded: bool = False
) -> Table:
    """A table from rows of anything; numbers are formatted, and columns of numbers are set right."""
    given = [tuple(row) for row in rows]
    numeric = frozenset(
        at for at in range(len(columns)) if given and all(_is_number(row[at]) for row in given)
    )
    cells = tuple(tuple(cell(value) for value in row) for row in given)
    return Table(tuple(columns), cells, numeric, caption, folded)


def from_frame(frame: pd.DataFrame, caption: str = "", *, folded: bool = False, index: bool = False) -> Table:
    """A table with the columns of a frame (and its index, where asked)."""
    shown = frame.reset_index() if index else frame
    names = [str(name).replace("_", " ") for name in shown.columns]
    spans = [str(name).endswith("_hours") for name in shown.columns]
    rows = (
        [Hours(one) if span and one is not None else one for one, span in zip(row, spans, strict=True)]
        for row in shown.itertuples(index=False, name=None)
    )
    return table([name.removesuffix(" hours") for name in names], rows, caption, folded=folded)


def cell(value: object) -> str:
    """A value as the text of a cell: shares with their interval, nothing as a dash."""
    if value is None or value != value:  # NaN and NaT differ from themselves
        return "–"
    if isinstance(value, Share):
        return str(value)
    if isinstance(value, Hours):
        return length(round(value * 60))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if hasattr(value, "strftime"):
        return str(value.strftime("%Y-%m-%d %H:%M"))
    return plain_text(value, LONGEST_CELL)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, (int, float, Share)) and not isinstance(value, bool))


def write_whole(path: Path, text: str) -> Path:
    """Write a text file so that a reader sees the old one or the new one, never half of it."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, text.encode())
    return path


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mailml.lab.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["picture"] = _picture
    return environment


def _picture(picture: Picture) -> Any:
    # the only markup that is not escaped: our own img element, whose alternative text is
    return Markup(picture.html())  # noqa: S704
