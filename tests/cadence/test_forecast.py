import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest

from commsengine.cadence.forecast import Fact, Forecast, Supposition, everybody, forecast, nobody, typical, with_touch
from commsengine.cadence.history import Answer, Campaign, Campaigns, History, Outcome, Standstill, Touch
from tests.builders import a_message, a_plan, running, someone, utc
from tests.cadence.telling import BERLIN, NOTHING_YET, a_row, days, lines

ASKS = {("crm", "one-record"): "acknowledge"}
LADDER = [
    {"after": "1 touch", "do": "personal"},
    {"after": "1 working day", "do": "sponsor"},
]


def foreseen(suppose: Supposition = nobody, campaigns: Campaigns | None = None, until: str = "2027-06-01") -> Forecast:
    return forecast(campaigns or running(), BERLIN, NOTHING_YET, utc("2027-01-04"), utc(until), suppose)


def test_without_answers_the_whole_ladder_is_foreseen() -> None:
    assert lines(foreseen().touches, "Europe/Berlin") == [
        "Mon 11 Jan 09:00 message email",
        "Wed 13 Jan 09:00 message email",
        "Fri 15 Jan 09:00 remind email",
        "Mon 18 Jan 09:00 personal personal",
    ]


def test_the_end_is_not_included() -> None:
    assert days(foreseen(until="2027-01-13 08:00").touches) == ["2027-01-11"]
    assert days(foreseen(until="2027-01-13 08:01").touches) == ["2027-01-11", "2027-01-13"]


def test_the_last_reasons_say_what_stays_undone() -> None:
    assert {reason.code for reason in foreseen().last.reasons} == {"outreach", "times"}


def test_when_everybody_answers_nobody_is_chased() -> None:
    story = foreseen(everybody(ASKS))
    assert [touch.kind for touch in story.touches] == ["message"] * 3
    assert [answer.at for answer in story.history.answers] == [utc("2027-01-11 10:00")]


@pytest.mark.parametrize(
    ("ask", "kind", "right"), [("check", "check", True), ("input", "input", None), ("commit", "commit", None)]
)
def test_everybody_gives_what_is_asked_for(ask: str, kind: str, right: bool | None) -> None:
    (answer, *_) = foreseen(everybody({("crm", "one-record"): ask})).history.answers
    assert (answer.kind, answer.right) == (kind, right)


def test_nobody_answers_a_message_that_asks_nothing() -> None:
    assert foreseen(everybody({("crm", "one-record"): "nothing"})).history.answers == ()


def test_typical_answers_are_the_same_each_time_and_differ_between_people() -> None:
    campaigns, suppose = running(), typical(ASKS)

    def count(number: int) -> int:
        start, until = utc("2027-01-04"), utc("2027-06-01")
        return len(forecast(campaigns, someone(number), NOTHING_YET, start, until, suppose).touches)

    counts = [count(number) for number in range(40)]
    assert counts == [count(number) for number in range(40)]
    assert set(counts) == {3, 4, 5}  # five where the outreach did not help
    assert 20 <= counts.count(3) <= 36  # about two in three answer within three touches


def after_outreach(what: str) -> Supposition:
    def suppose(touch: Touch) -> Sequence[Fact]:
        if touch.kind != "personal":
            return ()
        return (Outcome(touch.campaign, touch.message, what, touch.due_at + dt.timedelta(hours=5)),)

    return suppose


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ("objects", ["message", "personal", "sponsor", "message", "message"]),
        ("understood", ["message", "personal", "message", "message"]),
        ("away", ["message", "personal", "message", "message"]),
    ],
)
def test_what_follows_an_outreach(what: str, kinds: list[str]) -> None:
    campaigns = running(a_plan(a_message(follow_up=LADDER)))
    assert [touch.kind for touch in foreseen(after_outreach(what), campaigns).touches] == kinds


def test_one_talk_is_about_all_open_messages_of_the_campaign() -> None:
    plan = a_plan(a_message(follow_up=LADDER), a_message(id="two", follow_up=LADDER), send={"channels": ["email"]})
    unreachable = History(unreachable={"email": "bounced"})
    start, until = utc("2027-01-04"), utc("2027-06-01")
    story = forecast(running(plan), BERLIN, unreachable, start, until, after_outreach("understood"))
    assert [(outcome.message, outcome.outcome) for outcome in story.history.outcomes] == [
        ("one-record", "understood"),
        ("two", "understood"),
    ]
    assert {answer.evidence for answer in story.history.answers} == {"manager"}


def test_facts_of_the_same_instant_come_in_the_order_in_which_they_were_supposed() -> None:
    def suppose(touch: Touch) -> Sequence[Fact]:
        at = touch.due_at + dt.timedelta(hours=1)
        kinds = ("acknowledged", "heard_enough") if touch.number == 1 else ()
        return [Answer(touch.campaign, touch.message, kind, at, "link") for kind in kinds]

    story = foreseen(suppose)
    assert [answer.kind for answer in story.history.answers] == ["acknowledged", "heard_enough"]
    assert len(story.touches) == 1


def test_a_supposed_pause_sends_nothing_and_keeps_its_backlog_rule() -> None:
    pause = Standstill(utc("2027-01-12"), utc("2027-01-19 10:00"), "latest")
    start, until = utc("2027-01-04"), utc("2027-06-01")
    story = forecast(running(), BERLIN, NOTHING_YET, start, until, nobody, {"crm": [pause]})
    assert days(story.touches) == ["2027-01-11", "2027-01-19", "2027-01-21", "2027-01-25"]


def test_a_pause_of_one_campaign_stops_no_other() -> None:
    two = replace(Campaign(a_plan(campaign="two", send={"channels": ["email"]}), utc("2027-01-04")))
    pause = Standstill(utc("2027-01-10"), utc("2027-03-01"), "none")
    start, until = utc("2027-01-04"), utc("2027-02-01")
    campaigns = Campaigns((*running().running, two))
    story = forecast(campaigns, BERLIN, NOTHING_YET, start, until, nobody, {"crm": [pause]})
    assert {touch.campaign for touch in story.touches} == {"two"}


def test_a_row_made_again_stays_one_row_and_keeps_its_attempts() -> None:
    touch = foreseen().touches[0]
    row = replace(a_row("2027-01-11 08:00"), key=touch.key, state="retry", attempts=1, retry_at=touch.due_at)
    (after,) = with_touch(History((row,)), touch, touch.due_at).rows
    assert (after.state, after.attempts, after.sent_at) == ("sent", 2, touch.due_at)
