"""You asked, we did: one reply to all who asked, or put in, nearly the same.

Each of them gets it once, by a letter of its own or below what they asked in Slack. It stands on the page for all of
the audience without a name, and people of the same roles read it at the head of their next touch. With ``to`` it goes
to a whole audience, as a message of its own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from commsengine.answers.inbox import AnswerInbox, UnknownTouchError, answer_key, written
from commsengine.answers.touch_text import given_as_shown
from commsengine.answers.touch_view import Card
from commsengine.cadence.calendar import DAY, Hours
from commsengine.cadence.kinds_and_states import Ending, asked_by, channel_of
from commsengine.cadence.plan import Notice, Plan
from commsengine.content.message import payload_of
from commsengine.content.phrases import day_text, question_text
from commsengine.content.templates import literal
from commsengine.errors import InputError, RenderError
from commsengine.store.dialogue.replies import alike, waits
from commsengine.store.records import Ask, AskId, NewReply, ReplyRecord
from commsengine.store.service_mail import NewMail
from commsengine.store.store import Store
from commsengine.text import cut_short, no_such
from commsengine.translation import N_, _, in_language

NOTICE_OPEN = dt.timedelta(days=14)
"""So long an answer to all still goes to people whom no window, budget or channel has let through before."""

LONGEST_HEADLINE = 140
"""Characters of the answer that head its message, where there are no words for the question."""

EVERYBODY = "all"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said. ``asked`` are the words for the question that all may read; ``day`` is that of a promise.

    ``to`` is a role, or ``all``, whom it reaches besides those who asked. ``public``: it stands on the page for all,
    but for the answer to an objection that is not asked in words of the lead's own.
    """

    text: str
    ending: Ending = "done"
    day: dt.date | None = None
    asked: str = ""
    to: str = ""
    public: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """A reply that is on record: to how many people, which message brings it to others, who gets no letter."""

    number: int
    asks: tuple[AskId, ...]
    people: int
    notice: str = ""
    untold: tuple[str, ...] = ()


