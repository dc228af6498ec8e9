"""The ladder: which rung comes when, and what ends it. All in Berlin, 09:00 to 16:30, every 48h, unless said."""

from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.history import History
from tests.builders import a_message, a_plan, running, utc
from tests.cadence.telling import BERLIN, NOTHING_YET, Fact, Told, a_row, days, got_it, lines, outcome, question, tell

PERSONAL = [{"after": "1 touch", "do": "personal"}]
SPONSOR = [*PERSONAL, {"after": "2 working days", "do": "sponsor"}]
NO_EMAIL = History(unreachable={"email": "bounced"})


def story(*facts: Fact, history: History = NOTHING_YET, **message: Any) -> Told:
    return tell(running(a_plan(a_message(**message))), BERLIN, *facts, history=history)


def kinds(told: Told) -> list[str]:
    return [touch.kind for touch in told.touches]


def test_a_reminder_replaces_a_repeat_and_counts_in_times() -> None:
    assert lines(story().touches, "Europe/Berlin") == [
        "Mon 11 Jan 09:00 message email",
        "Wed 13 Jan 09:00 message email",
        "Fri 15 Jan 09:00 remind email",
        "Mon 18 Jan 09:00 personal personal",
    ]


def test_touches_are_numbered_from_one_over_messages_and_reminders() -> None:
    assert [touch.number for touch in story().touches] == [1, 2, 3, 4]


def test_after_n_touches_counts_those_since_the_rung_before() -> None:
    told = story(cadence={"every": "24h", "times": 9})
    assert kinds(told)[:6] == ["message", "message", "remind", "message", "personal", "message"]


def test_a_failed_touch_is_none_that_somebody_could_have_answered() -> None:
    failed = History((a_row("2027-01-11 08:00", state="failed"),))
    assert kinds(story(history=failed, cadence={"every": "48h", "times": 4}))[:3] == ["message", "message", "remind"]


def test_after_n_working_days_counts_the_persons_own() -> None:
    ladder = [{"after": "3 working days", "do": "personal"}]
    plan = a_plan(a_message(follow_up=ladder, cadence={"every": "24h", "times": 9}))
    away = replace(BERLIN, leave=((utc("2027-01-12").date(), utc("2027-01-13").date()),))
    assert days(tell(running(plan), BERLIN).touches, "personal") == ["2027-01-14"]
    assert days(tell(running(plan), away).touches, "personal") == ["2027-01-18"]


def test_when_times_run_out_first_the_next_rung_comes_one_interval_after_the_last_touch() -> None:
    told = story(cadence={"every": "48h", "times": 1}, follow_up=[{"after": "5 touches", "do": "personal"}])
    assert lines(told.touches, "Europe/Berlin") == [
        "Mon 11 Jan 09:00 message email",
        "Wed 13 Jan 09:00 personal personal",
    ]


def test_when_times_run_out_first_a_wait_in_working_days_is_waited_out() -> None:
    told = story(cadence={"every": "24h", "times": 1}, follow_up=[{"after": "5 working days", "do": "personal"}])
    assert days(told.touches, "personal") == ["2027-01-18"]


def test_an_open_personal_rung_does_not_stop_the_repeats() -> None:
    told = story(cadence={"every": "48h", "times": 3}, follow_up=PERSONAL)
    assert lines(told.touches, "Europe/Berlin") == [
        "Mon 11 Jan 09:00 message email",
        "Wed 13 Jan 09:00 personal personal",  # it takes the slot, and none of the three times
        "Fri 15 Jan 09:00 message email",
        "Mon 18 Jan 09:00 message email",
    ]


def test_ask_nothing_never_climbs() -> None:
    assert kinds(story(ask="nothing")) == ["message"] * 3


def test_whoever_no_channel_reaches_goes_to_a_person_at_once() -> None:
    told = story(history=NO_EMAIL)
    assert lines(told.touches, "Europe/Berlin") == ["Mon 11 Jan 09:00 personal personal"]
    assert told.reasons["unreachable"].waits_for == "a new address"


def test_whoever_no_channel_reaches_any_more_goes_to_a_person_the_same_day() -> None:
    sent = (a_row("2027-01-11 08:00", state="failed"),)
    told = story(history=replace(NO_EMAIL, rows=sent))
    assert lines(told.touches, "Europe/Berlin") == ["Mon 11 Jan 09:00 personal personal"]


