"""A message as a Slack card: title, a few sections, buttons, and a quiet line about why it came."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markdown_it.token import Token

from commsengine.content.mrkdwn import title_of, to_mrkdwn
from commsengine.content.slots import Slot, mark, slack_text

Block = dict[str, Any]

MOST_BLOCKS = 50
SECTION_LENGTH = 3_000
HEADER_LENGTH = 150
FALLBACK_LENGTH = 40_000

_ROOM = 2_000
_KEY: str = mark(Slot("key", ""))
_ANSWER: str = mark(Slot("links.answer", ""))


def card(body: Sequence[Token], footer: Sequence[Token], ask: str) -> list[Block]:
    """The blocks, with marks in place of values. ``ask`` is what the message asks for."""
    title, rest = title_of(body)
    sections = _sections(to_mrkdwn(rest))[: MOST_BLOCKS - 6]
    return [
        *([_header(title)] if title else []),
        *(_section(text) for text in sections),
        *_page_link(ask),
        {"type": "actions", "elements": _buttons(ask)},
        _context("\n".join(to_mrkdwn(footer))),
        _context(f"<{_ANSWER}|Open this message on a page>"),
    ]


def answered_card(blocks: Sequence[Mapping[str, Any]], said: str, key: str, *, undo: bool = True) -> list[Block]:
    """The same card after an answer: ``said`` ("You confirmed Tue 10:14") stands where the buttons were."""
    line: Block = _section(f"✓ {slack_text(said)}")
    if undo:
        line["accessory"] = _button("Undo", "undo", key)
    answered: list[Block] = []
    for block in blocks:
        if block.get("type") != "actions":
            answered.append(dict(block))
        elif line not in answered:
            answered.append(line)
    return answered if line in answered else [*answered[: MOST_BLOCKS - 1], line]


def fit(blocks: list[Block]) -> list[Block]:
    """The blocks within Slack's limits, values included: a long title becomes a section, a long section ends in …"""
    return [_fitted(block) for block in blocks[:MOST_BLOCKS]]


def _fitted(block: Block) -> Block:
    if block["type"] == "header" and len(block["text"]["text"]) > HEADER_LENGTH:
        return _section(_cut(f"*{block['text']['text']}", SECTION_LENGTH - 1) + "*")
    if block["type"] == "section":
        block["text"]["text"] = _cut(block["text"]["text"], SECTION_LENGTH)
    if block["type"] == "context":
        for element in block["elements"]:
            element["text"] = _cut(element["text"], SECTION_LENGTH)
    return block


def _cut(text: str, limit: int) -> str:
    """Cut, but never inside an entity or a link."""
    if len(text) <= limit:
        return text
    short = re.sub(r"&[a-z]*$", "", text[: limit - 1])
    if short.rfind("<") > short.rfind(">"):
        short = short[: short.rfind("<")]
    return short.rstrip() + "…"


def _sections(paragraphs: Sequence[str]) -> list[str]:
    sections: list[str] = []
    for text in paragraphs:
        if sections and len(sections[-1]) + len(text) < _ROOM:
            sections[-1] += "\n\n" + text
        else:
            sections.append(text)
    return sections


def _buttons(ask: str) -> list[Block]:
    got_it = [_button("Got it", "got_it", _KEY, style="primary")] if ask in ("acknowledge", "commit") else []
    answer = [_button("Answer", "answer", _KEY, style="primary")] if ask in ("input", "check") else []
    snooze = [] if ask == "nothing" else [_button("Remind me tomorrow", "snooze", _KEY)]
    question = _button("I have a question", "question", _KEY)
    return [*got_it, *answer, question, *snooze, _button("I've heard enough", "heard_enough", _KEY)]


def _page_link(ask: str) -> list[Block]:
    """What is answered in words or by a choice can also be answered on the page, where there is more room."""
    return [_section(f"*<{_ANSWER}|Give your answer>*")] if ask in ("input", "check") else []


def _button(text: str, action: str, value: str, **more: str) -> Block:
    return {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": text}, "value": value, **more}


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}
