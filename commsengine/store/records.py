"""What the store gives back and takes in: frozen values, no database in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from commsengine.cadence.history import History, Touch, TouchRow
from commsengine.cadence.kinds_and_states import (
    AnswerKind,
    Asked,
    AskKind,
    AttemptVerdict,
    CampaignState,
    Carrier,
    ChannelName,
    Ending,
    EvidenceKind,
    Fault,
    HandKind,
    OutcomeName,
    Purpose,
    ReceiptState,
    TouchKind,
    TouchState,
)
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What an import changed. ``left`` counts the leavers that ``complete`` marked."""

    added: int
    updated: int
    unchanged: int
    left: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """A person and their past as of one moment; ``facts_seq`` tells whether it is still all."""

    person: Person
    history: History
    facts_seq: int


@dataclass(frozen=True, slots=True)
class Lease:
    """What a claim is made under: ``owner`` alone marks and settles its touches, with this ``fence``.

    ``until`` is the end as of the claim by the clock of the owner, who may have renewed it since. A server of databases
    keeps it by its own clock.
    """

    owner: str
    fence: int
    until: dt.datetime


class Receipt(NamedTuple):
    """What became of one claimed touch, in the words of the record.

    ``state`` is sent, retry, failed, uncertain or released: nothing was offered to the other side, no attempt is
    counted and the claim is given back. ``retry_at`` says when to look again. ``unreachable`` says why this channel
    never reaches this person: that outlives the touch.

    ``fault`` and ``alike`` are those of a refusal. For ``unknown`` and ``message`` the store finds ``refusal_id`` and
    may settle the state by what the others got; what it holds waits for a word, and is not ``counted``.
    """

    key: str
    state: ReceiptState
    at: dt.datetime
    phase: str = ""
    reply: str = ""
    retry_at: dt.datetime | None = None
    remote_id: str = ""
    unreachable: str = ""
    reason: str = ""
    fault: Fault = ""
    alike: str = ""
    held: bool = False
    refusal_id: int | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class JudgedReceipt:
    """A receipt with a refusal that the store has judged, and whose touch it is.

    ``rests`` are the other side's words where the refusal is ours, and the channel is to rest.
    """

    receipt: Receipt
    channel: Carrier
    campaign: str
    message: str
    rung: int
    rests: str = ""


@dataclass(frozen=True, slots=True)
class ToRecord:
    """What is to be recorded of one claim: keys to mark, receipts, and by key the dates in texts that leave."""

    marks: Sequence[str] = ()
    receipts: Sequence[Receipt] = ()
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Commit:
    """What was kept of one claim: ``marked`` may leave, ``settled`` receipts by key as they are on record."""

    marked: Sequence[Marked] = ()
    settled: Mapping[str, ReceiptState] = field(default_factory=dict)
    judged: Sequence[JudgedReceipt] = ()


