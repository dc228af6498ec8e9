"""What is unclear, from talks and from checks that say what they are about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from commsengine.campaigns.known_campaign import known
from commsengine.recall.small_groups import GroupAnswer, blocks
from commsengine.reports.check_results import CheckResults
from commsengine.reports.phases.unclear import subjects_by_role, unclear_by_role
from tests.builders import a_message, a_plan
from tests.on_record import CHECKS, NOW, TYPICAL, Given, a_recalled_plan, put_on_record

BY_RECALL = {"cadence": {"recall_floor": "0.35", "target": "0.6", "by": "go_live"}, "until": "go_live + 14d"}


def test_wrong_answers_are_counted_by_what_the_check_is_about(tmp_path: Path) -> None:
    checks = [{**CHECKS[0], "about": "procedure"}]
    store = put_on_record(tmp_path, TYPICAL, a_recalled_plan(a_message(**BY_RECALL, checks=checks)))
    found = {role.role: role for role in unclear_by_role(store, known(store, "crm"), NOW)}
    assert {*found["service"].checks} == {"procedure"}
    share = found["service"].checks["procedure"]
    assert share.of >= 10
    assert share.count < share.of


def test_a_check_without_a_subject_says_nothing(tmp_path: Path) -> None:
    store = put_on_record(tmp_path, TYPICAL)
    assert [dict(role.checks) for role in unclear_by_role(store, known(store, "crm"), NOW)] == [{}, {}, {}, {}]


def test_a_role_of_nine_people_is_hidden(tmp_path: Path) -> None:
    checks = [{**CHECKS[0], "about": "procedure"}]
    few = Given({"managers": 9, "sales": 60}, {"managers": 4, "sales": 2}, {"managers": 0.9, "sales": 0.5})
    store = put_on_record(tmp_path, few, a_recalled_plan(a_message(**BY_RECALL, checks=checks)))
    managers, sales, *_ = unclear_by_role(store, known(store, "crm"), NOW)
    assert (managers.hidden, managers.checks) == (True, {})
    assert sales.checks


def test_subjects_with_few_answers_hide_those_of_the_whole_message(tmp_path: Path) -> None:
    """The second question is asked of few: from the total and the other subject its answers could be found."""
    other = {**CHECKS[0], "question": "And who reads it?", "about": "why"}
    checks = [{**CHECKS[0], "about": "procedure"}, other]
    some = Given({"sales": 14}, {"sales": 2}, {"sales": 0.7}, days=(0, 1, 4, 8))
    store = put_on_record(tmp_path, some, a_recalled_plan(a_message(**BY_RECALL, checks=checks)))
    sales = next(role for role in unclear_by_role(store, known(store, "crm"), NOW) if role.role == "sales")
    answered = {answer.number for answer in store.answers.to_checks("crm")}
    assert answered == {2, 4}  # both questions were asked
    assert all(share.of >= 10 for share in sales.checks.values())
    assert len(sales.checks) in (0, 2)


def test_of_two_reports_no_difference_tells_what_one_person_answered() -> None:
    """In the second week one person alone is asked about the other subject."""
    other = {**CHECKS[0], "question": "And who reads it?", "about": "why"}
    plan = a_plan(a_message(checks=[{**CHECKS[0], "about": "procedure"}, other]))
    first = [GroupAnswer(f"a{n}", NOW, right=True, question=n // 10) for n in range(20)]
    second = [GroupAnswer(f"b{n}", NOW + dt.timedelta(days=7), right=False, question=n // 12) for n in range(13)]

    def told(answers: Sequence[GroupAnswer]) -> dict[str, int]:
        closed = {("one-record", "sales"): blocks(answers, NOW + dt.timedelta(days=30))}
        found = subjects_by_role(plan.messages, CheckResults(closed=closed))
        return {about: share.of for about, share in found["sales"].items()}

    assert told(first) == {"procedure": 10, "why": 10}
    assert told([*first, *second]) == told(first)
