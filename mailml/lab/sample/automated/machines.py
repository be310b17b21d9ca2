"""Machines that write of their own accord: newsletters, lists, cron, shops, look-alikes of our acks."""

from __future__ import annotations

from mailml.lab.sample.automated.written import Maker, Order, Written, from_machine, letter
from mailml.lab.sample.desk import DOMAIN
from mailml.lab.sample.envelope import Envelope, message_id

_NEWS = "Automated/Newsletters"
_NOTES = "Automated/Notifications"
_GENERAL = "Queues/General Support"
_TOPICS = (
    "Five trends in field service", "Our spring offers", "Early bird tickets end {n}", "What is new in {n}",
    "Save {n} % on office chairs", "Your invoice can be greener", "Technical fair: your free pass",
)  # fmt: skip
_STORIES = (
    "Read how three firms halved their mileage.", "Our new catalogue is out.", "Meet us in hall {n}.",
    "Members save on every order this month.", "The best articles of the week, picked by our editors.",
    "Billing without paper: a guide in {n} steps.", "Technical staff are hard to find: what helps.",
)  # fmt: skip


def _pick(order: Order, lines: tuple[str, ...]) -> str:
    return order.rng.choice(lines).replace("{n}", str(order.rng.randint(2, 60)))


def _newsletter(order: Order) -> Written:
    envelope = from_machine(order, "Field Service Weekly", "news@fieldweekly.example", _pick(order, _TOPICS))
    extra = (
        ("List-Unsubscribe", f"<https://fieldweekly.example/u/{order.rng.getrandbits(32):x}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Feedback-ID", f"{order.rng.getrandbits(20)}:fieldweekly"),
    )
    stories = "\n\n".join(_pick(order, _STORIES) for _ in range(3))
    text = f"{envelope.subject}\n\n{stories}\n\nYou receive this because you signed up."
    return letter(order, envelope, extra, text)


def _mailing_list(order: Order) -> Written:
    subject = order.rng.choice(("Sync with other systems", "Re: Meeting", "Terminals in rain"))
    envelope = from_machine(order, "Piet Voss", "piet@fsmusers.example", f"[fsm-users] {subject}")
    extra = (
        ("List-Id", "Field service users <fsm-users.fsmusers.example>"),
        ("List-Post", "<mailto:fsm-users@fsmusers.example>"),
        ("Precedence", "list"),
    )
    verb = order.rng.choice(("tried", "seen", "solved"))
    return letter(
        order, envelope, extra, f"Hi all,\n\nhas anybody {verb} this? {_pick(order, _STORIES)}\n\nPiet"
    )


def _bulk(order: Order) -> Written:
    """An advert that says only Precedence: bulk."""
    envelope = from_machine(order, "Office Depot Nord", "angebote@buero-nord.example", _pick(order, _TOPICS))
    return letter(
        order, envelope, (("Precedence", "bulk"),), f"{_pick(order, _STORIES)}\n\n{_pick(order, _STORIES)}"
    )


def _cron(order: Order) -> Written:
    host = f"app{order.rng.randint(1, 4)}"
    subject = f"Cron <root@{host}> /usr/local/bin/backup.sh"
    envelope = from_machine(order, "Cron Daemon", f"root@{host}.hosting.example", subject)
    extra = (("Auto-Submitted", "auto-generated"), ("X-Cron-Env", "<SHELL=/bin/sh>"))
    seconds, size = order.rng.randint(80, 900), order.rng.randint(2, 90)
    return letter(order, envelope, extra, f"backup finished in {seconds} s, {size} GB")


def _monitoring(order: Order) -> Written:
    state = order.rng.choice(("PROBLEM", "RECOVERY"))
    check = order.rng.choice(("disk /var", "portal https", "sync queue", "certificate"))
    subject = f"{state}: {check} on app{order.rng.randint(1, 4)}"
    envelope = from_machine(order, "Monitoring", "monitoring@hosting.example", subject)
    return letter(
        order, envelope, (("Auto-Submitted", "auto-generated"),), f"{state}\n{check}\n{order.at:%H:%M}"
    )


def _shop(order: Order) -> Written:
    number = order.rng.randrange(100_000, 999_999)
    envelope = from_machine(
        order, "Parcel Service", "noreply@parcels.example", f"Your parcel {number} is on its way"
    )
    return letter(
        order, envelope, (), f"Parcel {number} will be delivered tomorrow between 9 and 13. Do not reply."
    )


def _notification(order: Order) -> Written:
    envelope = from_machine(order, "Workboard", "notifications@workboard.example", "3 tasks are due today")
    return letter(order, envelope, (), f"You have {order.rng.randint(2, 9)} tasks due today in Operations.")


def _ticket_system(order: Order) -> Written:
    """A supplier's help desk that acknowledges: the other half of a loop."""
    number = order.rng.randrange(10_000, 99_999)
    subject = f"[Ticket #{number}] We received your request"
    envelope = from_machine(order, "Hosting Support", "support@hosting.example", subject)
    text = f"Your request got the number {number}. We will be in touch."
    return letter(order, envelope, (("Auto-Submitted", "auto-replied"),), text)


def _look_alike(order: Order) -> Written:
    """A person's mail with marks like ours but unsigned: it proves nothing and must reach a queue."""
    about, reference = (
        order.about,
        f"K{order.rng.randint(2, 9)}Q{order.rng.randint(2, 9)}-T{order.rng.randint(2, 9)}WD",
    )
    identifier = message_id(order.rng, DOMAIN)
    envelope = Envelope(about.name, about.address, f"Re: [#{reference}] Question", order.at, identifier)
    text = f"Hello,\n\nI still wait for an answer to {reference}.\n\n{about.name}"
    return letter(order, envelope, (("X-Mailml-Loop", f"{reference}.1.{order.rng.getrandbits(80):x}"),), text)


MAKERS = (
    Maker("newsletter", "list_bulk", _NEWS, 3.5, _newsletter),
    Maker("mailing list", "list_bulk", _NEWS, 1.2, _mailing_list),
    Maker("bulk advert", "list_bulk", _GENERAL, 1.0, _bulk),
    Maker("cron", "auto_generated", _NOTES, 2.0, _cron),
    Maker("monitoring", "auto_generated", _NOTES, 2.0, _monitoring),
    Maker("shop robot", "robot_sender", _GENERAL, 1.6, _shop),
    Maker("notification robot", "robot_sender", _NOTES, 1.2, _notification),
    Maker("foreign help desk", "auto_reply", "Automated/Replies", 1.0, _ticket_system),
    Maker("loop look-alike", "human", _GENERAL, 0.4, _look_alike, ack=True),
)
