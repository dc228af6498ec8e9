"""What the author wrote: one campaign and the workspace's rules, frozen and validated.

Field by field this is the plan format of ``docs/plan.md``. What concerns one field is refused here; what concerns
several (an unknown milestone, a sponsor before personal outreach) is reported, with its place, by ``authoring``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from commsengine.cadence.kinds_and_states import CHANNELS, OFFERS, About, ChannelName, InputKind, Measure, RecallMode
from commsengine.cadence.time_notation import (
    Clock,
    Day,
    MomentText,
    Share,
    Span,
    WaitText,
    WorkingDays,
    span_text,
    weekdays_in,
)
from commsengine.cadence.translations import Translation, canonical, in_reach, says, texts_of, with_texts
from commsengine.translation import N_, _

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
ANGLES = ("why", "your_job", "skills", "measures", "results")

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Sender = Literal["lead", "manager", "sponsor"]
ReplyTo = Literal["sender", "lead"]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", description="letters, digits, - and _")]
MilestoneName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$", description="a letter first, then letters, digits, - and _"),
]

OutcomeId = MilestoneName
"""What an outcome is called: a name of the plan's ``outcomes``, of the same letters."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _days_of(value: object) -> object:
    # mon-fri, alone or in a list, as in people.csv; what is no day is left to the closed list
    written = _listed(value)
    if not isinstance(written, list | tuple):
        return value
    days: list[object] = []
    for each in written:
        try:
            days += [WEEKDAYS[day] for day in sorted(weekdays_in(str(each)))]
        except ValueError:
            days.append(each)
    return days


Weekdays = Annotated[tuple[Weekday, ...], BeforeValidator(_days_of, json_schema_input_type=str | list[str])]


def _taking_turns(value: object) -> object:
    found = _listed(value) if value != "" else []
    if isinstance(found, Sequence) and any(isinstance(text, str) and not text.strip() for text in found):
        raise ValueError(N_("one of the texts is empty; write it, or take it out"))
    return found


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
TurnTexts = Annotated[tuple[str, ...], BeforeValidator(_taking_turns), Field(max_length=20)]
"""Texts that take turns; a bare text is one that stays."""


def _language(value: object) -> object:
    if isinstance(value, str) and value and not canonical(value):
        raise ValueError(_("'{written}' is not a language; write a code such as de or pt-BR", written=value))
    return canonical(value) if isinstance(value, str) else value


Language = Annotated[str, BeforeValidator(_language)]


class Frozen(BaseModel):
    """A value that never changes and knows exactly its own fields. ``WORDS`` are those that people read as texts."""

    WORDS: ClassVar[tuple[str, ...]] = ()
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Milestone(Frozen):
    """A named date. People read ``because`` when it moves; until it is ``firm``, only the week it is planned for.

    ``title`` is what people read for its name, where that is another.
    """

    WORDS = ("title", "because")
    date: Day
    title: str = ""
    because: str = ""
    firm: bool = True

    @model_validator(mode="before")
    @classmethod
    def _a_bare_date(cls, value: object) -> object:
        return value if isinstance(value, Mapping | Milestone) else {"date": value}


class Phase(Frozen):
    """A stretch of the campaign with one small goal and a measure. With ``gate`` what follows waits for a word."""

    WORDS = ("goal",)
    until: MomentText
    goal: str = ""
    reach: Mapping[str, Mapping[Measure, Share]] = {}
    gate: bool = False


def role_title(role: str) -> str:
    words = role.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


