"""A manager's desk, for the page and for Slack: whom of their own people to call, what came of it, and what goes out in
their name.

Only for their own people: whom the directory has under them now, with the people of leavers below them. Who leads a
campaign finds all its calls here, too, and may record what came of each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from commsengine.cadence.audience import is_for, role_of, roles_of
from commsengine.cadence.calendar import DAY, Hours
from commsengine.cadence.kinds_and_states import BY_HAND, OUTCOME_WORDS, OUTCOMES, UNCLEAR, OutcomeName, Unclear
from commsengine.cadence.people import Person, by_address
from commsengine.cadence.plan import Message, Plan
from commsengine.content.phrases import day_text, month_day_text
from commsengine.content.render import RendererFor
from commsengine.engine.directory import SignerLookup
from commsengine.errors import InputError, RenderError
from commsengine.reports.followups import FollowUp, followup_id, open_followups, record_outcome, with_talk
from commsengine.reports.outcomes_recorded import SHOWN_AFTER, RecordedOutcome, recorded_outcomes
from commsengine.store.campaign_facts.manager_words import HoldRecord, LineRecord
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from commsengine.translation import N_, _

LONGEST_HOLD = 5
"""Working days, the manager's own, from the first day on which the message was held."""

LONGEST_LINE = 300
LONGEST_NOTE = 2000
"""Characters."""

AHEAD = 28 * DAY
"""So long before it begins a manager sees what goes out in their name."""

MOST_LED = 40
"""Calls of the campaigns they lead that a page shows, those first that are for them."""

NOT_THEIRS = N_("This person does not report to you, so nothing was recorded.")
NOT_IN_THEIR_NAME = N_("This message is not sent in your name.")


@dataclass(frozen=True, slots=True)
class Recording:
    """What came of recording an outcome: ``first`` is false when it was on record already. ``name`` is the person's."""

    name: str
    outcome: OutcomeName
    first: bool
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class InTheirName:
    """A message that goes out in a manager's name to ``people`` of theirs, from one local date up to another.

    ``line`` is what they add. Held, it is so before ``held_until``. ``hold_from`` and ``hold_to`` are the days until
    which it can be held, as seen now; ``None`` where it cannot.
    """

    campaign: str
    title: str
    message: str
    key_point: str
    opens: dt.date
    closes: dt.date
    people: int
    line: str = ""
    held_until: dt.date | None = None
    hold_from: dt.date | None = None
    hold_to: dt.date | None = None


