"""Who leads, and jobs: a hint of who is due, made in the transaction that puts them off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import create_engine, text

from commsengine.errors import CommsError, InputError
from commsengine.store.store import Store
from commsengine.store.workers.jobs import HANDED_OVER, SIZE, Job
from commsengine.store.workers.server_clock import ServerClock
from tests.builders import someone
from tests.store.scene import HOUR, NOW

PEOPLE = 2 * SIZE + 50


def another_database(url: str, name: str) -> str:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="module")
def server_url(postgres_url: str) -> str:
    """A database of its own on that server: Procrastinate's tables are in it."""
    url = another_database(postgres_url, "workers")
    with Store.create(url) as store:
        store.jobs.prepare()
    return url


@pytest.fixture
def store(server_url: str) -> Iterator[Store]:
    with Store.open(server_url) as opened:
        with opened.database.write() as connection:
            for table in ("procrastinate_jobs", "procrastinate_workers", "lead", "standstill", "person"):
                connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of ours
        opened.people.save([someone(n) for n in range(PEOPLE)], by="dana", now=NOW)
        opened.loading.wipe_bookmarks(NOW)
        yield opened


def fetched(store: Store, worker: int) -> Job:
    job = store.jobs.fetch(worker)
    assert job is not None
    return job


def lead_is_over(store: Store) -> None:
    with store.database.write() as connection:
        connection.execute(text("UPDATE lead SET until = until - interval '1 hour'"))


