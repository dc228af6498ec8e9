"""What people answered to what the messages of a campaign ask: for its owners, by name.

Never an answer to a check, nor whether it was right: those are the person's own business.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

from commsengine.cadence.audience import roles_of
from commsengine.cadence.kinds_and_states import ASKED_FOR
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Message, Plan
from commsengine.engine.directory import members_of
from commsengine.errors import InputError
from commsengine.reports.commitments import commitments
from commsengine.reports.why import iso
from commsengine.store.records import CampaignRecord, GivenInput
from commsengine.store.store import Store
from commsengine.translation import N_, _


def recent_inputs(
    store: Store, record: CampaignRecord, since: dt.datetime | None, until: dt.datetime
) -> list[GivenInput]:
    # a bare "I will" has no text and is only counted elsewhere
    return [given for given in store.answers.inputs(record.id, since=since, until=until) if given.text]


def answers(
    store: Store, record: CampaignRecord, message: str | None = None, now: dt.datetime | None = None
) -> dict[str, Any]:
    """The answers to every message that asks for one, or to one of them, as documented JSON.

    A message that the plan has lost since is there as long as there are answers to it. Raises ``InputError`` for a
    message that asks for nothing of the kind. What became of commitments is there as of ``now``.
    """
    given = store.answers.inputs(record.id)
    asking = {each.id: each for each in record.plan.messages if each.ask in ASKED_FOR}
    asking |= {each.message: _lost(store, record, each.message) for each in given if each.message not in asking}
    if message is not None and message not in asking:
        cause = N_("'{message}' is no message of {campaign} that asks for an answer in words.")
        known = ", ".join(asking)
        fix = _("Those that do: {messages}.", messages=known) if known else _("None of its messages does.")
        raise InputError(_(cause, message=message, campaign=record.id), fix)
    audience = list(members_of(store, record.plan))
    words = commitments(store, record, now, message) if now else []
    return {
        "campaign": record.id,
        "messages": [
            {
                **_answered(store, record.plan, each, [one for one in given if one.message == each.id], audience),
                "commitments": [one.as_json() for one in words if one.message == each.id],
            }
            for each in asking.values()
            if message in (None, each.id)
        ],
    }


def _lost(store: Store, record: CampaignRecord, message: str) -> Message:
    versions = (store.campaigns.version(record.id, number) for number in range(record.version, 0, -1))
    messages = [each for version in versions if version for each in version.plan.messages if each.id == message]
    return next((each for each in messages if each.ask in ASKED_FOR), messages[0])


def _answered(
    store: Store, plan: Plan, message: Message, given: Sequence[GivenInput], audience: Sequence[tuple[Person, str]]
) -> dict[str, Any]:
    spoke, reached = {one.person_id for one in given}, set(store.touches.reached(plan.campaign, message.id))
    roles = roles_of(plan, message)
    return {
        "message": message.id,
        "question": _asked(message),
        "kind": message.input.kind if message.ask == "input" and message.input else "commit",
        "tally": _tally(message, given),
        "answers": [
            {
                "id": one.id,
                "person": one.person,
                "name": one.name,
                "at": iso(one.at),
                "text": one.text,
                "as": None,
                "by": None,
            }
            for one in given
        ],
        "silent": [
            person.email
            for person, role in audience
            if role in roles and person.id in reached and person.id not in spoke
        ],
    }


def _asked(message: Message) -> str:
    if message.input:
        return message.input.question
    return message.commit.text if message.commit else ""


def _tally(message: Message, given: Sequence[GivenInput]) -> dict[str, int]:
    choices = message.input.choices if message.input else ()
    newest = {one.person_id: one.text for one in given}
    counts = Counter(text for text in newest.values() if text)
    return {**dict.fromkeys(choices, 0), **counts} if choices else {}
