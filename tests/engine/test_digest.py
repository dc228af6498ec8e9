from __future__ import annotations

from commsengine.channels.channel import PERMANENT, RETRY, Outcome
from commsengine.engine.books import status
from commsengine.store.store import Store
from tests.builders import a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel

DANA = "dana@example.com"
BERLIN = {"channels": ["email"], "holidays": "false", "time_zone": "Europe/Berlin"}


def asked(store: Store, now: str = "2027-01-11 08:00") -> None:
    """Person 1 has a question, so that there is something to do."""
    run(store, [someone(1)], a_plan(send=BERLIN))
    store.facts.ask(someone(1).id, "crm", "one-record", "k", "Does it work offline?", evidence="link", now=utc(now))


def digests(bag: Mailbag) -> list[str]:
    return [message.subject for message in bag.arrived if message.to_email == DANA]


def test_each_owner_hears_once_a_morning_what_waits(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    asked(store)
    running = engine()
    for time in ("06:59", "07:00", "07:30", "09:00"):  # Berlin is an hour ahead
        clock.now = utc(f"2027-01-12 {time}")
        running.tick()
        assert len(digests(bag)) == (time != "06:59")
    assert digests(bag) == ["Today: 1 question open"]


def test_another_engine_does_not_send_it_again(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    asked(store)
    clock.now = utc("2027-01-12 08:00")
    engine().tick()
    engine().tick()
    assert len(digests(bag)) == 1


def test_nothing_to_do_is_not_told(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(send=BERLIN))
    clock.now = utc("2027-01-12 08:00")
    engine().tick()
    assert digests(bag) == []


def test_weekends_and_afternoons_are_left_alone(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    asked(store)
    running = engine()
    for moment in ("2027-01-16 08:00", "2027-01-12 12:00"):
        clock.now = utc(moment)
        running.tick()
    assert digests(bag) == []


def test_a_digest_counts_nowhere(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    asked(store)
    clock.now = utc("2027-01-12 08:00")
    engine().tick()
    assert len(bag.arrived) == 1
    assert sum(status(store, clock.now)["campaigns"][0]["touches"][state] for state in ("sent", "retry")) == 0


def test_it_says_what_never_arrived_and_which_channel_rests(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    asked(store)
    store.people.save([someone(2, channel="slack"), someone(3)], by="dana", now=clock.now)
    refuses = a_channel(
        bag, lambda m: Outcome(m.key, PERMANENT, "rcpt", "501 bad") if m.to_email == someone(3).email else None
    )
    both = a_plan(send={**BERLIN, "channels": ["email", "slack"]})
    store.plans.save_version(both, {}, "", introduced={}, by="dana", now=clock.now)
    down = "Slack refuses us: invalid_auth"
    slack = a_channel(bag, lambda m: Outcome(m.key, RETRY, begun=False, channel_down=down, lasting=True), name="slack")
    running = engine(email=refuses, slack=slack)
    running.tick()
    figures = list(running._digests._not_leaving("crm", clock.now))
    assert figures == [
        "1 message never arrived: commsengine today says to whom, and why.",
        "Nothing leaves by slack at present (1 waiting): Slack refuses us: invalid_auth.",
    ]
