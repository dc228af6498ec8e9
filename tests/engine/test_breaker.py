from __future__ import annotations

import datetime as dt

from commsengine.engine.breaker import Breaker
from tests.builders import utc

NOW = utc("2027-01-11 09:00")


def waits(breaker: Breaker, failures: int) -> list[float]:
    """The seconds it keeps still after each failure in a row."""
    now, found = NOW, []
    for _ in range(failures):
        breaker.fail("down", now)
        assert breaker.until
        found.append((breaker.until - now).total_seconds())
        now = breaker.until
    return found


def test_each_failure_in_a_row_doubles_the_wait_up_to_ten_minutes() -> None:
    assert waits(Breaker("email"), 7) == [30, 60, 120, 240, 480, 600, 600]


def test_threads_that_meet_the_same_failure_count_once() -> None:
    breaker = Breaker("email")
    for _ in range(5):
        breaker.fail("down", NOW)
    assert breaker.until == NOW + dt.timedelta(seconds=30)


def test_one_that_gets_through_makes_everything_as_before() -> None:
    breaker = Breaker("email")
    waits(breaker, 4)
    assert breaker.trying
    breaker.succeed()
    assert (breaker.trying, breaker.shut(NOW), waits(breaker, 1)) == (False, False, [30])


def test_patience_that_is_asked_for_is_no_failure() -> None:
    breaker = Breaker("slack")
    breaker.later(40, NOW)
    breaker.succeed()
    assert (breaker.shut(NOW), breaker.trying, breaker.patience(NOW)) == (True, False, 40.0)
    assert not breaker.shut(NOW + dt.timedelta(seconds=40))
