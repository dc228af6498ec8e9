"""When what falls due: snoozes, keys, budget, priority, and what a pause or a hold leaves behind."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.history import Campaign, Campaigns, History, Snooze, Standstill
from commsengine.cadence.people import Person
from tests.builders import BEN, a_message, a_plan, running, utc
from tests.cadence.telling import BERLIN, Told, a_row, days, got_it, lines, outcome, question, tell

TWICE = {"cadence": {"every": "48h", "times": 2}, "follow_up": []}
THREE = [a_message(id=name, **{"from": f"kickoff + {n}d"}, **TWICE) for n, name in enumerate(("a", "b", "c"))]
PAUSE = Standstill(utc("2027-01-11"), utc("2027-01-20 10:00"))


def snooze(until: str, at: str) -> Snooze:
    return Snooze("crm", "one-record", dt.date.fromisoformat(until), utc(at))


def told_as(told: Told) -> list[str]:
    return [
        f"{touch.message} {line}"
        for touch, line in zip(told.touches, lines(told.touches, "Europe/Berlin"), strict=True)
    ]


# -- the person's own wish ------------------------------------------------------------------------


def test_a_snooze_moves_the_next_touch_to_its_date() -> None:
    told = tell(running(), BERLIN, snooze("2027-01-19", at="2027-01-12 10:00"))
    assert days(told.touches)[:2] == ["2027-01-11", "2027-01-19"]


def test_why_says_that_a_snooze_holds_the_next_touch() -> None:
    told = tell(running(), BERLIN, snooze("2027-01-19", at="2027-01-12 10:00"), until="2027-01-14")
    assert (told.reasons["snoozed"].next_at, told.last.wake_at) == (utc("2027-01-19 08:00"), utc("2027-01-19 08:00"))


def test_a_snooze_holds_even_what_was_due_but_not_sent_yet() -> None:
    snoozed = History(snoozes=(snooze("2027-01-12", at="2027-01-11 08:30"),))
    told = tell(running(), BERLIN, start="2027-01-11 09:00", history=snoozed, until="2027-01-13")
    assert [(touch.due_at, touch.skip) for touch in told.touches] == [(utc("2027-01-11 08:00"), "")]
    assert told.history.rows[0].sent_at == utc("2027-01-12 08:00")


def test_a_question_asked_at_the_weekend_holds_what_would_leave_on_monday() -> None:
    plan = a_plan(a_message(**{"from": "2027-01-14"}))  # a Thursday: the next slot is Saturday's
    told = tell(running(plan), BERLIN, question("2027-01-16 20:00", "2027-01-18 11:00"))
    assert lines(told.touches, "Europe/Berlin")[1] == "Mon 18 Jan 12:00 message email"


# -- keys, budget, priority -----------------------------------------------------------------------


def test_a_key_that_exists_moves_the_touch_to_the_next_local_date() -> None:
    flown = replace(BEN, time_zone="Asia/Seoul")  # here the next slot lies on a date that has its row already
    row = replace(a_row("2027-01-11 01:00"), local_date=dt.date(2027, 1, 13))
    roomy = a_plan(send={"channels": ["email"], "at_most": {"per_day": 5, "per_week": 9}})
    told = tell(running(roomy), flown, start="2027-01-12", history=History((row,)))
    assert days(told.touches)[0] == "2027-01-14"


def test_a_moved_milestone_never_sends_again() -> None:
    done = tell(running(a_plan(a_message(**TWICE))), BERLIN).history
    moved = a_plan(a_message(**TWICE), milestones={"kickoff": "2027-02-01", "go_live": "2027-04-15"})
    assert tell(running(moved), BERLIN, start="2027-01-20", history=done).touches == []


def test_a_moved_milestone_leaves_the_rest_of_the_touches() -> None:
    moved = a_plan(a_message(**TWICE), milestones={"kickoff": "2027-02-01", "go_live": "2027-04-15"})
    told = tell(running(moved), BERLIN, start="2027-01-12", history=History((a_row("2027-01-11 08:00"),)))
    assert [(touch.local_date.isoformat(), touch.number) for touch in told.touches] == [("2027-02-01", 2)]


def test_caps_hold_over_all_campaigns_of_a_person() -> None:
    two = a_plan(a_message(**TWICE), campaign="two", send={"channels": ["email"]})
    told = tell(running(a_plan(a_message(**TWICE)), two), BERLIN)
    assert [(touch.campaign, touch.local_date.day) for touch in told.touches] == [
        ("crm", 11), ("two", 12), ("crm", 13), ("two", 18),
    ]  # fmt: skip


def test_at_the_same_instant_priority_goes_first_then_the_order_of_the_plan() -> None:
    names = (("low", "low"), ("first", "normal"), ("second", "normal"), ("high", "high"))
    plan = a_plan(*(a_message(id=name, priority=priority, **TWICE) for name, priority in names))
    told = tell(running(plan), BERLIN)
    assert [touch.message for touch in told.touches[:3]] == ["high", "first", "high"]
    assert [touch.message for touch in told.touches].index("second") < [t.message for t in told.touches].index("low")


def test_the_workspaces_minimum_gap_holds_between_messages() -> None:
    roomy = {"channels": ["email"], "at_most": {"per_day": 3, "per_week": 9}}
    plan = a_plan(a_message(id="a", **TWICE), a_message(id="b", **TWICE), send=roomy)
    told = tell(running(plan, minimum_gap="3h"), BERLIN)
    assert [f"{touch.due_at:%d %H:%M}" for touch in told.touches[:2]] == ["11 08:00", "11 11:00"]


def test_a_dropped_retry_keeps_its_place_in_the_budget() -> None:
    # a's first attempt failed; meanwhile it was answered. b must not turn out to have been due all day, and late.
    plan = a_plan(a_message(repeat_until="acknowledged"), a_message(id="two", **TWICE), send={"channels": ["email"]})
    row = a_row("2027-01-11 08:00", state="retry", retry_at=utc("2027-01-11 14:00"), attempts=1)
    history = History((row,), answers=(got_it("2027-01-11 13:30"),))
    told = tell(running(plan), BERLIN, start="2027-01-11 14:00", history=history)
    assert told_as(told) == [
        "one-record Mon 11 Jan 09:00 message email, skipped: answered",
        "two Tue 12 Jan 09:00 message email",
        "two Thu 14 Jan 09:00 message email",
    ]


# -- after a pause or a hold ----------------------------------------------------------------------


def paused(backlog: str, *messages: dict[str, Any], person: Person = BERLIN, **more: Any) -> Told:
    campaign = Campaign(a_plan(*(messages or THREE)), utc("2027-01-04"), pauses=(replace(PAUSE, backlog=backlog),))
    return tell(Campaigns((campaign,)), person, start="2027-01-20 10:00", **more)


def test_backlog_latest_sends_the_newest_of_the_person_and_skips_the_others() -> None:
    assert told_as(paused("latest"))[:3] == [
        "a Wed 20 Jan 11:00 message email, skipped: merged",
        "b Wed 20 Jan 11:00 message email, skipped: merged",
        "c Wed 20 Jan 11:00 message email",
    ]


def test_the_newest_wins_whatever_its_place_in_the_plan() -> None:
    assert [(touch.message, touch.skip) for touch in paused("latest", *reversed(THREE)).touches[:3]] == [
        ("b", "merged"),
        ("a", "merged"),
        ("c", ""),
    ]


def test_of_several_retries_and_repeats_one_touch_leaves() -> None:
    state = {"state": "retry", "retry_at": utc("2027-01-12 09:00"), "attempts": 1}
    rows = (a_row("2027-01-11 08:00", message="a", **state), a_row("2027-01-12 08:00", message="c", **state))
    told = paused("latest", *THREE, history=History(rows))
    assert [touch.skip for touch in told.touches if touch.due_at <= PAUSE.until].count("") == 1


def test_backlog_all_spreads_everything_over_the_budget() -> None:
    assert told_as(paused("all"))[:3] == [
        "a Wed 20 Jan 11:00 message email",
        "b Thu 21 Jan 09:00 message email",
        "c Fri 22 Jan 09:00 message email",
    ]


def test_backlog_none_skips_everything_and_goes_on_from_there() -> None:
    told = paused("none")
    assert [touch.skip for touch in told.touches[:3]] == ["backlog"] * 3
    assert told_as(told)[3] == "a Fri 22 Jan 11:00 message email"


def test_a_retry_from_before_the_pause_is_backlog_too() -> None:
    row = a_row("2027-01-08 08:00", state="retry", message="a", retry_at=utc("2027-01-08 08:30"), attempts=1)
    for backlog, skip in (("latest", "merged"), ("none", "backlog"), ("all", "superseded")):
        told = paused(backlog, history=History((row,)))
        assert next(touch.skip for touch in told.touches if touch.key == row.key) == skip


def test_outreach_that_fell_due_in_a_pause_is_never_skipped() -> None:
    told = paused("none", a_message(), history=History(unreachable={"email": "bounced"}))
    assert told_as(told) == ["one-record Wed 20 Jan 11:00 personal personal"]


def test_what_falls_due_after_the_pause_is_no_backlog() -> None:
    later = a_message(id="later", **{"from": "2027-01-20 12:00"}, **TWICE)
    assert told_as(paused("none", later))[0] == "later Wed 20 Jan 12:00 message email"


def test_a_hold_merges_over_all_campaigns_and_a_pause_over_its_own() -> None:
    one, two = (Campaign(a_plan(THREE[n], campaign=f"c{n}"), utc("2027-01-04")) for n in (0, 1))
    held = tell(Campaigns((one, two), holds=(PAUSE,)), BERLIN, start="2027-01-20 10:00")
    assert [(touch.campaign, touch.skip) for touch in held.touches[:2]] == [("c0", "merged"), ("c1", "")]
    own = Campaigns((replace(one, pauses=(PAUSE,)), replace(two, pauses=(PAUSE,))))
    each = tell(own, BERLIN, start="2027-01-20 10:00")
    assert [touch.skip for touch in each.touches[:2]] == ["", ""]


def test_a_campaign_that_started_after_a_hold_knows_nothing_of_it() -> None:
    campaign = Campaign(a_plan(*THREE), utc("2027-01-21"))
    told = tell(Campaigns((campaign,), holds=(replace(PAUSE, backlog="none"),)), BERLIN, start="2027-01-21")
    assert {touch.skip for touch in told.touches} == {""}


@pytest.mark.parametrize("backlog", ["latest", "all", "none"])
def test_the_key_of_what_is_skipped_is_never_taken(backlog: str) -> None:
    keys = [touch.key for touch in paused(backlog).touches]
    assert len(keys) == len(set(keys))


def test_a_sponsor_rung_keeps_the_window_too() -> None:
    ladder = [{"after": "1 touch", "do": "personal"}, {"after": "2 working days", "do": "sponsor"}]
    told = tell(running(a_plan(a_message(follow_up=ladder))), BERLIN, outcome("2027-01-14 18:00", "objects"))
    assert [line for line in lines(told.touches, "Europe/Berlin") if "sponsor" in line] == [
        "Mon 18 Jan 09:00 sponsor personal"
    ]


def test_a_message_that_others_leave_no_place_for_says_so() -> None:
    eager = a_message(id="one-record", priority="high", cadence={"every": "24h", "times": 4}, follow_up=[])
    late = a_message(id="wish-list", priority="low", until="kickoff + 4d", follow_up=[])
    plan = a_plan(eager, late, send={"at_most": {"per_day": 1, "per_week": 3}})
    told = tell(running(plan), BERLIN)
    assert days(told.touches) == ["2027-01-11", "2027-01-12", "2027-01-13", "2027-01-18"]
    assert told.reasons["no_room"].message == "wish-list"
    said = "Other messages come first until it closes: nobody may get more than 1 a day and 3 a week."
    assert told.reasons["no_room"].text == said
