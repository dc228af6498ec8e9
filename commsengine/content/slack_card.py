"""A message as a Slack card: title, a few sections in Slack's markup, buttons, and a quiet line about why it came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_it.token import Token

from commsengine.content.grammar import answer_id_slot, answer_slot
from commsengine.content.manager_card import call_buttons, name_buttons, parted
from commsengine.content.markdown import WITH_TEXT, Tokens, continued, lines, paragraphs, plain_inline
from commsengine.content.slots import Slot, escape_slack, holds_value, is_link_mark, mark, slack_text
from commsengine.translation import N_, _, aligned

Block = dict[str, Any]

_MOST_BLOCKS = 50
_SECTION_LENGTH = 3_000
_HEADER_LENGTH = 150
FALLBACK_LENGTH = 40_000
_CARD_LENGTH = 11_000
"""Characters of all blocks together, as JSON. Slack documents no limit, and has refused some above 11,300."""

_TOO_LONG = N_("_The rest does not fit into a Slack message. Open the page to read it._")

_ROOM = 2_000
_AROUND = 11
"""Blocks that a card may have beside its text, with two notes that are added when it is drawn again."""

_SKIP = N_("Skip the question – got it")
_ASKED: Mapping[str, Sequence[tuple[str, str]]] = {
    "acknowledge": ((N_("Got it"), "got_it"),),
    "input": ((N_("Answer"), "answer"),),
    "commit": ((N_("I will"), "commit"), (N_("In my own words"), "answer")),
}
"""The buttons for what a message asks, with their actions; the first stands out."""

_ANSWERS_IN_A_ROW = 5
_LABEL_LENGTH = 75
_LISTED_LENGTH = 450
CHECK = "check"
"""How the ids of a check's blocks and buttons begin."""

_KEY: str = mark(Slot("key", ""))
_ANSWER: str = mark(Slot("links.answer", ""))

_SIGNS = {"strong_open": "*", "strong_close": "*", "em_open": "_", "em_close": "_"}


def card(
    body: Tokens,
    footer: Tokens,
    ask: str,
    answers: int = 0,
    question: Tokens = (),
    *,
    page: bool = True,
    skip: bool = True,
    named: bool = False,
) -> list[Block]:
    """The blocks, with marks in place of values. ``ask`` is what the message asks for.

    ``answers`` is how many the check has that comes with it, ``question`` what it asks. Its question stands first,
    wherever the template has it, and its buttons right below: what is read above them would answer it. ``skip``: "got
    it" passes over it. Without a ``page`` there is nothing to press but the calls of a list. ``named``: it will go out
    in the name of who reads it.
    """
    title, below = title_of(body)
    texts = to_mrkdwn(below)
    asked = _question_of(texts, to_mrkdwn(question)) if answers else []
    rest = [text for text in texts if text not in asked]
    sections = [block for part in parted(rest) for block in _part(*part)][: _MOST_BLOCKS - _AROUND]
    return [
        *([_header(title)] if title else []),
        *(_section(text) for text in asked),
        *_check(answers, skip=skip),
        *sections,
        # What is answered in words can also be answered on the page, where there is more room.
        *([_section(_("*<{answer}|Give your answer>*", answer=_ANSWER))] if ask == "input" else []),
        *([{"type": "actions", "elements": _buttons(ask, checked=answers > 0)}] if page else []),
        *([name_buttons(_KEY)] if named else []),
        _context("\n".join(to_mrkdwn(footer))),
        *([_context(_("<{answer}|Open this message on a page>", answer=_ANSWER))] if page else []),
    ]


def answered_card(
    blocks: Sequence[Mapping[str, Any]], said: str, key: str, *, undo: bool = True, open_ask: bool = False
) -> list[Block]:
    """The same card after an answer: ``said`` ("You confirmed Tue 10:14") stands where the buttons were.

    ``open_ask``: only the check is answered, and what the message itself asks for can still be given.
    """
    line: Block = _section(f"✓ {slack_text(said)}")
    if undo:
        line["accessory"] = _button(_("Undo"), "undo", key)
    answered: list[Block] = []
    for block in blocks:
        stays = block.get("type") != "actions" or (open_ask and not _of_check(block))
        if stays:
            answered.append(dict(block))
        elif line not in answered:
            answered.append(line)
    return answered if line in answered else [*answered[: _MOST_BLOCKS - 1], line]


def fit(blocks: list[Block]) -> list[Block]:
    """The blocks within Slack's limits, values included: a long title becomes a section, a long section ends in …

    Where an answer to a check is too long for a button, all are listed as A, B, C, and the buttons say so. Of a list
    that is too long as a whole, the last sections make way for a note.
    """
    fitted = [_fitted(block) for block in _lettered(blocks)[:_MOST_BLOCKS]]
    return fitted if any(block["type"] == "actions" for block in fitted) else _shortened(fitted)


def _shortened(blocks: list[Block]) -> list[Block]:
    lengths = [len(json.dumps(block, ensure_ascii=False)) for block in blocks]
    over, place = sum(lengths) - _CARD_LENGTH, len(blocks)
    if over <= 0:
        return blocks
    while over > 0 and place > 1:
        place -= 1
        over -= lengths[place] if blocks[place]["type"] == "section" else 0
    return [*blocks[:place], _section(_(_TOO_LONG)), *(each for each in blocks[place:] if each["type"] != "section")]


def _fitted(block: Block) -> Block:
    for text in _texts(block):
        text["text"] = aligned(text["text"])
    if block["type"] == "header" and len(block["text"]["text"]) > _HEADER_LENGTH:
        return _section(_cut(f"*{block['text']['text']}", _SECTION_LENGTH - 1) + "*")
    if block["type"] == "section":
        block["text"]["text"] = _cut(block["text"]["text"], _SECTION_LENGTH)
    if block["type"] == "context":
        for element in block["elements"]:
            element["text"] = _cut(element["text"], _SECTION_LENGTH)
    return block


