"""The engine learns once a day: counted at midnight UTC, in use at three, never twice, never for what has passed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from sqlalchemy import update

from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.cadence.plan import Plan, Workspace
from commsengine.engine.daily_estimates import DailyEstimates
from commsengine.engine.decisions import Decisions
from commsengine.reports.check_results import check_results
from commsengine.store.store import Store
from commsengine.store.tables import answer
from tests import fresh
from tests.builders import utc
from tests.on_record import NOW, TYPICAL, Given, a_recalled_plan, people_of, put_on_record
from tests.store.before import upgraded

SOME = Given({"managers": 6, "sales": 40, "service": 12, "office": 12}, TYPICAL.strength, TYPICAL.answers)
MIDNIGHT = NOW.replace(hour=0)
HOUR = dt.timedelta(hours=1)


def teach(store: object, at: dt.datetime, teacher: DailyEstimates | None = None) -> LearnedRoles:
    decisions = Decisions(store, Workspace())  # type: ignore[arg-type]
    running = decisions.campaigns(at).running
    (teacher or DailyEstimates(store)).publish([campaign.plan for campaign in running], at)  # type: ignore[arg-type]
    return store.estimates.latest("crm")  # type: ignore[attr-defined, no-any-return]


def test_what_was_answered_by_midnight_is_counted_and_used_at_three(tmp_path: Path) -> None:
    with put_on_record(tmp_path, SOME) as store:
        known = teach(store, MIDNIGHT + HOUR / 2)
        assert (known.counted_at, known.effective_at) == (MIDNIGHT, MIDNIGHT + 3 * HOUR)
        assert sum(one.checks for one in known.roles.values()) > 20
        before, after = (Decisions(store, Workspace()).campaigns(at).running[0] for at in (MIDNIGHT + HOUR, NOW))
        assert (before.recall, before.news_at) == ({}, MIDNIGHT + 3 * HOUR)
        assert (after.recall["sales"].since, after.news_at) == (MIDNIGHT + 3 * HOUR, None)


def test_an_engine_that_comes_back_late_uses_it_from_then_on(tmp_path: Path) -> None:
    with put_on_record(tmp_path, SOME) as store:
        assert teach(store, NOW).effective_at == NOW


def test_day_by_day_and_all_at_once_know_the_same_answers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with put_on_record(tmp_path / "a", SOME) as daily, put_on_record(tmp_path / "b", SOME) as once:
        teacher, at = DailyEstimates(daily), utc("2027-01-12 00:30")
        while at <= NOW:
            last = teach(daily, at, teacher)
            assert teach(daily, at + HOUR, teacher) == last  # a second look on the same day changes nothing
            at += dt.timedelta(days=1)
        whole = teach(once, NOW)
    for role, known in last.roles.items():
        assert (known.checks, known.right) == (whole.roles[role].checks, whole.roles[role].right)


def test_the_same_answers_teach_the_same_to_the_bit(tmp_path: Path) -> None:
    """A rebuild from the facts alone: another database, another engine, the same days."""
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with put_on_record(tmp_path / name, SOME) as store:
            for day in (14, 7, 0):
                teach(store, MIDNIGHT - dt.timedelta(days=day) + HOUR)
            found.append(store.estimates.latest("crm"))
    assert found[0] == found[1]


def shown(store: Store, plan: Plan) -> set[str]:
    """The roles of which a figure is shown."""
    return {role for (_, role), closed in check_results(store, plan, NOW).closed.items() if closed}


def test_answers_of_before_questions_stood_first_in_slack_teach_nobody(tmp_path: Path) -> None:
    """What they taught is learned again from the others, and no figure is made of them."""
    store = put_on_record(tmp_path, SOME)
    url = fresh.url(tmp_path / "record.db")
    plan = store.campaigns.running().running[0].plan
    sales = {person.id for person, role in people_of(SOME) if role == "sales"}
    everybody = sum(one.checks for one in teach(store, NOW).roles.values())
    with store.database.write() as connection:
        in_slack = (answer.c.person_id.in_(sales), answer.c.kind == "check")
        pressed = connection.execute(update(answer).where(*in_slack).values(evidence="slack")).rowcount
    assert "sales" in shown(store, plan)
    with upgraded(store, url) as after:
        roles = teach(after, NOW).roles
        assert (roles["sales"].checks, sum(one.checks for one in roles.values())) == (0, everybody - pressed)
        assert "sales" not in shown(after, plan)


def test_a_plan_without_questions_teaches_nothing(tmp_path: Path) -> None:
    plan = a_recalled_plan()
    bare = plan.model_copy(update={"messages": tuple(m.model_copy(update={"checks": ()}) for m in plan.messages)})
    with put_on_record(tmp_path, SOME, bare) as store:
        assert teach(store, NOW) == LearnedRoles()
