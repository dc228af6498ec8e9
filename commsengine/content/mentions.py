"""Which milestones a message tells the date of: who got it was told that date."""

from __future__ import annotations

from collections.abc import Mapping

from commsengine.cadence.plan import Message, Plan
from commsengine.content.recipe import FIXED, template_of
from commsengine.content.templates import parse
from commsengine.content.texts import texts_of
from commsengine.content.vocabulary import layout_names


def milestones_mentioned(plan: Plan, message: Message, templates: Mapping[str, str]) -> frozenset[str]:
    """The milestones whose dates this message tells, for any role and on any rung."""
    place = [other.id for other in plan.messages].index(message.id)
    used = {template_of(message, kind) for kind in ("message", "remind")} | set(FIXED)
    sources = [templates[name] for name in used if name in templates]
    sources += [text for path, text in texts_of(plan) if path[0] == "wiifm" or path[:2] == ("messages", place)]
    names = {name for source in sources for name in parse(source, layout_names(plan)).names}
    return frozenset(name.removeprefix("milestones.") for name in names if name.startswith("milestones."))
