"""Where one person stands on one message: a fact from the record, never an estimate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from commsengine.cadence.history import Answer, Question, TouchRow

STANDINGS = ("heard enough", "asked", "not recalled", "recalled", "acknowledged", "reached", "not reached")
"""The first that holds is the person's standing."""

ENOUGH = frozenset({"heard_enough", "not_for_me"})
REACHED = frozenset({"sent", "uncertain"})


def standing(rows: Iterable[TouchRow], answers: Sequence[Answer], questions: Iterable[Question]) -> str:
    """The standing, from the rows, answers and questions of this person and message alone."""
    if any(answer.kind in ENOUGH for answer in answers):
        return "heard enough"
    if any(question.answered_at is None for question in questions):
        return "asked"
    checks = [answer for answer in answers if answer.kind == "check"]
    if checks:
        return "recalled" if max(checks, key=lambda check: check.at).right else "not recalled"
    if answers:
        return "acknowledged"
    return "reached" if any(row.state in REACHED for row in rows) else "not reached"