class Role(Frozen):
    """Who is meant: managers, all others, or the people whom one of the values in ``columns`` describes.

    ``title`` is what people read as the name of the role.
    """

    WORDS = ("title",)
    is_manager: bool | None = None
    rest: bool = False
    title: str = ""
    columns: Mapping[str, Texts] = {}

    @model_validator(mode="before")
    @classmethod
    def _columns(cls, value: object) -> object:
        if not isinstance(value, Mapping) or "columns" in value:
            return value
        own = {key: value[key] for key in ("is_manager", "rest", "title") if key in value}
        return {**own, "columns": {k: v for k, v in value.items() if k not in own}}

    @field_validator("title", mode="before")
    @classmethod
    def _a_name(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            raise ValueError(N_("'title' is what people read as the name of the role; select by another column"))
        return value


class Audience(Frozen):
    """Who the campaign is for. ``people`` names a roster; without it, all people in the directory."""

    people: str | None = None
    roles: Mapping[Identifier, Role] = Field(min_length=1)

    def title(self, role: str) -> str:
        """What people read as the name of a role; of one without a title ``Field service`` for ``field-service``."""
        known = self.roles.get(role)
        return (known.title.strip() if known else "") or role_title(role)


class Window(Frozen):
    """The local days and hours at which messages may leave. Minutes after midnight; ``to`` is not included."""

    days: Weekdays = ("mon", "tue", "wed", "thu", "fri")
    start: Clock = Field(default=9 * 60, alias="from")
    end: Clock = Field(default=16 * 60 + 30, alias="to")

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Window:
        if self.start >= self.end:
            raise ValueError(N_("the window closes before it opens; write 'from' earlier than 'to'"))
        if not self.days:
            raise ValueError(N_("the window has no days; name at least one, for example [mon, tue]"))
        return self

    def meets(self, hours: tuple[int, int]) -> bool:
        """Whether anything of it lies within these hours: from and to, in local minutes."""
        return max(self.start, hours[0]) < min(self.end, hours[1])


class Budget(Frozen):
    """How many touches, of all campaigns together, one person may get per local day and in any seven local days."""

    per_day: int = Field(default=1, ge=1, le=10)
    per_week: int = Field(default=3, ge=1, le=50)


class Send(Frozen):
    """How and when messages travel."""

    channels: tuple[ChannelName, ...] = Field(default=tuple(CHANNELS), min_length=1)
    window: Window = Window()
    holidays: bool = True
    at_most: Budget = Budget()
    max_late: Span = 4 * 60
    time_zone: str = "UTC"
    reply_to: ReplyTo = "sender"

    @field_validator("max_late")
    @classmethod
    def _time_enough_to_send(cls, value: int) -> int:
        if value < 15:
            raise ValueError(N_("'max_late' is so short that nothing could ever be on time; write at least 15m"))
        return value


class Wiifm(Frozen):
    """What is in it for one role: the five things each role needs to hear."""

    WORDS = ANGLES
    why: str = ""
    your_job: str = ""
    skills: str = ""
    measures: str = ""
    results: str = ""


_ONE_CADENCE = N_("a cadence has either 'every' (with 'times') or 'recall_floor'; write exactly one of them")


def _a_day_at_least(every: int | None) -> None:
    if every is not None and every < DAY_MINUTES:
        raise ValueError(N_("'every' is shorter than a day; write at least 24h"))


class Cadence(Frozen):
    """When a message repeats: a fixed interval in minutes, or a floor under estimated recall."""

    every: Span | None = None
    times: int | None = Field(default=None, ge=1, le=100)
    recall_floor: Share | None = Field(default=None, gt=0, lt=1)
    target: Share | None = Field(default=None, gt=0, lt=1)
    by: MomentText | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Cadence:
        if (self.every is None) == (self.recall_floor is None):
            raise ValueError(_ONE_CADENCE)
        _a_day_at_least(self.every)
        if self.every is not None and (self.target is not None or self.by is not None):
            raise ValueError(N_("'target' and 'by' belong to 'recall_floor'; leave them out beside 'every'"))
        return self


class Input(Frozen):
    """A question put to people before anything is designed. An order of choices is kept one a line, the first on top.

    ``choices`` of ``kind: meeting`` are appointments; people may ask for another in their own words.
    """

    WORDS = ("question", "choices")
    question: str = Field(min_length=1)
    kind: InputKind = "text"
    choices: tuple[str, ...] = Field(default=(), max_length=10)
    reply_by: WorkingDays = 5

    @model_validator(mode="after")
    def _choices_to_choose_from(self) -> Input:
        if (self.kind in OFFERS) != (len(self.choices) >= 2):
            raise ValueError(N_("'kind: choice', 'rank' and 'meeting' need at least two 'choices', 'kind: text' none"))
        if self.kind in ("rank", "meeting") and not _each_once(self.choices):
            raise ValueError(N_("two 'choices' are the same, or one is blank or of several lines; write each once"))
        return self


def _each_once(choices: Sequence[str]) -> bool:
    lines = {" ".join(choice.split()) for choice in choices if "\n" not in choice}
    return len(lines - {""}) == len(choices)


class Check(Frozen):
    """One question about the key point. The right answer is explained at once.

    ``baseline``: it is asked before the message says anything as well. ``transfer``: it is kept for the end.
    """

    WORDS = ("question", "answers", "because")
    question: str = Field(min_length=1)
    answers: tuple[str, ...] = Field(min_length=2, max_length=6)
    right: str
    because: str = Field(min_length=1)
    about: About | None = None
    baseline: bool = False
    transfer: bool = False

    @model_validator(mode="after")
    def _right_is_an_answer(self) -> Check:
        if self.right not in self.answers:
            raise ValueError(N_("'right' is none of the 'answers'; copy one of them letter by letter"))
        if not all(text.strip() for text in (self.question, self.because, *self.answers)):
            raise ValueError(N_("'question', 'because' and each of the 'answers' must say something; one is blank"))
        if len({" ".join(answer.casefold().split()) for answer in self.answers}) != len(self.answers):
            raise ValueError(N_("two 'answers' are the same; write each once"))
        return self


class PlannedCommitment(Frozen):
    """What people are asked to say they will do. On the day ``by`` they are asked once whether it is done."""

    WORDS = ("text",)
    text: str = Field(min_length=1)
    by: MomentText | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_bare_text(cls, value: object) -> object:
        return {"text": value} if isinstance(value, str) else value


class Rung(Frozen):
    """What follows when there is no answer."""

    after: WaitText
    do: Literal["remind", "personal", "sponsor"]
    channel: ChannelName | None = None
    by: Literal["manager", "lead"] = "manager"

    @model_validator(mode="after")
    def _channel_only_for_reminders(self) -> Rung:
        if self.channel and self.do != "remind":
            raise ValueError(N_("only 'do: remind' has a channel; leave 'channel' out here"))
        return self


class PlannedOutcome(Frozen):
    """What people are to do in the end: something others can see done. ``by`` is the last day for it."""

    WORDS = ("title",)
    title: str = Field(min_length=1)
    by: MomentText


class Message(Frozen):
    """One key point, repeated."""

    WORDS = ("key_point", "subject", "text", "link")
    id: Identifier
    to: Texts = ()
    key_point: str = Field(min_length=1)
    opens: MomentText = Field(alias="from")
    closes: MomentText = Field(alias="until")
    sender: Sender = "lead"
    cadence: Cadence
    ask: Literal["acknowledge", "check", "input", "commit", "nothing"] = "acknowledge"
    input: Input | None = None
    checks: tuple[Check, ...] = ()
    check_every: int = Field(default=2, ge=1, le=10)
    commit: PlannedCommitment | None = None
    repeat_until: Literal["acknowledged", "recalled", "done", "end"] = "end"
    outcome: OutcomeId | None = None
    managers_first: WorkingDays | None = None
    priority: Literal["high", "normal", "low"] = "normal"
    template: str = Field(default="wiifm", pattern=r"^[a-z0-9_-]{1,64}$")
    subject: str = ""
    text: TurnTexts = ()
    link: str = ""
    wiifm: Mapping[str, Wiifm] = {}
    corrects: str | None = None
    follow_up: tuple[Rung, ...] | None = None

    @property
    def asks_on(self) -> MomentText | None:
        """The day on which people are asked whether what they said they will do is done."""
        return self.commit.by if self.ask == "commit" and self.commit else None

    @field_validator("link")
    @classmethod
    def _a_safe_link(cls, value: str) -> str:
        if value and not value.startswith("https://"):
            raise ValueError(N_("a link starts with https://"))
        return value

    @model_validator(mode="after")
    def _what_is_asked_is_there(self) -> Message:
        if self.ask == "input" and self.input is None:
            raise ValueError(N_("'ask: input' needs 'input: {question: …}'"))
        if self.ask == "check" and not self.checks:
            raise ValueError(N_("'ask: check' needs at least one of 'checks'"))
        return self

    @property
    def as_briefing(self) -> Message:
        """The message for a manager whose people get it, and who does not: it comes once and asks nothing."""
        once = {"cadence": Cadence(every=DAY_MINUTES, times=1), "ask": "nothing", "checks": (), "repeat_until": "end"}
        return self.model_copy(update=once)


class Notice(Message):
    """A message that stands in no plan file: one that is sent now, or the correction of dates that have moved.

    ``urgent`` goes past the send window and the attention budget; ``because`` is why, for the record. ``old_dates`` are
    the milestones with the day that holds no more, ``new_dates`` with that of the plan: only people who read another
    one last get it. ``said_at`` is the instant of what is for that day only, where each person lives. ``answers`` are
    the touches on which people asked what it answers: these people have the answer by a letter of their own.
    ``translations`` are its own texts in other languages, by field.
    """

    urgent: bool = False
    because: str = ""
    said_at: dt.datetime | None = None
    old_dates: Mapping[MilestoneName, Day] = {}
    new_dates: Mapping[MilestoneName, Day] = {}
    answers: frozenset[str] = frozenset()
    translations: Mapping[str, Translation] = {}


class Arm(Frozen):
    """One cadence of an experiment: by recall as the plan says, or every so many hours instead."""

    every: Span | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_word_or_a_span(cls, value: object) -> object:
        if isinstance(value, str):
            if value != "recall":
                raise ValueError(_("'{written}' is not an arm; write recall, or for example every: 48h", written=value))
            return {}
        return value

    @model_validator(mode="after")
    def _long_enough(self) -> Arm:
        _a_day_at_least(self.every)
        return self

    @property
    def name(self) -> str:
        return "recall" if self.every is None else f"every {span_text(self.every)}"


class Sponsor(Frozen):
    """Who stands behind the campaign. ``in_audience``: a member of it, too, who gets what the others get."""

    email: str
    in_audience: bool = False

    @model_validator(mode="before")
    @classmethod
    def _a_bare_address(cls, value: object) -> object:
        return {"email": value} if isinstance(value, str) else value


class SupposedEffect(Frozen):
    """What an experiment is planned for: the share of people who do it anyway, and how many more it is to bring."""

    base: Share = Field(default=0.30, gt=0, lt=1)
    lift: Share = Field(default=0.10, gt=0, lt=1)

    @model_validator(mode="after")
    def _not_more_than_all(self) -> SupposedEffect:
        if self.base + self.lift > 1:
            raise ValueError(N_("'base' and 'lift' come to more than 1: no more than everybody can do it"))
        return self


class Experiment(Frozen):
    """Two or more cadences for messages by recall, assigned by chance within each role.

    Who has done ``outcome`` by the end of ``day`` tells which is better.
    """

    arms: tuple[Arm, ...] = Field(min_length=2, max_length=4)
    share: Share = Field(default=1.0, gt=0, le=1)
    hold_out: Share = Field(default=0.15, ge=0.1, le=0.2)
    seed: int = 0
    outcome: OutcomeId | None = None
    day: MomentText | None = None
    suppose: SupposedEffect | None = None

    @model_validator(mode="after")
    def _an_outcome_has_its_day(self) -> Experiment:
        if (self.outcome is None) != (self.day is None):
            raise ValueError(N_("write 'outcome' and 'day' both: what is to be done, and when it is counted"))
        if self.suppose is not None and self.outcome is None:
            raise ValueError(N_("'suppose' is about an 'outcome'; name it, or leave 'suppose' out"))
        return self

    @model_validator(mode="after")
    def _arms_differ(self) -> Experiment:
        if len({arm.every for arm in self.arms}) != len(self.arms):
            raise ValueError(N_("two 'arms' are the same; write each once, for example [recall, every: 48h]"))
        return self


class Plan(Frozen):
    """One campaign as the change lead wrote it.

    ``language`` is that of its texts, else the workspace's. ``translations`` are those in other languages; they stand
    in files beside the plan's.
    """

    WORDS = ("title",)
    campaign: Identifier
    title: str = Field(min_length=1)
    language: Language = ""
    owner: Texts = Field(min_length=1)
    sponsor: Sponsor | None = None
    optional: bool = False
    on_uncertain: Literal["once", "hold"] = "once"
    milestones: Mapping[MilestoneName, Milestone] = {}
    phases: Mapping[Identifier, Phase] = {}
    outcomes: Mapping[OutcomeId, PlannedOutcome] = {}
    audience: Audience
    send: Send = Send()
    wiifm: Mapping[str, Wiifm] = {}
    messages: tuple[Message, ...] = Field(min_length=1)
    follow_up: tuple[Rung, ...] = ()
    experiment: Experiment | None = None
    translations: Mapping[str, Translation] = {}

    @property
    def sponsor_email(self) -> str:
        """Empty where there is no sponsor."""
        return self.sponsor.email if self.sponsor else ""

    @property
    def kept_out(self) -> str:
        """The lower-cased address of the one whom no role takes in: a sponsor who is no member of the audience."""
        return "" if self.sponsor is None or self.sponsor.in_audience else self.sponsor.email.strip().lower()

    def message(self, message_id: str) -> Message:
        return next(message for message in self.messages if message.id == message_id)

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(message for message in self.messages if isinstance(message, Notice))

    @property
    def written(self) -> tuple[Message, ...]:
        """The messages of the plan file."""
        return tuple(message for message in self.messages if not isinstance(message, Notice))

    def with_notices(self, notices: Iterable[Notice]) -> Plan:
        """The plan of the file, with these behind its own messages."""
        return self.model_copy(update={"messages": (*self.written, *notices)})

    @property
    def corrected(self) -> Mapping[str, str]:
        """The messages that were wrong, each with the one that puts it right. No wrong one is sent any more."""
        return {message.corrects: message.id for message in self.messages if message.corrects}

    def wrong_before(self, message: Message) -> tuple[str, ...]:
        """What this message puts right: the one that it corrects, what that one corrected, and so on."""
        corrects, wrong = {each.id: each.corrects for each in self.messages}, list[str]()
        while (before := corrects.get(wrong[-1] if wrong else message.id)) and before not in wrong:
            wrong.append(before)
        return tuple(wrong)

    def ladder(self, message: Message) -> tuple[Rung, ...]:
        # a message's own rungs, else the plan's
        if message.ask == "nothing":
            return ()
        return self.follow_up if message.follow_up is None else message.follow_up

    def outcome_of(self, message: Message) -> OutcomeId | None:
        """What the message is to bring about, by the outcome's name; ``None`` if the plan does not say."""
        only = next(iter(self.outcomes)) if len(self.outcomes) == 1 else None
        return message.outcome or (only if message.repeat_until == "done" else None)

    @property
    def until_done(self) -> Mapping[str, str]:
        """The messages that repeat until something is done, each with the outcome's name."""
        ending = (message for message in self.messages if message.repeat_until == "done")
        return {message.id: outcome for message in ending if (outcome := self.outcome_of(message))}

    def messages_for(self, outcome: OutcomeId) -> tuple[Message, ...]:
        """The messages that are to bring it about; of an only outcome for which none is named, all that are written."""
        named = tuple(message for message in self.messages if self.outcome_of(message) == outcome)
        return named or (self.written if len(self.outcomes) == 1 else ())

    # -- in other languages ---------------------------------------------------------------------------

    def in_language(self, language: str) -> Plan:
        """The plan with its texts in that language; where one is missing there, it is that of the plan."""
        texts = self.spoken(language)
        changed: Plan = with_texts(self, texts) if texts else self
        return changed

    def spoken(self, language: str) -> Translation:
        """Every text that is there in that language, by name, those of notices as well."""
        notices = {
            f"messages.{notice.id}.{field}": text
            for notice in self.notices
            for field, text in in_reach(notice.translations, language).items()
        }
        return {**in_reach(self.translations, language), **notices}

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of the translations."""
        own = [language for notice in self.notices for language in notice.translations]
        return tuple(dict.fromkeys([*self.translations, *own]))

    def milestone_title(self, name: str) -> str:
        return self.milestones[name].title or name.replace("_", " ")

    @property
    def texts(self) -> Mapping[str, str]:
        """Every text that people read, by name, in the language of the plan."""
        named = {f"milestones.{name}.title": self.milestone_title(name) for name in self.milestones}
        named |= {f"audience.roles.{role}.title": self.audience.title(role) for role in self.audience.roles}
        return {name: named.get(name, text) for name, text in texts_of(self) if named.get(name, text).strip()}

    def texts_with(self, messages: Iterable[str], roles: Collection[str]) -> frozenset[str]:
        """The names of the texts that these messages may show to people of these roles, but for what needs no words.

        A link is none of them: without another, it is the plan's.
        """
        found = {"title", *(f"audience.roles.{role}.title" for role in roles)}
        for message in map(self.message, messages):
            found |= set(self._texts_with(message, roles))
        return frozenset(found & self.to_translate)

    @property
    def to_translate(self) -> frozenset[str]:
        """The names of all texts with words in them."""
        return frozenset(name for name, text in self.texts.items() if says(text) and not name.endswith(".link"))

    def _texts_with(self, message: Message, roles: Collection[str]) -> Iterator[str]:
        own = {name for name, text in texts_of(message, f"messages.{message.id}") if text.strip()}
        yield from (name for name in own if ".wiifm." not in name or name.split(".")[3] in roles)
        yield from (f"messages.{wrong}.key_point" for wrong in self.wrong_before(message))
        if outcome := self.until_done.get(message.id):
            yield f"outcomes.{outcome}.title"
        if isinstance(message, Notice):
            yield from (f"milestones.{name}.{field}" for name in message.old_dates for field in Milestone.WORDS)
            return
        of_plan = (f"wiifm.{role}.{angle}" for role in roles for angle in ANGLES)
        yield from (name for name in of_plan if f"messages.{message.id}.{name}" not in own)

    def wiifm_for(self, message: Message, role: str) -> Wiifm:
        base = self.wiifm.get(role, Wiifm())
        own = message.wiifm.get(role)
        return base.model_copy(update=own.model_dump(exclude_defaults=True)) if own else base


class BlackOut(Frozen):
    """Days on which nothing is sent, ``last`` included."""

    first: Day
    last: Day
    because: str = ""

    @model_validator(mode="before")
    @classmethod
    def _a_day_or_a_range(cls, value: Any) -> Any:
        if isinstance(value, str):
            first, _, last = value.partition("..")
            return {"first": first.strip(), "last": (last or first).strip()}
        return value


class Workspace(Frozen):
    """The rules over all campaigns of a company: ``workspace.yaml``. Without it only the plans' own limits hold."""

    at_most: Budget = Budget(per_day=10, per_week=50)
    minimum_gap: Span = 0
    black_out: tuple[BlackOut, ...] = ()
    follow_ups_per_day: int = Field(default=5, ge=1, le=100)
    retention: Span = 365 * 24 * 60
    language: str = "en"
    languages: tuple[str, ...] = ("en",)
    recall: RecallMode = "role"
