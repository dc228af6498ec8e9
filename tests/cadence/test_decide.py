"""Asked late, asked twice, asked outside the window: what is sent now, what is skipped, and what waits."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.decide import decide
from commsengine.cadence.history import SILENCE, Campaign, Campaigns, Decision, History, Snooze, Standstill, TouchRow
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from tests.builders import a_message, a_plan, running, utc
from tests.cadence.telling import BERLIN, NOTHING_YET, a_row, got_it, question, tell

MONDAY_9 = "2027-01-11 08:00"  # in UTC: 09:00 in Berlin
RETRY = a_row(MONDAY_9, state="retry", retry_at=utc("2027-01-11 08:05"), attempts=1)


ONE = a_plan(a_message(cadence={"every": "240h", "times": "1"}, follow_up=[]))


def asked(now: str, history: History = NOTHING_YET, plan: Plan | None = None, person: Person = BERLIN) -> Decision:
    return decide(running(plan or a_plan()), person, history, utc(now))


def skips(decision: Decision) -> list[str]:
    return [touch.skip for touch in decision.touches]


# -- instants -------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", [MONDAY_9, "2027-01-11 08:07", "2027-01-11 11:59"])
def test_due_at_is_the_first_allowed_instant_never_the_time_of_asking(now: str) -> None:
    (touch,) = asked(now).touches
    assert (touch.due_at, touch.local_date, touch.skip) == (utc(MONDAY_9), dt.date(2027, 1, 11), "")


def test_before_the_due_instant_there_is_only_a_bookmark() -> None:
    decision = asked("2027-01-11 07:59")
    assert (decision.touches, decision.wake_at) == ((), utc(MONDAY_9))
    assert [(reason.code, reason.next_at) for reason in decision.reasons] == [("window", utc(MONDAY_9))]


def test_a_claim_is_good_until_its_window_or_its_message_closes() -> None:
    assert asked(MONDAY_9).touches[0].not_after == utc("2027-01-11 15:30")
    noon = a_plan(a_message(until="kickoff 12:00"))
    assert asked(MONDAY_9, plan=noon).touches[0].not_after == utc("2027-01-11 11:00")


def test_a_touch_says_when_it_comes_again() -> None:
    assert asked(MONDAY_9).touches[0].again_at == utc("2027-01-13 08:00")
    friday = History((a_row(MONDAY_9), a_row("2027-01-13 10:00")))
    plan = a_plan(a_message(cadence={"every": "72h", "times": 5}, follow_up=[]))
    assert asked("2027-01-18 08:00", friday, plan).touches[0].again_at == utc("2027-01-21 08:00")


@pytest.mark.parametrize(
    "last", [{"cadence": {"every": "48h", "times": 1}, "follow_up": []}, {"until": "kickoff + 2d"}]
)
def test_the_last_touch_says_that_it_does_not_come_again(last: dict[str, Any]) -> None:
    assert asked(MONDAY_9, plan=a_plan(a_message(**last))).touches[0].again_at is None


def test_a_reminder_to_come_is_no_last_time() -> None:
    plan = a_plan(a_message(cadence={"every": "48h", "times": 1}))  # times run out before two touches
    first, second = tell(running(plan), BERLIN).touches[:2]
    assert (first.again_at, second.kind, second.again_at) == (second.due_at, "remind", None)


def test_asking_again_after_the_touch_is_on_record_gives_nothing_more() -> None:
    decision = asked(MONDAY_9, History((a_row(MONDAY_9, state="claimed"),)))
    assert (decision.touches, decision.wake_at) == ((), utc("2027-01-13 08:00"))


@pytest.mark.parametrize("state", ["claimed", "sending", "sent", "failed", "uncertain", "skipped"])
def test_no_row_of_any_state_is_made_again(state: str) -> None:
    assert asked("2027-01-11 09:00", History((a_row(MONDAY_9, state=state),))).touches == ()


# -- late -----------------------------------------------------------------------------------------


def test_late_is_more_than_four_hours_of_open_window() -> None:
    assert skips(asked("2027-01-11 12:00")) == [""]
    assert skips(asked("2027-01-11 12:01")) == ["late"]


def test_closed_hours_do_not_make_anything_late() -> None:
    plan = a_plan(a_message(**{"from": "kickoff 15:00"}, cadence={"every": "96h"}))
    assert skips(asked("2027-01-12 10:30", plan=plan)) == [""]  # an hour and a half on Monday, two and a half today
    assert skips(asked("2027-01-12 10:31", plan=plan)) == ["late"]


def test_what_was_skipped_as_late_does_not_count_in_times() -> None:
    told = tell(running(), BERLIN, start="2027-01-11 14:00")
    assert [(touch.kind, touch.skip, touch.number) for touch in told.touches[:4]] == [
        ("message", "late", 1),
        ("message", "", 1),
        ("message", "", 2),
        ("remind", "", 3),
    ]


def test_outside_the_window_nothing_leaves_though_it_is_due() -> None:
    decision = asked("2027-01-11 15:31", plan=a_plan(a_message(**{"from": "kickoff 16:00"})))
    assert (decision.touches, decision.wake_at) == ((), utc("2027-01-12 08:00"))
    assert decision.reasons[0].code == "missed_window"


def test_what_waited_overnight_keeps_its_due_date() -> None:
    told = tell(running(a_plan(a_message(**{"from": "kickoff 16:00"}))), BERLIN, start="2027-01-11 15:31")
    assert told.touches[0].due_at == utc("2027-01-11 15:00")
    assert told.history.rows[0].sent_at == utc("2027-01-12 08:00")


def test_two_touches_of_a_message_never_leave_together() -> None:
    plan = a_plan(a_message(**{"from": "2027-01-15 16:15"}))  # a Friday; the engine comes back on Monday
    assert skips(asked("2027-01-18 08:00", plan=plan)) == ["superseded", ""]


def test_the_last_touch_is_not_overtaken_by_one_that_never_comes() -> None:
    message = a_message(**{"from": "2027-01-15 16:15"}, cadence={"every": "48h", "times": 1})
    assert skips(asked("2027-01-18 08:00", plan=a_plan(message, follow_up=[]))) == [""]
    assert skips(asked("2027-01-18 08:00", plan=a_plan(message))) == ["superseded", ""]  # a reminder comes


def test_what_cannot_leave_before_its_message_closes_is_skipped() -> None:
    plan = a_plan(a_message(**{"from": "kickoff 16:00"}, until="kickoff + 1d"))
    assert skips(asked("2027-01-11 15:31", plan=plan)) == ["closed"]


def test_outreach_is_never_late() -> None:
    unreachable = History(unreachable={"email": "bounced"})
    (touch,) = asked("2027-02-20 03:00", unreachable).touches
    assert (touch.kind, touch.due_at, touch.skip) == ("personal", utc(MONDAY_9), "")


@pytest.mark.parametrize(
    "since",
    [
        {"questions": (question("2027-01-11 08:01", "2027-01-13 10:00"),)},
        {"snoozes": (Snooze("crm", "one-record", dt.date(2027, 1, 13), utc("2027-01-11 08:01")),)},
    ],
)
def test_lateness_counts_from_the_answer_and_from_the_end_of_a_snooze(since: dict[str, Any]) -> None:
    assert skips(asked("2027-01-13 10:30", History(**since), a_plan(a_message(cadence={"every": "72h"})))) == [""]


def test_what_is_snoozed_does_not_become_late_meanwhile() -> None:
    snoozed = History(snoozes=(Snooze("crm", "one-record", dt.date(2027, 1, 12), utc("2027-01-11 08:01")),))
    decision = asked("2027-01-11 14:00", snoozed)
    assert (decision.touches, decision.wake_at) == ((), utc("2027-01-12 08:00"))


@pytest.mark.parametrize(
    ("channel", "until", "skip"),
    [
        ("email", "2027-01-11 10:00", ""),  # four hours ago
        ("email", "2027-01-11 09:59", "late"),
        ("email", "2027-01-11 20:00", ""),  # it rests still
        ("slack", "2027-01-11 13:59", "late"),  # not a channel of the plan
        (SILENCE, "2027-01-11 10:00", ""),
        (SILENCE, "2027-01-11 09:59", "late"),
    ],
)
def test_lateness_counts_from_when_something_could_leave_again(channel: str, until: str, skip: str) -> None:
    rested = replace(running(a_plan()), rests={channel: utc(until)})
    assert skips(decide(rested, BERLIN, NOTHING_YET, utc("2027-01-11 14:00"))) == [skip]
    again = History((replace(RETRY, retry_at=utc("2027-01-11 13:50")),))
    assert skips(decide(rested, BERLIN, again, utc("2027-01-11 14:00"))) == [skip]


def test_a_retry_of_what_is_corrected_is_given_up() -> None:
    plan = a_plan(a_message(), a_message(id="put-right", corrects="one-record", **{"from": "2027-02-01"}))
    decision = asked("2027-01-11 08:06", History((RETRY,)), plan)
    assert skips(decision) == ["corrected"]
    assert [(r.message, r.code) for r in decision.reasons] == [("one-record", "corrected"), ("put-right", "window")]


def test_lateness_counts_from_the_end_of_a_pause_or_hold() -> None:
    stop = Standstill(utc("2027-01-11 09:00"), utc("2027-01-20 10:00"))
    once = a_plan(a_message(cadence={"every": "48h", "times": 1}, follow_up=[]))
    held = Campaigns((Campaign(once, utc("2027-01-04")),), holds=(stop,))
    assert skips(decide(held, BERLIN, History((RETRY,)), utc("2027-01-20 11:00"))) == [""]
    assert skips(decide(held, BERLIN, History((RETRY,)), utc("2027-01-20 15:00")))[0] == "late"


# -- retries --------------------------------------------------------------------------------------


def test_a_retry_keeps_its_key_its_date_and_its_number() -> None:
    (touch,) = asked("2027-01-11 08:06", History((RETRY,))).touches
    assert (touch.key, touch.local_date, touch.due_at) == (RETRY.key, RETRY.local_date, RETRY.due_at)
    assert (touch.number, touch.skip, touch.channel) == (1, "", "email")


def test_a_retry_keeps_its_date_when_the_person_has_moved_far_away() -> None:
    evening = replace(RETRY, due_at=utc("2027-01-11 20:00"), retry_at=utc("2027-01-12 00:10"))
    (touch,) = asked("2027-01-12 00:10", History((evening,)), person=replace(BERLIN, time_zone="Asia/Seoul")).touches
    assert (touch.key, touch.local_date) == (RETRY.key, RETRY.local_date)


def test_what_was_refused_for_no_fault_of_theirs_is_never_late() -> None:
    refused = a_row("2027-01-11", state="retry", attempts=3, retry_at=utc("2027-01-11 12:00"))
    late = asked("2027-01-12 13:00", History(rows=(refused,)), ONE)
    held = asked("2027-01-12 13:00", History(rows=(replace(refused, refusal_id=1, held=True),)), ONE)
    assert (skips(late), skips(held)) == (["late"], [""])
    waits = asked("2027-01-11 11:00", History(rows=(replace(refused, refusal_id=1, held=True),)), ONE)
    assert [reason.code for reason in waits.reasons if reason.next_at] == ["held"]


def test_of_a_message_whose_text_is_refused_nothing_is_sent_until_it_is_let_go() -> None:
    now, plan = utc("2027-01-12 13:00"), ONE
    (campaign,) = running(plan).running
    held = Campaigns((replace(campaign, held_messages=frozenset({"one-record"})),))
    decision = decide(held, BERLIN, NOTHING_YET, now)
    assert ([reason.code for reason in decision.reasons], decision.touches, decision.wake_at) == (["held"], (), None)
    gone_on = Campaigns((replace(campaign, let_go={"one-record": utc("2027-01-12 12:00")}),))
    assert skips(decide(gone_on, BERLIN, NOTHING_YET, now)) == [""]
    assert skips(decide(running(plan), BERLIN, NOTHING_YET, now)) == ["late"]


def test_a_retry_waits_for_its_instant() -> None:
    decision = asked("2027-01-11 08:04", History((RETRY,)))
    assert (decision.touches, decision.wake_at) == ((), utc("2027-01-11 08:05"))


def test_a_retry_asks_the_window_about_now() -> None:
    evening = replace(a_row("2027-01-11 15:00"), state="retry", retry_at=utc("2027-01-11 15:35"))
    plan = a_plan(a_message(cadence={"every": "72h"}))
    assert asked("2027-01-11 15:40", History((evening,)), plan).wake_at == utc("2027-01-12 08:00")


def test_a_retry_goes_to_the_next_channel_that_reaches_the_person() -> None:
    plan = a_plan(send={"channels": ["slack", "email"]})
    history = History((replace(RETRY, channel="slack"),), unreachable={"slack": "not on Slack"})
    assert [(touch.key, touch.channel) for touch in asked("2027-01-11 08:06", history, plan).touches] == [
        (RETRY.key, "email")
    ]


def reminder(**changes: Any) -> TouchRow:
    row = a_row("2027-01-15 08:00", rung=1, kind="remind", state="retry", retry_at=utc("2027-01-15 08:05"), attempts=1)
    return replace(row, **changes)


BEFORE = (a_row("2027-01-11 08:00"), a_row("2027-01-13 08:00"))


@pytest.mark.parametrize(
    ("rows", "facts", "now", "reason"),
    [
        ((*BEFORE, reminder()), {"answers": (got_it("2027-01-15 08:02"),)}, "2027-01-15 08:06", "answered"),
        ((RETRY,), {"answers": (got_it("2027-01-11 08:02", kind="heard_enough"),)}, "2027-01-11 08:06", "heard_enough"),
        ((RETRY,), {"unreachable": {"email": "bounced"}}, "2027-01-11 08:06", "unreachable"),
        ((RETRY,), {}, "2027-01-11 12:01", "late"),
        ((RETRY, a_row("2027-01-13 08:00")), {}, "2027-01-11 08:06", "superseded"),
        ((replace(RETRY, message="gone"),), {}, "2027-01-11 08:06", "superseded"),
    ],
)
def test_a_retry_that_is_no_longer_wanted_is_dropped(
    rows: tuple[TouchRow, ...], facts: dict[str, Any], now: str, reason: str
) -> None:
    decision = asked(now, History(rows, **facts))
    dropped = next(row for row in rows if row.state == "retry")
    assert [touch.skip for touch in decision.touches if touch.rung == dropped.rung] == [reason]


def test_a_retry_is_dropped_when_its_message_has_closed() -> None:
    row = replace(a_row("2027-01-11 15:00"), state="retry", retry_at=utc("2027-01-11 15:35"))
    assert skips(asked("2027-01-11 15:40", History((row,)), a_plan(a_message(until="kickoff + 1d")))) == ["closed"]


def test_an_answer_does_not_drop_the_retry_of_a_repeat() -> None:
    assert skips(asked("2027-01-11 08:06", History((RETRY,), answers=(got_it("2027-01-11 08:02"),)))) == [""]


def test_a_retry_waits_while_a_question_is_open_and_through_a_snooze() -> None:
    snooze = Snooze("crm", "one-record", dt.date(2027, 1, 12), utc("2027-01-11 08:02"))
    assert asked("2027-01-11 08:06", History((RETRY,), questions=(question("2027-01-11 08:02"),))).touches == ()
    decision = asked("2027-01-11 08:06", History((RETRY,), snoozes=(snooze,)))
    assert (decision.touches, decision.wake_at) == ((), utc("2027-01-12 08:00"))


def test_a_retry_of_a_campaign_that_does_not_run_is_left_alone() -> None:
    assert decide(Campaigns(()), BERLIN, History((RETRY,)), utc("2027-01-11 08:06")).touches == ()


# -- pure -----------------------------------------------------------------------------------------


def test_decide_changes_nothing_it_was_given() -> None:
    history = History((RETRY, *BEFORE))
    copy = History((RETRY, *BEFORE))
    asked("2027-02-11", history)
    assert history == copy


def test_a_person_without_campaigns_waits_for_a_fact() -> None:
    assert decide(Campaigns(()), BERLIN, NOTHING_YET, utc(MONDAY_9)) == Decision("ben")


def test_every_message_of_the_person_has_a_standing() -> None:
    assert asked("2027-01-12", History((a_row(MONDAY_9),))).standings == {("crm", "one-record"): "reached"}


def test_a_plan_asks_before_it_tells_and_keeps_one_question_for_the_end() -> None:
    kinds: list[dict[str, str]] = [{"baseline": "true"}, {}, {"transfer": "true"}]
    checks = [
        {"question": f"Q{n}?", "answers": ["a", "b"], "right": "a", "because": "So."} | kind
        for n, kind in enumerate(kinds)
    ]
    given = running(a_plan(a_message(checks=checks, cadence={"every": "48h", "times": "6"}), follow_up=[]))
    told = tell(given, BERLIN)
    assert [touch.asks for touch in told.touches] == ["baseline", "", "recall", "", "recall", "transfer"]
    assert [row.asks for row in told.history.rows] == [touch.asks for touch in told.touches]


def test_what_was_kept_for_the_end_is_asked_once() -> None:
    checks = [{"question": "Q?", "answers": ["a", "b"], "right": "a", "because": "So.", "transfer": "true"}]

    def given(times: str) -> Campaigns:
        return running(a_plan(a_message(checks=checks, cadence={"every": "48h", "times": times}), follow_up=[]))

    first = tell(given("3"), BERLIN, until="2027-01-18")
    later = tell(given("5"), BERLIN, start="2027-01-18", history=first.history)
    assert [touch.asks for touch in (*first.touches, *later.touches)] == ["", "", "transfer", "", ""]


def test_the_first_mail_is_the_first_by_mail() -> None:
    plan = a_plan(a_message(), send={"channels": ["email"], "at_most": {"per_day": 2, "per_week": 5}})
    before = replace(RETRY, state="sent", message="other", key="k")
    for channel, first in (("slack", True), ("email", False)):
        (touch,) = asked(MONDAY_9, History((replace(before, channel=channel),)), plan).touches
        assert (touch.channel, touch.first) == ("email", first)
