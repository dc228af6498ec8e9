from __future__ import annotations

import datetime as dt
import itertools
import threading
import time
from dataclasses import replace

from commsengine.campaigns.control import stop
from commsengine.channels.channel import PERMANENT, RETRY, UNCERTAIN, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.engine import BeatReport
from commsengine.engine.sending.breaker import FAILURES
from commsengine.store.store import Store
from tests.builders import BEN, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel
from tests.statements import statements
from tests.waiting import PATIENCE, expect


def states(store: Store) -> dict[str, int]:
    return {state: n for state, n in store.counts.status(utc("2027-01-11"))[0].touches.items() if n}


def test_each_due_person_gets_exactly_one_message(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(n) for n in range(25)])
    report = engine().tick()
    assert bag.to == sorted(someone(n).email for n in range(25))
    assert (report.claimed, report.sent, states(store)) == (25, 25, {"sent": 25})


def test_a_second_tick_sends_nothing(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(1)])
    running = engine()
    running.tick()
    assert running.tick() == BeatReport()
    assert len(bag.arrived) == 1


def test_a_tick_that_finds_nobody_due_asks_little(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    """The campaigns once; then a beat: rests, holds, what is uncertain, service mail, and whether somebody is due. At
    the end, whether anybody waits for a word. The statements for who is due, and for service mail and its hold, are
    prepared: only their transactions are seen.
    """
    run(store, [someone(n) for n in range(25)])
    running = engine()
    running.tick()
    running.tick()
    clock.forward(seconds=10)
    with statements(store.database) as of_a_tick:
        assert running.tick() == BeatReport()
    with statements(store.database) as of_a_beat:
        assert running.beat() == BeatReport()
    assert [of_a_tick.count("BEGIN"), len(of_a_tick)] == [7, 11]
    assert [of_a_beat.count("BEGIN"), len(of_a_beat)] == [5, 8]
    assert [statement for statement in of_a_beat if "campaign.version" in statement] == []


def test_who_is_due_for_nothing_costs_no_fence_and_no_line_in_the_journal(
    store: Store, engine: MakeEngine, clock: Clock
) -> None:
    run(store, [BEN])
    running, fence = engine(), store.engine.fence()
    assert running.tick().due == 1
    assert (store.engine.fence(), store.loading.due(clock.now)) == (fence, [])


def test_nobody_is_written_to_before_their_window_opens(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [BEN])
    running = engine()
    running.tick()
    assert bag.arrived == []
    clock.now = utc("2027-01-11 14:00")
    running.tick()
    assert bag.to == [BEN.email]


def test_many_threads_send_each_message_once(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(n) for n in range(240)])
    engine(email=a_channel(bag, threads=8)).tick()
    assert len(bag.arrived) == len({message.key for message in bag.arrived}) == 240


def test_two_engines_on_one_database_share_the_work(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(n) for n in range(120)])
    racing = [threading.Thread(target=engine(email=a_channel(bag, threads=2)).tick) for _ in range(3)]
    for thread in racing:
        thread.start()
    for thread in racing:
        thread.join()
    assert len(bag.arrived) == len({message.key for message in bag.arrived}) == 120
    assert states(store) == {"sent": 120}


def test_a_message_that_cannot_be_written_fails_alone(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(1), someone(2, name="Unwritable"), someone(3)])
    engine().tick()
    failed = store.touches.open_rows("crm", states=("failed",))
    assert len(bag.arrived) == 2
    assert [row.reason for row in failed] == ["RenderError: no such name in the template"]


def test_a_refusal_for_now_is_tried_again_with_growing_patience(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)])
    full = lambda m: Outcome(m.key, RETRY, "rcpt", "452 4.2.2 full", fault="later", own=True)  # noqa: E731
    running = engine(email=a_channel(bag, full))
    tries: list[dt.datetime] = []
    for _ in range(110):
        seen = len(bag.tried)
        running.tick()
        tries += [clock.now] * (len(bag.tried) - seen)
        clock.forward(minutes=1)
    row = store.touches.row(bag.tried[0])
    gaps = [(after - before).total_seconds() / 60 for before, after in itertools.pairwise(tries)]
    assert all(least <= gap <= least * 1.2 + 1 for gap, least in zip(gaps, (1, 5, 15, 60), strict=True))
    assert row
    assert (row.state, row.attempts) == ("failed", 5)
    assert row.reason == "given up after 5 attempts: 452 4.2.2 full"


def test_a_hard_refusal_fails_at_once(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(1), someone(2)])
    engine(
        email=a_channel(bag, lambda m: Outcome(m.key, PERMANENT, "rcpt", "550 no") if "1@" in m.to_email else None)
    ).tick()
    assert states(store) == {"sent": 1, "failed": 1}


