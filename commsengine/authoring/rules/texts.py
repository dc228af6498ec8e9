"""Rules about the words themselves: what no channel could carry, and links that no mail should hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from commsengine.authoring.draft import Draft
from commsengine.authoring.yaml_tree import YamlPath
from commsengine.errors import Problem

MOST = {"title": 200, "subject": 200, "key_point": 500, "question": 500, "because": 1000, "goal": 500, "link": 2000}
MOST_CHARACTERS = 10_000
ONE_LINE = ("title", "subject", "key_point", "link")

_LINK = re.compile(r"\]\(\s*<?\s*([a-zA-Z][a-zA-Z0-9+.-]*):")
_ATTRIBUTE = re.compile(r"""\b(?:href|src)\s*=\s*["']?\s*([a-zA-Z][a-zA-Z0-9+.-]*):""", re.IGNORECASE)
_SAFE = ("https", "mailto", "tel")


def texts_can_be_sent(draft: Draft) -> Iterator[Problem]:
    for path, text in _written(draft.tree.data, ()):
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        most = MOST.get(key, MOST_CHARACTERS)
        if len(text) > most:
            cause = f"'{key}' has {len(text):,} characters; at most {most:,} fit."
            yield draft.error(path, "too_long", cause, "Shorten it, and link to the rest.")
        if key in ONE_LINE and "\n" in text.strip("\n"):
            yield draft.error(path, "line_break", f"'{key}' goes over several lines.", "Write it in one line.")
        yield from _unsafe_links(draft, path, text)


def _unsafe_links(draft: Draft, path: YamlPath, text: str) -> Iterator[Problem]:
    for pattern in (_LINK, _ATTRIBUTE):
        for found in pattern.finditer(text):
            if found[1].lower() not in _SAFE:
                fix = "Link to an https:// address."
                yield draft.error(path, "unsafe_link", f"A link begins with '{found[1]}:'.", fix)


def _written(node: Any, path: YamlPath) -> Iterator[tuple[YamlPath, str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _written(value, (*path, key))
    else:
        for index, value in enumerate(node):
            yield from _written(value, (*path, index))


RULES = (texts_can_be_sent,)
