"""The tables: columns and constraints, nothing else. What they mean is in the modules that write them.

Columns named ``by`` say who did it. Nothing people said is ever deleted: an undo sets ``withdrawn_at``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

MET = 16_384


class Instant(TypeDecorator[dt.datetime]):
    """``timestamptz`` on PostgreSQL; on SQLite the text ``YYYY-MM-DD HH:MM:SS.ffffff+00:00``, which sorts as time.

    The processors are given out bare, without SQLAlchemy's own around them, and remember what they met: a load reads
    tens of thousands of instants, most of them the same few.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return String(32) if dialect.name == "sqlite" else DateTime(timezone=True)

    def bind_processor(self, dialect: Dialect) -> Callable[[dt.datetime | None], Any]:
        return as_sqlite_keeps_it if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], dt.datetime | None]:  # noqa: ARG002
        return _read if dialect.name == "sqlite" else _in_utc


@lru_cache(maxsize=MET)
def _in_utc(value: dt.datetime | None) -> dt.datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise TypeError("an instant needs its time zone; pass an aware datetime")
    return value.astimezone(dt.UTC)


@lru_cache(maxsize=MET)
def as_sqlite_keeps_it(value: dt.datetime | None) -> str | None:
    utc = _in_utc(value)
    return None if utc is None else utc.isoformat(" ", "microseconds")


