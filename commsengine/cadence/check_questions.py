"""Which touch carries a check, which one of the pool, and in which order a person sees its answers.

Mail, page, Slack and simulation all ask here, so that a touch has one question wherever it is looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Protocol

from commsengine.cadence.history import TouchRow
from commsengine.cadence.kinds_and_states import BY_HAND, Asked, CheckKind
from commsengine.cadence.plan import Check, Message
from commsengine.text import digest


def asks_of(message: Message, number: int, *, last: bool = False, transferred: bool = False) -> Asked:
    """What the ``number``-th touch (from 1) asks, as the plan stands.

    ``last``: no touch is foreseen after it; ``transferred``: the question kept for the end was asked already.
    """
    if number == 1 and _place_of(message, "baseline") is not None:
        return "baseline"
    if last and number > 1 and not transferred and _place_of(message, "transfer") is not None:
        return "transfer"
    told = _after_baseline(message, number)
    carries = message.ask == "check" or (told > 1 and told % message.check_every == 0)
    return "recall" if carries and _pool(message) else ""


def telling(message: Message, number: int) -> int:
    """How many of the touches up to this one tell the message and do not only ask about it; 1 at least."""
    if message.ask == "check":
        return _after_baseline(message, number)
    return max(1, sum(not asks_of(message, each) for each in range(1, number + 1)))


def _after_baseline(message: Message, number: int) -> int:
    return max(1, number - (_place_of(message, "baseline") is not None))


def turn_of(message: Message, number: int, asks: Asked | None = None) -> int | None:
    """The place among the checks of the one that the touch carries; ``None`` for none.

    ``asks`` is what the touch was made to ask; where that is not on record, its number tells.
    """
    asked = asks_of(message, number) if asks is None else asks
    if not asked:
        return None
    return _turn_in_pool(message, number) if asked == "recall" else _place_of(message, asked)


def check_of(message: Message, number: int, asks: Asked | None = None) -> Check | None:
    turn = turn_of(message, number, asks)
    return None if turn is None else message.checks[turn]


def offered_turn(message: Message, number: int, asks: Asked | None = None) -> int | None:
    # the check that the touch carries, else the last one carried
    turn = turn_of(message, number, asks)
    return _turn_in_pool(message, number) if turn is None else turn


def offered_check(message: Message, number: int, asks: Asked | None = None) -> Check | None:
    turn = offered_turn(message, number, asks)
    return None if turn is None else message.checks[turn]


def _pool(message: Message) -> list[int]:
    return [place for place, check in enumerate(message.checks) if not check.transfer]


def _turn_in_pool(message: Message, number: int) -> int | None:
    pool, told = _pool(message), _after_baseline(message, number)
    if not pool:
        return None
    carried = told if message.ask == "check" else told // message.check_every - (message.check_every == 1)
    return pool[(carried - 1) % len(pool)]


def _place_of(message: Message, kind: CheckKind) -> int | None:
    return next((place for place, check in enumerate(message.checks) if getattr(check, kind)), None)


# -- the answers to choose from -------------------------------------------------------------------


def order_of(message: Message, turn: int, campaign: str, person: str) -> tuple[int, ...]:
    """The places of a check's answers as this person sees them: random between people, the same each time."""
    places = range(len(message.checks[turn].answers))
    return tuple(sorted(places, key=lambda place: digest(person, campaign, message.id, str(turn), str(place))))


def answer_id(answer: str) -> str:
    # a rewritten answer is another one
    return digest(answer)[:8].hex()


# -- what was not clear ---------------------------------------------------------------------------


class AnsweredCheck(Protocol):
    """An answer about a touch, named by its ``key``."""

    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> dt.datetime: ...
    @property
    def right(self) -> bool | None: ...


def unclear_turn(
    message: Message, due_at: dt.datetime, answers: Iterable[AnsweredCheck], rows: Sequence[TouchRow]
) -> int | None:
    """The check that the touch of ``due_at`` explains again: the newest one answered, if that was wrong.

    ``answers`` and ``rows`` are of one person and message. Only the next touch after the answer does so. All that
    counts is older than ``due_at``: each attempt of a touch, and each look at it later, finds the same.
    """
    checks = [answer for answer in answers if answer.kind == "check" and answer.at <= due_at]
    newest = max(checks, key=lambda answer: answer.at, default=None)
    if newest is None or newest.right is not False:
        return None
    made = [row for row in rows if row.kind not in BY_HAND and row.state != "skipped"]
    if any(newest.at < row.due_at < due_at for row in made):
        return None
    answered = next((row for row in made if newest.key and row.key == newest.key), None)
    return offered_turn(message, answered.number, answered.asks) if answered else None
