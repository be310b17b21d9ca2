"""What an acknowledgement may say: Jinja2 templates in a sandbox, held to a closed set of constructs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.sandbox import SandboxedEnvironment

from mailml.errors import TemplateError

LONGEST_TEMPLATE = 20_000  # characters; an acknowledgement is a page at most
FIELDS: Mapping[str, tuple[str, ...]] = {
    "interaction": ("reference",),
    "subject": (),
    "customer": ("name",),
    "sla": ("target",),
}
FILTERS = frozenset({"capitalize", "default", "d", "lower", "title", "trim", "truncate", "upper", "wordwrap"})
# Text, values, conditions. No loops, calls, arithmetic: `{{ 'x' * 10**9 }}` would fill serve's memory.
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
    nodes.Keyword,
    nodes.Concat,
)
_NAMES = ", ".join(
    f"{name}.{attribute}" if attribute else name
    for name, attributes in FIELDS.items()
    for attribute in (attributes or ("",))
)


@dataclass(frozen=True, slots=True)
class Values:
    """What a template can speak of. `subject` and `customer_name` are "" for senders who are not echoed."""

    reference: str
    subject: str
    customer_name: str
    sla_target: str

    def mapping(self) -> dict[str, Any]:
        """The names as templates write them."""
        return {
            "interaction": {"reference": self.reference},
            "subject": self.subject,
            "customer": {"name": self.customer_name},
            "sla": {"target": self.sla_target},
        }


_SAMPLE = Values("K7Q2-9M4D", "Printer on fire", "Jane Doe", "4 business hours")


def check(source: object, *, where: str, markup: bool = False) -> str:
    """The template itself if it is one; raises `TemplateError` that says what cannot be used, and where.

    `markup` says that it is HTML: values are escaped there, and may stand in text only.
    """
    if not isinstance(source, str) or not source.strip():
        raise TemplateError("the template is empty or not a text", where=where, cure="Write it as a string")
    if len(source) > LONGEST_TEMPLATE:
        raise TemplateError(
            f"the template has {len(source)} characters", where=where, cure="Keep it under 20,000"
        )
    try:
        tree = _environment().parse(source)
    except TemplateSyntaxError as error:
        where = f"{where}, line {error.lineno}"
        cure = "Values are written {{ interaction.reference }}"
        raise TemplateError(f"this is not a template: {error.message}", where=where, cure=cure) from error
    except RecursionError as error:
        raise TemplateError("the template is nested too deep", where=where) from error
    for node in _all(tree):
        _refuse(node, where)
    if markup:
        _refuse_in_tags(tree, where)
    render(source, _SAMPLE, where=where, markup=markup)
    return source


def render(source: str, values: Values, *, where: str = "template", markup: bool = False) -> str:
    """The text of a template for these values, each escaped in `markup` (HTML). Raises `TemplateError`."""
    try:
        return _compiled(source, markup).render(values.mapping())
    except (JinjaError, TypeError, ValueError, OverflowError) as error:
        raise TemplateError(f"the template cannot be rendered: {error}", where=where) from error


def _refuse(node: nodes.Node, where: str) -> None:
    place = f"{where}, line {node.lineno}"
    if not isinstance(node, _ALLOWED):
        what = type(node).__name__.lower()
        cure = "Text, values, filters and conditions are enough"
        raise TemplateError(f'"{what}" is not allowed in an acknowledgement', where=place, cure=cure)
    if isinstance(node, nodes.Name) and node.name not in FIELDS:
        raise TemplateError(f'"{node.name}" is not known', where=place, cure=f"Known are {_NAMES}")
    if isinstance(node, nodes.Getattr):
        owner = node.node.name if isinstance(node.node, nodes.Name) else ""
        if node.attr not in FIELDS.get(owner, ()):
            name = f"{owner}.{node.attr}" if owner else f".{node.attr}"
            raise TemplateError(f'"{name}" is not known', where=place, cure=f"Known are {_NAMES}")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        cure = f"Known are {', '.join(sorted(FILTERS))}"
        raise TemplateError(f'the filter "{node.name}" is not known', where=place, cure=cure)


def _refuse_in_tags(tree: nodes.Template, where: str) -> None:
    """Escaping makes a value safe in text; in a tag it could be an address that runs, or an attribute."""
    before = ""
    for node in _all(tree):
        for piece in node.nodes if isinstance(node, nodes.Output) else ():
            if isinstance(piece, nodes.TemplateData):
                before += piece.data.lower()
            elif before.rfind("<") > before.rfind(">") or any(
                before.count(f"<{name}") > before.count(f"</{name}") for name in ("script", "style")
            ):
                raise TemplateError(
                    "a value stands inside a tag, a script or a style",
                    where=f"{where}, line {piece.lineno}",
                    cure="Values may stand in the text between tags",
                )


def _all(tree: nodes.Node) -> list[nodes.Node]:
    return [tree, *(found for child in tree.iter_child_nodes() for found in _all(child))]


@lru_cache(maxsize=64)
def _compiled(source: str, markup: bool) -> Template:
    return _environment(markup).from_string(source)


@lru_cache(maxsize=2)
def _environment(markup: bool = False) -> SandboxedEnvironment:
    # text/plain has nothing to escape; whoever shows it in a page escapes it there (see preview)
    return SandboxedEnvironment(undefined=StrictUndefined, autoescape=markup, keep_trailing_newline=True)
