"""One conversation from its first mail to its last: what was written, what was answered, when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from mailml.lab.sample import attachments, content, rhythm
from mailml.lab.sample.content import Content
from mailml.lab.sample.desk import ADDRESS, BILLING_ADDRESS, ZONE, Agent, queue_folder
from mailml.lab.sample.envelope import Envelope, incoming, message_id, our_answer, outgoing
from mailml.lab.sample.letter import Quoted, body_parts, body_text, plain_quote, typos
from mailml.lab.sample.mime import Draft, mailbox, render, text_part
from mailml.lab.sample.people import Customer
from mailml.lab.sample.record import SampleMessage, record
from mailml.lab.sample.routing import Route, agent_for, route
from mailml.lab.sample.wording import Pen

_UNROUTED = timedelta(hours=50)  # what came in the last two days still lies in INBOX
_REPLY = {"en": "Re: ", "de": "AW: ", "fr": "RE: ", "es": "RE: ", "nl": "Antw: "}


@dataclass(slots=True)
class Conversation:
    """The state of one conversation while it is being told; `messages` is what has been written so far."""

    thread: str
    customer: Customer
    pen: Pen
    content: Content
    route: Route
    opened: datetime
    end: datetime
    subject: str
    references: list[str] = field(default_factory=list)
    last: Quoted | None = None
    answered: datetime | None = None
    messages: list[SampleMessage] = field(default_factory=list)

    @property
    def rng(self) -> Random:
        """The stream of chance of this conversation."""
        return self.pen.rng


def tell(
    thread: str, customer: Customer, rng: Random, opened: datetime, end: datetime, month: int
) -> list[SampleMessage]:
    """All messages of one conversation up to `end`, in order."""
    pen = content.pen_for(customer, opened, rng)
    said = content.first_mail(pen, month)
    urgent = rng.random() < (0.05 if said.category == "technical" else 0.02)
    subject = f"[URGENT] {said.subject}" if urgent else said.subject
    story = Conversation(
        thread, customer, pen, said, route(rng, customer, said, urgent=urgent), opened, end, subject
    )
    answer_at, agent = _first_answer(story)
    _write(story, opened, said.sentences, answer_at, "opening")
    if answer_at is None:
        if rng.random() < 0.5:
            _chase(story, opened)
        return story.messages
    if answer_at - opened > timedelta(hours=26) and rng.random() < 0.4:
        _chase(story, opened)
    _answer(story, answer_at, agent)
    _afterwards(story, answer_at, agent)
    return story.messages


def _first_answer(story: Conversation) -> tuple[datetime | None, Agent]:
    agent = agent_for(story.rng, story.route.final, story.customer.language)
    minutes = rhythm.response_minutes(story.rng, agent.pace, story.opened.month, urgent=story.route.urgent)
    # Every hand-over costs a turn in another queue.
    minutes += story.rng.uniform(30, 240) if story.route.moved_by else 0
    at = rhythm.working_time_later(story.opened, minutes)
    forgotten = story.rng.random() < 0.04 or story.opened > story.end - _UNROUTED
    return (None if forgotten or at > story.end else at), agent


def _chase(story: Conversation, after: datetime) -> None:
    at = after + timedelta(hours=story.rng.uniform(20, 26))
    if at < story.end:
        _write(story, at, content.follow_up(story.pen, story.content), None, "chase")


def _afterwards(story: Conversation, answered: datetime, agent: Agent) -> None:
    """Thanks, a complaint that is answered again, a second question, or silence."""
    rng, at = story.rng, answered + timedelta(minutes=story.rng.lognormvariate(4.5, 1.2))
    turn = rng.choices(("thanks", "follow-up", "detail", ""), (13, 10, 15, 62))[0]
    if not turn or at > story.end:
        return
    _write(story, at, _turn(story, turn), None, turn)
    again = rhythm.working_time_later(at, rhythm.response_minutes(rng, agent.pace, at.month, urgent=False))
    if turn != "thanks" and again < story.end:
        _answer(story, again, agent)


def _turn(story: Conversation, turn: str) -> str:
    if turn == "thanks":
        return story.pen.pick("thanks")
    return (content.follow_up if turn == "follow-up" else content.detail)(story.pen, story.content)


def _write(story: Conversation, at: datetime, sentences: str, answer_at: datetime | None, turn: str) -> None:
    """A mail of the customer into the folder where the desk has put the conversation."""
    customer, pen, first = story.customer, story.pen, not story.references
    words = typos(story.rng, body_text(pen, customer, sentences), customer.care)
    quoted = story.last if story.last and story.rng.random() < 0.8 else None
    envelope = _customer_envelope(story, at, first=first)
    files = attachments.attached(story.rng, story.content.category) if first else ()
    plain, page, inline = body_parts(pen, customer, words, quoted)
    raw = render(
        Draft(incoming(story.rng, envelope), plain, page, inline, files, customer.charset), story.rng
    )
    waiting = at > story.end - _UNROUTED
    folder = "INBOX" if waiting else queue_folder(story.route.final)
    flags = () if waiting else ("\\Seen", "\\Answered") if answer_at else ("\\Seen",)
    truth = _truth(story, envelope, answer_at, waiting=waiting) | {"turn": turn, "opens": first}
    story.messages.append(record(folder, raw, at, flags, **truth))
    _remember(story, envelope, customer.name, words)


def _customer_envelope(story: Conversation, at: datetime, *, first: bool) -> Envelope:
    customer, rng = story.customer, story.rng
    billing = story.content.category == "billing" and rng.random() < 0.22
    subject = story.subject if first else _REPLY[customer.language] + story.subject
    return Envelope(
        name=customer.name,
        address=customer.address,
        subject=subject,
        at=at,
        message_id=message_id(rng, customer.domain, customer.client),
        to=BILLING_ADDRESS if billing else ADDRESS,
        references=tuple(story.references),
        charset=customer.charset,
        client=customer.client,
        authentication="pass" if customer.enterprise or rng.random() < 0.9 else "none",
    )


def _truth(
    story: Conversation, envelope: Envelope, answer_at: datetime | None, *, waiting: bool
) -> dict[str, object]:
    opener = not story.references
    # by timestamps: the difference of two local times ignores a clock change between them
    waited = answer_at.timestamp() - story.opened.timestamp() if answer_at else 0.0
    seconds = int(waited) if answer_at and opener else None
    return {
        "message_id": envelope.message_id,
        "thread": story.thread,
        "position": len(story.messages),
        "role": "customer",
        "category": story.content.category,
        "topic": "" if story.content.shape == "unclear" else story.content.topic.name,
        "shape": story.content.shape if opener else "follow-up",
        "ack": True,
        "language": story.customer.language,
        "customer": story.customer.address,
        "first_queue": story.route.first,
        "final_queue": "" if waiting else story.route.final,
        "moved_by": "" if waiting else story.route.moved_by,
        "first_human_response": seconds,
    }


def _answer(story: Conversation, at: datetime, agent: Agent) -> None:
    """An agent's answer into Sent."""
    pen, customer = story.pen, story.customer
    pen.values["agent"] = agent.name
    words = "\n\n".join(
        (pen.pick("answer_open"), pen.pick(f"answer_{story.content.category}"), pen.pick("answer_close"))
    )
    text = f"{words}\n\n{plain_quote(pen, story.last, style='gmail')}" if story.last else words
    subject = "Re: " + story.subject
    envelope = our_answer(
        story.rng, agent.name, mailbox(customer.name, customer.address), subject, at, tuple(story.references)
    )
    raw = render(Draft(outgoing(envelope), text_part(text, "plain", "utf-8", story.rng)), story.rng)
    truth = _truth(story, envelope, None, waiting=False) | {
        "role": "agent",
        "kind": "own_address",
        "ack": False,
        "shape": "",
    }
    story.messages.append(record("Sent", raw, at, ("\\Seen",), **truth, agent=agent.name))
    _remember(story, envelope, agent.name, words)


def _remember(story: Conversation, envelope: Envelope, who: str, words: str) -> None:
    when = envelope.at.astimezone(ZONE).strftime("%d.%m.%Y %H:%M")
    story.references.append(envelope.message_id)
    story.last = Quoted(f"{who} <{envelope.address}>", when, envelope.to, envelope.subject, words)
