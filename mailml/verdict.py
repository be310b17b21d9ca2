"""The values of a decision: frozen, comparable, and the same bytes as JSON wherever they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from mailml.canonical import canonical_json as canonical_json
from mailml.canonical import plain as plain


class Kind(StrEnum):
    """What a message is, whoever it is from (the rows of the automated-mail table)."""

    HUMAN = "human"
    OWN_LOOP = "own_loop"
    OWN_ADDRESS = "own_address"
    BOUNCE = "bounce"
    REPORT = "report"
    CALENDAR_REPLY = "calendar_reply"
    AUTO_REPLY = "auto_reply"
    AUTO_GENERATED = "auto_generated"
    LIST_BULK = "list_bulk"
    ROBOT_SENDER = "robot_sender"


class Disposition(StrEnum):
    """Where a message goes. Nothing is ever deleted."""

    DELIVER = "deliver"  # to a queue
    FILE = "file"  # to a visible folder, with no interaction of its own


class Reason(StrEnum):
    """Why no acknowledgement is sent."""

    OWN_LOOP = "own_loop"
    OWN_ADDRESS = "own_address"
    BOUNCE = "bounce"
    REPORT = "report"
    CALENDAR = "calendar"
    AUTO_REPLY = "auto_reply"
    AUTO_GENERATED = "auto_generated"
    LIST_BULK = "list_bulk"
    ROBOT_SENDER = "robot_sender"
    SUPPRESS_REQUESTED = "suppress_requested"  # X-Auto-Response-Suppress: All
    TEXT_MODEL = "text_model"  # reads like an automatic answer
    NO_SENDER = "no_sender"
    NOT_ADDRESSED_TO_US = "not_addressed_to_us"  # our address is in neither To nor Cc
    SPAM = "spam"
    TOO_OLD = "too_old"  # older than the cut-off
    ALREADY_ACKED = "already_acked"  # one per interaction
    ANSWERED = "answered"  # a conversation under way needs no acknowledgement
    UNAUTHENTICATED = "unauthenticated"  # the operator acks only aligned or known senders
    LIMIT = "limit"  # the loop breaker said no
    SWITCHED_OFF = "switched_off"  # by the rule or the desk


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are: what the table of automated mail and the acknowledgement need to know of ourselves.

    Addresses and domains are compared lower-case. `authserv_ids` are the names our own servers write into
    Authentication-Results (RFC 8601); only the topmost such header is believed.
    """

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()  # our own groups and lists: mail through them is from people
    web_forms: frozenset[str] = frozenset()  # robot senders whose Reply-To is a customer
    authserv_ids: frozenset[str] = frozenset()
    primary: str = ""  # the corporate address answers leave from, one of `addresses`
    name: str = ""  # its display name

    @property
    def address(self) -> str:
        """The corporate address; where none is named, the alphabetically first ("" if none)."""
        return self.primary or min(self.addresses, default="")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation that speaks for a kind: the table row, the exact header or part, and its value."""

    row: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What kind of mail it is and what may be done about it, with the evidence.

    `ack_reason` is None when an acknowledgement is allowed as far as the message itself goes.
    `reply_to` is where an acknowledgement would go. `on_interaction` files it as an event of its interaction:
    it neither re-opens it nor touches its clocks. `echoes_subject` says that the text after the prefix is our
    own subject, so no topic rule and no classifier may read it.
    """

    kind: Kind
    row: str
    disposition: Disposition
    ack_reason: Reason | None
    evidence: tuple[Evidence, ...] = ()
    folder: str = ""  # where it is filed, when it is
    reply_to: str = ""
    on_interaction: bool = False
    echoes_subject: bool = False
    priority_cap: int | None = None
    related_message_id: str = ""  # the message a bounce or report is about
    alarm: bool = False
    model_version: str = ""  # of the text model, when it was asked

    @property
    def ack_allowed(self) -> bool:
        """Whether the message itself permits an acknowledgement."""
        return self.ack_reason is None


