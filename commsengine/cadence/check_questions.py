"""Which touch carries a check, which one of the pool, and in which order a person sees its answers.

Mail, page, Slack and simulation all ask here, so that a touch has one question wherever it is looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Protocol

from commsengine.cadence.history import TouchRow
from commsengine.cadence.kinds_and_states import BY_HAND
from commsengine.cadence.plan import Check, Message
from commsengine.text import digest


def turn_of(message: Message, number: int) -> int | None:
    """The place in the pool of the check that the ``number``-th touch (from 1) carries; ``None`` for none."""
    carries = message.ask == "check" or (number > 1 and number % message.check_every == 0)
    return offered_turn(message, number) if carries else None


def check_of(message: Message, number: int) -> Check | None:
    turn = turn_of(message, number)
    return None if turn is None else message.checks[turn]


def offered_turn(message: Message, number: int) -> int | None:
    # the check that the touch carries, else the last one carried
    if not message.checks:
        return None
    carried = number if message.ask == "check" else number // message.check_every - (message.check_every == 1)
    return (carried - 1) % len(message.checks)


def offered_check(message: Message, number: int) -> Check | None:
    turn = offered_turn(message, number)
    return None if turn is None else message.checks[turn]


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
    return offered_turn(message, answered.number) if answered else None
