"""A STOP file, an orderly end, and an engine that stood still: nothing leaves that must not, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.content.message import RenderedMessage
from commsengine.engine.dispatch import add_service_mail
from commsengine.engine.engine import Engine
from commsengine.engine.heartbeat import LEASE
from commsengine.engine.owner_lock import Owner
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.engine.startup import SETTLE
from commsengine.engine.state_folder import STOPPED, StateFolder
from commsengine.reports.status import status
from commsengine.store.store import Store
from tests import fresh
from tests.builders import someone, utc
from tests.engine.conftest import KICKOFF_MORNING, run
from tests.fakes import Clock, Mailbag, Scribe, a_channel, arrives
from tests.servers import a_mail
from tests.waiting import PATIENCE

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh.a_store(tmp_path / "engine.db") as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock(utc(KICKOFF_MORNING))


def an_engine(
    store: Store, clock: Clock, email: ChannelSetup, *, stop: Path = Path("/no/such/file"), host: str = "here"
) -> Engine:
    owner = Owner(host, 1, "boot", f"engine on {host}")
    return Engine(
        store, {"email": email}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0,
        owner=owner, stopped=stop.exists,
    )  # fmt: skip


def states(store: Store) -> dict[str, int]:
    """The books, after seeing that they balance."""
    counts = store.counts.status(utc(KICKOFF_MORNING))[0].touches
    rows = [row.state for row in store.touches.list("crm")]
    assert counts == {state: rows.count(state) for state in counts}
    return {state: number for state, number in counts.items() if number}


def service_mail(store: Store, clock: Clock, number: int) -> None:
    for n in range(number):
        message = a_mail(f"digest-{n}", to_email=f"owner{n}@example.com")
        add_service_mail(store, message, category="digest", person_id=None, due_at=clock.now, now=clock.now)


def stopping(event: Callable[[], object]) -> Callable[[RenderedMessage], None]:
    """Does that before the eleventh message is marked."""
    seen: list[str] = []

    def before_mark(message: RenderedMessage) -> None:
        seen.append(message.key)
        if len(seen) == 11:
            event()

    return before_mark


def test_a_stop_file_stops_touches_and_service_mail_in_mid_run_and_all_go_on_without_it(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    run(store, [someone(n) for n in range(60)])
    service_mail(store, clock, 5)
    bag, stop = Mailbag(), tmp_path / "STOP"
    email = a_channel(bag, before_mark=stopping(stop.touch))
    with an_engine(store, clock, email, stop=stop) as engine:
        assert engine.tick().hold == STOPPED
        assert len(bag.arrived) == 10
        clock.forward(minutes=1)
        assert engine.tick().hold == STOPPED
        assert len(bag.arrived) == 10
        engine_state = status(store, clock.now, stop_file=stop.exists())["engine"]
        assert (engine_state["state"], engine_state["stop_file"]) == ("hold", True)
        stop.unlink()
        clock.forward(minutes=1)
        assert engine.tick().hold == ""
    assert len({message.key for message in bag.arrived}) == len(bag.arrived) == 65
    assert states(store) == {"sent": 60}


@pytest.mark.parametrize("place", ["state/STOP", "state/{database}/STOP"])
def test_a_stop_laid_into_the_state_folder_in_mid_run_stops_the_very_next_message(
    store: Store, clock: Clock, tmp_path: Path, place: str
) -> None:
    run(store, [someone(n) for n in range(60)])
    stop, bag = tmp_path / place.format(database=store.engine.database_id()), Mailbag()
    with Engine(
        store, {"email": a_channel(bag, before_mark=stopping(stop.touch))}, Scribe, workspace=Workspace(), clock=clock,
        sleep=clock.sleep, interval=10.0, state=lambda database: StateFolder(tmp_path / "state", database),
    ) as engine:  # fmt: skip
        assert (engine.tick().hold, len(bag.arrived)) == (STOPPED, 10)
        stop.unlink()
        assert (engine.tick().hold, len(bag.arrived)) == ("", 60)


def test_who_cannot_see_whether_a_stop_is_there_sends_nothing(tmp_path: Path) -> None:
    """As when a network drive with the state folder is away."""
    folder = StateFolder(tmp_path / "state", "db")
    loop = tmp_path / "loop"
    (tmp_path / "state").rename(tmp_path / "away")
    loop.symlink_to(loop)
    (tmp_path / "state").symlink_to(loop)
    with pytest.raises(OSError, match="symbolic"):
        folder.stopped()
    folder.close()


def test_a_stop_file_that_appears_while_a_mark_is_written_is_heeded(store: Store, clock: Clock) -> None:
    run(store, [someone(1)])
    bag = Mailbag()
    with Engine(
        store, {"email": a_channel(bag)}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0,
        stopped=lambda: bool(store.touches.open_rows("crm", states=("sending",))),
    ) as engine:  # fmt: skip
        for _ in range(5):
            engine.beat()
            time.sleep(0.05)
    assert (bag.arrived, set(states(store)) <= {"claimed"}) == ([], True)


def test_f03_an_orderly_end_gives_back_service_mail_and_leaves_nothing_uncertain(store: Store, clock: Clock) -> None:
    run(store, [someone(n) for n in range(40)])
    service_mail(store, clock, 30)
    bag, begun, go = Mailbag(), threading.Event(), threading.Event()

    def slow(message: RenderedMessage) -> None:
        begun.set()
        go.wait(PATIENCE)

    engine = an_engine(store, clock, a_channel(bag, slow, threads=3))
    engine.start()
    ticking = threading.Thread(target=engine.tick)
    ticking.start()
    assert begun.wait(PATIENCE)
    ending = threading.Thread(target=engine.stop)
    ending.start()
    go.set()
    ending.join(PATIENCE)
    ticking.join(PATIENCE)
    assert 1 <= len(bag.arrived) <= 3
    assert set(states(store)) <= {"sent"}
    waiting = store.touches.open_rows("crm", states=("claimed", "sending", "uncertain", "retry"))
    assert {row.state for row in waiting} == {"retry"}
    with an_engine(store, clock, a_channel(bag), host="next") as following:
        following.tick()
    assert len({message.key for message in bag.arrived}) == len(bag.arrived) == 70


def test_f34_a_worker_that_stood_still_past_its_lease_is_refused_before_the_call(store: Store, clock: Clock) -> None:
    run(store, [someone(n) for n in range(30)])
    bag = Mailbag()
    email = a_channel(bag, before_mark=stopping(lambda: clock.forward(seconds=LEASE.total_seconds() + 1)))
    with an_engine(store, clock, email) as engine:
        engine.tick()
    assert len({message.key for message in bag.arrived}) == len(bag.arrived) == 30
    rows = list(store.touches.list("crm"))
    assert (states(store), sum(row.possible_duplicate for row in rows)) == ({"sent": 30}, 0)
    assert {row.attempts for row in rows} == {1}


def test_f34_a_worker_that_stood_still_inside_the_call_is_uncertain_and_flagged(store: Store, clock: Clock) -> None:
    run(store, [someone(1)])
    bag, leaving, go = Mailbag(), threading.Event(), threading.Event()

    def stands_still(message: RenderedMessage) -> None:
        leaving.set()
        go.wait(PATIENCE)

    zombie = an_engine(store, clock, a_channel(bag, stands_still))
    zombie.start()
    zombie.beat()
    assert leaving.wait(PATIENCE)
    with an_engine(store, clock, a_channel(bag, arrives), host="elsewhere") as other:
        other.tick()
        assert states(store) == {"sending": 1}  # it may only be slow
        for _ in range(int((2 * LEASE + SETTLE) / MINUTE) + 1):
            clock.forward(minutes=1)
            other.tick()
        (row,) = store.touches.list("crm")
        assert (row.state, row.possible_duplicate, row.attempts) == ("sent", True, 2)
        go.set()
        zombie.stop()
        assert list(store.touches.list("crm")) == [row]
    assert len(bag.arrived) == 2
    assert states(store) == {"sent": 1}
