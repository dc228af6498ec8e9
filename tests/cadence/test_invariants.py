"""What holds for every plan, person, zone and answer."""

from __future__ import annotations

import datetime as dt

import holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.cadence.calendar import Hours, days_there, zone
from commsengine.cadence.decide import decide
from commsengine.cadence.forecast import NEVER, forecast
from commsengine.cadence.history import Answer, Campaigns, DirectReport, History, Question, Touch
from commsengine.cadence.kinds_and_states import BY_HAND, REPEATED
from commsengine.cadence.people import Person
from commsengine.cadence.phases import gates_before
from commsengine.cadence.plan import Plan
from tests.builders import utc
from tests.cadence.generated import answers, worlds
from tests.cadence.telling import Told, tell

DAY = dt.timedelta(days=1)
START, UNTIL = "2027-03-01", "2027-12-01"
Worlds = tuple[Campaigns, Person]

generated = settings(derandomize=True, database=None)


def told(world: Worlds, salt: int, **how: object) -> Told:
    campaigns, person = world
    return tell(
        campaigns,
        person,
        start=START,
        until=UNTIL,
        suppose=answers(salt, person),
        history=History(reports=(REPORT,) if salt % 3 == 0 else ()),
        **how,  # type: ignore[arg-type]
    )


REPORT = DirectReport(Person(id="r", email="r@example.com", manager="p@example.com"))
"""Reports to every third of them."""


def sent(touches: list[Touch]) -> list[Touch]:
    return [touch for touch in touches if not touch.skip]


def plan_of(campaigns: Campaigns, touch: Touch) -> Plan:
    return next(campaign.plan for campaign in campaigns.running if campaign.id == touch.campaign)


@generated
@given(worlds(), st.integers(0, 99))
def test_no_touch_is_due_outside_its_window(world: Worlds, salt: int) -> None:
    campaigns, person = world
    for touch in sent(told(world, salt).touches):
        plan, local = plan_of(campaigns, touch), touch.due_at.astimezone(zone(person.time_zone))
        window, minute = plan.send.window, local.hour * 60 + local.minute
        assert local.weekday() in days_there(window.days, person.country)
        assert person.days is None or local.weekday() in person.days
        assert window.start <= minute < window.end
        assert not any(first <= local.date() <= last for first, last in person.leave)
        assert not any(out.first <= local.date() <= out.last for out in campaigns.workspace.black_out)
        if plan.send.holidays and person.country:
            assert local.date() not in holidays.country_holidays(person.country, years=local.year)
        assert person.left is None or local.date() < person.left


@generated
@given(worlds(), st.integers(0, 99))
def test_nobody_is_chased_after_an_answer(world: Worlds, salt: int) -> None:
    story = told(world, salt)
    for touch in sent(story.touches):
        before = [answer for answer in story.history.answers if answer.at < touch.due_at and same(answer, touch)]
        assert not before or touch.kind in ("message", "briefing", "commitment") or awaits_a_deed(world[0], touch)
        assert not any(answer.kind == "heard_enough" for answer in before)


def awaits_a_deed(campaigns: Campaigns, touch: Touch) -> bool:
    return touch.message in plan_of(campaigns, touch).until_done


@generated
@given(worlds(), st.integers(0, 99))
def test_nothing_of_a_message_comes_after_the_deed_it_awaits(world: Worlds, salt: int) -> None:
    story = told(world, salt)
    for touch in sent(story.touches):
        done = story.history.done_at(touch.campaign, "first_call")
        assert done is None or done >= touch.due_at or not awaits_a_deed(world[0], touch)


@generated
@given(worlds(), st.integers(0, 99))
def test_nothing_that_their_manager_holds_is_due_meanwhile(world: Worlds, salt: int) -> None:
    campaigns, person = world
    for touch in sent(told(world, salt).touches):
        plan = plan_of(campaigns, touch)
        for hold in campaigns.running[0].manager_holds:
            ends = Hours(plan, person).midnight(hold.until)
            ends = min(ends, hold.lifted_at or ends)
            held = touch.message == hold.message and plan.message(hold.message).sender == "manager"
            assert not held or not hold.at <= touch.due_at < ends


