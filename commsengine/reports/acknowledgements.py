"""Who acknowledged what, when, and how well that is proved: for the owners of a campaign, by name.

The grades, the strongest first: a press in Slack, a form on the page behind a signed link, a reply in words, a
manager's word. A form that came without its page is listed as suspect, and counts nowhere. (A company log-in would
stand above them all; there is none yet.) Whether an answer to a check was right is told of no one.
"""

from __future__ import annotations

from typing import Any

from commsengine.cadence.audience import role_of
from commsengine.cadence.kinds_and_states import GRADES, Grade
from commsengine.reports.why import iso
from commsengine.store.records import CampaignRecord, StoredAnswer, SuspectAnswer
from commsengine.store.store import Store

SUSPECT: Grade = "suspect"


def acknowledgements(store: Store, record: CampaignRecord) -> dict[str, Any]:
    """Every one that stands, by time, as documented JSON. Of people who were erased there is none."""
    given: list[StoredAnswer | SuspectAnswer] = [
        *store.answers.acknowledged(record.id),
        *store.answers.suspects(campaign=record.id),
    ]
    people = store.people.by_ids(sorted({each.person_id for each in given}))
    there = {name for name, person in people.items() if person.email}
    known = [each for each in sorted(given, key=lambda one: one.at) if each.person_id in there]
    acks = [
        {
            "person": people[each.person_id].email,
            "name": people[each.person_id].name,
            "role": role_of(record.plan, people[each.person_id]),
            "message": each.message,
            "at": iso(each.at),
            "kind": each.kind,
            "grade": grade(each),
            "counts": isinstance(each, StoredAnswer),
            "key": each.key,
        }
        for each in known
    ]
    numbers = {name: sum(ack["grade"] == name for ack in acks) for name in GRADES}
    return {"campaign": record.id, "grades": numbers, "acks": acks}


def grade(given: StoredAnswer | SuspectAnswer) -> Grade:
    """What was recorded as suspect before such answers were kept apart counts as it did, and is graded as it is."""
    if isinstance(given, SuspectAnswer) or SUSPECT in given.detail:
        return SUSPECT
    return given.evidence
