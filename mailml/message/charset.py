"""Bytes to text under any charset label, right, wrong, unknown or missing.

Labels follow what browsers do (WHATWG Encoding): latin-1 means windows-1252, gb2312 means gb18030, because
that is what mailers that write those labels send.
"""

from __future__ import annotations

import codecs
from functools import lru_cache

_MEANT = {
    "ansi_x3.110-1983": "cp1252",
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "cp-850": "cp850",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-9": "cp1254",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "latin1": "cp1252",
    "shift-jis": "cp932",
    "shift_jis": "cp932",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "us-ascii": "cp1252",
    "utf8mb4": "utf-8",
    "windows-874": "cp874",
    "x-sjis": "cp932",
}
# Python's idna and punycode decoders are quadratic, the escape codecs are no charsets, `undefined` raises.
_REFUSED = frozenset(["idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"])
_LONGEST_LABEL = 40


@lru_cache(maxsize=256)
def codec_of(label: str) -> str:
    """The Python codec that a charset label means, "" for an unknown one."""
    if len(label) > _LONGEST_LABEL:
        return ""
    name = label.strip().strip("'\"").lower()
    name = _MEANT.get(name, name)
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    if info.name.replace("-", "_") in _REFUSED or not getattr(info, "_is_text_encoding", True):
        return ""
    return "cp1252" if info.name in ("ascii", "iso8859-1") else info.name


def decode(data: bytes, label: str = "") -> tuple[str, str]:
    """Text of `data` as labelled, else as it looks, and a sentence on what was repaired ("" if nothing)."""
    if not label or (label.isascii() and label.lower() in ("us-ascii", "ascii")):
        return _guess(data, "8-bit text without a charset" if not label else "8-bit text labelled us-ascii")
    codec = codec_of(label)
    if not codec:
        return _guess(data, "")[0], f"unknown charset {label[:_LONGEST_LABEL]!r}"
    try:
        text = data.decode(codec)
        return (_whole(text) if codec == "utf-7" else text), ""
    except (UnicodeError, ValueError):
        pass
    return _mend(data, codec), f"bytes that are not {codec}"


def _guess(data: bytes, complaint: str) -> tuple[str, str]:
    """UTF-8 where it is valid (mojibake almost never is), else windows-1252."""
    try:
        return data.decode("ascii"), ""
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("utf-8"), complaint
    except UnicodeDecodeError:
        return _western(data), complaint


def _mend(data: bytes, codec: str) -> str:
    """As labelled with replacement characters, unless another reading is plainly better."""
    if codec != "utf-8":
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if codec == "cp1252":
        return _western(data)
    text = data.decode(codec, "replace")
    wrong = text.count("\ufffd")
    # Latin-1 under a UTF-8 label: hardly any multi-byte character is valid.
    if codec == "utf-8" and wrong > (len(data) - len(text)) // 2:
        return _western(data)
    return _whole(text)


def _western(data: bytes) -> str:
    """windows-1252 with its five holes read as latin-1: defined for every byte."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _whole(text: str) -> str:
    """Without lone surrogates, which UTF-7 can produce and no file or database takes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
