"""The review at the end of a phase: what was not reached, what is open or unclear, what of the plan to change.

Bad news first. Everything is said of roles or messages; only open questions, objections and commitments are by name,
as the leads of the campaign read them anyway.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from textwrap import shorten
from typing import Any

from commsengine.authoring.yaml_parser import tree_of
from commsengine.cadence.calendar import DAY, Hours
from commsengine.cadence.kinds_and_states import Measure, service_channel
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Audience
from commsengine.content.digest_facts import ReviewFacts, ReviewPart
from commsengine.content.phrases import question_text
from commsengine.engine.directory import SignerLookup
from commsengine.engine.dispatch import add_service_mail
from commsengine.errors import InputError
from commsengine.reports.commitments import GivenCommitment, commitments, overdue_lines
from commsengine.reports.morning.morning_time import MorningBasis, morning_key, morning_of, quarter_of, tried
from commsengine.reports.phases.measures import PhaseMeasure, PhaseView, RoleShare, phases
from commsengine.reports.phases.unclear import UnclearRole, subject, unclear_by_role
from commsengine.reports.status import questions
from commsengine.store.records import CampaignRecord, GivenOutcome
from commsengine.store.store import Store
from commsengine.text import no_such
from commsengine.translation import N_, _, counted, in_language

CATEGORY = "review"
TOO_OLD = 14 * DAY
"""A phase that ended before is reviewed by no mail any more: the engine was not there, or the campaign was not."""

MOST_LINES = 20
LONGEST = 300
MANY_QUESTIONS = 3
"""So many open questions or objections about one message make it worth another look."""

REACHED: Mapping[Measure, str] = {
    "reached": N_("were reached by '{message}'"),
    "answered": N_("answered '{message}'"),
    "acknowledged": N_("confirmed '{message}'"),
    "right": N_("answered the question of '{message}' correctly"),
    "done": N_("did what '{message}' is about"),
}
CHANGES: Mapping[Measure, tuple[str, str]] = {
    "reached": ("until", N_("too few people were reached: give the message more days, or another channel")),
    "answered": ("input", N_("too few people answer: ask something shorter, or let their managers ask")),
    "acknowledged": (
        "cadence",
        N_("too few people confirm it: repeat it more often, or add a step to 'follow_up' in which a person calls"),
    ),
    "right": ("key_point", N_("too few people know it: say it in simpler words")),
    "done": ("follow_up", N_("too few people do it: ask what is in the way before you repeat it")),
}
"""By what was missed: the line of the message worth changing, and why."""

SUBJECTS: Mapping[str, tuple[str, str]] = {
    "why": ("wiifm", N_("'why' is unclear: write it for the role, in 'wiifm'")),
    "role": ("wiifm", N_("what changes for people is unclear: write 'your_job' in 'wiifm'")),
    "goal": ("wiifm", N_("the goal is unclear: write 'results' in 'wiifm'")),
    "procedure": ("text", N_("how to do it is unclear: write the steps in 'text', or link to them")),
    "skill": ("wiifm", N_("people do not feel able yet: write in 'skills' how they learn it")),
    "time": ("from", N_("the time is unclear or wrong: check 'from' and 'until'")),
}
"""By what talks or checks found unclear."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the plan worth changing; ``line`` counts from 1 in the plan as applied, 0 where it is not known."""

    message: str
    key: str
    line: int
    why: str

    @property
    def text(self) -> str:
        about = {"message": self.message, "key": self.key, "why": self.why}
        if not self.line:
            return _("'{message}', '{key}': {why}.", **about)
        return _("'{message}', '{key}' (line {line} of the plan): {why}.", **about, line=self.line)

    def as_json(self) -> dict[str, Any]:
        return {"message": self.message, "key": self.key, "line": self.line or None, "why": self.why}


