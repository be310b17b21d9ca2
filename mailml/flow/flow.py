"""Ordered rules -> an outcome, with the trace of every rule tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mailml.flow.conditions import ALWAYS, Ask, Condition, Facts, asks_of
from mailml.flow.making import make_outcome
from mailml.flow.reading import Reading
from mailml.flow.rows import Table
from mailml.verdict import Outcome, RuleTrace

STOP = "later rules are not tried"


@dataclass(frozen=True)
class Then:
    """What a rule does with a message. What it leaves out (None, "") it leaves as earlier rules set it.

    `priority` is in minutes of ageing. `file` names a visible folder: the message goes there instead of to a
    queue and is not acknowledged.
    """

    queue: str = ""
    priority: int | None = None
    tags: tuple[str, ...] = ()
    ack: bool | None = None
    ack_template: str = ""
    sla: str = ""
    file: str = ""

    @cached_property
    def words(self) -> str:
        """What it does, in words: `queue "Billing", priority 10`."""
        ack = {None: "", True: "ack on", False: "ack off"}[self.ack]
        parts = (
            f'file in "{self.file}"' if self.file else "",
            f'queue "{self.queue}"' if self.queue else "",
            f"priority {self.priority}" if self.priority is not None else "",
            f"tags {', '.join(self.tags)}" if self.tags else "",
            f'ack "{self.ack_template}"' if self.ack_template else ack,
            f'sla "{self.sla}"' if self.sla else "",
        )
        return ", ".join(part for part in parts if part) or "nothing"


@dataclass(frozen=True)
class Rule:
    """One row of the flow: a name, a condition, an outcome, and whether rules below it are tried as well."""

    name: str
    when: Condition = ALWAYS
    then: Then = Then()
    continue_: bool = False

    @cached_property
    def words(self) -> str:
        """The outcome in words, and whether the flow ends there."""
        return f"{self.then.words}; {'go on' if self.continue_ else STOP}"

    def asks(self) -> tuple[Ask, ...]:
        """Every question it may ask, in order."""
        return tuple(asks_of(self.when))


@dataclass(frozen=True)
class Flow:
    """The routing table: rules in reading order, and the queue of whatever no rule places.

    The first rule that hits ends the walk unless it says `continue`; then what it set stands until a later
    rule sets it again, and tags add up.
    """

    rules: tuple[Rule, ...] = ()
    default: str = "General Support"
    _table: Table = field(init=False, repr=False, compare=False)
    _goes_on: tuple[bool, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_table", Table((rule.name, rule.when, rule.words) for rule in self.rules))
        object.__setattr__(self, "_goes_on", tuple(rule.continue_ for rule in self.rules))

    def run(self, facts: Facts) -> Outcome:
        """Walk the rules for one message; pure. The trace holds every rule that was tried, in order."""
        trace, hits = self._table.walk(Reading(facts), self._goes_on)
        return self.outcome([self.rules[n] for n in hits], tuple(trace))

    def outcome(self, hits: Sequence[Rule], trace: tuple[RuleTrace, ...] = ()) -> Outcome:
        """What these rules decide together when they hit in this order, and no other does."""
        if not hits:
            return make_outcome(self.default, 0, (), None, "", "", "", "default", trace)
        queue, chosen, priority = self.default, "default", 0
        tags: dict[str, None] = {}
        ack, template, sla, file = None, "", "", ""
        for rule in hits:
            then = rule.then
            if then.queue or then.file:
                queue, chosen, file = ("" if then.file else then.queue), rule.name, then.file
            priority = priority if then.priority is None else then.priority
            tags.update(dict.fromkeys(then.tags))
            if then.ack is not None:
                ack, template = then.ack, then.ack_template
            sla = then.sla or sla
        return make_outcome(queue, priority, tuple(tags), ack, template, sla, file, chosen, trace)

    def queues(self) -> tuple[str, ...]:
        """Every queue that it can send to, in order of appearance, the default last."""
        named = [rule.then.queue for rule in self.rules if rule.then.queue]
        return tuple(dict.fromkeys([*named, self.default]))

    def folders(self) -> tuple[str, ...]:
        """Every folder that its rules file into."""
        return tuple(dict.fromkeys(rule.then.file for rule in self.rules if rule.then.file))

    def asks(self, name: str) -> bool:
        """Whether a rule may ask for a field: `flow.asks("category")`; `header` means any header."""
        asked = {ask.field for rule in self.rules for ask in rule.asks()}
        return name in asked or any(one.startswith(f"{name}.") for one in asked)

    def categories(self) -> tuple[str, ...]:
        """The categories that its rules name."""
        found = [
            ask
            for rule in self.rules
            for ask in rule.asks()
            if ask.field == "category" and ask.operator == "is"
        ]
        return tuple(dict.fromkeys(str(label) for ask in found for label in ask.expected))