@dataclass(frozen=True, slots=True)
class RefusalRecord:
    """A refusal that is open, with how many people wait for its word, of which campaigns.

    ``holds``: nothing of its message is sent until somebody settles it.
    """

    id: int
    channel: Carrier
    words: str
    fault: Fault
    campaign: str
    message: str
    since: dt.datetime
    holds: bool
    people: int
    campaigns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A send without a known outcome: what a resolver looks for, and since when."""

    key: str
    channel: Carrier
    sending_at: dt.datetime | None
    uncertain_at: dt.datetime | None
    email: str | None
    slack_id: str | None


@dataclass(frozen=True, slots=True)
class TouchDetails:
    """What it takes to write the row of a touch or a piece of service mail again if the database should be lost."""

    key: str
    kind: TouchKind
    campaign: str
    message: str
    local_date: dt.date | None
    rung: int | None
    role: str
    channel: Carrier
    number: int
    version: int
    due_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Marked(TouchDetails):
    """A touch that may leave now."""


@dataclass(frozen=True, slots=True)
class Reborn:
    """A touch that the sent-journal knows and a restored database does not: its row is written again.

    ``tries`` were begun since what the database knows, and ``doubts`` of them may have arrived or not.
    """

    marked: Marked
    person_id: str | None
    state: ReceiptState
    fence: int
    at: dt.datetime
    tries: int = 1
    doubts: int = 0
    possible_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class TouchRecord(TouchDetails):
    """A touch, or a piece of service mail, with everything on record about it.

    ``created_at`` is the first claim: the ``Date`` of every attempt. ``held`` waits for a person's word.
    """

    person_id: str | None
    epoch: int
    not_after: dt.datetime | None
    again_at: dt.datetime | None
    asks: Asked | None
    state: TouchState
    reason: str
    owner: str
    fence: int
    lease_until: dt.datetime | None
    attempts: int
    possible_duplicate: bool
    held: bool
    refusal_id: int | None
    uncounted: int
    created_at: dt.datetime
    sending_at: dt.datetime | None
    uncertain_at: dt.datetime | None
    sent_at: dt.datetime | None
    retry_at: dt.datetime | None
    remote_id: str
    payload: Mapping[str, Any] | None
    corrects: str
    named: str | None

    @property
    def row(self) -> TouchRow:
        """The part of it that decisions are made of; only for touches, not for service mail."""
        assert self.local_date is not None, "service mail has no local date"  # noqa: S101 - a defect of ours
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(TouchRow)}
        return TouchRow(**{**values, "rung": self.rung or 0})


@dataclass(frozen=True, slots=True)
class ListedTouch:
    """What a list of touches shows of one. ``person`` is an address, or the pseudonym of a person who was erased."""

    key: str
    message: str
    rung: int
    kind: TouchKind
    channel: Carrier
    state: TouchState
    due_at: dt.datetime
    sent_at: dt.datetime | None
    attempts: int
    possible_duplicate: bool
    reason: str
    person: str
    held: bool
    corrects: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to carry a touch. ``n`` counts from 1."""

    key: str
    n: int
    at: dt.datetime
    owner: str
    channel: Carrier
    verdict: AttemptVerdict
    phase: str
    reply: str
    remote_id: str
    fault: Fault
    refusal_id: int | None


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign with one version of its plan. ``introduced`` says since when each message stands as it is, ``opened``
    since when the gate of a phase is open.
    """

    id: str
    state: CampaignState
    version: int
    epoch: int
    started_at: dt.datetime | None
    plan: Plan
    templates: Mapping[str, str]
    source: str
    introduced: Mapping[str, dt.datetime]
    applied_at: dt.datetime
    applied_by: str
    opened: Mapping[str, dt.datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drawn:
    """How many people have a role, and the ids of those that were drawn of them."""

    people: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TouchCounts:
    """``reached`` and ``acknowledged`` are people; ``touches`` are those that a channel carried."""

    reached: int = 0
    touches: int = 0
    by_hand: int = 0
    acknowledged: int = 0


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer on record. ``first`` is false when the same was already said; then ``at`` is when."""

    first: bool
    at: dt.datetime
    id: int


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was given, ``withdrawn_at`` included."""

    id: int
    person_id: str
    campaign: str
    message: str
    key: str
    kind: AnswerKind
    value: str
    right: bool | None
    evidence: EvidenceKind
    detail: Mapping[str, Any]
    whole_campaign: bool
    at: dt.datetime
    by: str
    withdrawn_at: dt.datetime | None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """An answer to a check that stands and counts. ``role``, ``number`` and ``asks`` are those of its touch."""

    person_id: str
    message: str
    role: str
    number: int
    asks: Asked | None
    value: str
    right: bool
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """A question and, once there is one, its answer.

    ``thread`` is the ``remote_id`` of the message under which the answer is awaited, ``said`` the stamps of the typed
    messages it is made of; both may be empty. An ``objection`` came up in a talk: ``text`` is what was noted of it.
    """

    id: int
    person_id: str
    campaign: str
    message: str
    key: str
    text: str
    evidence: EvidenceKind
    asked_at: dt.datetime
    answer: str
    answered_at: dt.datetime | None
    answered_by: str
    thread: str = ""
    said: str = ""
    objection: bool = False

    @property
    def stamps(self) -> tuple[str, ...]:
        return tuple(self.said.split())

    @property
    def ask(self) -> Ask:
        about = (self.person_id, self.campaign, self.message, self.key, self.text, self.evidence, self.asked_at)
        told = (self.thread, self.answered_at, self.answered_by)
        return Ask(AskId("question", self.id), *about, *told, self.objection)


@dataclass(frozen=True, slots=True, order=True)
class AskId:
    """What a reply is about, as people name it: ``7`` for a question, ``a12`` for an answer to an input."""

    kind: AskKind
    number: int

    def __str__(self) -> str:
        return f"a{self.number}" if self.kind == "input" else str(self.number)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, or an answer to an input: something that ends with a reply. ``key`` is its touch's.

    ``thread`` is the ``remote_id`` of the message under which the reply is awaited. ``answered_at`` and ``answered_by``
    are those of a question. An ``objection`` is the person's alone, whatever others object to.
    """

    id: AskId
    person_id: str
    campaign: str
    message: str
    key: str
    text: str
    evidence: EvidenceKind
    at: dt.datetime
    thread: str = ""
    answered_at: dt.datetime | None = None
    answered_by: str = ""
    objection: bool = False