def test_asked_for_patience_the_whole_pool_waits_and_it_is_no_attempt(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(5)])
    began = clock.now
    busy = iter([True])
    running = engine(
        email=a_channel(
            bag,
            lambda m: Outcome(m.key, RETRY, "call", "429", begun=False, retry_after=30) if next(busy, False) else None,
        )
    )
    running.tick()
    assert clock.now - began == dt.timedelta(seconds=30)
    assert len(bag.arrived) == 5
    assert {row.attempts for row in store.touches.list("crm")} == {1}


def test_a_channel_that_is_down_rests_while_others_go_on(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(
        store,
        [someone(1), someone(2, channel="slack"), someone(3, channel="slack")],
        a_plan(send={"channels": ["email", "slack"], "holidays": "false"}),
    )
    down = [True]
    slack = a_channel(
        bag,
        lambda m: (
            Outcome(m.key, RETRY, "connect", "refused", begun=False, channel_down="Slack does not answer")
            if down[0]
            else None
        ),
        name="slack",
    )
    running = engine(email=a_channel(bag), slack=slack)
    running.tick()
    assert (bag.to, len(bag.tried)) == ([someone(1).email], 1 + FAILURES)
    assert running.shut_channels() == {"slack": (clock.now + dt.timedelta(seconds=30), "Slack does not answer")}
    clock.forward(seconds=31)
    running.tick()
    assert running.shut_channels()["slack"][0] == clock.now + dt.timedelta(seconds=60)
    down[0] = False
    clock.forward(seconds=61)
    running.tick()
    assert len(bag.arrived) == 3
    assert running.shut_channels() == {}


def test_a_channel_that_must_get_ready_is_waited_for_in_the_same_tick_and_keeps_no_letter(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    send = {"channels": ["email", "slack"], "holidays": "false"}
    run(store, [someone(1), *(someone(n, channel="slack") for n in range(2, 6))], a_plan(send=send))
    began, asked = clock.now, list[float]()

    def prepare(now: dt.datetime) -> float:
        asked.append((now - began).total_seconds())
        return 3.0 if asked[-1] < 9 else 0.0

    running = engine(email=a_channel(bag), slack=a_channel(bag, name="slack", prepare=prepare))
    assert running.beat().claimed == 1  # the letter
    assert running.shut_channels() == {"slack": (began + dt.timedelta(seconds=3), "its list of users is read first")}
    report = running.tick()
    assert ([*dict.fromkeys(asked)], len(bag.arrived), report.claimed) == ([0.0, 3.0, 6.0, 9.0], 5, 4)
    assert {row.attempts for row in store.touches.list("crm")} == {1}


def test_who_is_not_on_slack_gets_mail_in_the_same_tick(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(1)], a_plan(send={"channels": ["slack", "email"], "holidays": "false"}))
    slack = a_channel(
        bag,
        lambda m: Outcome(m.key, PERMANENT, "lookup", "users_not_found", begun=False, unreachable="not on Slack"),
        name="slack",
    )
    engine(slack=slack, email=a_channel(bag)).tick()
    assert [(message.channel, message.to_email) for message in bag.arrived] == [("email", someone(1).email)]


def test_an_unknown_mailbox_goes_on_to_the_next_channel(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(1)], a_plan(send={"channels": ["email", "slack"], "holidays": "false"}))
    email = a_channel(bag, lambda m: Outcome(m.key, PERMANENT, "rcpt", "550 5.1.1", unreachable="no such mailbox"))
    engine(slack=a_channel(bag, name="slack"), email=email).tick()
    assert [message.channel for message in bag.arrived] == ["slack"]
    assert [attempt.verdict for attempt in store.touches.attempts(bag.arrived[0].key)] == ["retry", "sent"]


def test_a_break_after_the_mark_is_sent_once_more_and_flagged_then_held(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)])
    running = engine(email=a_channel(bag, lambda m: Outcome(m.key, UNCERTAIN, "dot", "timed out")))
    for _ in range(5):
        running.tick()
        clock.forward(minutes=1)
    row = store.touches.row(bag.tried[0])
    assert len(bag.tried) == 2
    assert row
    assert (row.state, row.possible_duplicate, row.held) == ("uncertain", True, True)


def test_what_the_plan_holds_is_never_sent_again_by_itself(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(on_uncertain="hold"))
    running = engine(email=a_channel(bag, lambda m: Outcome(m.key, UNCERTAIN, "dot", "timed out")))
    running.tick()
    clock.forward(minutes=1)
    running.tick()
    assert (len(bag.tried), states(store)) == (1, {"uncertain": 1})


def test_a_channel_that_breaks_leaves_no_row_without_an_answer(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    def broken(message: RenderedMessage) -> Outcome:
        raise RuntimeError("a defect")

    run(store, [someone(1), someone(2)], a_plan(on_uncertain="hold"))
    running = engine(email=a_channel(bag, broken))
    running.tick()
    assert states(store) == {"uncertain": 1}
    assert "email" in running.shut_channels()


def test_nothing_leaves_once_its_window_has_closed(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1), someone(2)], a_plan(send={"channels": ["email"], "holidays": "false", "max_late": "24h"}))

    clock.now = utc("2027-01-11 15:25")

    def dawdle(message: RenderedMessage) -> None:
        clock.now = utc("2027-01-11 15:30")

    engine(email=a_channel(bag, before_mark=dawdle)).tick()
    assert bag.arrived == []
    assert states(store) == {}


