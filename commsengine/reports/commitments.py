"""What people said they will do, and what became of it: for the leads of the campaign, by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, Literal

from commsengine.cadence.calendar import DAY, Hours
from commsengine.cadence.kinds_and_states import WORD_GIVEN
from commsengine.cadence.people import ANYBODY
from commsengine.cadence.plan import Plan
from commsengine.reports.why import iso
from commsengine.store.records import CampaignRecord, GivenInput
from commsengine.store.store import Store
from commsengine.translation import _

CommitmentState = Literal["committed", "kept", "not kept", "silent"]
LONGEST = 300
"""Characters of what somebody wrote of it, in a list."""

STATES: Sequence[CommitmentState] = ("silent", "not kept", "committed", "kept")
"""Bad news first. ``silent``: the day is past, and they have not said; ``committed``: it is still to come."""


@dataclass(frozen=True, slots=True)
class GivenCommitment:
    """One person's word. ``text`` is what the plan asks, ``words`` their own; ``line`` is what they wrote of it after.

    ``by`` is its day, ``None`` without one; ``overdue`` once that is past and it is not kept. ``news_at`` is since when
    it stands as it does.
    """

    person: str
    name: str
    campaign: str
    message: str
    text: str
    words: str
    at: dt.datetime
    by: dt.date | None
    state: CommitmentState
    said_at: dt.datetime | None = None
    line: str = ""
    overdue: bool = False
    news_at: dt.datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "person": self.person,
            "name": self.name,
            "campaign": self.campaign,
            "message": self.message,
            "text": self.text,
            "words": self.words,
            "at": iso(self.at),
            "by": self.by.isoformat() if self.by else None,
            "state": self.state,
            "said_at": iso(self.said_at),
            "line": self.line,
            "overdue": self.overdue,
        }


def commitments(
    store: Store, record: CampaignRecord, now: dt.datetime, message: str | None = None
) -> list[GivenCommitment]:
    """Of one message or all, bad news first, then in the order in which they were given."""
    said: dict[tuple[str, str], list[GivenInput]] = {}
    for one in store.answers.inputs(record.id, kinds=("commit", *sorted(WORD_GIVEN))):
        if message in (None, one.message):
            said.setdefault((one.person_id, one.message), []).append(one)
    found = [_commitment(record.plan, theirs, now) for theirs in said.values()]
    return sorted((one for one in found if one), key=lambda one: (STATES.index(one.state), one.at))


def overdue_commitments(store: Store, record: CampaignRecord, now: dt.datetime) -> list[GivenCommitment]:
    return [one for one in commitments(store, record, now) if one.overdue]


def overdue_lines(found: Sequence[GivenCommitment], most: int) -> tuple[str, ...]:
    """Each as a line with its name; at most so many, then how many more there are."""
    lines = [_line(one) for one in found[:most]]
    more = len(found) - len(lines)
    return (*lines, *([_("{number} more.", number=more)] if more else []))


def _line(one: GivenCommitment) -> str:
    told = _("says it is not done yet") if one.state == "not kept" else _("no answer since that day")
    line = f": {shorten(one.line, LONGEST, placeholder=' …')}" if one.line else ""
    return f"{one.name or one.person}, '{one.message}': {told}{line}"


def _commitment(plan: Plan, said: Sequence[GivenInput], now: dt.datetime) -> GivenCommitment | None:
    first = next((one for one in said if one.kind == "commit"), None)
    if first is None:
        return None
    last = next((one for one in reversed(said) if one.kind in WORD_GIVEN), None)
    text, day = _asked(plan, first.message)
    ends = Hours(plan, ANYBODY).midnight(day + DAY) if day else None
    past = ends is not None and now >= ends
    state: CommitmentState = "silent" if past else "committed"
    if last is not None:
        state = "kept" if last.kind == "kept" else "not kept"
    about = (first.person, first.name, plan.campaign, first.message, text, first.text, first.at)
    overdue = past and state != "kept"
    said_at, line = (last.at, last.text) if last else (None, "")
    news_at = max(at for at in (first.at, said_at, ends if past else None) if at)
    return GivenCommitment(*about, day, state, said_at, line, overdue, news_at)


def _asked(plan: Plan, name: str) -> tuple[str, dt.date | None]:
    message = next((each for each in plan.messages if each.id == name), None)
    if message is None or message.commit is None:
        return "", None
    if message.id in plan.corrected:  # a promise about what was wrong binds no one and is not asked about
        return message.commit.text, None
    hours = Hours(plan, ANYBODY)
    day = hours.local_date(hours.instant_of(plan, message.asks_on)) if message.asks_on else None
    return message.commit.text, day