@generated
@given(worlds(), st.integers(0, 99))
def test_managers_get_it_first_and_nobody_else_before_its_day(world: Worlds, salt: int) -> None:
    campaigns, person = world
    leads = salt % 3 == 0
    for touch in sent(told(world, salt).touches):
        plan = plan_of(campaigns, touch)
        message, hours = plan.message(touch.message), Hours(plan, person)
        opens = hours.instant_of(plan, message.opens)
        first = message.managers_first is not None and leads
        assert touch.due_at >= opens or first
        assert (touch.kind == "briefing") == (first and touch.kind in ("message", "briefing") and touch.number == 1)
        begun = hours.local_date(campaigns.running[0].started_at)
        waits = hours.midnight(hours.after_working_days(begun, message.managers_first or 0))
        early = hours.after_working_days(hours.local_date(opens), -(message.managers_first or 0))
        assert first or message.managers_first is None or begun <= early or touch.due_at >= waits


def same(answer: Answer | Question, touch: Touch) -> bool:
    return (answer.campaign, answer.message) == (touch.campaign, touch.message)


@generated
@given(worlds(), st.integers(0, 99))
def test_nothing_begins_behind_a_shut_gate(world: Worlds, salt: int) -> None:
    campaigns, person = world
    for touch in sent(told(world, salt).touches):
        campaign = next(each for each in campaigns.running if each.id == touch.campaign)
        hours = Hours(campaign.plan, person, campaigns.workspace.black_out)
        gates = gates_before(campaign.plan, campaign.plan.message(touch.message), hours)
        assert all(campaign.opened.get(gate, NEVER) <= touch.due_at for gate in gates)


@generated
@given(worlds(), st.integers(0, 99))
def test_a_commitment_is_asked_about_once_and_only_of_who_made_it(world: Worlds, salt: int) -> None:
    story = told(world, salt)
    asked = [touch for touch in sent(story.touches) if touch.kind == "commitment"]
    assert len({(touch.campaign, touch.message) for touch in asked}) == len(asked)
    for touch in asked:
        before = [answer.kind for answer in story.history.answers if answer.at < touch.due_at and same(answer, touch)]
        assert "commit" in before
        assert not {"kept", "not_kept"} & {*before}


@generated
@given(worlds(), st.integers(0, 99))
def test_nothing_but_the_sponsor_comes_while_an_objection_is_open(world: Worlds, salt: int) -> None:
    story = told(world, salt)
    for question in story.history.questions:
        ends = question.answered_at or NEVER
        meanwhile = [t for t in sent(story.touches) if question.asked_at <= t.due_at < ends and same(question, t)]
        assert {touch.kind for touch in meanwhile} <= {"sponsor"}


@generated
@given(worlds(), st.integers(0, 99))
def test_what_is_asked_first_and_what_is_kept_for_the_end_are_asked_once_there(world: Worlds, salt: int) -> None:
    campaigns, _ = world
    sequences: dict[tuple[str, str], list[Touch]] = {}
    for touch in sent(told(world, salt).touches):
        if touch.kind in REPEATED:
            sequences.setdefault((touch.campaign, touch.message), []).append(touch)
    for touches in sequences.values():
        message = plan_of(campaigns, touches[0]).message(touches[0].message)
        asked = [touch.asks for touch in touches]
        assert [touch.number for touch in touches if touch.asks == "baseline"] in ([], [1])
        assert ("baseline" in asked) == any(check.baseline for check in message.checks)
        assert asked.count("transfer") <= 1
        assert "transfer" not in asked[:-1]


@generated
@given(worlds(), st.integers(0, 99))
def test_no_key_comes_twice(world: Worlds, salt: int) -> None:
    keys = [touch.key for touch in told(world, salt).touches]
    assert len(keys) == len(set(keys))


