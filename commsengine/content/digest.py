"""What the lead's daily digest tells: whom to call, which questions wait, which rows need a decision."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One person who needs a person. ``points`` are talking points, ``by`` makes the contact if not the lead."""

    name: str
    role: str
    phone: str
    reason: str
    tried: str = ""
    by: str = ""
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question nobody has answered. ``since`` is a date in words; ``overdue`` after two working days."""

    name: str
    about: str
    text: str
    since: str
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A touch that waits for a decision: did it arrive, or should it go again?"""

    name: str
    about: str
    reason: str


@dataclass(frozen=True, slots=True)
class DigestFacts:
    """One morning. ``key`` names the digest's own row, ``at`` is its instant; ``figures`` are finished sentences."""

    key: str
    at: dt.datetime
    calls: tuple[Call, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
    held: tuple[HeldRow, ...] = ()
    figures: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """True when nobody waits, so that no digest need be sent."""
        return not (self.calls or self.questions or self.held)

    def fields(self) -> dict[str, Any]:
        """The same for the template."""
        return {
            "headline": self._headline(),
            "calls": [{name: getattr(call, name) for name in Call.__slots__} for call in self.calls],
            "questions": [{name: getattr(item, name) for name in OpenQuestion.__slots__} for item in self.questions],
            "held": [{name: getattr(row, name) for name in HeldRow.__slots__} for row in self.held],
            "figures": list(self.figures),
        }

    def _headline(self) -> str:
        parts = [
            _count(len(self.calls), "person to talk to", "people to talk to"),
            _count(len(self.questions), "question open", "questions open"),
            _count(len(self.held), "message to decide on", "messages to decide on"),
        ]
        return "Today: " + (", ".join(part for part in parts if part) or "nobody waits for you")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""
