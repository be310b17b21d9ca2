"""Public holidays by country and part of it, from the `holidays` library, loaded when first asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache


@lru_cache(maxsize=1)
def supported() -> Mapping[str, list[str]]:
    """The countries whose holidays are known, by ISO 3166 code, each with the codes of its parts."""
    import holidays

    return holidays.list_supported_countries()


@lru_cache(maxsize=512)
def public_holidays(country: str, subdiv: str, year: int) -> Mapping[date, str]:
    """The public holidays of one year with their English names, where the library has those."""
    import holidays

    # one object per year: asking by year keeps a replay of a long history from growing one object for ever
    plain = holidays.country_holidays(country, subdiv=subdiv or None, years=year)
    if "en_US" not in plain.supported_languages:
        return dict(plain)
    return dict(holidays.country_holidays(country, subdiv=subdiv or None, years=year, language="en_US"))
