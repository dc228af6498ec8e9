"""The owners' daily digest: on each of their working days at eight, if there is anything to do."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence

import structlog

from commsengine.cadence.calendar import Hours, instant
from commsengine.cadence.people import Person
from commsengine.content.digest import Call, DigestFacts, HeldRow, OpenQuestion
from commsengine.content.facts import Cast
from commsengine.engine.books import held, questions
from commsengine.engine.casting import Casting
from commsengine.engine.decisions import Decisions
from commsengine.engine.followups import FollowUp, followups
from commsengine.engine.handover import RendererFor
from commsengine.engine.service_mail import add_service_mail
from commsengine.errors import CommsError
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store

log = structlog.get_logger(__name__)

EIGHT = 8 * 60  # minutes after local midnight
NOON = 12 * 60
"""A digest that could not be sent in the morning is not sent in the evening."""


class Digests:
    """Remembers which it has looked at, so that a quiet day costs one look per owner and not one per beat."""

    def __init__(
        self, store: Store, decisions: Decisions, renderer: RendererFor, channels: Sequence[str],
        clock: Callable[[], dt.datetime],
    ) -> None:  # fmt: skip
        self._store, self._decisions, self._renderer = store, decisions, renderer
        self._channels, self._clock = tuple(channels), clock
        self._looked_at: set[str] = set()

    def send(self) -> int:
        """Write down the digests that are due now; the next beat sends them. Returns how many."""
        now, sent = self._clock(), 0
        if not self._channels:
            return 0
        for record in self._store.plans.all():
            if record.state not in ("running", "paused") or record.started_at is None:
                continue
            for email in record.plan.owner:
                lead = Casting(self._store).named(email)
                key = _due_key(record, lead, now)
                if key and key not in self._looked_at:
                    self._looked_at.add(key)
                    sent += self._tried(record, lead, key, now)
        return sent

    def _tried(self, record: CampaignRecord, lead: Person, key: str, now: dt.datetime) -> bool:
        """A digest that cannot be written must not stop the engine."""
        try:
            return self._send(record, lead, key, now)
        except CommsError as failure:
            log.error("digest_failed", campaign=record.id, error=type(failure).__name__)
            return False

    def _send(self, record: CampaignRecord, lead: Person, key: str, now: dt.datetime) -> bool:
        facts = self._facts(record, key, now)
        if facts.empty or self._store.touches.row(key):
            return False
        channel = "email" if "email" in self._channels else self._channels[0]
        renderer = self._renderer(record.plan, record.templates)
        if channel == "email":
            message = renderer.digest(lead, facts)
        else:
            message = renderer.service(
                "digest", key, lead, Cast(lead), now, page=False, channel=channel, **facts.fields()
            )
        known = self._store.people.by_email(lead.email)
        return add_service_mail(
            self._store, message, category="digest", person_id=known.id if known else None, due_at=now, now=now
        )

    def _facts(self, record: CampaignRecord, key: str, now: dt.datetime) -> DigestFacts:
        mine = record.id
        waiting = followups(self._store, self._decisions, self._renderer, now, mine, only_today=True)
        return DigestFacts(
            key=key,
            at=now,
            calls=tuple(_call(one, record.plan.owner) for one in waiting),
            questions=tuple(
                OpenQuestion(q["name"], q["message"], q["text"], q["asked_at"][:10], q["overdue"])
                for q in questions(self._store, now)
                if q["campaign"] == mine
            ),
            held=tuple(
                HeldRow(row["person"], row["message"], row["reason"] or "nobody knows whether it arrived")
                for row in held(self._store)
                if row["campaign"] == mine
            ),
        )


def _due_key(record: CampaignRecord, lead: Person, now: dt.datetime) -> str:
    """The name of the digest of this campaign, owner and day, if it is due now; else empty."""
    hours = Hours(record.plan, lead)
    day = hours.local_date(now)
    morning = instant(hours.zone, day, EIGHT) <= now < instant(hours.zone, day, NOON)
    if not (morning and hours.works(day)):
        return ""
    return hashlib.sha256("\x1f".join(("digest", record.id, lead.email, day.isoformat())).encode()).hexdigest()[:24]


def _call(one: FollowUp, owners: Sequence[str]) -> Call:
    points = tuple(
        line.strip("-• ") for line in one.talking_points.splitlines() if line.lstrip().startswith(("-", "•"))
    )
    return Call(
        one.person.name or one.person.email, one.role, one.person.phone, one.reason, ", ".join(one.tried),
        "" if one.carrier in owners else one.carrier, points,
    )  # fmt: skip
