"""Advice on people without a region, in countries where regions have their own holidays."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from commsengine.cadence.calendar import public_holidays, weekend
from commsengine.cadence.population import PeopleGroup
from commsengine.text import listed
from commsengine.translation import N_, _, counted

MATTERS = 0.25
"""The share of a country's regions in which a day must be free to be worth a word."""

SHOWN = 3


@dataclass(frozen=True, slots=True)
class NoRegion:
    """So many people of a country without a region; ``day`` is free in most of it, and a working day for them."""

    country: str
    people: int
    day: dt.date
    regions: tuple[str, ...]

    @property
    def cause(self) -> str:
        people = counted(self.people, "person", "people")
        text = N_(
            "{people} in {country} without a region: a day that is free in parts of it, such as {day}, counts as work."
        )
        return _(text, people=people, country=self.country, day=self.day)

    @property
    def fix(self) -> str:
        return _("Fill the column 'region', for example with {names}.", names=listed(self.regions[:SHOWN]))


def without_region(groups: Iterable[PeopleGroup], first: dt.date, last: dt.date) -> Iterator[NoRegion]:
    """By country, for the days from ``first`` to ``last``."""
    lacking = Counter[str]()
    for group in groups:
        one = group.first
        lacking.update({one.country: group.people} if one.country and not one.region and one.left is None else {})
    for country, number in sorted(lacking.items()):
        years = range(first.year, last.year + 1)
        days = [(share, day) for year in years for day, share in _regional(country, year) if first <= day <= last]
        if days:
            _share, day = min(days, key=lambda each: (-each[0], each[1]))
            yield NoRegion(country, number, day, _regions(country, day))


@lru_cache(maxsize=256)
def _regional(country: str, year: int) -> tuple[tuple[dt.date, float], ...]:
    """The working days of a country that are free in many of its regions, with the share of these."""
    everywhere, names = public_holidays(country, "", year), _names(country)
    found = Counter(day for name in names for day in public_holidays(country, name, year) - everywhere)
    shares = {day: number / len(names) for day, number in found.items() if day.weekday() not in weekend(country)}
    return tuple((day, share) for day, share in shares.items() if share >= MATTERS)


def _regions(country: str, day: dt.date) -> tuple[str, ...]:
    return tuple(name for name in _names(country) if day in public_holidays(country, name, day.year))


@lru_cache(maxsize=256)
def _names(country: str) -> tuple[str, ...]:
    import holidays  # noqa: PLC0415 - it is large, and few commands need it

    return tuple(holidays.list_supported_countries().get(country, ()))
