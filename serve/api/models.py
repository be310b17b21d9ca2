"""What the API takes and gives: flat JSON, so that a Genesys Cloud data action can read and write it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Text = Annotated[str, Field(max_length=2_000_000)]
_Line = Annotated[str, Field(max_length=20_000)]


class Asked(BaseModel):
    """What every question shares: keys nobody knows are refused, since they are misspelt ones."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _given(cls, values: Any) -> Any:
        """A null is a value that was not given: callers that fill templates cannot leave a key out."""
        given = values.items() if isinstance(values, dict) else ()
        return {key: value for key, value in given if value is not None}


class ClassifyAsked(Asked):
    """The words to be classified."""

    subject: _Line = ""
    text: _Text = ""
    html: _Text = ""


class Classified(BaseModel):
    """The classifier's answer; `category` is "" when it abstains, and `reason` says why."""

    category: str
    probability: float
    abstained: bool
    reason: str
    words: str  # the n-grams that spoke most for it, separated by commas
    bundle: str


class MailAsked(Asked):
    """What every question about a mail may hold: a block of headers, and single pieces."""

    headers: _Text = ""
    from_: Annotated[str, Field(alias="from", max_length=20_000)] = ""
    to: _Line = ""
    subject: _Line = ""
    text: _Text = ""


class HeadersAsked(MailAsked):
    """The headers of a mail: as one block (`headers`), one by one, or both; the block comes first.

    `text` lets the text model look too.
    """

    reply_to: _Line = ""
    return_path: _Line = ""
    auto_submitted: _Line = ""
    x_auto_response_suppress: _Line = ""
    precedence: _Line = ""
    list_id: _Line = ""
    content_type: _Line = ""


class HeadersJudged(BaseModel):
    """What kind of mail it is, and whether it may be acknowledged."""

    kind: str
    automated: bool
    disposition: str
    folder: str
    row: str  # the row of the table of automated mail that decided
    ack_allowed: bool
    ack_reason: str
    evidence: str  # the first observation: where, and what
    bundle: str


class DecideAsked(MailAsked):
    """A whole mail (`raw`, base64) or its pieces, and what is known of its thread; a dry run."""

    raw: Annotated[str, Field(max_length=100_000_000)] = ""
    cc: _Line = ""
    html: _Text = ""
    message_id: _Line = ""
    in_reply_to: _Line = ""
    references: _Line = ""
    received_at: datetime | None = None  # now unless given
    mailbox: _Line = ""
    reference: _Line = ""  # of the interaction it continues
    acked: bool = False
    answered: bool = False
    known_sender: bool = False


class Decided(BaseModel):
    """The decision, flat; `decision` holds the whole of it as JSON in a text."""

    kind: str
    disposition: str
    queue: str
    folder: str
    priority: int
    category: str
    probability: float
    rule: str
    ack: bool
    ack_reason: str
    ack_to: str
    due_at: str
    target: str
    tags: str
    trace: str
    message: str
    bundle: str
    decision: str


class Refused(BaseModel):
    """Why a request was not answered, and what to do about it."""

    error: str
    cure: str = ""
