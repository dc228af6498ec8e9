""" "My messages": everything on record about one person, as that person reads it, campaign by campaign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from commsengine.answers.touch_text import given_as_shown
from commsengine.answers.wording import spoken
from commsengine.cadence.calendar import zone_of
from commsengine.cadence.kinds_and_states import (
    ANSWERS,
    BY_HAND,
    CHANNELS,
    OUTCOME_WORDS,
    UNCLEAR_WORDS,
    ChannelName,
    OutcomeName,
    Unclear,
    Wish,
)
from commsengine.cadence.people import COLUMNS, Person
from commsengine.cadence.plan import Plan
from commsengine.cadence.time_notation import clock_text
from commsengine.content.phrases import day_text, ending_text, question_text
from commsengine.engine.directory import campaigns_of
from commsengine.errors import InputError
from commsengine.store.records import AskId, CampaignRecord, ReplyRecord
from commsengine.store.service_mail import ABOUT_OTHERS, ASKED_FOR
from commsengine.store.store import Store
from commsengine.translation import N_, _

Row = Mapping[str, Any]
Stored = Mapping[str, Sequence[Row]]

_COLUMNS = (
    N_("id"), N_("email"), N_("name"), N_("department"), N_("job"), N_("manager"), N_("country"), N_("region"),
    N_("time zone"), N_("language"), N_("phone"), N_("channel"), N_("slack id"),
)  # fmt: skip
"""``COLUMNS`` in words."""

NOTED = N_("There is a note of this talk. Ask the people who lead the campaign to see it.")

NOT_SENT = {
    "skipped": N_("Not sent"),
    "failed": N_("Could not be delivered"),
    "uncertain": N_("May have been delivered"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened; ``when`` is in the person's zone."""

    at: dt.datetime
    when: str
    text: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message of a campaign, and what happened about it, oldest first."""

    key_point: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class CampaignPart:
    """One campaign in a person's record. ``key`` is their newest touch in it, through which they can answer."""

    id: str
    title: str
    optional: bool
    over: bool
    key: str
    messages: tuple[MessageRecord, ...]


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One person's record. ``export`` is all of it as plain data, for a file; ``channels`` can be wished for."""

    person: Person
    campaigns: tuple[CampaignPart, ...]
    stored: tuple[tuple[str, str], ...]
    export: Mapping[str, Any]
    channels: tuple[ChannelName, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanWords:
    """What a person reads of a campaign: its ``plan`` in their language, and its key points by message."""

    plan: Plan
    key_points: Mapping[str, str]


WordsFor = Callable[[CampaignRecord, Person], PlanWords]


def person_record(
    store: Store,
    person_id: str,
    words: WordsFor,
    now: dt.datetime,
    carriers: Collection[ChannelName] = tuple(CHANNELS),
) -> PersonRecord:
    """Raises ``InputError`` for a person who is not on record (any more).

    ``words`` gives a campaign's in the language of the person.
    """
    person = store.people.by_id(person_id)
    if person is None:
        raise InputError(_("There is no person with this id."))
    replies = store.replies.to_person(person_id)
    stored = {**store.people.all_of(person_id), "reply": [_reply(ask, said) for ask, said in replies]}
    campaigns = sorted({row["campaign"] for name in _ABOUT for row in stored[name]} - {""})
    records = [record for campaign in campaigns if (record := store.campaigns.get(campaign))]
    zones = {record.id: zone_of(person, record.plan).key for record in records}
    return PersonRecord(
        person,
        tuple(_part(record, stored, words(record, person), zones[record.id], now) for record in records),
        tuple(fact for fact in _facts(person) if fact[1]),
        {name: [_plain(_own(row)) for row in rows] for name, rows in stored.items()},
        offered([record.plan for record in campaigns_of(store, person)], carriers),
    )


def offered(plans: Sequence[Plan], carriers: Collection[ChannelName]) -> tuple[ChannelName, ...]:
    """The channels that are set up and that one of these plans uses; without plans, all that are set up."""
    used = {name for plan in plans for name in plan.send.channels} or set(carriers)
    return tuple(name for name in CHANNELS if name in carriers and name in used)


def refuse_wish(
    plans: Sequence[Plan], carriers: Collection[ChannelName], channel: Wish, hours: tuple[int, int] | None
) -> None:
    """Raises ``InputError`` for a channel that is not offered, or hours in which none of these plans may send."""
    if channel and channel not in offered(plans, carriers):
        raise InputError(_("Please choose one of the channels."))
    windows = {(plan.send.window.start, plan.send.window.end): plan.send.window for plan in plans}
    if hours and windows and not any(window.meets(hours) for window in windows.values()):
        between = N_("{start} and {end} your time")
        told = [_(between, start=clock_text(start), end=clock_text(end)) for start, end in sorted(windows)]
        text = N_("Messages are only sent between {hours}. Please choose hours within that time.")
        raise InputError(_(text, hours="; ".join(told)))


_ABOUT = ("touch", "answer", "question", "reply", "snooze", "outcome", "deed")


def _part(record: CampaignRecord, stored: Stored, words: PlanWords, zone: str, now: dt.datetime) -> CampaignPart:
    plan, key_points = words.plan, words.key_points
    mine = {name: [row for row in stored[name] if row["campaign"] == record.id] for name in _ABOUT}
    mine["deed"] = [told for row in mine["deed"] if (told := _under_its_message(plan, row))]
    mine["question"] = [{**row, "text": question_text(row["text"], record.plan, plan)} for row in mine["question"]]
    mine["answer"] = [_in_its_words(record.plan, plan, row) for row in mine["answer"]]
    named = {row["message"] for rows in mine.values() for row in rows if row.get("kind") != "service"}
    over = any(row["whole_campaign"] and row["withdrawn_at"] is None for row in mine["answer"])
    touches = [row for row in mine["touch"] if row["kind"] != "service"]
    newest = max(touches, key=lambda row: row["due_at"], default=None)
    return CampaignPart(
        record.id,
        plan.title,
        plan.optional,
        over,
        newest["key"] if newest else "",
        tuple(
            MessageRecord(key_points.get(message, message), _lines(message, mine, zone, now))
            for message in [*key_points, *sorted(named - set(key_points))]
            if message in named
        ),
    )


def _under_its_message(plan: Plan, row: Row) -> Row | None:
    # what was done stands with the first message that is to bring it about
    messages = plan.messages_for(row["outcome"]) if row["outcome"] in plan.outcomes else ()
    return {**row, "message": messages[0].id, "title": plan.outcomes[row["outcome"]].title} if messages else None


def _in_its_words(plan: Plan, theirs: Plan, row: Row) -> Row:
    # "I will" without words of their own says what the plan asked; a choice is kept as the plan has it
    pairs = zip(plan.messages, theirs.messages, strict=True)
    found = next(((message, shown) for message, shown in pairs if message.id == row["message"]), None)
    if found is None:
        return row
    message, shown = found
    if row["kind"] == "input" and shown.input:
        return {**row, "value": given_as_shown(message, shown.input.choices, row["value"])}
    asked = shown.commit
    if row["kind"] != "commit" or row["value"] or asked is None or "{{" in asked.text:
        return row
    return {**row, "value": asked.text}


def _lines(message: str, mine: Stored, zone: str, now: dt.datetime) -> tuple[Line, ...]:
    found = [
        (at, text, quote)
        for name, tell in _TELL.items()
        for row in mine[name]
        if row["message"] == message
        for at, text, quote in tell(row)
    ]
    return tuple(Line(at, spoken(at, zone, now), text, quote) for at, text, quote in sorted(found, key=lambda f: f[0]))


Happening = Iterator[tuple[dt.datetime, str, str]]


def _touch(row: Row) -> Happening:
    carried = _(CHANNELS[row["channel"]].carried if row["channel"] in CHANNELS else N_("Sent"))
    if row["kind"] == "remind":
        carried = _("{sent} as a reminder", sent=carried)
    text = BY_HAND.get(row["kind"]) or NOT_SENT.get(row["state"])
    if row["state"] in ("sent", "uncertain", "failed", "skipped"):
        yield row["sent_at"] or row["due_at"], _(text) if text else carried, ""


def _answer(row: Row) -> Happening:
    whole = row["whole_campaign"] and row["kind"] == "heard_enough"
    text = N_("You stopped all messages of this campaign") if whole else ANSWERS[row["kind"]].to_them
    # the choice in a check is for the moment in which it is made
    yield row["at"], _(text), "" if row["kind"] == "check" else row["value"]
    if row["withdrawn_at"]:
        yield row["withdrawn_at"], _("You took that back"), ""


def _question(row: Row) -> Happening:
    if row["objection"]:  # the note is for the people who lead the campaign
        yield row["asked_at"], _("You objected, as recorded after a talk with you"), ""
    else:
        yield row["asked_at"], _("You asked"), row["text"]
    if row["answered_at"]:
        yield row["answered_at"], _("You got the answer"), row["answer"]


def _replied(row: Row) -> Happening:
    if row["kind"] == "input":  # a question has its answer beside it
        yield row["at"], _("You got the answer"), row["said"]
    if row["ending"] != "done":
        day = row["day"]
        yield row["at"], ending_text(row["ending"], day), ""


def _reply(ask: AskId, said: ReplyRecord) -> dict[str, Any]:
    about = {"campaign": said.campaign, "message": said.message, "kind": ask.kind, "number": ask.number}
    return {**about, "said": said.said, "ending": said.ending, "day": said.day, "at": said.at}


def _snooze(row: Row) -> Happening:
    yield row["at"], _("You asked to be reminded on {day}", day=day_text(row["until"])), ""


def _outcome(row: Row) -> Happening:
    came: OutcomeName = row["outcome"]
    text = _("Recorded after a talk with you: {outcome}", outcome=_(OUTCOME_WORDS[came]))
    if unclear := cast("Unclear | None", row["unclear"] or None):
        text = _("{outcome}; unclear: {unclear}", outcome=text, unclear=_(UNCLEAR_WORDS[unclear]))
    yield row["at"], text, ""


def _deed(row: Row) -> Happening:
    yield row["at"], _("Recorded as done: {title}", title=row["title"]), ""


_TELL: Mapping[str, Callable[[Row], Happening]] = {
    "touch": _touch, "answer": _answer, "question": _question, "reply": _replied, "snooze": _snooze,
    "outcome": _outcome, "deed": _deed,
}  # fmt: skip


def _facts(person: Person) -> Iterator[tuple[str, str]]:
    yield from ((_(name.replace("_", " ")), person.column(name)) for name in COLUMNS)
    yield _("wished channel"), person.wished_channel
    yield _("leave"), "; ".join(_("{first} to {last}", first=first, last=last) for first, last in person.leave)
    yield _("left"), str(person.left or "")
    yield from ((name.replace("_", " "), text) for name, text in sorted(person.attributes.items()))


def _own(row: Row) -> Row:
    # what a row says about others is left out, and so is what somebody noted of a talk, and a link not used yet
    if row.get("objection"):
        return {**row, "text": _(NOTED)}
    if row.get("note"):
        return {**row, "note": _(NOTED)}
    unsaid = row.get("kind") == "service" and row["message"] in (*ABOUT_OTHERS, *ASKED_FOR)
    return {**row, "payload": None} if unsaid else row


def _plain(row: Row) -> dict[str, Any]:
    # what the engine keeps for itself (owner, fence, lease) is left as it is
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in row.items()}
