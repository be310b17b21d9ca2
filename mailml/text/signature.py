"""Where what was written ends: "-- ", mobile footers, a closing with a name, a disclaimer."""

from __future__ import annotations

from mailml.text.phrases import every

_LONGEST = 15  # lines with something on them; more than that is not a signature
_WIDEST = 90  # characters of a line of an address block
_CLOSINGS = frozenset(every("closing"))
_MOBILE = every("mobile")
_MOBILE_ENDS = every("mobile_end")
_DISCLAIMER = every("disclaimer")
_CONFIDENTIAL = every("confidential")
_HEADS = frozenset(phrase[:2] for phrase in (*_MOBILE, *_DISCLAIMER))
_EDGE = " \t*_<>[]()"
_RULES = ("--", "—", "––")  # a longer row of dashes more often parts two sections of a text


def split_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines without their signature, and the signature; something is left if anything was there."""
    first = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    cut = _cut(lines, first)
    return lines[:cut], lines[cut:]


def _cut(lines: list[str], first: int) -> int:
    """The line where the signature begins, behind the first one written, or behind the last."""
    if "-- " in lines[first + 1 :]:
        return lines.index("-- ", first + 1)
    cut, seen = len(lines), 0
    # From the end upwards, so that only the last lines are looked at.
    for at in range(len(lines) - 1, first, -1):
        line = lines[at].strip()
        if not line:
            continue
        seen += 1
        kind = _kind(line)
        if kind == "disclaimer":
            cut, seen = at, 0
        elif seen > _LONGEST:
            break
        elif kind == "footer" or (kind and _narrow(lines[at + 1 : cut], 60 if kind == "rule" else _WIDEST)):
            cut = at
    return cut


def _narrow(lines: list[str], width: int) -> bool:
    """Whether all lines are as short as those of an address block."""
    return all(len(line) <= width for line in lines)


def _kind(line: str) -> str:
    """What a line says about the ones below it: "disclaimer", "footer", "closing", "rule" or nothing."""
    bare = line[:400].strip(_EDGE).lower()
    begins = bare[:2] in _HEADS  # few lines do; it spares them two hundred comparisons
    if begins and bare.startswith(_DISCLAIMER) and any(word in bare for word in _CONFIDENTIAL):
        return "disclaimer"
    if len(bare) > _WIDEST:
        return ""
    if (begins and bare.startswith(_MOBILE)) or bare.endswith(_MOBILE_ENDS):
        return "footer"
    if line in _RULES or (line[0] == "_" and not line.strip("_")):
        return "rule"
    return "closing" if bare.rstrip(",.!;:。！，、 -–").replace("  ", " ") in _CLOSINGS else ""