@generated
@given(worlds(), st.integers(0, 99))
def test_no_cap_is_passed_over_all_campaigns(world: Worlds, salt: int) -> None:
    campaigns, _ = world
    had: list[Touch] = []
    for touch in (touch for touch in sent(told(world, salt).touches) if touch.kind not in BY_HAND):
        own, common = plan_of(campaigns, touch).send.at_most, campaigns.workspace.at_most
        gap = dt.timedelta(minutes=campaigns.workspace.minimum_gap)
        week = [other for other in had if abs(other.local_date - touch.local_date) < 7 * DAY]
        day = [other for other in week if other.local_date == touch.local_date]
        assert len(day) < min(own.per_day, common.per_day)
        assert len(week) < min(own.per_week, common.per_week)
        assert all(abs(other.due_at - touch.due_at) >= gap for other in had)
        had.append(touch)


@generated
@given(worlds(), st.integers(0, 99))
def test_the_sponsor_never_comes_before_a_recorded_outreach_that_did_not_help(world: Worlds, salt: int) -> None:
    story = told(world, salt)
    for touch in story.touches:
        if touch.kind == "sponsor":
            mine = [outcome for outcome in story.history.outcomes if outcome.message == touch.message]
            assert any(outcome.outcome == "objects" and outcome.at <= touch.due_at for outcome in mine)
            assert not any(outcome.outcome == "declines" and outcome.at <= touch.due_at for outcome in mine)


@generated
@given(worlds(), st.integers(0, 99), st.lists(st.integers(0, 40 * 24 * 60), max_size=12))
def test_waking_more_often_changes_nothing(world: Worlds, salt: int, minutes: list[int]) -> None:
    campaigns, _ = world
    started = campaigns.running[0].started_at
    extra = [started + dt.timedelta(minutes=after) for after in minutes]
    assert told(world, salt, extra=extra).touches == told(world, salt).touches


@generated
@given(worlds(), st.integers(0, 99), st.integers(1, 599))
def test_a_tick_some_minutes_late_makes_the_same_touches(world: Worlds, salt: int, seconds: int) -> None:
    on_time = told(world, salt)
    if not all(touch.not_after - touch.due_at > dt.timedelta(minutes=10) for touch in on_time.touches):
        return  # too near the end of a window: those wait for the next one
    late = told(world, salt, late=lambda at: dt.timedelta(seconds=seconds))
    assert [known(touch) for touch in late.touches] == [known(touch) for touch in on_time.touches]


@generated
@given(worlds(), st.integers(0, 99), st.integers(1, 3))
def test_a_failed_first_attempt_moves_no_touch(world: Worlds, salt: int, every: int) -> None:
    smooth = told(world, salt)
    if not all(touch.not_after - touch.due_at > dt.timedelta(minutes=10) for touch in smooth.touches):
        return
    rough = told(world, salt, fails=lambda touch: touch.number % every == 0)
    assert {known(touch) for touch in rough.touches} == {known(touch) for touch in smooth.touches}


def known(touch: Touch) -> tuple[str, int, str, dt.datetime, int, str]:
    return touch.key, touch.rung, touch.channel, touch.due_at, touch.number, touch.skip


@generated
@given(worlds())
def test_the_forecast_is_what_happens(world: Worlds) -> None:
    campaigns, person = world
    plain = forecast(campaigns, person, History(), utc(START), utc(UNTIL), lambda touch: ())
    assert list(plain.touches) == tell(campaigns, person, start=START, until=UNTIL).touches


@generated
@given(worlds(), st.integers(0, 99), st.integers(0, 40 * 24))
def test_the_same_arguments_give_the_same_decision(world: Worlds, salt: int, hours: int) -> None:
    campaigns, person = world
    history, now = told(world, salt).history, utc(START) + dt.timedelta(hours=hours)
    assert decide(campaigns, person, history, now) == decide(campaigns, person, history, now)


@generated
@given(worlds(), st.integers(0, 99), st.integers(1, 20 * 24))
def test_after_any_outage_there_is_progress_and_no_blast(world: Worlds, salt: int, hours: int) -> None:
    campaigns, person = world
    outage = campaigns.running[0].started_at + dt.timedelta(hours=hours)
    story = tell(campaigns, person, start=outage.isoformat(), until=UNTIL, suppose=answers(salt, person))
    at_once = [touch for touch in sent(story.touches) if touch.due_at <= outage and touch.kind not in BY_HAND]
    per_message = {(touch.campaign, touch.message, touch.kind == "commitment") for touch in at_once}
    assert len(at_once) == len(per_message)
