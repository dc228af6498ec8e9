"""What each message of a plan comes to: whom it reaches and when, whom it never reaches and why, and what helps."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from commsengine.cadence.audience import is_for, role_of
from commsengine.cadence.budget import WEEK, stricter
from commsengine.cadence.calendar import Hours
from commsengine.cadence.forecast import Forecast
from commsengine.cadence.history import Campaign, Campaigns, History, Reason, Touch, TouchRow
from commsengine.cadence.kinds_and_states import BY_HAND, CARRIED, ReasonCode
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Message, Plan, Workspace
from commsengine.cadence.standing import REACHED
from commsengine.translation import N_, _

NO_ROOM: ReasonCode = "no_room"

AT_LIMIT = {
    "day": N_("waits behind '{eater}': nobody may get more than {number} a day"),
    "week": N_("waits behind '{eater}': nobody may get more than {number} a week"),
}

A_WEEK = dt.timedelta(days=WEEK)

Retry = Callable[[Campaigns, Person, History], Forecast]


@dataclass(frozen=True, slots=True)
class MessageOutlook:
    """``people`` get the message from now on; ``never`` are others in its roles who do not, by reason.

    To ``starved`` people more, other messages leave no place; ``because`` says which, ``helps`` which changes of the
    plan were tried on one of them and bring it. ``first`` and ``last`` are in the time of the person who gets it then.
    """

    message: str
    people: int
    touches: int
    first: dt.datetime | None
    last: dt.datetime | None
    never: Mapping[str, int]
    starved: int
    because: str = ""
    helps: tuple[str, ...] = ()

    def times(self, each: float) -> MessageOutlook:
        """The same for so many times as many people."""
        never = {reason: round(number * each) for reason, number in self.never.items()}
        people, touches, starved = (round(number * each) for number in (self.people, self.touches, self.starved))
        return replace(self, people=people, touches=touches, never=never, starved=starved)

    @property
    def wanted(self) -> int:
        return self.people + sum(self.never.values()) + self.starved

    def as_data(self) -> dict[str, Any]:
        return {
            "message": self.message,
            "people": self.people,
            "touches": self.touches,
            "first_at": self.first,
            "last_at": self.last,
            "never": [{"reason": reason, "people": number} for reason, number in self.never.items()],
            "starved": self.starved,
            "because": self.because,
            "helps": list(self.helps),
        }


@dataclass(slots=True)
class _Starved:
    # ``eaters`` are the messages that took the places, by campaign and id; ``one`` stands for all.
    people: int = 0
    full_weeks: int = 0
    eaters: Counter[tuple[str, str]] = field(default_factory=Counter)
    one: tuple[Person, History] | None = None


class MessageTally:
    """Takes in the forecasts one by one; ``outlooks`` afterwards."""

    def __init__(self, campaigns: Campaigns, campaign: Campaign) -> None:
        self._campaigns, self._campaign, self._plan = campaigns, campaign, campaign.plan
        self._never: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._starved: defaultdict[str, _Starved] = defaultdict(_Starved)
        self._people: Counter[str] = Counter()

    def add(self, person: Person, past: History, seen: Forecast) -> None:
        role = role_of(self._plan, person)
        if role is None:
            return
        got = {touch.message for touch in self._own(seen.touches) if touch.kind in CARRIED and not touch.skip}
        had = {row.message for row in past.rows if row.campaign == self._campaign.id and _reached(row)}
        self._people.update(got)
        for message in self._plan.messages:
            if is_for(message, role) and message.id not in got | had:
                self._missed(message, person, past, seen)

    def _own(self, touches: Iterable[Touch]) -> list[Touch]:
        return [touch for touch in touches if touch.campaign == self._campaign.id]

    def _missed(self, message: Message, person: Person, past: History, seen: Forecast) -> None:
        own = (each for each in seen.last.reasons if each.campaign == self._campaign.id)
        reason = next((each for each in own if each.message == message.id), None)
        if reason is not None and reason.code == NO_ROOM:
            self._starve(message, person, past, seen)
            return
        touches = [touch for touch in self._own(seen.touches) if touch.message == message.id]
        self._never[message.id][_why_never(reason, touches)] += 1

    def _starve(self, message: Message, person: Person, past: History, seen: Forecast) -> None:
        starved, hours = self._starved[message.id], Hours(self._plan, person)
        opens, closes = hours.instant_of(self._plan, message.opens), hours.closing(self._plan, message)
        around = [row for row in seen.history.rows if opens - A_WEEK < row.due_at < closes + A_WEEK and _costs(row)]
        within = [row for row in around if opens <= row.due_at < closes]
        starved.people += 1
        starved.full_weeks += at_weekly_limit(around, self._campaigns.workspace, self._plan)
        starved.eaters.update((row.campaign, row.message) for row in within or around)
        starved.one = starved.one or (person, past)

    def outlooks(self, sent: Mapping[str, Sequence[dt.datetime]], retry: Retry) -> Iterator[MessageOutlook]:
        """``sent`` says when each touch of a message leaves; ``retry`` forecasts one person by other rules."""
        for message in self._plan.messages:
            times, starved = sent.get(message.id, ()), self._starved.get(message.id, _Starved())
            yield MessageOutlook(
                message.id,
                self._people[message.id],
                len(times),
                min(times, default=None),
                max(times, default=None),
                dict(self._never[message.id].most_common()),
                starved.people,
                self._because(starved),
                tuple(self._helps(message, starved, retry)),
            )

    def _because(self, starved: _Starved) -> str:
        if not starved.eaters:
            return ""
        per_day, per_week = stricter(self._plan.send.at_most, self._campaigns.workspace)
        by_week = starved.full_weeks * 2 >= starved.people
        (campaign, message), _times = starved.eaters.most_common(1)[0]
        eater = message if campaign == self._campaign.id else f"{campaign}/{message}"
        return _(AT_LIMIT["week" if by_week else "day"], eater=eater, number=per_week if by_week else per_day)

    # -- what helps: tried, not supposed ----------------------------------------------------------

    def _helps(self, message: Message, starved: _Starved, retry: Retry) -> Iterator[str]:
        if starved.one is None:
            return
        person, past = starved.one
        for changes in (self._ranks(message, starved), self._pauses(starved), self._with_more_room()):
            for text, campaigns in changes:
                seen = retry(campaigns, person, past)
                if any(each.message == message.id and not each.skip for each in self._own(seen.touches)):
                    yield text
                    break

    def _eater(self, starved: _Starved) -> Message | None:
        (campaign, eater), _times = starved.eaters.most_common(1)[0]
        return self._plan.message(eater) if campaign == self._campaign.id else None

    def _ranks(self, message: Message, starved: _Starved) -> Iterator[tuple[str, Campaigns]]:
        eater = self._eater(starved)
        if message.priority != "high":
            text = _("'priority: high' for '{message}'", message=message.id)
            yield text, self._with_messages({message.id: {"priority": "high"}})
        if eater is not None and eater.priority == "high":
            text = _("'priority: high' for '{message}', 'normal' for '{eater}'", message=message.id, eater=eater.id)
            yield text, self._with_messages({message.id: {"priority": "high"}, eater.id: {"priority": "normal"}})

    def _pauses(self, starved: _Starved) -> Iterator[tuple[str, Campaigns]]:
        eater = self._eater(starved)
        if eater is not None and eater.cadence.every:
            rarely = eater.cadence.model_copy(update={"every": eater.cadence.every * 2})
            yield _("'{eater}' half as often", eater=eater.id), self._with_messages({eater.id: {"cadence": rarely}})

    def _with_messages(self, changes: Mapping[str, Mapping[str, object]]) -> Campaigns:
        messages = tuple(each.model_copy(update=changes.get(each.id, {})) for each in self._plan.messages)
        return self._changed(self._plan.model_copy(update={"messages": messages}))

    def _with_more_room(self) -> Iterator[tuple[str, Campaigns]]:
        own, common = self._plan.send.at_most, self._campaigns.workspace.at_most
        per_day, per_week = stricter(own, self._campaigns.workspace)
        for unit, most in (("per_week", per_week), ("per_day", per_day)):
            in_plan, in_common = (getattr(room, unit) == most for room in (own, common))
            text = N_("'{unit}: {number}' in workspace.yaml")
            if in_plan:
                text = N_("'{unit}: {number}' in the plan")
            if in_plan and in_common:
                text = N_("'{unit}: {number}' in the plan and in workspace.yaml")
            text = _(text, unit=unit, number=most + 1)
            yield text, self._roomier({unit: most + 1})

    def _roomier(self, room: Mapping[str, int]) -> Campaigns:
        send, workspace = self._plan.send, self._campaigns.workspace
        plan = self._plan.model_copy(
            update={"send": send.model_copy(update={"at_most": send.at_most.model_copy(update=room)})}
        )
        common = workspace.model_copy(update={"at_most": workspace.at_most.model_copy(update=room)})
        return replace(self._changed(plan), workspace=common)

    def _changed(self, plan: Plan) -> Campaigns:
        running = (replace(each, plan=plan) if each.id == plan.campaign else each for each in self._campaigns.running)
        return replace(self._campaigns, running=tuple(running))


def _reached(row: TouchRow) -> bool:
    return row.state in REACHED and row.kind in CARRIED


def _costs(row: TouchRow) -> bool:
    return row.state != "skipped" and row.kind not in BY_HAND


def _why_never(reason: Reason | None, touches: Sequence[Touch]) -> str:
    if any(touch.kind in BY_HAND for touch in touches):
        return _("No channel reaches them; a person talks to them.")
    if reason is None:
        return _("Nothing of it is open for them in this time.")
    return _("It is due only after this time.") if reason.next_at is not None else reason.text


def at_weekly_limit(rows: Iterable[Touch | TouchRow], workspace: Workspace, plan: Plan) -> bool:
    """Whether some seven local days hold as many touches as the budget allows."""
    _per_day, limit = stricter(plan.send.at_most, workspace)
    days = sorted(row.local_date for row in rows)
    return any(later - first < A_WEEK for first, later in zip(days, days[limit - 1 :], strict=False))
