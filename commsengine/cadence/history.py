"""The facts, frozen: everything that happened to one person, and what people decided about each campaign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from commsengine.cadence.kinds_and_states import (
    AnswerKind,
    Asked,
    Carrier,
    CheckKind,
    Ending,
    EvidenceKind,
    OutcomeName,
    ReasonCode,
    SkipCode,
    Standing,
    TouchKind,
    TouchState,
)
from commsengine.cadence.people import Person
from commsengine.cadence.plan import OutcomeId, Plan, Workspace
from commsengine.recall.memory import Estimate
from commsengine.text import message_key
from commsengine.translation import _

NO_RULES = Workspace()

SILENCE = ""
"""In place of a channel: nothing could leave because no tick was called."""


@dataclass(frozen=True, slots=True)
class TouchRow:
    """One contact on record. ``due_at`` decides cadence, caps and the key; never the time of sending.

    ``number`` is that of its ``Touch``. ``named`` are the dates of milestones in its text (``cadence/told.py``);
    ``None`` where that was not kept. ``refusal_id`` names a refusal that was not for the person's sake; ``held``, it
    waits for a word. Of ``attempts`` so many are ``uncounted``. ``asks`` is what its check is for, if on record.
    """

    key: str
    campaign: str
    message: str
    rung: int
    kind: TouchKind
    local_date: dt.date
    due_at: dt.datetime
    channel: Carrier
    state: TouchState
    sent_at: dt.datetime | None = None
    retry_at: dt.datetime | None = None
    attempts: int = 0
    possible_duplicate: bool = False
    reason: str = ""
    number: int = 0
    held: bool = False
    refusal_id: int | None = None
    uncounted: int = 0
    named: str | None = ""
    asks: Asked | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Something the person said, to the touch named ``key`` where that is known.

    ``whole_campaign`` is true for "heard enough of all of this". ``counts`` is false for an answer to a check that
    could be read above its question. ``measures`` is what the check of that touch was asked for.
    """

    campaign: str
    message: str
    kind: AnswerKind
    at: dt.datetime
    evidence: EvidenceKind
    right: bool | None = None
    whole_campaign: bool = False
    key: str = ""
    counts: bool = True
    measures: CheckKind = "recall"

    @property
    def tells(self) -> bool:
        return self.kind == "check" and self.counts and self.measures == "recall"

    @property
    def as_others_know_it(self) -> Answer:
        """The same without right or wrong: to anybody else, an answered check says no more than "got it"."""
        return replace(self, kind="acknowledged", right=None) if self.kind == "check" else self


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the person's; while it is open, no reminder goes to them on that message.

    An ``objection`` is one that a talk brought: it is about all messages whose outcome was recorded at that instant.
    """

    campaign: str
    message: str
    asked_at: dt.datetime
    answered_at: dt.datetime | None = None
    objection: bool = False


@dataclass(frozen=True, slots=True)
class Snooze:
    """ "Remind me tomorrow": nothing of this message before that local date."""

    campaign: str
    message: str
    until: dt.date
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class OutreachOutcome:
    """What came of a personal outreach, for each message it was about."""

    campaign: str
    message: str
    outcome: OutcomeName
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Deed:
    """The person did what an outcome of the campaign asks for. That somebody did not is never on record."""

    campaign: str
    outcome: OutcomeId
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class DirectReport:
    """A person who reports to the manager, with the campaigns whose rosters list them."""

    person: Person
    rosters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ManagerHold:
    """A manager holds a message that goes out in their name: from ``at`` nothing of it goes to their people before
    their local date ``until``, or until it is lifted.

    ``managers`` are the lower-case addresses of those whose people they are: the manager, and leavers below.
    """

    message: str
    managers: frozenset[str]
    until: dt.date
    at: dt.datetime
    lifted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Everything on record about one person.

    ``unreachable`` names channels that cannot reach them (suppressed address, not on Slack), with the reason.
    ``rosters`` says since when the person stands in the roster of a campaign that has one. ``reports`` are the people
    who report to them, read only where a running campaign has a message that managers get first.
    ``rows`` are ordered by ``due_at`` and cover all campaigns, for the attention budget is shared.
    """

    rows: tuple[TouchRow, ...] = ()
    answers: tuple[Answer, ...] = ()
    questions: tuple[Question, ...] = ()
    snoozes: tuple[Snooze, ...] = ()
    outcomes: tuple[OutreachOutcome, ...] = ()
    deeds: tuple[Deed, ...] = ()
    unreachable: Mapping[str, str] = field(default_factory=dict)
    rosters: Mapping[str, dt.datetime] = field(default_factory=dict)
    reports: tuple[DirectReport, ...] = ()

    def rows_of(self, campaign: str, message: str) -> list[TouchRow]:
        return [row for row in self.rows if row.message == message and row.campaign == campaign]

    def with_touch(self, touch: Touch, sent_at: dt.datetime) -> History:
        before = next((row for row in self.rows if row.key == touch.key), None)
        row = TouchRow(
            key=touch.key,
            campaign=touch.campaign,
            message=touch.message,
            rung=touch.rung,
            kind=touch.kind,
            local_date=touch.local_date,
            due_at=touch.due_at,
            channel=touch.channel,
            state="skipped" if touch.skip else "sent",
            sent_at=None if touch.skip else sent_at,
            attempts=(before.attempts if before else 0) + (not touch.skip),
            reason=touch.skip,
            number=touch.number,
            asks=touch.asks,
        )
        return replace(self, rows=(*(other for other in self.rows if other.key != touch.key), row))

    def done_at(self, campaign: str, outcome: OutcomeId | None) -> dt.datetime | None:
        """When the person first did it; ``None`` if that is not on record."""
        theirs = (deed.at for deed in self.deeds if deed.outcome == outcome and deed.campaign == campaign)
        return min(theirs, default=None)

    def answers_to(self, campaign: str, message: str) -> tuple[Answer, ...]:
        about = [each for each in self.answers if each.message == message or each.whole_campaign]
        return tuple([each for each in about if each.campaign == campaign])