class ManagerDesk:
    """Safe to share between threads. ``renderer`` makes the renderer of a plan version."""

    def __init__(self, store: Store, renderer: RendererFor) -> None:
        self._store, self._renderer = store, renderer

    def manager(self, named: str, now: dt.datetime) -> Person | None:
        """By id or address; ``None`` for somebody who has left or, unless they lead a campaign, is in no directory."""
        found = self._store.people.by_id(named) or self._store.people.by_email(named)
        if found is None and "@" in named and self._led(by_address(named)):
            return by_address(named)
        return found if found is not None and not found.has_left(now.date()) else None

    def leads(self, manager: Person) -> bool:
        return bool(self._led(manager))

    def _led(self, manager: Person) -> list[str]:
        going_on = (record for record in self._store.campaigns.all() if record.state in ("running", "paused"))
        owned = ((record.id, [owner.lower() for owner in record.plan.owner]) for record in going_on)
        return [campaign for campaign, owners in owned if manager.email.lower() in owners]

    # -- calls ------------------------------------------------------------------------------------

    def calls(self, manager: Person, now: dt.datetime) -> list[FollowUp]:
        """Whom they are to call, with what to say; also those that lie so long that the lead has them, too."""
        found = open_followups(self._store, now, people=self._team_ids(manager, now))
        own = [one for one in found if self._is_theirs(one, manager)]
        led = [one for campaign in self._led(manager) for one in open_followups(self._store, now, campaign)]
        known, mine = {one.id for one in own}, manager.email.lower()
        led = sorted(
            (one for one in led if one.id not in known),
            key=lambda one: (one.carrier.lower() != mine and not one.by_lead, one.need),
        )
        return with_talk(self._store, self._renderer, [*own, *led[:MOST_LED]], now, manager)

    def recorded(self, manager: Person, now: dt.datetime) -> list[RecordedOutcome]:
        """What they recorded of late, the newest first."""
        people = None if self.leads(manager) else sorted(self._team_ids(manager, now))
        found = recorded_outcomes(self._store, since=now - SHOWN_AFTER, people=people)
        return [one for one in reversed(found) if one.by.lower() == manager.email.lower()]

    def record(
        self, manager: Person, wanted: str, came_of_it: str, *, unclear: str = "", note: str = "", now: dt.datetime
    ) -> Recording:
        """Records what came of a call; the same once more changes nothing.

        Raises ``InputError``, with a sentence for the manager, for a call that is not theirs or is closed already.
        """
        word, about = _outcome(came_of_it), _unclear(unclear)
        if len(note) > LONGEST_NOTE:
            raise InputError(_("Please write at most {most} characters.", most=LONGEST_NOTE))
        one = next(iter(open_followups(self._store, now, only=wanted)), None)
        if one is None:
            return self._known(manager, wanted, word, now)
        theirs = one.kind == "personal" and one.person.id in self._team_ids(manager, now)
        if not theirs and one.campaign not in self._led(manager):
            raise InputError(_(NOT_THEIRS))
        record_outcome(self._store, wanted, word, unclear=about, note=note.strip(), by=manager.email, now=now)
        return Recording(_name(one.person), word, True, now)

    def _known(self, manager: Person, wanted: str, outcome: OutcomeName, now: dt.datetime) -> Recording:
        # it was recorded before, or the person has answered meanwhile
        last = self.closed(manager, wanted, now)
        if last is None:
            raise InputError(
                _("This call is no longer open: the person has answered, or somebody else was asked to call.")
            )
        if last.by.lower() == manager.email.lower() and last.outcome == outcome:
            return Recording(last.name or last.person, last.outcome, False, last.at)
        text = N_("This call is closed: “{outcome}” was recorded on {day}. Nothing was changed.")
        raise InputError(_(text, outcome=_(OUTCOME_WORDS[last.outcome]), day=month_day_text(last.at)))

    def closed(self, manager: Person, wanted: str, now: dt.datetime) -> RecordedOutcome | None:
        """The last outcome of a call with this id, if it is about one of their people or of a campaign they lead."""
        for campaign in self._led(manager):
            for given in self._store.answers.outcomes(campaign=campaign):
                if wanted in (followup_id(campaign, given.person_id, kind) for kind in BY_HAND):
                    return recorded_outcomes(self._store, campaign=campaign, people=[given.person_id])[-1]
        team = {one.id: one for one in self._store.manager_words.team(manager.id, now.date())}
        for record in self._store.campaigns.all():
            for person in team.values():
                if followup_id(record.id, person.id, "personal") == wanted:
                    found = recorded_outcomes(self._store, campaign=record.id, people=[person.id])
                    return found[-1] if found else None
        return None

    def _is_theirs(self, one: FollowUp, manager: Person) -> bool:
        theirs = one.carrier.lower() == manager.email.lower() and not one.by_lead
        return one.kind == "personal" and one.by_manager and (theirs or one.overdue)

    def _team_ids(self, manager: Person, now: dt.datetime) -> frozenset[str]:
        return frozenset(one.id for one in self._store.manager_words.team(manager.id, now.date()))

    # -- what goes out in their name --------------------------------------------------------------

    def in_their_name(self, manager: Person, now: dt.datetime) -> list[InTheirName]:
        """What of running campaigns does or will soon go to their people in their name, the soonest first."""
        team = self._store.manager_words.team(manager.id, now.date())
        found = [
            one
            for record in self._store.campaigns.all()
            if record.state == "running" and team
            for one in self._of_campaign(record, manager, team, now)
        ]
        return sorted(found, key=lambda one: (one.opens, one.campaign, one.message))

    def _of_campaign(
        self, record: CampaignRecord, manager: Person, team: Sequence[Person], now: dt.datetime
    ) -> Iterator[InTheirName]:
        plan, hours = record.plan, Hours(record.plan, manager)
        named = [message for message in plan.messages if message.sender == "manager"]
        if not named:
            return
        holds, lines = self._store.manager_words.holds(record.id), self._store.manager_words.lines(record.id)
        for message in named:
            people = self._audience(plan, message, team)
            opens, closes = hours.instant_of(plan, message.opens), hours.instant_of(plan, message.closes)
            if people and message.id not in plan.corrected and opens <= now + AHEAD and now < closes:
                mine = [one for one in holds if (one.message, one.person_id) == (message.id, manager.id)]
                said = [one for one in lines if (one.message, one.person_id) == (message.id, manager.id)]
                yield self._shown(record, message, manager, people, mine, said, now)

    def _audience(self, plan: Plan, message: Message, team: Sequence[Person]) -> int:
        listed = self._store.people.roster(plan.campaign) if plan.audience.people else None
        roles = (role_of(plan, one) for one in team if listed is None or one.id in listed)
        return sum(role is not None and is_for(message, role) for role in roles)

    def _shown(
        self,
        record: CampaignRecord,
        message: Message,
        manager: Person,
        people: int,
        holds: Sequence[HoldRecord],
        lines: Sequence[LineRecord],
        now: dt.datetime,
    ) -> InTheirName:
        plan, hours = record.plan, Hours(record.plan, manager)
        today = hours.local_date(now)
        held = next((one.until for one in holds if one.withdrawn_at is None and one.until > today), None)
        first, last = today + DAY, _last_day(plan, message, hours, holds, today)
        return InTheirName(
            campaign=record.id,
            title=self._title(record, manager),
            message=message.id,
            key_point=self._key_point(record, message, manager, today),
            opens=hours.local_date(hours.instant_of(plan, message.opens)),
            closes=hours.local_date(hours.instant_of(plan, message.closes)),
            people=people,
            line=lines[-1].text if lines else "",
            held_until=held,
            hold_from=first if first <= last else None,
            hold_to=last if first <= last else None,
        )

    def _title(self, record: CampaignRecord, manager: Person) -> str:
        renderer = self._renderer(record.plan, record.templates)
        return renderer.in_language(renderer.language(manager)).words.title

    def _key_point(self, record: CampaignRecord, message: Message, manager: Person, day: dt.date) -> str:
        signers, role = SignerLookup(self._store).of(manager, record.plan, day), roles_of(record.plan, message)[0]
        try:
            shown = self._renderer(record.plan, record.templates).page(message.id, role, 1, manager, signers)
        except RenderError:
            return message.key_point
        return str(shown["key_point"])

    def hold(self, manager: Person, campaign: str, message: str, until: str, now: dt.datetime) -> InTheirName:
        """``until`` is a date as a browser writes it. Raises ``InputError`` for a day on which it cannot go on."""
        one = self.one(manager, campaign, message, now)
        day = _date(until)
        if one.hold_from is None or one.hold_to is None:
            cause = N_(
                "You cannot hold it any longer: the limit is {days} working days, and it must be sent before it ends."
            )
            raise InputError(_(cause, days=LONGEST_HOLD))
        if not one.hold_from <= day <= one.hold_to:
            cause = N_("Please choose a day from {first} to {last}: you can hold it for at most {days} working days.")
            days = {"first": day_text(one.hold_from), "last": day_text(one.hold_to), "days": LONGEST_HOLD}
            raise InputError(_(cause, **days))
        self._store.manager_words.hold(campaign, message, manager.id, day, by=manager.email, now=now)
        return self.one(manager, campaign, message, now)

    def let_go(self, manager: Person, campaign: str, message: str, now: dt.datetime) -> InTheirName:
        self.one(manager, campaign, message, now)
        self._store.manager_words.lift(campaign, message, manager.id, by=manager.email, now=now)
        return self.one(manager, campaign, message, now)

    def add_line(self, manager: Person, campaign: str, message: str, text: str, now: dt.datetime) -> InTheirName:
        """One paragraph of plain text; an empty one takes the line away. Raises ``InputError`` if it is too long."""
        self.one(manager, campaign, message, now)
        text = " ".join(text.split())
        if len(text) > LONGEST_LINE:
            cause = N_("Please write at most {most} characters; you wrote {given}.")
            raise InputError(_(cause, most=LONGEST_LINE, given=len(text)))
        about = (campaign, message, manager.id)
        if text:
            self._store.manager_words.add_line(*about, text, by=manager.email, now=now)
        else:
            self._store.manager_words.remove_line(*about, by=manager.email, now=now)
        return self.one(manager, campaign, message, now)

    def one(self, manager: Person, campaign: str, message: str, now: dt.datetime) -> InTheirName:
        """Raises ``InputError`` for what does not go out in their name."""
        found = (
            each for each in self.in_their_name(manager, now) if (each.campaign, each.message) == (campaign, message)
        )
        named = next(found, None)
        if named is None:
            raise InputError(_(NOT_IN_THEIR_NAME))
        return named


def _last_day(plan: Plan, message: Message, hours: Hours, holds: Sequence[HoldRecord], today: dt.date) -> dt.date:
    """The last day until which it can be held: some working days from the first hold of a row, and before it closes."""
    since = today
    for one in reversed(holds):
        ended = hours.local_date(one.withdrawn_at) if one.withdrawn_at else one.until
        if hours.after_working_days(min(ended, one.until), LONGEST_HOLD) < since:
            break
        since = min(since, hours.local_date(one.at))
    closes = hours.instant_of(plan, message.closes)
    last_open = hours.last_open(closes)
    before = hours.local_date(last_open) if last_open else today
    return min(hours.after_working_days(since, LONGEST_HOLD), before)


def _outcome(word: str) -> OutcomeName:
    found = next((outcome for outcome in OUTCOMES if outcome == word), None)
    if found is None:
        raise InputError(_("Please choose how it went."))
    return found


def _unclear(word: str) -> Unclear | Literal[""]:
    return next((each for each in UNCLEAR if each == word), "")


def _date(written: str) -> dt.date:
    try:
        return dt.date.fromisoformat(written)
    except ValueError:
        raise InputError(_("Please choose a day.")) from None


def _name(person: Person) -> str:
    return person.name or person.email