@dataclass(frozen=True, slots=True)
class Category:
    """The classifier's answer: a class with its calibrated probability, or an abstention (`label` None).

    `probabilities` are in class order and sum to 1; they are rounded to 6 places so that the decision is the
    same bytes on every machine. `words` are the n-grams that spoke most for the label, with their weights.
    `reason` says why the classifier abstained ("" when it did not).
    """

    label: str | None
    probability: float = 0.0
    probabilities: tuple[tuple[str, float], ...] = ()
    words: tuple[tuple[str, float], ...] = ()
    reason: str = ""
    model: str = ""

    @property
    def abstained(self) -> bool:
        """Whether the classifier could not tell."""
        return self.label is None


@dataclass(frozen=True, slots=True)
class Test:
    """One question a rule asked of a message, and what it found."""

    __test__ = False  # not a pytest class

    field: str
    operator: str
    expected: str
    found: str
    hit: bool


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One rule tried on one message: hit or miss, and why."""

    rule: str
    hit: bool
    tests: tuple[Test, ...] = ()
    then: str = ""  # the outcome applied, in words, when it hit


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the flow decided: the queue and everything the rules set on the way."""

    queue: str
    priority: int = 0  # minutes of ageing
    tags: tuple[str, ...] = ()
    ack: bool | None = None  # None: the rules say nothing of it
    ack_template: str = ""  # "" is the desk's own
    sla: str = ""  # "" is the desk's own target
    file: str = ""  # a folder, when a rule files the message instead of queueing it
    rule: str = "default"  # the rule that chose the queue
    trace: tuple[RuleTrace, ...] = ()


@dataclass(frozen=True, slots=True)
class Ack:
    """Whether an acknowledgement is sent, to whom and how; `reason` says why none is."""

    send: bool
    reason: Reason | None = None
    to: str = ""
    template: str = ""
    echo_subject: bool = False  # only aligned or known senders see their own subject again


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of business time counted towards a due time: local day, minutes, and a remark."""

    day: str  # ISO date in the calendar's zone
    minutes: int
    note: str = ""  # "holiday: Boxing Day", "closed"


@dataclass(frozen=True, slots=True)
class Due:
    """When the first human answer is due (UTC), for which target, and the sum that led to it."""

    at: datetime
    target: str
    minutes: int
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """What is known of the interaction a message belongs to before this message is counted."""

    reference: str = ""  # "" for a message that opens one
    joined_by: str = "new"  # the evidence that joined it, or "new"
    acked: bool = False
    answered: bool = False  # a human of ours has answered already
    answers_ours: bool = False  # In-Reply-To or References name a message we sent
    human_within_30_days: bool = False  # this sender wrote here as a person lately
    seconds_since_ours: float | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Everything outside the message and the bundle that a decision may depend on, passed in as a value.

    Times are aware. `received_at` is when the server took the mail (INTERNALDATE); `now` is when it is
    decided. `limit` is the loop breaker's answer: None, or why it refuses an acknowledgement. `loop_key`
    verifies our own Message-IDs; without it row 1 of the table can prove nothing.
    """

    received_at: datetime
    now: datetime
    mailbox: str = ""
    thread: Thread = Thread()
    limit: str | None = None
    known_sender: bool = False
    loop_key: bytes = field(default=b"", repr=False)

    @classmethod
    def from_plain(cls, stored: Mapping[str, Any], *, loop_key: bytes = b"") -> Context:
        """The context as `plain` stored it, so that a decision can be made again; keys are not stored."""
        values = dict(stored)
        for name in ("received_at", "now"):
            values[name] = datetime.fromisoformat(values[name])
        values["thread"] = Thread(**values["thread"])
        return cls(loop_key=loop_key, **values)


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole decision on one message: same bytes + same bundle + same context = the same value."""

    message: str  # SHA-256 of the raw bytes
    bundle: str  # the bundle's id
    verdict: Verdict
    disposition: Disposition
    folder: str  # "" unless filed
    queue: str  # "" when filed
    priority: int
    tags: tuple[str, ...]
    category: Category | None  # None: no rule asked
    ack: Ack
    due: Due | None
    rule: str
    trace: tuple[RuleTrace, ...]

    @property
    def kind(self) -> Kind:
        """What kind of mail it is."""
        return self.verdict.kind

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces, UTC times; the bytes that must never differ."""
        return canonical_json(self)
