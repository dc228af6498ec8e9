"""People of a rehearsal who really forget."""

from __future__ import annotations

import pytest

from commsengine.cadence.forecast import forecast, messages_of
from commsengine.cadence.history import History
from commsengine.planning.simulated_people import STRONG, WEAK, people_who_forget
from tests.builders import a_message, a_plan, running, someone, utc

CHECK = {"question": "Where?", "answers": ["Here", "There", "Nowhere", "Both"], "right": "Here", "because": "So."}
PLAN = a_plan(a_message(ask="check", checks=[CHECK], cadence={"every": "72h", "times": "9"}), follow_up=[])


def said(theta: float, people: int = 100) -> list[bool]:
    """Whether each answered check was right, of all these people."""
    campaigns = running(PLAN)
    suppose = people_who_forget(messages_of(campaigns), theta)
    seen = [
        forecast(campaigns, someone(n), History(), utc("2027-01-04"), utc("2027-03-15"), suppose) for n in range(people)
    ]
    return [bool(answer.right) for one in seen for answer in one.history.answers if answer.kind == "check"]


def test_who_remembers_better_is_right_more_often() -> None:
    weak, usual, strong = said(WEAK), said(0.0), said(STRONG)
    assert len(weak) == len(usual) == len(strong) > 120
    assert share(weak) + 0.02 < share(usual) < share(strong) - 0.02


def share(right: list[bool]) -> float:
    return sum(right) / len(right)


def test_the_same_people_say_the_same_each_time() -> None:
    assert said(0.0, 20) == said(0.0, 20)


def test_who_forgets_everything_guesses_and_who_forgets_nothing_knows_what_they_have_read() -> None:
    assert share(said(-60.0)) == pytest.approx(0.25, abs=0.07)
    assert share(said(60.0)) > 0.5  # whoever answers the first touch they read has nothing to remember
