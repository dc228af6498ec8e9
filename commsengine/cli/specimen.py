"""What a person would see: touches of a plan rendered as they would be, without sending or recording anything.

Loaded only by the commands that show or send a specimen.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from commsengine.cadence.calendar import DAY, Hours
from commsengine.cadence.forecast import forecast, nobody
from commsengine.cadence.history import Campaign, Campaigns, History, Touch
from commsengine.cadence.people import Person, role_of
from commsengine.cadence.plan import Plan
from commsengine.cli.names import no_such
from commsengine.content.message import Message
from commsengine.content.render import Cast, Renderer
from commsengine.errors import InputError
from commsengine.links import Links

if TYPE_CHECKING:
    from commsengine.wiring import Wiring

CARRIED = ("message", "remind")


@dataclass(frozen=True, slots=True)
class Specimen:
    """One rendered touch. ``talking_points`` are the text of a touch that a human carries."""

    touch: Touch
    person: Person
    message: Message | None
    talking_points: str = ""


def audience(plan: Plan, people: tuple[Person, ...], *, email: str | None, role: str | None) -> list[Person]:
    """The person asked for; else the first of the role asked for; else the first of every role."""
    if role is not None and role not in plan.audience.roles:
        raise InputError(no_such("role", role, plan.audience.roles))
    if email is not None:
        return [_named(plan, people, email)]
    wanted = [role] if role else list(plan.audience.roles)
    firsts = (next((each for each in people if role_of(plan.audience, each) == name), None) for name in wanted)
    found = [person for person in firsts if person is not None]
    if not found:
        raise InputError(f"Nobody is in the role '{role}'.")
    return found


def _named(plan: Plan, people: tuple[Person, ...], email: str) -> Person:
    found = next((person for person in people if email.lower() in (person.email.lower(), person.id)), None)
    if found is None:
        raise InputError(no_such("person", email, [person.email for person in people]))
    if role_of(plan.audience, found) is None:
        raise InputError(f"{email} is in none of the roles of {plan.campaign}, so they would see nothing.")
    return found


def specimens(
    wiring: Wiring, plan: Plan, people: tuple[Person, ...], person: Person,
    *, message: str | None = None, number: int = 1, channel: str | None = None,
) -> Iterator[Specimen]:  # fmt: skip
    """The ``number``-th touch of each message for this person, or of one message, as if nobody had answered."""
    if message is not None and message not in [each.id for each in plan.messages]:
        raise InputError(no_such("message", message, [each.id for each in plan.messages]))
    if channel is not None:
        plan = plan.model_copy(update={"send": plan.send.model_copy(update={"channels": (channel,)})})
    renderer = specimen_renderer(wiring, plan)
    cast = _cast(plan, people, person)
    for touch in _touches(wiring, plan, person, _carriers(wiring, plan, channel)):
        wanted = touch.message == (message or touch.message)
        if wanted and touch.number == number and touch.kind in CARRIED:
            yield Specimen(touch, person, renderer.touch(touch, person, cast))
        elif wanted and number == 1 and touch.kind == "personal":
            yield Specimen(touch, person, None, _said(renderer, touch, person, cast))


def _said(renderer: Renderer, touch: Touch, person: Person, cast: Cast) -> str:
    return renderer.talking_points(touch.message, touch.role, person, cast).text


def specimen_renderer(wiring: Wiring, plan: Plan) -> Renderer:
    """A renderer whose links are signed with a key that nobody keeps: no answer can be given to a specimen."""
    links = Links(wiring.settings.links_base, [secrets.token_hex(32)])
    return Renderer(plan, wiring.templates, links, wiring.rules)


def _carriers(wiring: Wiring, plan: Plan, channel: str | None) -> frozenset[str] | None:
    """The channels that will carry it: those with credentials here, unless none has or one is asked for."""
    ready = wiring.settings.credentials
    return ready if channel is None and ready.intersection(plan.send.channels) else None


def _touches(wiring: Wiring, plan: Plan, person: Person, carriers: frozenset[str] | None) -> tuple[Touch, ...]:
    """The person's touches from the plan's first day on, once each, when nobody answers."""
    hours = Hours(plan, person)
    opens = min(hours.instant_of(plan, message.opens) for message in plan.messages) - DAY
    closes = max(hours.instant_of(plan, message.closes) for message in plan.messages)
    past = History(rosters={plan.campaign: opens})
    campaigns = Campaigns((Campaign(plan, opens),), wiring.rules, carriers=carriers)
    # Whoever joined lately, or leaves soon, may still be shown what the plan says.
    always = replace(person, since=None, left=None, leave=())
    return forecast(campaigns, always, past, opens, closes + dt.timedelta(minutes=1), nobody).touches


def _cast(plan: Plan, people: tuple[Person, ...], person: Person) -> Cast:
    by_email = {each.email.lower(): each for each in people}

    def known(email: str) -> Person:
        return by_email.get(email.lower(), Person(id=email.lower(), email=email.lower()))

    manager = by_email.get(person.manager.lower()) if person.manager else None
    return Cast(known(plan.owner[0]), manager, known(plan.sponsor) if plan.sponsor else None)
