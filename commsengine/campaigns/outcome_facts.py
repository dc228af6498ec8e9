"""Who did what a campaign is for: taken in from a file, by hand or from another system, and listed.

Only what was done is a fact. A person who is not on the list may have done it, and nothing is said of them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commsengine.authoring.draft import FIRST_YEAR, LAST_YEAR
from commsengine.authoring.facts_file import ToldFact
from commsengine.cadence.calendar import Hours, zone_of
from commsengine.cadence.people import ANYBODY, Person
from commsengine.cadence.plan import Plan
from commsengine.cadence.time_notation import parse_date
from commsengine.campaigns.known_campaign import known
from commsengine.errors import InputError
from commsengine.store.campaign_facts.deeds import NewDeed
from commsengine.store.person_rows import email_key
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from commsengine.text import listed, no_such
from commsengine.translation import N_, _

AHEAD = dt.timedelta(hours=14)
"""So far ahead of UTC it may be tomorrow already, somewhere."""

_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, slots=True)
class WrongFact:
    """A fact that cannot be taken in. ``code`` is unknown_person, unknown_outcome or bad_date."""

    place: int
    person: str
    code: str
    cause: str
    fix: str

    @property
    def column(self) -> str:
        return {"unknown_person": "email", "unknown_outcome": "outcome"}.get(self.code, "at")


@dataclass(frozen=True, slots=True)
class Judged:
    """Facts as they would be recorded, and those that cannot be."""

    sound: tuple[NewDeed, ...]
    wrong: tuple[WrongFact, ...]

    @property
    def unknown(self) -> list[str]:
        return list(dict.fromkeys(one.person for one in self.wrong if one.code == "unknown_person"))


def campaign_of_facts(store: Store, campaign: str | None) -> CampaignRecord:
    """The campaign of that id, or the only one with outcomes. Raises ``InputError`` where it has or is none."""
    if campaign is not None:
        record = known(store, campaign)
        if not record.plan.outcomes:
            cause = _("The plan of '{campaign}' has no outcomes.", campaign=campaign)
            fix = _("Write 'outcomes: {first_call: {title: …, by: go_live + 14d}}' and apply it.")
            raise InputError(cause, fix)
        return record
    having = [record for record in store.campaigns.all() if record.plan.outcomes and record.state != "cancelled"]
    if len(having) != 1:
        cause = _("It is not clear to which campaign these facts belong.")
        ids = [record.id for record in having]
        fix = _("Add --campaign with one of {names}.", names=listed(ids)) if ids else _("No plan has 'outcomes' yet.")
        raise InputError(cause, fix)
    return having[0]


def judge(store: Store, plan: Plan, told: Sequence[ToldFact], now: dt.datetime) -> Judged:
    """Without ``at`` it was done now; a date is that day of the person's. Without ``outcome``, the plan's only one."""
    people = _people(store, [one.person for one in told])
    sound: list[NewDeed] = []
    wrong: list[WrongFact] = []
    for one in told:
        try:
            person = _person(people, one)
            outcome = outcome_named(plan, one.named)
            sound.append(NewDeed(person.id, outcome, _instant(plan, person, one.at, now), one.ref))
        except _WrongError as error:
            wrong.append(WrongFact(one.place, one.person, error.code, error.message, error.fix))
    return Judged(tuple(sound), tuple(wrong))


class _WrongError(InputError):
    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message, fix)
        self.code = code


def _people(store: Store, names: Sequence[str]) -> Mapping[str, Person]:
    wanted = sorted({name for name in names if name and name.isprintable()})
    return {**store.people.by_emails(wanted), **store.people.by_ids(wanted)}


def _person(people: Mapping[str, Person], one: ToldFact) -> Person:
    found = people.get(one.person) or people.get(email_key(one.person))
    if found is None:
        cause = _("'{person}' is not in the directory.", person=one.person)
        cause = cause if one.person else _("This row does not say who did it.")
        raise _WrongError("unknown_person", cause, _("Correct it, or import the person first."))
    return found


def outcome_named(plan: Plan, name: str) -> str:
    """Raises ``InputError`` for an outcome that the plan does not have."""
    if not name and len(plan.outcomes) == 1:
        return next(iter(plan.outcomes))
    if name not in plan.outcomes:
        cause = no_such(N_("outcome"), name, plan.outcomes) if name else _("It does not say which outcome it is about.")
        fix = "" if name else _("Write one of {names}.", names=listed(list(plan.outcomes)))
        raise _WrongError("unknown_outcome", cause, fix)
    return name


def _instant(plan: Plan, person: Person, written: str, now: dt.datetime) -> dt.datetime:
    if not written:
        return now
    try:
        at = _read(written)
    except ValueError:
        cause = _("'{written}' is not a day.", written=written)
        fix = _("Write YYYY-MM-DD, for example 2027-03-15, or with a time 2027-03-15T14:30:00Z.")
        raise _WrongError("bad_date", cause, fix) from None
    here = zone_of(person, plan)
    if not isinstance(at, dt.datetime):
        begins = dt.datetime.combine(at, dt.time(), here).astimezone(dt.UTC)
        late = at > (now + AHEAD).date()
    else:
        begins = (at if at.tzinfo else at.replace(tzinfo=here)).astimezone(dt.UTC)
        late = begins > now + dt.timedelta(minutes=5)  # clocks differ a little
    if late:
        cause = _("'{written}' is in the future, and only what was done can be recorded.", written=written)
        raise _WrongError("bad_date", cause, _("Correct the day, or record it when it is done."))
    return begins


def _read(written: str) -> dt.date:
    """A date, or an instant. Raises ``ValueError`` for what is neither, or of another century."""
    at = _day_or_instant(written)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(written)
    return at


def _day_or_instant(written: str) -> dt.date:
    if found := _DOTTED.fullmatch(written):
        return dt.date(int(found[3]), int(found[2]), int(found[1]))
    if len(written) <= len("2027-03-15"):
        return parse_date(written)
    return dt.datetime.fromisoformat(written)


def done(store: Store, record: CampaignRecord) -> dict[str, Any]:
    """By documented names (docs/commands.md): each outcome with who did it, the first time, oldest first."""
    first: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in record.plan.outcomes}
    for one in store.deeds.of_campaign(record.id):
        theirs = first.get(one.outcome, {})
        if one.person_id in theirs:
            theirs[one.person_id]["again"] += 1
        elif one.outcome in first:
            about = {"person": one.person or one.person_id, "name": one.name, "at": one.at, "source": one.source}
            theirs[one.person_id] = {**about, "again": 0}
    hours = Hours(record.plan, ANYBODY)
    outcomes = [
        {
            "outcome": name,
            "title": planned.title,
            "by": str(planned.by),
            "day": hours.local_date(hours.instant_of(record.plan, planned.by)).isoformat(),
            "done": list(first[name].values()),
        }
        for name, planned in record.plan.outcomes.items()
    ]
    return {"campaign": record.id, "outcomes": outcomes}