@dataclass(frozen=True, slots=True)
class PhaseReview:
    """Everything a review says of one phase, as of ``at``."""

    campaign: str
    audience: Audience
    at: dt.datetime
    phase: PhaseView
    open_questions: tuple[Mapping[str, Any], ...]
    commitments: tuple[GivenCommitment, ...]
    unclear: tuple[UnclearRole, ...]
    changes: tuple[Change, ...]

    @property
    def headline(self) -> str:
        words = {
            True: N_("The phase '{phase}' has ended and has reached its goal"),
            False: N_("The phase '{phase}' has ended and has not reached its goal"),
            None: N_("The phase '{phase}' has ended; it is not known whether it has reached its goal"),
        }
        going = {
            True: N_("The phase '{phase}' has reached its goal"),
            False: N_("The phase '{phase}' has not reached its goal yet"),
            None: N_("It is not known yet whether the phase '{phase}' reaches its goal"),
        }
        chosen = words if self.phase.state == "over" else going
        return _(chosen[self.phase.reached], phase=self.phase.name)

    @property
    def waiting(self) -> str:
        """What waits for the lead's word, as a sentence; empty if nothing does."""
        gate = self.phase.gate
        if gate is None or gate.word is not None:
            return ""
        text = N_("{messages} not start until you open the gate.")
        number = len(gate.waiting)
        return _(text, messages=counted(number, "message does", "messages do")) if number else ""

    @property
    def parts(self) -> list[ReviewPart]:
        """Headings with their lines, bad news first; none is empty."""
        over = self.phase.state == "over"
        measures, overdue = self.phase.measures, [one for one in self.commitments if one.overdue]
        title = self.audience.title
        found = [
            ReviewPart(
                _("Goals not reached") if over else _("Not reached yet"),
                tuple(_measured(one, title) for one in measures if one.reached is False),
            ),
            ReviewPart(_("Not known yet"), tuple(_measured(one, title) for one in measures if one.reached is None)),
            ReviewPart(_("Open questions and objections"), _bounded([_question(one) for one in self.open_questions])),
            ReviewPart(_("Commitments not kept"), overdue_lines(overdue, MOST_LINES)),
            ReviewPart(
                _("What was unclear"), tuple(line for role in self.unclear for line in _unclear(role, title(role.role)))
            ),
            ReviewPart(_("Suggested changes to the plan"), tuple(change.text for change in self.changes)),
            ReviewPart(_("Reached"), tuple(_measured(one, title) for one in measures if one.reached)),
        ]
        return [part for part in found if part.lines]

    def as_json(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign,
            "at": self.at.isoformat(),
            "headline": self.headline,
            "phase": self.phase.as_json(),
            "questions": [dict(one) for one in self.open_questions],
            "commitments": [one.as_json() for one in self.commitments],
            "unclear": [role.as_json() for role in self.unclear],
            "changes": [change.as_json() for change in self.changes],
        }


def review(store: Store, record: CampaignRecord, name: str, now: dt.datetime) -> PhaseReview:
    """Raises ``InputError`` for a phase that the plan does not have."""
    if name not in record.plan.phases:
        raise InputError(no_such(N_("phase"), name, record.plan.phases))
    (phase,) = phases(store, record, now, only=[name])
    asked = _asked(store, record, now)
    roles = unclear_by_role(store, record, now)
    return PhaseReview(
        record.id,
        record.plan.audience,
        now,
        phase,
        tuple(sorted(asked, key=lambda one: not one["objection"])),
        tuple(commitments(store, record, now)),
        tuple(roles),
        tuple(_changes(store, record, phase, asked)),
    )


def _asked(store: Store, record: CampaignRecord, now: dt.datetime) -> list[Mapping[str, Any]]:
    # what was asked stands in the words of the plan; the record may have it in those of the reader
    kept = store.campaigns.get(record.id) or record
    found = [one for one in questions(store, now) if one["campaign"] == record.id]
    return [{**one, "text": question_text(one["text"], kept.plan, record.plan)} for one in found]


def to_review(views: Sequence[PhaseView]) -> str | None:
    """The phase to be looked at now: the first whose gate waits, else the last that is over, else the one going on."""
    waiting = next((view.name for view in views if view.waits), None)
    over = [view.name for view in views if view.state == "over"]
    going = next((view.name for view in views if view.state == "going on"), None)
    return waiting or (over[-1] if over else going)


# -- in words -------------------------------------------------------------------------------------


def _measured(one: PhaseMeasure, title: Callable[[str], str]) -> str:
    what = _(REACHED[one.measure], message=one.message)
    wanted = _("wanted: {share:.0%}", share=one.wanted)
    roles = ", ".join(_role(role, title(role.role)) for role in one.roles if role.people)
    if one.total.share is None:
        return _("{what}: not known yet ({wanted}; {roles}).", what=what, wanted=wanted, roles=roles)
    text = N_("{share:.0%} {what} ({count} of {of}; {wanted}). By role: {roles}.")
    about = {"share": one.total.share, "count": one.total.count, "of": one.total.of}
    return _(text, **about, what=what, wanted=wanted, roles=roles)


def _role(role: RoleShare, title: str) -> str:
    if role.hidden:
        return _("{role} too few people", role=title)
    if role.share is None:
        return _("{role} too few answers", role=title)
    return _("{role} {share:.0%}", role=title, share=role.share)


def _question(one: Mapping[str, Any]) -> str:
    kind = _("objection") if one["objection"] else _("question")
    text = N_("{kind} {id}, {name}, '{message}': {text}")
    name, words = one["name"] or one["person"], shorten(one["text"], LONGEST, placeholder=" …")
    return _(text, kind=kind, id=one["id"], name=name, message=one["message"], text=words)


