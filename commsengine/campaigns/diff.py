"""What a new version of a plan changes for people: by message, who gets it sooner, later, for the first time, no more.

Nothing future is stored, so nothing is moved: the difference is what ``decide`` says under the old version and under
the new one, without answers.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from commsengine.cadence import managers_first
from commsengine.cadence.audience import members, role_of
from commsengine.cadence.calendar import last_closing
from commsengine.cadence.forecast import forecast, no_answers
from commsengine.cadence.history import Campaign, Campaigns, History, Touch
from commsengine.cadence.kinds_and_states import HUMAN
from commsengine.cadence.people import Person
from commsengine.cadence.phases import opened_in_time
from commsengine.cadence.plan import Plan
from commsengine.cadence.population import Population
from commsengine.cadence.shape import Shapes
from commsengine.cadence.standing import open_outreach
from commsengine.campaigns.effects import as_running, with_campaign
from commsengine.engine.decisions import Decisions
from commsengine.engine.directory import EXACT_UP_TO, Sample
from commsengine.store.database import chunks
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store

Standpoint = tuple[Person, History]


@dataclass(frozen=True, slots=True)
class TouchDiff:
    """Touches still to come under both versions, counted by person, message and rung.

    If not ``exact``, the numbers are scaled up from ``looked_at`` people.
    """

    kept: int = 0
    moved: int = 0
    added: int = 0
    cancelled: int = 0
    exact: bool = True
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class Consequence:
    """What changes of one message, and for how many ``people``: so many get it only now (``new``), no more (``gone``),
    ``sooner``, ``later``, or at the same times and then ``more`` or ``fewer`` times; for the others calls change.

    ``messages`` to come to all of the audience, ``before`` as the old version had it; so for ``follow_ups`` by hand.
    ``first_at`` and ``first_before`` are those of the first message.
    """

    message: str
    people: int
    new: int
    gone: int
    sooner: int
    later: int
    more: int
    fewer: int
    messages: int
    before: int
    follow_ups: int
    follow_ups_before: int
    first_at: dt.datetime | None
    first_before: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RoleMove:
    """How many people change from one role to another; empty: they were or are not in the audience."""

    old: str
    new: str
    people: int


@dataclass(frozen=True, slots=True)
class Foreseen:
    """``sooner_for`` people get something sooner, more often or for the first time; ``follow_ups_closed`` are open now
    and not under the new version. ``first_change`` is the first instant at which a message comes or stays out.
    """

    touches: TouchDiff = TouchDiff()
    consequences: tuple[Consequence, ...] = ()
    sooner_for: int = 0
    follow_ups_closed: int = 0
    first_change: dt.datetime | None = None


NOTHING_FORESEEN = Foreseen()


def role_moves(old: Plan, new: Plan, people: Population, day: dt.date) -> tuple[RoleMove, ...]:
    """Of two plans for the same people."""
    moves = Counter[tuple[str, str]]()
    for group in people.groups(old, new, day=day):
        here = not group.first.has_left(day)
        before, after = ((role_of(plan, group.first) or "") if here else "" for plan in (old, new))
        moves[before, after] += group.people
    return _moved(moves)


def roster_moves(
    before: tuple[Plan, Iterable[Person]], after: tuple[Plan, Iterable[Person]], day: dt.date
) -> tuple[RoleMove, ...]:
    """Of two plans, each with the people it is for."""
    old, new = ({person.id: role for person, role in members(*each, day)} for each in (before, after))
    return _moved(Counter((old.get(person, ""), new.get(person, "")) for person in old.keys() | new.keys()))


def _moved(moves: Mapping[tuple[str, str], int]) -> tuple[RoleMove, ...]:
    return tuple(RoleMove(*roles, people) for roles, people in sorted(moves.items()) if roles[0] != roles[1])


def foresee(
    store: Store,
    decisions: Decisions,
    old: CampaignRecord,
    plan: Plan,
    introduced: Mapping[str, dt.datetime],
    now: dt.datetime,
    listed: Mapping[str, Person] | None = None,
) -> Foreseen:
    """``listed`` are the people of the plan's roster by id, as they are to be; without one, those on record."""
    before = (
        decisions.estimated(as_running(old, "latest", now), now)
        if old.state != "running"
        else next(campaign for campaign in decisions.campaigns(now).running if campaign.id == old.id)
    )
    # gates that are shut now are supposed to open in time, in both
    after = Campaign(plan, before.started_at, old.version + 1, old.epoch, introduced, before.pauses, before.recall)
    after = replace(after, opened=opened_in_time(plan, old.opened, now))
    before = replace(before, opened=opened_in_time(old.plan, old.opened, now))
    until = max(last_closing(old.plan), last_closing(plan)) + dt.timedelta(days=2)
    common = decisions.campaigns(now)
    view = _View(store, old.id, with_campaign(common, before), with_campaign(common, after), now, until, listed)
    return view.seen()


