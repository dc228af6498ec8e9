"""The small forms in Slack: a question, and the input or commitment that a message asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from commsengine.answers.touch_text import CardText
from commsengine.answers.touch_view import Card
from commsengine.cadence.kinds_and_states import InputKind
from commsengine.translation import _

ENTRY = "entry"
"""The block of a form that is filled in; of an order of choices, the first."""

OTHER = "other"
"""The block for what is none of the choices, and the choice that says so."""


def question_form() -> dict[str, Any]:
    label = _("The people who lead this campaign read your question, and you get the answer.")
    return _form("question", _("I have a question"), _("Send"), [_entry(ENTRY, label, _text_field())])


def answer_form(card: Card, text: CardText) -> dict[str, Any]:
    if card.ask == "input":
        kind = card.message.input.kind if card.message.input else "text"
        fields = _fields(kind, text.question, text.choices)
        return _form("answer", _("What do you say?"), _("Send"), fields, text.readers)
    promise = _entry(ENTRY, text.commit or _("What will you do?"), _text_field(), optional=True)
    return _form("answer", _("Will you?"), _("I will"), [promise], text.readers)


def _fields(kind: InputKind, question: str, choices: Sequence[str]) -> list[dict[str, Any]]:
    match kind:
        case "choice":
            return [_entry(ENTRY, question, _choice("radio_buttons", choices))]
        case "meeting":
            times = _choice("radio_buttons", choices, (OTHER, _("Another time")))
            another = _("Which other time suits you?")
            return [_entry(ENTRY, question, times), _entry(OTHER, another, _text_field(), optional=True)]
        case "rank":
            order = _("Give each a place: 1 is the most important to you.")
            places = [_("Place {number}", number=number) for number in range(1, len(choices) + 1)]
            lists = [_entry(_block(n), place, _choice("static_select", choices)) for n, place in enumerate(places)]
            return [{"type": "section", "text": _plain(f"{question}\n{order}", 3000)}, *lists]
        case _:
            return [_entry(ENTRY, question, _text_field())]


def _block(place: int) -> str:
    return ENTRY if place == 0 else f"{ENTRY}-{place}"


def not_yet_form() -> dict[str, Any]:
    label = _("What is in the way? The people who lead this campaign read your answer.")
    return _form("not_kept", _("Not yet"), _("Send"), [_entry(ENTRY, label, _text_field(), optional=True)])


def _form(name: str, title: str, send: str, fields: Sequence[Mapping[str, Any]], hint: str = "") -> dict[str, Any]:
    last = {**fields[-1], "hint": _plain(hint, 2000)} if hint else fields[-1]
    return {
        "type": "modal",
        "callback_id": name,
        "title": _plain(title, 24),
        "submit": _plain(send, 24),
        "close": _plain(_("Cancel"), 24),
        "blocks": [*fields[:-1], last],
    }


def _entry(block: str, label: str, element: Mapping[str, Any], *, optional: bool = False) -> dict[str, Any]:
    named = {"label": _plain(label, 2000), "element": {**element, "action_id": ENTRY}}
    return {"type": "input", "block_id": block, **named, "optional": optional}


def _text_field() -> Mapping[str, Any]:
    return {"type": "plain_text_input", "multiline": True, "max_length": 3000}


def _choice(element: str, choices: Sequence[str], *more: tuple[str, str]) -> Mapping[str, Any]:
    numbered = [(str(number), choice) for number, choice in enumerate(choices)]
    options = [{"text": _plain(choice, 75), "value": value} for value, choice in (*numbered, *more)]
    return {"type": element, "options": options}


def _plain(text: str, limit: int) -> Mapping[str, Any]:
    return {"type": "plain_text", "text": text if len(text) <= limit else text[: limit - 1] + "…", "emoji": False}


def entered(values: Mapping[str, Mapping[str, Any]], card: Card) -> str:
    """What was filled in, by block. A form knows choices by their place, for Slack cuts long ones."""
    filled = {block: entries[ENTRY] for block, entries in values.items() if ENTRY in entries}
    choices = card.message.input.choices if card.message.input else ()
    picked = [_picked(filled[place], choices) for place in map(_block, range(len(choices) or 1)) if place in filled]
    return filled[OTHER].get("value") or "" if picked == [OTHER] and OTHER in filled else "\n".join(picked)


def _picked(entry: Mapping[str, Any], choices: Sequence[str]) -> str:
    option = entry.get("selected_option")
    if not option:
        return entry.get("value") or ""
    if option["value"] == OTHER:
        return OTHER
    number = int(option["value"])
    return choices[number] if number < len(choices) else ""
