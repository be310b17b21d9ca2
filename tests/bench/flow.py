"""One live message through a 20-rule flow with its whole trace, against the same conditions in Python `re`.

    python -m tests.bench.flow

Both sides start from the same parsed messages and extracted texts, walk the rules in the same order, stop at
the first that hits, and must name the same rule for every message. The yardstick keeps no trace.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from datetime import datetime

from mailml.flow import Facts, Flow, source
from mailml.message import parse
from mailml.text import own_words

GOAL = 0.25
WORDS = (
    *("order", "delivery", "printer", "account", "login", "screen", "error", "update", "change", "contract"),
    *(
        "number",
        "please",
        "thanks",
        "regards",
        "since",
        "yesterday",
        "customer",
        "office",
        "meeting",
        "question",
    ),
    *(
        "about",
        "with",
        "would",
        "could",
        "have",
        "been",
        "there",
        "their",
        "which",
        "because",
        "after",
        "before",
    ),
    *("still", "again", "never", "always", "server", "down", "data", "file"),
)
ACCENTED = ("Straße", "größer", "naïve", "it’s")
# (field, operator, expected, the same as a Python pattern)
CONDITIONS = [
    ("subject", "contains", "[URGENT]", r"(?i)\[URGENT\]"),
    ("text", "contains", "invoice", r"(?i)invoice"),
    ("text", "contains", "credit note", r"(?i)credit\s+note"),
    ("from_domain", "is", "enterprise-client.com", r"(?i)\Aenterprise-client\.com\Z"),
    ("subject", "starts_with", "Complaint", r"(?i)\AComplaint"),
    ("text", "matches", r"(?i)\border\s+no\.?\s*\d{6}\b", r"(?ai)\border\s+no\.?\s*\d{6}\b"),
    ("text", "contains", "password", r"(?i)password"),
    ("text", "contains", "two-factor", r"(?i)two-factor"),
    ("from_address", "ends_with", ".gov", r"(?i)\.gov\Z"),
    ("subject", "matches", r"(?i)\b(refund|chargeback)\b", r"(?ai)\b(refund|chargeback)\b"),
    ("text", "contains", "cancel my subscription", r"(?i)cancel\s+my\s+subscription"),
    ("text", "contains", "data protection", r"(?i)data\s+protection"),
    ("subject", "contains", "quote", r"(?i)quote"),
    (
        "text",
        "matches",
        r"\b[A-Z]{2}\d{2}(\s?[A-Z0-9]{4}){3,7}\b",
        r"(?a)\b[A-Z]{2}\d{2}(\s?[A-Z0-9]{4}){3,7}\b",
    ),
    ("header.X-Mailer", "contains", "Outlook Express", r"(?i)Outlook Express"),
    ("text", "contains", "lawyer", r"(?i)lawyer"),
    ("to", "contains", "sales@", r"(?i)sales@"),
    ("text", "contains", "server down", r"(?i)server\s+down"),
    ("subject", "contains", "partnership", r"(?i)partnership"),
    ("text", "contains", "unsubscribe", r"(?i)unsubscribe"),
]


def the_flow() -> Flow:
    """Twenty rules, one condition each."""
    rules = [
        f"[[rule]]\nname = 'r{n}'\nwhen = {{ {field} = {{ {operator} = '{expected}' }} }}\n"
        "then = { queue = 'Q' }"
        for n, (field, operator, expected, _) in enumerate(CONDITIONS)
    ]
    return source.loads("default = 'General Support'\n" + "\n".join(rules))


def the_mail(count: int = 200) -> list[Facts]:
    """Messages of which about one in three fits a rule, and one in three is not plain ASCII."""
    rng, found = random.Random(7), []
    phrases = ["invoice", "my password", "order no. 123456", "server down", "a lawyer", "data\nprotection"]
    for number in range(count):
        words = rng.choices(WORDS, k=rng.randint(40, 400))
        if number % 3 == 0:
            words += rng.choices(ACCENTED, k=8)
        if rng.random() < 0.2:
            words.insert(rng.randrange(len(words)), rng.choice(phrases))
        lines = "\n".join(" ".join(words[at : at + 12]) for at in range(0, len(words), 12))
        subject = " ".join(rng.choices(WORDS[:30], k=5)) + rng.choice(["", "", "", "", " quote"])
        head = f"From: c{number}@mail{number % 7}.example\nTo: support@acme.example\nX-Mailer: Mutt\n"
        head += f"Subject: {subject}\nContent-Type: text/plain; charset=utf-8\n"
        message = parse(f"{head}\n{lines}\n".encode())
        found.append(Facts(message, own_words(message), received_local=datetime(2026, 3, 2, 10)))
    return found


def by_re(facts: Facts) -> str:
    """The yardstick: the first rule whose compiled Python pattern is found in its field."""
    message = facts.message
    fields = {
        "subject": (message.subject,),
        "text": (facts.text.own,),
        "from_domain": (message.from_.domain if message.from_ else "",),
        "from_address": (message.from_.addr if message.from_ else "",),
        "to": [address.addr for address in message.to],
        "header.X-Mailer": message.all("X-Mailer"),
    }
    for n, (field, search) in enumerate(PATTERNS):
        for value in fields[field]:
            if search(value):
                return f"r{n}"
    return "default"


PATTERNS = [(field, re.compile(pattern).search) for field, _, _, pattern in CONDITIONS]


def microseconds(call: Callable[[Facts], object], mail: list[Facts], rounds: int = 60) -> float:
    """Mean time per message, each the quickest of its rounds: what a shared machine adds falls away."""
    best = [float("inf")] * len(mail)
    for _ in range(rounds):
        for n, facts in enumerate(mail):
            start = time.perf_counter_ns()
            call(facts)
            best[n] = min(best[n], time.perf_counter_ns() - start)
    return sum(best) / len(best) / 1_000


def measure() -> dict[str, float]:
    """Ours and the yardstick in one run, in microseconds per message, after both were seen to agree."""
    flow, mail = the_flow(), the_mail()
    for facts in mail:
        if flow.run(facts).rule != by_re(facts):
            raise AssertionError(f"the flow says {flow.run(facts).rule}, re says {by_re(facts)}")
    ours, yardstick = microseconds(flow.run, mail), microseconds(by_re, mail)
    return {"flow_us": ours, "re_us": yardstick, "ratio": ours / yardstick}


def main() -> None:
    """Print the ratio beside its goal."""
    found = measure()
    print(f"20 rules with trace: {found['flow_us']:.1f} us a message; Python re: {found['re_us']:.1f} us")
    print(f"ratio {found['ratio']:.2f} (goal: at most {GOAL})")


if __name__ == "__main__":
    main()
