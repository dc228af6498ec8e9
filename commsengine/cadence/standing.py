"""Where one person stands on one message: a fact from the record, never an estimate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from commsengine.cadence.budget import BY_HAND
from commsengine.cadence.history import Answer, Outcome, Question, TouchRow

STANDINGS = ("heard enough", "asked", "not recalled", "recalled", "acknowledged", "reached", "not reached")
"""The first that holds is the person's standing."""

ENOUGH = frozenset({"heard_enough", "not_for_me"})
REACHED = frozenset({"sent", "uncertain"})


def standing(
    rows: Iterable[TouchRow],
    answers: Sequence[Answer],
    questions: Iterable[Question],
    outcomes: Iterable[Outcome] = (),
) -> str:
    """The standing, from what is on record of this person and message alone."""
    if any(answer.kind in ENOUGH for answer in answers):
        return "heard enough"
    if any(question.answered_at is None for question in questions):
        return "asked"
    checks = [answer for answer in answers if answer.tells]
    if checks:
        return "recalled" if max(checks, key=lambda check: check.at).right else "not recalled"
    if answers:
        return "acknowledged"
    carried = any(row.state in REACHED and row.kind not in BY_HAND for row in rows)
    talked = any(outcome.outcome != "away" for outcome in outcomes)  # an open call has reached nobody yet
    return "reached" if carried or talked else "not reached"
