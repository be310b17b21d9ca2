"""The customers: names, companies, mail programs, habits. All made up, under .example and .test."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from random import Random

from mailml.lab.sample.desk import ENTERPRISE_DOMAIN
from mailml.lab.sample.wording import load

# Shares of the languages among the customers.
_LANGUAGES = ("en", "de", "fr", "es", "nl")
_SHARES = (46, 27, 11, 8, 8)
_FREEMAIL = ("postbox.example", "mailhaus.example", "quickmail.test", "boite.example")
_CLIENTS = ("outlook", "gmail", "thunderbird", "phone", "apple", "webmail")
_CLIENT_SHARES = (38, 22, 14, 12, 9, 5)
_CHARSETS = {"en": ("utf-8", "us-ascii", "windows-1252"), "de": ("utf-8", "iso-8859-1", "windows-1252")}


@dataclass(frozen=True, slots=True)
class Customer:
    """One person who writes to us."""

    name: str
    address: str
    company: str  # "" for a private person
    language: str
    client: str
    charset: str
    care: float  # 1 writes carefully; 0.5 makes many typos
    phone: str
    enterprise: bool = False

    @property
    def domain(self) -> str:
        """The domain of the address."""
        return self.address.partition("@")[2]


def slug(text: str) -> str:
    """Letters, digits and hyphens of a name, for addresses."""
    plain = (
        unicodedata.normalize("NFKD", text.replace("ı", "i").replace("ß", "ss"))
        .encode("ascii", "ignore")
        .decode()
        .lower()
    )
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("&", " and ")).strip("-")


def customers(rng: Random, count: int) -> tuple[Customer, ...]:
    """`count` people; every thirtieth works for the enterprise client."""
    return tuple(_customer(rng, enterprise=i % 30 == 7, number=i) for i in range(count))


def _customer(rng: Random, *, enterprise: bool, number: int) -> Customer:
    language = rng.choices(("en", "de"), (3, 1))[0] if enterprise else rng.choices(_LANGUAGES, _SHARES)[0]
    bank, country = load(language), rng.choice((44, 49, 33, 34, 31))
    first, last = rng.choice(bank.lines["first"]), rng.choice(bank.lines["last"])
    company = "Enterprise Client" if enterprise else rng.choice((*bank.lines["company"], ""))
    return Customer(
        name=f"{first} {last}",
        address=_address(rng, first, last, company, number, enterprise=enterprise),
        company=company,
        language=language,
        client=rng.choices(_CLIENTS, _CLIENT_SHARES)[0],
        charset=rng.choice(_CHARSETS.get(language, ("utf-8", "utf-8", "iso-8859-1", "windows-1252"))),
        care=rng.choice((1.0, 1.0, 0.9, 0.8, 0.6)),
        phone=f"+{country} {rng.randrange(20, 99)} {rng.randrange(1000000, 9999999)}",
        enterprise=enterprise,
    )


def _address(rng: Random, first: str, last: str, company: str, number: int, *, enterprise: bool) -> str:
    if enterprise:
        return f"{slug(first)}.{slug(last)}@{ENTERPRISE_DOMAIN}"
    if not company:
        return f"{slug(first)}.{slug(last)}{number}@{rng.choice(_FREEMAIL)}"
    local = rng.choice((f"{slug(first)[0]}.{slug(last)}", f"{slug(first)}.{slug(last)}", slug(last)))
    return f"{local}@{slug(company)}.{rng.choice(('example', 'example', 'test'))}"
