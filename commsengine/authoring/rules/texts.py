"""Rules about the words themselves: how long they may be, and which stand on one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from commsengine.authoring.draft import Draft
from commsengine.authoring.validation_errors import sentence
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.cadence.plan import ANGLES
from commsengine.content.slips import unfinished
from commsengine.errors import Problem
from commsengine.text import cut_short
from commsengine.translation import _

MOST = {"title": 200, "subject": 200, "key_point": 500, "question": 500, "because": 1000, "goal": 500, "link": 2000}
MOST_CHARACTERS = 8_000
"""Of one text of a plan; what is longer is a document, not a message."""
_WORDS = "title subject key_point text question because goal answers choices right commit"
READ = (*_WORDS.split(), *ANGLES)
"""Keys with words that people read."""
MOST_TOLD = 5
"""The most slips that are shown of one text."""
ONE_LINE = ("title", "subject", "key_point", "link")


def texts_can_be_sent(draft: Draft) -> Iterator[Problem]:
    for path, text in _written(draft.tree.data, ()):
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        most = MOST.get(key, MOST_CHARACTERS)
        if len(text) > most:
            cause = _("'{key}' has {number:,} characters; at most {most:,} fit.", key=key, number=len(text), most=most)
            yield draft.error(path, "too_long", cause, _("Shorten it, and link to the rest."))
        if key in ONE_LINE and "\n" in text.strip("\n"):
            cause = _("'{key}' has several lines.", key=key)
            yield draft.error(path, "line_break", cause, _("Write it in one line."))


def texts_are_finished(draft: Draft) -> Iterator[Problem]:
    for path, text in _written(draft.tree.data, ()):
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        if key in READ or path[-2:-1] == ("answers",):
            yield from slips_of(draft, path, text)


def slips_of(draft: Draft, path: YamlPath, text: str) -> Iterator[Problem]:
    """Advice on one text that people read: it ends early, or does not look ready."""
    if behind := draft.tree.cut_short.get(path):
        cause = _("The text ends before '{behind}', which YAML takes for a comment.", behind=cut_short(behind))
        yield draft.advice(
            path,
            "cut_short",
            cause,
            _("Put the whole text in quotes; if it is a comment, write a space after the '#'."),
        )
    for flaw in islice(unfinished(text), MOST_TOLD):
        yield draft.advice(path, "unfinished", sentence(flaw.message), flaw.fix)


def _written(node: Any, path: YamlPath) -> Iterator[tuple[YamlPath, str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _written(value, (*path, key))
    else:
        for index, value in enumerate(node):
            yield from _written(value, (*path, index))


RULES = (texts_can_be_sent, texts_are_finished)
