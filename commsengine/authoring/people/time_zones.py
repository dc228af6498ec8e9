"""Time zones as systems write them: names of the tz database, of Windows and of cities; what is not sure is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from commsengine.text import either, near_or
from commsengine.translation import _, cached

_AMBIGUOUS = {
    "AST": "Canada/Atlantic, Asia/Riyadh",
    "BST": "Europe/London, Asia/Dhaka",
    "CST": "America/Chicago, Asia/Shanghai, America/Havana",
    "CDT": "America/Chicago, America/Havana",
    "EST": "America/New_York, Australia/Sydney, America/Panama",
    "EDT": "America/New_York",
    "ECT": "America/Guayaquil, Europe/Paris",
    "GST": "Asia/Dubai, Atlantic/South_Georgia",
    "IST": "Asia/Kolkata, Europe/Dublin, Asia/Jerusalem",
    "LST": "Asia/Riyadh",
    "MST": "America/Denver, America/Phoenix, Asia/Kuala_Lumpur",
    "MDT": "America/Denver",
    "PST": "America/Los_Angeles, Asia/Manila",
    "PDT": "America/Los_Angeles",
    "SST": "Asia/Singapore, Pacific/Pago_Pago",
    "WST": "Australia/Perth, Pacific/Apia",
    "AEST": "Australia/Sydney, Australia/Brisbane",
    "ACST": "Australia/Adelaide, Australia/Darwin",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "HKT": "Asia/Hong_Kong",
    "SGT": "Asia/Singapore",
    "PHT": "Asia/Manila",
    "CEST": "Europe/Berlin, Europe/Paris",
    "EEST": "Europe/Helsinki, Europe/Athens",
    "WEST": "Europe/Lisbon",
    "MEZ": "Europe/Berlin, Europe/Vienna, Europe/Zurich",
    "MESZ": "Europe/Berlin, Europe/Vienna, Europe/Zurich",
    "MSK": "Europe/Moscow",
    "BRT": "America/Sao_Paulo",
    "ART": "America/Argentina/Buenos_Aires",
    "NZST": "Pacific/Auckland",
    "SAST": "Africa/Johannesburg",
    "WAT": "Africa/Lagos",
    "EAT": "Africa/Nairobi",
    "PKT": "Asia/Karachi",
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles, Europe/Lisbon",
}
"""Abbreviations, and the places that may be meant. Some stand for one place, but none knows about summer time."""

_SPOKEN = {
    "eastern time": "America/New_York",
    "central time": "America/Chicago",
    "mountain time": "America/Denver",
    "pacific time": "America/Los_Angeles",
    "alaska": "America/Anchorage",
    "hawaii": "Pacific/Honolulu",
    "arizona": "America/Phoenix",
    "indiana (east)": "America/Indiana/Indianapolis",
    "atlantic time": "America/Halifax",
    "utc": "UTC",
}
"""What web applications write for zones of North America, without ``(US & Canada)``."""

_OFFSET = re.compile(
    r"^\s*[(\[]?\s*(?:GMT|UTC)?\s*[+-±]?\s*\d{1,2}[:.]?\d{0,2}\s*[)\]]?\s*|^[(\[](?:GMT|UTC)[)\]]\s*", re.IGNORECASE
)
_WINTER, _SUMMER = dt.datetime(2027, 1, 15, 12, tzinfo=dt.UTC), dt.datetime(2027, 7, 15, 12, tzinfo=dt.UTC)


@cache
def zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _by_small_name() -> Mapping[str, str]:
    return {name.casefold(): name for name in sorted(zone_names(), reverse=True)}


@cache
def _by_city() -> Mapping[str, str]:
    # Two zones of one city, as America/Indiana/Knox and US/…, are names of one zone: those of continents come first.
    cities: dict[str, str] = {}
    for name in sorted(zone_names()):
        area, _slash, city = name.rpartition("/")
        if area and area.partition("/")[0] not in (
            "Etc",
            "US",
            "Canada",
            "Brazil",
            "Mexico",
            "Chile",
            "posix",
            "right",
            "SystemV",
        ):
            cities.setdefault(city.casefold(), name)
    return cities


@cache
def _windows() -> Mapping[str, str]:
    from babel.core import get_global  # noqa: PLC0415 - it is large, and few commands need it

    return {name.casefold(): _NEW_NAMES.get(zone, zone) for name, zone in get_global("windows_zone_mapping").items()}


_NEW_NAMES = {
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Europe/Kiev": "Europe/Kyiv",
    "America/Godthab": "America/Nuuk",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Indianapolis": "America/Indiana/Indianapolis",
}
"""CLDR keeps the first name that a zone ever had."""


@lru_cache(maxsize=4096)
def zone_of(written: str, country: str = "") -> str:
    """The name of the tz database, in the person's country where a name stands for several; empty if not sure."""
    if places := _ambiguous(written):
        there = [place for place in places.split(", ") if place in _of_country(country)]
        return there[0] if len(there) == 1 else ""
    return next(filter(None, _readings(" ".join(written.split()), country)), "")