@contextmanager
def nobody_gets_in(postgres_url: str) -> Iterator[None]:
    """The server lets nobody into the database, and ends who is in."""
    with Store.open(postgres_url) as other, other.database.write() as connection:
        connection.execute(text("ALTER DATABASE workers ALLOW_CONNECTIONS false"))
    with Store.open(postgres_url) as other:
        other.database.rows(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'workers'"))
        yield
        with other.database.write() as connection:
            connection.execute(text("ALTER DATABASE workers ALLOW_CONNECTIONS true"))


def test_one_leads_until_its_lease_is_over_or_given_up(store: Store) -> None:
    assert store.leadership.lead("s1")
    assert not store.leadership.lead("s2")
    assert store.leadership.lead("s1")
    lead_is_over(store)
    lead = store.leadership.current()
    assert lead is not None
    assert lead.until < ServerClock(store.database)()
    assert store.leadership.lead("s2")
    assert not store.leadership.lead("s1")
    store.leadership.resign("s2")
    assert store.leadership.lead("s1")
    lead = store.leadership.current()
    assert lead is not None
    assert (lead.owner, lead.fence) == ("s1", 3)


def test_who_is_handed_over_is_in_one_job_and_due_again_only_later(store: Store) -> None:
    worker = store.jobs.register()
    assert store.jobs.hand_over("s1", NOW) == PEOPLE
    assert store.jobs.hand_over("s1", NOW) == 0
    jobs = [fetched(store, worker) for _ in range(3)]
    assert sorted(len(job.people) for job in jobs) == [50, SIZE, SIZE]
    assert len({person for job in jobs for person in job.people}) == PEOPLE
    assert {job.until for job in jobs} == {NOW + HANDED_OVER}
    assert store.jobs.fetch(worker) is None
    assert store.loading.due_count(NOW) == 0
    assert store.loading.due_count(NOW + HANDED_OVER) == PEOPLE


def test_nothing_is_handed_over_without_the_lead_a_worker_or_on_hold(store: Store) -> None:
    assert store.jobs.hand_over("s1", NOW) == 0  # there is no worker
    store.jobs.register()
    assert store.jobs.hand_over("s2", NOW) == 0  # another leads
    store.engine.hold("restored", now=NOW)
    assert store.jobs.hand_over("s1", NOW) == 0
    assert store.loading.due_count(NOW) == PEOPLE


def test_a_fact_makes_a_person_due_at_once_and_a_late_give_back_changes_nothing_of_it(store: Store) -> None:
    worker = store.jobs.register()
    store.jobs.hand_over("s1", NOW)
    job = fetched(store, worker)
    told, *others = job.people
    with store.database.write() as connection:
        connection.execute(text("UPDATE person SET wake_at = :at WHERE id = :id"), {"at": NOW + HOUR, "id": told})
    store.jobs.end(job, job.people, NOW)
    assert store.loading.due_count(NOW) == len(others)
    assert store.loading.wake_of(told) == NOW + HOUR


def test_jobs_of_a_worker_that_is_gone_and_jobs_that_waited_too_long_are_swept(store: Store) -> None:
    gone, there = store.jobs.register(), store.jobs.register()
    store.jobs.hand_over("s1", NOW)
    lost, kept = fetched(store, gone), fetched(store, there)
    with store.database.write() as connection:
        long_ago = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' WHERE id = :id"
        connection.execute(text(long_ago), {"id": gone})
    assert store.jobs.sweep("s2", NOW) == 0  # another leads
    assert store.jobs.sweep("s1", NOW) == 1
    assert store.loading.due_count(NOW) == len(lost.people)
    assert store.jobs.sweep("s1", NOW + HANDED_OVER + HOUR) == 1
    store.jobs.end(lost, lost.people, NOW)  # its worker comes back: too late, and no harm
    store.jobs.end(kept, [], NOW)
    assert not store.jobs.there_are_some()
    assert store.jobs.beat(there) == there
    assert store.jobs.beat(gone) not in (gone, there)


def test_the_tables_are_brought_up_to_date_from_the_version_noted(postgres_url: str) -> None:
    *older, newest = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    with Store.create(another_database(postgres_url, "older")) as store:
        for step in older[:-1]:
            with store.database.write() as connection:
                connection.connection.driver_connection.execute(step.read_text(encoding="utf-8"))  # type: ignore[union-attr]
        with store.database.write() as connection:
            connection.execute(text(f"COMMENT ON TABLE procrastinate_jobs IS '{older[-2].stem}'"))
        for _again in range(2):
            store.jobs.prepare()
        with store.database.read() as connection:
            assert connection.scalar(text("SELECT to_regproc('procrastinate_retry_job_v2')"))
            noted = connection.scalar(text("SELECT obj_description('procrastinate_jobs'::regclass, 'pg_class')"))
    assert noted == newest.stem


def test_a_job_of_a_newer_program_of_this_schema_is_worked_on(store: Store) -> None:
    """It may say more of its people, and have brought a newer Procrastinate."""
    worker = store.jobs.register()
    store.jobs.hand_over("s1", NOW)
    with store.database.write() as connection:
        noted = connection.scalar(text("SELECT obj_description('procrastinate_jobs'::regclass, 'pg_class')"))
        connection.execute(text("UPDATE procrastinate_jobs SET args = args || jsonb_build_object('more', 1)"))
        connection.execute(text("COMMENT ON TABLE procrastinate_jobs IS '99.0.0_01_later'"))
    store.jobs.prepare()
    assert len(fetched(store, worker).people) == SIZE
    with store.database.write() as connection:
        connection.execute(text(f"COMMENT ON TABLE procrastinate_jobs IS '{noted}'"))


def test_workers_need_a_server() -> None:
    with Store.in_memory() as store, pytest.raises(InputError, match="PostgreSQL"):
        store.jobs.prepare()


def test_the_servers_clock_goes_on_without_the_server(store: Store, postgres_url: str) -> None:
    clock = ServerClock(store.database, ask_after=0.0)
    first = clock()
    with store.database.read() as connection:
        server: dt.datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert abs(server - first) < dt.timedelta(minutes=1)
    with nobody_gets_in(postgres_url):
        with pytest.raises(CommsError):
            store.engine.fence()
        assert first <= clock() < first + dt.timedelta(minutes=5)