@pytest.mark.parametrize(("after", "expected"), [("3 working days", "2027-01-14"), ("2 touches", "2027-01-13")])
def test_a_second_outreach_still_waits_where_no_channel_reaches_the_person(after: str, expected: str) -> None:
    ladder = [*PERSONAL, {"after": after, "do": "personal", "by": "lead"}]
    assert days(story(history=NO_EMAIL, follow_up=ladder).touches) == ["2027-01-11", expected]


# -- what ends it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["acknowledged", "check", "input", "commit"])
def test_an_answer_ends_the_chasing_not_the_repeating(kind: str) -> None:
    assert kinds(story(got_it("2027-01-11 10:00", kind=kind, right=False))) == ["message"] * 3


def test_an_answer_between_reminder_and_outreach_ends_the_ladder() -> None:
    assert kinds(story(got_it("2027-01-16"))) == ["message", "message", "remind"]


def test_repeats_end_with_an_acknowledgement_where_the_plan_says_so() -> None:
    told = story(got_it("2027-01-11 10:00"), repeat_until="acknowledged")
    assert days(told.touches) == ["2027-01-11"]
    assert told.reasons["answered"].waits_for == "never"


def test_repeats_end_with_recall_where_the_plan_says_so() -> None:
    check = {"question": "Where?", "answers": ["a", "b"], "right": "a", "because": "So."}
    message = {"repeat_until": "recalled", "checks": [check], "ask": "check"}
    wrong = got_it("2027-01-11 10:00", kind="check", right=False)
    right = got_it("2027-01-13 10:00", kind="check", right=True)

    def told(*facts: Fact, recall: str = "person") -> list[str]:
        return days(tell(running(a_plan(a_message(**message)), recall=recall), BERLIN, *facts).touches)

    assert told(wrong) == ["2027-01-11", "2027-01-13", "2027-01-15"]
    assert told(wrong, right) == ["2027-01-11", "2027-01-13"]
    assert told(got_it("2027-01-11 10:00")) == ["2027-01-11", "2027-01-13", "2027-01-15"]
    assert told(wrong, right, recall="role") == ["2027-01-11", "2027-01-13", "2027-01-15"]  # it would show who is right


@pytest.mark.parametrize("kind", ["heard_enough", "not_for_me"])
def test_heard_enough_ends_this_message_and_no_other(kind: str) -> None:
    plan = a_plan(a_message(), a_message(id="two", **{"from": "kickoff + 1d"}))
    told = tell(running(plan), BERLIN, got_it("2027-01-11 10:00", kind=kind))
    assert {touch.message for touch in told.touches[1:]} == {"two"}
    assert told.last.standings["crm", "one-record"] == "heard enough"


def test_heard_enough_of_the_campaign_ends_all_its_messages() -> None:
    plan, other = a_plan(a_message(), a_message(id="two")), a_plan(campaign="other", send={"channels": ["email"]})
    told = tell(running(plan, other), BERLIN, got_it("2027-01-11 10:00", kind="heard_enough", whole_campaign=True))
    assert {touch.campaign for touch in told.touches[1:]} == {"other"}


def test_an_open_question_stops_repeats_and_chasing_until_it_is_answered() -> None:
    told = story(question("2027-01-12 10:00", "2027-01-20 10:30"))
    assert lines(told.touches, "Europe/Berlin") == [
        "Mon 11 Jan 09:00 message email",
        "Wed 20 Jan 11:30 message email",
        "Fri 22 Jan 11:30 remind email",
        "Mon 25 Jan 09:00 personal personal",
    ]


def test_a_question_nobody_answers_waits_for_that_alone() -> None:
    told = story(question("2027-01-12 10:00"))
    assert days(told.touches) == ["2027-01-11"]
    assert (told.last.wake_at, told.reasons["asked"].waits_for) == (None, "the answer to their question")
    assert told.last.standings["crm", "one-record"] == "asked"


def test_a_question_about_one_message_stops_no_other() -> None:
    plan = a_plan(a_message(), a_message(id="two"))
    told = tell(running(plan), BERLIN, question("2027-01-11 08:30"))
    assert {touch.message for touch in told.touches[1:]} == {"two"}


