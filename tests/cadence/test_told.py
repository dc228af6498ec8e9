"""Corrections: who was told what was wrong gets it put right, first and once; the others get an ordinary message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.cadence.decide import decide
from commsengine.cadence.history import Campaign, Campaigns, History, OutreachOutcome, Touch
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Message, Milestone, Plan
from commsengine.cadence.told import Told, as_told, dates_read, holds, told_of
from commsengine.campaigns.moved_dates import notice_of
from tests.builders import a_message, a_plan, utc
from tests.cadence.generated import answers, worlds
from tests.cadence.telling import BERLIN, a_row, got_it, tell

STARTED = utc("2027-01-04")
WRONG = a_message(cadence={"every": "48h", "times": "4"}, follow_up=[])
RIGHT = a_message(id="right", corrects="one-record", cadence={"every": "48h", "times": "2"}, follow_up=[])
OTHER = a_message(id="other", priority="high", cadence={"every": "24h", "times": "9"}, follow_up=[])
OLD, NEW = dt.date(2027, 3, 15), dt.date(2027, 4, 5)


ASKED = a_row("2027-01-11 09:00", asks="recall")
"""A check alone, which says nothing of the message until it is answered."""


def running(*messages: Mapping[str, object], **changes: object) -> Campaigns:
    return Campaigns((Campaign(a_plan(*messages, **changes), STARTED),))


def past(*rows: object, **facts: object) -> History:
    return History(rows=rows, **facts)  # type: ignore[arg-type]


def now_of(campaigns: Campaigns, history: History, at: str = "2027-01-20 09:00") -> dict[str, Touch]:
    return {touch.message: touch for touch in decide(campaigns, BERLIN, history, utc(at)).touches}


def sent_now(campaigns: Campaigns, history: History) -> list[str]:
    return [name for name, touch in now_of(campaigns, history).items() if not touch.skip]


@pytest.mark.parametrize(
    ("history", "corrects"),
    [
        (past(), ""),
        (past(a_row("2027-01-11 09:00")), "one-record"),
        (past(a_row("2027-01-11 09:00", state="uncertain")), "one-record"),
        (past(a_row("2027-01-11 09:00", state="sending")), "one-record"),
        (past(a_row("2027-01-11 09:00", state="failed")), ""),
        (past(a_row("2027-01-11 09:00", state="skipped")), ""),
        (past(a_row("2027-01-11 09:00", rung=1, kind="personal", channel="personal")), ""),
        (past(outcomes=(OutreachOutcome("crm", "one-record", "understood", utc("2027-01-12")),)), "one-record"),
        (past(outcomes=(OutreachOutcome("crm", "one-record", "away", utc("2027-01-12")),)), ""),
        (past(a_row("2027-01-11 09:00", named="go_live=2027-03-15")), "one-record go_live=2027-03-15"),
        (past(ASKED), ""),
        (past(replace(ASKED, asks=None, number=1)), "one-record"),
        (past(ASKED, answers=(got_it("2027-01-11 10:00", kind="check", key=ASKED.key),)), "one-record"),
    ],
)
def test_who_was_reached_gets_it_as_a_correction(history: History, corrects: str) -> None:
    assert now_of(running(WRONG, RIGHT), history)["right"].corrects == corrects


def test_a_chain_puts_right_what_reached_the_person_last() -> None:
    third = a_message(id="third", corrects="right")
    campaigns, first = running(WRONG, RIGHT, third), a_row("2027-01-11 09:00")
    assert list(now_of(campaigns, past())) == ["third"]
    assert now_of(campaigns, past(first))["third"].corrects == "one-record"
    second = a_row("2027-01-13 09:00", message="right", key="k2")
    assert now_of(campaigns, past(first, second))["third"].corrects == "right"


def test_a_correction_comes_first_and_only_until_it_is_there() -> None:
    campaigns, told = running(WRONG, OTHER, {**RIGHT, "priority": "low"}), past(a_row("2027-01-11 09:00"))
    assert sent_now(campaigns, told) == ["right"]
    assert sent_now(campaigns, past()) == ["other"]
    later = past(a_row("2027-01-11 09:00"), a_row("2027-01-18 09:00", message="right", key="k2"))
    assert sent_now(campaigns, later) == ["other"]


def test_the_standing_of_what_was_wrong_is_corrected() -> None:
    standings = decide(running(WRONG, RIGHT), BERLIN, past(a_row("2027-01-11 09:00")), utc("2027-01-20")).standings
    assert standings == {("crm", "one-record"): "corrected", ("crm", "right"): "not reached"}


def test_a_line_says_what_was_told() -> None:
    told = Told("one-record", {"go_live": "2027-W11", "kickoff": "2027-01-11"})
    assert told_of(str(told)) == told
    assert (told_of(""), bool(told_of(""))) == (Told(), False)


@pytest.mark.parametrize(
    ("told", "date", "firm", "true"),
    [
        ("2027-03-15", "2027-03-15", True, True),
        ("2027-03-15", "2027-03-15", False, True),
        ("2027-03-15", "2027-03-16", True, False),
        ("2027-03-15", "2027-03-17", False, False),
        ("2027-W11", "2027-03-15", True, True),
        ("2027-W11", "2027-03-21", True, True),
        ("2027-W11", "2027-03-22", True, False),
        ("2027-W11", "2027-03-14", False, False),
    ],
)
def test_a_week_holds_for_every_day_in_it(told: str, date: str, firm: bool, true: bool) -> None:
    assert holds(told, Milestone(date=date, firm=firm)) is true


def test_the_week_is_kept_by_its_iso_number() -> None:
    assert as_told(Milestone(date="2027-01-01", firm=False)) == "2026-W53"
    assert as_told(Milestone(date="2027-01-01")) == "2027-01-01"


# -- moved dates ------------------------------------------------------------------------------------


def moved(*dates: dt.date, **more: object) -> Campaigns:
    """The plan after these moves of go-live, each with its notice, the first date is that of before."""
    plan = a_plan(OTHER, milestones={"kickoff": "2027-01-11", "go_live": dates[0].isoformat()}, **more)
    for before, now in pairwise(dates):
        milestones = {**plan.milestones, "go_live": Milestone(date=now)}
        plan = plan.model_copy(update={"milestones": milestones})
        plan = plan.with_notices((*plan.notices, notice_of(plan, {"go_live": before}, utc("2027-01-20"))))
    return Campaigns((Campaign(plan, STARTED),))


def read(*dates: str, message: str = "other") -> History:
    days = [f"2027-01-{11 + number:02d} 09:00" for number in range(len(dates))]
    rows = [
        a_row(day, message=message, key=f"k{day}", named=f"go_live={date}" if date else "", sent_at=utc(day))
        for day, date in zip(days, dates, strict=True)
    ]
    return past(*rows)


FIRST, SECOND = "moved-go_live-2027-04-05", "moved-go_live-2027-03-15"


@pytest.mark.parametrize(
    ("dates", "history", "sent"),
    [
        ((OLD, NEW), read("2027-03-15"), {FIRST: "go_live=2027-03-15"}),
        ((OLD, NEW), read("2027-W11"), {FIRST: "go_live=2027-W11"}),
        ((OLD, NEW), read(""), {}),
        ((OLD, NEW), read("2027-03-15", "2027-04-05"), {}),
        ((OLD, NEW), read("2027-04-05", "2027-03-15"), {FIRST: "go_live=2027-03-15"}),
        ((OLD, NEW, OLD), read("2027-03-15"), {}),
        ((OLD, NEW, OLD), read("2027-04-05"), {SECOND: "go_live=2027-04-05"}),
        ((OLD, NEW, OLD, NEW), read("2027-03-15"), {FIRST + "-2": "go_live=2027-03-15"}),
        ((OLD, NEW, dt.date(2027, 4, 12)), read("2027-03-15"), {"moved-go_live-2027-04-12": "go_live=2027-03-15"}),
    ],
)
def test_exactly_who_read_an_old_date_last_gets_its_correction(
    dates: Sequence[dt.date], history: History, sent: dict[str, str]
) -> None:
    touches = now_of(moved(*dates), history)
    assert {name: touch.corrects for name, touch in touches.items() if name.startswith("moved")} == sent


def test_a_correction_of_a_date_is_sent_once_and_before_the_others() -> None:
    story = tell(moved(OLD, NEW), BERLIN, start="2027-01-20 10:00", history=read("2027-03-15"))
    sent = [touch.message for touch in story.touches if not touch.skip]
    assert (sent[0], sent.count(FIRST)) == (FIRST, 1)
    none = tell(moved(OLD, NEW), BERLIN, start="2027-01-20 10:00", history=read(""))
    assert FIRST not in {touch.message for touch in none.touches}
    assert none.reasons["not_told"].waits_for == "never"


def test_moving_back_before_it_is_sent_gives_up_the_attempt_under_way() -> None:
    waiting = a_row("2027-01-20 09:00", message=FIRST, key="k9", state="retry", retry_at=utc("2027-01-20 09:05"))
    history = replace(read("2027-03-15"), rows=(*read("2027-03-15").rows, waiting))
    assert now_of(moved(OLD, NEW), history, "2027-01-20 09:06")[FIRST].skip == ""
    assert now_of(moved(OLD, NEW, OLD), history, "2027-01-20 09:06")[FIRST].skip == "not_told"


# -- over generated plans ---------------------------------------------------------------------------

generated = settings(derandomize=True, database=None)
SPLIT = st.integers(1, 25 * 24)


def with_plan(campaigns: Campaigns, plan: Plan) -> Campaigns:
    return replace(campaigns, running=(replace(campaigns.running[0], plan=plan), *campaigns.running[1:]))


def with_messages(plan: Plan, *messages: Message) -> Plan:
    return plan.model_copy(update={"messages": (*plan.messages, *messages)})


@generated
@given(worlds(), st.integers(0, 99), SPLIT)
def test_none_of_those_corrected_gets_the_old_message_again(
    world: tuple[Campaigns, Person], salt: int, hours: int
) -> None:
    campaigns, person = world
    plan, at = campaigns.running[0].plan, campaigns.running[0].started_at + dt.timedelta(hours=hours)
    start, suppose = campaigns.running[0].started_at.isoformat(), answers(salt, person)
    before = tell(campaigns, person, start=start, until=at.isoformat(), suppose=suppose)
    right = plan.messages[0].model_copy(update={"id": "right", "corrects": "m0"})
    after = with_plan(campaigns, with_messages(plan, right))
    story = tell(after, person, start=at.isoformat(), until="2027-12-01", suppose=suppose, history=before.history)
    mine = [touch for touch in story.touches if touch.campaign == plan.campaign and not touch.skip]
    assert "m0" not in {touch.message for touch in mine}
    had = [
        touch
        for touch in before.touches
        if touch.campaign == plan.campaign
        and touch.message == "m0"
        and not touch.skip
        and touch.kind in ("message", "remind")
    ]
    answered, later = ({answer.key for answer in one.history.answers} for one in (before, story))
    reached = any(not touch.asks or touch.key in answered for touch in had)  # a check says the message once answered
    read_since = any(touch.key in later - answered for touch in had)
    talked = any(talk.message == "m0" and talk.outcome != "away" for talk in story.history.outcomes)
    if reached or not (talked or read_since):
        assert {bool(touch.corrects) for touch in mine if touch.message == "right"} <= {reached}


@generated
@given(worlds(), st.integers(0, 99), SPLIT, st.booleans())
def test_none_is_told_of_an_old_date_that_their_texts_did_not_name(
    world: tuple[Campaigns, Person], salt: int, hours: int, back: bool
) -> None:
    campaigns, person = world
    mine = campaigns.running[0]
    plan, at = mine.plan, mine.started_at + dt.timedelta(hours=hours)
    suppose = answers(salt, person)
    before = tell(campaigns, person, start=mine.started_at.isoformat(), until=at.isoformat(), suppose=suppose)
    date = plan.milestones["kickoff"].date
    rows = [
        replace(row, named=f"kickoff={date}" if (row.number + salt) % 3 == 0 and row.campaign == plan.campaign else "")
        for row in before.history.rows
    ]
    history = replace(before.history, rows=tuple(rows))
    later = plan.model_copy(update={"milestones": {"kickoff": Milestone(date=date + dt.timedelta(days=20))}})
    later = later.with_notices([notice_of(later, {"kickoff": date}, at)])
    if back:
        later = later.model_copy(update={"milestones": plan.milestones})
    story = tell(with_plan(campaigns, later), person, start=at.isoformat(), until="2027-12-01", history=history)
    corrections = [touch for touch in story.touches if touch.message.startswith("moved") and not touch.skip]
    named = dates_read(plan, history) != {}
    assert len(corrections) <= (named and not back)
    assert {touch.corrects for touch in corrections} <= {f"kickoff={date}"}
