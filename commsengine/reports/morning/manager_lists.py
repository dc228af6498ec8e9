"""A manager's list: whom of their own people to call, on each of their working days at eight, if there is anyone.

One piece of service mail for all running campaigns, by the channel that reaches the manager first. Otherwise it stands
in the lead's digest: the calls of a manager who leads the campaign, sponsors it, or is reached by no channel.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from commsengine.cadence.audience import carried_by, reaching
from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.content.digest_facts import DigestFacts
from commsengine.engine.directory import SignerLookup
from commsengine.engine.dispatch import add_service_mail
from commsengine.reports.followups import FollowUp, todays_followups, with_talk
from commsengine.reports.morning.morning_time import MorningBasis, morning_key, morning_of, quarter_of, tried
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from commsengine.translation import _, in_language

CATEGORY = "manager_list"
MOST_WITH_TALK = 6
"""People with what to say to them; a message in Slack holds no more."""


class ManagerLists:
    """Looks once in a quarter of an hour whether it is morning for a manager with a person to call."""

    def __init__(self, basis: MorningBasis) -> None:
        self._store, self._decisions, self._renderer = basis.store, basis.decisions, basis.renderer
        self._channels, self._make_link = tuple(basis.channels), basis.make_link
        self._looked_at: int | None = None

    def send(self, records: Sequence[CampaignRecord], now: dt.datetime) -> int:
        """Writes down the lists that are due now; the next beat sends them. Returns how many."""
        quarter = quarter_of(now)
        if quarter == self._looked_at:
            return 0
        self._looked_at = quarter
        running = {record.id: record for record in records if record.state == "running"}
        if not (self._channels and running and self._somebody_waits(running, now)):
            return 0
        theirs = by_manager(todays_followups(self._store, self._decisions, now), running)
        return sum(
            tried("manager_list_failed", found[0].campaign, partial(self._send, email, found, running, now))
            for email, found in theirs.items()
        )

    def _somebody_waits(self, running: Mapping[str, CampaignRecord], now: dt.datetime) -> bool:
        # cheap, for it is asked all day
        waiting = {
            rung.person_id: rung.campaign
            for rung in self._store.counts.open_rungs()
            if rung.campaign in running and rung.open_at(now)
        }
        people = self._store.people.by_ids(sorted(waiting))
        signer_lookup = SignerLookup(self._store, {person.manager for person in people.values()})
        managers = {
            (manager.email, waiting[person.id]): manager
            for person in people.values()
            if (manager := signer_lookup.manager_of(person, now.date()))
        }
        return any(morning_of(running[about].plan, manager, now) for (_, about), manager in managers.items())

    def _send(
        self, email: str, found: Sequence[FollowUp], running: Mapping[str, CampaignRecord], now: dt.datetime
    ) -> bool:
        signer_lookup, record = SignerLookup(self._store), running[found[0].campaign]
        manager = signer_lookup.named(email)
        day = morning_of(record.plan, manager, now)
        channels = channels_of(self._store, record.plan, manager, self._channels) if day else ()
        if day is None or not channels or self._told(manager, day):
            return False
        renderer = self._renderer(record.plan, record.templates)
        with in_language(renderer.language_of_all(manager)):
            spoken = [
                *with_talk(self._store, self._renderer, found[:MOST_WITH_TALK], now, manager),
                *found[MOST_WITH_TALK:],
            ]
            calls = tuple(one.call(of=one.plan) for one in spoken)
        opens = self._make_link("calls", manager.id, now, campaign=record.id)
        facts = DigestFacts(morning_key(CATEGORY, channels[0], manager.email, day), now, calls, opens=opens)
        lead = signer_lookup.named(record.plan.owner[0])
        message = renderer.manager_list(manager, lead, facts, channels[0])
        return add_service_mail(self._store, message, category=CATEGORY, person_id=manager.id, due_at=now, now=now)

    def _told(self, manager: Person, day: dt.date) -> bool:
        # a list by another channel counts; but where that one failed, the next is tried
        rows = self._store.touches.rows([morning_key(CATEGORY, name, manager.email, day) for name in self._channels])
        return any(row.state != "failed" for row in rows.values())


def by_manager(found: Sequence[FollowUp], running: Mapping[str, CampaignRecord]) -> dict[str, list[FollowUp]]:
    # where the manager leads or sponsors the campaign, the digest has it
    theirs: dict[str, list[FollowUp]] = {}
    for one in found:
        if one.campaign in running and not one.by_lead and not _sponsors(running[one.campaign].plan, one.carrier):
            theirs.setdefault(one.carrier, []).append(one)
    return theirs


def why_untold(store: Store, plan: Plan, manager: Person, carriers: Collection[str]) -> str:
    """Why a manager gets no list, to go on after "but"; empty if they do."""
    if _sponsors(plan, manager.email):
        return _("the sponsor gets no mail from us")
    return "" if channels_of(store, plan, manager, carriers) else _("no channel reaches them")


def _sponsors(plan: Plan, email: str) -> bool:
    return email.lower() == plan.sponsor_email.lower()


def channels_of(store: Store, plan: Plan, person: Person, carriers: Collection[str]) -> tuple[ChannelName, ...]:
    loaded = store.loading.histories([person.id])
    unreachable = loaded[person.id].history.unreachable if person.id in loaded else {}
    return reaching(carried_by(plan, carriers), person, unreachable)
