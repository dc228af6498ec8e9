"""Who needs a person, why, what was tried and what to say: one line per person, in order of need.

A follow-up is no row of its own: it is the open ``personal`` or ``sponsor`` rungs of one person in one campaign, open
as long as neither an outcome nor an answer came after them. "Away" closes it for five working days only.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from commsengine.cadence.audience import role_of
from commsengine.cadence.calendar import Hours
from commsengine.cadence.history import History, OutreachOutcome, TouchRow
from commsengine.cadence.kinds_and_states import (
    CHANNELS,
    GOT_IT,
    OUTCOME_WORDS,
    HandKind,
    OutcomeName,
    Unclear,
    channel_of,
)
from commsengine.cadence.people import ANYBODY, Person
from commsengine.cadence.plan import Plan, Rung
from commsengine.content.digest_facts import NOTHING_TO_SAY, Call
from commsengine.content.phrases import month_day_text
from commsengine.content.render import Renderer, RendererFor
from commsengine.content.talking_points import Part, TalkingPoints
from commsengine.engine.decisions import Decisions
from commsengine.engine.directory import SignerLookup
from commsengine.errors import InputError, RenderError
from commsengine.store.records import CampaignRecord, Loaded, OpenRung
from commsengine.store.store import Store
from commsengine.text import message_key
from commsengine.translation import N_, _, counted, in_language

PRIORITY = {"high": 0, "normal": 1, "low": 2}
REMIND_AFTER = 5
"""Working days after which an outreach without an outcome is put before the lead."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """``carrier`` makes the contact, ``by_lead`` says that it is an owner of the campaign, ``by_manager`` that the plan
    wants the manager to; ``today``, that it is within their number for one day.

    ``overdue``: without an outcome for so long that the lead is reminded. ``need`` orders them. ``question`` is the
    number of the objection that was opened when the outcome was recorded.
    """

    id: str
    person: Person
    role: str
    plan: Plan
    history: History
    messages: tuple[str, ...]
    rung: int
    kind: HandKind
    since: dt.datetime
    carrier: str
    by_lead: bool
    by_manager: bool
    overdue: bool
    need: tuple[int, int, dt.datetime, str]
    keys: tuple[str, ...] = ()
    today: bool = True
    talk: TalkingPoints = NOTHING_TO_SAY
    question: int | None = None

    @property
    def campaign(self) -> str:
        return self.plan.campaign

    @property
    def reason(self) -> str:
        if self.kind == "sponsor":
            return _ask_the_sponsor(self.plan.sponsor_email, self._outcomes())
        reason = _not_done(self.to_do) or _unreached(self.plan, self.history, self.messages)
        if not self.overdue:
            return reason
        text = N_("{reason} No result has been recorded for more than {days} working days.")
        return _(text, reason=reason, days=REMIND_AFTER)

    @property
    def tried(self) -> tuple[str, ...]:
        sent = [
            (row.local_date, _(CHANNELS[channel_of(row.channel)].in_text))
            for row in _carried(self.history, self.campaign, self.messages)
        ]
        talks = {
            (one.at.date(), _("call: {outcome}", outcome=_(OUTCOME_WORDS[one.outcome]))) for one in self._outcomes()
        }
        return tuple(_("{how} on {day}", how=how, day=month_day_text(day)) for day, how in sorted({*sent, *talks}))

    @property
    def to_do(self) -> tuple[str, ...]:
        """What the person has confirmed and not done yet, in the plan's words; by acknowledgements, never by checks."""
        ends = self.plan.until_done
        said = {
            answer.message
            for answer in self.history.answers
            if answer.campaign == self.campaign and answer.kind in GOT_IT and answer.kind != "check"
        }
        wanted = dict.fromkeys(ends[message] for message in self.messages if message in ends and message in said)
        return tuple(
            self.plan.outcomes[name].title for name in wanted if self.history.done_at(self.campaign, name) is None
        )

    def _outcomes(self) -> list[OutreachOutcome]:
        theirs = self.history.outcomes
        return [one for one in theirs if one.campaign == self.campaign and one.message in self.messages]

    @property
    def talking_points(self) -> str:
        return self.talk.text

    def call(self, *, note: str = "", by: str = "", of: Plan | None = None) -> Call:
        """For the mail of the morning; ``of`` is given where that mail is about several campaigns."""
        name, tried = self.person.name or self.person.email, ", ".join(self.tried)
        title, lead = (of.title, of.owner[0]) if of else ("", "")
        reason = self.reason + note
        role = self.plan.audience.title(self.role)
        return Call(name, role, self.person.phone, reason, tried, by, self.talk, self.id, title, lead)

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "person": self.person.email,
            "name": self.person.name,
            "campaign": self.campaign,
            "messages": list(self.messages),
            "rung": self.rung,
            "kind": self.kind,
            "reason": self.reason,
            "tried": list(self.tried),
            "phone": self.person.phone,
            "talking_points": self.talking_points,
            "since": self.since.isoformat(),
            "carrier": self.carrier,
            "today": self.today,
            "overdue": self.overdue,
        }


