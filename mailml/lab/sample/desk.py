"""The made-up desk whose mailbox the sample is: a maker of planning software for field service."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
DOMAIN = "acme.example"
ADDRESS = "support@acme.example"
BILLING_ADDRESS = "billing@acme.example"
NAME = "Acme Support"
AUTHSERV = "mx.acme.example"
ENTERPRISE_DOMAIN = "enterprise-client.com"  # the domain of the default flow

CATEGORIES = ("billing", "technical", "general")
GENERAL, BILLING, TECH = "General Support", "Billing", "Tech Support"
ENTERPRISE, PRIORITY = "Enterprise Support", "Priority Support"
QUEUES = (GENERAL, BILLING, TECH, ENTERPRISE, PRIORITY)
QUEUE_OF = {"billing": BILLING, "technical": TECH, "general": GENERAL}


@dataclass(frozen=True, slots=True)
class Agent:
    """One of our people: answers in Sent are theirs."""

    name: str
    queues: tuple[str, ...]
    languages: tuple[str, ...]
    pace: float  # above 1 is slower than the team

    @property
    def short(self) -> str:
        """The given name, as the keyword on what this agent moved."""
        return self.name.split()[0].lower()


AGENTS = (
    Agent("Anna Brandt", (BILLING, ENTERPRISE), ("de", "en", "nl"), 0.7),
    Agent("Marek Novak", (TECH, PRIORITY), ("en", "de"), 0.8),
    Agent("Claire Dubois", (GENERAL, BILLING), ("fr", "en", "es"), 1.0),
    Agent("Jonas Keller", (TECH,), ("de", "en", "fr", "es", "nl"), 1.5),
    Agent("Sofia Reyes", (GENERAL, TECH), ("es", "en", "fr"), 1.1),
    Agent("Tim de Wit", (BILLING, GENERAL), ("nl", "en", "de"), 1.4),
    Agent("Laura Schmitt", (ENTERPRISE, PRIORITY, GENERAL), ("de", "en"), 0.6),
)


def queue_folder(queue: str) -> str:
    """The folder of a queue."""
    return f"Queues/{queue}"