def _bounded(lines: Sequence[str]) -> tuple[str, ...]:
    more = len(lines) - MOST_LINES
    return (*lines[:MOST_LINES], *([_("{number} more.", number=more)] if more > 0 else []))


def _unclear(role: UnclearRole, title: str) -> Iterator[str]:
    if role.talks:
        said = ", ".join(f"{subject(word)} {number}" for word, number in role.talks.items())
        yield _("{role}, from talks: {said}.", role=title, said=said)
    wrong = {about: share for about, share in role.checks.items() if share.count < share.of}
    if wrong:
        shares = (f"{subject(about)} {share.of - share.count}/{share.of}" for about, share in wrong.items())
        yield _("{role}, from wrong answers to checks: {shares}.", role=title, shares=", ".join(shares))


# -- what to change -------------------------------------------------------------------------------


def _changes(
    store: Store, record: CampaignRecord, phase: PhaseView, asked: Sequence[Mapping[str, Any]]
) -> Iterator[Change]:
    tree = tree_of(record.source) if record.source else None
    places = {message.id: place for place, message in enumerate(record.plan.messages)}

    def change(message: str, key: str, why: str) -> Change:
        path = ("messages", places[message], key)
        line = tree.place(path)[0] if tree and message in places else 0
        return Change(message, key, line, why)

    missed = [one for one in phase.measures if one.reached is False]
    yield from (change(one.message, CHANGES[one.measure][0], _(CHANGES[one.measure][1])) for one in missed)
    for message, number in Counter(one["message"] for one in asked).most_common():
        if number >= MANY_QUESTIONS and message in places:
            text = N_("{number} people ask about it or object: answer them in 'text'")
            yield change(message, "text", _(text, number=number))
    for (message, word), number in _found_unclear(store.answers.outcomes(campaign=record.id)).most_common(MOST_LINES):
        if message in places:
            why = _("{why} ({talks})", why=_(SUBJECTS[word][1]), talks=counted(number, "talk", "talks"))
            yield change(message, SUBJECTS[word][0], why)


def _found_unclear(outcomes: Sequence[GivenOutcome]) -> Counter[tuple[str, str]]:
    return Counter((one.message, one.unclear) for one in outcomes if one.unclear)


# -- by mail --------------------------------------------------------------------------------------


class PhaseReviews:
    """Sends each owner the review of a phase once, on the first of their working mornings after its end."""

    def __init__(self, basis: MorningBasis) -> None:
        self._store, self._renderer, self._make_link = basis.store, basis.renderer, basis.make_link
        self._channels = tuple(basis.channels)
        self._quarter: int | None = None

    def send(self, records: Sequence[CampaignRecord], now: dt.datetime) -> int:
        """Writes down the reviews that are due now; the next beat sends them. Returns how many."""
        quarter = quarter_of(now)
        if quarter == self._quarter or not self._channels:
            return 0
        self._quarter = quarter
        return sum(
            tried("review_failed", record.id, partial(self._send_all, record, now))
            for record in records
            if record.state in ("running", "paused") and record.started_at is not None
        )

    def _send_all(self, record: CampaignRecord, now: dt.datetime) -> int:
        lookup, sent = SignerLookup(self._store, record.plan.owner), 0
        for email in record.plan.owner:
            lead = lookup.named(email)
            if morning_of(record.plan, lead, now) is None:
                continue
            for name, end in self._just_over(record, lead, now):
                key = morning_key(CATEGORY, f"{record.id} {name}", lead.email, end.date())
                sent += not self._store.touches.row(key) and self._send(record, lead, name, key, now)
        return sent

    def _just_over(self, record: CampaignRecord, lead: Person, now: dt.datetime) -> Iterator[tuple[str, dt.datetime]]:
        hours, started = Hours(record.plan, lead), record.started_at or now
        for name, phase in record.plan.phases.items():
            end = hours.instant_of(record.plan, phase.until)
            if started < end <= now < end + TOO_OLD:
                yield name, end

    def _send(self, record: CampaignRecord, lead: Person, name: str, key: str, now: dt.datetime) -> bool:
        renderer = self._renderer(record.plan, record.templates)
        known = self._store.people.by_email(lead.email)
        url = self._make_link("review", record.id, now, campaign=record.id, person=known.id if known else lead.email)
        language = renderer.language_of_all(lead)
        with in_language(language):
            found = review(self._store, replace(record, plan=renderer.in_language(language).words), name, now)
            channel = service_channel(self._channels)
            said = ReviewFacts(found.headline, found.waiting, tuple(found.parts))
            mail = renderer.review(lead, key, said, now, channel, url)
        person = known.id if known else None
        return add_service_mail(self._store, mail, category=CATEGORY, person_id=person, due_at=now, now=now)
