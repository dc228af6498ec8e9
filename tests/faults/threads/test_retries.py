"""Retries and time-outs: threads in which an error was answered by sending everything again, or by nothing at all.

Our rule: whether to try again depends on the phase that was reached. Up to the final dot all is safe to repeat; after
it, silence is uncertain and never blindly sent again. One recipient per row and per mail transaction. What waits, waits
in the database and not in a queue; recovery is no job that could itself get stuck.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import delete

from commsengine.channels.channel import RETRY, Outcome
from commsengine.reports.status import held
from commsengine.store import tables
from commsengine.store.store import Store
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel
from tests.faults.threads.engines import (
    ALL_DAY,
    a_dead_one,
    addresses,
    campaign_is,
    crowd,
    dies,
    once,
    over_smtp,
    per_person,
    states,
)
from tests.fork_server import python
from tests.servers import CUT, WAIT, SmtpSink
from tests.waiting import PATIENCE

HERE = Path(__file__).parents[3]


def verdicts(store: Store) -> Counter[str]:
    return Counter(attempt.verdict for row in store.touches.list("crm") for attempt in store.touches.attempts(row.key))


# -- after the final dot --------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "copies"), [("hold", 1), ("once", 2)])
def test_freescout_5457_timeout_after_the_dot_was_retried(
    store: Store, engine: MakeEngine, relay: SmtpSink, clock: Clock, policy: str, copies: int
) -> None:
    """They: the reply to the final dot timed out; the trace showed it delivered, and every retry was one more copy.

    Here: it is uncertain: held for a person's word, or, where the plan says once, sent one more time and flagged.
    """
    run(store, crowd(1), once(on_uncertain=policy))
    relay.fail("dot", WAIT, times=9)
    running = engine(email=over_smtp(relay, dot_timeout=0.2))
    for _ in range(4):
        running.tick()
        clock.forward(minutes=20)
    [row] = store.touches.list("crm")
    assert (len(relay.messages), row.state, row.possible_duplicate) == (copies, "uncertain", copies > 1)
    assert [each["key"] for each in held(store)] == [row.key]


def test_listmonk_1109_an_error_after_accepting_made_three_copies(
    store: Store, engine: MakeEngine, relay: SmtpSink, clock: Clock
) -> None:
    """They: the mail server took the message and answered with an error; two retries, three copies.

    Here: whatever breaks once the message is handed over is uncertain, and not tried again by itself.
    """
    run(store, crowd(3), once(on_uncertain="hold"))
    relay.fail("dot", CUT, times=2)
    running = engine(email=over_smtp(relay))
    for _ in range(4):
        running.tick()
        clock.forward(minutes=20)
    assert (len(relay.recipients), per_person(relay.recipients)) == (3, {1})
    assert (states(store), verdicts(store)) == ({"uncertain": 2, "sent": 1}, {"uncertain": 2, "sent": 1})


@pytest.mark.parametrize(("phase", "attempts"), [("rcpt", {"retry": 1, "sent": 1}), ("dot", {"uncertain": 1})])
def test_pimalaya_core_45_any_broken_stream_was_sent_again(
    store: Store, engine: MakeEngine, relay: SmtpSink, clock: Clock, phase: str, attempts: dict[str, int]
) -> None:
    """They: whenever the connection broke, the whole sending was repeated, also after the message was handed over.

    Here: a break before the final dot is tried again, a break after it is not.
    """
    run(store, crowd(1), once(on_uncertain="hold"))
    relay.fail(phase, CUT)
    running = engine(email=over_smtp(relay))
    running.tick()
    clock.forward(minutes=5)
    running.tick()
    assert (len(relay.messages), verdicts(store)) == (1, attempts)


# -- one refusal and the others -------------------------------------------------------------------


def test_listmonk_1629_no_reset_after_a_refusal_and_the_rest_got_503(
    store: Store, engine: MakeEngine, relay: SmtpSink
) -> None:
    """They: after one refused address the next mail began in the old transaction: "503 sender already specified".

    Here: any refusal is followed by a reset or a new connection; the list is not partly sent.
    """
    run(store, crowd(19), once())
    relay.fail("rcpt", "501 Invalid RCPT TO address provided", times=3)
    relay.fail("data", "554 5.5.1 no", times=2)
    engine(email=over_smtp(relay)).tick()
    assert states(store) == {"sent": 14, "failed": 3, "retry": 2}
    assert not any("503" in row.reason for row in store.touches.list("crm"))
    assert (len(relay.messages), relay.connections) == (14, 1)


def test_mautic_7226_one_554_resent_the_whole_batch_for_ever(
    store: Store, engine: MakeEngine, relay: SmtpSink, clock: Clock
) -> None:
    """They: one 554 in a batch, and the others of it were sent again by every following run, without end.

    Here: the 554 holds that one row, and an hour later it is tried again; the others have theirs, once.
    """
    run(store, crowd(20), once())
    relay.fail("dot", "554 5.7.1 rejected", times=1)
    running = engine(email=over_smtp(relay, threads=2))
    for _ in range(10):
        running.tick()
        store.loading.wipe_bookmarks(clock.now)
        clock.forward(minutes=10)
    assert (states(store), len(relay.recipients), per_person(relay.recipients)) == ({"sent": 20}, 20, {1})


def test_hypothesis_lms_5346_fifty_recipients_in_one_task(
    store: Store, engine: MakeEngine, relay: SmtpSink, clock: Clock
) -> None:
    """They: one task wrote to fifty people; when it failed half-way and ran again, the first half had it twice.

    Here: each person is a row and a mail transaction of their own; only the one that failed is tried again.
    """
    run(store, crowd(50), once())
    relay.fail("rcpt", "250 2.1.5 ok", times=25)
    relay.fail("rcpt", "450 4.2.0 later")
    running = engine(email=over_smtp(relay))
    running.tick()
    assert (len(relay.recipients), states(store)) == (49, {"sent": 49, "retry": 1})
    clock.forward(minutes=10)
    running.tick()
    commands = Counter(line.split()[0] for line in relay.lines)
    assert (len(relay.recipients), per_person(relay.recipients)) == (50, {1})
    # in a pipeline DATA goes along with a recipient that is refused
    assert (commands[b"MAIL"], commands[b"RCPT"], commands[b"DATA"]) == (51, 51, 51)


# -- workers that die, and what waits -------------------------------------------------------------


def test_celery_1628_a_killed_worker_took_its_task_with_it(
    store: Store, database: Path, engine: MakeEngine, relay: SmtpSink
) -> None:
    """They: a worker process was killed; its task had been acknowledged all the same, and was lost.

    Here: a killed engine leaves rows; the next one sends what had not left, and flags what may have.
    """
    run(store, crowd(30), once())
    killed: list[bytes] = []
    command = ["-m", "tests.faults.threads.engines", f"sqlite:///{database}", str(relay.port)]
    with python(command, cwd=HERE, stdout=subprocess.DEVNULL) as worker:

        def kill_it(data: bytes) -> None:
            if len(relay.messages) == 12 and not killed:
                killed.append(data)
                worker.kill()
                worker.wait()

        relay.on_message = kill_it
        assert worker.wait(timeout=PATIENCE) == -9
    assert len(relay.messages) < 30
    engine(email=over_smtp(relay)).tick()
    twice = {person for person, copies in Counter(relay.recipients).items() if copies > 1}
    flagged = {f"{row.person_id}@example.com" for row in store.touches.list("crm") if row.possible_duplicate}
    assert (len(set(relay.recipients)), states(store), twice <= flagged) == (30, {"sent": 30}, True)
    assert 1 <= len(flagged) <= 4  # it had two connections, each with a message marked behind the one under way


def test_oasisplatform_975_the_task_that_killed_its_worker_was_given_to_the_next(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a task that ended its worker was put back and ended the next one, in an endless loop.

    Here: after the second engine that ended while sending it, the row waits for a person, and the others are sent.
    """
    run(store, crowd(1), once())
    for number in "12":
        [poison] = dies(store, clock.now, sending=1, owner=a_dead_one(number))
        engine(start=False).start()
        store.recovery.settle_uncertain(clock.now)  # as its first beat does
    store.people.save(crowd(5), by="dana", now=clock.now)
    engine().tick()
    assert (states(store), bag.to) == ({"uncertain": 1, "sent": 4}, ["dana@example.com", *addresses(crowd(5)[1:])])
    assert [each["key"] for each in held(store)] == [poison]  # which is what Dana's mail is about