def followups(
    store: Store,
    decisions: Decisions,
    renderer: RendererFor,
    now: dt.datetime,
    campaign: str | None = None,
    *,
    talk: bool = True,
) -> list[FollowUp]:
    """Without ``talk`` the talking points are left empty: to write them takes longest."""
    found = capped_by_day(open_followups(store, now, campaign), decisions.workspace.follow_ups_per_day)
    return with_talk(store, renderer, found, now) if talk else found


def todays_followups(store: Store, decisions: Decisions, now: dt.datetime) -> list[FollowUp]:
    return [one for one in all_followups(store, decisions, now) if one.today]


def all_followups(store: Store, decisions: Decisions, now: dt.datetime) -> list[FollowUp]:
    """Of all campaigns, without talking points: those of today, and those that wait for another day."""
    # a campaign that is paused takes none of a carrier's number for one day from one that runs
    paused = {record.id for record in store.campaigns.all() if record.state == "paused"}
    found = sorted(open_followups(store, now), key=lambda one: one.campaign in paused)
    return capped_by_day(found, decisions.workspace.follow_ups_per_day)


def with_talk(
    store: Store, renderer: RendererFor, found: Sequence[FollowUp], now: dt.datetime, reader: Person = ANYBODY
) -> list[FollowUp]:
    """In the language of who is to call. Where talking points cannot be written, they say so."""
    records = {record.id: record for record in store.campaigns.all()}
    renderers = {
        each: renderer(records[each].plan, records[each].templates) for each in {one.campaign for one in found}
    }
    named = [email for record in records.values() for email in (record.plan.owner[0], record.plan.sponsor_email)]
    signer_lookup = SignerLookup(store, [*named, *(one.person.manager for one in found)])

    def talk(one: FollowUp, writer: Renderer) -> TalkingPoints:
        signers = signer_lookup.of(one.person, records[one.campaign].plan, now.date())
        try:
            return writer.talking_points(one.messages, one.role, one.person, signers, one.tried, one.to_do)
        except RenderError as failure:
            text = _("The text cannot be written: {why}", why=failure)
            return TalkingPoints(text, (Part(_("What to say"), (text,)),))

    def told(one: FollowUp) -> FollowUp:
        spoken = renderers[one.campaign].language_about(one.messages, (one.role,), reader)
        writer = renderers[one.campaign].in_language(spoken)
        one = replace(one, plan=writer.words)
        with in_language(spoken):
            return replace(one, talk=talk(one, writer))

    return [told(one) for one in found]


def open_followups(
    store: Store,
    now: dt.datetime,
    campaign: str | None = None,
    only: str | None = None,
    people: Collection[str] | None = None,
) -> list[FollowUp]:
    """The follow-ups without talking points and without a number for one day; ``only`` is the id of the one wanted.

    ``people``: only of those with these ids.
    """
    records = {record.id: record for record in store.campaigns.all() if record.state in ("running", "paused")}
    groups: dict[tuple[str, str, HandKind], list[OpenRung]] = defaultdict(list)
    for rung in store.counts.open_rungs(campaign):
        asked = rung.open_at(now) and rung.campaign in records
        if asked and any(m.id == rung.message for m in records[rung.campaign].plan.messages):
            groups[rung.campaign, rung.person_id, rung.kind].append(rung)
    if people is not None:
        groups = {group: rungs for group, rungs in groups.items() if group[1] in people}
    if only is not None:
        groups = {group: rungs for group, rungs in groups.items() if followup_id(*group) == only}
    loaded = store.loading.histories(sorted({person for _, person, _ in groups}))
    signer_lookup = SignerLookup(store, {one.person.manager for one in loaded.values()})
    found = [
        _followup(records[campaign], loaded[person], kind, rungs, signer_lookup, now)
        for (campaign, person, kind), rungs in groups.items()
        if person in loaded
    ]
    return sorted(found, key=lambda one: one.need)


def followup_id(campaign: str, person: str, kind: HandKind) -> str:
    """The name of the follow-up of one person, for ``kind`` personal or sponsor."""
    return message_key(campaign, person, kind)[:8]


def record_outcome(
    store: Store,
    wanted: str,
    outcome: OutcomeName,
    *,
    unclear: Unclear | Literal[""] = "",
    note: str = "",
    by: str,
    now: dt.datetime,
) -> FollowUp:
    """Records what came of a contact, for each message it was about. "Understood" also acknowledges them.

    "Objects" opens the objection as a question: until it is answered nothing more of these messages goes to the person.

    Raises ``InputError`` for an id that is not open, or an outcome that is none.
    """
    one = next(iter(open_followups(store, now, only=wanted)), None)
    if one is None:
        cause = _("There is no open follow-up '{id}'.", id=wanted)
        raise InputError(cause, _("Run 'commsengine followups' to see those that are."))
    acknowledged = dict(zip(one.messages, one.keys, strict=True)) if outcome == "understood" else {}
    about = (one.person.id, one.campaign, one.messages)
    objection = (one.messages[0], _last_touch(one)) if outcome == "objects" else None
    said = {"unclear": unclear, "note": note}
    number = store.answers.outcome(
        *about, outcome, **said, acknowledged=acknowledged, objection=objection, by=by, now=now
    )
    return replace(one, question=number)


