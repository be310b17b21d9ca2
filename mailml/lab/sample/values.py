"""The made-up values that the lines of the banks ask for: amounts, numbers, dates, names, in local form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from mailml.lab.sample.wording import Bank

Value = str | Callable[[Random], str]

_DATES = {
    "en": "{d} {m} {y}",
    "de": "{d}.{n:02d}.{y}",
    "fr": "{d:02d}/{n:02d}/{y}",
    "es": "{d:02d}/{n:02d}/{y}",
    "nl": "{d}-{n}-{y}",
}
_SHORT = {"en": "{d} {m}", "de": "{d}. {m}", "fr": "{d} {m}", "es": "{d} de {m}", "nl": "{d} {m}"}


def amount(rng: Random, language: str) -> str:
    """Money as it is written in the language's country."""
    whole = rng.choice(
        (19, 29, 39, 49, 59, 79, 89, 119, 149, 189, 219, 249, 299, 349, 480, 520, 640, 1190, 1284, 2380)
    )
    cents = rng.choice(("00", "00", "50", "90", "95", f"{rng.randrange(100):02d}"))
    if language == "en":
        return rng.choice((f"£{whole:,}.{cents}", f"EUR {whole:,}.{cents}", f"€{whole}"))
    dotted = f"{whole:,}".replace(",", " " if language == "fr" else ".")
    return rng.choice(
        (
            f"{dotted},{cents} €",
            f"{dotted},{cents} EUR",
            f"{whole} Euro" if language == "de" else f"{whole} €",
        )
    )


def day(rng: Random, bank: Bank, now: datetime, *, ahead: bool = False) -> str:
    """A date near `now`, in local form."""
    when = now + timedelta(days=rng.randint(2, 20) * (1 if ahead else -1))
    month = bank.slots["month"][when.month - 1]
    form = rng.choice((_DATES, _SHORT))[bank.language]
    return form.format(d=when.day, n=when.month, y=when.year, m=month)


def values(bank: Bank, now: datetime, seen: Random) -> dict[str, Value]:
    """What any line may ask for; what is fixed in a conversation is drawn once from `seen`."""
    language = bank.language
    serial = f"T4-{seen.randrange(10_000, 99_999)}"
    return {
        "amount": lambda rng: amount(rng, language),
        "date": lambda rng: day(rng, bank, now),
        "count": lambda rng: str(rng.choice((5, 6, 8, 10, 12, 15, 20, 25, 40))),
        "small": lambda rng: str(rng.randint(2, 9)),
        "clock": lambda rng: f"{rng.randint(7, 18)}:{rng.choice(('00', '15', '30', '40'))}",
        "year": lambda rng: str(now.year - rng.randint(1, 8)),
        "month": bank.slots["month"][(now.month - 1 - seen.randint(0, 2)) % 12],
        "invoice_no": f"RE-{now.year}-{seen.randrange(1000, 99_999):05d}",
        "order_no": str(seen.randrange(400_000, 899_999)),
        "customer_no": f"K{seen.randrange(10_000, 59_999)}",
        "ticket": f"#{seen.randrange(20_000, 89_999)}",
        "serial": serial,
        "version": f"6.{seen.randint(0, 4)}.{seen.randint(0, 9)}",
        "error": seen.choice(
            ("500", "403", "0x80", "E-17", "E-204", "SYNC-31", "timeout", "1045", "401", "E-9")
        ),
        "phone": f"0{seen.randrange(20, 99)} {seen.randrange(100, 999)} {seen.randrange(1000, 9999)}",
        "agent_name": seen.choice(
            ("Anna Brandt", "Mr Keller", "Claire Dubois", "Marek Novak", "Sofia Reyes", "Tim de Wit")
        ),
        "person": f"{seen.choice(bank.lines['first'])} {seen.choice(bank.lines['last'])}",
    }
