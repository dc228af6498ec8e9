"""The numbers of a campaign's day: what happened since the last working day, what leaves today, who only says "Got it".

The digest and ``today`` show the same; "today" is that of the person who reads.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

from commsengine.cadence.calendar import DAY, Hours
from commsengine.cadence.forecast import forecast_each, no_answers
from commsengine.cadence.kinds_and_states import CHANNELS, ChannelName, channel_of
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Audience
from commsengine.content.phrases import weekday_text
from commsengine.engine.decisions import Decisions
from commsengine.engine.directory import Sample
from commsengine.recall.small_groups import enough
from commsengine.store.records import CampaignRecord, GotItOnly, Happened
from commsengine.store.store import Store
from commsengine.translation import N_, _, counted

FORECAST = 500
"""People by whom it is estimated what leaves today, where more are due."""

Leaving = Mapping[str, Mapping[ChannelName, int]]
"""Messages by campaign and channel."""

OFTEN = 3
"""So many times "Got it", and no check answered, is always "Got it"."""

MOST_ROLES = 3
"""That a sentence names."""


@dataclass(frozen=True, slots=True)
class DayFigures:
    """``since`` is the local date of the reader's last working day, whose midnight begins what ``happened`` up to that
    of ``today``, and ``so_far`` what has happened since. ``leaving`` are messages by channel.
    """

    campaign: str
    since: dt.date
    today: dt.date
    happened: Happened
    leaving: Mapping[ChannelName, int] = field(default_factory=dict)
    so_far: Happened = field(default_factory=Happened)

    def as_json(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign,
            "since": self.since.isoformat(),
            "today": self.today.isoformat(),
            **asdict(self.happened),
            "leaving": dict(self.leaving),
            "so_far": asdict(self.so_far),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> DayFigures:
        """From its JSON."""
        happened = Happened(**{name: data[name] for name in data["so_far"]})
        since, today = (dt.date.fromisoformat(data[name]) for name in ("since", "today"))
        return cls(data["campaign"], since, today, happened, data["leaving"], Happened(**data["so_far"]))

    @property
    def lines(self) -> tuple[str, ...]:
        before = _("Yesterday") if self.today - self.since == DAY else _("Since {day}", day=weekday_text(self.since))
        news = [_told(_("Today so far"), self.so_far)] if self.so_far != Happened() else []
        return (_told(before, self.happened), *news, self._today())

    def _today(self) -> str:
        if not sum(self.leaving.values()):
            return _("Nothing more is sent today.")
        by = [
            _("{number:,} by {channel}", number=number, channel=_(CHANNELS[name].in_text))
            for name, number in sorted(self.leaving.items())
        ]
        messages = counted(sum(self.leaving.values()), "message", "messages")
        return _("Still to be sent today: {messages} ({parts}).", messages=messages, parts=", ".join(by))


def _told(when: str, did: Happened) -> str:
    parts = [
        counted(did.sent, "message sent", "messages sent"),
        _("{number:,} confirmed", number=did.acknowledged),
        _("{number:,} answered", number=did.answered),
        *([counted(did.asked, "question asked", "questions asked")] if did.asked else []),
    ]
    return _("{when}: {parts}.", when=when, parts=", ".join(parts))


def day_figures(
    store: Store, record: CampaignRecord, reader: Person, leaving: Mapping[ChannelName, int], now: dt.datetime
) -> DayFigures:
    hours = Hours(record.plan, reader)
    today = hours.local_date(now)
    since = hours.after_working_days(today, -1)
    happened = store.counts.happened(record.id, hours.midnight(since), hours.midnight(today))
    return DayFigures(
        record.id, since, today, happened, leaving, store.counts.happened(record.id, hours.midnight(today), now)
    )


def end_of_day(record: CampaignRecord, reader: Person, now: dt.datetime) -> dt.datetime:
    return Hours(record.plan, reader).next_day(now)


def leaving_until(store: Store, decisions: Decisions, until: dt.datetime, now: dt.datetime) -> Leaving:
    """By running campaign and channel: the messages that fall due before ``until``, without answers in between.

    Estimated from those who are due first where they are more than ``FORECAST``. Before their bookmark nothing falls
    due for them, so each is decided from there on.
    """
    wakes = store.loading.wakes(until, FORECAST)
    some = Sample(list(wakes), store.loading.due_count(until))
    campaigns, loaded = decisions.campaigns(now), store.loading.histories(some.ids)
    found = defaultdict[str, Counter[ChannelName]](Counter)
    for begin, ids in groupby(wakes, lambda each: max(now, wakes[each])):
        people = [(loaded[each].person, loaded[each].history) for each in ids if each in loaded]
        for seen in forecast_each(campaigns, people, begin, until, no_answers):
            for touch in seen.touches:
                if touch.channel in CHANNELS and not touch.skip:
                    found[touch.campaign][channel_of(touch.channel)] += 1
    return {
        campaign: {channel: some.scaled(number) for channel, number in by.items()} for campaign, by in found.items()
    }


def got_it_only(store: Store, record: CampaignRecord, now: dt.datetime) -> list[GotItOnly]:
    """Only roles of which ten people or more were shown a check."""
    return [one for one in store.counts.got_it_only(record, OFTEN, now.date()) if enough(one.people)]


def told_of_got_it(found: list[GotItOnly], audience: Audience) -> Iterator[str]:
    """One sentence, of the roles with the largest shares; none if there is no such person."""
    ranked = sorted((one for one in found if one.only), key=lambda one: one.only / one.people, reverse=True)
    share = N_("{only:,} of {people:,} in {role}")
    told = [_(share, only=one.only, people=one.people, role=audience.title(one.role)) for one in ranked[:MOST_ROLES]]
    if told:
        yield _("People who always press “Got it” and never answer a question: {roles}.", roles=", ".join(told))
