from __future__ import annotations

import threading

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.campaigns.control import stop
from commsengine.campaigns.effects import effects
from commsengine.campaigns.known_campaign import known
from commsengine.channels.channel import UNCERTAIN, DeliveryError
from commsengine.content.message import RenderedMessage
from commsengine.engine.decisions import Decisions
from commsengine.errors import InputError
from commsengine.store.store import Store
from tests.builders import BEN, a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel
from tests.waiting import PATIENCE

TWO_A_DAY = {"channels": ["email"], "holidays": "false", "at_most": {"per_day": "2"}}


def test_a_pause_that_meets_nothing_is_clean_at_once(store: Store, clock: Clock) -> None:
    run(store, [someone(1)])
    assert stop(store, ["crm"], by="dana", clock=clock)[0].clean
    assert known(store, "crm").state == "paused"


def test_a_pause_lists_what_is_still_leaving_when_its_patience_ends(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(3)])
    leaving, go = threading.Event(), threading.Event()

    def hangs(message: RenderedMessage) -> None:
        leaving.set()
        go.wait(PATIENCE)

    running = engine(email=a_channel(bag, hangs))
    ticking = threading.Thread(target=running.tick)
    ticking.start()
    leaving.wait(PATIENCE)
    [report] = stop(store, ["crm"], by="dana", clock=clock, wait=0.2)
    assert [row.state for row in report.open_rows] == ["sending"]
    go.set()
    ticking.join()
    assert len(bag.arrived) == 1
    assert stop(store, ["crm"], by="dana", clock=clock)[0].clean


@pytest.mark.parametrize("for_good", [False, True])
def test_what_had_begun_is_waited_for_and_the_rest_is_given_back_and_both_are_counted(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock, for_good: bool
) -> None:
    run(store, [someone(n) for n in range(30)])
    leaving, go = threading.Event(), threading.Event()

    def hangs(message: RenderedMessage) -> None:
        leaving.set()
        go.wait(PATIENCE)

    running = engine(email=a_channel(bag, hangs))
    ticking = threading.Thread(target=running.tick)
    ticking.start()
    assert leaving.wait(PATIENCE)
    [report] = stop(store, ["crm"], for_good=for_good, by="dana", clock=clock, sleep=lambda _: go.set(), wait=30)
    assert (report.clean, report.given_back, report.just_left, len(bag.arrived)) == (True, 29, 1, 1)
    ticking.join(PATIENCE)
    assert len(bag.arrived) == 1


def test_the_kill_switch_pauses_every_campaign(store: Store, clock: Clock) -> None:
    run(store, [someone(1)])
    run(store, [someone(1)], a_plan(campaign="other"))
    assert [report.campaign for report in stop(store, ["crm", "other"], by="dana", clock=clock)] == ["crm", "other"]
    assert {record.state for record in store.campaigns.all()} == {"paused"}


def test_a_cancelled_campaign_sends_nothing_more(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    run(store, [someone(1)])
    assert stop(store, ["crm"], for_good=True, by="dana", clock=clock)[0].clean
    engine().tick()
    assert bag.arrived == []


def test_an_unknown_campaign_names_the_near_ones(store: Store) -> None:
    run(store, [someone(1)])
    with pytest.raises(InputError, match=r"There is no campaign 'crn'. There is: crm."):
        known(store, "crn")


def test_the_outlook_of_a_start_counts_who_is_due_now(store: Store, clock: Clock) -> None:
    store.people.save([someone(1), someone(2), BEN], by="dana", now=utc("2027-01-04"))
    store.campaigns.save_version(a_plan(), {}, "", introduced={}, by="dana", now=utc("2027-01-04"))
    seen = effects(store, Decisions(store, Workspace()), known(store, "crm"), "latest", clock.now)
    assert (seen.people, seen.now_due, seen.later, seen.first_at) == (3, 2, 1, utc("2027-01-11 14:00"))


@pytest.mark.parametrize(("backlog", "due", "skipped"), [("latest", 1, {"merged": 1}), ("none", 0, {"backlog": 2})])
def test_the_outlook_of_a_resume_shows_what_each_choice_does(
    store: Store, clock: Clock, backlog: str, due: int, skipped: dict[str, int]
) -> None:
    twice = a_plan(
        a_message(id="one"),
        a_message(id="two"),
        send=TWO_A_DAY,
    )
    run(store, [someone(1)], twice)
    stop(store, ["crm"], by="dana", clock=Clock(utc("2027-01-10")))
    decisions = Decisions(store, Workspace.model_validate({"at_most": {"per_day": "2"}}))
    seen = effects(store, decisions, known(store, "crm"), backlog, clock.now)
    assert (seen.now_due, dict(seen.skipped)) == (due, skipped)
    assert known(store, "crm").state == "paused"


def test_a_pause_that_is_repeated_still_says_what_is_uncertain(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    def breaks(message: RenderedMessage) -> None:
        raise DeliveryError(UNCERTAIN, "timeout", "nobody knows")

    run(store, [someone(1)], a_plan(on_uncertain="hold"))
    engine(email=a_channel(bag, breaks)).tick()
    for _ in range(2):
        [report] = stop(store, ["crm"], by="dana", clock=clock)
        assert (report.clean, len(report.uncertain)) == (False, 1)
        clock.forward(hours=3)
