"""One touch as its person sees it: what was said, what is asked, what they have answered, and what can be undone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from commsengine.cadence.people import Person
from commsengine.cadence.plan import Check, Message, Plan
from commsengine.cadence.standing import ENOUGH
from commsengine.engine.words import SAID, short_name, spoken
from commsengine.store.records import QuestionRecord, StoredAnswer, TouchRecord

UNDO = dt.timedelta(minutes=5)
"""How long an answer can be taken back."""


@dataclass(frozen=True, slots=True)
class Card:
    """One touch and its person, as of ``now``; ``zone`` is the person's.

    ``answers`` are of this touch or of the whole campaign, oldest first; ``before`` are of its earlier touches.
    """

    person: Person
    plan: Plan
    message: Message
    touch: TouchRecord
    zone: str
    now: dt.datetime
    answers: tuple[StoredAnswer, ...] = ()
    before: tuple[StoredAnswer, ...] = ()
    question: QuestionRecord | None = None
    snoozed_until: dt.date | None = None

    @property
    def key(self) -> str:
        return self.touch.key

    @property
    def first_name(self) -> str:
        return self.person.first_name

    @property
    def short_name(self) -> str:
        return short_name(self.person.name, self.person.email)

    @property
    def ask(self) -> str:
        return self.message.ask

    @property
    def latest(self) -> StoredAnswer | None:
        return self.answers[-1] if self.answers else None

    @property
    def answered(self) -> bool:
        return bool(self.answers)

    @property
    def enough(self) -> bool:
        """Whether the person has heard enough of this message, or of everything."""
        return any(answer.kind in ENOUGH for answer in (*self.answers, *self.before))

    @property
    def undoable(self) -> bool:
        return self.latest is not None and self.now - self.latest.at <= UNDO

    @property
    def said(self) -> str:
        """``You confirmed Tue 10:14``; empty while nothing is answered."""
        return self.tell(self.latest) if self.latest else ""

    @property
    def said_before(self) -> str:
        """The same of an earlier touch of this message."""
        return self.tell(self.before[-1]) if self.before else ""

    def tell(self, answer: StoredAnswer) -> str:
        what = " of this campaign" if answer.whole_campaign and answer.kind == "heard_enough" else ""
        return f"{SAID[answer.kind]}{what} {self.at(answer.at)}"

    def at(self, instant: dt.datetime) -> str:
        return spoken(instant, self.zone, self.now)

    @property
    def value(self) -> str:
        """What the person wrote or chose last."""
        return self.latest.value if self.latest else ""

    @property
    def checked(self) -> StoredAnswer | None:
        return next((answer for answer in reversed(self.answers) if answer.kind == "check"), None)

    @property
    def check(self) -> Check | None:
        """The question of this touch: checks take turns. Its choices keep the plan's order."""
        checks = self.message.checks
        return checks[(self.touch.number - 1) % len(checks)] if checks else None

    @property
    def extra_check(self) -> bool:
        """Whether a check is offered to whoever wants one, beside what the message asks."""
        return bool(self.message.checks) and self.ask != "check" and self.checked is None

    @property
    def right(self) -> bool:
        return bool(self.checked and self.checked.right)
