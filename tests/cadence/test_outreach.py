from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from commsengine.cadence.history import Answer, History, OutreachOutcome, TouchRow
from commsengine.cadence.standing import call_again, open_outreach
from tests.builders import BEN, a_plan, utc
from tests.cadence.telling import BERLIN, a_row

CALLED = utc("2027-01-14 08:00")
THURSDAY, MONDAY = utc("2027-01-14 15:00"), utc("2027-01-18 09:00")


def call(message: str = "one-record") -> TouchRow:
    return replace(a_row("2027-01-14 08:00"), message=message, kind="personal", rung=2, channel="personal")


def outcome(what: str, at: dt.datetime, message: str = "one-record") -> OutreachOutcome:
    return OutreachOutcome("crm", message, what, at)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "2027-01-20 23:00"),  # Thursday, five working days: Thursday in Berlin
        ({"days": frozenset({0, 3})}, "2027-01-31 23:00"),
        ({"leave": ((dt.date(2027, 1, 18), dt.date(2027, 1, 22)),)}, "2027-01-27 23:00"),
    ],
)
def test_who_was_away_is_called_again_after_five_of_their_working_days(
    changes: dict[str, object], expected: str
) -> None:
    assert call_again(a_plan(), replace(BERLIN, **changes), THURSDAY) == utc(expected)


def test_the_day_begins_where_the_person_is() -> None:
    assert call_again(a_plan(), BEN, THURSDAY) == utc("2027-01-21 05:00")


def test_away_closes_an_outreach_until_the_next_call() -> None:
    history = History((call(),), outcomes=(outcome("away", THURSDAY),))
    back = utc("2027-01-20 23:00")
    assert open_outreach(a_plan(), BERLIN, history, back - dt.timedelta(seconds=1)) == []
    assert open_outreach(a_plan(), BERLIN, history, back) == ["one-record"]


def test_away_twice_counts_from_the_second() -> None:
    history = History((call(),), outcomes=(outcome("away", THURSDAY), outcome("away", utc("2027-01-21 09:00"))))
    assert open_outreach(a_plan(), BERLIN, history, utc("2027-01-27 22:59")) == []
    assert open_outreach(a_plan(), BERLIN, history, utc("2027-01-27 23:00")) == ["one-record"]


@pytest.mark.parametrize("what", ["understood", "objects", "declines"])
def test_any_other_outcome_closes_it_for_good(what: str) -> None:
    history = History((call(),), outcomes=(outcome("away", THURSDAY), outcome(what, MONDAY)))
    assert open_outreach(a_plan(), BERLIN, history, utc("2027-03-01")) == []


def test_an_answer_given_meanwhile_closes_it_for_good() -> None:
    answer = Answer("crm", "one-record", "acknowledged", MONDAY, "link")
    history = History((call(),), answers=(answer,), outcomes=(outcome("away", THURSDAY),))
    assert open_outreach(a_plan(), BERLIN, history, utc("2027-03-01")) == []


def test_what_came_before_the_call_or_is_about_another_message_closes_nothing() -> None:
    facts = (outcome("understood", CALLED - dt.timedelta(hours=1)), outcome("understood", THURSDAY, "other"))
    assert open_outreach(a_plan(), BERLIN, History((call(),), outcomes=facts), THURSDAY) == ["one-record"]
