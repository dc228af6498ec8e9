"""Rules about what follows when there is no answer: a person calls first, the sponsor comes last."""

from __future__ import annotations

from collections.abc import Iterator

from commsengine.authoring.draft import Draft
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.cadence.plan import Rung
from commsengine.errors import Problem
from commsengine.translation import _


def sponsors_come_last(draft: Draft) -> Iterator[Problem]:
    yield from _ladder(draft, ("follow_up",), draft.plan.follow_up)
    for path, message in draft.messages():
        if message.follow_up:
            yield from _ladder(draft, (*path, "follow_up"), message.follow_up)


def _ladder(draft: Draft, path: YamlPath, rungs: tuple[Rung, ...]) -> Iterator[Problem]:
    for index, rung in enumerate(rungs):
        before: list[str] = [earlier.do for earlier in rungs[:index]]
        if rung.do == "sponsor":
            yield from _sponsor(draft, (*path, index, "do"), before)
        elif "sponsor" in before and "personal" in before[: before.index("sponsor")]:
            cause = _("'do: {do}' comes after the sponsor.", do=rung.do)
            fix = _("Move it up: the sponsor is the last resort.")
            yield draft.error((*path, index, "do"), "after_sponsor", cause, fix)


def _sponsor(draft: Draft, path: YamlPath, before: list[str]) -> Iterator[Problem]:
    if "personal" not in before:
        fix = _("Write '{after: 2 touches, do: personal}' above it, so that a person calls or visits first.")
        yield draft.error(path, "sponsor_before_personal", _("The sponsor comes before personal outreach."), fix)
    if not draft.written.get("sponsor"):
        fix = _("Write 'sponsor: name@example.com' at the top, or take this step out.")
        yield draft.error(path, "no_sponsor", _("The plan names no sponsor."), fix)


def ladders_are_climbed(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        if message.ask == "nothing" and message.follow_up:
            cause = _("'{message}' asks for nothing, so its 'follow_up' never begins.", message=message.id)
            yield draft.advice((*path, "follow_up"), "idle_ladder", cause, _("Take it out, or ask for something."))


RULES = (sponsors_come_last, ladders_are_climbed)
