"""A thank-you restarts no clock; anything that asks, objects or says more does."""

from __future__ import annotations

import pytest

from mailml.lab.thanks import LONGEST, is_thanks

THANKS = [
    "Thanks!",
    "Hello Tim,\n\nThank you Marek, everything is fine again.\n\nBest regards,\nRuth",
    "OK, noted, I will try that on Monday.",
    "Danke, hat geklappt!",
    "Sehr geehrte Damen und Herren,\n\nvielen Dank für die rasche Antwort.\n\nMit freundlichen Grüßen\nEva",
    "Parfait, merci pour votre rapidité.\n\nMerci d'avance,\nHélène",
    "Muchas gracias, solucionado.",
    "Dank je wel, opgelost.",
    "Grazie mille!",
    "Dziękuję bardzo.",
    "Tack så mycket!",
]
NOT_THANKS = [
    "",
    "Thanks, but it is still broken.",
    "Thank you. When will it be delivered?",
    "Danke, aber es geht nicht.",
    "Merci de confirmer la date.",
    "Merci, mais cela ne fonctionne pas.",
    "Gracias, pero sigue igual.",
    "Please send invoice 4711.\n\nThanks in advance,\nTom",
    "You promised a credit note on Wednesday.",
    "Thanks for your answer. We want to order forty more terminals for the new branch and need an offer by "
    "Friday with the discount that your colleague mentioned on the phone last week.",
]


@pytest.mark.parametrize("own", THANKS)
def test_thanks_are_known(own: str) -> None:
    """Short thanks in many languages, with greeting and name around them."""
    assert is_thanks(own)


@pytest.mark.parametrize("own", NOT_THANKS)
def test_whoever_asks_or_objects_waits(own: str) -> None:
    """A customer who wants something is never taken for one who only thanks."""
    assert not is_thanks(own)


def test_long_text_is_not_read() -> None:
    """What is longer than a thank-you costs nothing, however hostile it is."""
    assert not is_thanks("thanks " * LONGEST)
    assert not is_thanks("\u0301" * 100_000)
