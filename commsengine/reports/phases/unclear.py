"""What is unclear, by role: from talks that say so, and from checks whose subject the plan tells.

1. Roles of fewer than ten people are hidden.
2. Of checks only whole blocks of ten people's answers count, as everywhere (``recall.small_groups``). Where one message
   has checks of several subjects, a block counts only with ten people's answers to each of them: the rest could be
   found by subtraction, also of an older report.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commsengine.cadence.kinds_and_states import UNCLEAR, UNCLEAR_WORDS
from commsengine.cadence.plan import Message
from commsengine.recall.small_groups import Block, enough, newest_by
from commsengine.recall.statistics import Share
from commsengine.reports.check_results import CheckResults, check_results
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from commsengine.translation import _


@dataclass(frozen=True, slots=True)
class UnclearRole:
    """One role. ``talks`` are people in whose talk that was unclear; ``checks`` are right answers, by subject."""

    role: str
    people: int
    talks: Mapping[str, int]
    checks: Mapping[str, Share]

    @property
    def hidden(self) -> bool:
        return not enough(self.people)

    def as_json(self) -> dict[str, Any]:
        checks = {about: {"right": share.count, "of": share.of} for about, share in self.checks.items()}
        return {
            "role": self.role,
            "people": self.people,
            "hidden": self.hidden,
            "talks": dict(self.talks),
            "checks": checks,
        }


def unclear_by_role(store: Store, record: CampaignRecord, now: dt.datetime) -> list[UnclearRole]:
    """Every role of the plan; what is hidden is empty."""
    plan, sizes = record.plan, Counter(store.audience.sizes(record, now.date()))
    said = {(one.person_id, one.unclear) for one in store.answers.outcomes(campaign=record.id) if one.unclear}
    places = store.audience.places(record, now.date(), [person for person, _word in said])
    talks: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for person, word in said:
        if person in places:
            talks[places[person].role][word] += 1
    checks = subjects_by_role(plan.messages, check_results(store, plan, now))
    return [
        UnclearRole(role, sizes[role], _ordered(talks[role]), checks.get(role, {}))
        if enough(sizes[role])
        else UnclearRole(role, sizes[role], {}, {})
        for role in plan.audience.roles
    ]


def subject(word: str) -> str:
    """What was unclear, in words."""
    return next(_(words) for name, words in UNCLEAR_WORDS.items() if name == word)


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return {word: counts[word] for word in UNCLEAR if counts[word]}


def subjects_by_role(messages: Iterable[Message], answers: CheckResults) -> dict[str, dict[str, Share]]:
    """How many answers were right, by role and subject of the check."""
    found: defaultdict[str, dict[str, Share]] = defaultdict(dict)
    for message in messages:
        if not any(check.about for check in message.checks):
            continue
        for (name, role), closed in answers.closed.items():
            if name == message.id:
                for about, share in _by_subject(message, closed).items():
                    before = found[role].get(about, Share(0, 0))
                    found[role][about] = Share(before.count + share.count, before.of + share.of)
    return dict(found)


def _by_subject(message: Message, closed: Sequence[Block]) -> dict[str, Share]:
    subjects = {place: check.about or "" for place, check in enumerate(message.checks)}
    found = newest_by(closed, subjects)
    return {about: Share(sum(one.right for one in given), len(given)) for about, given in found.items() if about}
