"""An experiment in the report: its arms side by side, the difference with its interval, and nothing of too few."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.cadence.experiment import arm_of
from commsengine.cadence.history import History
from commsengine.recall.small_groups import FEWEST, Block, GroupAnswer
from commsengine.recall.statistics import difference
from commsengine.reports.campaign_report import Report, report
from commsengine.reports.experiment_arms import ExperimentArms
from commsengine.reports.report_html import page
from commsengine.reports.report_json import as_data
from tests.builders import someone
from tests.on_record import NOW, STARTED, TYPICAL, Given, a_recalled_plan, people_of, put_on_record

SOME = Given({"managers": 10, "sales": 50, "service": 40, "office": 20}, TYPICAL.strength, TYPICAL.answers)
TRIAL = {"arms": ["recall", {"every": "48h"}]}


def seen(folder: Path, given: Given = SOME, **changes: object) -> Report:
    plan = a_recalled_plan(experiment={**TRIAL, **changes})
    with put_on_record(folder, given, plan) as store:
        return report(store, "crm", NOW)


def test_each_arm_says_what_it_cost_and_what_it_brought(tmp_path: Path) -> None:
    found = seen(tmp_path)
    first, second = found.arms
    assert (first.name, second.name, first.people + second.people) == ("recall", "every 48h", 120)
    assert first.messages == second.messages == 6.0  # they were all sent the same here
    assert first.right is not None
    assert second.right is not None
    expected = difference(
        [True] * second.right.count + [False] * (second.right.of - second.right.count),
        [True] * first.right.count + [False] * (first.right.of - first.right.count),
    )
    assert (first.more, second.more) == (None, expected)


def test_the_page_and_the_data_show_it(tmp_path: Path) -> None:
    found = seen(tmp_path)
    told = as_data(found)["experiment"]
    assert [(arm["arm"], arm["hidden"]) for arm in told] == [("recall", False), ("every 48h", False)]
    assert told[1]["difference"]["low"] <= told[1]["difference"]["share"] <= told[1]["difference"]["high"]
    text = page(found)
    assert "The experiment" in text
    assert "against recall" in text


def test_an_arm_of_fewer_than_ten_people_is_hidden(tmp_path: Path) -> None:
    few = replace(TYPICAL, people={**dict.fromkeys(TYPICAL.people, 0), "sales": 24})
    seed = next(seed for seed in range(500) if 0 < size(few, seed) < 10)
    found = seen(tmp_path, few, seed=seed)
    small = min(found.arms, key=lambda arm: arm.people)
    assert (small.messages, small.right, small.more) == (None, None, None)
    assert "too few people" in page(found)


def size(given: Given, seed: int) -> int:
    """How many are in the smaller arm."""
    plan = a_recalled_plan(experiment={**TRIAL, "seed": seed})
    arms = [arm.name for person, _ in people_of(given) if (arm := arm_of(plan, person.id))]
    return min(arms.count("recall"), arms.count("every 48h"))


@pytest.mark.parametrize("share", [0.3])
def test_whoever_takes_no_part_is_in_no_arm(tmp_path: Path, share: float) -> None:
    assert sum(arm.people for arm in seen(tmp_path, share=share).arms) < 60


def test_a_plan_without_one_has_no_arms(tmp_path: Path) -> None:
    with put_on_record(tmp_path, SOME) as store:
        found = report(store, "crm", NOW)
    assert found.arms == ()
    assert "The experiment" not in page(found)


ASKED = a_recalled_plan().messages[0].id
WEEK = dt.timedelta(days=7)


@st.composite
def told_week_by_week(draw: st.DrawFn) -> tuple[str, list[Block]]:
    """Blocks of one role as they close, and the seed and share by which its people are in arms."""
    share, seed = draw(st.sampled_from(["0.3", "0.8", "0.95", "1"])), draw(st.integers(0, 50))
    closed = []
    for week in range(draw(st.integers(1, 6))):
        people = draw(st.lists(st.integers(1, 60), min_size=10, max_size=45, unique=True))
        start = STARTED + week * WEEK
        given_ = tuple(GroupAnswer(someone(n).id, start, draw(st.booleans())) for n in people)
        closed.append(Block(start, start + WEEK, given_))
    return json.dumps({**TRIAL, "share": share, "seed": seed}), closed


@settings(max_examples=60)
@given(told_week_by_week())
def test_no_sum_of_roles_less_the_arms_tells_of_fewer_than_ten_people(given_: tuple[str, list[Block]]) -> None:
    """Whichever blocks the arms are made of: what remains of the roles is about ten people or nobody, and so is each
    step of an arm."""
    plan = a_recalled_plan(experiment=json.loads(given_[0]))
    trial, closed = ExperimentArms(plan), given_[1]
    for n in range(1, 61):
        trial.take(someone(n), History())
    before, since = {"recall": 0, "every 48h": 0}, 0
    for weeks in range(1, len(closed) + 1):
        arms = trial.arms({(ASKED, "sales"): closed[:weeks]})
        now = {arm.name: arm.right.of if arm.right else 0 for arm in arms}
        if now == before:
            continue
        new = [one.person for block in closed[since:weeks] for one in block.one_each]
        steps = {name: now[name] - before[name] for name in now}
        rest = {person for person in new if (arm := arm_of(plan, person)) is None or not steps[arm.name]}
        assert all(step == 0 or step >= FEWEST for step in steps.values())
        assert len(new) - sum(steps.values()) == sum(person in rest for person in new)
        assert not rest or len(rest) >= FEWEST
        before, since = now, weeks


def test_the_arms_say_nothing_while_a_few_take_no_part(tmp_path: Path) -> None:
    """Else the role's figure less the arms' would be that of these few."""
    few = Given({**dict.fromkeys(TYPICAL.people, 0), "sales": 60}, TYPICAL.strength, {"sales": 0.9}, days=(0, 1))
    seed = next(seed for seed in range(500) if 0 < outside(few, seed) < 10)
    found = seen(tmp_path, few, share="0.9", seed=seed)
    assert next(role.right for role in found.messages[0].roles if role.role == "sales")
    assert [arm.right for arm in found.arms] == [None, None]


def outside(given_: Given, seed: int) -> int:
    plan = a_recalled_plan(experiment={**TRIAL, "share": "0.9", "seed": seed})
    return sum(arm_of(plan, person.id) is None for person, _ in people_of(given_))
