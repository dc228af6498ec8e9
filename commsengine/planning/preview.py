"""What a person would see: touches of a plan rendered as they would be, without sending or recording anything.

Loaded only by the commands that show or send a specimen.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from commsengine.cadence.calendar import DAY, Hours, last_closing
from commsengine.cadence.forecast import forecast, no_answers
from commsengine.cadence.history import Campaign, Campaigns, History, Touch
from commsengine.cadence.people import Person, role_of
from commsengine.cadence.plan import Plan
from commsengine.cadence.terms import ChannelName
from commsengine.cli.arguments import no_such, told_corrected
from commsengine.content.message import RenderedMessage
from commsengine.content.render import Renderer
from commsengine.content.values import Signers
from commsengine.errors import InputError
from commsengine.links import Links

if TYPE_CHECKING:
    from commsengine.wiring import Wiring

CARRIED = ("message", "remind")


@dataclass(frozen=True, slots=True)
class PreviewTouch:
    """One rendered touch. ``talking_points`` are the text of a touch that a human carries.

    ``goes_by`` is the channel that will carry it, as far as is known; the touch may be shown as another one has it.
    """

    touch: Touch
    person: Person
    message: RenderedMessage | None
    goes_by: str
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


def previews(
    wiring: Wiring, plan: Plan, people: tuple[Person, ...], person: Person,
    *, message: str | None = None, number: int = 1, channel: ChannelName | None = None,
) -> Iterator[PreviewTouch]:  # fmt: skip
    """The ``number``-th touch of each message for this person, or of one message, as if nobody had answered.

    Each as ``channel`` shows it, else once for every channel of the plan, first the one that will carry it.
    """
    if message is not None and message not in [each.id for each in plan.messages]:
        raise InputError(no_such("message", message, [each.id for each in plan.messages]))
    if message is not None and message in plan.corrected:
        told = next(told_corrected({message: plan.corrected[message]}))
        raise InputError(told, f"Name the correction: --message {plan.corrected[message]}")
    renderer = preview_renderer(wiring, plan)
    signers = _signers(wiring, plan, people, person)
    for touch in _touches(wiring, plan, person, _carriers(wiring, plan)):
        wanted, by = touch.message == (message or touch.message), touch.channel
        if wanted and touch.number == number and touch.kind in CARRIED:
            for name in [channel] if channel else dict.fromkeys([by, *plan.send.channels]):
                shown = replace(touch, channel=name)
                yield PreviewTouch(shown, person, renderer.touch(shown, person, signers), by)
        elif wanted and number == 1 and touch.kind == "personal":
            yield PreviewTouch(touch, person, None, by, _said(renderer, touch, person, signers))


def _said(renderer: Renderer, touch: Touch, person: Person, signers: Signers) -> str:
    return renderer.talking_points(touch.message, touch.role, person, signers).text


def preview_renderer(wiring: Wiring, plan: Plan) -> Renderer:
    """A renderer whose links are signed with a key that nobody keeps: no answer can be given to a specimen."""
    links = Links(wiring.settings.links_base, [secrets.token_hex(32)])
    return Renderer(plan, wiring.templates, links, wiring.rules)


def _carriers(wiring: Wiring, plan: Plan) -> frozenset[str] | None:
    """The channels that will carry it: those with credentials here, unless none has."""
    ready = wiring.settings.credentials
    return ready if ready.intersection(plan.send.channels) else None


def _touches(wiring: Wiring, plan: Plan, person: Person, carriers: frozenset[str] | None) -> tuple[Touch, ...]:
    """The person's touches from the plan's first day on, once each, when nobody answers."""
    hours = Hours(plan, person)
    opens = min(hours.instant_of(plan, message.opens) for message in plan.messages) - DAY
    closes = last_closing(plan, [person])
    past = History(rosters={plan.campaign: opens})
    campaigns = Campaigns((Campaign(plan, opens),), wiring.rules, carriers=carriers)
    # Whoever joined lately, or leaves soon, may still be shown what the plan says.
    always = replace(person, since=None, left=None, leave=())
    return forecast(campaigns, always, past, opens, closes + dt.timedelta(minutes=1), no_answers).touches


def _signers(wiring: Wiring, plan: Plan, people: tuple[Person, ...], person: Person) -> Signers:
    """Lead, manager and sponsor need not stand in the plan's own people file."""
    named = [email for email in (plan.owner[0], plan.sponsor, person.manager) if email]
    by_email = dict(wiring.store.people.by_emails(named)) if wiring.has_database else {}
    by_email |= {each.email.lower(): each for each in people}

    def known(email: str) -> Person:
        return by_email.get(email.lower(), Person(id=email.lower(), email=email.lower()))

    manager = by_email.get(person.manager.lower()) if person.manager else None
    return Signers(known(plan.owner[0]), manager, known(plan.sponsor) if plan.sponsor else None)
