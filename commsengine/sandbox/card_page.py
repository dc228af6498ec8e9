"""A Slack card as a page of its own, to look at: nothing on it can be pressed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, Template
from markupsafe import Markup

from commsengine.sandbox.blocks_html import block_html
from commsengine.translation import install


def card_page(title: str, blocks: Sequence[Mapping[str, Any]], at: str = "") -> str:
    """``at`` is the time that stands above the card."""
    shown = [block_html(block, _button, "h1") for block in blocks]
    return template("card.html").render(title=title, blocks=shown, at=at)


def _button(element: Mapping[str, Any]) -> Markup:
    label = (element.get("text") or {}).get("text", "")
    return Markup('<span class="button {}">{}</span>').format(element.get("style", ""), label)


@cache
def template(name: str) -> Template:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    install(environment)
    return environment.from_string((files(__package__) / name).read_text("utf-8"))