# -- the sponsor ----------------------------------------------------------------------------------


def test_the_sponsor_comes_only_after_a_recorded_outreach_that_did_not_help() -> None:
    objects = outcome("2027-01-14 10:00", "objects")
    assert days(story(objects, follow_up=SPONSOR).touches, "sponsor") == ["2027-01-18"]
    unrecorded = story(follow_up=SPONSOR)
    assert "sponsor" not in kinds(unrecorded)
    assert unrecorded.reasons["outreach"].waits_for == "the outcome of the outreach"


def test_the_sponsors_proposal_takes_no_slot() -> None:
    ladder = [*PERSONAL, {"after": "1 working day", "do": "sponsor"}]
    told = story(outcome("2027-01-13 10:00", "objects"), follow_up=ladder)
    assert [(touch.kind, touch.local_date.day) for touch in told.touches] == [
        ("message", 11), ("personal", 13), ("sponsor", 14), ("message", 15), ("message", 18),
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["understood", "declines", "away"])
def test_no_other_outcome_brings_the_sponsor(what: str) -> None:
    assert "sponsor" not in kinds(story(outcome("2027-01-14 10:00", what), follow_up=SPONSOR))


@pytest.mark.parametrize("what", ["understood", "declines"])
def test_nobody_is_chased_after_a_last_word(what: str) -> None:
    objects, last = outcome("2027-01-14 10:00", "objects"), outcome("2027-01-15 10:00", what)
    ladder = [*SPONSOR, {"after": "1 touch", "do": "remind"}]
    told = story(objects, last, follow_up=ladder, cadence={"every": "48h", "times": 5})
    assert kinds(told) == ["message", "personal", "message", "message", "message", "message"]


def test_a_second_outreach_needs_an_outcome_of_its_own() -> None:
    ladder = [*PERSONAL, {"after": "1 working day", "do": "personal", "by": "lead"}, SPONSOR[-1]]
    first, second = outcome("2027-01-13 10:00", "objects"), outcome("2027-01-19 10:00", "objects")
    waiting = story(first, follow_up=ladder)
    assert (days(waiting.touches, "personal"), "sponsor" in kinds(waiting)) == (["2027-01-13", "2027-01-15"], False)
    assert days(story(first, second, follow_up=ladder).touches, "sponsor") == ["2027-01-21"]


def test_the_sponsor_may_wait_for_touches_after_the_objection() -> None:
    ladder = [*PERSONAL, {"after": "2 touches", "do": "sponsor"}]
    objects = outcome("2027-01-14 10:00", "objects")
    many, few = ({"every": "48h", "times": times} for times in (5, 2))
    assert days(story(objects, follow_up=ladder, cadence=many).touches, "sponsor") == ["2027-01-18"]
    assert days(story(objects, follow_up=ladder, cadence=few).touches, "sponsor") == ["2027-01-18"]  # times ran out


def test_somebody_away_is_to_be_called_again() -> None:
    told = story(outcome("2027-01-14 10:00", "away"), follow_up=SPONSOR)
    assert told.reasons["outreach"].text == "The person was not reached by the call."


# -- rungs that were missed -----------------------------------------------------------------------


def test_a_skipped_rung_is_climbed_again_with_the_next_slot() -> None:
    rows = (
        a_row("2027-01-11 08:00"),
        a_row("2027-01-13 08:00"),
        a_row("2027-01-15 08:00", rung=1, kind="remind", state="skipped", reason="late"),
    )
    told = tell(running(), BERLIN, history=History(rows), start="2027-01-16")
    assert lines(told.touches, "Europe/Berlin") == [
        "Mon 18 Jan 09:00 remind email",
        "Wed 20 Jan 09:00 personal personal",
    ]


def test_a_message_whose_every_touch_fails_still_comes_to_a_person() -> None:
    rows = tuple(a_row(f"2027-01-{day} 08:00", state="failed") for day in (11, 13, 15))
    told = tell(running(a_plan(follow_up=PERSONAL)), BERLIN, history=History(rows), start="2027-01-16")
    assert days(told.touches) == ["2027-01-18"]
