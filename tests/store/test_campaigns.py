"""Campaigns, their versions and what is decreed for them."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from commsengine.cadence.history import Standstill
from commsengine.cadence.plan import Plan, Workspace
from commsengine.errors import CommsError, InputError
from commsengine.store.store import Store
from commsengine.store.tables import plan_version
from tests.builders import ANA, a_message, a_plan
from tests.store.scene import HOUR, LATER, NOW, a_touch, claim, deliver, idle, running, state


def apply(store: Store, plan: Plan | None = None) -> int:
    plan = plan or a_plan()
    return store.campaigns.save_version(
        plan, {"wiifm": "Hi"}, "campaign: crm\n", introduced={"one-record": NOW}, by="dana", now=NOW
    )


def test_a_new_campaign_is_paused_and_comes_back_as_written(store: Store) -> None:
    assert apply(store) == 1
    record = store.campaigns.get("crm")
    assert record is not None
    assert (record.state, record.version, record.epoch, record.started_at) == ("paused", 1, 0, None)
    assert record.plan == a_plan()
    assert (record.templates, record.source, record.introduced) == (
        {"wiifm": "Hi"},
        "campaign: crm\n",
        {"one-record": NOW},
    )
    assert (record.applied_at, record.applied_by) == (NOW, "dana")


def test_every_form_of_a_plan_survives_the_store(store: Store) -> None:
    rich = a_plan(
        a_message(cadence={"recall_floor": 0.35, "target": 0.6, "by": "go_live"}, managers_first="2 working days"),
        a_message(id="wish", ask="input", input={"question": "What?", "reply_by": "5 working days"}, follow_up=[]),
        milestones={"kickoff": {"date": "2027-01-11", "because": "So."}, "go_live": "2027-03-15"},
        audience={"people": "p.csv", "roles": {"m": {"is_manager": True}, "s": {"department": ["A", "B"]}}},
        send={"window": {"days": ["mon"], "from": "09:30", "to": "24:00"}, "max_late": "90m"},
        phases={"learn": {"until": "go_live - 7d", "reach": {"one-record": {"right": 0.75}}}},
    )
    apply(store, rich)
    with Store.open(store.database.url.render_as_string(hide_password=False)) as fresh:
        assert fresh.campaigns.get("crm").plan == rich  # type: ignore[union-attr]


def test_a_version_never_changes(store: Store) -> None:
    apply(store)
    assert apply(store, a_plan(title="Two")) == 2
    first, second = store.campaigns.version("crm", 1), store.campaigns.version("crm", 2)
    assert first is not None
    assert second is not None
    assert (first.plan.title, second.plan.title) == ("One customer record", "Two")
    assert (second.epoch, store.campaigns.version("crm", 3)) == (1, None)


@pytest.mark.parametrize(
    ("stored", "read"), [(["email", "console"], ("email",)), (["file"], ("slack", "email")), (["slack"], ("slack",))]
)
def test_a_plan_of_before_may_name_channels_that_nothing_opened(
    store: Store, stored: list[str], read: tuple[str, ...]
) -> None:
    store.campaigns.save_version(a_plan(), {}, "", introduced={}, by="dana", now=NOW)
    with store.database.write() as connection:
        plan = connection.execute(select(plan_version.c.plan)).scalar_one()
        older = {**plan, "send": {**plan.get("send", {}), "channels": stored}}
        connection.execute(update(plan_version).values(plan=older))
    with Store.open(str(store.database.url.render_as_string(hide_password=False))) as again:
        record = again.campaigns.get("crm")
    assert record is not None
    assert record.plan.send.channels == read


def test_what_is_unknown_is_none_and_near_names_help(store: Store) -> None:
    apply(store)
    assert store.campaigns.get("crn") is None
    assert store.campaigns.near("crn") == ["crm"]
    assert store.campaigns.near("entirely-else") == ["crm"]
    with pytest.raises(InputError, match="no campaign 'crn'"):
        store.campaigns.pause("crn", by="dana", now=NOW)


def test_start_lets_it_run_once(store: Store) -> None:
    apply(store)
    record = store.campaigns.start("crm", by="dana", now=NOW)
    assert (record.state, record.started_at, record.epoch) == ("running", NOW, 1)
    with pytest.raises(CommsError, match="started already"):
        store.campaigns.start("crm", by="dana", now=LATER)


def test_only_running_campaigns_are_decided_for(store: Store) -> None:
    apply(store)
    assert store.campaigns.running().running == ()
    store.campaigns.start("crm", by="dana", now=NOW)
    workspace = Workspace.model_validate({"at_most": {"per_week": "2"}})
    campaigns = store.campaigns.running(workspace)
    [campaign] = campaigns.running
    assert (campaign.id, campaign.started_at, campaign.epoch, campaign.introduced) == (
        "crm",
        NOW,
        1,
        {"one-record": NOW},
    )
    assert campaigns.workspace == workspace


def test_a_pause_is_remembered_with_its_backlog(store: Store) -> None:
    running(store)
    store.campaigns.pause("crm", by="dana", now=NOW)
    assert store.campaigns.running().running == ()
    record = store.campaigns.resume("crm", backlog="none", by="tom", now=LATER)
    assert (record.state, record.epoch) == ("running", 3)
    assert store.campaigns.running().running[0].pauses == (Standstill(NOW, LATER, "none"),)


def test_pausing_and_resuming_twice_change_nothing(store: Store) -> None:
    running(store)
    once = store.campaigns.pause("crm", by="dana", now=NOW)
    assert store.campaigns.pause("crm", by="dana", now=LATER) == once
    once = store.campaigns.resume("crm", backlog="all", by="dana", now=LATER)
    assert store.campaigns.resume("crm", backlog="all", by="dana", now=LATER + HOUR) == once


@pytest.mark.parametrize("decree", ["apply", "start", "resume"])
def test_whoever_lets_something_go_wakes_everybody(store: Store, decree: str) -> None:
    running(store)
    store.campaigns.pause("crm", by="dana", now=NOW)
    apply(store, a_plan(campaign="erp"))
    idle(store)
    if decree == "apply":
        apply(store)
    elif decree == "start":
        store.campaigns.start("erp", by="dana", now=NOW)
    else:
        store.campaigns.resume("crm", backlog="all", by="dana", now=NOW)
    assert sorted(store.loading.due(NOW)) == ["ana", "ben", "mia"]


def test_resume_needs_a_start_and_a_backlog_it_knows(store: Store) -> None:
    apply(store)
    with pytest.raises(CommsError, match="never started"):
        store.campaigns.resume("crm", backlog="all", by="dana", now=NOW)
    with pytest.raises(InputError, match="'some' is not a way"):
        store.campaigns.resume("crm", backlog="some", by="dana", now=NOW)


def test_cancelled_is_for_good(store: Store) -> None:
    running(store)
    assert store.campaigns.cancel("crm", by="dana", now=NOW).state == "cancelled"
    for again in (lambda: apply(store), lambda: store.campaigns.resume("crm", backlog="all", by="dana", now=NOW)):
        with pytest.raises(CommsError):
            again()


def test_cancelling_closes_what_waits(store: Store) -> None:
    touch = deliver(running(store), a_touch(), "retry", retry_at=LATER)
    claimed = a_touch("ben")
    claim(store, claimed)
    store.campaigns.cancel("crm", by="dana", now=NOW)
    store.outbox.release(now=NOW)
    assert (state(store, touch), state(store, claimed)) == ("skipped", None)


def test_a_new_version_of_a_finished_campaign_waits_for_resume(store: Store) -> None:
    running(store)
    assert store.campaigns.finish("crm", by="engine", now=NOW).state == "finished"
    apply(store)
    assert store.campaigns.get("crm").state == "paused"  # type: ignore[union-attr]
    assert store.campaigns.resume("crm", backlog="none", by="dana", now=LATER).state == "running"


def test_who_did_what_is_on_record(store: Store) -> None:
    running(store, [ANA])
    store.campaigns.pause("crm", by="dana", now=NOW)
    store.campaigns.resume("crm", backlog="all", by="tom", now=NOW)
    store.campaigns.cancel("crm", by="sam", now=NOW)
    trail = store.people.all_of("ana")["audit"]
    assert trail == []
    with store.database.read() as connection:
        rows = connection.exec_driver_sql('SELECT action, subject, "by" FROM audit ORDER BY id').all()
    assert [tuple(row) for row in rows] == [
        ("import", "people", "dana"), ("apply", "crm", "dana"), ("start", "crm", "dana"), ("pause", "crm", "dana"),
        ("resume", "crm", "tom"), ("cancel", "crm", "sam"),
    ]  # fmt: skip


def test_what_people_said_is_forgotten_when_its_time_is_over_and_the_counts_stay(store: Store) -> None:
    running(store)
    deliver(store, a_touch())
    store.answers.record(
        "ana", "crm", "one-record", a_touch().key, "check", value="Here", right=True, evidence="link", by="ana", now=NOW
    )
    store.questions.ask("ana", "crm", "one-record", a_touch().key, "Why me?", evidence="link", now=NOW)
    year = NOW + dt.timedelta(days=365)
    assert store.campaigns.forget_ended(year, by="engine", now=year) == []  # it goes on
    store.campaigns.finish("crm", by="engine", now=NOW)
    assert store.campaigns.forget_ended(NOW, by="engine", now=year) == []
    assert [each.right for each in store.answers.to_checks("crm")] == [True]
    before = store.counts.status(NOW)[0]
    assert store.campaigns.forget_ended(NOW + dt.timedelta(days=1), by="engine", now=year) == ["crm"]
    assert store.campaigns.forget_ended(NOW + dt.timedelta(days=1), by="engine", now=year) == []
    (answer,) = store.answers.of_person("ana")
    assert (answer.kind, answer.value, answer.right) == ("check", "", None)
    assert list(store.answers.to_checks("crm")) == []
    assert store.questions.all() == []
    after = store.counts.status(NOW)[0]
    assert (after.touches, after.acknowledged) == (before.touches, before.acknowledged)
