"""What is said for one day, and what is urgent: when it comes, and to whom it does not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.history import History, Standstill
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Notice, Plan
from tests.builders import a_message, a_plan, running, utc
from tests.cadence.telling import BERLIN, Told, a_row, got_it, lines, tell

QUIET = a_message(**{"from": "2027-06-01", "until": "2027-06-02"})
"""A plan that says nothing now."""


def notice(at: str, **changes: Any) -> Notice:
    day = utc(at).date()
    times = {"from": str(day), "until": str(day + dt.timedelta(days=1)), "said_at": utc(at).isoformat()}
    once = {"cadence": {"every": "24h", "times": "1"}, "ask": "nothing", "priority": "high"}
    return Notice.model_validate({"id": "now-1", "key_point": "Down until noon.", **times, **once, **changes})


def urgent(at: str, **changes: Any) -> Notice:
    return notice(at, urgent=True, because="An outage.", **changes)


def with_notice(new: Notice, *messages: Any, **changes: Any) -> Plan:
    return a_plan(*(messages or (QUIET,)), **changes).with_notices([new])


def told(new: Notice, person: Person = BERLIN, plan: Plan | None = None, **how: Any) -> Told:
    plan = plan or with_notice(new)
    assert new.said_at
    start = how.pop("start", f"{new.said_at:%Y-%m-%d %H:%M}")
    return tell(running(plan), person, *how.pop("facts", ()), start=start, until="2027-02-01", **how)


def said(new: Notice, person: Person = BERLIN, **how: Any) -> list[str]:
    return lines(told(new, person, **how).touches, person.time_zone)


def test_it_comes_at_once_in_the_window_and_only_once() -> None:
    assert said(notice("2027-01-12 10:00")) == ["Tue 12 Jan 11:00 message email"]


def test_before_the_window_it_waits_for_it() -> None:
    assert said(notice("2027-01-12 05:00")) == ["Tue 12 Jan 09:00 message email"]


@pytest.mark.parametrize("at", ["2027-01-12 18:00", "2027-01-16 10:00"])
def test_after_the_window_and_at_the_weekend_it_does_not_come_at_all(at: str) -> None:
    found = told(notice(at))
    assert (found.touches, [reason.code for reason in found.last.reasons if reason.message == "now-1"]) == (
        [],
        ["closed"],
    )


@pytest.mark.parametrize(("zone", "when"), [
    ("Asia/Seoul", "Wed 13 Jan 09:00 message email"),  # it is Wednesday there, before the window
    ("Pacific/Auckland", "Wed 13 Jan 11:00 message email"),
    ("America/Los_Angeles", "Tue 12 Jan 14:00 message email"),
])  # fmt: skip
def test_the_day_is_that_of_where_they_live(zone: str, when: str) -> None:
    assert said(notice("2027-01-12 22:00"), replace(BERLIN, time_zone=zone, country="")) == [when]


def test_urgent_it_comes_at_night_at_the_weekend_and_on_a_holiday() -> None:
    for at, line in (
        ("2027-01-12 01:30", "Tue 12 Jan 02:30 message email"),
        ("2027-01-16 10:00", "Sat 16 Jan 11:00 message email"),
        ("2027-01-01 10:00", "Fri 1 Jan 11:00 message email"),
    ):
        new = urgent(at)
        plan = with_notice(new, send={"channels": ["email"], "holidays": "true"})
        found = tell(running(plan, started="2026-12-01"), BERLIN, start=at, until="2027-02-01")
        assert lines(found.touches, "Europe/Berlin") == [line]


def test_urgent_it_passes_the_persons_own_hours() -> None:
    early = replace(BERLIN, quiet=(14 * 60, 15 * 60))
    assert said(notice("2027-01-12 10:00"), early) == ["Tue 12 Jan 14:00 message email"]
    assert said(urgent("2027-01-12 10:00"), early) == ["Tue 12 Jan 11:00 message email"]


def test_urgent_it_passes_a_black_out() -> None:
    out = {"black_out": ["2027-01-12"]}
    for new, number in ((notice("2027-01-12 10:00"), 0), (urgent("2027-01-12 10:00"), 1)):
        found = tell(running(with_notice(new), **out), BERLIN, start="2027-01-12 10:00", until="2027-02-01")
        assert len(found.touches) == number


def test_on_leave_nobody_gets_it() -> None:
    away = replace(BERLIN, leave=((dt.date(2027, 1, 12), dt.date(2027, 1, 13)),))
    assert said(urgent("2027-01-12 10:00"), away) == []


def test_who_joins_the_next_day_does_not_get_it() -> None:
    later = replace(BERLIN, since=utc("2027-01-13 08:00"))
    assert said(urgent("2027-01-12 10:00"), later, start="2027-01-13 09:00") == []


def test_it_waits_for_the_budget_and_urgent_takes_a_place_of_it() -> None:
    had = History((a_row("2027-01-12 08:00"),))
    assert said(notice("2027-01-12 10:00"), history=had) == []
    assert said(urgent("2027-01-12 10:00"), history=had) == ["Tue 12 Jan 11:00 message email"]
    new = urgent("2027-01-12 07:00")
    plan = with_notice(new, a_message(**{"from": "2027-01-12"}, follow_up=[], cadence={"every": "48h", "times": "1"}))
    assert said(new, plan=plan) == ["Tue 12 Jan 08:00 message email", "Wed 13 Jan 09:00 message email"]


def test_of_two_due_at_one_time_the_notice_takes_the_place() -> None:
    new = notice("2027-01-12 05:00")
    plan = with_notice(new, a_message(**{"from": "2027-01-12"}, follow_up=[], cadence={"every": "48h", "times": "1"}))
    assert [touch.message for touch in told(new, plan=plan).touches] == ["now-1", "one-record"]


def test_who_is_done_with_the_campaign_or_is_reached_by_nothing_does_not_get_it() -> None:
    enough = got_it("2027-01-12 09:00", "one-record", kind="not_for_me", whole_campaign=True)
    assert said(urgent("2027-01-12 10:00"), facts=[enough], start="2027-01-12 09:00") == []
    found = told(urgent("2027-01-12 10:00"), history=History(unreachable={"email": "suppressed"}))
    assert (found.touches, "unreachable" in found.reasons) == ([], True)


def test_it_leaves_before_the_end_of_the_day() -> None:
    (touch,) = told(urgent("2027-01-12 20:00")).touches
    assert touch.not_after == utc("2027-01-12 23:00")


def test_after_a_pause_it_still_comes_that_day_and_not_the_next() -> None:
    new = urgent("2027-01-12 10:00")
    campaigns = running(with_notice(new))

    def after(until: str) -> list[str]:
        pause = Standstill(utc("2027-01-12 09:00"), utc(until))
        paused = replace(campaigns, running=(replace(campaigns.running[0], pauses=(pause,)),))
        return lines(tell(paused, BERLIN, start=until, until="2027-02-01").touches, "Europe/Berlin")

    assert after("2027-01-12 21:00") == ["Tue 12 Jan 22:00 message email"]
    assert after("2027-01-13 08:00") == []


def test_only_the_roles_that_it_names_get_it() -> None:
    assert said(urgent("2027-01-12 10:00", to=["others"])) == []
    assert said(urgent("2027-01-12 10:00", to=["sales"])) == ["Tue 12 Jan 11:00 message email"]


def test_who_has_the_answer_by_a_letter_does_not_get_it_as_a_message_too() -> None:
    asked = a_row("2027-01-11 09:00")
    new = notice("2027-01-12 10:00", answers=[asked.key])
    assert said(new, history=History(rows=(asked,))) == []
    found = told(new, history=History(rows=(asked,)))
    assert [reason.code for reason in found.last.reasons if reason.message == "now-1"] == ["answered"]
    assert said(new) == ["Tue 12 Jan 11:00 message email"]