@dataclass(frozen=True, slots=True)
class NewReply:
    """What is said to all who asked alike. ``asked`` are the words for it that all may read, empty for none.

    ``day`` is that of a promise (``later``); people of ``roles`` read it at the head of their next touch. ``public``:
    it stands on the page for all. ``notice`` is the message that brings it to others.
    """

    campaign: str
    message: str
    said: str
    ending: Ending = "done"
    day: dt.date | None = None
    asked: str = ""
    roles: tuple[str, ...] = ()
    public: bool = True
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRecord(NewReply):
    """A reply on record, with all it is about; ``people`` is how many asked. ``replaced_at`` ends it."""

    id: int
    at: dt.datetime
    by: str
    replaced_at: dt.datetime | None = None
    asks: tuple[AskId, ...] = ()
    people: int = 0


@dataclass(frozen=True, slots=True)
class SuspectAnswer:
    """An answer that came without its page."""

    person_id: str
    campaign: str
    message: str
    key: str
    kind: AnswerKind
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class HeardQuestion:
    """Typed words belong to the question ``number``: as a new one, ``added`` to it, or ``known`` already."""

    number: int
    added: bool = False
    known: bool = False


@dataclass(frozen=True, slots=True)
class FreshLink:
    """A link that works once: the page it opens (``purpose``), its subject (``about``), and the recipient.

    ``about`` and ``recipient`` are ids, or addresses of people who are not in the directory; ``campaign`` is that of
    the mail it stands in. ``by_itself``: it was asked for, and the mail brings nothing else.
    """

    purpose: Purpose
    about: str
    recipient: str
    campaign: str
    made_at: dt.datetime
    expires_at: dt.datetime
    by_itself: bool = False
    used_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ReviewCopy:
    """A message as it was sent to ``recipient``, an address, for review. The first of ``people`` is whom it is for; the
    others sign it, or are those whom a manager leads.
    """

    key: str
    recipient: str
    plan: Plan
    templates: Mapping[str, str]
    people: tuple[Person, ...]
    touch: Touch
    made_at: dt.datetime
    expires_at: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class Redraw:
    """A card that is to be drawn again; ``tries`` have failed."""

    remote_id: str
    key: str
    version: int
    tries: int


@dataclass(frozen=True, slots=True)
class AnsweredTouch:
    """A touch with its person and what they said about its message, read at one moment.

    ``answers`` stand (none is withdrawn) and concern the touch's message or its whole campaign, oldest first.
    ``question`` is the newest about the message; ``snoozed_until`` are the local dates of its snoozes. ``rows`` are
    the person's touches of the message, read only where a check was answered.
    """

    touch: TouchRecord
    person: Person
    answers: tuple[StoredAnswer, ...]
    question: QuestionRecord | None
    snoozed_until: tuple[dt.date, ...]
    rows: tuple[TouchRow, ...] = ()


