"""The words of a touch for its person: on the page, and on the Slack card after an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from commsengine.answers.touch_view import Card
from commsengine.answers.wording import read_by
from commsengine.cadence.history import PublicReply, Touch
from commsengine.cadence.kinds_and_states import ChannelName, channel_of
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Message, Plan
from commsengine.content.person_values import Signers
from commsengine.content.phrases import EXPLAIN, ending_text, question_text, weekday_text
from commsengine.content.render import Renderer
from commsengine.content.slack_card import answered_card
from commsengine.content.slots import slack_text
from commsengine.content.texts_by_touch import TITLES
from commsengine.errors import RenderError
from commsengine.store.records import NewReply, QuestionRecord
from commsengine.translation import N_, _

Blocks = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class CheckText:
    """The check of the touch, asked by the message or only offered.

    ``answers`` are pairs of what is stored and what is shown, in this person's order. ``told`` and ``because`` are
    shown as soon as it is answered, to this person only; before, they are empty.
    """

    question: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    told: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class ReplyText:
    """What was said to what people asked; ``ending`` says what becomes of it, empty for a plain answer."""

    asked: str
    said: str
    ending: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class CardText:
    """Plain texts; ``title`` is that of the campaign. ``points`` are heading and text of what this touch says, ``more``
    of what other touches say.

    ``question`` and ``choices`` are those of the input that is asked for, ``offered`` the same choices each with what
    is stored of it; ``value`` is what the person wrote or chose. ``readers`` says who reads that. ``adds`` is the line
    of the manager in whose name it goes out. ``opening`` are the replies with which this touch begins, ``replies``
    those to what the person put in; ``asked`` is their question, ``question_ending`` what becomes of it. ``told`` are
    sentences about what they have read that holds no more, ``why_me`` about why they get it and who sees what they
    answer.
    """

    key_point: str
    title: str = ""
    link: str = ""
    question: str = ""
    choices: tuple[str, ...] = ()
    commit: str = ""
    readers: str = ""
    check: CheckText = CheckText()
    offered: tuple[tuple[str, str], ...] = ()
    value: str = ""
    points: tuple[tuple[str, str], ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    adds: str = ""
    opening: tuple[ReplyText, ...] = ()
    replies: tuple[ReplyText, ...] = ()
    asked: str = ""
    question_ending: str = ""
    told: tuple[str, ...] = ()
    for_them: tuple[tuple[str, str], ...] = ()
    why_me: tuple[str, ...] = ()


def reply_text(reply: PublicReply | NewReply, language: str, *, plain: bool = False) -> ReplyText:
    """``plain``: that an answer is an answer needs no word."""
    ending = "" if plain and reply.ending == "done" else ending_text(reply.ending, reply.day, language)
    return ReplyText(reply.asked, reply.said, ending)


def card_text(renderer: Renderer, card: Card, signers: Signers) -> CardText:
    # a text that cannot be rendered for this person (a column is gone) leaves all as the author wrote it
    touch, readers = card.touch, read_by(signers.lead.first_name, len(card.plan.owner))
    why_me = renderer.why_me(_still_to_come(card), card.person, signers)
    try:
        about = (card.message.id, touch.role, touch.number, card.person, signers)
        shown = renderer.page(*about, card.unclear, touch.asks, touch.corrects)
    except RenderError:
        return replace(_as_written(card), readers=readers, why_me=why_me, **_around(renderer, card))
    points, choices = dict(shown["points"]), tuple(shown["choices"])
    check = _check(card, **shown["check"])
    return CardText(
        key_point=shown["key_point"],
        **_around(renderer, card),
        question=shown.get("question", ""),
        choices=choices,
        commit=shown.get("commit", ""),
        readers=readers,
        check=check,
        offered=tuple(zip(card.message.input.choices, choices, strict=False)) if card.message.input else (),
        value=_chosen(card, check, choices),
        adds=_line(signers, shown["adds"]),
        points=_under_titles({side: points[side] for side in shown["said"]}),
        more=_under_titles({side: text for side, text in points.items() if side not in shown["said"]}),
        told=(*_what_holds_now(renderer, card, signers), *shown["told"]),
        for_them=_for_their_people(renderer, card, signers),
        why_me=why_me,
    )


def _around(renderer: Renderer, card: Card) -> dict[str, Any]:
    title, link = renderer.words.title, renderer.words.message(card.message.id).link
    asked = question_text(card.question.text, renderer.plan, renderer.words) if card.question else ""
    return {"title": title, "link": link, "asked": asked}


def _for_their_people(renderer: Renderer, card: Card, signers: Signers) -> tuple[tuple[str, str], ...]:
    briefing = card.briefing
    if briefing is None or briefing.only or briefing.role == card.touch.role:
        return ()  # what they see is what stands on the page
    seen = renderer.page(card.message.id, briefing.role, 1, card.person, signers)
    points = dict(seen["points"])
    return _under_titles({side: points[side] for side in seen["said"]})


def _under_titles(points: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((_(TITLES.get(side, "")), text) for side, text in points.items() if text)


def holding_now(plan: Plan, message: str) -> tuple[str, ...]:
    """The message and, where it was wrong, the one that puts it right."""
    corrected, right = plan.corrected, message
    while right in corrected:
        right = corrected[right]
    return (message,) if right == message else (message, right)


def _what_holds_now(renderer: Renderer, card: Card, signers: Signers) -> Iterator[str]:
    # a mail with what was wrong stays in inboxes, and its link leads here
    for right in holding_now(card.plan, card.message.id)[1:]:
        now = key_point(renderer, card.plan.message(right), card.touch.role, card.person, signers)
        yield _("This is no longer true. Now: {key_point}", key_point=now)


def _line(signers: Signers, line: str) -> str:
    return _("{name} adds: {line}", name=signers.manager.first_name, line=line) if signers.manager and line else ""


def _check(
    card: Card, question: str = "", answers: Sequence[str] = (), right: str = "", because: str = ""
) -> CheckText:
    shown_now = (_verdict(card, right), because) if card.checked else ("", "")
    pairs = list(zip(card.check.answers, answers, strict=True)) if card.check and answers else []
    return CheckText(question, tuple(pairs[place] for place in card.choices) if pairs else (), *shown_now)


def _as_written(card: Card) -> CardText:
    message, asked, check = card.message, card.message.input, card.check
    return CardText(
        message.key_point,
        question=asked.question if asked else "",
        choices=asked.choices if asked else (),
        commit=message.commit.text if message.commit else "",
        check=_check(card, check.question, check.answers, check.right, check.because) if check else CheckText(),
        offered=tuple((choice, choice) for choice in asked.choices) if asked else (),
        value=card.value,
    )


def _chosen(card: Card, check: CheckText, choices: Sequence[str]) -> str:
    if card.latest and card.latest.kind == "check":
        return dict(check.answers).get(card.value, card.value)
    return given_as_shown(card.message, choices, card.value, numbered=True)


def given_as_shown(message: Message, choices: Sequence[str], given: str, *, numbered: bool = False) -> str:
    """What was chosen, in the words that people read of it: ``choices``, in the order of the plan."""
    asked = message.input
    shown = dict(zip(asked.choices, choices, strict=False)) if asked else {}
    if asked is None or asked.kind != "rank":
        return shown.get(given, given)
    lines = [shown.get(line, line) for line in given.splitlines()]
    return "\n".join(f"{place}. {line}" if numbered else line for place, line in enumerate(lines, 1))


def key_point(renderer: Renderer, message: Message, role: str, person: Person, signers: Signers) -> str:
    try:
        return str(renderer.page(message.id, role, 1, person, signers)["key_point"])
    except RenderError:
        return message.key_point


def drawn(
    renderer: Renderer,
    card: Card,
    channel: ChannelName,
    signers: Signers,
    check: CheckText,
    replies: tuple[PublicReply, ...] = (),
) -> tuple[str, Blocks]:
    """The Slack card as things stand: notification text and blocks. The buttons make way for an answer."""
    message = renderer.touch(touch_of(card, channel), card.person, signers, replies, answered=card.answered)
    if card.answered:
        answered = f"{card.last_answer}{_explained(check)}"
        blocks = answered_card(message.blocks, answered, card.key, undo=card.undoable, open_ask=card.own_ask)
        return card.last_answer, [*blocks, *_offer(card)]
    notes = [_note(text) for text in (_asked(card), _snoozed(card)) if text]
    return slack_text(message.subject), [*message.blocks, *notes]


def _explained(check: CheckText) -> str:
    # in the person's own conversation, where no other person reads it
    if not check.because:
        return ""
    return f"\n{check.told} {check.because}"


def _verdict(card: Card, right: str) -> str:
    if card.right:
        return _("That is right.")
    return _(N_("Not quite. The answer is: {right}.") if card.judged else N_("The answer is: {right}."), right=right)


def _offer(card: Card) -> Blocks:
    # after a right answer too, so that to ask does not tell which it was
    if card.checked is None or card.question:
        return []
    text = {"type": "plain_text", "text": _(EXPLAIN)}
    return [
        {"type": "actions", "elements": [{"type": "button", "action_id": "explain", "text": text, "value": card.key}]}
    ]


def _asked(card: Card) -> str:
    question = card.question
    if question is None:
        return ""
    if question.objection:
        return _objected(card, question)
    if question.answered_at:
        return _("Your question of {at} is answered: {answer}", at=card.at(question.asked_at), answer=question.answer)
    text = N_("You asked {at}. You get the answer here. Until then we do not send this message again.")
    return _(text, at=card.at(question.asked_at))


def _objected(card: Card, question: QuestionRecord) -> str:
    if question.answered_at:
        return _("Your objection of {at} is answered: {answer}", at=card.at(question.asked_at), answer=question.answer)
    text = N_("You objected {at}. You get the answer here. Until then we do not send this message again.")
    return _(text, at=card.at(question.asked_at))


def _snoozed(card: Card) -> str:
    return (
        _("You get this message again on {day} at the earliest.", day=weekday_text(card.snoozed_until))
        if card.snoozed_until
        else ""
    )


def _note(text: str) -> Mapping[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": slack_text(text)[:2900], "verbatim": True}]}


def _still_to_come(card: Card) -> Touch:
    """The touch without a next time that is past, or that an answer may have put off."""
    touch = touch_of(card, channel_of(card.touch.channel))
    over = touch.again_at is None or touch.again_at <= card.now or card.answered or card.enough
    return replace(touch, again_at=None) if over else touch


def touch_of(card: Card, channel: ChannelName) -> Touch:
    row = card.touch
    about = (row.campaign, row.message, card.person.id, row.role, row.rung or 0, row.kind, channel)
    when = (row.local_date or card.now.date(), row.due_at, row.not_after or row.due_at)
    touch = Touch(*about, *when, row.number, row.again_at, unclear=card.unclear, briefing=card.briefing)
    return replace(touch, corrects=row.corrects, asks=row.asks)
