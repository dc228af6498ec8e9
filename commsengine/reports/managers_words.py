"""What managers hold back and the lines they add, as the leads see it, and the leads' word over it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from commsengine.cadence.people import Person
from commsengine.errors import InputError
from commsengine.store.campaign_facts.manager_words import HoldRecord, LineRecord
from commsengine.store.store import Store
from commsengine.translation import _


def managers_words(store: Store, campaign: str, now: dt.datetime) -> dict[str, list[dict[str, Any]]]:
    """``holds`` that stand and ``lines``, each with its manager."""
    holds, lines = open_holds(store, campaign, now), store.manager_words.lines(campaign)
    people = store.people.by_ids(sorted({one.person_id for one in holds} | {one.person_id for one in lines}))
    return {
        "holds": [
            {
                **_about(one, campaign, people[one.person_id]),
                "until": one.until.isoformat(),
                "since": one.at.isoformat(),
                "people": len(store.manager_words.team(one.person_id, now.date())),
            }
            for one in holds
            if one.person_id in people
        ],
        "lines": [
            {**_about(one, campaign, people[one.person_id]), "text": one.text, "since": one.at.isoformat()}
            for one in lines
            if one.person_id in people
        ],
    }


def _about(one: HoldRecord | LineRecord, campaign: str, manager: Person) -> dict[str, Any]:
    named = {"manager": manager.email, "name": manager.name or manager.email}
    return {"id": one.id, "campaign": campaign, "message": one.message, **named}


def open_holds(store: Store, campaign: str, now: dt.datetime) -> list[HoldRecord]:
    """Those that stand; the last day of one is over at its end in UTC, a few hours more or less."""
    holds = store.manager_words.holds(campaign)
    return [one for one in holds if one.withdrawn_at is None and one.until > now.date()]


def lift(store: Store, campaign: str, number: int, *, by: str, now: dt.datetime) -> None:
    """Raises ``InputError`` where no hold of that number stands."""
    one = next((each for each in open_holds(store, campaign, now) if each.id == number), None)
    if one is None:
        cause = _("There is no hold {id} in '{campaign}'.", id=number, campaign=campaign)
        raise InputError(cause, _("Run 'commsengine managers {campaign}' to see those that are.", campaign=campaign))
    store.manager_words.lift(campaign, one.message, one.person_id, by=by, now=now)


def remove_line(store: Store, campaign: str, number: int, *, by: str, now: dt.datetime) -> None:
    """Raises ``InputError`` where no line of that number stands."""
    one = next((each for each in store.manager_words.lines(campaign) if each.id == number), None)
    if one is None:
        cause = _("There is no line {id} in '{campaign}'.", id=number, campaign=campaign)
        raise InputError(cause, _("Run 'commsengine managers {campaign}' to see those that are.", campaign=campaign))
    store.manager_words.remove_line(campaign, one.message, one.person_id, by=by, now=now)
