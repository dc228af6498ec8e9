import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest

from commsengine.cadence.forecast import (
    Fact,
    Forecast,
    Supposition,
    all_answer,
    forecast,
    messages_of,
    no_answers,
    typical,
)
from commsengine.cadence.history import Answer, Campaign, Campaigns, History, OutreachOutcome, Standstill, Touch
from tests.builders import a_message, a_plan, running, someone, utc
from tests.cadence.telling import BERLIN, NOTHING_YET, a_row, days, lines

CHECK = {"question": "Where?", "answers": ["Here", "There"], "right": "There", "because": "It is so."}
INPUT = {"question": "What must stay easy?", "reply_by": "5 working days"}
LADDER = [
    {"after": "1 touch", "do": "personal"},
    {"after": "1 working day", "do": "sponsor"},
]


def foreseen(
    suppose: Supposition = no_answers, campaigns: Campaigns | None = None, until: str = "2027-06-01"
) -> Forecast:
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
    story = foreseen(all_answer(messages_of(running())))
    assert [touch.kind for touch in story.touches] == ["message"] * 3
    assert [answer.at for answer in story.history.answers] == [utc("2027-01-11 10:00")]


@pytest.mark.parametrize(
    ("ask", "kind", "right"), [("check", "check", True), ("input", "input", None), ("commit", "commit", None)]
)
def test_everybody_gives_what_is_asked_for(ask: str, kind: str, right: bool | None) -> None:
    given = {"check": {"checks": [CHECK]}, "input": {"input": INPUT}}.get(ask, {})
    campaigns = running(a_plan(a_message(ask=ask, **given)))
    (answer, *_) = foreseen(all_answer(messages_of(campaigns)), campaigns).history.answers
    assert (answer.kind, answer.right) == (kind, right)


def test_nobody_answers_a_message_that_asks_nothing() -> None:
    campaigns = running(a_plan(a_message(ask="nothing")))
    assert foreseen(all_answer(messages_of(campaigns)), campaigns).history.answers == ()


def test_when_everybody_answers_each_check_is_answered_right() -> None:
    campaigns = running(a_plan(a_message(checks=[CHECK], cadence={"every": "48h", "times": "5"})))
    story = foreseen(all_answer(messages_of(campaigns)), campaigns)
    assert [(answer.kind, answer.right, answer.key) for answer in story.history.answers] == [
        ("acknowledged", None, story.touches[0].key),
        ("check", True, story.touches[1].key),
        ("check", True, story.touches[3].key),
    ]


def test_typically_seven_in_ten_answers_to_a_check_are_right_and_the_same_each_time() -> None:
    campaigns = running(a_plan(a_message(ask="check", checks=[CHECK])))
    suppose = typical(messages_of(campaigns))

    def answers() -> list[bool | None]:
        start, until = utc("2027-01-04"), utc("2027-01-13")
        stories = [forecast(campaigns, someone(n), NOTHING_YET, start, until, suppose) for n in range(300)]
        return [answer.right for story in stories for answer in story.history.answers]

    given = answers()
    assert 100 <= len(given) <= 170  # 45 in 100 of those still silent
    assert 0.6 <= given.count(True) / len(given) <= 0.8
    assert given == answers()


def test_after_a_wrong_answer_the_next_touch_makes_the_point_again() -> None:
    campaigns = running(a_plan(a_message(checks=[CHECK], cadence={"every": "48h", "times": "6"})))

    def suppose(touch: Touch) -> Sequence[Fact]:
        right = {2: False, 4: True}.get(touch.number)
        at = touch.due_at + dt.timedelta(hours=1)
        said = Answer("crm", "one-record", "check", at, "link", right, key=touch.key)
        return () if right is None else (said,)

    assert [(touch.number, touch.unclear) for touch in foreseen(suppose, campaigns).touches] == [
        (1, None), (2, None), (3, 0), (4, None), (5, None), (6, None),
    ]  # fmt: skip


def test_typical_answers_are_the_same_each_time_and_differ_between_people() -> None:
    campaigns = running()
    suppose = typical(messages_of(campaigns))

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
        return (OutreachOutcome(touch.campaign, touch.message, what, touch.due_at + dt.timedelta(hours=5)),)

    return suppose


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ("objects", ["message", "personal", "sponsor"]),
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
    story = forecast(running(), BERLIN, NOTHING_YET, start, until, no_answers, {"crm": [pause]})
    assert days(story.touches) == ["2027-01-11", "2027-01-19", "2027-01-21", "2027-01-25"]


def test_a_pause_of_one_campaign_stops_no_other() -> None:
    two = replace(Campaign(a_plan(campaign="two", send={"channels": ["email"]}), utc("2027-01-04")))
    pause = Standstill(utc("2027-01-10"), utc("2027-03-01"), "none")
    start, until = utc("2027-01-04"), utc("2027-02-01")
    campaigns = Campaigns((*running().running, two))
    story = forecast(campaigns, BERLIN, NOTHING_YET, start, until, no_answers, {"crm": [pause]})
    assert {touch.campaign for touch in story.touches} == {"two"}


def test_a_row_made_again_stays_one_row_and_keeps_its_attempts() -> None:
    touch = foreseen().touches[0]
    row = replace(a_row("2027-01-11 08:00"), key=touch.key, state="retry", attempts=1, retry_at=touch.due_at)
    (after,) = History((row,)).with_touch(touch, touch.due_at).rows
    assert (after.state, after.attempts, after.sent_at) == ("sent", 2, touch.due_at)
