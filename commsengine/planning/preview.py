"""What a person would see: touches of a plan rendered as they would be, without sending or recording anything.

No preview can be answered: its links are signed with a key that is thrown away.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from commsengine.cadence.audience import is_for, is_kept_out, role_of, takes_part
from commsengine.cadence.calendar import DAY, Hours, last_closing
from commsengine.cadence.forecast import Forecast, all_answer, forecast, messages_of, no_answers
from commsengine.cadence.history import Campaign, Campaigns, DirectReport, History, Touch
from commsengine.cadence.kinds_and_states import CARRIED, HUMAN, ChannelName, channel_of
from commsengine.cadence.managers_first import briefs
from commsengine.cadence.people import Person, by_address
from commsengine.cadence.phases import opened_in_time
from commsengine.cadence.plan import Message, Plan, Workspace
from commsengine.content.message import RenderedMessage
from commsengine.content.person_values import Signers
from commsengine.content.render import Renderer
from commsengine.errors import InputError
from commsengine.links import Links
from commsengine.planning.plan_on_disk import CheckedPlan, corrected_texts
from commsengine.store.store import Store
from commsengine.text import no_such
from commsengine.translation import N_, _

LETTER = channel_of(HUMAN)
"""The channel that shows a message as mail."""


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

    ``goes_by`` is the channel that will carry it; the touch may be shown as another one has it. ``letter`` is the same
    as mail. ``unsent`` says why it is not sent to this person, as the plan stands. ``language`` is the one it is
    written in.
    """

    touch: Touch
    person: Person
    message: RenderedMessage | None
    goes_by: str
    talking_points: str = ""
    letter: RenderedMessage | None = None
    unsent: str = ""
    language: str = ""

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
            "goes_out": touch.channel == self.goes_by and not self.unsent,
            "unsent": self.unsent,
            "language": self.language,
        }
        if shown is None:
            return {**about, "text": self.talking_points}
        html = self.letter.html if self.letter else shown.html
        return {**about, "subject": shown.subject, "text": shown.text, "html": html, "blocks": shown.blocks}


@dataclass(frozen=True, slots=True)
class SeenTouch:
    """``unsent`` says why it is not sent to this person, as the plan stands; empty for one that is."""

    touch: Touch
    unsent: str = ""


def preview_people(checked_plan: CheckedPlan, *, email: str | None, role: str | None) -> list[Person]:
    """The person asked for; else the first of the role asked for; else the first of every role."""
    plan, people = checked_plan.plan, checked_plan.people
    if role is not None and role not in plan.audience.roles:
        raise InputError(no_such(N_("role"), role, plan.audience.roles))
    if email is not None:
        return [_named(checked_plan, email)]
    wanted = [role] if role else list(plan.audience.roles)
    firsts: dict[str | None, Person] = {}
    for group in people.groups(plan):
        firsts.setdefault(role_of(plan, group.first), group.first)
    found = [firsts[name] for name in wanted if name in firsts]
    if not found:
        raise InputError(_("There is no person in the role '{role}'.", role=role))
    return found


def _named(checked_plan: CheckedPlan, email: str) -> Person:
    plan, found = checked_plan.plan, checked_plan.people.find(email)
    if found is None:
        raise InputError(no_such(N_("person"), email, checked_plan.people.near(email)))
    past = History(reports=reports_in(checked_plan, found))
    if not takes_part(Campaign(plan, _beginning(plan, found)), found, past):
        if is_kept_out(plan, found):
            cause = N_("{person} sponsors {campaign} and is not in its audience, so they get nothing.")
            fix = _("Write 'sponsor: {{email: {person}, in_audience: true}}' if they should.", person=found.email)
            raise InputError(_(cause, person=email, campaign=plan.campaign), fix)
        cause = N_("{person} is in none of the roles of {campaign}, so they get nothing.")
        raise InputError(_(cause, person=email, campaign=plan.campaign))
    return found


def reports_in(checked_plan: CheckedPlan, person: Person) -> tuple[DirectReport, ...]:
    """Whom the person leads, where the plan tells managers first."""
    plan = checked_plan.plan
    rosters = frozenset({plan.campaign}) if plan.audience.people else frozenset[str]()
    led = checked_plan.people.reports(person) if briefs(plan) else ()
    return tuple(replace(one, rosters=rosters) for one in led)


