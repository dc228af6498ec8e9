"""Parts of the plan's format that are read and checked already, and what happens in their place until they live."""

from __future__ import annotations

from collections.abc import Iterator

from commsengine.authoring.draft import Draft
from commsengine.authoring.yaml_tree import YamlPath
from commsengine.cadence.plan import Message
from commsengine.errors import Problem

_UNTIL_THEN = {
    "phases": "they are kept and shown; nothing waits for a phase yet",
    "managers_first": "managers get it together with everybody else",
    "commit": "people see 'Got it' and are not asked for a commitment yet",
    "corrects": "it is sent to everybody in its roles, not only to those who were told the wrong one",
}


def parts_that_wait(draft: Draft) -> Iterator[Problem]:
    """One advice for each such part, at the first place where the plan has it."""
    told = set[str]()
    if draft.plan.phases:
        yield _told(draft, ("phases",), "phases")
    for path, message in draft.messages():
        for below, part in _parts(message):
            if part not in told:
                told.add(part)
                yield _told(draft, (*path, *below), part)


def _parts(message: Message) -> Iterator[tuple[YamlPath, str]]:
    if message.managers_first is not None:
        yield ("managers_first",), "managers_first"
    if message.ask == "commit" or message.commit:
        yield ("commit",) if message.commit else ("ask",), "commit"
    if message.corrects:
        yield ("corrects",), "corrects"


def _told(draft: Draft, path: YamlPath, part: str) -> Problem:
    cause = f"A later version gives '{part}' life; until then {_UNTIL_THEN[part]}."
    return draft.advice(path, f"later_{part}", cause, "Nothing needs to be changed.")


RULES = (parts_that_wait,)
