"""Duplicates: threads in which two runs, two workers or two copies of a job each sent the same mail.

Our rule: the claim is an INSERT under the touch's key, durable before anything leaves. Whoever inserts, carries;
however often a job is scheduled, started or run at once, the key exists one time.
"""

from __future__ import annotations

import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.content.message import RenderedMessage
from commsengine.engine.decisions import Decisions
from commsengine.engine.owner_lock import EngineLock
from commsengine.errors import CommsError, HeldError
from commsengine.store.records import Lease
from commsengine.store.store import Store
from tests import fresh, outbox
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel
from tests.faults.threads.engines import an_engine, crowd, lives, once, over_smtp, per_person, states
from tests.fork_server import python
from tests.servers import SmtpSink
from tests.waiting import PATIENCE

HERE = Path(__file__).parents[3]


def at_once(*works: Callable[[], object]) -> None:
    """All of them in threads that begin together."""
    gate = threading.Barrier(len(works))

    def through_the_gate(work: Callable[[], object]) -> None:
        gate.wait()
        work()

    threads = [threading.Thread(target=through_the_gate, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_listmonk_2052_one_instance_per_database_and_nothing_said_so(database: Path) -> None:
    """They: only one instance may use a database, and nothing stopped a second one.

    Here: the second engine on a database file refuses, and names the process and the machine that has it.
    """
    with EngineLock(database), pytest.raises(HeldError, match=f"pid {os.getpid()} on {platform.node()}"):
        EngineLock(database).__enter__()
    with EngineLock(database):  # and what has ended holds nothing
        pass


def test_mautic_2215_overlapping_cron_runs_sent_the_same_message_id_twice(
    store: Store, database: Path, engine: MakeEngine, relay: SmtpSink
) -> None:
    """They: a cron run took longer than a minute, the next one began, and both sent the same mails.

    Here: a run that begins while another process is still sending leaves what that one has claimed alone.
    """
    run(store, crowd(40), once())
    overlapping = threading.Event()

    def slowly(data: bytes) -> None:
        overlapping.set()
        time.sleep(0.02)

    relay.on_message = slowly
    command = ["-m", "tests.faults.threads.engines", f"sqlite:///{database}", str(relay.port)]
    with python(command, cwd=HERE, stdout=subprocess.DEVNULL) as before:
        assert overlapping.wait(PATIENCE)
        store.loading.wipe_bookmarks(utc("2027-01-11 09:00"))  # as if it had read them before the other wrote
        assert engine(email=over_smtp(relay)).tick().claimed == 0
        assert before.wait(timeout=PATIENCE) == 0
    ids = [message_from_bytes(data)["Message-ID"] for data in relay.messages]
    assert (len(ids), len(set(ids)), per_person(relay.recipients)) == (40, 40, {1})


def test_mautic_9880_two_rows_three_seconds_apart(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    """They: the same mail to the same contact stood there twice, three seconds apart.

    Here: a run that begins while the first mail is still leaving finds its row, and leaves it alone.
    """
    run(store, crowd(1), once())
    leaving, go = threading.Event(), threading.Event()

    def takes_long(message: RenderedMessage) -> None:
        leaving.set()
        go.wait(PATIENCE)

    first = threading.Thread(target=engine(email=a_channel(bag, takes_long)).tick)
    first.start()
    assert leaving.wait(PATIENCE)
    clock.forward(seconds=3)
    store.loading.wipe_bookmarks(clock.now)  # as if it had read them before the first one wrote
    assert engine(email=a_channel(bag)).tick().claimed == 0
    go.set()
    first.join()
    assert (len(bag.arrived), states(store)) == (1, {"sent": 1})


def test_mautic_13070_what_was_queued_was_sent_several_times(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: under certain conditions queued messages were sent several times.

    Here: what an engine has claimed is nobody else's while it lives, however slow the mail server is.
    """
    run(store, crowd(10), once())
    leaving, go = threading.Event(), threading.Event()

    def stuck(message: RenderedMessage) -> None:
        leaving.set()
        go.wait(PATIENCE)

    busy = threading.Thread(target=engine(email=a_channel(bag, before_mark=stuck)).tick)
    busy.start()
    assert leaving.wait(PATIENCE)
    others = Mailbag()
    for _ in range(3):  # within the time that a mail server may take for one message
        clock.forward(minutes=3)
        store.loading.wipe_bookmarks(clock.now)
        engine(email=a_channel(others)).tick()
    go.set()
    busy.join()
    assert (len(bag.arrived), others.arrived, per_person(bag.to)) == (10, [], {1})


def test_apscheduler_160_655_four_workers_ran_four_jobs(on_postgres: Store, postgres_url: str, bag: Mailbag) -> None:
    """They: a web server with four workers had four schedulers, and each ran every job: each mail left four times.

    Here: four engines on one database send each message one time between them.
    """
    run(on_postgres, crowd(60))
    clock = Clock(utc("2027-01-11 09:00"))

    with ExitStack() as workers:
        stores = [workers.enter_context(Store.open(postgres_url)) for _ in range(4)]
        engines = [workers.enter_context(an_engine(store, clock, a_channel(bag, threads=2))) for store in stores]
        at_once(*[each.tick for each in engines])
    assert (len(bag.arrived), per_person(bag.to), states(on_postgres)) == (60, {1}, {"sent": 60})


def test_apscheduler_218_what_another_process_added_was_not_seen(
    store: Store, database: Path, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: a job that another process added was not seen by the scheduler that was running.

    Here: nothing is kept in the engine's memory; what another process starts leaves with the next beat.
    """
    running = engine()
    assert running.tick().due == 0
    with fresh.opened(database) as elsewhere:
        run(elsewhere, crowd(3), once())
    running.tick()
    assert len(bag.arrived) == 3


def test_django_apscheduler_131_the_job_was_in_the_store_twice(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: at each start of the program the job was added once more, and each copy of it ran.

    Here: applying the same plan again, or starting it again, sends nobody anything again.
    """
    plan = run(store, crowd(5))
    for _ in range(3):
        store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=clock.now)
        with pytest.raises(CommsError, match="was started already"):
            store.campaigns.start("crm", by="dana", now=clock.now)
        store.loading.wipe_bookmarks(clock.now)
        engine().tick()
    assert (len(bag.arrived), per_person(bag.to)) == (5, {1})


def test_gophish_1073_launching_and_polling_both_sent_it(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    """They: in some campaigns a large part of the people had the mail twice, each copy handed over on its own.

    Here: a start that coincides with the beats of running engines still makes one claim for each person.
    """
    campaign = once()
    store.people.save(crowd(60), by="dana", now=utc("2027-01-04"))
    store.campaigns.save_version(campaign, {}, "", introduced={}, by="dana", now=utc("2027-01-04"))
    engines = [engine(email=a_channel(bag, threads=2)) for _ in range(3)]
    at_once(lambda: store.campaigns.start("crm", by="dana", now=utc("2027-01-04")), *[each.tick for each in engines])
    at_once(*[each.tick for each in engines])
    assert (len(bag.arrived), per_person(bag.to)) == (60, {1})


def test_mautic_15949_a_lagging_replica_gave_out_the_same_people_twice(on_postgres: Store) -> None:
    """They: who was still to be written to was read from a replica that lagged behind: the same people came twice.

    Here: what is decided on something old cannot be claimed twice, and does not leave if more is known by then.
    """
    store, now = on_postgres, utc("2027-01-11 09:00")
    run(store, crowd(3))
    campaigns = store.campaigns.running()
    read_before = Decisions(store, Workspace()).of([person.id for person in crowd(3)], campaigns, now)

    first_lease, second_lease = (Lease(owner, n, utc("2027-01-11 09:10")) for n, owner in ((1, "first"), (2, "second")))

    def claimed(lease: Lease, people: slice) -> list[str]:
        touches = store.outbox.claim(
            [(one.decision, one.facts_seq) for one in read_before[people]], lease,
            epochs={"crm": campaigns.running[0].epoch}, versions={"crm": 1}, now=now,
        )  # fmt: skip
        return [touch.key for touch in touches]

    first = claimed(first_lease, slice(1))
    assert outbox.mark(store, first, first_lease, now) == set(first)
    store.answers.record(someone(1).id, "crm", "one-record", "", "heard_enough", evidence="link", by="p", now=now)
    leave = outbox.mark(store, claimed(second_lease, slice(3)), second_lease, now)
    assert {store.touches.rows([key])[key].person_id for key in leave} == {someone(2).id}


def test_mautic_2004_overlapping_runs_deleted_what_was_still_to_come(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """They: overlapping runs took people out of the campaign for a moment, and all their future mails were deleted.

    Here: nothing of the future is stored; who is out of the audience for a moment and back again misses nothing.
    """
    plan = a_plan(
        a_message(ask="nothing"), audience={"roles": {"sales": {"department": ["Sales"]}}}, wiifm={}, follow_up=[]
    )
    run(store, crowd(5), plan)
    running = engine()
    running.tick()
    out = [replace(person, department="") for person in crowd(5)]
    at_once(*[lambda: store.people.save(out, by="hr", now=clock.now), running.tick] * 2)
    running.tick()
    store.people.save(crowd(5), by="hr", now=clock.now)
    lives(running, store, clock, "2027-02-01")
    assert per_person(bag.to) == {3}
