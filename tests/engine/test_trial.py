"""An experiment in the report: its arms side by side, the difference with its interval, and nothing of too few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from commsengine.cadence.experiment import arm_of
from commsengine.cadence.shares import difference
from commsengine.cli.report import as_data
from commsengine.cli.report_page import page
from commsengine.engine.report import Report, report
from tests.on_record import NOW, TYPICAL, Given, a_recalled_plan, people_of, put_on_record

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