@lru_cache(maxsize=MET)
def _read(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Row(SQLModel):
    """A row of ours; the house keeps its own metadata."""

    metadata = metadata


def _key(**more: Any) -> Any:
    return Field(primary_key=True, **more)


def _number() -> Any:
    """A running number given by the database, never used twice."""
    return Field(default=None, primary_key=True)


def _person(*, nullable: bool = False, primary_key: bool = False) -> Any:
    """Erasing a person renames their id; the rename cascades to everything that is on record."""
    reference = ForeignKey("person.id", onupdate="CASCADE")
    return Field(default=None, nullable=nullable, primary_key=primary_key, index=True, sa_column_args=[reference])


def _instant(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_type=Instant, nullable=nullable, index=index)


def _json() -> Any:
    return Field(default=None, sa_type=JSON, nullable=False)


def _long() -> Any:
    return Field(default="", sa_type=Text, nullable=False)


def _empty() -> Any:
    """A text that a later version has added."""
    return Field(sa_column_kwargs={"server_default": text("''")})


def _known_refusal(name: str) -> Index:
    # few rows have one
    there = text("refusal_id IS NOT NULL")
    return Index(f"ix_{name}_refusal", "refusal_id", sqlite_where=there, postgresql_where=there)


class PersonRow(Row, table=True):
    """One employee. ``wake_at`` is the derived bookmark, ``facts_seq`` counts the facts about them."""

    __tablename__ = "person"

    id: str = _key()
    email: str
    email_key: str = Field(unique=True)
    name: str
    department: str
    job: str
    manager: str
    manager_key: str = Field(index=True)
    country: str
    region: str
    time_zone: str
    days: str | None
    language: str
    phone: str
    channel: str
    wished_channel: str
    slack_id: str
    leave: list[list[str]] = _json()
    left: dt.date | None = Field(default=None, sa_type=Date)
    is_manager: bool
    since: dt.datetime = _instant()
    quiet_from: int | None
    quiet_to: int | None
    revoked: int = Field(sa_column_kwargs={"server_default": text("0")})
    attributes: dict[str, str] = _json()
    facts_seq: int = Field(sa_type=BigInteger)
    wake_at: dt.datetime | None = _instant(nullable=True, index=True)
    erased_at: dt.datetime | None = _instant(nullable=True)


class CampaignRow(Row, table=True):
    """Where a campaign stands. Every decree raises ``epoch``; what was claimed before it can no longer leave."""

    __tablename__ = "campaign"

    id: str = _key()
    state: str
    version: int
    epoch: int
    on_uncertain: str
    started_at: dt.datetime | None = _instant(nullable=True)


class PlanVersionRow(Row, table=True):
    """A plan as it was applied, with the templates of that day."""

    __tablename__ = "plan_version"

    campaign: str = Field(primary_key=True, foreign_key="campaign.id")
    version: int = _key()
    plan: dict[str, Any] = _json()
    templates: dict[str, str] = _json()
    introduced: dict[str, str] = _json()
    source: str = _long()
    applied_at: dt.datetime = _instant()
    applied_by: str


class NoticeRow(Row, table=True):
    """A message that is in no plan file; ``content`` is the whole of it."""

    __tablename__ = "notice"

    campaign: str = Field(primary_key=True, foreign_key="campaign.id")
    message: str = _key()
    content: dict[str, Any] = _json()
    at: dt.datetime = _instant()
    by: str


class FreshLinkRow(Row, table=True):
    """A link that works once. ``recipient`` and ``about`` are ids, or addresses of who is not in the directory."""

    __tablename__ = "fresh_link"

    token: str = _key()
    purpose: str
    about: str
    recipient: str = Field(index=True)
    campaign: str
    made_at: dt.datetime = _instant()
    expires_at: dt.datetime = _instant()
    by_itself: bool
    used_at: dt.datetime | None = _instant(nullable=True)


class ReviewCopyRow(Row, table=True):
    """A message that was sent for review, with all that it takes to show it again. ``names`` are the ids and lower-case
    addresses of everybody in it.
    """

    __tablename__ = "review_copy"

    key: str = _key()
    recipient: str
    remote_id: str
    names: list[str] = _json()
    plan: dict[str, Any] = _json()
    templates: dict[str, str] = _json()
    people: list[dict[str, Any]] = _json()
    touch: dict[str, Any] = _json()
    made_at: dt.datetime = _instant()
    expires_at: dt.datetime = _instant()
    by: str


class GateRow(Row, table=True):
    """The word of a lead that opens the gate of a phase."""

    __tablename__ = "gate"

    campaign: str = Field(primary_key=True, foreign_key="campaign.id")
    phase: str = _key()
    opened_at: dt.datetime = _instant()
    by: str
    because: str = _long()


class StandstillRow(Row, table=True):
    """A pause of one campaign; with an empty ``campaign``, a hold of the engine. Open while ``until`` is empty."""

    __tablename__ = "standstill"
    __table_args__ = (Index("ix_standstill_open", "campaign", postgresql_where=text("until IS NULL")),)

    id: int | None = _number()
    campaign: str
    reason: str
    since: dt.datetime = _instant()
    since_by: str
    until: dt.datetime | None = _instant(nullable=True)
    until_by: str
    backlog: str


_WAS_SENT = text("sent_at IS NOT NULL")


class TouchTable(Row, table=True):
    """Every contact ever made; outbox and history in one. ``kind`` service is mail that is not a touch.

    ``corrects`` is what it puts right for its person. ``named`` are the dates of milestones in the text that left, kept
    with its mark; ``NULL`` where that was not kept. Both are lines of ``cadence/told.py``.
    """

    __tablename__ = "touch"
    __table_args__ = (
        UniqueConstraint("campaign", "message", "person_id", "local_date", "rung"),
        Index("ix_touch_campaign_state", "campaign", "state"),
        Index("ix_touch_state_owner", "state", "owner"),
        Index("ix_touch_kind_campaign", "kind", "campaign"),
        Index("ix_touch_campaign_due_at", "campaign", "due_at", "key"),
        Index("ix_touch_channel_sent_at", "channel", "sent_at", sqlite_where=_WAS_SENT, postgresql_where=_WAS_SENT),
        _known_refusal("touch"),
    )

    key: str = _key()
    kind: str
    campaign: str
    message: str
    person_id: str | None = _person(nullable=True)
    local_date: dt.date | None = Field(default=None, sa_type=Date)
    rung: int | None
    role: str
    channel: str
    number: int
    version: int
    epoch: int
    facts_seq: int = Field(sa_type=BigInteger)
    due_at: dt.datetime = _instant()
    not_after: dt.datetime | None = _instant(nullable=True)
    again_at: dt.datetime | None = _instant(nullable=True)
    asks: str | None
    state: str
    reason: str
    owner: str
    fence: int = Field(sa_type=BigInteger)
    lease_until: dt.datetime | None = _instant(nullable=True)
    attempts: int
    uncertainties: int
    possible_duplicate: bool
    held: bool
    refusal_id: int | None
    uncounted: int = Field(sa_column_kwargs={"server_default": text("0")})
    created_at: dt.datetime = _instant()
    sending_at: dt.datetime | None = _instant(nullable=True)
    uncertain_at: dt.datetime | None = _instant(nullable=True)
    sent_at: dt.datetime | None = _instant(nullable=True)
    retry_at: dt.datetime | None = _instant(nullable=True)
    remote_id: str
    payload: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    corrects: str = _empty()
    named: str | None


class AttemptRow(Row, table=True):
    """One try to carry a touch, and its receipt. ``fault`` is what a refusal was about, as far as it is known."""

    __tablename__ = "attempt"
    __table_args__ = (_known_refusal("attempt"),)

    key: str = Field(primary_key=True, foreign_key="touch.key")
    n: int = _key()
    at: dt.datetime = _instant()
    owner: str
    fence: int = Field(sa_type=BigInteger)
    channel: str
    verdict: str
    phase: str
    reply: str = _long()
    remote_id: str
    fault: str = Field(sa_column_kwargs={"server_default": text("''")})
    refusal_id: int | None


class RefusalRow(Row, table=True):
    """Equal refusals of one channel; of one message, where ``campaign`` and ``message`` name it.

    ``run`` are the keys of the touches refused since ``run_since``, with nothing that got through in between. The whole
    message waits from ``holds_since`` until it is settled.
    """

    __tablename__ = "refusal"
    __table_args__ = (Index("ix_refusal_channel_alike", "channel", "alike"),)

    id: int | None = _number()
    channel: str
    alike: str
    words: str = _long()
    fault: str
    campaign: str
    message: str
    since: dt.datetime = _instant()
    run_since: dt.datetime | None = _instant(nullable=True)
    run: list[str] = _json()
    holds_since: dt.datetime | None = _instant(nullable=True)
    settled_at: dt.datetime | None = _instant(nullable=True)
    settled_by: str


class PeopleFileRow(Row, table=True):
    """A people file that came by itself: taken (no ``reasons``), or held until it is settled."""

    __tablename__ = "people_file"

    id: int | None = _number()
    name: str
    digest: str
    source: str
    campaign: str
    written_at: dt.datetime | None = _instant(nullable=True)
    command: str = _long()
    reasons: list[dict[str, Any]] = _json()
    held_at: dt.datetime = _instant()
    settled_at: dt.datetime | None = _instant(nullable=True)
    settled_by: str
    because: str = _long()


class AnswerRow(Row, table=True):
    """Something a person said. The first of its kind for a touch wins.

    ``counts`` is false for an answer to a check that stood where it could be read before: it says nothing of what was
    known.
    """

    __tablename__ = "answer"
    __table_args__ = (
        Index(
            "uq_answer_first",
            *("person_id", "campaign", "message", "key", "kind", "whole_campaign"),
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: int | None = _number()
    person_id: str = _person()
    campaign: str
    message: str
    key: str
    kind: str
    value: str = _long()
    right: bool | None
    evidence: str
    detail: dict[str, Any] = _json()
    whole_campaign: bool
    at: dt.datetime = _instant()
    by: str
    withdrawn_at: dt.datetime | None = _instant(nullable=True)
    counts: bool = Field(sa_column_kwargs={"server_default": true()})
    measures: str = Field(sa_column_kwargs={"server_default": text("'recall'")})


class QuestionRow(Row, table=True):
    """A question of a person, and its answer.

    ``thread`` is the ``remote_id`` of the message under which its answer is awaited; ``said`` are the time stamps of
    the messages that it was typed in, a blank between them. Both are empty where it was asked elsewhere. An
    ``objection`` was recorded after a talk.
    """

    __tablename__ = "question"

    id: int | None = _number()
    person_id: str = _person()
    campaign: str
    message: str
    key: str
    text: str = _long()
    evidence: str
    asked_at: dt.datetime = _instant()
    answer: str = _long()
    answered_at: dt.datetime | None = _instant(nullable=True)
    answered_by: str
    thread: str = _empty()
    said: str = _empty()
    objection: bool = Field(sa_column_kwargs={"server_default": false()})


class ReplyRow(Row, table=True):
    """What was said to all who asked, or put in, nearly the same. ``asked`` are the words for it that all may read.

    ``ending`` is done, later (by ``day``) or no; ``public``: it stands on the page for all. ``notice`` is the message
    that brings it to others than those who asked. From ``replaced_at`` on newer ones stand for all it was about.
    """

    __tablename__ = "reply"

    id: int | None = _number()
    campaign: str = Field(index=True)
    message: str
    asked: str = _long()
    said: str = _long()
    ending: str
    day: dt.date | None = Field(default=None, sa_type=Date)
    roles: list[str] = _json()
    public: bool
    notice: str
    at: dt.datetime = _instant()
    by: str
    replaced_at: dt.datetime | None = _instant(nullable=True)


class RepliedRow(Row, table=True):
    """A question, or an answer to an input, that a reply is about. The newest reply to it stands."""

    __tablename__ = "replied"

    reply_id: int = Field(primary_key=True, foreign_key="reply.id")
    kind: str = _key()
    number: int = _key()
    person_id: str = _person()


class SuspectRow(Row, table=True):
    """An answer that came without the page it belongs to, as of a machine: kept, and counted nowhere."""

    __tablename__ = "suspect"
    __table_args__ = (UniqueConstraint("person_id", "key", "kind"),)

    id: int | None = _number()
    person_id: str = _person()
    campaign: str = Field(index=True)
    message: str
    key: str
    kind: str
    value: str = _long()
    detail: dict[str, Any] = _json()
    at: dt.datetime = _instant()


class RedrawRow(Row, table=True):
    """A card that is to be drawn again, by its ``remote_id``. ``version`` counts what changed it since it waits."""

    __tablename__ = "redraw"

    remote_id: str = _key()
    key: str
    version: int
    due_at: dt.datetime = _instant(index=True)
    drawing_until: dt.datetime | None = _instant(nullable=True)
    tries: int


class SnoozeRow(Row, table=True):
    """ "Remind me tomorrow"."""

    __tablename__ = "snooze"

    id: int | None = _number()
    person_id: str = _person()
    campaign: str
    message: str
    until: dt.date = Field(sa_type=Date)
    at: dt.datetime = _instant()
    by: str


class OutcomeRow(Row, table=True):
    """What came of a personal outreach, one row per message it was about."""

    __tablename__ = "outcome"

    id: int | None = _number()
    person_id: str = _person()
    campaign: str
    message: str
    outcome: str
    unclear: str
    note: str = _long()
    at: dt.datetime = _instant()
    by: str


class ManagerHoldRow(Row, table=True):
    """A manager (``person_id``) holds what goes out in their name: nothing goes to their people before ``until``."""

    __tablename__ = "manager_hold"

    id: int | None = _number()
    campaign: str = Field(foreign_key="campaign.id")
    message: str
    person_id: str = _person()
    until: dt.date = Field(sa_type=Date)
    at: dt.datetime = _instant()
    by: str
    withdrawn_at: dt.datetime | None = _instant(nullable=True)
    withdrawn_by: str


class ManagerLineRow(Row, table=True):
    """A line that a manager (``person_id``) adds to a message that goes out in their name."""

    __tablename__ = "manager_line"

    id: int | None = _number()
    campaign: str = Field(foreign_key="campaign.id")
    message: str
    person_id: str = _person()
    text: str = _long()
    at: dt.datetime = _instant()
    by: str
    withdrawn_at: dt.datetime | None = _instant(nullable=True)
    withdrawn_by: str


class DeedRow(Row, table=True):
    """Somebody did what an outcome of a campaign asks for.

    ``source`` is ``file``, ``lead`` or ``system``; ``ref`` is what the system calls it; ``recorded_at``, when it came.
    """

    __tablename__ = "deed"
    __table_args__ = (
        UniqueConstraint("person_id", "campaign", "outcome", "at"),
        Index("ix_deed_campaign", "campaign"),
    )

    id: int | None = _number()
    person_id: str = _person()
    campaign: str
    outcome: str
    at: dt.datetime = _instant()
    source: str
    ref: str
    recorded_at: dt.datetime = _instant()
    by: str


class SealRow(Row, table=True):
    """How an experiment is judged, as written down before the first message left. ``digest`` is of ``analysis``."""

    __tablename__ = "seal"

    campaign: str = Field(primary_key=True, foreign_key="campaign.id")
    analysis: dict[str, Any] = _json()
    digest: str
    at: dt.datetime = _instant()
    by: str


class SignedCallRow(Row, table=True):
    """A signed call of another system that was taken in, so that it is not taken in twice. Kept for an hour."""

    __tablename__ = "signed_call"

    signature: str = _key()
    at: dt.datetime = _instant(index=True)


class SuppressionRow(Row, table=True):
    """An address not to be contacted; an empty ``channel`` means every channel."""

    __tablename__ = "suppression"

    id: int | None = _number()
    email_key: str = Field(index=True)
    channel: str
    reason: str
    at: dt.datetime = _instant()
    by: str
    withdrawn_at: dt.datetime | None = _instant(nullable=True)
    withdrawn_by: str


class UnreachableRow(Row, table=True):
    """A channel that cannot carry anything to this person, and why."""

    __tablename__ = "unreachable"

    id: int | None = _number()
    person_id: str = _person()
    channel: str
    reason: str
    at: dt.datetime = _instant()
    by: str
    withdrawn_at: dt.datetime | None = _instant(nullable=True)
    withdrawn_by: str


class RosterRow(Row, table=True):
    """Who stands in the roster of a campaign, and since when."""

    __tablename__ = "roster"

    campaign: str = _key()
    person_id: str = _person(primary_key=True)
    since: dt.datetime = _instant()


class AuditRow(Row, table=True):
    """Who did what, when. Only ever added to."""

    __tablename__ = "audit"

    id: int | None = _number()
    at: dt.datetime = _instant()
    by: str
    action: str
    subject: str
    detail: dict[str, Any] = _json()


class EngineRow(Row, table=True):
    """The last durable beat of each engine."""

    __tablename__ = "engine"

    owner: str = _key()
    pid: int
    host: str
    boot_id: str
    started_at: dt.datetime = _instant()
    beat_at: dt.datetime = _instant()
    interval: float
    ended_at: dt.datetime | None = _instant(nullable=True)


class LeadRow(Row, table=True):
    """Which scheduler leads, until when by the database's clock; ``fence`` counts the hand-overs."""

    __tablename__ = "lead"

    name: str = _key()
    owner: str
    fence: int = Field(sa_type=BigInteger)
    until: dt.datetime = _instant()


class RestRow(Row, table=True):
    """Until when nothing could leave by a channel, last; with an empty ``channel``: because no tick was called.

    While ``open`` it rests, for the ``times``-th time in a row; ``trying`` says that one message tries it afterwards,
    ``next_tick`` that somebody else calls the ticks. A channel that was only full has nothing but ``until``.
    """

    __tablename__ = "rest"

    channel: str = _key()
    until: dt.datetime = _instant()
    since: dt.datetime | None = _instant(nullable=True)
    because: str = Field(sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    fault: str = Field(sa_column_kwargs={"server_default": text("''")})
    times: int = Field(sa_column_kwargs={"server_default": text("0")})
    open: bool = Field(sa_column_kwargs={"server_default": false()})
    trying: bool = Field(sa_column_kwargs={"server_default": false()})
    next_tick: bool = Field(sa_column_kwargs={"server_default": false()})


class RateRow(Row, table=True):
    """From when on the next message may leave by a channel, and to how many connections it was narrowed, when."""

    __tablename__ = "rate"

    channel: str = _key()
    free_at: dt.datetime | None = _instant(nullable=True)
    connections: int | None
    narrowed_at: dt.datetime | None = _instant(nullable=True)


class ProviderRow(Row, table=True):
    """What a mail server greeted with, last."""

    __tablename__ = "provider"

    host: str = _key()
    banner: str = _long()
    at: dt.datetime = _instant()


class CounterRow(Row, table=True):
    """Numbers that only grow: ``fence``; ``answer_above``, the last fence of Slack cards with the answer on top;
    ``rehearsed``, when a rehearsal in this database ended, in microseconds since 1970."""

    __tablename__ = "counter"

    name: str = _key()
    value: int = Field(sa_type=BigInteger)


class SlackIdRow(Row, table=True):
    """What Slack calls a person, so that it is asked once. ``grid_id`` is their name in a whole Enterprise Grid."""

    __tablename__ = "slack_id"

    email_key: str = _key()
    user_id: str
    dm_id: str
    grid_id: str = _empty()
    team_id: str = _empty()
    status: str = _empty()


class SlackWorkspaceRow(Row, table=True):
    """A workspace that a token covers, and how far the list of its users has been read: to ``cursor``.

    ``token`` is a hash. ``counted`` users were listed so far, ``members`` the last time; then ``missing`` people of the
    directory were not among them. Until ``free_at`` no page is asked for; ``trouble`` is why the last one did not come.
    """

    __tablename__ = "slack_workspace"

    token: str = _key()
    team_id: str = _key()
    name: str
    cursor: str
    counted: int
    members: int
    missing: int
    began_at: dt.datetime | None = _instant(nullable=True)
    finished_at: dt.datetime | None = _instant(nullable=True)
    free_at: dt.datetime | None = _instant(nullable=True)
    trouble: str


class InstanceRow(Row, table=True):
    """Which database this is, and the state folder it was last sent from: a copy of it has the same two."""

    __tablename__ = "instance"

    database: str = _key()
    place: str


class RoleEstimateRow(Row, table=True):
    """What was learned of a role from the checks answered up to ``counted_at``; decided with from ``effective_at``."""

    __tablename__ = "role_estimate"

    campaign: str = Field(primary_key=True, foreign_key="campaign.id")
    role: str = _key()
    counted_at: dt.datetime = Field(sa_type=Instant, primary_key=True)
    effective_at: dt.datetime = _instant()
    checks: int
    forecasts: int
    right: int
    error: float
    likelihoods: list[float] = _json()
    pooled: list[list[float]] = _json()


def _table(name: str) -> Table:
    return metadata.tables[name]


person = _table("person")
campaign = _table("campaign")
plan_version = _table("plan_version")
notice = _table("notice")
fresh_link = _table("fresh_link")
review_copy = _table("review_copy")
gate = _table("gate")
standstill = _table("standstill")
touch = _table("touch")
attempt = _table("attempt")
refusal = _table("refusal")
answer = _table("answer")
question = _table("question")
reply = _table("reply")
replied = _table("replied")
suspect = _table("suspect")
redraw = _table("redraw")
snooze = _table("snooze")
outcome = _table("outcome")
manager_hold = _table("manager_hold")
manager_line = _table("manager_line")
deed = _table("deed")
seal = _table("seal")
signed_call = _table("signed_call")
suppression = _table("suppression")
unreachable = _table("unreachable")
roster = _table("roster")
people_file = _table("people_file")
audit = _table("audit")
engine = _table("engine")
lead = _table("lead")
rest = _table("rest")
rate = _table("rate")
provider = _table("provider")
counter = _table("counter")
slack_id = _table("slack_id")
slack_workspace = _table("slack_workspace")
instance = _table("instance")
role_estimate = _table("role_estimate")