class Replying:
    """Safe to share between threads."""

    def __init__(self, store: Store, inbox: AnswerInbox) -> None:
        self._store, self._inbox = store, inbox

    def asks(self, ids: Iterable[AskId]) -> list[Ask]:
        """In their order. Raises ``InputError`` for one that is not on record, or where they are of two campaigns."""
        found = [self._ask(each) for each in dict.fromkeys(ids)]
        if len({ask.campaign for ask in found}) > 1:
            raise InputError(_("These belong to several campaigns."), _("Answer those of one campaign at a time."))
        return found

    def _ask(self, ask: AskId) -> Ask:
        reader = self._store.questions.get if ask.kind == "question" else self._store.answers.input
        record = reader(ask.number)
        if record is None:
            cause = (
                N_("There is no question {number}.") if ask.kind == "question" else N_("There is no input {number}.")
            )
            fix = N_("List them: commsengine questions, and commsengine answers CAMPAIGN")
            raise InputError(_(cause, number=ask), _(fix))
        return record.ask

    def alike(self, asks: Sequence[Ask]) -> list[Ask]:
        """These, and all about the same message that wait for a reply and say nearly the same.

        To what was promised, also all to whom it was promised.
        """
        standing = self._store.replies.standing(asks[0].campaign)
        promised = {standing[ask.id].id for ask in asks if ask.id in standing}
        open_now = [ask for ask in self._all(asks[0].campaign) if waits(ask, standing)]
        same = {
            ask.id for group in alike(open_now) if {ask.id for ask in asks} & {one.id for one in group} for ask in group
        }
        same |= {ask for ask, reply in standing.items() if reply.id in promised}
        wanted = {ask.id: ask for ask in asks}
        return [*asks, *(ask for ask in open_now if ask.id in same and ask.id not in wanted)]

    def _all(self, campaign: str) -> Iterator[Ask]:
        yield from (each.ask for each in self._store.questions.all(open_only=False) if each.campaign == campaign)
        yield from (each.ask for each in self._store.answers.inputs(campaign))

    # -- the reply --------------------------------------------------------------------------------

    def reply(self, asks: Sequence[Ask], said: Wording, *, by: str, now: dt.datetime) -> Given:
        """Raises ``InputError``, and nothing is kept, for what cannot be said, or to whom, or has ended before."""
        standing = self._store.replies.standing(asks[0].campaign)
        cards = {ask.id: card for ask in asks if (card := self._card(ask, now))}
        plan = self._plan(asks[0].campaign)
        said = self._checked(replace(said, text=said.text or _kept(asks, standing, said)), plan, now)
        turn = max(sum(ask.id in each.asks for each in self._store.replies.of_campaign(plan.campaign)) for ask in asks)
        name = f"answer-{asks[0].id}{f'-{turn + 1}' if turn else ''}"
        new = NewReply(
            plan.campaign,
            asks[0].message,
            said.text,
            said.ending,
            said.day,
            said.asked,
            () if said.to else _roles(plan, cards.values()),
            said.public and not (any(ask.objection for ask in asks) and not said.asked),
            name if said.to else "",
        )
        letters, untold = self._letters(asks, cards, new, turn, now)
        written_to = {letter.person_id for letter in letters}
        answered = frozenset(ask.key for ask in asks if ask.person_id in written_to)
        notice = _notice(said, name, answered, now) if said.to else None
        number = self._store.replies.give(asks, new, letters=letters, notice=notice, by=by, now=now)
        for ask in asks:
            self._redraw(ask, cards.get(ask.id), now)
        log.info("replied", campaign=plan.campaign, reply=number, asks=len(asks), ending=said.ending)
        people = len({ask.person_id for ask in asks})
        return Given(number, tuple(ask.id for ask in asks), people, new.notice, untold)

    def _card(self, ask: Ask, now: dt.datetime) -> Card | None:
        try:
            return self._inbox.card(ask.key, now)
        except UnknownTouchError:  # the person was erased
            return None

    def _plan(self, campaign: str) -> Plan:
        record = self._store.campaigns.get(campaign)
        assert record is not None, "people asked about it"  # noqa: S101 - a defect of ours
        return record.plan

    def _checked(self, said: Wording, plan: Plan, now: dt.datetime) -> Wording:
        if said.ending == "later" and said.day is None:
            raise InputError(_("A promise needs its day."), _("Write --by YYYY-MM-DD."))
        if said.ending != "later" and said.day is not None:
            raise InputError(_("A day belongs only to '--as later'."), _("Leave out --by, or write --as later."))
        if said.day is not None and said.day < now.date():
            raise InputError(_("{day} is in the past.", day=said.day), _("Promise a day in the future."))
        if said.to not in ("", EVERYBODY, *plan.audience.roles):
            raise InputError(no_such(N_("role"), said.to, [EVERYBODY, *plan.audience.roles]))
        record = self._store.campaigns.get(plan.campaign)
        if said.to and record and record.state in ("finished", "cancelled"):
            text = N_("{campaign} is {state}: its audience gets no more messages.")
            raise InputError(_(text, campaign=plan.campaign, state=_(record.state)), _("Leave out --to."))
        return replace(said, text=written(said.text), asked=" ".join(said.asked.split()))

    # -- how they hear of it ----------------------------------------------------------------------

    def _letters(
        self, asks: Sequence[Ask], cards: Mapping[AskId, Card], new: NewReply, turn: int, now: dt.datetime
    ) -> tuple[list[NewMail], tuple[str, ...]]:
        # One to each person, however often they asked.
        first = {ask.person_id: ask for ask in reversed(asks) if ask.id in cards}
        letters, untold = [], []
        for ask in first.values():
            card = cards[ask.id]
            if card.person.has_left(now.date()):
                continue
            try:
                letters.append(self._letter(ask, card, new, turn, len(first) > 1, now))
            except RenderError as error:
                log.warning("reply_not_written", campaign=new.campaign, key=ask.key, cause=error.message)
                untold.append(card.person.email)
        return letters, tuple(untold)

    def _letter(self, ask: Ask, card: Card, new: NewReply, turn: int, others: bool, now: dt.datetime) -> NewMail:
        # its links lead to the page of the touch it is about; its own key names its row
        mail = self._inbox.letter(
            card,
            "answer",
            asked_by(ask.evidence) if ask.thread else channel_of(card.touch.channel),
            question="" if ask.objection else self._quoted(ask, card),  # what was noted is for the leads
            answer=new.said,
            others="yes" if others else "",
            given="objection" if ask.objection else ask.id.kind,
            ending=new.ending,
            promised=day_text(new.day, self._inbox.spoken(card)) if new.day else "",
        )
        mail = mail._replace(key=answer_key(ask.id, turn), thread=ask.thread)
        due = Hours(card.plan, card.person).next_open(now) or now
        return NewMail(mail.key, "answer", mail.channel, payload_of(mail), mail.campaign, ask.person_id, due)

    def _quoted(self, ask: Ask, card: Card) -> str:
        # A letter quotes in one line, and an order has one choice a line.
        if ask.id.kind != "input":
            language = self._inbox.spoken(card)
            with in_language(language):
                return question_text(ask.text, card.plan, card.plan.in_language(language))
        shown = given_as_shown(card.message, self._inbox.text(card).choices, ask.text, numbered=True)
        ordered = card.message.input is not None and card.message.input.kind == "rank"
        return ", ".join(shown.splitlines()) if ordered else shown

    def _redraw(self, ask: Ask, card: Card | None, now: dt.datetime) -> None:
        if ask.thread and card and card.carried_as == "card" and card.touch.remote_id:
            self._store.redraws.want(card.touch.remote_id, card.key, now)  # it says that an answer is to come


def _kept(asks: Sequence[Ask], standing: Mapping[AskId, ReplyRecord], said: Wording) -> str:
    # A promise that is kept needs no new words.
    promise = standing.get(asks[0].id)
    return promise.said if promise and said.ending == "done" else ""


def _roles(plan: Plan, cards: Iterable[Card]) -> tuple[str, ...]:
    asked = {card.touch.role for card in cards}
    return tuple(role for role in plan.audience.roles if role in asked)


def _notice(said: Wording, name: str, answered: frozenset[str], now: dt.datetime) -> Notice:
    head, text = said.asked or _headline(said.text), literal(said.text)
    return Notice.model_validate(
        {
            "id": name,
            "to": [] if said.to == EVERYBODY else [said.to],
            "key_point": literal(head),
            "text": "" if head == said.text else text,
            "from": (now - DAY).date(),
            "until": (now + NOTICE_OPEN).date(),
            "cadence": {"every": "24h", "times": 1},
            "ask": "nothing",
            "priority": "high",  # a rumour does not wait
            "because": _("an answer to what people asked"),
            "answers": answered,
        }
    )


def _headline(text: str) -> str:
    sentence = re.split(r"(?<=[.!?])\s", " ".join(text.split()), maxsplit=1)[0]
    return sentence if len(sentence) <= LONGEST_HEADLINE else cut_short(sentence)
