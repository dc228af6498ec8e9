"""Why a person gets what they get: their standing, what comes next and the reasons, message by message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from commsengine.cadence.audience import sequences_of
from commsengine.cadence.history import Campaign, Campaigns, Decision, History, TouchRow
from commsengine.cadence.kinds_and_states import ANSWERS, EVIDENCE, CampaignState, ReasonCode, Standing
from commsengine.cadence.plan import Plan
from commsengine.cadence.repeats import ByRecall, seen_at
from commsengine.cadence.sequence import MessageSequence
from commsengine.engine.decisions import Decided, Decisions
from commsengine.errors import InputError
from commsengine.store.records import CampaignRecord, Hold, ListedTouch, SuspectAnswer
from commsengine.store.store import Store
from commsengine.translation import N_, _

ShownStanding = Standing | Literal["not for them"]
Standings = Mapping[tuple[str, str], Standing]
Timing = Mapping[tuple[str, str], str]
"""By campaign and message."""

_ASKED: Mapping[tuple[bool, bool], str] = {
    (False, False): N_("asked a question"),
    (False, True): N_("asked a question; it is open"),
    (True, False): N_("their objection was answered"),
    (True, True): N_("their objection is open"),
}
"""By whether it is an objection, and open."""

BY_RECALL: frozenset[ReasonCode] = frozenset({"due", "window", "missed_window", "budget", "now"})
"""The reasons for waiting that the cadence by recall has timed; after others the touch comes when they are over."""


def why(store: Store, decisions: Decisions, email: str, now: dt.datetime) -> dict[str, Any]:
    """Everything about one person over all campaigns that run or are paused, and over all that ever reached them.

    Raises ``InputError`` with the near addresses.
    """
    person = store.people.by_email(email) or store.people.by_id(email)
    if person is None:
        near = ", ".join(store.people.near(email))
        fix = _("There is: {near}.", near=near) if near else ""
        raise InputError(_("There is no person with the address {address}.", address=email), fix)
    campaigns, others = decisions.campaigns(now), [each for each in store.campaigns.all() if each.state != "running"]
    one = decisions.of([person.id], campaigns, now)[0]
    sequences = _sequences(campaigns, others, one, now)
    timing = _timing(sequences, one, own_answers=campaigns.workspace.recall == "person")
    standings = {(each.campaign.id, each.message.id): each.standing for each in sequences}
    touched = {row.campaign for row in one.history.rows}
    found: dict[str, Any] = {
        "person": person.email,
        "name": person.name,
        "unreachable": dict(one.history.unreachable),
        "campaigns": [
            *(_campaign(one, each.plan, "running", None, standings, timing) for each in campaigns.running),
            *(
                _campaign(one, each.plan, each.state, store.campaigns.open_pause(each.id), standings, {})
                for each in others
                if each.state == "paused" or each.id in touched
            ),
        ],
    }
    _add_suspects(found["campaigns"], store.answers.suspects(person_id=person.id))
    return found


def _add_suspects(campaigns: Any, suspects: Iterable[SuspectAnswer]) -> None:
    # They are no facts that anything is decided by.
    said = {
        (each["campaign"], message["message"]): message["said"] for each in campaigns for message in each["messages"]
    }
    for each in suspects:
        what = _(ANSWERS[each.kind].to_others)
        text = _("{said}, by a form sent without its page; not counted", said=what)
        told = said.get((each.campaign, each.message), [])
        told.append({"at": each.at.isoformat(), "text": text})
        told.sort(key=lambda one: one["at"])


def _sequences(
    campaigns: Campaigns, others: Sequence[CampaignRecord], one: Decided, now: dt.datetime
) -> list[MessageSequence]:
    # also of campaigns that do not run, as if all did: a standing outlives its campaign
    stopped = (
        Campaign(each.plan, each.started_at or now, introduced=each.introduced, opened=each.opened) for each in others
    )
    everything = replace(campaigns, running=(*campaigns.running, *stopped))
    return sequences_of(everything, one.person, one.history)[0]


# -- why a message by recall comes when it comes ---------------------------------------------------


def _timing(sequences: Iterable[MessageSequence], one: Decided, *, own_answers: bool) -> Timing:
    # what this person may know has no figure here, or anywhere
    texts: dict[tuple[str, str], str] = {}
    for sequence in sequences:
        about = (sequence.campaign.id, sequence.message.id)
        codes = {reason["code"] for reason in _reasons(one.decision, *about)}
        if not isinstance(sequence.repeat_rule, ByRecall) or not seen_at(sequence.rows):
            continue
        basis = _("tested for it") if sequence.repeat_rule.estimate.tested else _("an assumed curve")
        if "remembered" in codes:
            texts[about] = _("Not needed before it ends, by the curve of the role ({basis}).", basis=basis)
        elif codes & BY_RECALL and (next_at := _next_at(one.decision, *about)):
            day = _day(sequence, dt.datetime.fromisoformat(next_at))
            by_role = N_("Next on {day}: {aim}, by the curve of the role ({basis}).")
            by_person = N_(
                "Next on {day}: {aim}, by the curve of the role ({basis}) and by their own answers to checks."
            )
            text = by_person if own_answers else by_role
            texts[about] = _(text, day=day, aim=_aim(sequence), basis=basis)
    return texts


def _day(sequence: MessageSequence, at: dt.datetime) -> str:
    day = sequence.hours.local_date(at)
    return f"{day:%a} {day.day} {day:%b}"


def _aim(sequence: MessageSequence) -> str:
    repeat_rule, seen = sequence.repeat_rule, seen_at(sequence.rows)
    assert isinstance(repeat_rule, ByRecall)  # noqa: S101 - a defect of ours
    wanted, by_floor = (
        each.after(seen[-1], seen, sequence.answers) for each in (repeat_rule, replace(repeat_rule, by=None))
    )
    sooner = wanted is not None and (by_floor is None or wanted.at < by_floor.at)
    if repeat_rule.by is not None and sooner:
        return _("so that the person is likely to know it on {day}", day=_day(sequence, repeat_rule.by))
    return _("before the person is likely to forget it")


def _campaign(
    one: Decided, plan: Plan, state: CampaignState, pause: Hold | None, standings: Standings, timing: Timing
) -> dict[str, Any]:
    return {
        "campaign": plan.campaign,
        "title": plan.title,
        "state": state,
        "paused_since": iso(pause.since) if pause and state == "paused" else None,
        "messages": [_message(one, plan.campaign, message.id, standings, timing) for message in plan.messages],
    }


def _message(one: Decided, campaign: str, message: str, standings: Standings, timing: Timing) -> dict[str, Any]:
    about = (campaign, message)
    touches = [row for row in one.history.rows if (row.campaign, row.message) == about]
    return {
        "message": message,
        "standing": shown(standings.get(about, "not for them")),
        "next_at": _next_at(one.decision, campaign, message),
        "timing": timing.get(about),
        "reasons": _reasons(one.decision, campaign, message),
        "touches": [touch_json(row) for row in touches],
        "said": what_happened(one.history, campaign, message),
    }


def _next_at(decision: Decision, campaign: str, message: str) -> str | None:
    nexts = [r.next_at for r in decision.reasons if (r.campaign, r.message) == (campaign, message) and r.next_at]
    due = [t.due_at for t in decision.touches if (t.campaign, t.message, t.skip) == (campaign, message, "")]
    return iso(min([*nexts, *due], default=None))


def _reasons(decision: Decision, campaign: str, message: str) -> list[dict[str, Any]]:
    others: Iterable[dict[str, Any]] = (
        {"code": r.code, "text": r.text, "next_at": iso(r.next_at), "waits_for": r.waits_for}
        for r in decision.reasons
        if (r.campaign, r.message) == (campaign, message)
    )
    due: Iterable[dict[str, Any]] = (
        {
            "code": "now",
            "text": _("The engine sends it with its next heartbeat."),
            "next_at": iso(t.due_at),
            "waits_for": "",
        }
        for t in decision.touches
        if (t.campaign, t.message, t.skip) == (campaign, message, "")
    )
    return [*due, *others]


def touch_json(row: TouchRow | ListedTouch) -> dict[str, Any]:
    return {
        "key": row.key,
        "message": row.message,
        "rung": row.rung,
        "kind": row.kind,
        "channel": row.channel,
        "state": row.state,
        "at": iso(row.due_at),
        "sent_at": iso(row.sent_at),
        "attempts": row.attempts,
        "possible_duplicate": row.possible_duplicate,
        "reason": row.reason,
    }


def iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


def shown(standing: ShownStanding) -> ShownStanding:
    # right or wrong is the person's own business
    return "acknowledged" if standing in ("recalled", "not recalled") else standing


def what_happened(history: History, campaign: str, message: str) -> list[dict[str, str]]:
    """``at`` (ISO) and ``text`` of each, in order."""
    events = sorted(_events(history, campaign, message))
    return [{"at": at.isoformat(), "text": text} for at, text in events]


def _events(history: History, campaign: str, message: str) -> Iterator[tuple[dt.datetime, str]]:
    for answer in history.answers:
        if answer.campaign == campaign and (answer.message == message or answer.whole_campaign):
            yield (
                answer.at,
                f"{_(ANSWERS[answer.kind].to_others)} ({_(EVIDENCE.get(answer.evidence, answer.evidence))})",
            )
    for question in history.questions:
        if (question.campaign, question.message) == (campaign, message):
            yield question.asked_at, _(_ASKED[question.objection, question.answered_at is None])
    for snooze in history.snoozes:
        if (snooze.campaign, snooze.message) == (campaign, message):
            yield snooze.at, _("asked to be reminded on {day:%d %b}", day=snooze.until)
    for outcome in history.outcomes:
        if (outcome.campaign, outcome.message) == (campaign, message):
            yield outcome.at, _("call: {outcome}", outcome=outcome.outcome)
