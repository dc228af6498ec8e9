"""What a person would see: touches of a plan rendered as they would be, without sending or recording anything.

No preview can be answered: its links are signed with a key that is thrown away.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from commsengine.cadence.audience import is_kept_out, role_of, takes_part
from commsengine.cadence.calendar import DAY, Hours, last_closing
from commsengine.cadence.forecast import forecast, no_answers
from commsengine.cadence.history import Campaign, Campaigns, History, Touch
from commsengine.cadence.kinds_and_states import CARRIED, ChannelName
from commsengine.cadence.managers_first import reports_of
from commsengine.cadence.people import Person, by_address
from commsengine.cadence.phases import opened_in_time
from commsengine.cadence.plan import Plan, Workspace
from commsengine.content.message import RenderedMessage
from commsengine.content.person_values import Signers
from commsengine.content.render import Renderer
from commsengine.errors import InputError
from commsengine.links import Links
from commsengine.planning.plan_on_disk import CheckedPlan, corrected_texts
from commsengine.store.store import Store
from commsengine.text import no_such
from commsengine.translation import N_, _


@dataclass(frozen=True, slots=True)
class PreviewBasis:
    """``carriers`` are the channels with credentials; ``store`` is ``None`` before there is a database."""

    rules: Workspace
    templates: Mapping[str, str]
    links_base: str
    carriers: frozenset[str]
    store: Store | None


@dataclass(frozen=True, slots=True)
class PreviewTouch:
    """One rendered touch; ``talking_points`` if a human carries it.

    ``goes_by`` is the channel that will carry it; the touch may be shown as another one has it.
    """

    touch: Touch
    person: Person
    message: RenderedMessage | None
    goes_by: str
    talking_points: str = ""

    def as_data(self) -> dict[str, Any]:
        """By documented names (docs/commands.md)."""
        touch, shown = self.touch, self.message
        about = {
            "person": self.person.email,
            "role": touch.role,
            "message": touch.message,
            "kind": touch.kind,
            "touch": touch.number,
            "at": touch.due_at,
            "channel": touch.channel,
            "goes_out": touch.channel == self.goes_by,
        }
        if shown is None:
            return {**about, "text": self.talking_points}
        return {**about, "subject": shown.subject, "text": shown.text, "html": shown.html, "blocks": shown.blocks}


def preview_people(checked_plan: CheckedPlan, *, email: str | None, role: str | None) -> list[Person]:
    """The person asked for; else the first of the role asked for; else the first of every role."""
    plan, people = checked_plan.plan, checked_plan.people
    if role is not None and role not in plan.audience.roles:
        raise InputError(no_such(N_("role"), role, plan.audience.roles))
    if email is not None:
        return [_named(plan, people, email)]
    wanted = [role] if role else list(plan.audience.roles)
    firsts = (next((each for each in people if role_of(plan, each) == name), None) for name in wanted)
    found = [person for person in firsts if person is not None]
    if not found:
        raise InputError(_("Nobody is in the role '{role}'.", role=role))
    return found


def _named(plan: Plan, people: tuple[Person, ...], email: str) -> Person:
    found = next((person for person in people if email.lower() in (person.email.lower(), person.id)), None)
    if found is None:
        raise InputError(no_such(N_("person"), email, [person.email for person in people]))
    past = History(reports=reports_of(plan, people).get(found.id, ()))
    if not takes_part(Campaign(plan, _beginning(plan, found)), found, past):
        if is_kept_out(plan, found):
            cause = N_("{person} sponsors {campaign} and is no member of its audience, so they would see nothing.")
            fix = _("Write 'sponsor: {{email: {person}, in_audience: true}}' if they should.", person=found.email)
            raise InputError(_(cause, person=email, campaign=plan.campaign), fix)
        cause = N_("{person} is in none of the roles of {campaign}, so they would see nothing.")
        raise InputError(_(cause, person=email, campaign=plan.campaign))
    return found


def previews(
    basis: PreviewBasis,
    checked_plan: CheckedPlan,
    person: Person,
    *,
    message: str | None = None,
    number: int = 1,
    channel: ChannelName | None = None,
) -> Iterator[PreviewTouch]:
    """The ``number``-th touch of each message for this person, or of one message, as if there were no answers.

    Each as ``channel`` shows it, else once for every channel of the plan, first the one that will carry it.
    """
    plan = checked_plan.plan
    if message is not None:
        _refuse_unknown(plan, message)
    links = Links(basis.links_base, [secrets.token_hex(32)])  # the key is not kept: no answer can be given to a preview
    renderer = Renderer(plan, basis.templates, links, basis.rules)
    signers = _signers(basis.store, checked_plan, person)
    for touch in _touches(basis, checked_plan, person):
        wanted, by = touch.message == (message or touch.message), touch.channel
        if wanted and touch.number == number and touch.kind in CARRIED:
            for name in [channel] if channel else dict.fromkeys([by, *plan.send.channels]):
                # as it is for people who got the wrong one
                shown = replace(touch, channel=name, corrects=plan.message(touch.message).corrects or "")
                yield PreviewTouch(shown, person, renderer.touch(shown, person, signers), by)
        elif wanted and number == 1 and touch.kind == "personal":
            talking_points = renderer.talking_points(touch.message, touch.role, person, signers).text
            yield PreviewTouch(touch, person, None, by, talking_points)


def _refuse_unknown(plan: Plan, message: str) -> None:
    if message not in [each.id for each in plan.messages]:
        raise InputError(no_such(N_("message"), message, [each.id for each in plan.messages]))
    if message in plan.corrected:
        corrected = next(corrected_texts({message: plan.corrected[message]}))
        raise InputError(corrected, _("Name the correction: --message {message}", message=plan.corrected[message]))


def _beginning(plan: Plan, person: Person) -> dt.datetime:
    # long enough before everything for managers who get it first
    hours, days = Hours(plan, person), max(message.managers_first or 0 for message in plan.messages)
    opens = min(hours.instant_of(plan, message.opens) for message in plan.messages)
    return hours.midnight(hours.after_working_days(hours.local_date(opens), -days)) - DAY


def _touches(basis: PreviewBasis, checked_plan: CheckedPlan, person: Person) -> tuple[Touch, ...]:
    plan, opens = checked_plan.plan, _beginning(checked_plan.plan, person)
    closes = last_closing(plan, [person])
    reports = reports_of(plan, checked_plan.people).get(person.id, ())
    past = History(rosters={plan.campaign: opens}, reports=reports)
    # Where no channel of the plan has credentials, as on a lead's own machine, all are supposed.
    carriers = basis.carriers if basis.carriers.intersection(plan.send.channels) else None
    mine = Campaign(plan, opens, opened=opened_in_time(plan, {}, opens))
    campaigns = Campaigns((mine,), basis.rules, carriers=carriers)
    # People who joined lately, or leave soon, may still be shown what the plan says.
    always = replace(person, since=None, left=None, leave=())
    return forecast(campaigns, always, past, opens, closes + dt.timedelta(minutes=1), no_answers).touches


def _signers(store: Store | None, checked_plan: CheckedPlan, person: Person) -> Signers:
    # Lead, manager and sponsor need not stand in the plan's own people file.
    plan = checked_plan.plan
    named = [email for email in (plan.owner[0], plan.sponsor_email, person.manager) if email]
    by_email = dict(store.people.by_emails(named)) if store else {}
    by_email |= {each.email.lower(): each for each in checked_plan.people}

    def known(email: str) -> Person:
        return by_email.get(email.lower()) or by_address(email)

    manager = by_email.get(person.manager.lower()) if person.manager else None
    return Signers(known(plan.owner[0]), manager, known(plan.sponsor.email) if plan.sponsor else None)
