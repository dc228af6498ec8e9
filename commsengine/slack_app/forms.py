"""The small forms in Slack: a question, and the input or commitment that a message asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from commsengine.answers.touch_text import CardText
from commsengine.answers.touch_view import Card
from commsengine.translation import _

ENTRY = "entry"
"""The one block of a form that is filled in."""


def question_form() -> dict[str, Any]:
    label = _("It goes to the people who lead this campaign; the answer comes to you.")
    return _form("question", _("I have a question"), _("Send"), label, _text_field())


def answer_form(card: Card, text: CardText) -> dict[str, Any]:
    if card.ask == "input":
        field = _choice(text.choices) if text.choices else _text_field()
        return _form("answer", _("What do you say?"), _("Send"), text.question, field, hint=text.readers)
    promise = text.commit or _("What will you do?")
    return _form("answer", _("Will you?"), _("I will"), promise, _text_field(), optional=True, hint=text.readers)


def not_yet_form() -> dict[str, Any]:
    label = _("What is in the way? It goes to the people who lead this campaign.")
    return _form("not_kept", _("Not yet"), _("Send"), label, _text_field(), optional=True)


def _form(
    name: str, title: str, send: str, label: str, field: Mapping[str, Any], *, optional: bool = False, hint: str = ""
) -> dict[str, Any]:
    entry = {"type": "input", "block_id": ENTRY, "label": _plain(label, 2000), "element": field, "optional": optional}
    entry |= {"hint": _plain(hint, 2000)} if hint else {}
    return {
        "type": "modal",
        "callback_id": name,
        "title": _plain(title, 24),
        "submit": _plain(send, 24),
        "close": _plain(_("Cancel"), 24),
        "blocks": [entry],
    }


def _text_field() -> Mapping[str, Any]:
    return {"type": "plain_text_input", "action_id": ENTRY, "multiline": True, "max_length": 3000}


def _choice(choices: Sequence[str]) -> Mapping[str, Any]:
    options = [{"text": _plain(choice, 75), "value": str(number)} for number, choice in enumerate(choices)]
    return {"type": "radio_buttons", "action_id": ENTRY, "options": options}


def _plain(text: str, limit: int) -> Mapping[str, Any]:
    return {"type": "plain_text", "text": text if len(text) <= limit else text[: limit - 1] + "…", "emoji": False}


def entered(entry: Mapping[str, Any], card: Card) -> str:
    # A form knows choices by their place, for Slack cuts long ones.
    picked = entry.get("selected_option")
    if not picked:
        return entry.get("value") or ""
    choices, number = card.message.input.choices if card.message.input else (), int(picked["value"])
    return choices[number] if number < len(choices) else ""
