"""People of one shape have one decision."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.cadence.decide import decide
from commsengine.cadence.forecast import forecast, forecast_each
from commsengine.cadence.history import (
    Answer,
    Campaigns,
    Deed,
    DirectReport,
    History,
    ManagerHold,
    OutreachOutcome,
    Question,
    Snooze,
    TouchRow,
)
from commsengine.cadence.people import Person
from commsengine.cadence.shape import Shape, Shapes, SharedDecisions
from commsengine.planning.simulation import supposition
from tests.builders import a_message, a_plan, running, someone, utc
from tests.cadence.generated import BOSS, answers, worlds
from tests.cadence.telling import tell

generated = settings(derandomize=True, database=None)
START, NOW = utc("2027-03-01"), utc("2027-01-13 10:00")

READ_OF_A_PERSON = {
    *("id", "email", "department", "job", "manager", "country", "region", "time_zone", "days", "language", "phone"),
    *("channel", "slack_id", "leave", "left", "is_manager", "since", "quiet", "wished_channel", "attributes", "name"),
}
IN_THE_SHAPE: dict[type, set[str]] = {
    Person: READ_OF_A_PERSON,
    History: {
        *("rows", "answers", "questions", "snoozes", "outcomes", "deeds", "unreachable", "rosters", "reports"),
    },
    TouchRow: {
        *("key", "campaign", "message", "rung", "kind", "local_date", "due_at", "channel", "state", "sent_at"),
        *("retry_at", "attempts", "number", "held", "refusal_id", "named", "asks"),
    },
    Answer: {"campaign", "message", "kind", "at", "right", "whole_campaign", "key", "counts", "measures"},
    Question: {"campaign", "message", "asked_at", "answered_at", "objection"},
    Snooze: {"campaign", "message", "until", "at"},
    OutreachOutcome: {"campaign", "message", "outcome", "at"},
    Deed: {"campaign", "outcome", "at"},
    DirectReport: {"person", "rosters"},
}
LEFT_OUT: dict[type, set[str]] = {
    Person: {"revoked"},
    TouchRow: {"possible_duplicate", "reason", "uncounted"},
    Answer: {"evidence"},
}
"""What no decision hangs on."""


@pytest.mark.parametrize("of", IN_THE_SHAPE, ids=lambda of: of.__name__)
def test_each_field_on_record_is_in_the_shape_or_left_out_on_purpose(of: Any) -> None:
    assert {field.name for field in fields(of)} == IN_THE_SHAPE[of] | LEFT_OUT.get(of, set())


# -- every field that a decision hangs on makes another shape -------------------------------------

PLAN = a_plan(
    a_message(managers_first="2 working days", sender="manager"),
    audience={
        "roles": {
            "sales": {"department": ["Sales"], "site": ["Bern"]},
            "managers": {"is_manager": "true"},
            "germans": {"language": ["de"], "job": ["Clerk"]},
            "others": {"rest": "true"},
        }
    },
    wiifm={},
)
CAMPAIGNS = running(PLAN, a_plan(campaign="two", send={"channels": ["email", "slack"], "holidays": "true"}))
HELD = replace(
    CAMPAIGNS.running[0], manager_holds=(ManagerHold("one-record", frozenset({BOSS}), dt.date(2027, 2, 1), START),)
)
WITH_A_HOLD = replace(CAMPAIGNS, running=(HELD, CAMPAIGNS.running[1]))
SOMEONE = someone(1)
ROW = TouchRow("k1", "crm", "one-record", 0, "message", dt.date(2027, 1, 11), utc("2027-01-11 09:00"), "email", "sent")
OTHER_ROW = replace(ROW, key="k2", local_date=dt.date(2027, 1, 12), due_at=utc("2027-01-12 09:00"))
ANSWER = Answer("crm", "one-record", "check", NOW, "link", right=True, key="k1")
HISTORY = History(rows=(ROW, OTHER_ROW), answers=(ANSWER,))


TESTED = a_plan(
    a_message(cadence={"recall_floor": "0.35", "times": "6"}),
    campaign="tested",
    milestones={"kickoff": "2027-03-15", "go_live": "2027-05-03"},
    audience={"roles": {"sales": {"department": ["Sales"]}, "managers": {"is_manager": "true"}}},
    experiment={"arms": ["recall", {"every": "48h"}], "share": "60%"},
    sponsor="p1@example.com",
)
SHAPES = Shapes(WITH_A_HOLD)


def of(person: Person = SOMEONE, history: History = HISTORY) -> Shape:
    return SHAPES.of(person, history)


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "Asia/Seoul"},
        {"days": frozenset({0, 1})},
        {"country": "KR"},
        {"region": "BY"},
        {"leave": ((dt.date(2027, 1, 13), dt.date(2027, 1, 14)),)},
        {"left": dt.date(2027, 2, 1)},
        {"quiet": (600, 700)},
        {"channel": "slack"},
        {"wished_channel": "slack"},
        {"since": utc("2027-01-12")},
        {"manager": BOSS.upper()},
        {"is_manager": True},
        {"email": "SAM@example.com"},
        {"attributes": {"site": "Bern"}},
        {"language": "de", "job": "Clerk"},
    ],
    ids=str,
)
def test_another_person(changes: dict[str, Any]) -> None:
    assert of(replace(SOMEONE, **changes)) != of()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "other", "email": "other@example.com", "name": "Other"},
        {"job": "Buyer"},
        {"manager": "other@example.com"},
        {"since": utc("2026-12-12")},
        {"phone": "+1", "slack_id": "U1", "revoked": 3},
        {"attributes": {"site": "Basel", "shoe": "42"}},
    ],
    ids=str,
)
def test_the_same_for_all_that_is_decided(changes: dict[str, Any]) -> None:
    assert of(replace(SOMEONE, **changes)) == of()


@pytest.mark.parametrize(
    "changes",
    [
        *({"campaign": "two"}, {"message": "another"}, {"rung": 1}, {"kind": "remind"}, {"state": "retry"}),
        *({"local_date": dt.date(2027, 1, 10)}, {"due_at": utc("2027-01-11 09:01")}, {"channel": "slack"}),
        *({"retry_at": NOW}, {"attempts": 1}, {"number": 2}, {"held": True}, {"refusal_id": 7}, {"named": None}),
        *({"asks": "recall"}, {"key": "k3"}, {"sent_at": utc("2027-01-12 10:00")}),
    ],
    ids=str,
)
def test_another_row(changes: dict[str, Any]) -> None:
    assert of(history=replace(HISTORY, rows=(replace(ROW, **changes), OTHER_ROW))) != of()


def test_the_same_rows_under_other_keys() -> None:
    rows = (replace(ROW, key="x1", sent_at=utc("2027-01-11 09:07")), replace(OTHER_ROW, key="x2"))
    assert of(history=replace(HISTORY, rows=rows, answers=(replace(ANSWER, key="x1", evidence="slack"),))) == of()


@pytest.mark.parametrize(
    "changes",
    [
        *({"campaign": "two"}, {"message": "another"}, {"kind": "acknowledged"}, {"at": START}, {"right": False}),
        *({"whole_campaign": True}, {"key": "k2"}, {"counts": False}, {"measures": "transfer"}),
    ],
    ids=str,
)
def test_another_answer(changes: dict[str, Any]) -> None:
    assert of(history=replace(HISTORY, answers=(replace(ANSWER, **changes),))) != of()


REPORT = someone(2, manager=SOMEONE.email)


@pytest.mark.parametrize(
    "facts",
    [
        {"questions": (Question("crm", "one-record", NOW),)},
        {"snoozes": (Snooze("crm", "one-record", dt.date(2027, 1, 14), NOW),)},
        {"outcomes": (OutreachOutcome("crm", "one-record", "objects", NOW),)},
        {"deeds": (Deed("crm", "first_call", NOW),)},
        {"unreachable": {"email": "bounced"}},
        {"rosters": {"crm": START}},
        {"rosters": {"crm": NOW}},
        {"reports": (DirectReport(REPORT),)},
        {"reports": (DirectReport(replace(REPORT, is_manager=True)),)},
        {"reports": (DirectReport(REPORT), DirectReport(replace(REPORT, id="p3")))},
    ],
    ids=str,
)
def test_another_fact(facts: dict[str, Any]) -> None:
    assert of(history=replace(HISTORY, **facts)) != of()


def test_reports_count_by_their_roles_without_leavers() -> None:
    others = (DirectReport(someone(3)), DirectReport(replace(REPORT, left=dt.date(2027, 1, 12))))
    assert of(history=History(reports=others)) == of(history=History(reports=(DirectReport(REPORT),)))


def test_the_arms_of_an_experiment() -> None:
    shapes = Shapes(running(TESTED))
    assert len({shapes.of(someone(number), History()) for number in range(40)}) == 2


# -- whatever the plan, the people and their past ---------------------------------------------------


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Campaigns, list[tuple[Person, History]], dt.datetime]:
    """Some people, alike but for a few things, each with a past under the same campaigns up to the same instant."""
    campaigns, one = draw(worlds())
    tested = replace(running(TESTED).running[0], started_at=campaigns.running[0].started_at)
    campaigns = replace(campaigns, running=(*campaigns.running, tested))
    now = START + dt.timedelta(hours=draw(st.integers(0, 24 * 45)))
    crowd = [draw(someone_like(one, number)) for number in range(4)]
    return campaigns, [(each, draw(pasts(campaigns, each, now))) for each in crowd], now


@st.composite
def someone_like(draw: st.DrawFn, one: Person, number: int) -> Person:
    others: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "department": st.sampled_from(("Sales", "Purchase")),
                "is_manager": st.booleans(),
                "manager": st.sampled_from((BOSS, "other@example.com")),
                "since": st.sampled_from((START, utc("2027-03-20"))),
                "wished_channel": st.sampled_from(("", "slack")),
                "time_zone": st.just("Asia/Seoul"),
            },
        )
    )
    return replace(one, id=f"p{number}", email=f"p{number}@example.com", **others)


@st.composite
def pasts(draw: st.DrawFn, campaigns: Campaigns, person: Person, now: dt.datetime) -> History:
    reports = draw(st.sampled_from(((), (DirectReport(Person(id="r", email="r@example.com")),))))
    known = History(reports=reports, unreachable=draw(st.sampled_from(({}, {}, {"email": "bounced"}))))
    before = now - dt.timedelta(hours=draw(st.sampled_from((0, 30))))
    until, suppose = f"{before:%Y-%m-%d %H:%M}", answers(draw(st.integers(0, 2)), person)
    past = tell(campaigns, person, start="2027-03-01", until=until, history=known, suppose=suppose).history
    fate: dict[str, Any] = draw(
        st.sampled_from(({}, {}, {"state": "retry", "retry_at": now}, {"state": "failed"}, {"state": "skipped"}))
    )
    return replace(past, rows=(*past.rows[:-1], *[replace(row, **fate) for row in past.rows[-1:]]))


@generated
@given(crowds())
def test_each_person_gets_the_decision_made_for_them_alone(
    crowd: tuple[Campaigns, list[tuple[Person, History]], dt.datetime],
) -> None:
    campaigns, people, now = crowd
    shared = SharedDecisions(campaigns, now)
    for person, history in people:
        assert shared.of(person, history) == decide(campaigns, person, history, now)


@settings(derandomize=True, database=None, max_examples=8)
@given(crowds(), st.sampled_from(("none", "all", "typical", "weak")))
def test_each_person_gets_the_forecast_made_for_them_alone(
    crowd: tuple[Campaigns, list[tuple[Person, History]], dt.datetime], answered: str
) -> None:
    campaigns, people, now = crowd
    one, _ = people[0]
    people += [(replace(one, id=f"alike{number}", email=f"{number}@example.com"), History()) for number in range(4)]
    until, shared = now + dt.timedelta(days=21), supposition(answered, campaigns)
    seen = forecast_each(campaigns, people, now, until, shared)
    for (person, history), one in zip(people, seen, strict=True):
        alone = forecast(campaigns, person, history, now, until, supposition(answered, campaigns))
        assert (one.touches, one.last.reasons) == (alone.touches, alone.last.reasons)
        assert [answer.at for answer in one.history.answers] == [answer.at for answer in alone.history.answers]


def test_people_part_only_when_other_facts_are_supposed_of_them() -> None:
    people = [(someone(number), History()) for number in range(100)]

    def walks(answered: str) -> int:
        until, suppose = START + dt.timedelta(days=30), supposition(answered, CAMPAIGNS)
        return len({seen.walk for seen in forecast_each(CAMPAIGNS, people, utc("2027-01-11"), until, suppose)})

    assert walks("none") == walks("all") == 1
    assert 1 < walks("typical") < 100


def test_a_thousand_alike_are_decided_once() -> None:
    shapes = Shapes(CAMPAIGNS)
    assert len({shapes.of(someone(number), History()) for number in range(1000)}) == 1
    shared, now = SharedDecisions(CAMPAIGNS, utc("2027-01-15 10:00")), utc("2027-01-15 10:00")
    keys = {touch.key for number in range(9) for touch in shared.of(someone(number), History()).touches}
    alone = {touch.key for number in range(9) for touch in decide(CAMPAIGNS, someone(number), History(), now).touches}
    assert keys == alone
    assert len(keys) >= 9
