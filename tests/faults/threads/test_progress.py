"""Progress and "finished": threads in which nobody could say who had been sent what.

Our rule: every touch of every person is a row, and the row is the only truth. A campaign is finished when its last
message is closed and every row is settled; that a look for work finds none proves nothing. Counters count rows.
"""

from __future__ import annotations

import threading
import time

from commsengine.channels.channel import RETRY, UNCERTAIN, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.reports.status import status
from commsengine.store.store import Store
from tests.builders import someone
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel
from tests.faults.threads.engines import (
    at_the_end,
    campaign_is,
    crowd,
    dies,
    lives,
    once,
    over_smtp,
    per_person,
    states,
)
from tests.servers import SmtpSink
from tests.waiting import PATIENCE


def test_listmonk_3022_3222_checkpoint_moved_at_fetch_not_at_send(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a checkpoint moved when a batch was fetched; after a crash the unsent rest was skipped, then "finished".

    Here: what a dead engine had claimed and not sent is sent by the next one; only what was leaving is flagged.
    """
    run(store, crowd(40), once())
    keys = dies(store, clock.now, sent=10, sending=2)
    running = engine()
    running.tick()
    assert sorted(message.key for message in bag.arrived) == sorted(keys[10:])
    assert {row.key for row in store.touches.list("crm") if row.possible_duplicate} == set(keys[10:12])
    assert (states(store), at_the_end(running, store, clock)) == ({"sent": 40}, "finished")


def test_listmonk_2278_a_reboot_finished_the_campaign_with_a_hundred_unsent(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: the machine was restarted in mid-campaign; it came back as "finished", about 100 people unsent.

    Here: an engine that is told to stop gives back what has not left, and the next one sends exactly that.
    """
    run(store, crowd(60), once())
    half_way = threading.Event()

    def slowly(message: RenderedMessage) -> None:
        if len(bag.arrived) >= 20:
            half_way.set()
            time.sleep(0.1)

    first = engine(email=a_channel(bag, before_mark=slowly))
    sending = threading.Thread(target=first.tick)
    sending.start()
    assert half_way.wait(PATIENCE)
    assert first.stop()
    sending.join()
    assert 20 <= len(bag.arrived) < 60
    assert (campaign_is(store), states(store)) == ("running", {"sent": len(bag.arrived)})
    second = engine(email=a_channel(bag))
    second.tick()
    assert (per_person(bag.to), len(bag.arrived)) == ({1}, 60)
    assert at_the_end(second, store, clock) == "finished"


def test_listmonk_1155_1393_2183_finished_long_before_everybody_had_it(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: the campaign was "finished" long before everybody had it, once at 3 of 786,210.

    Here: a row that waits for its next attempt keeps the campaign running, however often a look finds nobody due.
    """
    run(store, crowd(20), once())
    busy = [True]
    running = engine(email=a_channel(bag, lambda m: Outcome(m.key, RETRY, "rcpt", "450 later") if busy[0] else None))
    running.tick()
    assert store.loading.due(clock.now) == []
    running.tick()
    assert (campaign_is(store), states(store)) == ("running", {"retry": 20})
    busy[0] = False
    clock.forward(minutes=2)
    running.tick()
    assert (states(store), per_person(bag.to)) == ({"sent": 20}, {1})
    assert at_the_end(running, store, clock) == "finished"


def test_listmonk_1762_half_the_list_fell_to_connection_errors_and_it_was_finished(
    store: Store, engine: MakeEngine, relay: SmtpSink, clock: Clock
) -> None:
    """They: waiting for a free connection timed out, each time a subscriber was lost, and the campaign "finished".

    Here: a mail server that takes no more connections costs nobody their message and counts as no attempt.
    """
    run(store, crowd(20), once())
    relay.fail("connect", "421 4.7.0 too many connections", times=3)
    running = engine(email=over_smtp(relay, threads=2))
    for _ in range(4):
        running.tick()
        assert campaign_is(store) == "running"
        clock.forward(minutes=5)
    assert (len(relay.messages), per_person(relay.recipients)) == (20, {1})
    assert {row.attempts for row in store.touches.list("crm")} == {1}


def test_listmonk_2708_one_invalid_address_and_it_finished_without_the_rest(
    store: Store, engine: MakeEngine, relay: SmtpSink, clock: Clock
) -> None:
    """They: the mail server refused one address as invalid; a quarter of an hour later the campaign was "finished".

    Here: a refused address settles its own row; everybody else gets the message before anything is finished.
    """
    run(store, crowd(20), once())
    relay.fail("rcpt", "501 Invalid RCPT TO address provided")
    running = engine(email=over_smtp(relay))
    running.tick()
    assert (len(relay.messages), per_person(relay.recipients)) == (19, {1})
    assert (states(store), at_the_end(running, store, clock)) == ({"sent": 19, "failed": 1}, "finished")


def test_listmonk_1931_a_batch_of_only_blocked_people_was_taken_for_the_end(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a batch in which everybody was blocked came back empty, and that was taken for the end of the list.

    Here: a whole batch of people who get nothing is followed by the next batch.
    """
    nobody = [someone(number, department="Elsewhere") for number in range(1000)]  # the size of a batch
    run(store, [*nobody, *(someone(number) for number in range(1000, 1005))], once(
        audience={"roles": {"sales": {"department": ["Sales"]}}}, wiifm={},
    ))  # fmt: skip
    assert store.loading.due(clock.now) == [person.id for person in nobody]
    engine().tick()
    assert (len(bag.arrived), campaign_is(store)) == (5, "running")


def test_listmonk_2168_2591_2860_pause_restart_resume_and_it_was_finished(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: paused to change the rate, restarted, resumed: "finished" at once, at 5,258 of 5,601 or 2,061 of 5,239.

    Here: pausing only changes what may be claimed; after a restart at another rate exactly the rest is sent.
    """
    run(store, crowd(40), once())

    def pause_half_way(message: RenderedMessage) -> None:
        if len(bag.arrived) == 25:
            store.campaigns.pause("crm", by="dana", now=clock.now)

    first = engine(email=a_channel(bag, before_mark=pause_half_way))
    first.tick()
    first.stop()
    assert (campaign_is(store), states(store)) == ("paused", {"sent": 25})
    second = engine(email=a_channel(bag, per_minute=6000, threads=2))
    second.tick()
    store.campaigns.resume("crm", backlog="latest", by="dana", now=clock.now)
    second.tick()
    assert (campaign_is(store), len(bag.arrived), per_person(bag.to)) == ("running", 40, {1})


def test_listmonk_734_the_counter_rose_while_no_connection_was_free(
    store: Store, engine: MakeEngine, relay: SmtpSink, clock: Clock
) -> None:
    """They: no connection was free, nothing left the house, and the number of sent messages went on rising.

    Here: a message counts as sent when the mail server has said so, and the channel that rests says why.
    """
    run(store, crowd(10), once())

    def full(data: bytes) -> None:
        if len(relay.messages) == 4:
            relay.fail("mail", "421 4.3.2 too many connections")
            relay.fail("connect", "421 4.3.2 too many connections", times=99)

    relay.on_message = full
    running = engine(email=over_smtp(relay))
    report = running.tick()
    [books] = status(store, clock.now)["campaigns"]
    assert report.sent == books["touches"]["sent"] == len(relay.messages) == 4
    assert "421" in running.shut_channels()["email"][1]


def test_listmonk_1392_dropped_after_the_last_try_and_nobody_knew_whether_it_counted(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: after the last retry a message was dropped; whether it counted as sent, nobody could tell.

    Here: it is failed, with the reason and every attempt on record, and the books add up.
    """
    run(store, crowd(3), once())
    no = Outcome("", RETRY, "rcpt", "452 4.2.2 no", fault="later", own=True)
    running = engine(email=a_channel(bag, lambda m: no._replace(key=m.key) if "2@" in m.to_email else None))
    running.tick()
    lives(running, store, clock, "2027-01-11 12:00")
    [failed] = store.touches.open_rows("crm", states=("failed",))
    assert failed.reason == "given up after 5 attempts: 452 4.2.2 no"
    assert [attempt.verdict for attempt in store.touches.attempts(failed.key)] == ["retry"] * 4 + ["failed"]
    assert states(store) == {"sent": 2, "failed": 1}


def test_listmonk_2610_resumed_shown_as_running_and_sending_nothing(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: after a pause the campaign was shown as running, and nothing was ever sent again.

    Here: it goes on at the next beat, and the engine is called running only as long as its own beats say so.
    """
    run(store, crowd(5), once())
    running = engine()
    for _ in range(3):
        store.campaigns.pause("crm", by="dana", now=clock.now)
        running.tick()
        store.campaigns.resume("crm", backlog="latest", by="dana", now=clock.now)
    assert bag.arrived == []
    running.tick()
    assert len(bag.arrived) == 5
    assert status(store, clock.now)["engine"]["state"] == "running"
    clock.forward(minutes=3)
    assert status(store, clock.now)["engine"]["state"] == "stopped"


def test_listmonk_2221_1198_nobody_could_say_who_had_received_it(
    store: Store, engine: MakeEngine, relay: SmtpSink
) -> None:
    """They: asked who had received a campaign, nothing could answer: a record per person was thought too large.

    Here: for each person there is a row that says when it left, or why it did not, and the mail server's own word.
    """
    run(store, crowd(4), once(on_uncertain="hold"))
    relay.fail("rcpt", "501 Invalid RCPT TO address provided")
    relay.fail("dot", "cut")
    engine(email=over_smtp(relay)).tick()
    told = {row.person_id: (row.state, row.reason) for row in store.touches.list("crm")}
    assert sorted(told) == [person.id for person in crowd(4)]
    assert sorted(state for state, _ in told.values()) == ["failed", "sent", "sent", "uncertain"]
    sent = {row.remote_id for row in store.touches.list("crm") if row.state == "sent"}
    assert sent == {"Q2", "Q3"}  # the first message the relay kept is the one it never confirmed


def test_listmonk_1802_finished_with_rows_nobody_had_an_answer_for(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: "finished" with mails that had failed: no list of them, and no way to send it again to just those.

    Here: a row that waits for a person's word keeps the campaign running, and "resend" then does send it.
    """
    run(store, crowd(2), once(on_uncertain="hold"))
    cut = [Outcome("", UNCERTAIN, "dot", "cut")]
    first = engine(email=a_channel(bag, lambda m: cut.pop()._replace(key=m.key) if cut else None))
    first.tick()
    assert (campaign_is(store), states(store)) == ("running", {"sent": 1, "uncertain": 1})
    [held] = store.touches.open_rows("crm", states=("uncertain",))
    store.recovery.resolve(held.key, "resend", by="dana", now=clock.now)
    first.tick()
    assert (states(store), len(bag.arrived), at_the_end(first, store, clock)) == ({"sent": 2}, 2, "finished")
