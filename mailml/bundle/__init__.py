"""Bundle <-> directory: format number, hashes, versions, signature, card; and the desk it is made for."""

from __future__ import annotations

from mailml.bundle import desk
from mailml.bundle.bundle import Bundle, check_rules, write
from mailml.bundle.desk import Desk
from mailml.bundle.differences import differences
from mailml.bundle.signing import fingerprint, is_signed, make_keys, sign, verify

__all__ = ["Bundle", "Desk", "check_rules", "desk", "differences", "fingerprint", "is_signed", "make_keys",
           "sign", "verify", "write"]  # fmt: skip
