"""A plan under review: the value, where each part of it was written, and the names its author meant to define."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from commsengine.authoring.yaml_parser import Tree, YamlPath
from commsengine.cadence.audience import roles_of
from commsengine.cadence.calendar import Hours
from commsengine.cadence.people import ANYBODY
from commsengine.cadence.plan import Message, Plan
from commsengine.cadence.time_notation import Moment
from commsengine.errors import Problem

FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass(frozen=True)
class Draft:
    """``written`` is the file as its author wrote it, faulty parts included: a name defined there is not unknown."""

    plan: Plan
    tree: Tree
    written: Mapping[str, Any]

    def error(self, path: YamlPath, code: str, message: str, fix: str = "") -> Problem:
        """``path`` may go on below what was written; the nearest part above is shown."""
        return self.tree.problem(self.tree.place(path), code, message, fix)

    def error_at_key(self, path: YamlPath, code: str, message: str, fix: str = "") -> Problem:
        return self.tree.problem(self.tree.key_place(path), code, message, fix)

    def advice(self, path: YamlPath, code: str, message: str, fix: str = "") -> Problem:
        return replace(self.error(path, code, message, fix), severity="advice")

    def names(self, *path: str) -> list[str]:
        """The keys the author wrote below a key, whether sound or not."""
        node: Any = self.written
        for part in path:
            node = node.get(part) if isinstance(node, Mapping) else None
        return list(node) if isinstance(node, Mapping) else []

    @property
    def roles(self) -> list[str]:
        return self.names("audience", "roles")

    @property
    def message_ids(self) -> list[str]:
        messages = self.written.get("messages")
        found = messages if isinstance(messages, list) else []
        return [m["id"] for m in found if isinstance(m, Mapping) and isinstance(m.get("id"), str)]

    def messages(self) -> Iterator[tuple[YamlPath, Message]]:
        for index, message in enumerate(self.plan.messages):
            yield ("messages", index), message

    def moments(self) -> Iterator[tuple[YamlPath, Moment]]:
        for path, message in self.messages():
            yield (*path, "from"), message.opens
            yield (*path, "until"), message.closes
            if message.cadence.by:
                yield (*path, "cadence", "by"), message.cadence.by
            if message.commit and message.commit.by:
                yield (*path, "commit", "by"), message.commit.by
        for name, phase in self.plan.phases.items():
            yield ("phases", name, "until"), phase.until
        for name, outcome in self.plan.outcomes.items():
            yield ("outcomes", name, "by"), outcome.by
        if self.plan.experiment and self.plan.experiment.day:
            yield ("experiment", "day"), self.plan.experiment.day

    def roles_of(self, message: Message) -> list[str]:
        return list(roles_of(self.plan, message))

    @cached_property
    def _hours(self) -> Hours:
        send = self.plan.send.model_copy(update={"time_zone": "UTC"})
        return Hours(self.plan.model_copy(update={"send": send}), ANYBODY)

    def instant(self, moment: Moment) -> dt.datetime | None:
        """In UTC, without anybody's holidays; ``None`` where the date is not known."""
        day = moment.date
        if day is None:
            milestone = self.plan.milestones.get(moment.milestone)
            day = milestone.date if milestone else None
        if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
            return None
        return self._hours.instant_of(self.plan, moment)


def fitting(draft: Draft, message: Message) -> int | None:
    """How many repeats fit between ``from`` and ``until``; ``None`` where dates are not known, or recall decides."""
    opens, closes = draft.instant(message.opens), draft.instant(message.closes)
    if opens is None or closes is None or message.cadence.every is None:
        return None
    minutes = int((closes - opens).total_seconds() // 60)
    return max(0, -(-minutes // message.cadence.every))


def planned(draft: Draft, message: Message) -> int | None:
    """The repeats that are asked for and fit; ``None`` where recall decides how many there are."""
    known = [count for count in (message.cadence.times, fitting(draft, message)) if count is not None]
    return min(known) if known else None
