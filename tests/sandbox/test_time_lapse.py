from __future__ import annotations

import datetime as dt
import threading

import pytest

from commsengine.sandbox.time_lapse import Diary, TimeLapse, play
from tests.builders import utc
from tests.waiting import PATIENCE

MONDAY = utc("2027-01-11 09:00")
HOUR = dt.timedelta(hours=1)


def test_the_clock_stands_still_and_never_goes_back() -> None:
    clock = TimeLapse(MONDAY)
    clock.move_to(MONDAY + HOUR)
    clock.move_to(MONDAY)
    assert clock.now() == MONDAY + HOUR
    clock.sleep(60)
    assert clock.now() == MONDAY + HOUR + dt.timedelta(minutes=1)


def test_deeds_are_done_when_their_time_has_come_and_in_the_order_noted() -> None:
    diary, done = Diary(), list[str]()
    diary.note(MONDAY + HOUR, lambda: done.append("later"))
    diary.note(MONDAY, lambda: done.append("first"))
    diary.note(MONDAY, lambda: done.append("second"))
    diary.do_all(MONDAY)
    assert done == ["first", "second"]
    assert diary.next_at == MONDAY + HOUR


def test_people_act_at_the_same_time_and_each_in_their_own_order() -> None:
    met, done = threading.Barrier(2), list[str]()
    with Diary() as diary:
        for who in ("ana", "ben"):
            diary.note(MONDAY, lambda: met.wait(PATIENCE), who)
            diary.note(MONDAY, lambda who=who: done.append(who), who)  # type: ignore[misc]
        diary.note(MONDAY, lambda: done.append("the lead"))
        diary.do_all(MONDAY)
    assert done[0] == "the lead"
    assert sorted(done[1:]) == ["ana", "ben"]


def test_a_deed_that_fails_is_not_passed_over() -> None:
    with Diary() as diary:
        diary.note(MONDAY, lambda: 1 // 0, "ana")
        with pytest.raises(ZeroDivisionError):
            diary.do_all(MONDAY)


def test_it_ticks_at_every_event_and_at_midnight_when_answers_are_counted() -> None:
    clock, diary, ticks = TimeLapse(MONDAY), Diary(), list[dt.datetime]()
    wakes = iter([MONDAY + 5 * HOUR, MONDAY + 9 * HOUR, None])
    diary.note(MONDAY + 2 * HOUR, lambda: None)
    ahead = [next(wakes)]

    def tick() -> None:
        ticks.append(clock.now())
        if ahead[0] is not None and clock.now() >= ahead[0]:
            ahead[0] = next(wakes)

    play(clock, MONDAY + 24 * HOUR, diary, lambda: ahead[0], tick)
    midnight = MONDAY.replace(hour=0) + 24 * HOUR
    assert ticks == [MONDAY, MONDAY + 2 * HOUR, MONDAY + 5 * HOUR, MONDAY + 9 * HOUR, midnight]
    assert clock.now() == MONDAY + 24 * HOUR


def test_it_ends_before_the_end_even_if_somebody_would_be_due_then() -> None:
    clock, ticks = TimeLapse(MONDAY), list[dt.datetime]()
    play(clock, MONDAY + HOUR, Diary(), lambda: MONDAY + HOUR, lambda: ticks.append(clock.now()))
    assert ticks == [MONDAY]
