"""Slack blocks as HTML, close enough to what Slack shows to judge a card by; everything from outside is escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import unescape
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape

Block = Mapping[str, Any]
_CONTROL = re.compile(r"\*<([^<>]+)>\*|<([^<>]+)>")
_MARKS = (  # none opens before the word joiner that the cards put behind a sign which is only a sign
    (re.compile(r"```(.+?)```", re.DOTALL), "<pre>{}</pre>"),
    (re.compile(r"`(?!\u2060)([^`\n]+)`"), "<code>{}</code>"),
    (re.compile(r"(?<![\w*])\*(?=[^\s\u2060])([^*\n]+?)(?<=\S)\*(?![\w*])"), "<strong>{}</strong>"),
    (re.compile(r"(?<![\w_])_(?=[^\s\u2060])([^_\n]+?)(?<=\S)_(?![\w_])"), "<em>{}</em>"),
    (re.compile(r"(?<![\w~])~(?=[^\s\u2060])([^~\n]+?)(?<=\S)~(?![\w~])"), "<s>{}</s>"),
)
_ONE = Markup("<label class=field><span>{}</span>{}{}</label>")
_GROUP = Markup("<fieldset class=field><legend>{}</legend>{}{}</fieldset>")


def mrkdwn(text: str) -> Markup:
    """Slack's own markup: ``*bold*``, ``_italic_``, ``> quoted``, ``<https://…|a link>``; mentions stand out."""
    parts = []
    for quoted, group in groupby(text.split("\n"), key=lambda line: line.startswith(">")):
        lines = "\n".join(line.removeprefix(">").removeprefix(" ") if quoted else line for line in group)
        parts.append(Markup("<span class=quote>{}</span>").format(_flowing(lines)) if quoted else _flowing(lines))
    return _joined(parts)


def _flowing(text: str) -> Markup:
    pieces, at = [], 0
    for control in _CONTROL.finditer(text):
        shown = _controlled(control[1] or control[2])
        shown = Markup("<strong>{}</strong>").format(shown) if control[1] else shown
        pieces += [_marked(text[at : control.start()]), shown]
        at = control.end()
    return Markup("").join([*pieces, _marked(text[at:])])


def block_html(block: Block, button: Callable[[Block], Markup], heading: str = "h3") -> Markup:
    """``heading`` is the element of a header: one level below what stands above it."""
    kind = block.get("type")
    if kind == "divider":
        return Markup("<hr>")
    if kind == "header":
        return Markup("<{0}>{1}</{0}>").format(heading, _text(block.get("text")))
    if kind == "actions":
        buttons = _joined([button(one) for one in block.get("elements", ())])
        return Markup('<div class="actions">{}</div>').format(buttons)
    if kind == "context":
        texts = _joined([_text(one) for one in block.get("elements", ())], " ")
        return Markup('<p class="context">{}</p>').format(texts)
    if kind == "section":
        fields = _joined([Markup("<li>{}</li>").format(_text(one)) for one in block.get("fields", ())])
        accessory = button(block["accessory"]) if block.get("accessory") else ""
        listed = Markup("<ul class=fields>{}</ul>").format(fields) if fields else ""
        return Markup("<div class=section><p>{}</p>{}{}</div>").format(_text(block.get("text")), listed, accessory)
    return Markup('<p class="context">[{}]</p>').format(str(kind))


def input_html(block: Block) -> Markup:
    element = block.get("element") or {}
    if block.get("type") != "input":
        return block_html(block, lambda one: Markup("<span class=chip>{}</span>").format(_text(one.get("text"))))
    name = block.get("block_id") or element.get("action_id") or ""
    hint = Markup("<small>{}</small>").format(_text(block["hint"])) if block.get("hint") else ""
    shape = _GROUP if element.get("type") in ("radio_buttons", "checkboxes") else _ONE
    return shape.format(_text(block.get("label")), _field(element, name, optional=bool(block.get("optional"))), hint)


def _field(element: Block, name: str, *, optional: bool) -> Markup:
    kind, must = element.get("type"), "" if optional else Markup("required")
    options: Sequence[Block] = element.get("options", ())
    if kind in ("radio_buttons", "checkboxes"):
        shape = "radio" if kind == "radio_buttons" else "checkbox"
        choice = Markup('<label class=choice><input type={} name="{}" value="{}"> {}</label>')
        return _joined([choice.format(shape, name, one.get("value", ""), _text(one.get("text"))) for one in options])
    if kind in ("static_select", "multi_static_select"):
        option = Markup('<option value="{}">{}</option>')
        choices = [option.format(one.get("value", ""), _text(one.get("text"))) for one in options]
        several = Markup("multiple") if kind.startswith("multi") else ""
        return Markup('<select name="{}" {} {}>{}</select>').format(name, must, several, _joined(choices))
    value = element.get("initial_value", "")
    if element.get("multiline"):
        return Markup('<textarea name="{}" rows=4 {}>{}</textarea>').format(name, must, value)
    shape = "date" if kind == "datepicker" else "text"
    return Markup('<input type={} name="{}" value="{}" {}>').format(shape, name, value, must)


def _text(value: Any) -> Markup:
    """``mrkdwn`` is marked up, ``plain_text`` is not; an image shows its words."""
    if not isinstance(value, Mapping):
        return Markup("")
    if value.get("type") == "image":
        return escape(str(value.get("alt_text", "")))
    text = str(value.get("text", ""))
    return mrkdwn(text) if value.get("type") == "mrkdwn" else _lines(escape(text))


def _controlled(inside: str) -> Markup:
    target, _, label = inside.partition("|")
    if target.startswith(("https://", "http://", "mailto:")):
        link = Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>')
        return link.format(unescape(target), unescape(label or target))
    return Markup("<mark>{}</mark>").format(unescape(label or target))


def _marked(text: str) -> Markup:
    html = str(escape(unescape(text)))
    for pattern, shape in _MARKS:
        html = pattern.sub(lambda found, shape=shape: shape.format(found[1]), html)  # type: ignore[misc]
    return _lines(Markup(html))  # noqa: S704 - escaped three lines above, and only our own tags were added


def _lines(html: Markup) -> Markup:
    return html.replace("\n", Markup("<br>"))


def _joined(parts: Sequence[Markup], between: str = "") -> Markup:
    return Markup(between).join(parts)  # noqa: S704 - the separator is ours