def _last_touch(one: FollowUp) -> str:
    # what a channel carried, if anything did: the answer goes the same way
    carried = _carried(one.history, one.campaign, one.messages[:1])
    return carried[-1].key if carried else one.keys[0]


def capped_by_day(found: Iterable[FollowUp], per_day: int) -> list[FollowUp]:
    # only so many people a day for one carrier; the rest waits, in order of need
    people: dict[str, set[str]] = defaultdict(set)
    capped = []
    for one in found:
        own = people[one.carrier]
        today = one.person.id in own or len(own) < per_day
        if today:
            own.add(one.person.id)
        capped.append(replace(one, today=today))
    return capped


# -- one follow-up --------------------------------------------------------------------------------


def _followup(
    record: CampaignRecord,
    loaded: Loaded,
    kind: HandKind,
    rungs: Sequence[OpenRung],
    signer_lookup: SignerLookup,
    now: dt.datetime,
) -> FollowUp:
    plan, person = record.plan, loaded.person
    places = {message.id: place for place, message in enumerate(plan.messages)}
    messages = tuple(sorted({rung.message for rung in rungs}, key=lambda message: places[message]))
    since = min(rung.call_again or rung.since for rung in rungs)
    overdue = kind == "personal" and _overdue(plan, person, since, now)
    number = followup_id(record.id, person.id, kind)
    role = role_of(plan, person) or ""
    rungs_of_plan = [_rung(plan, rung) for rung in rungs]
    by_manager = kind == "personal" and all(rung is not None and rung.by == "manager" for rung in rungs_of_plan)
    manager = signer_lookup.manager_of(person, now.date()) if by_manager and not overdue else None
    # the manager where the plan says so and there is one; else the lead, who also gets what lies too long
    carrier = manager.email if manager else plan.owner[0]
    by_lead = carrier.lower() in {owner.lower() for owner in plan.owner}
    urgency = min(PRIORITY[plan.message(message).priority] for message in messages)
    need = (0 if kind == "sponsor" or overdue else 1, urgency, since, person.id)
    keys = tuple(max((rung for rung in rungs if rung.message == m), key=lambda rung: rung.rung).key for m in messages)
    rung = max(rung.rung for rung in rungs)
    return FollowUp(
        number,
        person,
        role,
        plan,
        loaded.history,
        messages,
        rung,
        kind,
        since,
        carrier,
        by_lead,
        by_manager,
        overdue,
        need,
        keys,
    )


def _overdue(plan: Plan, person: Person, since: dt.datetime, now: dt.datetime) -> bool:
    hours = Hours(plan, person)
    return hours.local_date(now) > hours.after_working_days(hours.local_date(since), REMIND_AFTER)


def _rung(plan: Plan, rung: OpenRung) -> Rung | None:
    ladder = plan.ladder(plan.message(rung.message))
    return ladder[rung.rung - 1] if rung.rung <= len(ladder) else None


def _talked(one: OutreachOutcome) -> str:
    return _("call: {outcome}", outcome=_(OUTCOME_WORDS[one.outcome]))


def _ask_the_sponsor(sponsor: str, told: Sequence[OutreachOutcome]) -> str:
    if not sponsor:
        return _("The call did not help. If there is a sponsor, ask them?")
    if not told:
        return _("The call did not help. Ask the sponsor, {sponsor}?", sponsor=sponsor)
    text = N_("The call did not help ({outcome}, {day}). Ask the sponsor, {sponsor}?")
    last = told[-1]
    return _(text, outcome=_(OUTCOME_WORDS[last.outcome]), day=month_day_text(last.at), sponsor=sponsor)


def _not_done(to_do: Sequence[str]) -> str:
    return _("Confirmed, but not done yet: {outcomes}.", outcomes=", ".join(to_do)) if to_do else ""


def _unreached(plan: Plan, history: History, messages: Sequence[str]) -> str:
    closed = [channel for channel in plan.send.channels if channel in history.unreachable]
    sent = len(_carried(history, plan.campaign, messages))
    if len(closed) == len(plan.send.channels) or (closed and not sent):  # the others have no credentials here
        why = ", ".join(f"{_(CHANNELS[channel].in_text)} ({_(history.unreachable[channel])})" for channel in closed)
        return _("No channel reaches them: {why}.", why=why)
    return _("No answer after {messages}.", messages=counted(sent, "message", "messages"))


def _carried(history: History, campaign: str, messages: Sequence[str]) -> list[TouchRow]:
    own = [row for row in history.rows if row.campaign == campaign and row.message in messages]
    return [row for row in own if row.channel in CHANNELS and row.state in ("sent", "uncertain")]
