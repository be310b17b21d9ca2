"""Out-of-office answers, with the headers that the products are documented to send."""

from __future__ import annotations

from datetime import timedelta

from mailml.lab.sample.automated.written import Maker, Order, Written, letter
from mailml.lab.sample.envelope import Envelope, Headers, message_id
from mailml.lab.sample.people import slug
from mailml.lab.sample.values import day
from mailml.lab.sample.wording import Bank, load

_FOLDER = "Automated/Replies"


def _words(order: Order, bank: Bank) -> str:
    line = _choose(order, bank.lines["vacation"])
    first = order.rng.choice(bank.lines["first"])
    line = line.replace("{date}", day(order.rng, bank, order.at, ahead=True))
    return f"{line.replace('{colleague}', f'{slug(first)}@{order.about.domain}')}\n\n{order.about.name}"


def _choose(order: Order, lines: tuple[str, ...]) -> str:
    """One line with its choices made; slots stay for the caller."""
    line = order.rng.choice(lines)
    while "[" in line:
        start = line.rindex("[")
        end = line.index("]", start)
        line = line[:start] + order.rng.choice(line[start + 1 : end].split("|")) + line[end + 1 :]
    return line


def _away(
    order: Order,
    extra: Headers,
    *,
    prefix: str = "",
    null_sender: bool = False,
    threaded: bool = True,
    address: str = "",
) -> Written:
    about, bank = order.about, load(order.about.language)
    form = f"{prefix}{{subject}}" if prefix else order.rng.choice(bank.lines["vacation_subject"])
    envelope = Envelope(
        name=about.name,
        address=address or about.address,
        subject=form.replace("{subject}", about.subject),
        at=order.at + timedelta(seconds=order.rng.randint(1, 9)),
        message_id=message_id(order.rng, about.domain),
        references=(about.message_id,) if threaded else (),
        null_sender=null_sender,
    )
    return letter(order, envelope, extra, _words(order, bank), language=about.language)


def _exchange(order: Order) -> Written:
    loop = ("X-MS-Exchange-Inbox-Rules-Loop", order.about.address)
    return _away(order, (("X-Auto-Response-Suppress", "All"), loop, ("Auto-Submitted", "auto-generated")))


def _gmail(order: Order) -> Written:
    headers = (("Precedence", "bulk"), ("X-Autoreply", "yes"), ("Auto-Submitted", "auto-replied"))
    return _away(order, headers, prefix="Re: ")


def _sieve(order: Order) -> Written:
    return _away(order, (("Auto-Submitted", "auto-replied (vacation)"),), prefix="Auto: ", null_sender=True)


def _apple(order: Order) -> Written:
    return _away(
        order, (("X-Apple-Action", "VACATION/E4"), ("Auto-Submitted", "auto-replied")), prefix="Re: "
    )


def _groupwise(order: Order) -> Written:
    return _away(
        order,
        (("X-Autoreply-From", order.about.address), ("X-Mailer", "GroupWise 18.5")),
        prefix="Out of Office: ",
    )


def _cpanel(order: Order) -> Written:
    return _away(
        order, (("X-Autorespond", order.about.subject), ("Precedence", "auto_reply")), threaded=False
    )


def _notes(order: Order) -> Written:
    """Lotus Notes says it only in the subject, and names the mail it answers."""
    return _away(order, (("X-Mailer", "Lotus Domino Release 12.0"),))


def _silent(order: Order) -> Written:
    """No header at all: the subject alone speaks."""
    return _away(order, (), threaded=False)


MAKERS = (
    Maker("exchange out-of-office", "auto_reply", _FOLDER, 7.0, _exchange),
    Maker("gmail vacation", "auto_reply", _FOLDER, 3.5, _gmail),
    Maker("sieve vacation", "auto_reply", _FOLDER, 2.5, _sieve),
    Maker("apple vacation", "auto_reply", _FOLDER, 1.0, _apple),
    Maker("groupwise vacation", "auto_reply", _FOLDER, 0.8, _groupwise),
    Maker("cpanel autoresponder", "auto_reply", _FOLDER, 1.2, _cpanel),
    Maker("notes out-of-office", "auto_reply", _FOLDER, 1.2, _notes),
    Maker("silent out-of-office", "auto_reply", "Queues/General Support", 0.8, _silent),
)
