"""The flow: ordered rules over a closed set of questions, as data; `source` reads and writes its TOML."""

from mailml.flow.conditions import All, AnyOf, Ask, Facts, Not
from mailml.flow.flow import Flow, Rule, Then

__all__ = ["All", "AnyOf", "Ask", "Facts", "Flow", "Not", "Rule", "Then"]
