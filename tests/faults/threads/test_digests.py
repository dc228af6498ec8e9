"""Digests and merging: threads in which a summary came twice, was split, or swallowed itself.

We have no merger of several messages into one. What is nearest: the lead's morning digest, a piece of service mail with
a key per owner and day, and touches that a pause held back, of which the newest leaves and the others are rows that say
``skipped: merged``.
"""

from __future__ import annotations

from commsengine.channels.channel import RETRY, Outcome
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel
from tests.faults.threads.engines import crowd
from tests.faults.threads.test_claims import at_once
from tests.reports.test_digest import BERLIN, DANA, asked, digests


def test_novu_1633_2569_two_events_in_one_second_made_two_digests(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: two events in the same second, and the person had two digests of the same things.

    Here: the digest of an owner and a day is one row; three engines at the same instant send it one time, with both.
    """
    run(store, crowd(2), a_plan(send=BERLIN))
    for person in crowd(2):
        store.questions.ask(
            person.id, "crm", "one-record", "k", "Offline?", evidence="link", now=utc("2027-01-11 09:00")
        )
    clock.now = utc("2027-01-12 07:00")
    engines = [engine(email=a_channel(bag)) for _ in range(3)]
    at_once(*[each.tick for each in engines])
    assert digests(bag) == ["Today: 2 questions open"]


def test_novu_12373_a_digest_that_was_tried_again_merged_into_itself_and_vanished(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a digest whose step ran a second time took its own job for another digest, merged into it, and never left.

    Here: a digest that the mail server put off is tried again and arrives, one time.
    """
    asked(store)
    clock.now = utc("2027-01-12 07:00")
    later = [Outcome("", RETRY, "rcpt", "450 later")]
    putting_off = a_channel(bag, lambda m: later.pop()._replace(key=m.key) if m.to_email == DANA and later else None)
    for _ in range(4):
        engine(email=putting_off).tick()
        clock.forward(minutes=2)
    assert (digests(bag), len([key for key in bag.tried if key == bag.arrived[-1].key])) == (
        ["Today: 1 question open"],
        2,
    )


def test_novu_12373_what_a_pause_held_back_does_not_merge_into_itself(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a digest whose step ran a second time took its own job for another digest, merged into it, and never left.

    Here: of what a pause held back the newest leaves, also when it is tried twice; the other's row says "merged".
    """
    two = a_plan(a_message(id="one"), a_message(id="two"), send={**BERLIN, "at_most": {"per_day": "2"}})
    run(store, [someone(1)], two)
    later = [Outcome("", RETRY, "rcpt", "450 later")] * 2
    running = engine(email=a_channel(bag, lambda m: later.pop()._replace(key=m.key) if later else None))
    running.tick()
    store.campaigns.pause("crm", by="dana", now=clock.now)
    clock.forward(minutes=2)
    store.campaigns.resume("crm", backlog="latest", by="dana", now=clock.now)
    for _ in range(2):
        running.tick()
    told = [(row.state, row.reason, row.attempts) for row in store.touches.list("crm")]
    assert sorted(told) == [("sent", "", 2), ("skipped", "merged", 1)]
    assert len(bag.arrived) == 1


def test_novu_11976_a_deploy_split_the_digest_in_two(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a new version was installed in mid-morning, and what had come before and after it made two digests.

    Here: another engine with another version of the plan makes the same key; what comes later is in tomorrow's.
    """
    asked(store)
    clock.now = utc("2027-01-12 07:00")
    before = engine(email=a_channel(bag))
    before.tick()
    before.stop()
    store.campaigns.save_version(a_plan(send=BERLIN, title="Another"), {}, "", introduced={}, by="dana", now=clock.now)
    store.questions.ask(someone(1).id, "crm", "one-record", "k2", "And on paper?", evidence="link", now=clock.now)
    clock.forward(minutes=20)
    after = engine(email=a_channel(bag))
    after.tick()
    assert digests(bag) == ["Today: 1 question open"]
    clock.now = utc("2027-01-13 07:00")
    after.tick()
    assert digests(bag) == ["Today: 1 question open", "Today: 2 questions open"]
