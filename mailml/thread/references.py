"""References short enough to read out on the telephone, and Message-IDs of ours signed to prove it."""

from __future__ import annotations

import hashlib
import hmac
import re

from mailml.errors import InputError

# Crockford's base 32: no I, L, O or U, so that nobody has to ask which letter was meant
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011")  # what people type for 0 and 1
_DASHES = "-\u2010\u2011\u2012\u2013"  # telephones turn "-" into one of these

_CODE = r"[0-9A-Z]{4}"
# a number sign or an opening bracket must stand before it: "WEEK-ENDS" in a subject is not a reference
_IN_SUBJECT = re.compile(rf"(?:#|[\[(]\s?#?)\s?({_CODE})[{_DASHES}]({_CODE})(?![0-9A-Z])", re.I | re.ASCII)
_REFERENCE = re.compile(rf"{_CODE}-{_CODE}", re.I | re.ASCII)
_OWN_ID = re.compile(
    rf"<?\s*({_CODE}-{_CODE})\.([0-9]{{1,9}})\.([0-9A-Z]{{20}})@([^\s<>@]+?)\s*>?", re.I | re.ASCII
)
_SIGNED_AS = b"mailml message-id 1\x00"


def reference_of(seed: bytes) -> str:
    """The reference of the interaction that `seed` opens, such as `K7Q2-9M4D`: always the same for one seed.

    40 bits: about one chance in a hundred of any pair alike among 150,000 interactions. Whoever stores
    references keeps them unique and, on the rare clash, asks again with a longer seed.
    """
    letters = _base32(hashlib.sha256(b"mailml reference 1\x00" + seed).digest(), 8)
    return f"{letters[:4]}-{letters[4:]}"


def find_references(subject: str) -> tuple[str, ...]:
    """The references a subject names, in order, each once; case, brackets and misread letters forgiven.

    `Re: [#k7q2-9m4d] printer` gives `("K7Q2-9M4D",)`. They prove nothing by themselves: `join` believes
    one only from a party to that interaction.
    """
    found = (_canonical(f"{a}-{b}") for a, b in _IN_SUBJECT.findall(subject))
    return tuple(dict.fromkeys(code for code in found if code))


def own_message_id(reference: str, n: int, domain: str, key: bytes) -> str:
    """The signed Message-ID of our `n`th message in an interaction: `<K7Q2-9M4D.1.SIGNATURE@domain>`.

    The same arguments give the same id, so it is stable across retries. The signature is 100 bits of
    HMAC-SHA-256 in letters that survive a server that changes case. Raises `InputError` without a key.
    """
    canonical = _canonical(reference)
    if not canonical or not 0 <= n < 10**9 or not domain or re.search(r"[\s<>@]", domain):
        raise InputError(
            f"no Message-ID can be made of reference {reference!r}, number {n}, domain {domain!r}"
        )
    if not key:
        raise InputError(
            "Message-IDs of ours need a key to be signed with", cure="Set the loop key of serve."
        )
    return f"<{canonical}.{n}.{_signature(canonical, n, domain, key)}@{domain}>"


def verify_own_message_id(message_id: str, key: bytes) -> str | None:
    """The reference inside a Message-ID of ours, or None when it is not one or its signature is wrong.

    Case and angle brackets do not matter. Without a key nothing is ours.
    """
    match = _OWN_ID.fullmatch(message_id.strip()) if key else None
    if match is None:
        return None
    code, n, signature, domain = match.groups()
    canonical = _canonical(code)
    expected = _signature(canonical, int(n), domain, key)
    return canonical if canonical and hmac.compare_digest(expected, signature.upper()) else None


def _canonical(reference: str) -> str:
    """The reference in its one spelling, "" if it cannot be one."""
    letters = reference.strip().lstrip("#").upper().translate(_MISREAD)
    good = _REFERENCE.fullmatch(letters) and all(letter in ALPHABET for letter in letters.replace("-", ""))
    return letters if good else ""


def _signature(reference: str, n: int, domain: str, key: bytes) -> str:
    signed = f"{reference}.{n}@{domain.lower()}".encode("utf-8", "surrogateescape")
    return _base32(hmac.new(key, _SIGNED_AS + signed, hashlib.sha256).digest(), 20)


def _base32(digest: bytes, length: int) -> str:
    number = int.from_bytes(digest, "big")
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(length))