def _sample(store: Store, listed: Mapping[str, Person]) -> Sample:
    everybody = store.people.population()
    strangers = sorted(listed.keys() - store.people.by_ids(list(listed)).keys())
    known = len(everybody)
    total = known + len(strangers)
    step = -(-total // EXACT_UP_TO) or 1
    return Sample([*everybody.ids(step), *strangers[-known % step :: step]], total)


@dataclass(slots=True)
class _OfMessage:
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, dt.datetime] = field(default_factory=dict)

    def add(self, side: Literal["before", "after"], touches: Sequence[dt.datetime], by_hand: int, people: int) -> None:
        self.counts.update({side: people * len(touches), f"{side} by hand": people * by_hand})
        if touches:
            self.first[side] = min(touches[0], self.first.get(side, touches[0]))


class _View:
    """Both versions over the time to come, for people of each shape."""

    def __init__(
        self,
        store: Store,
        campaign: str,
        before: Campaigns,
        after: Campaigns,
        now: dt.datetime,
        until: dt.datetime,
        listed: Mapping[str, Person] | None,
    ) -> None:
        self._store, self._campaign, self._now, self._until = store, campaign, now, until
        self._before, self._after, self._listed = before, after, listed
        self._some = _sample(store, listed or {})
        self._touches, self._messages = Counter[str](), defaultdict[str, _OfMessage](_OfMessage)
        self._people, self._changes = Counter[str](), list[dt.datetime]()
        one, other = self._mine(before), self._mine(after)
        self._alike = listed is None and _decided_by(one) == _decided_by(other)

    def _mine(self, campaigns: Campaigns) -> Campaign:
        return next(each for each in campaigns.running if each.id == self._campaign)

    def seen(self) -> Foreseen:
        for before, after, people in self._alike_standpoints():
            self._compare(before, after, people)
        kinds = {name: self._some.scaled(self._touches[name]) for name in ("kept", "moved", "added", "cancelled")}
        return Foreseen(
            TouchDiff(**kinds, exact=self._some.exact, looked_at=len(self._some.ids)),
            tuple(self._consequences()),
            self._some.scaled(self._people["sooner"]),
            self._some.scaled(self._people["closed"]),
            min(self._changes, default=None),
        )

    def _consequences(self) -> Iterator[Consequence]:
        plans = (self._mine(self._after).plan, self._mine(self._before).plan)
        for name in dict.fromkeys(message.id for plan in plans for message in plan.messages):
            found = self._messages.get(name)
            if found is not None and found.counts["changed"]:
                yield self._consequence(name, found)

    def _consequence(self, name: str, found: _OfMessage) -> Consequence:
        counts = {what: self._some.scaled(found.counts[what]) for what in found.counts}
        people = {what: counts.get(what, 0) for what in ("new", "gone", "sooner", "later", "more", "fewer")}
        return Consequence(
            name,
            counts["changed"],
            **people,
            messages=counts.get("after", 0),
            before=counts.get("before", 0),
            follow_ups=counts.get("after by hand", 0),
            follow_ups_before=counts.get("before by hand", 0),
            first_at=found.first.get("after"),
            first_before=found.first.get("before"),
        )

    # -- people who are alike ---------------------------------------------------------------------

    def _alike_standpoints(self) -> Iterable[tuple[Standpoint | None, Standpoint, int]]:
        """The first of those of one shape, before and after, stands for all of them: with how many they are."""
        shapes, counts = (Shapes(self._before), Shapes(self._after)), Counter[Hashable]()
        firsts = dict[Hashable, tuple[Standpoint | None, Standpoint]]()
        for ids in chunks(self._some.ids):
            for before, after in self._standpoints(ids):
                shape = (before and shapes[0].of(*before), shapes[1].of(*after))
                firsts.setdefault(shape, (before, after))
                counts[shape] += 1
        return [(*first, counts[shape]) for shape, first in firsts.items()]

    def _standpoints(self, ids: Sequence[str]) -> Iterator[tuple[Standpoint | None, Standpoint]]:
        led = managers_first.wanted(self._before) or managers_first.wanted(self._after)
        known = self._store.loading.histories(ids, reports=led)
        for one in known.values():
            yield (one.person, one.history), self._as_listed(one.person, one.history)
        listed = self._listed or {}
        for person in (listed[each] for each in ids if each in listed and each not in known):
            yield None, self._as_listed(person, History())

    def _as_listed(self, person: Person, history: History) -> Standpoint:
        if self._listed is None:
            return person, history
        reports = tuple(replace(one, rosters=self._rosters(one.person.id, one.rosters)) for one in history.reports)
        rosters = {name: at for name, at in history.rosters.items() if name != self._campaign}
        if person.id in self._listed:
            rosters[self._campaign] = history.rosters.get(self._campaign, self._now)
        return self._listed.get(person.id, person), replace(history, rosters=rosters, reports=reports)

    def _rosters(self, person: str, rosters: frozenset[str]) -> frozenset[str]:
        mine = frozenset({self._campaign})
        return rosters | mine if self._listed and person in self._listed else rosters - mine

    def _compare(self, before: Standpoint | None, after: Standpoint, people: int) -> None:
        old = self._to_come(self._before, before) if before else {}
        new = old if self._alike else self._to_come(self._after, after)
        for key in old.keys() | new.keys():
            self._touches[_difference(old.get(key), new.get(key))] += people
        names = {key[0] for key in (*old, *new)}
        sooner = [self._message(name, _of(old, name), _of(new, name), people) for name in names]
        self._people["sooner"] += people * any(sooner)
        if before is not None and not self._alike:
            closed = self._called(self._before, before) and not self._called(self._after, after)
            self._people["closed"] += people * closed

    def _called(self, campaigns: Campaigns, standpoint: Standpoint) -> bool:
        plan = self._mine(campaigns).plan
        about = open_outreach(plan, *standpoint, self._now)
        return any(message.id in about for message in plan.messages)

    def _message(self, name: str, old: Sequence[Touch], new: Sequence[Touch], people: int) -> bool:
        """Whether the person gets it sooner, more often or for the first time."""
        found = self._messages[name]
        before, after = (sorted(each.due_at for each in some if each.channel != HUMAN) for some in (old, new))
        found.add("before", before, len(old) - len(before), people)
        found.add("after", after, len(new) - len(after), people)
        differing = next((pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]), None)
        if before == after:
            found.counts["changed"] += people * (len(old) != len(new))
            return False
        found.counts["changed"] += people
        self._changes.append(min(set(before) ^ set(after), default=self._now))
        if not before or not after:
            found.counts["new" if after else "gone"] += people
        elif differing is not None:
            found.counts["sooner" if differing[1] < differing[0] else "later"] += people
        else:
            found.counts["more" if len(after) > len(before) else "fewer"] += people
        return len(after) > len(before) or any(one > other for one, other in zip(before, after, strict=False))

    def _to_come(self, campaigns: Campaigns, standpoint: Standpoint) -> dict[tuple[str, int, int], Touch]:
        """Each touch to come by message, rung and its place among those."""
        found, places = dict[tuple[str, int, int], Touch](), Counter[tuple[str, int]]()
        for touch in forecast(campaigns, *standpoint, self._now, self._until, no_answers).touches:
            if touch.campaign == self._campaign and not touch.skip:
                places[touch.message, touch.rung] += 1
                found[touch.message, touch.rung, places[touch.message, touch.rung]] = touch
        return found


def _decided_by(campaign: Campaign) -> tuple[object, ...]:
    # what of a campaign differs between two versions
    return campaign.plan, campaign.introduced, campaign.opened


def _of(touches: Mapping[tuple[str, int, int], Touch], message: str) -> list[Touch]:
    return [touch for key, touch in touches.items() if key[0] == message]


def _difference(before: Touch | None, after: Touch | None) -> str:
    if before is None:
        return "added"
    if after is None:
        return "cancelled"
    return "kept" if before.due_at == after.due_at else "moved"
