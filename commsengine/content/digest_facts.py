"""What the lead's daily digest tells: whom to call, which questions wait, which rows need a decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from commsengine.content.manager_card import place_of_buttons
from commsengine.content.phrases import headed
from commsengine.content.talking_points import TalkingPoints
from commsengine.translation import _, counted

NOTHING_TO_SAY = TalkingPoints()
MOST_IN_HEADLINE = 5
"""Things that a headline, which is a subject too, says; the worst come first."""


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
        points = [headed(part.title, line) for part in self.talk.parts for line in part.lines]
        return {
            **plain,
            "talk": self.talk.rows,
            "points": points,
            "buttons": place_of_buttons(self.id) if self.id else "",
        }


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What somebody answered to what a message asked. ``day`` is a date in words.

    ``id`` replies to it, and to the ``alike`` others who wrote nearly the same.
    """

    name: str
    about: str
    text: str
    day: str
    id: str = ""
    alike: int = 0


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question without an answer. ``since`` is a date in words; ``overdue`` after two working days.

    ``id`` answers it; ``alike`` are the others who ask nearly the same, and are answered with it.
    """

    name: str
    about: str
    text: str
    since: str
    overdue: bool = False
    id: str = ""
    alike: int = 0


@dataclass(frozen=True, slots=True)
class RecordedTalk:
    """What came of a talk, in words, and who recorded it. ``day`` is a date in words."""

    name: str
    by: str
    came: str
    day: str
    note: str = ""


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
    """One morning. ``key`` names the digest's own row, ``at`` is its instant.

    ``troubles`` keep messages from arriving, ``overdue`` was promised for a day that is past; ``numbers`` are those of
    the day, ``figures`` all others: finished sentences. Of ``waiting`` talks ``calls`` are today's; of
    ``open_questions`` and ``to_decide`` the first are listed, and so of so many new answers (``answered``): in words,
    or counted by choice (``chosen``), and ``all_answers`` says where the others are. ``opens`` is the address of the
    page behind it, by a link that works once. ``commitments`` of theirs are overdue, ``broken`` of them since the last
    digest: the others are no reason for a mail.
    """

    key: str
    at: dt.datetime
    calls: tuple[Call, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
    answers: tuple[GivenAnswer, ...] = ()
    held: tuple[HeldRow, ...] = ()
    figures: tuple[str, ...] = ()
    answered: int = 0
    chosen: tuple[str, ...] = ()
    all_answers: str = ""
    opens: str = ""
    troubles: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    recorded: tuple[RecordedTalk, ...] = ()
    waiting: int = 0
    open_questions: int = 0
    to_decide: int = 0
    commitments: tuple[str, ...] = ()
    broken: int = 0

    @property
    def empty(self) -> bool:
        told = (self.troubles, self.overdue, self.calls, self.questions, self.answers, self.recorded, self.held)
        return not any((*told, self.chosen)) and not self.broken

    def fields(self) -> dict[str, Any]:
        return {
            "headline": _("Today: {facts}", facts=self.headline),
            "troubles": list(self.troubles),
            "overdue": list(self.overdue),
            "commitments": list(self.commitments),
            "numbers": list(self.numbers),
            "calls": [call.fields() for call in self.calls],
            "calls_today": of_all(len(self.calls), self.waiting),
            "questions": _rows(self.questions),
            "questions_shown": of_all(len(self.questions), self.open_questions),
            "answers": _rows(self.answers),
            "chosen": list(self.chosen),
            "all_answers": self.all_answers,
            "recorded": _rows(self.recorded),
            "held": _rows(self.held),
            "figures": list(self.figures),
        }

    @property
    def headline(self) -> str:
        questions, held = max(len(self.questions), self.open_questions), max(len(self.held), self.to_decide)
        parts = (
            (len(self.overdue), counted(len(self.overdue), "promise overdue", "promises overdue")),
            (self.broken, counted(self.broken, "commitment overdue", "commitments overdue")),
            (len(self.troubles), counted(len(self.troubles), "problem", "problems")),
            (held, counted(held, "message to decide on", "messages to decide on")),
            (questions, counted(questions, "question open", "questions open")),
            (self.answered, counted(self.answered, "new answer", "new answers")),
            (len(self.calls), _people_to_talk_to(len(self.calls), self.waiting)),
            (len(self.recorded), counted(len(self.recorded), "talk recorded", "talks recorded")),
        )
        told = [part for number, part in parts if number]
        return ", ".join(told[:MOST_IN_HEADLINE]) or _("nothing waits for you")


def of_all(shown: int, number: int) -> str:
    """``5 of 19``, or nothing where that is all of them."""
    return _("{shown} of {number}", shown=shown, number=number) if number > shown else ""


def _people_to_talk_to(today: int, waiting: int) -> str:
    if waiting <= today:
        return counted(today, "person to call", "people to call")
    return _("{number} people to call", number=of_all(today, waiting))


def calls_headline(number: int) -> str:
    return counted(number, "of your people needs a call from you", "of your people need a call from you")


def _rows(items: Iterable[OpenQuestion | GivenAnswer | HeldRow | RecordedTalk]) -> list[dict[str, Any]]:
    return [{name: getattr(item, name) for name in type(item).__slots__} for item in items]
