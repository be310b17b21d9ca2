"""What is probably wrong with a flow that reads without a fault, found from the flow alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mailml.flow.conditions import All, AnyOf, Ask, Condition, Not
from mailml.flow.flow import Flow, Rule
from mailml.flow.implies import covered, implies, never
from mailml.verdict import Identity, Kind

# kinds that the table of automated mail always files before the flow is asked
_NEVER_HERE = frozenset({Kind.OWN_LOOP.value, Kind.REPORT.value})
_SENDER = ("from_address", "from_domain", "header.from", "header.reply-to", "header.sender")
_PROOF = Ask("authenticated", "is", (True,))
_MOST_PAIRS = 400  # rules compared with all earlier ones; beyond, only with the nearest


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark: the rule, what sort (`shadowed`, `forgeable`, …), a sentence, and what to do.

    `proof` is what an archive showed of it, in sentences; a `note` is worth knowing, and nothing is wrong.
    """

    rule: str
    sort: str
    what: str
    cure: str = ""
    proof: str = ""
    note: bool = False

    def __str__(self) -> str:
        return " ".join(filter(None, (f'rule "{self.rule}": {self.what}.', self.proof, self.cure)))


def lint(
    flow: Flow, identity: Identity | None = None, *, categories: Collection[str] | None = None
) -> tuple[Finding, ...]:
    """Everything remarkable about a flow, in the order of its rules.

    Sorts: `never` (contradicts itself, or asks for what cannot come here), `shadowed` (an earlier rule takes
    all its mail), `unreachable` (an earlier rule takes every message), `forgeable`, `quoted`, `suppress`,
    `hides`, `category`, `own`, `idle`. With `identity` trust settings and our own domains are checked too,
    with `categories` the labels.
    """
    found: list[Finding] = []
    for n, rule in enumerate(flow.rules):
        found += _order(rule, flow.rules[max(0, n - _MOST_PAIRS) : n])
        found += _trust(rule, identity)
        found += _reading(rule)
        found += _names(rule, identity, categories)
    return tuple(found)


def _order(rule: Rule, earlier: tuple[Rule, ...]) -> Iterator[Finding]:
    """Rules that can never fire."""
    if never(rule.when):
        yield Finding(rule.name, "never", "it contradicts itself and can never fire")
        return
    takers = _takers(rule, [one for one in earlier if not one.continue_])
    if takers and takers[0].when == All():
        yield Finding(rule.name, "unreachable", f'"{takers[0].name}" before it takes every message')
        return
    if takers:
        names = " and ".join(f'"{one.name}"' for one in takers)
        what = f"every message it fits is taken by {names} before it"
        yield Finding(rule.name, "shadowed", what, "Move it up, or make it go.")
        return
    kinds = {str(value) for ask in _required(rule.when) if ask.field == "kind" for value in ask.expected}
    if kinds and kinds <= _NEVER_HERE:
        what = f"mail of kind {', '.join(sorted(kinds))} is filed before any rule is asked"
        yield Finding(rule.name, "never", what)


def _takers(rule: Rule, earlier: list[Rule]) -> list[Rule]:
    """The earlier rule, or the few, that provably take all mail of a rule."""
    for one in earlier:
        if implies(rule.when, one.when):
            return [one]
    taking = covered(rule.when, [one.when for one in earlier])
    return [next(one for one in earlier if one.when == when) for when in taking]


def _trust(rule: Rule, identity: Identity | None) -> Iterator[Finding]:
    """What an outsider can bring about by writing a header."""
    if _forgeable(rule.when):
        cure = "Add authenticated = true."
        yield Finding(rule.name, "forgeable", "anybody can write that sender into a header", cure)
    if _PROOF in _required(rule.when) and identity is not None and not identity.authserv_ids:
        what = "nothing counts as authenticated while the desk trusts no server's Authentication-Results"
        yield Finding(rule.name, "never", what, "Name it in the identity: authserv_ids.")
    headers = [ask.field for ask in rule.asks() if ask.field.startswith("header.")]
    suppress = [field for field in headers if field.lower() == "header.x-auto-response-suppress"]
    if suppress and (rule.then.file or rule.then.ack is False):
        what = "Outlook sets X-Auto-Response-Suppress on mail that people write, who then get no answer"
        cure = "Leave it to the table of automated mail, which only withholds the acknowledgement."
        yield Finding(rule.name, "suppress", what, cure)
    elif headers and rule.then.file:
        what = f"a header that an outsider can set ({headers[0][7:]}) takes mail out of the queues"
        yield Finding(rule.name, "hides", what, "Send it to a queue, with ack = false.")


def _reading(rule: Rule) -> Iterator[Finding]:
    """Text that the customer did not write now, and rules that do nothing."""
    if any(ask.scope == "everything" for ask in rule.asks()):
        what = "quoted history, signatures and disclaimers can make it fire"
        yield Finding(
            rule.name, "quoted", what, 'Leave out scope = "everything" to read the customer\'s own words.'
        )
    if rule.continue_ and rule.then.words == "nothing":
        yield Finding(rule.name, "idle", "it changes nothing and goes on")


def _names(rule: Rule, identity: Identity | None, categories: Collection[str] | None) -> Iterator[Finding]:
    """Names that nobody here bears."""
    for ask in rule.asks():
        words = [str(value) for value in ask.expected]
        if ask.field == "category" and ask.operator == "is" and categories is not None:
            for label in words:
                if label not in categories:
                    what = f'the classifier knows no category "{label}"'
                    yield Finding(rule.name, "category", what, f"It knows {', '.join(categories)}.")
        if ask.field == "from_domain" and identity is not None and ask.operator == "is":
            for domain in words:
                if domain.lower() in identity.domains:
                    yield Finding(
                        rule.name, "own", f"{domain} is our own domain: its mail is from colleagues"
                    )


def _required(condition: Condition) -> tuple[Ask, ...]:
    """The questions that every fitting message answers with yes."""
    parts = condition.of if isinstance(condition, All) else (condition,)
    return tuple(part for part in parts if isinstance(part, Ask))


def _forgeable(condition: Condition, *, proven: bool = False) -> bool:
    """Whether a sender is asked for somewhere without proof that it is genuine."""
    if isinstance(condition, Ask):
        return not proven and condition.operator != "exists" and condition.field.lower() in _SENDER
    if isinstance(condition, AnyOf):
        return any(_forgeable(part, proven=proven) for part in condition.of)
    if isinstance(condition, Not):
        return False  # "not from x" gives nobody anything
    proven = proven or _PROOF in condition.of
    return any(_forgeable(part, proven=proven) for part in condition.of)
