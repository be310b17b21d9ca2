"""Whether a customer's mail after an answer is a mere "thank you": it waits for nobody and restarts no clock.

A short mail whose first words, after the greeting, are thanks or "that settles it", and that neither asks nor
objects. Where in doubt it is no thank-you: a clock too many is seen, a customer too few is not.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 400  # characters of own words; what is longer says more than thanks
_MOST_WORDS = 24
_GREETING = 6  # words of a greeting at most
_FIRST = 5  # the thanks must come this early: "... Thanks in advance" ends requests
# in the order: English, German, French, Spanish, Dutch, Italian, Portuguese, Polish, Nordic, Czech, Turkish
_THANKS = (
    "thank", "thx", "cheers", "appreciated", "dank", "merci", "gracias", "bedankt", "grazie", "obrigad",
    "dzieki", "dziekuj", "tackar", "takk", "dekuj", "diky", "tesekkur", "sagol",
)  # fmt: skip
_SETTLED = (
    "tack", "tak",
    "noted", "d'accord", "settled", "solved", "resolved", "verstanden", "erledigt", "geklappt", "regle",
    "solucionado", "resuelto", "begrepen", "opgelost", "genoteerd", "risolto", "resolvido", "perfect",
    "perfekt", "parfait", "perfecto", "prima", "genial", "great", "brilliant", "super", "entendido",
)  # fmt: skip
_OBJECTS = frozenset({
    "but", "however", "still", "not", "doesn", "didn", "cannot", "can't", "don't", "unfortunately",
    "broken", "error", "problem", "please", "sorry", "aber", "nicht", "kein", "keine", "leider", "noch",
    "bitte", "jedoch", "trotzdem", "fehler", "mais", "pas", "encore", "toujours", "malheureusement",
    "erreur", "probleme", "pero", "todavia", "aun", "sigue", "favor", "problema", "maar", "niet", "geen",
    "nog", "helaas", "fout", "ma", "non", "ancora", "purtroppo", "mas", "nao", "ainda", "ale", "nie", "men",
    "inte", "ikke", "ne", "ama",
})  # fmt: skip
# "Merci de confirmer" asks for something.
_ASKS = re.compile(r"\bmerci (?:de |d')(?!votre|vos|ton|avance)")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def is_thanks(own: str) -> bool:
    """Whether these own words of a customer (see `mailml.text`) only say thank you; in linear time."""
    if not own or len(own) > LONGEST or "?" in own or "\u00bf" in own:
        return False
    folded = unicodedata.normalize("NFKD", own.casefold().replace("\u2019", "'"))
    folded = "".join(char for char in folded if not unicodedata.combining(char))
    paragraphs = [part for part in re.split(r"\n\s*\n", folded.strip()) if part.strip()]
    # a greeting stands in a paragraph of its own and thanks nobody
    first = _WORD.findall(paragraphs[0]) if paragraphs else []
    greets = len(first) <= _GREETING and not _thankful(first) and not paragraphs[0].rstrip().endswith(".")
    if len(paragraphs) > 1 and greets:
        paragraphs = paragraphs[1:]
        first = _WORD.findall(paragraphs[0])
    if not _thankful(first[:_FIRST]) or len(_WORD.findall(" ".join(paragraphs))) > _MOST_WORDS:
        return False
    return _OBJECTS.isdisjoint(first) and not _ASKS.search(folded)


def _thankful(words: list[str]) -> bool:
    return any(word.startswith(_THANKS) or word in _SETTLED for word in words)
