"""One touch as its person sees it: what was said, what is asked, what they have answered, and what can be undone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from commsengine.answers.wording import spoken
from commsengine.cadence.calendar import DAY, Hours, last_closing, local_date_in
from commsengine.cadence.check_questions import asks_of, check_of, offered_check, offered_turn, order_of
from commsengine.cadence.history import Briefing
from commsengine.cadence.kinds_and_states import ANSWERS, CHANNELS, ENOUGH, Asked, Form, channel_of
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Check, Message, Plan
from commsengine.store.records import CampaignRecord, QuestionRecord, StoredAnswer, TouchRecord
from commsengine.translation import N_, _

UNDO = dt.timedelta(minutes=5)
"""How long an answer can be taken back, but for one to a check."""

MOMENT = dt.timedelta(seconds=1)

AGAIN = dt.timedelta(days=1)
"""So long after a check was explained no one is invited to test themselves: they would only say it again."""


@dataclass(frozen=True, slots=True)
class Card:
    """One touch and its person, as of ``now``; ``zone`` is the person's. ``record`` is the campaign with the plan that
    the touch is shown by.

    ``answers`` are of this touch or of the whole campaign, oldest first; ``before`` are of its other touches.
    ``unclear`` is that of the touch: the check that it explains again. ``briefing`` is what a manager gets before
    their people; where the message is for these alone, it asks nothing. ``reading``: the person reads the message
    before they answer its check, and then that measures nothing.
    """

    person: Person
    record: CampaignRecord
    message: Message
    touch: TouchRecord
    zone: str
    now: dt.datetime
    answers: tuple[StoredAnswer, ...] = ()
    before: tuple[StoredAnswer, ...] = ()
    question: QuestionRecord | None = None
    snoozed_until: dt.date | None = None
    unclear: int | None = None
    briefing: Briefing | None = None
    reading: bool = False

    @property
    def key(self) -> str:
        return self.touch.key

    @property
    def plan(self) -> Plan:
        return self.record.plan

    @property
    def over(self) -> bool:
        return self.record.state == "cancelled"

    @property
    def closed(self) -> bool:
        """Nothing is shown or recorded any more: the person has left."""
        return self.person.has_left(local_date_in(self.zone, self.now))

    @property
    def people_get_it(self) -> dt.date | None:
        return self.briefing.at.astimezone(ZoneInfo(self.zone)).date() if self.briefing else None

    @property
    def people_wait(self) -> bool:
        return self.briefing is not None and self.now < self.briefing.at

    @property
    def carried_as(self) -> Form:
        return CHANNELS[channel_of(self.touch.channel)].form

    @property
    def ask(self) -> str:
        return "kept" if self.touch.kind == "commitment" else self.message.ask

    @property
    def promise(self) -> StoredAnswer | None:
        """What the person said they will do, as long as they have not said that it is done."""
        said = [*self.before, *self.answers]
        if any(answer.kind == "kept" for answer in said):
            return None
        return next((answer for answer in said if answer.kind == "commit"), None)

    @property
    def asked_back_on(self) -> dt.date | None:
        """The day on which the person is asked whether it is done; ``None`` when they are not, or have been."""
        if self.message.asks_on is None or self.ask == "kept":
            return None
        hours = Hours(self.plan, self.person)
        day = hours.local_date(hours.instant_of(self.plan, self.message.asks_on))
        return max(day, hours.local_date(self.now) + DAY) if self.now < last_closing(self.plan) else None

    @property
    def latest(self) -> StoredAnswer | None:
        return self.answers[-1] if self.answers else None

    @property
    def answered(self) -> bool:
        return bool(self.answers)

    @property
    def enough(self) -> bool:
        return any(answer.kind in ENOUGH for answer in (*self.answers, *self.before))

    @property
    def undo_ends(self) -> dt.datetime | None:
        """The first instant at which the last answer stays; ``None`` where it stays already."""
        # An answer to a check stays: the right one has been shown, and what is given after that measures nothing.
        latest = self.latest
        if latest is None or latest.kind == "check" or self.over:
            return None
        return latest.at + UNDO + MOMENT if self.now - latest.at <= UNDO else None

    @property
    def undoable(self) -> bool:
        return self.undo_ends is not None

    @property
    def last_answer(self) -> str:
        """``You confirmed Tue 10:14``; empty while nothing is answered."""
        return self.tell(self.latest) if self.latest else ""

    @property
    def earlier_answer(self) -> str:
        return self.tell(self.before[-1]) if self.before else ""

    def tell(self, answer: StoredAnswer) -> str:
        whole = answer.whole_campaign and answer.kind == "heard_enough"
        text = N_("You stopped all messages of this campaign") if whole else ANSWERS[answer.kind].to_them
        return _("{answer} {when}", answer=_(text), when=self.at(answer.at))

    def at(self, instant: dt.datetime) -> str:
        return spoken(instant, self.zone, self.now)

    @property
    def value(self) -> str:
        return self.latest.value if self.latest else ""

    @property
    def checked(self) -> StoredAnswer | None:
        return next((answer for answer in reversed(self.answers) if answer.kind == "check"), None)

    @property
    def check(self) -> Check | None:
        return offered_check(self.message, self.touch.number, self.touch.asks)

    @property
    def choices(self) -> tuple[int, ...]:
        turn = offered_turn(self.message, self.touch.number, self.touch.asks)
        return () if turn is None else order_of(self.message, turn, self.touch.campaign, self.person.id)

    @property
    def asks(self) -> Asked:
        known = self.touch.asks
        return asks_of(self.message, self.touch.number) if known is None else known

    @property
    def untold(self) -> bool:
        """Whether its check waits for an answer: until then, the message says nothing that would give it away."""
        return not self.answered and check_of(self.message, self.touch.number, self.touch.asks) is not None

    @property
    def asks_check(self) -> bool:
        return self.untold and not (self.reading or self.over)

    @property
    def extra_check(self) -> bool:
        """Whether a check is offered beside everything else; not on the day of an explanation."""
        explained = any(answer.kind == "check" and self.now - answer.at < AGAIN for answer in self.before)
        offered = bool(self.message.checks) and self.checked is None and not self.asks_check
        return offered and not explained and not self.over

    @property
    def own_ask(self) -> bool:
        # also after the check was answered
        wanted = self.ask in ("input", "commit", "kept") and not self.over
        return wanted and all(answer.kind == "check" for answer in self.answers)

    @property
    def right(self) -> bool:
        return bool(self.checked and self.checked.right)

    @property
    def judged(self) -> bool:
        # where nothing is kept of right and wrong, the explanation stands by itself
        return self.checked is not None and self.checked.right is not None