def languages(basis: PreviewBasis, plan: Plan) -> tuple[str, ...]:
    """Those in which the plan is written, its own first."""
    own = plan.language or basis.rules.language
    return tuple(dict.fromkeys([own, *plan.languages]))


def previews(
    basis: PreviewBasis,
    checked_plan: CheckedPlan,
    person: Person,
    *,
    message: str | None = None,
    number: int | None = 1,
    channel: ChannelName | None = None,
    language: str | None = None,
) -> Iterator[PreviewTouch]:
    """The ``number``-th touch of each message for this person, or of one message, as if there were no answers; with
    ``None`` every touch.

    Each as ``channel`` shows it, else once for every channel of the plan, first the one that will carry it. Raises
    ``InputError`` for an unknown ``message``, and one that is never sent to this person.
    """
    plan = checked_plan.plan
    if message is not None:
        _refuse_unknown(plan, message)
    links = Links(basis.links_base, [secrets.token_hex(32)])  # the key is not kept: no answer can be given to a preview
    renderer = Renderer(plan, basis.templates, links, basis.rules)
    person = replace(person, language=language) if language else person
    about = (renderer, person, signers_of(basis.store, checked_plan, person))
    for seen in touches_of(basis, checked_plan, person, message):
        touch = seen.touch
        by_hand = touch.kind == "personal" and number == 1
        if number is None or (touch.number == number and touch.kind in CARRIED) or by_hand:
            yield from _shown(seen, plan, *about, channel)


def _shown(
    seen: SeenTouch, plan: Plan, renderer: Renderer, person: Person, signers: Signers, channel: ChannelName | None
) -> Iterator[PreviewTouch]:
    touch, by = seen.touch, seen.touch.channel
    roles = (touch.role, *([touch.briefing.role] if touch.briefing else []))
    language = renderer.language(person, touch.message, *roles)
    if touch.kind == "personal":
        talking_points = renderer.talking_points(touch.message, touch.role, person, signers).text
        yield PreviewTouch(touch, person, None, by, talking_points, unsent=seen.unsent, language=language)
    elif touch.kind in CARRIED:
        letter = renderer.touch(replace(touch, channel=LETTER), person, signers)
        for name in [channel] if channel else dict.fromkeys([channel_of(by), *plan.send.channels]):
            one = replace(touch, channel=name)
            message = letter if name == LETTER else renderer.touch(one, person, signers)
            yield PreviewTouch(one, person, message, by, "", letter, seen.unsent, language)


def _refuse_unknown(plan: Plan, message: str) -> None:
    if message not in [each.id for each in plan.messages]:
        raise InputError(no_such(N_("message"), message, [each.id for each in plan.messages]))
    if message in plan.corrected:
        corrected = next(corrected_texts({message: plan.corrected[message]}))
        raise InputError(corrected, _("Name the correction: --message {message}", message=plan.corrected[message]))


# -- which touches there are ----------------------------------------------------------------------


def touches_of(
    basis: PreviewBasis, checked_plan: CheckedPlan, person: Person, only: str | None = None
) -> list[SeenTouch]:
    """What this person gets if they never answer, message by message, and what of the plan is for them and does not
    reach them; with the question that follows a commitment. With ``only``, of this message.
    """
    plan = checked_plan.plan
    sent = _foreseen(basis, checked_plan, person, plan).touches
    found = list[SeenTouch]()
    for message in plan.messages:
        if message.id in plan.corrected or message.id != (only or message.id):
            continue
        # as it is for people who got the wrong one
        mine = [replace(each, corrects=message.corrects or "") for each in sent if each.message == message.id]
        found += [SeenTouch(each) for each in mine] or _unsent(basis, checked_plan, person, message)
        if message.asks_on is not None:
            asked_back = _alone(basis, checked_plan, person, message, answers=True)
            found += [SeenTouch(each) for each in asked_back if each.kind == "commitment"]
    return found


