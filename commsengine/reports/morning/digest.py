"""The owners' daily digest: on each of their working days at eight, if there is anything to do or to read."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from textwrap import shorten
from typing import Any

from commsengine.cadence.calendar import DAY, local_date_in
from commsengine.cadence.dialogue import groups
from commsengine.cadence.kinds_and_states import CHANNELS, OUTCOME_WORDS, UNCLEAR_WORDS, service_channel
from commsengine.cadence.people import Person
from commsengine.content.digest_facts import Call, DigestFacts, GivenAnswer, HeldRow, OpenQuestion, RecordedTalk
from commsengine.content.kept_words import retold
from commsengine.content.phrases import moment_text, month_day_text, question_text
from commsengine.engine.directory import SignerLookup
from commsengine.engine.dispatch import add_service_mail
from commsengine.reports.commitments import overdue_commitments, overdue_lines
from commsengine.reports.day_figures import (
    Leaving,
    day_figures,
    end_of_day,
    got_it_only,
    leaving_until,
    told_of_got_it,
)
from commsengine.reports.followups import FollowUp, all_followups, with_talk
from commsengine.reports.held_files import held_files, held_text
from commsengine.reports.input_answers import chosen_so_far, recent_inputs
from commsengine.reports.morning.manager_lists import why_untold
from commsengine.reports.morning.morning_time import MorningBasis, morning_key, morning_of, quarter_of, tried
from commsengine.reports.outcomes_recorded import RecordedOutcome, recorded_outcomes
from commsengine.reports.phases.measures import gates_that_wait
from commsengine.reports.promises import overdue_promises
from commsengine.reports.status import channels, failed, held, paused_by_engine, questions, refusals
from commsengine.store.records import CampaignRecord, GivenInput
from commsengine.translation import N_, _, counted, in_language, language_in_use

CATEGORY = "digest"
MOST_CALLS = 10
MOST_LINES = 20
MOST_NAMES = 3
LONGEST = 300
"""Characters of a question or an answer; they stand in full in ``commsengine today`` and ``commsengine answers``."""

DAYS_BACK = 60
"""So far back the last digest is looked for; before, everything is new."""

FIRST_TALKS = 7 * DAY
"""The first digest has what came of talks for so long back."""

PASSING = dt.timedelta(minutes=15)
"""A rest that ends sooner by itself is no news."""

SETTLED = dt.timedelta(minutes=1)
"""An answer that is younger may not be on record yet: it is left to the next digest."""


class Digests:
    """Remembers which it has looked at, so that a quiet day costs one look per owner and not one per beat."""

    def __init__(self, basis: MorningBasis) -> None:
        self._store, self._decisions, self._renderer = basis.store, basis.decisions, basis.renderer
        self._channels, self._make_link = tuple(basis.channels), basis.make_link
        self._leaving: tuple[object, Leaving] = (None, {})
        self._looked_at: set[str] = set()
        self._quarters: dict[str, tuple[int, int]] = {}

    def send(self, records: Sequence[CampaignRecord], now: dt.datetime) -> int:
        """Writes down the digests that are due now; the next beat sends them. Returns how many."""
        sent = 0
        if not self._channels:
            return 0
        for record in records:
            if record.started_at is None or not (record.state == "running" or self._paused_itself(record)):
                continue
            quarter = (record.version, quarter_of(now))
            if self._quarters.get(record.id) == quarter:
                continue
            due = [(lead, key) for lead, key in self._owners(record, now) if key and key not in self._looked_at]
            self._looked_at |= {key for _, key in due}
            if due:
                sent += tried("digest_failed", record.id, partial(self._send_all, record, due, now))
            self._quarters[record.id] = quarter
        return sent

    def _paused_itself(self, record: CampaignRecord) -> bool:
        # what a person pauses is silent, and its next digest has all since the last; the engine's own pause is news
        pause = self._store.campaigns.open_pause(record.id) if record.state == "paused" else None
        return pause is not None and pause.since_by == "engine"

    def _owners(self, record: CampaignRecord, now: dt.datetime) -> list[tuple[Person, str]]:
        signer_lookup = SignerLookup(self._store, record.plan.owner)
        leads = [signer_lookup.named(email) for email in record.plan.owner]
        days = [(lead, morning_of(record.plan, lead, now)) for lead in leads]
        return [(lead, _key(record, lead, day)) for lead, day in days if day]

    def _send_all(self, record: CampaignRecord, due: Sequence[tuple[Person, str]], now: dt.datetime) -> int:
        return sum(self._send(record, lead, key, now) for lead, key in due)

    def _send(self, record: CampaignRecord, lead: Person, key: str, now: dt.datetime) -> bool:
        if self._store.touches.row(key):
            return False
        renderer = self._renderer(record.plan, record.templates)
        with in_language(renderer.language_of_all(lead)):
            facts = self._since_the_last(record, lead, self._facts(record, lead, key, now), now)
            if facts.empty:
                return False
            facts = self._with_numbers(record, lead, facts, now)
        known = self._store.people.by_email(lead.email)
        person = known.id if known else None
        opens = self._make_link("calls", person or lead.email, now, campaign=record.id) if facts.calls else ""
        message = renderer.digest(lead, replace(facts, opens=opens), service_channel(self._channels))
        if record.state == "paused":  # it is about the campaign, and not a message of it that the pause has stopped
            message = message._replace(campaign="")
        return add_service_mail(self._store, message, category=CATEGORY, person_id=person, due_at=now, now=now)

    def _since_the_last(
        self, record: CampaignRecord, lead: Person, facts: DigestFacts, now: dt.datetime
    ) -> DigestFacts:
        since = self._last(record, lead, now)
        facts = self._with_commitments(record, facts, since or now - FIRST_TALKS, now)
        facts = replace(facts, recorded=self._recorded(record, lead, since or now - FIRST_TALKS))
        given = recent_inputs(self._store, record, since and since - SETTLED, now - SETTLED)
        if not given:
            return facts
        alike = _alike([one for one in given if not _chooses(record, one.message)])
        left_out = sum(map(len, alike[MOST_LINES:]))
        more = _("{number} more", number=left_out) if left_out else _("All answers so far")
        return replace(
            facts,
            answers=tuple(_given(group, record) for group in alike[:MOST_LINES]),
            answered=len(given),
            chosen=tuple(self._chosen(record, given)),
            all_answers=_(
                "{more}: commsengine answers {campaign}. To reply: commsengine question ID --answer TEXT",
                more=more,
                campaign=record.id,
            ),
        )

    def _chosen(self, record: CampaignRecord, given: Sequence[GivenInput]) -> Iterator[str]:
        # what is chosen from a list is counted, and names stand in the command
        shown = record.plan.in_language(language_in_use())
        new = Counter(one.message for one in given if _chooses(record, one.message))
        said = self._store.answers.inputs(record.id) if new else []
        for message, number in new.items():
            theirs = [one for one in said if one.message == message]
            counts = chosen_so_far(record.plan.message(message), theirs, shown.message(message))
            told = ", ".join(f"{_short(choice)} {count:,}" for choice, count in counts.items())
            text = N_('"{message}", {number} new; so far: {told}')
            yield _(text, message=message, number=number, told=told)

    def _with_commitments(
        self, record: CampaignRecord, facts: DigestFacts, since: dt.datetime, now: dt.datetime
    ) -> DigestFacts:
        in_words = replace(record, plan=record.plan.in_language(language_in_use()))
        overdue = overdue_commitments(self._store, in_words, now)
        news = sum(one.news_at is not None and one.news_at > since for one in overdue)
        return replace(facts, commitments=overdue_lines(overdue, MOST_LINES), broken=news)

    def _recorded(self, record: CampaignRecord, lead: Person, since: dt.datetime) -> tuple[RecordedTalk, ...]:
        # what others recorded: the lead knows what they recorded themselves
        found = recorded_outcomes(self._store, campaign=record.id, since=since)
        names = SignerLookup(self._store, {one.by for one in found})
        return tuple(
            RecordedTalk(one.name or one.person, _by(names, one.by), _came(one), _day(one.at, record), _short(one.note))
            for one in found[-MOST_LINES:]
            if one.by.lower() != lead.email.lower()
        )

    def _with_numbers(self, record: CampaignRecord, lead: Person, facts: DigestFacts, now: dt.datetime) -> DigestFacts:
        until = end_of_day(record, lead, now)
        if self._leaving[0] != (until, quarter_of(now)):  # once for all campaigns that are written just now
            self._leaving = ((until, quarter_of(now)), leaving_until(self._store, self._decisions, until, now))
        day = day_figures(self._store, record, lead, self._leaving[1].get(record.id, {}), now)
        shown = record.plan.in_language(language_in_use())
        got_it = told_of_got_it(got_it_only(self._store, record, now), shown.audience)
        return replace(facts, numbers=day.lines, figures=(*facts.figures, *got_it))

    def _last(self, record: CampaignRecord, lead: Person, now: dt.datetime) -> dt.datetime | None:
        # a digest that could not be delivered was read by no one
        keys = [_key(record, lead, now.date() - days * DAY) for days in range(-1, DAYS_BACK)]
        rows = self._store.touches.rows(keys).values()
        return max((row.created_at for row in rows if row.state not in ("failed", "skipped")), default=None)

    def _facts(self, record: CampaignRecord, lead: Person, key: str, now: dt.datetime) -> DigestFacts:
        campaign = record.id
        every = [one for one in all_followups(self._store, self._decisions, now) if one.campaign == campaign]
        waiting = [one for one in every if one.today]
        asked = [q for q in questions(self._store, now) if q["campaign"] == campaign]
        rows = [row for row in held(self._store) if row["campaign"] == campaign]
        calls = self._calls(record, lead, waiting, now)
        left_out = sum(max(0, len(some) - MOST_LINES) for some in (asked, rows)) + len(waiting) - len(calls)
        held_rows = (
            HeldRow(row["person"], row["message"], _(row["reason"] or N_("it is not known whether it arrived")))
            for row in rows[:MOST_LINES]
        )
        figures = [_("{number} more. To see all: commsengine today", number=left_out)] if left_out > 0 else []
        return DigestFacts(
            key,
            now,
            calls,
            questions=_grouped(asked, record)[:MOST_LINES],
            held=tuple(held_rows),
            figures=(*figures, *self._never_arrived(campaign, now), *self._shut_gates(record, now)),
            overdue=tuple(self._overdue(campaign, now)),
            troubles=tuple(self._troubles(record, now)),
            waiting=len(every),
            open_questions=len(asked),
            to_decide=len(rows),
        )

    def _overdue(self, campaign: str, now: dt.datetime) -> Iterator[str]:
        for promise in overdue_promises(self._store, now, campaign)[:MOST_LINES]:
            day, said = dt.date.fromisoformat(promise["by"]), _short(promise["text"]).rstrip(".")
            text = N_("{said} – promised to {people} for {day}. If it is done: commsengine question {id} --as done")
            people = counted(promise["people"], "person", "people")
            yield _(text, said=said, people=people, day=month_day_text(day), id=promise["ids"][0])

    def _never_arrived(self, campaign: str, now: dt.datetime) -> Iterator[str]:
        # no trouble of today: they stand there as long as the campaign goes on
        found = [row for row in failed(self._store) if row["campaign"] == campaign]
        lost = len(found)
        if lost and not all(_lost_since(row, campaign, now - DAY) for row in found):
            messages = counted(lost, "message", "messages")
            yield _("{messages} did not arrive. To see to whom, and why: commsengine today", messages=messages)

    def _shut_gates(self, record: CampaignRecord, now: dt.datetime) -> Iterator[str]:
        for phase in gates_that_wait(self._store, record, now):
            text = N_(
                "The phase '{phase}' has ended and its gate is closed. To open it: commsengine phases "
                "{campaign} --open {phase}"
            )
            yield _(text, phase=phase.name, campaign=record.id)

    def _troubles(self, record: CampaignRecord, now: dt.datetime) -> Iterator[str]:
        campaign = record.id
        for pause in paused_by_engine(self._store):
            if pause["campaign"] == campaign:
                text = N_("The engine paused the campaign: {reason} When this is solved: commsengine resume {campaign}")
                yield _(text, reason=retold(pause["reason"]), campaign=campaign)
        yield from (held_text(file) for file in held_files(self._store) if file["campaign"] in ("", campaign))
        yesterday = now - DAY
        if lost := sum(_lost_since(row, campaign, yesterday) for row in failed(self._store)):
            messages = counted(lost, "message", "messages")
            yield _("{messages} failed since yesterday. To see to whom, and why: commsengine today", messages=messages)
        for one in refusals(self._store):
            if one["holds"] and campaign in one["campaigns"]:
                text = N_("'{message}' is not sent any more, because its text is refused: {words}")
                yield _(text, message=one["message"], words=one["words"])
        for rest in channels(self._store, self._decisions, now):
            passing = rest["fault"] == "later" and dt.datetime.fromisoformat(rest["until"]) - now < PASSING
            if passing or rest["channel"] not in record.plan.send.channels:
                continue
            text = N_("Nothing is sent by {channel} until {until} UTC ({waiting:,} waiting): {because}.")
            about = {
                "channel": _(CHANNELS[rest["channel"]].in_text),
                "waiting": rest["waiting"],
                "because": retold(rest["because"]).rstrip("."),
            }
            yield _(text, **about, until=moment_text(dt.datetime.fromisoformat(rest["until"])))

    def _calls(
        self, record: CampaignRecord, lead: Person, waiting: Sequence[FollowUp], now: dt.datetime
    ) -> tuple[Call, ...]:
        # a manager who gets no list does not know of a call: it is the lead's, too
        signer_lookup = SignerLookup(self._store, {one.carrier for one in waiting})
        managers = {one.carrier: signer_lookup.named(one.carrier) for one in waiting if not one.by_lead}
        untold = {
            email: why
            for email, manager in managers.items()
            if (why := why_untold(self._store, record.plan, manager, self._channels))
        }
        own = [one for one in waiting if one.by_lead or one.carrier in untold][:MOST_CALLS]
        others = [one for one in waiting if not one.by_lead and one.carrier not in untold][:MOST_LINES]
        spoken = with_talk(self._store, self._renderer, own, now, lead)
        shown = record.plan.in_language(language_in_use())
        return (
            *(one.call(note=_note(managers.get(one.carrier), untold)) for one in spoken),
            *(replace(one, plan=shown).call(by=_name(managers[one.carrier])) for one in others),
        )


def _key(record: CampaignRecord, lead: Person, day: dt.date) -> str:
    return morning_key(CATEGORY, record.id, lead.email, day)


def _grouped(asked: Sequence[Mapping[str, Any]], record: CampaignRecord) -> tuple[OpenQuestion, ...]:
    # those who ask nearly the same are answered at once, so they stand in one line
    groups: dict[object, list[Mapping[str, Any]]] = {}
    shown = record.plan.in_language(language_in_use())
    for one in asked:
        groups.setdefault(one.get("group", one["id"]), []).append(one)
    return tuple(
        OpenQuestion(
            first["name"] or first["person"],
            first["message"],
            _short(question_text(first["text"], record.plan, shown)),
            _day(dt.datetime.fromisoformat(first["asked_at"]), record),
            first["overdue"],
            str(first["id"]),
            len(alike),
        )
        for first, *alike in groups.values()
    )


def _chooses(record: CampaignRecord, message: str) -> bool:
    asked = next((each.input for each in record.plan.messages if each.id == message), None)
    return asked is not None and asked.kind != "text"


def _alike(given: Sequence[GivenInput]) -> list[list[GivenInput]]:
    return groups(given, lambda one: one.message, lambda one: one.text)


def _given(group: Sequence[GivenInput], record: CampaignRecord) -> GivenAnswer:
    first, names = group[0], list(dict.fromkeys(one.name or one.person for one in group))
    about = (", ".join(names[:MOST_NAMES]), first.message, _short(first.text), _day(first.at, record))
    return GivenAnswer(*about, str(first.ask.id), len(names[MOST_NAMES:]))


def _day(at: dt.datetime, record: CampaignRecord) -> str:
    return month_day_text(local_date_in(record.plan.send.time_zone, at))


def _lost_since(row: Mapping[str, str], campaign: str, since: dt.datetime) -> bool:
    return row["campaign"] == campaign and dt.datetime.fromisoformat(row["at"]) >= since


def _by(names: SignerLookup, by: str) -> str:
    # an address, or the account of who used the command
    return _name(names.named(by)) if "@" in by else by


def _came(one: RecordedOutcome) -> str:
    came, unclear = _(OUTCOME_WORDS[one.outcome]), next((w for n, w in UNCLEAR_WORDS.items() if n == one.unclear), "")
    return _("{came}; unclear: {unclear}", came=came, unclear=_(unclear)) if unclear else came


def _note(manager: Person | None, untold: Mapping[str, str]) -> str:
    if manager is None:
        return ""
    text = N_("{manager} should call, but {reason}. Please tell them, or call yourself.")
    return " " + _(text, manager=_name(manager), reason=untold[manager.email])


def _short(text: str) -> str:
    return shorten(text, LONGEST, placeholder=" …")


def _name(person: Person) -> str:
    return person.name or person.email
