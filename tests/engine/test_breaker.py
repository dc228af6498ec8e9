from __future__ import annotations

import datetime as dt

from commsengine.engine.sending.breaker import Breaker
from tests.builders import utc

NOW = utc("2027-01-11 09:00")
SECOND = dt.timedelta(seconds=1)


def opened(failures: int = 1, **how: bool) -> tuple[Breaker, list[float]]:
    """A breaker that was opened so often in a row, and the seconds it kept still after each."""
    breaker, now, found = Breaker("email"), NOW, []
    for _ in range(failures):
        breaker.fail("down", now, at_once=True, **how)
        assert breaker.until
        found.append((breaker.until - now).total_seconds())
        now = breaker.until
    return breaker, found


def outcomes(breaker: Breaker, fine: int, refused: int, now: dt.datetime = NOW) -> None:
    for _ in range(fine):
        breaker.succeed(now)
    for _ in range(refused):
        breaker.refuse("451 4.3.0 try later", now, again=False)


def test_four_failures_to_connect_are_borne_the_fifth_in_a_row_opens() -> None:
    breaker = Breaker("email")
    for _ in range(4):
        breaker.fail("down", NOW)
    assert not breaker.shut(NOW)
    breaker.fail("down", NOW)
    assert (breaker.until, breaker.because) == (NOW + 30 * SECOND, "down")


def test_one_that_gets_through_begins_the_row_anew() -> None:
    breaker = Breaker("email")
    for _ in range(3):
        for _ in range(4):
            breaker.fail("down", NOW)
        breaker.succeed(NOW)
    assert not breaker.shut(NOW)


def test_each_opening_in_a_row_doubles_the_wait_up_to_ten_minutes() -> None:
    assert opened(7)[1] == [30, 60, 120, 240, 480, 600, 600]


def test_a_failure_that_lasts_opens_at_once_also_where_another_has_opened_before() -> None:
    breaker = Breaker("email")
    breaker.fail("535 refused", NOW, "us")
    assert (breaker.shut(NOW), breaker.fault) == (True, "us")
    later, _ = opened()
    later.fail("535 refused", NOW, "us")
    assert (later.fault, later.because, later.until) == ("us", "535 refused", NOW + 30 * SECOND)


def test_threads_that_meet_the_same_failure_count_once() -> None:
    breaker, _ = opened()
    for _ in range(7):
        breaker.fail("down", NOW)
    assert breaker.until == NOW + 30 * SECOND


def test_half_open_lets_a_single_message_pass() -> None:
    breaker, _ = opened()
    assert not breaker.admit(1, NOW)
    after = NOW + 31 * SECOND
    assert [breaker.admit(count, after) for count in (50, 1, 1)] == [False, True, False]
    breaker.leave()
    assert breaker.admit(1, after)


def test_one_that_gets_through_makes_everything_as_before() -> None:
    breaker, _ = opened(4)
    now = NOW + dt.timedelta(hours=1)
    breaker.succeed(now)
    assert (breaker.trying, breaker.shut(now), breaker.admit(50, now)) == (False, False, True)
    breaker.fail("down", now, at_once=True)
    assert breaker.until == now + 30 * SECOND


def test_what_was_under_way_does_not_open_a_channel_that_was_shut_meanwhile() -> None:
    breaker, _ = opened(fault="us")
    breaker.succeed(NOW)
    assert breaker.shut(NOW)


def test_more_than_a_fifth_refused_for_now_opens_from_twenty_outcomes_on() -> None:
    for fine, refused, opens in ((0, 19, False), (0, 20, True), (16, 4, False), (15, 5, True), (80, 20, False)):
        breaker = Breaker("email")
        outcomes(breaker, fine, refused)
        assert breaker.shut(NOW) == opens, (fine, refused)


def test_only_the_last_minute_counts() -> None:
    breaker = Breaker("email")
    outcomes(breaker, 0, 19)
    outcomes(breaker, 0, 19, NOW + 61 * SECOND)
    assert not breaker.shut(NOW + 61 * SECOND)


def test_a_relay_that_grey_lists_is_let_go_on_after_each_short_rest() -> None:
    breaker = Breaker("email")
    outcomes(breaker, 0, 20)
    after = NOW + 31 * SECOND
    assert breaker.admit(1, after)
    breaker.refuse("450 4.2.0 grey-listed", after, again=False)
    breaker.leave()
    assert (breaker.trying, breaker.admit(50, after)) == (False, True)


def test_a_relay_that_refuses_the_same_again_rests_for_longer() -> None:
    breaker = Breaker("email")
    outcomes(breaker, 0, 20)
    after = NOW + 31 * SECOND
    breaker.refuse("451 4.3.0 no directory", after, again=True)
    assert breaker.until == after + 60 * SECOND


def test_patience_that_is_asked_for_is_no_failure() -> None:
    breaker = Breaker("slack")
    breaker.later(40, NOW)
    breaker.succeed(NOW)
    assert (breaker.shut(NOW), breaker.trying, breaker.patience(NOW)) == (True, False, 40.0)
    assert not breaker.shut(NOW + 40 * SECOND)
