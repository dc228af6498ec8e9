"""PostgreSQL cuts our connections, dies and comes back: the engine connects again and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from commsengine.cadence.plan import Workspace
from commsengine.content.message import RenderedMessage
from commsengine.engine.engine import Engine
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.errors import CommsError
from commsengine.store.records import Lease, Receipt
from commsengine.store.store import Store
from tests import outbox
from tests.builders import someone, utc
from tests.engine.conftest import KICKOFF_MORNING, run
from tests.fakes import Clock, Mailbag, Scribe, a_channel
from tests.postgres import Postgres, start_postgres
from tests.waiting import PATIENCE

PEOPLE = 90


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    server = start_postgres()
    yield server
    server.stop()


def an_engine(store: Store, clock: Clock, email: ChannelSetup) -> Engine:
    return Engine(store, {"email": email}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0)


def at(number: int, event: Callable[[], object]) -> Callable[[RenderedMessage], None]:
    seen: list[str] = []

    def before_mark(message: RenderedMessage) -> None:
        seen.append(message.key)
        if len(seen) == number:
            event()

    return before_mark


def beating(engine: Engine, store: Store, clock: Clock) -> None:
    """Ticks as ``run`` does them, until everybody has it: a failed one is followed by the next."""
    troubles: list[str] = []
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            engine.tick()
            if len(store.touches.open_rows("crm", states=("sent",))) == PEOPLE:
                return
        except CommsError as trouble:
            troubles.append(trouble.message)
            time.sleep(0.2)
        clock.forward(seconds=10)
    raise AssertionError(f"not done in time: {troubles}")


def nobody_is_lost(store: Store, bag: Mailbag) -> None:
    """Everybody has it, once, or twice and flagged; the books balance."""
    rows = list(store.touches.list("crm"))
    counts = store.counts.status(utc(KICKOFF_MORNING))[0].touches
    assert (len(rows), counts["sent"], sum(counts.values())) == (PEOPLE, PEOPLE, PEOPLE)
    keys = [message.key for message in bag.arrived]
    assert {key for key in keys if keys.count(key) > 1} <= {row.key for row in rows if row.possible_duplicate}
    assert set(keys) == {row.key for row in rows}


def test_f35_connections_cut_and_a_server_killed_in_mid_run_lose_nobody_and_an_old_fence_is_refused(
    server: Postgres,
) -> None:
    with Store.create(server.url) as store, Store.open(server.url) as other:
        run(store, [someone(n) for n in range(PEOPLE)])
        clock, bag = Clock(utc(KICKOFF_MORNING)), Mailbag()

        def cut() -> None:
            with other.database.write() as connection:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
                )

        def kill() -> None:
            server.crash()
            for _ in range(20):  # right after a crash the first start may be refused
                try:
                    time.sleep(0.3)
                    server.start_again()
                except RuntimeError:
                    continue
                return

        events = [at(20, cut), at(50, kill)]

        def strike(message: RenderedMessage) -> None:
            for event in events:
                event(message)

        with an_engine(store, clock, a_channel(bag, before_mark=strike, threads=2)) as engine:
            beating(engine, store, clock)
            nobody_is_lost(store, bag)
            row = next(iter(store.touches.list("crm")))
            assert store.engine.next_fence() > max(each.fence for each in store.touches.list("crm"))
            stale = Lease(engine.owner.name, row.fence - 1, clock.now)
            assert outbox.mark(store, [row.key], stale, clock.now) == set()
            assert outbox.settle(store, [Receipt(row.key, "failed", clock.now)], stale, clock.now) == set()
            assert store.touches.row(row.key) == row
