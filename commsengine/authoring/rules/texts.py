"""Rules about the words themselves: how long they may be, and which stand on one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from commsengine.authoring.draft import Draft
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.errors import Problem
from commsengine.translation import _

MOST = {"title": 200, "subject": 200, "key_point": 500, "question": 500, "because": 1000, "goal": 500, "link": 2000}
MOST_CHARACTERS = 8_000
"""Of one text of a plan; what is longer is a document, not a message."""
ONE_LINE = ("title", "subject", "key_point", "link")


def texts_can_be_sent(draft: Draft) -> Iterator[Problem]:
    for path, text in _written(draft.tree.data, ()):
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        most = MOST.get(key, MOST_CHARACTERS)
        if len(text) > most:
            cause = _("'{key}' has {number:,} characters; at most {most:,} fit.", key=key, number=len(text), most=most)
            yield draft.error(path, "too_long", cause, _("Shorten it, and link to the rest."))
        if key in ONE_LINE and "\n" in text.strip("\n"):
            cause = _("'{key}' goes over several lines.", key=key)
            yield draft.error(path, "line_break", cause, _("Write it in one line."))


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