def test_kombu_337_celery_2481_2599_3270_7009_what_waited_long_was_run_over_and_over(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a task that waited longer than the broker's time-out was handed out again and again, and run each time.

    Here: nothing waits in a queue. A retry hours ahead is one row with an instant; one engine takes it, one time.
    """
    run(store, crowd(3), once(send={"channels": ["email"], "holidays": "false", "window": ALL_DAY, "max_late": "24h"}))
    full = [Outcome("", RETRY, "rcpt", "452 full", retry_after=3 * 3600)] * 3
    first = engine(email=a_channel(bag, lambda m: full.pop()._replace(key=m.key) if full else None))
    first.tick()
    others, arrived = [first, engine(), engine()], []
    for _ in range(8):  # four hours; a claim is somebody's for ten minutes
        clock.forward(minutes=30)
        store.loading.wipe_bookmarks(clock.now)
        for each in others:
            each.tick()
        arrived.append(len(bag.arrived))
    assert (arrived[:5], arrived[-1]) == ([0] * 5, 3)
    assert (len(bag.tried), per_person(bag.to)) == (6, {1})


def test_procrastinate_307_a_killed_worker_left_its_jobs_in_doing_for_ever(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: the jobs of a killed worker stayed in "doing", and nobody ever took them up.

    Here: whoever starts next looks for rows of engines that are gone, gives them back or says they are uncertain.
    """
    run(store, crowd(8), once(on_uncertain="hold"))
    dies(store, clock.now, sending=1)
    engine().tick()
    assert (states(store), campaign_is(store)) == ({"uncertain": 1, "sent": 7}, "running")
    assert len(set(bag.to) & set(addresses(crowd(8)))) == 7


def test_procrastinate_1408_the_job_that_rescues_stalled_jobs_stalled(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: the job that rescues stalled jobs was itself killed and stalled; after that everything stood still.

    Here: rescuing is no job. Each start does it, in one transaction; an engine that dies right after leaves no lock.
    """
    run(store, crowd(6), once())
    for number in "1234":
        owner = a_dead_one(number)
        engine(start=False).start()  # it rescues what the one before left
        assert len(dies(store, clock.now, owner=owner)) == 6  # then claims it, and is killed as well
    engine().tick()
    assert (states(store), per_person(bag.to)) == ({"sent": 6}, {1})


@pytest.mark.parametrize("same_number", [False, True])
def test_procrastinate_1518_worker_row_pruned_or_its_id_used_again(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock, same_number: bool
) -> None:
    """They: the record of the dead worker was tidied away, or its name was used again, and its jobs were found no more.

    Here: each row names its engine by host, boot, process and a random part; no other record is needed.
    """
    run(store, crowd(4), once())
    living = engine(start=False)
    dies(store, clock.now, owner=a_dead_one(pid=living.owner.pid) if same_number else a_dead_one())
    with store.database.write() as connection:
        connection.execute(delete(tables.engine))
    living.start()
    living.tick()
    assert (states(store), len(bag.arrived)) == ({"sent": 4}, 4)
