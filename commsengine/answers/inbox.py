"""The answer inbox: the one place where the answers of people are recorded, by page, by Slack or in a rehearsal.

Each answer is a fact with its evidence and who gave it; recording one twice changes nothing and says when it was
recorded. Writing a fact makes that person due at once (the store does that).
What a call returns is committed: only then may a caller show "recorded".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypedDict, Unpack

import structlog

from commsengine.answers.heard import Heard, heard
from commsengine.answers.my_messages import PersonRecord, PlanWords, person_record, refuse_wish
from commsengine.answers.touch_text import (
    Blocks,
    CardText,
    card_text,
    drawn,
    holding_now,
    key_point,
    reply_text,
    touch_of,
)
from commsengine.answers.touch_view import Card
from commsengine.cadence.audience import briefing_of, role_of
from commsengine.cadence.calendar import DAY, Hours, local_date_in, zone_of
from commsengine.cadence.check_questions import answer_id, unclear_turn
from commsengine.cadence.dialogue import opening
from commsengine.cadence.history import Briefing, Campaign, PublicReply
from commsengine.cadence.kinds_and_states import (
    CHANNELS,
    ENOUGH,
    GOT_IT,
    AnswerKind,
    ChannelName,
    CheckKind,
    EvidenceKind,
    RecallMode,
    Wish,
    channel_of,
)
from commsengine.cadence.people import ANYBODY, Person
from commsengine.cadence.plan import Message, Plan
from commsengine.content.message import RenderedMessage
from commsengine.content.person_values import Signers
from commsengine.content.phrases import EXPLAIN
from commsengine.content.render import Renderer, RendererFor, spoken_by
from commsengine.engine.directory import SignerLookup, campaigns_of
from commsengine.errors import CommsError, InputError
from commsengine.store.records import AskId, CampaignRecord, HeardQuestion, TouchRecord
from commsengine.store.store import Store
from commsengine.text import message_key
from commsengine.translation import ENGLISH, N_, _, in_language, language_in_use

SUSPECT = "suspect"
"""In the detail of evidence: why it may be a machine's."""

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

    @property
    def suspect(self) -> bool:
        """Whether it came without the page that it belongs to."""
        return SUSPECT in self.detail


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of an answer to the touch ``key``: ``first`` is false when it was on record already.

    One that came without its page does not count: a machine may have pressed the button.
    """

    key: str
    first: bool
    at: dt.datetime
    counts: bool = True


class Said(TypedDict, total=False):
    """What an answer says beside its kind, as the store records it."""

    value: str
    right: bool | None
    whole_campaign: bool
    counts: bool
    measures: CheckKind


class AnswerInbox:
    """Safe to share between threads. What people say, they say on a ``card``, at the time as of which it was read.

    ``renderer`` makes the renderer of a plan version; ``carriers`` are the channels that are set up. With ``recall``
    off, no answer to a check is kept as right or wrong.
    """

    def __init__(
        self,
        store: Store,
        renderer: RendererFor,
        carriers: Collection[ChannelName] = tuple(CHANNELS),
        recall: RecallMode = "role",
    ) -> None:
        self._store, self._make_renderer, self._carriers, self._recall = store, renderer, carriers, recall
        self._renderers: dict[tuple[str, int], Renderer] = {}

    # -- how things stand -------------------------------------------------------------------------

    def card(self, key: str, now: dt.datetime) -> Card:
        """The touch and every answer of its person about it. Raises ``UnknownTouchError``."""
        found = self._store.answers.about(key)
        if found is None:
            raise UnknownTouchError(_("This message is not on record."), _("Open your newest message."))
        version = self._version(found.touch)
        zone, message = zone_of(found.person, version.plan).key, version.plan.message(found.touch.message)
        briefing = self._briefing(version, message, found.person, now) if found.touch.kind == "briefing" else None
        message = message.as_briefing if briefing is not None and briefing.only else message
        return Card(
            found.person,
            version,
            message,
            found.touch,
            zone,
            now,
            answers=tuple(answer for answer in found.answers if answer.key == key or answer.whole_campaign),
            before=tuple(answer for answer in found.answers if answer.key != key and not answer.whole_campaign),
            question=found.question,
            snoozed_until=next((day for day in found.snoozed_until if day > local_date_in(zone, now)), None),
            unclear=unclear_turn(message, found.touch.due_at, found.answers, found.rows),
            briefing=briefing,
        )

    def _briefing(
        self, version: CampaignRecord, message: Message, manager: Person, now: dt.datetime
    ) -> Briefing | None:
        campaign = Campaign(
            version.plan, version.started_at or now, introduced=version.introduced, opened=version.opened
        )
        loaded = self._store.loading.histories([manager.id], reports=True)
        reports = loaded[manager.id].history.reports if manager.id in loaded else ()
        own = role_of(version.plan, manager)
        return briefing_of(campaign, message, own, Hours(version.plan, manager), reports)

    def spoken(self, card: Card) -> str:
        """The language of everything that its person reads about this touch."""
        return self._writer(card).written_in

    def _writer(self, card: Card, version: CampaignRecord | None = None) -> Renderer:
        roles = (card.touch.role, *([card.briefing.role] if card.briefing else []))
        renderer = self._renderer(version or card.record)
        known = {message.id for message in renderer.plan.messages}
        shown = [name for name in holding_now(card.plan, card.message.id) if name in known]
        return renderer.in_language(renderer.language_about(shown, roles, card.person))

    def text(self, card: Card) -> CardText:
        return self._text(card, self._writer(card))

    def _text(self, card: Card, writer: Renderer) -> CardText:
        language = writer.written_in
        with in_language(language):
            text = card_text(writer, card, self._signers(card.person, card.plan, card.now))
            opening = tuple(
                replace(reply_text(each, language, plain=True), about=writer.about(each))
                for each in self._opening(card)
            )
            return replace(text, opening=opening, **self._replied(card, language))

    def _replied(self, card: Card, language: str) -> dict[str, Any]:
        mine = dict(self._store.replies.to_person(card.person.id))
        inputs = (mine.get(AskId("input", answer.id)) for answer in (*card.before, *card.answers))
        asked = mine.get(card.question.ask.id) if card.question else None
        return {
            "replies": tuple(reply_text(each, language) for each in inputs if each),
            "question_ending": reply_text(asked, language, plain=True).ending if asked else "",
        }

    def _opening(self, card: Card) -> tuple[PublicReply, ...]:
        replies = self._store.replies.read_by_all(card.touch.campaign)
        if not replies:
            return ()
        rows = [each.row for each in self._store.touches.of_person(card.person.id) if each.local_date]
        return opening(replies, touch_of(card, channel_of(card.touch.channel)), rows)

    def dates(self, signed: str) -> tuple[CampaignRecord, Renderer] | None:
        """The campaign that a link to its calendar names, as it stands, and who writes it in the link's language."""
        campaign, _blank, language = signed.partition(" ")
        record = self._store.campaigns.get(campaign)
        if record is None:
            return None
        renderer = self._renderer(record)
        spoken = renderer.language_of_dates(replace(ANYBODY, language=language))
        return record, renderer.in_language(spoken)

    def calendar(self, card: Card) -> str:
        """The address of the calendar of the campaign's milestones; empty where it has none."""
        return self._writer(card).calendar_url()

    def lead(self, card: Card) -> Person:
        return self._signers(card.person, card.plan, card.now).lead

    def title(self, person: Person, record: CampaignRecord) -> str:
        """That of the campaign, in the language in which this person reads its name."""
        renderer = self._renderer(record)
        return renderer.in_language(renderer.language(person)).words.title

    def language(self, person: Person, campaign: str) -> str:
        record = self._store.campaigns.get(campaign)
        return self._renderer(record).language(person) if record else ENGLISH

    def language_of_all(self, person: Person, campaign: str) -> str:
        record = self._store.campaigns.get(campaign)
        return self._renderer(record).language_of_all(person) if record else ENGLISH

    def language_of_pages(self, person: Person, campaign: str = "") -> str:
        """That of a page about several campaigns: the person's if one of theirs speaks it; this one is asked first."""
        named = self._store.campaigns.get(campaign) if campaign else None
        known = campaigns_of(self._store, person) if person != ANYBODY else []
        records = [*([named] if named else []), *known, *reversed(self._store.campaigns.all())]
        return spoken_by(person, [self._renderer(record) for record in records])

    def drawn(self, card: Card, channel: ChannelName) -> tuple[str, Blocks]:
        sent = self._store.campaigns.version(card.touch.campaign, card.touch.version)
        writer = self._writer(card, sent)
        with in_language(writer.written_in):
            newest = self._renderer(card.record).in_language(writer.written_in)
            signers, check = self._signers(card.person, card.plan, card.now), self._text(card, newest).check
            return drawn(writer, card, channel, signers, check, self._opening(card))

    def _version(self, touch: TouchRecord) -> CampaignRecord:
        # the plan as it stands, or as it stood when the touch was made if it has lost the message since
        newest = self._store.campaigns.get(touch.campaign)
        if newest and any(message.id == touch.message for message in newest.plan.messages):
            return newest
        found = self._store.campaigns.version(touch.campaign, touch.version)
        assert found is not None, "a touch names the version it was made of"  # noqa: S101 - a defect of ours
        return found

    def _renderer(self, version: CampaignRecord) -> Renderer:
        kept = self._renderers.get((version.id, version.version))
        if kept is None or kept.plan is not version.plan:  # a notice has come to it
            kept = self._make_renderer(version.plan, version.templates)
            self._renderers[version.id, version.version] = kept
        return kept

    def _signers(self, person: Person, plan: Plan, now: dt.datetime) -> Signers:
        appearing = (plan.owner[0], plan.sponsor_email, person.manager)
        return SignerLookup(self._store, appearing).of(person, plan, now.date())

    # -- answers ----------------------------------------------------------------------------------

    def got_it(self, card: Card, evidence: Evidence) -> Recorded:
        """Raises ``InputError`` where the message asks whether they will do something: that is no answer to it."""
        if card.ask in ("commit", "kept"):
            raise InputError(_('This message asks you for an answer, so "Got it" is not enough.'))
        return self._record(card, "acknowledged", evidence)

    def give_input(self, card: Card, value: str, evidence: Evidence) -> Recorded:
        """Raises ``InputError`` if the answer is empty, too long or does not fit the choices.

        An order has all choices, one a line, the first on top.
        """
        asked = card.message.input
        if card.ask != "input" or asked is None:
            raise InputError(_("This message does not ask for an answer in words."))
        value = written(value)
        if asked.kind == "choice" and value not in asked.choices:
            raise InputError(_("Please choose one of the answers."))
        if asked.kind == "rank" and sorted(value.splitlines()) != sorted(asked.choices):
            raise InputError(_("Please give each of them a different place."))
        return self._record(card, "input", evidence, value=value)

    def commit(self, card: Card, text: str, evidence: Evidence) -> Recorded:
        """Raises ``InputError`` where the message asks for no commitment, or the text is too long."""
        if card.ask != "commit":
            raise InputError(_("This message does not ask you to commit to something."))
        return self._record(card, "commit", evidence, value=written(text) if text.strip() else "")

    def keep(self, card: Card, text: str, evidence: Evidence, *, kept: bool) -> Recorded:
        """What became of what they said they will do. Raises ``InputError`` if they never said so."""
        if card.promise is None and not any(answer.kind == "kept" for answer in (*card.answers, *card.before)):
            raise InputError(_("You have not said yet that you will do this."))
        value = written(text) if text.strip() else ""
        return self._record(card, "kept" if kept else "not_kept", evidence, value=value)

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
            raise InputError(_("This question has changed. Please answer it on the page of this message."))
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
        if kind not in ENOUGH:  # to hear no more of it harms no one
            self._refuse_if_over(card)
        touch, person = card.touch, card.person.id
        about = (person, touch.campaign, touch.message, touch.key)
        if evidence.suspect and kind in GOT_IT:
            value = "" if kind == "check" else said.get("value", "")
            self._store.answers.doubt(*about, kind, value=value, detail=evidence.detail, now=card.now)
            return Recorded(touch.key, True, card.now, counts=False)
        record = self._store.answers.record(
            *about, kind, evidence=evidence.kind, detail=evidence.detail, by=person, now=card.now, **said
        )
        if record.first:
            self._note("answered", campaign=touch.campaign, message=touch.message, key=touch.key, kind=kind)
        return Recorded(touch.key, record.first, record.at)

    def _note(self, event: str, **about: str) -> None:
        log.info(event, **about)

    def _refuse_if_over(self, card: Card) -> None:
        if card.over:
            text = N_('"{title}" has ended, so nothing was recorded. If you want to say something, write to {email}.')
            title = self._writer(card).words.title
            raise InputError(_(text, title=title, email=self.lead(card).email))

    # -- questions, and "not now" -----------------------------------------------------------------

    def ask(self, card: Card, text: str, evidence: Evidence, thread: str = "") -> Card:
        """``thread`` is the ``remote_id`` of the message under which the answer is to come.

        No reminder on this message reaches them until the question is answered. Raises ``InputError`` where it is empty
        or too long, or the campaign was cancelled.
        """
        self._refuse_if_over(card)
        touch, text = card.touch, written(text)
        self._store.questions.ask(*_about(card), text, evidence=evidence.kind, thread=thread, now=card.now)
        self._note("asked", campaign=touch.campaign, message=touch.message, key=touch.key)
        return self.card(touch.key, card.now)

    def hear(self, card: Card, text: str, evidence: Evidence, thread: str, stamp: str) -> HeardQuestion:
        """The same of what was typed in a conversation at ``stamp``; words typed soon after belong to it."""
        self._refuse_if_over(card)
        touch, text, within = card.touch, written(text), TOGETHER.total_seconds()
        question = self._store.questions.hear(
            *_about(card), text, evidence=evidence.kind, thread=thread, stamp=stamp, within=within, now=card.now
        )
        if not question.known:
            self._note("asked", campaign=touch.campaign, message=touch.message, key=touch.key)
        return question

    def explain(self, card: Card, evidence: Evidence, thread: str = "") -> Card:
        # a question that does not say what was answered; the people who lead it read it, in the plan's language
        renderer = self._renderer(card.record)
        writer = renderer.in_language(renderer.language(ANYBODY))
        question = self._text(card, writer).check.question
        about = f" ({question})" if question else ""
        return self.ask(card, f"{EXPLAIN}{about}", evidence, thread)

    def snooze(self, card: Card) -> Card:
        """Nothing of this message comes before the person's next local day."""
        self._refuse_if_over(card)
        touch, tomorrow = card.touch, local_date_in(card.zone, card.now) + DAY
        if card.snoozed_until is None:
            self._store.answers.snooze(card.person.id, touch.campaign, touch.message, tomorrow, now=card.now)
        return self.card(touch.key, card.now)

    def letter(self, card: Card, template: str, channel: ChannelName, **fields: Any) -> RenderedMessage:
        """Mail about a touch that is no touch; its links lead to the touch's page. Raises ``RenderError``."""
        touch, writer = card.touch, self._writer(card)
        return writer.service(
            template,
            touch.key,
            card.person,
            self._signers(card.person, card.plan, card.now),
            card.now,
            message=touch.message,
            role=touch.role,
            channel=channel,
            **fields,
        )

    # -- the person's own page --------------------------------------------------------------------

    def preferences(self, person_id: str, channel: Wish, quiet: tuple[int, int] | None, now: dt.datetime) -> None:
        """``quiet`` is from and to, in local minutes after midnight. Raises ``InputError`` where it cannot be met."""
        person = self._store.people.by_id(person_id)
        if person is not None:
            theirs = [record.plan for record in campaigns_of(self._store, person)]
            refuse_wish(theirs, self._carriers, channel, quiet)
        self._store.people.set_preferences(person_id, channel=channel, quiet=quiet, now=now)

    def record_of(self, person_id: str, now: dt.datetime) -> PersonRecord:
        person = self._store.people.by_id(person_id)
        with in_language(self.language_of_pages(person) if person else language_in_use()):
            return person_record(self._store, person_id, partial(self._words, now=now), now, self._carriers)

    def _words(self, record: CampaignRecord, person: Person, now: dt.datetime) -> PlanWords:
        renderer = self._renderer(record)
        return PlanWords(renderer.in_language(renderer.language(person)).words, self._key_points(renderer, person, now))

    def heard_page(self, card: Card) -> str:
        """The address of what was heard and done in the campaign of this touch."""
        return self._renderer(card.record).page_url("heard", card.key, card.person)

    def heard(self, card: Card) -> tuple[Heard, ...]:
        """What all of the audience may read of what was asked and put in, the newest first."""
        writer = self._writer(card)
        with in_language(writer.written_in):
            return heard(self._store, card, self._key_points(writer, card.person, card.now), writer.written_in)

    def own_page(self, person: Person, key: str, campaign: str) -> str:
        """The address of the way to "My messages", for the person of this touch."""
        record = self._store.campaigns.get(campaign)
        return self._renderer(record).page_url("mine", key, person) if record else ""

    def _key_points(self, renderer: Renderer, person: Person, now: dt.datetime) -> Mapping[str, str]:
        plan = renderer.plan
        signers, role = self._signers(person, plan, now), role_of(plan, person) or ""
        return {message.id: key_point(renderer, message, role, person, signers) for message in plan.messages}


def answer_key(ask: AskId, turn: int = 0) -> str:
    """Names the message that brings the reply to this; ``turn`` counts the replies before it."""
    return message_key(f"answer to {ask.kind} {ask.number}", *([str(turn)] if turn else []))


def _about(card: Card) -> tuple[str, str, str, str]:
    return card.person.id, card.touch.campaign, card.touch.message, card.touch.key


def _made_before(press: str, other: str) -> bool:
    # presses of buttons are named by Slack's clock; forms sent off have names without an order
    stamps = [re.fullmatch(r"(\d+)\.(\d+)", name) for name in (press, other)]
    first, second = ((int(found[1]), int(found[2])) if found else None for found in stamps)
    return bool(first and second and first < second)


def written(text: str) -> str:
    """What a person wrote, fit to keep. Raises ``InputError`` with a sentence for them."""
    text = text.strip()
    if not text:
        raise InputError(_("Please write something first."))
    if len(text) > LONGEST:
        cause = N_("Please write at most {most} characters; you wrote {given}.")
        raise InputError(_(cause, most=LONGEST, given=len(text)))
    return text
