"""People without a time zone, in countries with another clock than the plan: messages reach them at odd hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from commsengine.authoring.people.time_zones import Clock, clock_of, clocks_in
from commsengine.cadence.population import PeopleGroup


def clocks_of(countries: Iterable[str]) -> frozenset[frozenset[Clock]]:
    """The different sets of clocks of these countries, as far as they are known."""
    return frozenset(filter(None, map(clocks_in, set(countries))))


def by_another_clock(groups: Iterable[PeopleGroup], zone: str) -> Mapping[str, int]:
    """How many people by country have no time zone, and nowhere in their country the clock of ``zone``."""
    lacking = Counter[str]()
    for group in groups:
        one = group.first
        lacking.update({one.country: group.people} if one.country and not one.time_zone else {})
    here = clock_of(zone)
    return {country: count for country, count in sorted(lacking.items()) if here not in (clocks_in(country) or {here})}
