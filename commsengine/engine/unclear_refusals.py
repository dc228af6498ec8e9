"""Refusals for good of which only the next ones can tell whether they are about one person or about us.

1. The same message gets through to another: the refusal was about that one person, and their touch fails.
2. Three are refused alike and none gets through in between: it is us. They are given back, and none has failed.
3. Nothing is under way that could tell: they wait and are tried again, and the row shows the server's words.

What was given back or waits, and is refused again after the message has got through to others, fails by rule 1.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from commsengine.channels.channel import Outcome

ALIKE = 3
PEOPLE = 2
"""Of so many people at least: one address that refuses us again and again says nothing about the others."""


@dataclass(frozen=True, slots=True)
class UnclearRefusal:
    """One refusal of ``message`` to ``person``, the attempts before it, and how its end is put on record."""

    outcome: Outcome
    message: str
    person: str
    attempts: int
    record: Callable[[Outcome], None]


class UnclearRefusals:
    """One per channel, shared by its sender threads."""

    def __init__(self) -> None:
        self._open: list[UnclearRefusal] = []
        self._alike: dict[tuple[str, str], list[str]] = {}  # refused alike, of one message and ("") of all: to whom
        self._arrived = Counter[str]()  # by message
        self._refused: dict[str, int] = {}  # by key: how many of its message had arrived when it was refused first
        self._lock = threading.Lock()

    def own(self, key: str, message: str) -> bool:
        with self._lock:
            before = self._refused.get(key)
            return before is not None and self._arrived[message] > before

    def add(self, refusal: UnclearRefusal) -> bool:
        """Whether this is the one that says it is us."""
        with self._lock:
            self._open.append(refusal)
            self._refused.setdefault(refusal.outcome.key, self._arrived[refusal.message])
            rows = [self._alike.setdefault((of, refusal.outcome.alike), []) for of in (refusal.message, "")]
            for row in rows:
                row.append(refusal.person)
            return any(len(row) >= ALIKE and len(set(row)) >= PEOPLE for row in rows)

    def arrive(self, key: str, message: str) -> list[UnclearRefusal]:
        """Returns the refusals that are clear now that one has got through: each was for its own person."""
        with self._lock:
            self._arrived[message] += 1
            self._refused.pop(key, None)
            self._alike = {row: who for row, who in self._alike.items() if row[0] not in (message, "")}
            settled = [refusal for refusal in self._open if refusal.message == message]
            self._open = [refusal for refusal in self._open if refusal.message != message]
            return settled

    def take(self) -> list[UnclearRefusal]:
        with self._lock:
            taken, self._open = self._open, []
            return taken
