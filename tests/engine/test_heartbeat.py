from __future__ import annotations

import datetime as dt

from commsengine.cadence.plan import Workspace
from commsengine.campaigns.known_campaign import known
from commsengine.channels.channel import UNCERTAIN, Outcome
from commsengine.engine.heartbeat import at_night, finish_what_is_over, sweep
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel

ONCE = a_plan(a_message(ask="nothing", cadence={"every": "24h", "times": "1"}))


def test_a_sweep_makes_everybody_due_and_sends_nothing_more(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(3)])
    running = engine()
    running.tick()
    sweep(store, clock.now)
    assert len(store.loading.due(clock.now)) == 3
    running.tick()
    assert len(bag.arrived) == 3


def test_while_a_message_is_open_whoever_joins_is_told(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)], ONCE)
    running = engine()
    running.tick()
    clock.forward(days=2)
    store.people.save([someone(2)], by="hr", now=clock.now)
    running.tick()
    assert (known(store, "crm").state, bag.to) == ("running", [someone(1).email, someone(2).email])


def test_an_import_that_takes_everybody_out_for_a_moment_ends_nothing(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(audience={"roles": {"sales": {"department": ["Sales"]}}}, wiifm={}, follow_up=[]))
    running = engine()
    for department in ("Sales", "", "Sales"):
        store.people.save([someone(1, department=department)], by="hr", now=clock.now)
        running.tick()
    clock.forward(days=2)
    running.tick()
    assert len(bag.arrived) == 2


def test_what_waits_for_a_persons_word_keeps_it_running_after_its_last_day(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(on_uncertain="hold"))
    running = engine(email=a_channel(bag, lambda m: Outcome(m.key, UNCERTAIN, "dot", "cut")))
    running.tick()
    clock.now = utc("2027-04-02")
    running.tick()
    assert known(store, "crm").state == "running"
    store.recovery.resolve(bag.tried[0], "sent", by="dana", now=clock.now)
    running.tick()
    assert known(store, "crm").state == "finished"


def test_a_campaign_whose_last_day_is_over_is_finished(store: Store) -> None:
    run(store, [someone(1)])
    assert finish_what_is_over(store, utc("2027-03-30")) == []
    assert finish_what_is_over(store, utc("2027-04-01")) == ["crm"]


def test_at_night_what_was_said_long_ago_is_forgotten(store: Store, clock: Clock) -> None:
    run(store, [someone(1)], ONCE)
    store.questions.ask(someone(1).id, "crm", "one-record", "k", "Why?", evidence="link", now=clock.now)
    store.campaigns.finish("crm", by="engine", now=clock.now)
    kept = Workspace.model_validate({"retention": "30 days"})
    for days, known_still in ((29, 1), (31, 0)):
        at_night(store, kept, clock.now + dt.timedelta(days=days))
        assert len(store.questions.all()) == known_still