def _unsent(basis: PreviewBasis, checked_plan: CheckedPlan, person: Person, message: Message) -> list[SeenTouch]:
    plan, corrects = checked_plan.plan, message.corrects or ""
    alone = [replace(each, corrects=corrects) for each in _alone(basis, checked_plan, person, message)]
    text = N_("As the plan stands, it is not sent to them: other messages take up the {most} a week.")
    if corrects:
        text = N_("As the plan stands, only who got '{wrong}' gets it: other messages take up the {most} a week.")
    unsent = _(text, wrong=corrects, most=plan.send.at_most.per_week)
    return [SeenTouch(each, unsent) for each in alone]


def _alone(
    basis: PreviewBasis, checked_plan: CheckedPlan, person: Person, message: Message, *, answers: bool = False
) -> list[Touch]:
    """The touches of a message if it were the only one; with ``answers``, if all of them are answered."""
    update = {"messages": (message.model_copy(update={"corrects": None}),)}
    seen = _foreseen(basis, checked_plan, person, checked_plan.plan.model_copy(update=update), answers=answers)
    return list(seen.touches)


def why_nothing(basis: PreviewBasis, checked_plan: CheckedPlan, person: Person, message: str) -> str:
    """Why this message is never sent to this person."""
    last = _foreseen(basis, checked_plan, person, checked_plan.plan).last
    if not is_for(checked_plan.plan.message(message), role_of(checked_plan.plan, person) or ""):
        text = N_("'{message}' is not for {person}: their role is not among its 'to'.")
        return _(text, message=message, person=person.email)
    return next((reason.text for reason in last.reasons if reason.message == message), "")


def _beginning(plan: Plan, person: Person) -> dt.datetime:
    # long enough before everything for managers who get it first
    hours, days = Hours(plan, person), max(message.managers_first or 0 for message in plan.messages)
    opens = min(hours.instant_of(plan, message.opens) for message in plan.messages)
    return hours.midnight(hours.after_working_days(hours.local_date(opens), -days)) - DAY


def _foreseen(
    basis: PreviewBasis, checked_plan: CheckedPlan, person: Person, plan: Plan, *, answers: bool = False
) -> Forecast:
    opens, closes = _beginning(plan, person), last_closing(plan, [person])
    reports = reports_in(checked_plan, person)
    past = History(rosters={plan.campaign: opens}, reports=reports)
    # Where no channel of the plan has credentials, as on a lead's own machine, all are supposed.
    carriers = basis.carriers if basis.carriers.intersection(plan.send.channels) else None
    mine = Campaign(plan, opens, opened=opened_in_time(plan, {}, opens))
    campaigns = Campaigns((mine,), basis.rules, carriers=carriers)
    # People who joined lately, or leave soon, may still be shown what the plan says.
    always = replace(person, since=None, left=None, leave=())
    suppose = all_answer(messages_of(campaigns)) if answers else no_answers
    seen = forecast(campaigns, always, past, opens, closes + dt.timedelta(minutes=1), suppose)
    return replace(seen, touches=tuple(touch for touch in seen.touches if not touch.skip))


# -- the people in it -----------------------------------------------------------------------------


def people_in(basis: PreviewBasis, checked_plan: CheckedPlan, person: Person) -> tuple[Person, ...]:
    """The person, who signs what they get, and whom they lead."""
    signers = signers_of(basis.store, checked_plan, person)
    others = [one for one in (signers.lead, signers.manager, signers.sponsor) if one is not None]
    return (person, *others, *(one.person for one in checked_plan.people.reports(person)))


def signers_of(store: Store | None, checked_plan: CheckedPlan, person: Person) -> Signers:
    # Lead, manager and sponsor need not stand in the plan's own people file.
    plan = checked_plan.plan
    named = [email for email in (plan.owner[0], plan.sponsor_email, person.manager) if email]
    by_email = dict(store.people.by_emails(named)) if store else {}
    by_email |= {each.email.lower(): each for each in map(checked_plan.people.find, named) if each}

    def known(email: str) -> Person:
        return by_email.get(email.lower()) or by_address(email)

    manager = by_email.get(person.manager.lower()) if person.manager else None
    return Signers(known(plan.owner[0]), manager, known(plan.sponsor.email) if plan.sponsor else None)