@dataclass(frozen=True, slots=True)
class GateWord:
    """The word of a lead that opened the gate of a phase."""

    phase: str
    opened_at: dt.datetime
    by: str
    because: str


@dataclass(frozen=True, slots=True)
class GivenInput:
    """An answer in words or by choice that stands. ``text`` is empty where none were given or the person is erased."""

    id: int
    person_id: str
    person: str
    name: str
    message: str
    kind: AnswerKind
    text: str
    at: dt.datetime
    campaign: str = ""
    key: str = ""
    evidence: EvidenceKind = "link"

    @property
    def ask(self) -> Ask:
        about = (self.person_id, self.campaign, self.message, self.key, self.text, self.evidence, self.at)
        return Ask(AskId("input", self.id), *about)


@dataclass(frozen=True, slots=True)
class GivenOutcome:
    """What somebody (``by``) recorded about a talk with a person, for one message; ``unclear`` and ``note`` may be
    empty."""

    person_id: str
    person: str
    name: str
    campaign: str
    message: str
    outcome: OutcomeName
    unclear: str
    note: str
    at: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class OpenRung:
    """A personal outreach or a proposal to the sponsor with neither outcome nor answer since.

    ``call_again``: the person was away, and it rests until then. ``left`` is the person's last day, if it is known.
    """

    key: str
    person_id: str
    campaign: str
    message: str
    rung: int
    kind: HandKind
    since: dt.datetime
    left: dt.date | None = None
    call_again: dt.datetime | None = None

    def open_at(self, now: dt.datetime) -> bool:
        here = self.left is None or self.left > now.date()
        return here and (self.call_again is None or self.call_again <= now)


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that somebody got, by its message and the version of the plan."""

    key: str
    person_id: str
    message: str
    version: int


@dataclass(frozen=True, slots=True)
class HeartbeatRecord:
    """The last durable beat of an engine; ``interval`` is in seconds. ``ended_at`` is set when it has stopped."""

    owner: str
    pid: int
    host: str
    boot_id: str
    started_at: dt.datetime
    beat_at: dt.datetime
    interval: float
    ended_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """The lease of the scheduler that leads; ``until`` is by the database's clock."""

    owner: str
    fence: int
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Rest:
    """A rest of a channel: why, from when, until when, and the how many-th in a row it is.

    Not ``open`` any more, it is over. ``trying``: something is wrong, so that one message tries the channel before the
    others; else the other side, or our own count, asked for patience. ``next_tick``: somebody else calls the ticks, so
    nothing tries it before the next one.
    """

    channel: ChannelName
    until: dt.datetime
    since: dt.datetime | None = None
    because: str = ""
    fault: Fault = ""
    times: int = 0
    open: bool = True
    trying: bool = True
    next_tick: bool = False

    @property
    def planned(self) -> bool:
        """Only our own count says that no more may leave."""
        return self.fault == "quota" and not self.trying


@dataclass(frozen=True, slots=True)
class Hold:
    """A time in which the engine refused to send; open while ``until`` is ``None``."""

    id: int
    reason: str
    since: dt.datetime
    since_by: str
    until: dt.datetime | None
    until_by: str
    backlog: str


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened of one campaign in some time: messages that channels carried, and what people said."""

    sent: int = 0
    acknowledged: int = 0
    answered: int = 0
    asked: int = 0


@dataclass(frozen=True, slots=True)
class GotItOnly:
    """Of one role: ``people`` who were shown a question, and how many of them press "Got it" each time instead."""

    role: str
    people: int
    only: int


@dataclass(frozen=True, slots=True)
class CampaignCounts:
    """The counts of one campaign. ``touches`` has every state; together they are the touches ever made.

    ``skipped`` splits that state by reason. ``acknowledged`` counts pairs of person and message.
    """

    campaign: str
    title: str
    state: CampaignState
    audience: int
    touches: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    follow_ups_open: int = 0
    started_at: dt.datetime | None = None