def _readings(written: str, country: str) -> Iterator[str]:
    small = written.casefold()
    yield written if written in zone_names() else _by_small_name().get(small.replace(" ", "_"), "")
    if windows := _windows().get(small):
        yield _in_country(windows, country)
    yield _by_city().get(small.replace(" ", "_"), "")
    place = _OFFSET.sub("", written)
    if place == written and "(" not in written:
        return
    named = re.search(r"[A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?", written)
    yield _by_small_name().get(named[0].casefold(), "") if named else ""
    spoken = re.sub(r"\s*\(us & canada\)", "", place.casefold())
    yield _SPOKEN.get(spoken, "")
    yield _in_country(_windows().get(place.casefold(), ""), country)
    inside = re.findall(r"\(([^()]*[^()\d:+-][^()]*)\)", place)
    cities = [city.strip().casefold().replace(" ", "_") for city in ", ".join([place, *inside]).split(",")]
    zones = [_by_city()[city] for city in cities if city in _by_city()]
    yield next((zone for zone in zones if zone in _of_country(country)), "")
    yield from (_in_country(zone, country) for zone in zones)


def _in_country(zone: str, country: str) -> str:
    """The country's own zone where it has the same time all year round."""
    if not zone or not country:
        return zone
    area = zone.partition("/")[0]
    same = [each for each in _of_country(country) if clock_of(each) == clock_of(zone)]
    near = [each for each in same if each.startswith(area)] or same
    return zone if zone in same or len(near) != 1 else near[0]


@cache
def _of_country(country: str) -> tuple[str, ...]:
    from babel.core import get_global  # noqa: PLC0415 - it is large, and few commands need it

    return tuple(
        zone for zone, place in get_global("zone_territories").items() if place == country and zone in zone_names()
    )


Clock = tuple[dt.timedelta | None, dt.timedelta | None]
"""What is added to UTC, in winter and in summer."""


def clocks_in(country: str) -> frozenset[Clock]:
    """The clocks of a country; empty for one that is not known."""
    return frozenset(clock_of(zone) for zone in _of_country(country))


@cache
def clock_of(zone: str) -> Clock:
    place = ZoneInfo(zone)
    return _WINTER.astimezone(place).utcoffset(), _SUMMER.astimezone(place).utcoffset()


def _ambiguous(written: str) -> str:
    return _AMBIGUOUS.get(written.strip().upper(), "")


@cached
def zone_fix(written: str) -> str | None:
    """``None`` for a name of the tz database, else what to write instead."""
    if places := _ambiguous(written):
        names = either(f"'{place}'" for place in places.split(", "))
        return _("Write the place that is meant: {names}.", names=names)
    if written in zone_names():
        return None
    if meant := zone_of(written):
        return _("Did you mean {names}?", names=f"'{meant}'")
    if re.search(r"[+-]\d|^\d|^UTC.", written):
        return _("Write a place instead of an offset, for example 'Europe/Berlin': places know about summer time.")
    return near_or(written, zone_names(), _("Write a place such as 'Europe/Berlin' or 'Asia/Seoul'."), 2)
