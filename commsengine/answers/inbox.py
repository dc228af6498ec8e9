"""The answer inbox: the one place where the answers of people are recorded, by page, by Slack or in a rehearsal.

Each answer is a fact with its evidence and who gave it; recording one twice changes nothing and says when it was
recorded. Writing a fact makes that person due at once (the store does that).
What a call returns is committed: only then may a caller show "recorded".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

import structlog

from commsengine.answers.my_messages import PersonRecord, person_record
from commsengine.answers.touch_text import Blocks, CardText, card_text, drawn, key_point
from commsengine.answers.touch_view import Card
from commsengine.cadence.audience import role_of
from commsengine.cadence.calendar import DAY, Hours, local_date_in, zone_of
from commsengine.cadence.check_questions import answer_id, unclear_turn
from commsengine.cadence.kinds_and_states import (
    AnswerKind,
    ChannelName,
    CheckKind,
    EvidenceKind,
    RecallMode,
    Wish,
    asked_by,
    channel_of,
)
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.content.message import RenderedMessage
from commsengine.content.person_values import Signers
from commsengine.content.render import Renderer, RendererFor
from commsengine.engine.directory import SignerLookup
from commsengine.engine.dispatch import add_service_mail
from commsengine.errors import CommsError, InputError
from commsengine.store.records import CampaignRecord, HeardQuestion, QuestionRecord, TouchRecord
from commsengine.store.store import Store
from commsengine.text import message_key
from commsengine.translation import ENGLISH, N_, _, in_language

LONGEST = 4000
"""Characters of what a person writes."""

TOGETHER = dt.timedelta(minutes=5)
"""What a person types about one message within so long is one question: many write one thought in several lines."""

log = structlog.get_logger(__name__)


class UnknownTouchError(CommsError):
    """The key names no touch of a person who is still on record."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How we know: ``kind`` is slack, link, reply or manager; ``detail`` is what the request showed."""

    kind: EvidenceKind
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of an answer to the touch ``key``: ``first`` is false when it was on record already."""

    key: str
    first: bool
    at: dt.datetime


class Said(TypedDict, total=False):
    """What an answer says beside its kind, as the store records it."""

    value: str
    right: bool | None
    whole_campaign: bool
    counts: bool
    measures: CheckKind


class AnswerInbox:
    """Safe to share between threads. What people say, they say on a ``card``, at the time as of which it was read.

    ``renderer`` makes the renderer of a plan version. With ``recall`` off, no answer to a check is kept as right or
    wrong.
    """

    def __init__(self, store: Store, renderer: RendererFor, recall: RecallMode = "role") -> None:
        self._store, self._make_renderer, self._recall = store, renderer, recall
        self._renderers: dict[tuple[str, int], Renderer] = {}

    # -- how things stand -------------------------------------------------------------------------

    def card(self, key: str, now: dt.datetime) -> Card:
        """The touch and every answer of its person about it. Raises ``UnknownTouchError``."""
        found = self._store.answers.about(key)
        if found is None:
            raise UnknownTouchError(_("This message is not on record."), _("Open the newest message you have."))
        version = self._version(found.touch)
        zone, message = zone_of(found.person, version.plan).key, version.plan.message(found.touch.message)
        return Card(
            found.person,
            version.plan,
            message,
            found.touch,
            zone,
            now,
            answers=tuple(answer for answer in found.answers if answer.key == key or answer.whole_campaign),
            before=tuple(answer for answer in found.answers if answer.key != key and not answer.whole_campaign),
            question=found.question,
            snoozed_until=next((day for day in found.snoozed_until if day > local_date_in(zone, now)), None),
            unclear=unclear_turn(message, found.touch.due_at, found.answers, found.rows),
        )

    def text(self, card: Card) -> CardText:
        renderer = self._renderer(self._version(card.touch))
        with in_language(renderer.language(card.person)):
            return card_text(renderer, card, self._signers(card.person, card.plan))

    def lead(self, card: Card) -> Person:
        return self._signers(card.person, card.plan).lead

    def language(self, person: Person, campaign: str) -> str:
        record = self._store.campaigns.get(campaign)
        return self._renderer(record).language(person) if record else ENGLISH

    def drawn(self, card: Card, channel: ChannelName) -> tuple[str, Blocks]:
        sent = self._store.campaigns.version(card.touch.campaign, card.touch.version)
        renderer = self._renderer(sent or self._version(card.touch))
        with in_language(renderer.language(card.person)):
            return drawn(renderer, card, channel, self._signers(card.person, card.plan), self.text(card).check)

    def _version(self, touch: TouchRecord) -> CampaignRecord:
        # the plan as it stands, or as it stood when the touch was made if it has lost the message since
        newest = self._store.campaigns.get(touch.campaign)
        if newest and any(message.id == touch.message for message in newest.plan.messages):
            return newest
        found = self._store.campaigns.version(touch.campaign, touch.version)
        assert found is not None, "a touch names the version it was made of"  # noqa: S101 - a defect of ours
        return found

    def _renderer(self, version: CampaignRecord) -> Renderer:
        key = (version.id, version.version)
        if key not in self._renderers:
            self._renderers[key] = self._make_renderer(version.plan, version.templates)
        return self._renderers[key]

    def _signers(self, person: Person, plan: Plan) -> Signers:
        appearing = (plan.owner[0], plan.sponsor or "", person.manager)
        return SignerLookup(self._store, appearing).of(person, plan)

    # -- answers ----------------------------------------------------------------------------------

    def got_it(self, card: Card, evidence: Evidence) -> Recorded:
        return self._record(card, "acknowledged", evidence)

    def give_input(self, card: Card, value: str, evidence: Evidence) -> Recorded:
        """Raises ``InputError`` if the answer is empty, too long or none of the choices."""
        if card.message.input is None:
            raise InputError(_("This message asks for no answer in words."))
        value = _written(value)
        if card.message.input.choices and value not in card.message.input.choices:
            raise InputError(_("Please choose one of the answers."))
        return self._record(card, "input", evidence, value=value)

    def commit(self, card: Card, text: str, evidence: Evidence) -> Recorded:
        return self._record(card, "commit", evidence, value=_written(text) if text.strip() else "")

    def answer_check(self, card: Card, choice: str, evidence: Evidence) -> Recorded:
        """Raises ``InputError`` for an unknown choice. Right or wrong is on the card, for this person only."""
        if card.check is None or choice not in card.check.answers:
            raise InputError(_("Please choose one of the answers."))
        if self._recall == "off":
            return self._record(card, "check", evidence, counts=False)
        right, measures = choice == card.check.right, card.asks if card.asks_check and card.asks else "recall"
        return self._record(
            card, "check", evidence, value=choice, right=right, counts=card.asks_check, measures=measures
        )

    def answer_named(self, card: Card, name: str, evidence: Evidence) -> Recorded:
        """The same by ``answer_id``. Raises ``InputError`` when the plan has lost that answer since."""
        found = (answer for answer in (card.check.answers if card.check else ()) if answer_id(answer) == name)
        choice = next(found, None)
        if choice is None:
            raise InputError(_("This question has changed since. Please answer it on the page of this message."))
        return self.answer_check(card, choice, evidence)

    def heard_enough(self, card: Card, evidence: Evidence, *, whole_campaign: bool = False) -> Recorded:
        return self._record(card, "heard_enough", evidence, whole_campaign=whole_campaign)

    def not_for_me(self, card: Card, evidence: Evidence) -> Recorded:
        return self._record(card, "not_for_me", evidence, whole_campaign=True)

    def undo(self, card: Card, press: str = "") -> bool:
        """Takes back the newest answer to this touch; ``False`` when there is none, it is older than five minutes, or
        it answers a check.

        ``press`` is what Slack calls the press that wanted it.
        """
        if card.latest is None or not card.undoable:
            return False
        self._store.answers.withdraw(card.latest.id, card.now, press)
        return True  # by this or by the same press delivered twice

    def overtaken(self, card: Card, press: str) -> bool:
        """Whether this press is on record already, or was made before the last one that is: it was delivered late."""
        seen = self._store.answers.presses_on(card.key, card.person.id)
        return press in seen or any(_made_before(press, other) for other in seen)

    def _record(self, card: Card, kind: AnswerKind, evidence: Evidence, **said: Unpack[Said]) -> Recorded:
        touch, person = card.touch, card.person.id
        about = (person, touch.campaign, touch.message, touch.key)
        record = self._store.answers.record(
            *about, kind, evidence=evidence.kind, detail=evidence.detail, by=person, now=card.now, **said
        )
        if record.first:
            log.info("answered", campaign=touch.campaign, message=touch.message, key=touch.key, kind=kind)
        return Recorded(touch.key, record.first, record.at)

    # -- questions, and "not now" -----------------------------------------------------------------

    def ask(self, card: Card, text: str, evidence: Evidence, thread: str = "") -> Card:
        """``thread`` is the ``remote_id`` of the message under which the answer is to come.

        No reminder on this message reaches them until the question is answered.
        """
        touch, text = card.touch, _written(text)
        self._store.questions.ask(*_about(card), text, evidence=evidence.kind, thread=thread, now=card.now)
        log.info("asked", campaign=touch.campaign, message=touch.message, key=touch.key)
        return self.card(touch.key, card.now)

    def hear(self, card: Card, text: str, evidence: Evidence, thread: str, stamp: str) -> HeardQuestion:
        """The same of what was typed in a conversation at ``stamp``; words typed soon after belong to it."""
        touch, text, within = card.touch, _written(text), TOGETHER.total_seconds()
        question = self._store.questions.hear(
            *_about(card), text, evidence=evidence.kind, thread=thread, stamp=stamp, within=within, now=card.now
        )
        if not question.known:
            log.info("asked", campaign=touch.campaign, message=touch.message, key=touch.key)
        return question

    def explain(self, card: Card, evidence: Evidence, thread: str = "") -> Card:
        # a question that does not say what was answered
        question = self.text(card).check.question
        about = f" ({question})" if question else ""
        return self.ask(card, f"Please explain it to me{about}", evidence, thread)

    def snooze(self, card: Card) -> Card:
        """Nothing of this message comes before the person's next local day."""
        touch, tomorrow = card.touch, local_date_in(card.zone, card.now) + DAY
        if card.snoozed_until is None:
            self._store.answers.snooze(card.person.id, touch.campaign, touch.message, tomorrow, now=card.now)
        return self.card(touch.key, card.now)

    def answer_question(self, number: int, text: str, by: str, now: dt.datetime) -> QuestionRecord:
        """The lead's answer: it stands on the person's page at once, and a message of its own brings it to them.

        It comes below what they asked where that stands in a conversation. The first answer stays; a later one changes
        nothing. Raises ``InputError`` for an unknown number.
        """
        question = self._store.questions.answer(number, _written(text), by=by, now=now)
        card = self.card(question.key, now)
        if not card.person.left:
            mail = self._reply(card, question, now)
            due = Hours(card.plan, card.person).next_open(now) or now
            add_service_mail(self._store, mail, category="answer", person_id=card.person.id, due_at=due, now=now)
        if question.thread and card.carried_as == "card" and card.touch.remote_id:
            self._store.redraws.want(card.touch.remote_id, card.key, now)  # it says that an answer is to come
        return question

    def _reply(self, card: Card, question: QuestionRecord, now: dt.datetime) -> RenderedMessage:
        # its links lead to the page of the touch the question was about; its own key names its row
        touch, thread = card.touch, question.thread
        message = self._renderer(self._version(touch)).service(
            "answer",
            touch.key,
            card.person,
            self._signers(card.person, card.plan),
            now,
            message=touch.message,
            role=touch.role,
            channel=asked_by(question.evidence) if thread else channel_of(touch.channel),
            question=question.text,
            answer=question.answer,
            others="",
        )
        return replace(message, key=answer_key(question.id), thread=thread)

    # -- the person's own page --------------------------------------------------------------------

    def preferences(self, person_id: str, channel: Wish, quiet: tuple[int, int] | None, now: dt.datetime) -> None:
        """``quiet`` is from and to, in local minutes after midnight."""
        self._store.people.set_preferences(person_id, channel=channel, quiet=quiet, now=now)

    def record_of(self, person_id: str, now: dt.datetime) -> PersonRecord:
        return person_record(self._store, person_id, self._key_points, now)

    def own_page(self, key: str, campaign: str) -> str:
        """The address of "My messages", for the person of this touch."""
        record = self._store.campaigns.get(campaign)
        return self._renderer(record).page_url("mine", key) if record else ""

    def _key_points(self, version: CampaignRecord, person: Person) -> Mapping[str, str]:
        signers, role = self._signers(person, version.plan), role_of(version.plan.audience, person) or ""
        renderer = self._renderer(version)
        return {message.id: key_point(renderer, message, role, person, signers) for message in version.plan.messages}


def answer_key(question: int) -> str:
    """Names the message that brings the answer to this question."""
    return message_key(f"answer to question {question}")


def _about(card: Card) -> tuple[str, str, str, str]:
    return card.person.id, card.touch.campaign, card.touch.message, card.touch.key


def _made_before(press: str, other: str) -> bool:
    # presses of buttons are named by Slack's clock; forms sent off have names without an order
    stamps = [re.fullmatch(r"(\d+)\.(\d+)", name) for name in (press, other)]
    first, second = ((int(found[1]), int(found[2])) if found else None for found in stamps)
    return bool(first and second and first < second)


def _written(text: str) -> str:
    """What a person wrote, fit to keep. Raises ``InputError`` with a sentence for them."""
    text = text.strip()
    if not text:
        raise InputError(_("Please write something first."))
    if len(text) > LONGEST:
        cause = N_("Please say it in {most} characters at most; yours has {given}.")
        raise InputError(_(cause, most=LONGEST, given=len(text)))
    return text
