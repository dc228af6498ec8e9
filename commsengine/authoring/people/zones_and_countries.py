"""Time zones, countries and regions: whether a name exists, and which one was meant."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

from commsengine.text import listed, near_names, near_or
from commsengine.translation import _, cached

_NOT_ISO = ("EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "DG", "EA", "IC", "TA", "CQ")
_SPOKEN = {"UK": "GB", "USA": "US", "ENGLAND": "GB", "KOREA": "KR", "HOLLAND": "NL", "UAE": "AE"}


@cache
def zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


@cached
def zone_fix(written: str) -> str | None:
    """``None`` for a known time zone, else what to write instead."""
    if written in zone_names():
        return None
    if re.search(r"[+-]\d|^\d|^UTC.", written):
        return _("Write a place instead of an offset, for example 'Europe/Berlin': places know about summer time.")
    cities = {name.rpartition("/")[2].casefold(): name for name in sorted(zone_names(), reverse=True) if "/" in name}
    if same := cities.get(written.replace(" ", "_").casefold()):
        return _("Did you mean {names}?", names=f"'{same}'")
    return near_or(written, zone_names(), _("Write a place such as 'Europe/Berlin' or 'Asia/Seoul'."), 2)


@cache
def _countries() -> dict[str, str]:
    from babel import Locale  # noqa: PLC0415 - it is large, and few commands need it

    named = Locale("en").territories
    return {code: name for code, name in named.items() if re.fullmatch("[A-Z]{2}", code) and code not in _NOT_ISO}


@cached
def country_fix(written: str) -> str | None:
    """``None`` for a known ISO country code (two capital letters), else what to write instead."""
    known = _countries()
    if written in known:
        return None
    if spoken := _SPOKEN.get(written.upper()):
        return _("Write '{name}'.", name=spoken)
    codes = {name.casefold(): code for code, name in known.items()}
    near = near_names(written, codes, 1) if len(written) > 3 else []
    if near:
        return _("Write '{name}'.", name=codes[near[0]])
    return _("Write the two letters of ISO 3166, for example 'DE' or 'KR', or leave the cell empty.")


@cache
def _regions() -> dict[str, list[str]]:
    import holidays  # noqa: PLC0415 - the same

    return holidays.list_supported_countries(include_aliases=True)


@cached
def region_fix(country: str, written: str) -> str | None:
    """``None`` for a region with known holidays, or a country without regional ones; else what to write."""
    known = _regions().get(country, [])
    if not known or written in known:
        return None
    if (bare := written.upper().removeprefix(f"{country}-")) in known:
        return _("Write '{name}'.", name=bare)
    some = listed(known[:3])
    instead = _("Write a region of {country}, such as {names}, or leave the cell empty.", country=country, names=some)
    return near_or(written, known, instead)
