"""Pauses a campaign that goes wrong: when more than one in twenty of a message's first touches are refused for good.

1. The senders report every outcome. The touch that is one too many stops its campaign at once: nothing more is marked.
2. At the next beat the pause is put on record with the numbers, and the owners and the admin get a mail.
3. ``resume`` starts the count again; what was refused before it is not held against the campaign again.

What this process has not seen is counted in the database once per message, so that many short runs add up.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from commsengine.cadence.history import Campaign, Campaigns, Touch
from commsengine.content.kept_words import kept, retold
from commsengine.engine.alerts import Alerts, Reason
from commsengine.store.records import Receipt
from commsengine.store.store import Store
from commsengine.translation import N_

FIRST = 500
"""Touches of a message that are watched; later ones fail one by one, as people leave."""

LEAST, SHARE = 20, 0.05

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class RefusalTally:
    """What became of the first touches of one message since ``since``: of ``done`` so many refused, by reason."""

    since: dt.datetime
    done: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        return self.reasons.total()

    @property
    def too_many(self) -> bool:
        return self.done >= LEAST and self.refused > SHARE * self.done


@dataclass(frozen=True, slots=True)
class RefusalStop:
    """What stopped a campaign: the numbers of that message at that moment."""

    message: str
    refused: int
    of: int
    reasons: Counter[Reason]


class RefusalGuard:
    """Belongs to one engine. ``note`` and ``stops`` are called by its senders, the rest by its beat."""

    def __init__(self, store: Store, alerts: Alerts) -> None:
        self._store, self._alerts = store, alerts
        self._tallies: dict[tuple[str, str], RefusalTally] = {}
        self._stopped: dict[str, RefusalStop] = {}
        self._on_record: set[str] = set()
        self._lock = threading.Lock()

    def watch(self, campaigns: Campaigns, claimed: Iterable[Touch]) -> None:
        running = {campaign.id: campaign for campaign in campaigns.running}
        for campaign_id, message in {(touch.campaign, touch.message) for touch in claimed if touch.rung == 0}:
            since, known = _since(running[campaign_id]), self._tallies.get((campaign_id, message))
            if known is not None and known.since == since:
                continue
            counted = self._store.touches.first_outcomes(campaign_id, message, since=since, most=FIRST)
            with self._lock:
                self._tallies[campaign_id, message] = _tally(since, counted)
                if known is not None:  # it was resumed
                    self._stopped.pop(campaign_id, None)
                    self._on_record.discard(campaign_id)

    def note(self, campaign: str, message: str, rung: int, receipt: Receipt) -> None:
        # what never reached the other side says nothing, nor does "not now", nor what is not theirs
        arrived, gone = receipt.state == "sent", bool(receipt.unreachable) and receipt.state != "released"
        theirs = receipt.state == "failed" and receipt.fault in ("person", "")
        if rung or not (arrived or gone or theirs):
            return
        with self._lock:
            tally = self._tallies.get((campaign, message))
            if tally is None or tally.done >= FIRST:
                return
            tally.done += 1
            if not arrived:
                tally.reasons[reason_of(receipt.phase, receipt.unreachable or receipt.reply)] += 1
            if tally.too_many and campaign not in self._stopped:
                self._stopped[campaign] = RefusalStop(message, tally.refused, tally.done, tally.reasons.copy())

    def stops(self, *campaigns: str) -> bool:
        return bool(self._stopped) and all(campaign in self._stopped for campaign in campaigns)

    def to_pause(self) -> list[str]:
        """The campaigns that are stopped and not paused yet."""
        return [campaign for campaign in list(self._stopped) if campaign not in self._on_record]

    def act(self, now: dt.datetime) -> list[str]:
        """Puts stopped campaigns on record and tells the people they concern. Returns the campaigns paused by this."""
        paused = self.to_pause()
        for campaign in paused:
            self._pause(campaign, self._stopped[campaign], now)
            self._on_record.add(campaign)
        return paused

    def _pause(self, campaign: str, stop: RefusalStop, now: dt.datetime) -> None:
        numbers = {"message": stop.message, "refused": stop.refused, "of": stop.of}
        reason = kept("paused", **numbers)
        record = self._store.campaigns.pause(campaign, by="engine", now=now, reason=reason, detail=numbers)
        self._store.outbox.release(now=now, campaign=campaign)
        log.error("campaign_paused", campaign=campaign, **numbers)
        self._alerts.failing(record, retold(reason), stop.reasons, now)


def _since(campaign: Campaign) -> dt.datetime:
    return max([campaign.started_at, *(pause.until for pause in campaign.pauses)])


def _tally(since: dt.datetime, counted: Mapping[tuple[str, str, str], int]) -> RefusalTally:
    tally = RefusalTally(since, sum(counted.values()))
    for (verdict, phase, reply), number in counted.items():
        if verdict != "sent":
            tally.reasons[reason_of(phase, reply)] += number
    return tally


def reason_of(phase: str, reply: str) -> Reason:
    # what went wrong with a text may name its person
    return (N_("it cannot be written ({reply})"), reply.partition(":")[0]) if phase == "render" else (reply, "")
