"""The owners' daily digest: on each of their working days at eight, if there is anything to do."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from textwrap import shorten

import structlog

from commsengine.cadence.calendar import Hours, instant
from commsengine.cadence.people import Person
from commsengine.content.digest import Call, DigestFacts, HeldRow, OpenQuestion
from commsengine.content.facts import Cast
from commsengine.engine.books import channels, failed, held, questions
from commsengine.engine.casting import Casting
from commsengine.engine.decisions import Decisions
from commsengine.engine.followups import FollowUp, followups
from commsengine.engine.handover import RendererFor
from commsengine.engine.service_mail import add_service_mail
from commsengine.errors import CommsError
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store

MOST_CALLS = 10
MOST_LINES = 20
LONGEST = 300
"""Characters of a question; it stands in full in ``commsengine today``."""

log = structlog.get_logger(__name__)

EIGHT = 8 * 60  # minutes after local midnight
QUARTER = 15 * 60  # seconds
NOON = 12 * 60
"""A digest that could not be sent in the morning is not sent in the evening."""


class Digests:
    """Remembers which it has looked at, so that a quiet day costs one look per owner and not one per beat.

    Eight in the morning is at a quarter of an hour everywhere: owners are looked up once in each.
    """

    def __init__(
        self, store: Store, decisions: Decisions, renderer: RendererFor, channels: Sequence[str],
        clock: Callable[[], dt.datetime],
    ) -> None:  # fmt: skip
        self._store, self._decisions, self._renderer = store, decisions, renderer
        self._channels, self._clock = tuple(channels), clock
        self._looked_at: set[str] = set()
        self._quarters: dict[str, tuple[int, int]] = {}

    def send(self, records: Sequence[CampaignRecord]) -> int:
        """Write down the digests that are due now; the next beat sends them. Returns how many."""
        now, sent = self._clock(), 0
        if not self._channels:
            return 0
        for record in records:
            if record.state not in ("running", "paused") or record.started_at is None:
                continue
            quarter = (record.version, int(now.timestamp() // QUARTER))
            if self._quarters.get(record.id) == quarter:
                continue
            due = [(lead, key) for lead, key in self._owners(record, now) if key and key not in self._looked_at]
            self._looked_at |= {key for _, key in due}
            if due:
                sent += self._tried(record, due, now)
            self._quarters[record.id] = quarter
        return sent

    def _owners(self, record: CampaignRecord, now: dt.datetime) -> list[tuple[Person, str]]:
        casting = Casting(self._store, record.plan.owner)
        leads = [casting.named(email) for email in record.plan.owner]
        return [(lead, _due_key(record, lead, now)) for lead in leads]

    def _tried(self, record: CampaignRecord, due: Sequence[tuple[Person, str]], now: dt.datetime) -> int:
        """A digest that cannot be written must not stop the engine."""
        try:
            facts = self._facts(record, now)
            return sum(self._send(record, lead, replace(facts, key=key), now) for lead, key in due)
        except CommsError as failure:
            log.error("digest_failed", campaign=record.id, error=type(failure).__name__)
            return 0

    def _send(self, record: CampaignRecord, lead: Person, facts: DigestFacts, now: dt.datetime) -> bool:
        if facts.empty or self._store.touches.row(facts.key):
            return False
        channel = "email" if "email" in self._channels else self._channels[0]
        renderer = self._renderer(record.plan, record.templates)
        if channel == "email":
            message = renderer.digest(lead, facts)
        else:
            message = renderer.service(
                "digest", facts.key, lead, Cast(lead), now, page=False, channel=channel, **facts.fields()
            )
        known = self._store.people.by_email(lead.email)
        return add_service_mail(
            self._store, message, category="digest", person_id=known.id if known else None, due_at=now, now=now
        )

    def _facts(self, record: CampaignRecord, now: dt.datetime) -> DigestFacts:
        mine = record.id
        waiting = followups(self._store, self._decisions, self._renderer, now, mine, today_for=record.plan.owner)
        asked = [q for q in questions(self._store, now) if q["campaign"] == mine]
        rows = [row for row in held(self._store) if row["campaign"] == mine]
        calls = _calls(waiting, record.plan.owner)
        left_out = sum((len(waiting) - len(calls), *(max(0, len(some) - MOST_LINES) for some in (asked, rows))))
        return DigestFacts(
            key="",
            at=now,
            calls=calls,
            questions=tuple(
                OpenQuestion(
                    q["name"],
                    q["message"],
                    shorten(q["text"], LONGEST, placeholder=" …"),
                    q["asked_at"][:10],
                    q["overdue"],
                )
                for q in asked[:MOST_LINES]
            ),
            held=tuple(
                HeldRow(row["person"], row["message"], row["reason"] or "nobody knows whether it arrived")
                for row in rows[:MOST_LINES]
            ),
            figures=(
                *([f"{left_out} more: commsengine today lists them all."] if left_out else ()),
                *self._not_leaving(mine, now),
            ),
        )

    def _not_leaving(self, campaign: str, now: dt.datetime) -> Iterator[str]:
        """What never arrived, and what waits for a channel that rests."""
        if lost := sum(row["campaign"] == campaign for row in failed(self._store)):
            yield f"{lost:,} message{'s' * (lost != 1)} never arrived: commsengine today says to whom, and why."
        for rest in channels(self._store, self._decisions, now):
            because = rest["because"].rstrip(".")
            yield f"Nothing leaves by {rest['channel']} at present ({rest['waiting']:,} waiting): {because}."


def _calls(waiting: Sequence[FollowUp], owners: Sequence[str]) -> tuple[Call, ...]:
    """The lead's own calls first, with talking points; those that managers make, a line each."""
    own = [one for one in waiting if one.carrier in owners][:MOST_CALLS]
    others = [one for one in waiting if one.carrier not in owners][:MOST_LINES]
    return tuple(_call(one, owners) for one in [*own, *others])


def _due_key(record: CampaignRecord, lead: Person, now: dt.datetime) -> str:
    """The name of the digest of this campaign, owner and day, if it is due now; else empty."""
    hours = Hours(record.plan, lead)
    day = hours.local_date(now)
    morning = instant(hours.zone, day, EIGHT) <= now < instant(hours.zone, day, NOON)
    if not (morning and hours.works(day)):
        return ""
    return hashlib.sha256("\x1f".join(("digest", record.id, lead.email, day.isoformat())).encode()).hexdigest()[:24]


def _call(one: FollowUp, owners: Sequence[str]) -> Call:
    mine = one.carrier in owners
    spoken = [line.lstrip() for line in one.talking_points.splitlines()] if mine else []
    points = tuple(line.strip("-• ") for line in spoken if line.startswith(("-", "•")))
    return Call(
        one.person.name or one.person.email, one.role, one.person.phone, one.reason, ", ".join(one.tried),
        "" if mine else one.carrier, points,
    )  # fmt: skip