@dataclass(frozen=True, slots=True)
class Standstill:
    """A pause of one campaign or a hold of the engine that is over; ``backlog`` rules what was due before its end."""

    since: dt.datetime
    until: dt.datetime
    backlog: str = "latest"  # latest, all, none


@dataclass(frozen=True, slots=True)
class PublicReply:
    """What was said to all who asked alike, or put in alike, about ``message``.

    ``asked`` are the words in which people may read of it, empty where the lead gave none. People of ``roles`` read it
    at the head of their next touch. ``day`` is that of a promise. From ``replaced_at`` on another reply stands in its
    place.
    """

    id: int
    asked: str
    said: str
    ending: Ending
    day: dt.date | None
    roles: tuple[str, ...]
    at: dt.datetime
    replaced_at: dt.datetime | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A running campaign: its plan, and what people have decided about it since.

    ``introduced`` says for each message since when it stands in the plan as it is: its clock never starts before.
    ``recall`` is what is in use of how each role forgets, a role that is not there is assumed; ``news_at`` is when
    other estimates, published already, take effect. Of ``held_messages`` nothing is sent, for their text is refused;
    ``let_go`` says when a message was held last, until then. ``opened`` says when the lead opened the gate of a phase.
    ``replies`` are those that all may read, by number.
    """

    plan: Plan
    started_at: dt.datetime
    version: int = 1
    epoch: int = 0
    introduced: Mapping[str, dt.datetime] = field(default_factory=dict)
    pauses: tuple[Standstill, ...] = ()
    recall: Mapping[str, Estimate] = field(default_factory=dict)
    news_at: dt.datetime | None = None
    held_messages: frozenset[str] = frozenset()
    let_go: Mapping[str, dt.datetime] = field(default_factory=dict)
    opened: Mapping[str, dt.datetime] = field(default_factory=dict)
    manager_holds: tuple[ManagerHold, ...] = ()
    replies: tuple[PublicReply, ...] = ()

    @property
    def id(self) -> str:
        return self.plan.campaign


@dataclass(frozen=True, slots=True)
class Campaigns:
    """All running campaigns, and the rules and holds that are common to them.

    ``carriers`` are the channels that can carry anything here (the others have no credentials); ``None`` means all.
    ``rests`` says until when nothing could leave by a channel, last; under ``SILENCE``, because no tick was called.
    """

    running: tuple[Campaign, ...]
    workspace: Workspace = NO_RULES
    holds: tuple[Standstill, ...] = ()
    carriers: frozenset[str] | None = None
    rests: Mapping[str, dt.datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a manager gets of a message before their people get it.

    ``role`` is that of their people, ``at`` when these get it, as the manager reads it. ``only``: the message is not
    for the manager's own role, so it comes once and asks nothing.
    """

    role: str
    at: dt.datetime
    only: bool


@dataclass(frozen=True, slots=True)
class Touch:
    """One contact that ``decide`` wants made now, or (``skip``) recorded as skipped with its reason.

    ``number`` counts the person's touches of this message from 1, so that each repeat takes another angle.
    ``not_after`` is the end of the send window that is open now. ``again_at`` is when it would come again, or ``None``.
    ``unclear`` is the check with the point to make again, by its place among the message's. ``asks`` is what the touch
    asks first. ``corrects`` is what it puts right for this person, as a line of ``cadence/told.py``; empty for an
    ordinary message. ``first``: their first mail of the campaign. ``briefing`` is that of the kind of the same name.
    """

    campaign: str
    message: str
    person: str
    role: str
    rung: int
    kind: TouchKind
    channel: Carrier
    local_date: dt.date
    due_at: dt.datetime
    not_after: dt.datetime
    number: int = 1
    again_at: dt.datetime | None = None
    skip: SkipCode = ""
    unclear: int | None = None
    corrects: str = ""
    first: bool = False
    asks: Asked | None = None
    briefing: Briefing | None = None
    _key: str = field(default="", init=False, compare=False, repr=False)

    @property
    def key(self) -> str:
        """Computed when first asked for, and then kept."""
        if not self._key:
            key = touch_key(self.campaign, self.message, self.person, self.local_date, self.rung)
            object.__setattr__(self, "_key", key)
        return self._key


def touch_key(campaign: str, message: str, person: str, local_date: dt.date, rung: int) -> str:
    """The name of a touch, the same for every attempt: 24 hexadecimal digits."""
    return message_key(campaign, message, person, local_date.isoformat(), str(rung))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a message is not sent now: with a next instant, or the fact it waits for (``never`` if it is over)."""

    campaign: str
    message: str
    code: ReasonCode
    words: str
    next_at: dt.datetime | None = None
    waits_for: str = ""
    values: tuple[tuple[str, object], ...] = ()

    @property
    def text(self) -> str:
        return _(self.words, **dict(self.values))


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do for one person now, when to look again, and why."""

    person: str
    touches: tuple[Touch, ...] = ()
    wake_at: dt.datetime | None = None
    reasons: tuple[Reason, ...] = ()
    standings: Mapping[tuple[str, str], Standing] = field(default_factory=dict)