def _texts(block: Block) -> list[Block]:
    elements: list[Block] = block.get("elements", [])
    shown = [block.get("text"), *([each["text"] for each in elements] if block["type"] == "actions" else elements)]
    return [text for text in shown if text]


def _cut(text: str, limit: int) -> str:
    # Never inside an entity or a link.
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


def _part(texts: Sequence[str], call: str) -> list[Block]:
    return [*(_section(text) for text in _sections(texts)), *([call_buttons(call)] if call else [])]


def _question_of(texts: Sequence[str], question: Sequence[str]) -> list[str]:
    # A template of the workspace may not have the question: then it stands by itself.
    words = "\n".join(question)
    found = (text for text in texts if words in text)
    return [next(found, f"> {words}")]


def _check(answers: int, *, skip: bool) -> list[Block]:
    if not answers:
        return []
    buttons = [
        _button(mark(Slot(answer_slot(place), "")), f"{CHECK}_{mark(Slot(answer_id_slot(place), ''))}", _KEY)
        for place in range(answers)
    ]
    if skip:
        buttons.append(_button(_(_SKIP), "got_it", _KEY))
    rows = range(0, len(buttons), _ANSWERS_IN_A_ROW)
    return [
        {"type": "actions", "block_id": f"{CHECK}-{start}", "elements": buttons[start : start + _ANSWERS_IN_A_ROW]}
        for start in rows
    ]


def _of_check(block: Mapping[str, Any]) -> bool:
    return str(block.get("block_id", "")).startswith(f"{CHECK}-")


def _lettered(blocks: Sequence[Block]) -> list[Block]:
    rows = [block for block in blocks if _of_check(block)]
    choices = [button for row in rows for button in row["elements"] if button["action_id"].startswith(f"{CHECK}_")]
    if all(len(button["text"]["text"]) <= _LABEL_LENGTH for button in choices):
        return list(blocks)
    listed = []
    for letter, button in zip("ABCDEF", choices, strict=False):
        listed.append(f"*{letter}*  {_cut(button['text']['text'], _LISTED_LENGTH)}")
        button["text"] = {"type": "plain_text", "text": letter}
    place = blocks.index(rows[0])
    return [*blocks[:place], _section("\n".join(listed)), *blocks[place:]]


def _buttons(ask: str, *, checked: bool) -> list[Block]:
    question = _button(_("I have a question"), "question", _KEY)
    if ask == "kept":  # it is asked once, so there is nothing to put off
        done = _button(_("Yes, done"), "kept", _KEY, style="primary")
        return [done, _button(_("Not yet"), "not_kept", _KEY), question]
    # Where a check comes along its answers come first, and skipping them says "got it".
    wanted = {} if checked and ask == "acknowledge" else _ASKED
    own = [_button(_(label), action, _KEY) for label, action in wanted.get(ask, ())]
    if own:
        own[0]["style"] = "primary"
    snooze = [] if ask == "nothing" else [_button(_("Remind me tomorrow"), "snooze", _KEY)]
    return [*own, question, *snooze, _button(_("I've heard enough"), "heard_enough", _KEY)]


def _button(text: str, action: str, value: str, **more: str) -> Block:
    return {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": text}, "value": value, **more}


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def title_of(tokens: Tokens) -> tuple[str, Tokens]:
    """The first heading as plain, escaped text, and the blocks without it."""
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1":
            words = slack_text(plain_inline(tokens[place + 1].children or [], links=False))
            return words.replace("\n", " "), [*tokens[:place], *tokens[place + 3 :]]
    return "", tokens


def to_mrkdwn(tokens: Tokens) -> list[str]:
    """One text per paragraph, list or quote; a heading stands above the text that follows it."""
    pieces: list[tuple[str, str]] = []
    heading, headings = "", _headings(tokens)
    for place, (lead, token) in enumerate(lines(tokens)):
        text = "".join(_inline(token.children or [])) if token.type == "inline" else _code(token)
        if place in headings:
            heading = f"*{text.replace('*', '')}*\n"
            continue
        bullet = lead.replace("- ", "• ")
        pieces.append((lead, heading + bullet + text.replace("\n", "\n" + continued(bullet))))
        heading = ""
    return list(paragraphs(pieces))


def _headings(tokens: Tokens) -> frozenset[int]:
    before = [tokens[place - 1].type for place, token in enumerate(tokens) if token.type in WITH_TEXT]
    return frozenset(number for number, kind in enumerate(before) if kind == "heading_open")


def _code(token: Token) -> str:
    return f"```\n{escape_slack(token.content.rstrip())}\n```"


def _inline(children: Tokens) -> Iterator[str]:
    place = 0
    while place < len(children):
        token = children[place]
        if token.type == "link_open":
            end = next(i for i in range(place, len(children)) if children[i].type == "link_close")
            yield _link(str(token.attrs["href"]), children[place + 1 : end])
            place = end
        elif token.type in _SIGNS:
            yield _SIGNS[token.type]
        elif token.type == "code_inline":
            yield f"`{escape_slack(token.content.replace('`', ''))}`"
        elif token.type in ("softbreak", "hardbreak"):
            yield " " if token.type == "softbreak" else "\n"
        else:
            yield slack_text(token.content)
        place += 1


def _link(href: str, label: Tokens) -> str:
    # A label with somebody's value in it stays outside of Slack's link syntax.
    address = href if is_link_mark(href) else escape_slack(href)
    words = slack_text(plain_inline(label).replace("|", "/").replace("\n", " "))
    return f"{words} (<{address}>)" if holds_value(words) else f"<{address}|{words}>"
