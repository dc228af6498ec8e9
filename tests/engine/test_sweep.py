from __future__ import annotations

from commsengine.engine.campaigns import known
from commsengine.engine.sweep import finish_what_is_over, sweep
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag

ONCE = a_plan(a_message(ask="nothing", cadence={"every": "24h", "times": "1"}))


def test_a_sweep_makes_everybody_due_and_sends_nothing_more(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(3)])
    running = engine()
    running.tick()
    sweep(store, clock.now)
    assert len(store.touches.due(clock.now)) == 3
    running.tick()
    assert len(bag.arrived) == 3


def test_a_campaign_is_finished_when_nobody_has_a_next_instant(store: Store, engine: MakeEngine) -> None:
    run(store, [someone(1)], ONCE)
    engine().tick()
    assert known(store, "crm").state == "finished"


def test_an_open_question_keeps_it_running(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1), someone(2)], ONCE)
    store.facts.ask(someone(1).id, "crm", "one-record", "k", "Why?", evidence="link", now=clock.now)
    engine().tick()
    assert known(store, "crm").state == "running"


def test_a_campaign_without_people_is_not_finished(store: Store, engine: MakeEngine) -> None:
    run(store, [], ONCE)
    engine().tick()
    assert known(store, "crm").state == "running"


def test_a_campaign_whose_last_day_is_over_is_finished(store: Store) -> None:
    run(store, [someone(1)])
    assert finish_what_is_over(store, utc("2027-03-30")) == []
    assert finish_what_is_over(store, utc("2027-04-01")) == ["crm"]
