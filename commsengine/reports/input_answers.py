"""What people answered to what the messages of a campaign ask: for its owners, by name.

Never an answer to a check, nor whether it was right: those are the person's own business.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Literal

from commsengine.cadence.audience import role_of, roles_of
from commsengine.cadence.kinds_and_states import ASKED_FOR, GRADES, Grade, InputKind
from commsengine.cadence.people import END_OF_DAYS
from commsengine.cadence.plan import Message
from commsengine.errors import InputError
from commsengine.recall.small_groups import enough
from commsengine.reports.commitments import commitments
from commsengine.reports.why import iso
from commsengine.store.records import AskId, CampaignRecord, GivenInput, ReplyRecord, StoredAnswer, SuspectAnswer
from commsengine.store.store import Store
from commsengine.translation import N_, _

SUSPECT: Grade = "suspect"

MOST_TEXTS = 50
"""The newest answers in words that a report shows."""


def recent_inputs(
    store: Store, record: CampaignRecord, since: dt.datetime | None, until: dt.datetime
) -> list[GivenInput]:
    # a bare "I will" has no text and is only counted elsewhere
    return [given for given in store.answers.inputs(record.id, since=since, until=until) if given.text]


@dataclass(frozen=True, slots=True)
class InputView:
    """What a message asked for, without names: ``tally``, ``places`` and ``texts`` only of ten people or more."""

    message: str
    question: str
    kind: InputKind | Literal["commit"]
    answered: int
    silent: int
    shown: bool
    tally: Mapping[str, int]
    places: Mapping[str, float]
    texts: tuple[str, ...]


def input_views(store: Store, record: CampaignRecord, now: dt.datetime) -> tuple[InputView, ...]:
    return tuple(_view(each) for each in answers(store, record, now=now)["messages"])


def _view(asked: Mapping[str, Any]) -> InputView:
    people = {one["person"] for one in asked["answers"]}
    shown = enough(len(people))
    texts = () if asked["kind"] in ("choice", "rank") else tuple(one["text"] for one in asked["answers"] if one["text"])
    return InputView(
        asked["message"],
        asked["question"],
        asked["kind"],
        len(people),
        len(asked["silent"]),
        shown,
        asked["tally"] if shown else {},
        asked["places"] if shown else {},
        texts[-MOST_TEXTS:] if shown else (),
    )


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
        cause = N_("'{message}' is not a message of {campaign} that asks for an answer in words.")
        known = ", ".join(asking)
        fix = _("Those that do: {messages}.", messages=known) if known else _("None of its messages does.")
        raise InputError(_(cause, message=message, campaign=record.id), fix)
    day, standing = now.date() if now else END_OF_DAYS, store.replies.standing(record.id)
    words = commitments(store, record, now, message) if now else []

    def answered(each: Message) -> dict[str, Any]:
        own = [one for one in given if one.message == each.id]
        silent = store.audience.silent(record, each.id, roles_of(record.plan, each), day)
        said = _answered(each, own, silent, standing)
        return {**said, "commitments": [one.as_json() for one in words if one.message == each.id]}

    return {
        "campaign": record.id,
        "messages": [answered(each) for each in asking.values() if message in (None, each.id)],
    }


def _lost(store: Store, record: CampaignRecord, message: str) -> Message:
    versions = (store.campaigns.version(record.id, number) for number in range(record.version, 0, -1))
    messages = [each for version in versions if version for each in version.plan.messages if each.id == message]
    return next((each for each in messages if each.ask in ASKED_FOR), messages[0])


def _answered(
    message: Message, given: Sequence[GivenInput], silent: Sequence[str], standing: Mapping[AskId, ReplyRecord]
) -> dict[str, Any]:
    return {
        "message": message.id,
        "question": _asked(message),
        "kind": message.input.kind if message.ask == "input" and message.input else "commit",
        "tally": tally(message, given),
        "places": places(message, given),
        "chosen_by": _chosen_by(message, given),
        "answers": [_one(each, standing.get(each.ask.id)) for each in given],
        "silent": silent,
    }


def _one(given: GivenInput, reply: ReplyRecord | None) -> dict[str, Any]:
    return {
        "id": str(given.ask.id),
        "person": given.person,
        "name": given.name,
        "at": iso(given.at),
        "text": given.text,
        "as": reply.ending if reply else None,
        "by": reply.day.isoformat() if reply and reply.day else None,
        "reply": reply.said if reply else None,
    }


def _asked(message: Message) -> str:
    if message.input:
        return message.input.question
    return message.commit.text if message.commit else ""


def newest(given: Iterable[GivenInput]) -> list[GivenInput]:
    """One of each person, without those that were erased."""
    return [one for one in {each.person_id: each for each in given}.values() if one.text]


def tally(message: Message, given: Sequence[GivenInput]) -> dict[str, int]:
    """How many chose each, by the newest of each person; nothing where there is nothing to choose.

    Of an order, its points (Borda): the last of n choices gets none, the first n - 1, from each person.
    """
    choices = message.input.choices if message.input else ()
    if message.input and message.input.kind == "rank":
        orders = [one.text.splitlines() for one in newest(given)]
        return {c: sum(len(choices) - 1 - order.index(c) for order in orders if c in order) for c in choices}
    counts = Counter(one.text for one in newest(given))
    if message.input and message.input.kind == "meeting":  # another time is in people's own words
        return {choice: counts[choice] for choice in choices}
    return {**dict.fromkeys(choices, 0), **counts} if choices else {}


def places(message: Message, given: Sequence[GivenInput]) -> dict[str, float]:
    """The mean place of each choice in the orders people gave, 1 for the first; only where one is asked for."""
    if not (message.input and message.input.kind == "rank"):
        return {}
    orders = [one.text.splitlines() for one in newest(given)]
    found = {
        choice: [1 + order.index(choice) for order in orders if choice in order] for choice in message.input.choices
    }
    return {choice: round(mean(each), 2) for choice, each in found.items() if each}


def chosen_so_far(message: Message, given: Sequence[GivenInput], shown: Message) -> dict[str, int]:
    """The tally in words: of a meeting also how many ask for another time, of an order its points.

    ``shown`` is the message in the language in which it is read.
    """
    words = dict(zip(message.input.choices, shown.input.choices, strict=True)) if message.input and shown.input else {}
    counts = {words.get(choice, choice): count for choice, count in tally(message, given).items()}
    if message.input and message.input.kind == "meeting":
        return counts | {_("another time"): len(newest(given)) - sum(counts.values())}
    if message.input and message.input.kind == "rank":
        return {_("{choice} (points)", choice=choice): points for choice, points in counts.items()}
    return counts


def _chosen_by(message: Message, given: Sequence[GivenInput]) -> dict[str, list[str]]:
    # Who comes when; under "" those who ask for another time.
    if not (message.input and message.input.kind == "meeting"):
        return {}
    choices, chosen = message.input.choices, newest(given)
    lists = {choice: [one.person for one in chosen if one.text == choice] for choice in choices}
    return lists | {"": [one.person for one in chosen if one.text not in choices]}


# -- who acknowledged what -------------------------------------------------------------------------


def acknowledgements(store: Store, record: CampaignRecord) -> dict[str, Any]:
    """Who acknowledged what, when, and how well that is proved, by time, as documented JSON.

    What came without its page is listed as suspect, and counts nowhere. Of people who were erased there is none.
    """
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
