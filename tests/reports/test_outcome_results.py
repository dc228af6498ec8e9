"""What came of a campaign: who did it by role and day, the way there, and the experiment as it was sealed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from commsengine.cadence.experiment import arm_of
from commsengine.cadence.plan import Plan
from commsengine.recall.statistics import Share
from commsengine.reports.campaign_report import Report, report
from commsengine.reports.outcomes.trial import TookPart, judged
from commsengine.reports.report_html import page
from commsengine.reports.report_json import as_data
from commsengine.store.campaign_facts.deeds import NewDeed
from commsengine.store.store import Store
from tests.builders import a_message, utc
from tests.on_record import CHECKS, NOW, STARTED, TYPICAL, Given, a_recalled_plan, people_of, put_on_record

SOME = Given({"managers": 7, "sales": 60, "service": 40, "office": 12}, TYPICAL.strength, TYPICAL.answers)
CALLS = {"first_call": {"title": "The first call is logged", "by": "go_live"}}
TRIAL = {"arms": ["recall", {"every": "48h"}], "outcome": "first_call", "day": "kickoff + 13d"}
DAY = dt.timedelta(days=1)
OVER = STARTED + 20 * DAY


def a_trial(**experiment: Any) -> Plan:
    by_recall = a_message(
        cadence={"recall_floor": "0.35", "target": "0.6", "by": "go_live"},
        until="go_live + 14d",
        checks=list(CHECKS),
        repeat_until="done",
    )
    return a_recalled_plan(by_recall, outcomes=CALLS, experiment={**TRIAL, **experiment})


def did_it(store: Store, days: Mapping[str, float]) -> None:
    """By person, so many days after the start."""
    new = [NewDeed(person, "first_call", STARTED + day * DAY) for person, day in days.items()]
    store.deeds.record("crm", new, source="file", by="dana", now=NOW)


def ids(role: str, number: int) -> list[str]:
    return [person.id for person, theirs in people_of(SOME) if theirs == role][:number]


def seen(folder: Path, plan: Plan, days: Mapping[str, float], now: dt.datetime = OVER) -> Report:
    with put_on_record(folder, SOME, plan) as store:
        did_it(store, days)
        return report(store, "crm", now)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Report:
    sales = ids("sales", 24)
    days = {person: 3 + number // 8 for number, person in enumerate(sales)} | dict.fromkeys(ids("managers", 5), 4)
    with put_on_record(tmp_path_factory.mktemp("record"), SOME, a_trial()) as store:
        did_it(store, days)
        did_it(store, dict.fromkeys(sales[:10], 12) | dict.fromkeys(sales[10:14], 6))
        return report(store, "crm", OVER)


def test_who_did_it_stands_beside_recall_by_role(found: Report) -> None:
    message = found.messages[0]
    assert message.outcome_title == "The first call is logged"
    done = {role.role: role.done for role in message.roles}
    assert done == {"managers": None, "sales": Share(24, 60), "service": Share(0, 40), "office": Share(0, 12)}


def test_the_way_there_and_the_day_curve(found: Report) -> None:
    (outcome,) = found.outcomes
    hidden, sales, service, _office = outcome.roles
    assert (hidden.role, hidden.shown, hidden.stages, hidden.line) == ("managers", False, None, ())
    assert [number for _day, number in sales.line] == [8, 16, 24]
    assert sales.line[0][0] == (STARTED + 3 * DAY).date()
    assert sales.stages is not None
    assert (sales.stages.reached, sales.stages.why, sales.stages.kept) == (Share(60, 60), None, Share(10, 24))
    assert sales.stages.how is not None
    assert sales.stages.how == found.messages[0].roles[1].right  # all its questions are about how
    assert service.stages is not None
    assert (service.line, service.stages.kept) == ((), None)


def test_the_page_and_the_data_tell_it(found: Report) -> None:
    told = as_data(found)
    sales = told["outcomes"][0]["roles"][1]
    assert {name: sales[name] and sales[name]["share"] for name in ("reached", "knows_why", "done", "keeps_doing")} == {
        "reached": 1.0, "knows_why": None, "done": 0.4, "keeps_doing": 0.417,
    }  # fmt: skip
    assert sales["days"][-1]["done"] == 24
    assert told["outcomes"][0]["roles"][0] == {
        "role": "managers", "hidden": True, "people": 7, "reached": None, "knows_why": None, "knows_how": None,
        "done": None, "keeps_doing": None, "transfer": None, "days": [],
    }  # fmt: skip
    text = page(found)
    for said in ("Did it: The first call is logged", "Keeps doing it", "24 of 60", "day by day"):
        assert said in text


# -- the experiment -------------------------------------------------------------------------------


def by_arm(plan: Plan, shares: Mapping[str, float]) -> dict[str, float]:
    """Every so many-th of each arm did it on the second day."""
    days: dict[str, float] = {}
    count: dict[str, float] = dict.fromkeys(shares, 0.0)
    for person, role in people_of(SOME):
        arm = arm_of(plan, person.id)
        if arm is None or role == "managers":
            continue
        count[arm.name] += shares[arm.name]
        if count[arm.name] >= 1:
            count[arm.name] -= 1
            days[person.id] = 2
    return days


def test_the_arms_are_compared_once_the_day_is_over_with_the_seal(tmp_path: Path) -> None:
    plan = a_trial()
    trial = seen(tmp_path, plan, by_arm(plan, {"recall": 0.2, "every 48h": 0.6})).trial
    assert trial is not None
    assert (trial.over, trial.broken, trial.forged, trial.roles) == (True, (), False, ("sales", "service", "office"))
    first, other = trial.arms
    assert first.people + other.people == 112
    assert other.more is not None
    assert other.more.low > 0.15
    assert abs(other.more.value - 0.4) < 0.05
    assert trial.analysis is not None
    assert (trial.analysis["day"], trial.analysis["date"]) == ("kickoff + 13d", "2027-01-24")


def test_before_the_day_is_over_nothing_is_told(tmp_path: Path) -> None:
    found = seen(tmp_path, a_trial(), dict.fromkeys(ids("sales", 30), 2), now=utc("2027-01-25 23:00"))
    assert found.trial is not None
    assert (found.trial.over, found.trial.arms) == (False, ())
    assert "Results are shown after Sun 24 Jan 2027" in page(found)
    assert as_data(found)["trial"]["arms"] == []


def test_what_is_done_after_the_day_does_not_count(tmp_path: Path) -> None:
    plan = a_trial()
    late = {person.id: 13.99 if n % 2 else 13.1 for n, (person, _role) in enumerate(people_of(SOME))}
    trial = seen(tmp_path, plan, late).trial
    assert trial is not None
    assert sum(arm.done.count for arm in trial.arms if arm.done) == 56  # up to midnight in Berlin


def test_a_seal_that_does_not_fit_shows(tmp_path: Path) -> None:
    with put_on_record(tmp_path, SOME, a_trial()) as store:
        moved = a_trial().model_copy(update={"milestones": a_recalled_plan(start=STARTED + 7 * DAY).milestones})
        store.campaigns.save_version(moved, {}, "", introduced={}, by="dana", now=NOW)
        found = report(store, "crm", OVER + 7 * DAY)
        assert found.trial is not None
        assert found.trial.broken == ("date",)
        assert "The seal is broken." in page(found)
        plain = a_trial().model_copy(update={"experiment": None})
        store.campaigns.save_version(plain, {}, "", introduced={}, by="dana", now=NOW)
        ended = report(store, "crm", OVER)
        assert ended.trial is not None
        assert (ended.trial.broken, ended.trial.arms) == (("experiment",), ())
        assert as_data(ended)["trial"]["broken"] == ["experiment"]
        assert json.dumps(as_data(ended), default=str)
        assert "The seal is broken." in page(ended)


def test_roles_of_fewer_than_ten_and_arms_of_too_few_are_left_out() -> None:
    parts = [TookPart("big", "a", n % 2 == 0) for n in range(20)] + [TookPart("big", "b", False) for _ in range(9)]
    parts += [TookPart("small", "b", True)] * 9
    first, other = judged(["a", "b"], parts, {"big": 29, "small": 9})
    assert (first.people, first.done, other.people, other.done, other.more) == (20, Share(10, 20), 9, None, None)


def test_an_only_outcome_is_brought_about_by_all_messages(tmp_path: Path) -> None:
    plan = a_recalled_plan(a_message(until="go_live + 14d"), outcomes=CALLS)
    found = seen(tmp_path, plan, {})
    assert found.outcomes[0].messages == ("one-record",)
    assert (found.messages[0].outcome_title, found.trial) == ("", None)


def test_questions_about_why_and_how_are_told_apart(tmp_path: Path) -> None:
    """The second touch asks why, the fourth how, by turns; whoever did not answer ten at a time is in neither."""
    pool = [{**CHECKS[0], "about": "why"}, {**CHECKS[0], "question": "And then?"}]
    plan = a_recalled_plan(a_message(checks=pool, until="go_live + 14d"), outcomes=CALLS)
    many = Given({"sales": 240}, TYPICAL.strength, {"sales": 1.0})
    with put_on_record(tmp_path, many, plan) as store:
        found = report(store, "crm", NOW)
    (sales,) = (role for role in found.outcomes[0].roles if role.role == "sales")
    assert sales.stages is not None
    assert sales.stages.why is not None
    assert sales.stages.how is not None
    whole = found.messages[0].roles[1].right
    assert whole is not None
    assert min(sales.stages.why.of, sales.stages.how.of) >= 10
    text = page(found)
    assert "no question" not in text.split("Did it: The first call is logged")[1].split("</table>")[0]
