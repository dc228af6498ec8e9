"""What came of talks, as the leads read it: who recorded what about whom, with the note and what was unclear."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from commsengine.cadence.kinds_and_states import OutcomeName
from commsengine.store.records import GivenOutcome
from commsengine.store.store import Store

SHOWN_AFTER = dt.timedelta(days=7)
"""So long what was recorded is shown, unless another time is asked for."""


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """The outcome of one talk about ``messages``. ``person`` and ``by`` are addresses, or the account of an operator.

    ``unclear`` and ``note`` are empty where none were given.
    """

    person: str
    name: str
    campaign: str
    messages: tuple[str, ...]
    outcome: OutcomeName
    unclear: str
    note: str
    at: dt.datetime
    by: str

    def as_json(self) -> dict[str, object]:
        return {
            "person": self.person,
            "name": self.name,
            "campaign": self.campaign,
            "messages": list(self.messages),
            "outcome": self.outcome,
            "unclear": self.unclear,
            "note": self.note,
            "at": self.at.isoformat(),
            "by": self.by,
        }


def recorded_outcomes(
    store: Store, *, campaign: str = "", since: dt.datetime | None = None, people: Sequence[str] | None = None
) -> list[RecordedOutcome]:
    """Of one campaign or all, after ``since``, about these people (ids) or all; in the order of recording."""
    talks: dict[tuple[str, str, dt.datetime, str], list[GivenOutcome]] = defaultdict(list)
    for one in store.answers.outcomes(campaign=campaign, since=since, people=people):
        talks[one.person_id, one.campaign, one.at, one.by].append(one)
    return [_talk(about) for about in talks.values()]


def _talk(about: Sequence[GivenOutcome]) -> RecordedOutcome:
    one, messages = about[0], tuple(dict.fromkeys(each.message for each in about))
    return RecordedOutcome(
        one.person, one.name, one.campaign, messages, one.outcome, one.unclear, one.note, one.at, one.by
    )
