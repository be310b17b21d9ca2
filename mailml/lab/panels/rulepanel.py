"""The rule panel: an anywidget over a `RuleBook`."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from mailml.errors import ConfigError, MailmlError
from mailml.lab.panels.drafts import blank, form_of_fields, form_of_operators
from mailml.lab.panels.rulebook import RuleBook

_HERE = files("mailml.lab.panels")
_MOST_RULES = 5_000


class RulePanel(anywidget.AnyWidget):
    """The panel. `book` holds the rules as they stand in the form; it is on disk when `save` was said."""

    _esm = _HERE.joinpath("rules.js").read_text(encoding="utf-8")
    _css = _HERE.joinpath("rules.css").read_text(encoding="utf-8")
    rules: Any = traitlets.List().tag(sync=True)
    fields: Any = traitlets.List().tag(sync=True)
    operators: Any = traitlets.Dict().tag(sync=True)
    queues: Any = traitlets.List().tag(sync=True)
    templates: Any = traitlets.List().tag(sync=True)
    blank: Any = traitlets.Dict().tag(sync=True)
    default = traitlets.Unicode().tag(sync=True)

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        super().__init__(
            rules=deepcopy(book.rules),
            fields=form_of_fields(book.categories),
            operators=form_of_operators(),
            queues=list(book.queues),
            templates=list(book.templates),
            blank=blank(book.default, []),
            default=book.default,
        )
        self.on_msg(self._heard)
        book.heard.append(self._follow)

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        """One change in the form: keep it, try it, and save it where that was asked; a refusal is told."""
        if not isinstance(content, Mapping):
            return
        answer: dict[str, Any] = {"seq": content.get("seq")}
        try:
            self._take(content.get("rules"), content.get("default"))
            if content.get("type") == "save":
                answer["saved"] = str(self.book.save())
        except (MailmlError, OSError) as error:
            answer["refused"] = _in_a_line(error)
        answer["tried"] = self._tried(content.get("at"))
        self.send(answer)

    def _take(self, rules: Any, default: Any) -> None:
        if isinstance(rules, list) and len(rules) <= _MOST_RULES and all(isinstance(r, dict) for r in rules):
            self.book.rules = rules
            self.book.default = default if isinstance(default, str) else self.book.default
            self._follow()

    def _follow(self) -> None:
        """Every view shows the rules as they stand now, whether the form or code has changed them."""
        with self.hold_sync():
            self.rules, self.default = deepcopy(self.book.rules), self.book.default

    def _tried(self, at: Any) -> dict[str, Any]:
        there = isinstance(at, int) and 0 <= at < len(self.book.rules)
        told = self.book.try_rule(at if there else 0) if self.book.rules else self.book.nothing()
        return {**told.to_dict(), "diff": self.book.diff()}


def _in_a_line(error: Exception) -> str:
    faults = error.faults if isinstance(error, ConfigError) else ()
    return "; ".join(map(str, faults)) or str(error)
