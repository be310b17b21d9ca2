"""How the desk has sorted mail until now: often wrong at first; agents move the rest."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from mailml.lab.sample.content import Content
from mailml.lab.sample.desk import AGENTS, ENTERPRISE, GENERAL, PRIORITY, QUEUE_OF, QUEUES, TECH, Agent
from mailml.lab.sample.people import Customer

# How often the first queue is right, by how plainly the mail speaks.
_RIGHT = {"plain": 0.88, "short": 0.8, "mixed": 0.66, "unclear": 0.5}
_NEVER_MOVED = 0.12  # of the wrongly sorted: solved where it lay


@dataclass(frozen=True, slots=True)
class Route:
    """The first queue, the one that solved it, and who moved it ("" when nobody did)."""

    first: str
    final: str
    moved_by: str
    urgent: bool = False


def route(rng: Random, customer: Customer, content: Content, *, urgent: bool) -> Route:
    """Where this conversation began and ended."""
    right = _right_queue(customer, content, urgent=urgent)
    if rng.random() < _RIGHT[content.shape]:
        return Route(right, right, "", urgent)
    first = _wrong_queue(rng, right, content)
    if rng.random() < _NEVER_MOVED:
        return Route(first, first, "", urgent)
    return Route(first, right, agent_for(rng, first, customer.language).short, urgent)


def _right_queue(customer: Customer, content: Content, *, urgent: bool) -> str:
    if urgent:
        return PRIORITY
    return ENTERPRISE if customer.enterprise else QUEUE_OF[content.category]


def _wrong_queue(rng: Random, right: str, content: Content) -> str:
    """The queue of the topic for priority and enterprise mail; otherwise a neighbour."""
    if right in (ENTERPRISE, PRIORITY):
        return QUEUE_OF[content.category]
    others = [queue for queue in QUEUES[:3] if queue != right]
    return rng.choices(others, [2.0 if queue in (GENERAL, TECH) else 1.0 for queue in others])[0]


def agent_for(rng: Random, queue: str, language: str) -> Agent:
    """Somebody of the queue who speaks the language; else of the queue; Jonas Keller speaks all."""
    able = [agent for agent in AGENTS if queue in agent.queues]
    return rng.choice([agent for agent in able if language in agent.languages] or able)
