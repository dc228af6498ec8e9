"""What the lead's daily digest tells: whom to call, which questions wait, which rows need a decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from commsengine.content.talking_points import TalkingPoints
from commsengine.translation import _, counted

NOTHING_TO_SAY = TalkingPoints()


@dataclass(frozen=True, slots=True)
class Call:
    """One person who needs a person. ``talk`` is what to say, ``by`` makes the contact if not the reader of this.

    ``id`` is that of the follow-up; ``campaign`` is a title, and ``lead`` the address of who leads it.
    """

    name: str
    role: str
    phone: str
    reason: str
    tried: str = ""
    by: str = ""
    talk: TalkingPoints = NOTHING_TO_SAY
    id: str = ""
    campaign: str = ""
    lead: str = ""

    def fields(self) -> dict[str, Any]:
        # Points serve templates written before talk: each line bears its heading.
        plain = {name: getattr(self, name) for name in Call.__slots__ if name != "talk"}
        points = [f"{part.title}: {line}" for part in self.talk.parts for line in part.lines]
        return {**plain, "talk": self.talk.rows, "points": points}


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What somebody answered to what a message asked. ``day`` is a date in words."""

    name: str
    about: str
    text: str
    day: str


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question without an answer. ``since`` is a date in words; ``overdue`` after two working days."""

    name: str
    about: str
    text: str
    since: str
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class ReviewPart:
    """One heading of a review, with its lines."""

    title: str
    lines: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        return {"title": self.title, "lines": list(self.lines)}


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What the review of a phase tells; ``waiting`` is what waits for the lead's word, as a sentence."""

    headline: str
    waiting: str
    parts: tuple[ReviewPart, ...]


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A touch that waits for a decision: did it arrive, or should it go again?"""

    name: str
    about: str
    reason: str


@dataclass(frozen=True, slots=True)
class DigestFacts:
    """One morning. ``key`` names the digest's own row, ``at`` is its instant; ``figures`` are finished sentences.

    ``answered`` is how many answers came, of which ``answers`` may be the first; ``opens`` is the address of the page
    behind it, by a link that works once.
    """

    key: str
    at: dt.datetime
    calls: tuple[Call, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
    answers: tuple[GivenAnswer, ...] = ()
    held: tuple[HeldRow, ...] = ()
    figures: tuple[str, ...] = ()
    answered: int = 0
    opens: str = ""

    @property
    def empty(self) -> bool:
        return not (self.calls or self.questions or self.answers or self.held)

    def fields(self) -> dict[str, Any]:
        return {
            "headline": _("Today: {facts}", facts=self.headline),
            "calls": [call.fields() for call in self.calls],
            "questions": _rows(self.questions),
            "answers": _rows(self.answers),
            "held": _rows(self.held),
            "figures": list(self.figures),
        }

    @property
    def headline(self) -> str:
        parts = (
            (len(self.calls), counted(len(self.calls), "person to talk to", "people to talk to")),
            (len(self.questions), counted(len(self.questions), "question open", "questions open")),
            (self.answered, counted(self.answered, "new answer", "new answers")),
            (len(self.held), counted(len(self.held), "message to decide on", "messages to decide on")),
        )
        return ", ".join(part for number, part in parts if number) or _("nobody waits for you")


def calls_headline(number: int) -> str:
    return counted(number, "of your people needs a word from you", "of your people need a word from you")


def _rows(items: Iterable[OpenQuestion | GivenAnswer | HeldRow]) -> list[dict[str, Any]]:
    return [{name: getattr(item, name) for name in type(item).__slots__} for item in items]