def test_a_pause_while_sending_stops_every_further_message(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(120)])
    half_way = threading.Event()
    sent_at_return: list[int] = []

    def count(message: RenderedMessage) -> None:
        time.sleep(0.01)
        if len(bag.arrived) >= 20:
            half_way.set()

    running = engine(email=a_channel(bag, before_mark=count, threads=3))
    sending = threading.Thread(target=running.tick)
    sending.start()
    half_way.wait(PATIENCE)
    [report] = stop(store, ["crm"], by="dana", clock=clock)
    sent_at_return.append(len(bag.arrived))
    sending.join()
    assert report.clean
    assert 20 <= sent_at_return[0] < 120
    assert len(bag.arrived) == sent_at_return[0]
    store.campaigns.resume("crm", backlog="latest", by="dana", now=clock.now)
    running.tick()
    assert len(bag.arrived) == len({message.key for message in bag.arrived}) == 120


def test_after_a_pause_a_relay_is_not_bothered_with_the_rest_of_the_batch(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(40)])
    offered: list[str] = []

    def pause_at_the_third(message: RenderedMessage) -> None:
        offered.append(message.key)
        if len(offered) == 3:
            stop(store, ["crm"], by="dana", clock=clock, wait=0)

    engine(email=a_channel(bag, before_mark=pause_at_the_third)).tick()
    assert (len(bag.arrived), len(offered)) == (2, 3)
    assert {row.state for row in store.touches.list("crm")} == {"sent"}


def test_one_refused_mark_keeps_nobody_else_of_the_batch_back(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(12)])
    left = replace(someone(5), left=dt.date(2027, 1, 10))

    def leaves(message: RenderedMessage) -> None:
        if message.to_email == someone(3).email:
            store.people.save([left], by="dana", now=clock.now)

    engine(email=a_channel(bag, before_mark=leaves)).tick()
    assert bag.to == [someone(n).email for n in range(12) if n != 5]


def test_stopping_gives_back_what_has_not_begun(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(n) for n in range(150)])
    begun = threading.Event()

    def count(message: RenderedMessage) -> None:
        time.sleep(0.01)
        if len(bag.arrived) >= 20:
            begun.set()

    running = engine(email=a_channel(bag, before_mark=count))
    sending = threading.Thread(target=running.tick)
    sending.start()
    begun.wait(PATIENCE)
    assert running.stop()
    sending.join()
    assert states(store) == {"sent": len(bag.arrived)}
    assert 20 <= len(bag.arrived) < 80


def test_a_hold_stops_everything_but_the_beat(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    run(store, [someone(1)])
    store.engine.hold("restored from a copy", now=clock.now)
    report = engine().tick()
    assert (report, bag.arrived) == (BeatReport(hold="restored from a copy"), [])


def test_no_more_is_claimed_than_the_rate_lets_leave_within_half_the_lease(
    store: Store, engine: MakeEngine, bag: Mailbag
) -> None:
    run(store, [someone(n) for n in range(50)])
    report = engine(email=a_channel(bag, per_minute=4)).beat()
    assert (report.due, report.claimed, report.crowded) == (20, 20, 0)


def test_a_claim_that_takes_longer_than_its_lease_is_kept_alive(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """Over a slow line: whatever is refused right before its final dot has been carried in vain."""
    run(store, [someone(n) for n in range(5)])
    begun: list[str] = []

    def four_minutes_and_a_beat(message: RenderedMessage) -> None:
        begun.append(message.key)
        clock.forward(minutes=4)
        expect(lambda: store.engine.heartbeats()[0].beat_at >= clock.now)

    engine(email=a_channel(bag, before_mark=four_minutes_and_a_beat)).tick()
    assert len(bag.arrived) == len(begun) == 5


def test_a_claim_whose_lease_is_over_is_not_carried_at_all(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(60)])
    begun: list[str] = []

    def once_asleep_for_long(message: RenderedMessage) -> None:
        begun.append(message.key)
        clock.forward(minutes=11 if len(begun) == 1 else 0)

    engine(email=a_channel(bag, before_mark=once_asleep_for_long)).tick()
    assert len(bag.arrived) == 60
    assert len(begun) <= 110  # the batch under way is refused one by one; the next one is not even begun


def test_the_rate_spreads_messages_over_time(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    run(store, [someone(n) for n in range(6)])
    running = engine(email=a_channel(bag, per_minute=600, threads=3))
    began = time.monotonic()
    running.tick()
    assert len(bag.arrived) == 6
    assert time.monotonic() - began >= 0.4  # ten a second, and each thread takes two
