"""The words of a touch for its person: on the page, and on the Slack card after an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commsengine.cadence.history import Touch
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Message
from commsengine.content.angles import angles
from commsengine.content.card import answered_card
from commsengine.content.render import Cast, Renderer
from commsengine.content.slots import slack_text
from commsengine.engine.cards import Card
from commsengine.errors import RenderError

HEADINGS = {
    "text": "",
    "why": "Why",
    "your_job": "What changes for you",
    "skills": "What you will learn",
    "measures": "How we will see that it works",
    "results": "What we expect from it",
}

Blocks = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class CardText:
    """Plain texts. ``points`` are heading and text of what this touch says, ``more`` of what other touches say."""

    key_point: str
    question: str = ""
    choices: tuple[str, ...] = ()
    commit: str = ""
    points: tuple[tuple[str, str], ...] = ()
    more: tuple[tuple[str, str], ...] = ()


def card_text(renderer: Renderer, card: Card, cast: Cast) -> CardText:
    """A text that cannot be rendered for this person (a column is gone) leaves the key point as its author wrote it."""
    touch = card.touch
    try:
        shown = renderer.page(card.message.id, touch.role, touch.number, card.person, cast)
    except RenderError:
        return CardText(card.message.key_point)
    told = {angle: text for angle, text in (("text", shown.get("text", "")), *shown["points"]) if text}
    now = angles(told, touch.number)
    return CardText(
        key_point=shown["key_point"],
        question=shown.get("question", ""),
        choices=tuple(shown["choices"]),
        commit=shown.get("commit", ""),
        points=tuple((HEADINGS[angle], told[angle]) for angle in now),
        more=tuple((HEADINGS[angle], text) for angle, text in told.items() if angle not in now),
    )


def key_point(renderer: Renderer, message: Message, role: str, person: Person, cast: Cast) -> str:
    """A message in one sentence, for this person."""
    try:
        return str(renderer.page(message.id, role, 1, person, cast)["key_point"])
    except RenderError:
        return message.key_point


def drawn(renderer: Renderer, card: Card, cast: Cast) -> tuple[str, Blocks]:
    """The Slack card as things stand: notification text and blocks. The buttons make way for an answer."""
    message = renderer.touch(_touch_of(card), card.person, cast)
    if card.answered:
        blocks = answered_card(message.blocks, f"{card.said}{_explained(card)}", card.key, undo=card.undoable)
        return card.said, [*blocks, *_offer(card)]
    notes = [_note(text) for text in (_asked(card), _snoozed(card)) if text]
    return slack_text(message.subject), [*message.blocks, *notes]


def _explained(card: Card) -> str:
    """Right or not quite, and why: in the person's own conversation, where nobody else reads it."""
    if card.check is None or not card.explanation:
        return ""
    verdict = "That is right." if card.right else f"Not quite: {card.check.right}."
    return f"\n{verdict} {card.explanation}"


def _offer(card: Card) -> Blocks:
    """After a wrong answer: a press that asks for an explanation."""
    if not card.explanation or card.right or card.question:
        return []
    text = {"type": "plain_text", "text": "Please explain it to me"}
    return [
        {"type": "actions", "elements": [{"type": "button", "action_id": "explain", "text": text, "value": card.key}]}
    ]


def _asked(card: Card) -> str:
    question = card.question
    if question is None:
        return ""
    if question.answered_at:
        return f"Your question of {card.at(question.asked_at)} is answered: {question.answer}"
    return f"You asked {card.at(question.asked_at)}. The answer comes to you; until then nothing of this message does."


def _snoozed(card: Card) -> str:
    return f"Nothing more of this before {card.snoozed_until:%A}." if card.snoozed_until else ""


def _note(text: str) -> Mapping[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": slack_text(text)[:2900], "verbatim": True}]}


def _touch_of(card: Card) -> Touch:
    """The touch as it was decided, from its record."""
    record = card.touch
    local_date = record.local_date or card.now.date()
    return Touch(
        record.campaign, record.message, card.person.id, record.role, record.rung or 0, record.kind, "slack",
        local_date, record.due_at, record.not_after or record.due_at, record.number, record.again_at,
    )  # fmt: skip
