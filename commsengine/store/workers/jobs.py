"""Jobs: the ids of due people, handed by the scheduler to the workers in Procrastinate's tables.

1. In one transaction due people are taken, their bookmark is set to the end of the hand-over, and jobs with their ids
   are made. Until then no second job has them, unless something new is known about them.
2. A worker decides the people of its job as an engine does, and writes ordinary bookmarks.
3. A job is only a hint: the claim decides. The people of a lost one are due again when the hand-over ends; one that
   runs twice or late decides people anew and sends nothing twice.

Procrastinate's own SQL is called on our connections, within our transactions. Its worker loop is asynchronous and would
run beside ours; here a job is no more than the next people to decide.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from commsengine.errors import InputError
from commsengine.store import campaigns
from commsengine.store.database import Database
from commsengine.store.workers.leadership import leads
from commsengine.translation import _

QUEUE, TASK = "people", "decide"
SIZE = 200
"""People in a job."""

HANDED_OVER = dt.timedelta(minutes=5)
"""So long a job may wait and be worked on; afterwards its people are due again."""

SILENT = dt.timedelta(seconds=30)
"""A worker that was not heard of for so long has lost its jobs."""

AHEAD = 3
"""Jobs made ahead for each worker: more would only grow old."""

_LOCK = 7_236_512  # any fixed number: two processes that bring the tables up to date wait for each other

_DUE = text("SELECT id FROM person WHERE wake_at <= :now ORDER BY wake_at LIMIT :most FOR NO KEY UPDATE SKIP LOCKED")
_HAND_OVER = text("UPDATE person SET wake_at = :until WHERE id = ANY(:people)")
_DUE_AGAIN = text("UPDATE person SET wake_at = :now WHERE id = ANY(:people) AND wake_at = :until")
_WORKERS = text("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > clock_timestamp() - :silent")
_UNDONE = "FROM procrastinate_jobs WHERE queue_name = 'people' AND status = 'todo'"
_OPEN_JOBS = text(f"SELECT count(*) {_UNDONE}")
_WAITING = text(f"SELECT EXISTS (SELECT 1 {_UNDONE})")
_OLD = text(f"SELECT id, args {_UNDONE} AND (args ->> 'until')::timestamptz < :now FOR UPDATE SKIP LOCKED")
_VERSION = text("SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class')")


@dataclass(frozen=True, slots=True)
class Job:
    """``until`` is the end of the hand-over, and the bookmark of its people until they are decided."""

    id: int
    people: tuple[str, ...]
    until: dt.datetime


class Jobs:
    """The queue. Raises ``InputError`` where it cannot be: not on PostgreSQL, or without Procrastinate."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self) -> None:
        """Makes Procrastinate's tables, or brings them to the version installed here; newer ones stay as they are."""
        if self._database.dialect != "postgresql":
            fix = _("Set COMMSENGINE_DATABASE_URL to postgresql://user@host/name, or use: commsengine run")
            raise InputError(_("Workers share a PostgreSQL database; this one is SQLite."), fix)
        _queries()
        while self._one_step():
            pass

    def _one_step(self) -> bool:
        """Whether there was one. Each is a transaction: a later one may use what an earlier one has added to a type."""
        with self._database.write() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            step = _next_step(connection)
            if step is not None:
                version, statements = step
                _execute_all(connection, statements)
                connection.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{version}'")
            return step is not None

    # -- the scheduler ----------------------------------------------------------------------------

    def hand_over(self, scheduler: str, now: dt.datetime) -> int:
        """Makes jobs of people who are due, as many as the workers soon come to; returns how many people these are.

        None unless that scheduler leads, and none while the engine is on hold.
        """
        with self._database.write() as connection:
            if not leads(connection, scheduler) or campaigns.on_hold(connection):
                return 0
            room = AHEAD * connection.scalar(_WORKERS, {"silent": SILENT}) - connection.scalar(_OPEN_JOBS)
            most = max(0, room) * SIZE
            people = list(connection.scalars(_DUE, {"now": now, "most": most})) if most else []
            if people:
                _make(connection, people, now + HANDED_OVER)
            return len(people)

    def sweep(self, scheduler: str, now: dt.datetime) -> int:
        """Ends jobs that waited too long and those of workers that are gone; returns how many. Their people are due."""
        with self._database.write() as connection:
            if not leads(connection, scheduler):
                return 0
            seconds = {"seconds_since_heartbeat": SILENT.total_seconds()}
            _call(connection, "prune_stalled_workers", seconds)
            stalled = _call(
                connection, "select_stalled_jobs_by_heartbeat", {**seconds, "queue": QUEUE, "task_name": TASK}
            )
            lost = [_job_of(row) for row in (*stalled, *connection.execute(_OLD, {"now": now}).all())]
            for job in lost:
                _end(connection, job, "failed", job.people, now)
            return len(lost)

    # -- a worker ---------------------------------------------------------------------------------

    def register(self) -> int:
        """A worker begins; its number is never used again."""
        with self._database.write() as connection:
            return int(_call(connection, "register_worker", {})[0].worker_id)

    def unregister(self, worker: int) -> None:
        with self._database.write() as connection:
            _call(connection, "unregister_worker", {"worker_id": worker})

    def beat(self, worker: int) -> int:
        """The worker is there; one that was taken to be gone gets another number."""
        with self._database.write() as connection:
            _call(connection, "update_heartbeat", {"worker_id": worker})
            known = connection.scalar(text("SELECT id FROM procrastinate_workers WHERE id = :id"), {"id": worker})
        return worker if known else self.register()

    def there_are_some(self) -> bool:
        """Whether a job waits."""
        return bool(self._database.scalar(_WAITING))

    def fetch(self, worker: int) -> Job | None:
        """The next job, which is that worker's now."""
        with self._database.write() as connection:
            row = _call(connection, "fetch_job", {"queues": [QUEUE], "worker_id": worker})[0]
            return _job_of(row) if row.id is not None else None

    def end(self, job: Job, undecided: Sequence[str], now: dt.datetime) -> None:
        """The worker is done with it; the people it has not decided are due again."""
        with self._database.write() as connection:
            _end(connection, job, "succeeded", undecided, now)

    # -- for those who watch ----------------------------------------------------------------------

    def waiting(self) -> int:
        """How many jobs wait; none where there are no workers."""
        if self._database.dialect != "postgresql" or self._database.scalar(_VERSION) is None:
            return 0
        return int(self._database.scalar(_OPEN_JOBS))


def _make(connection: Connection, people: Sequence[str], until: dt.datetime) -> None:
    from psycopg.types.json import Jsonb  # noqa: PLC0415 - only PostgreSQL has it

    connection.execute(_HAND_OVER, {"until": until, "people": people})
    parts = [people[start : start + SIZE] for start in range(0, len(people), SIZE)]
    args = [Jsonb({"people": part, "until": until.isoformat()}) for part in parts]
    _call(connection, "defer_jobs", {"jobs": [(QUEUE, TASK, 0, None, None, each, None) for each in args]})


def _end(connection: Connection, job: Job, status: str, undecided: Sequence[str], now: dt.datetime) -> None:
    # A job swept meanwhile is gone: then there is nothing to end, and its people are due already.
    known = text("SELECT id FROM procrastinate_jobs WHERE id = :id AND status IN ('todo', 'doing') FOR UPDATE")
    if connection.execute(known, {"id": job.id}).first() is not None:
        _call(connection, "finish_job", {"job_id": job.id, "status": status, "delete_job": True})
    if undecided:
        connection.execute(_DUE_AGAIN, {"now": now, "people": list(undecided), "until": job.until})


def _job_of(row: Any) -> Job:
    return Job(row.id, tuple(row.args["people"]), dt.datetime.fromisoformat(row.args["until"]))


def _call(connection: Connection, name: str, given: Mapping[str, Any]) -> Sequence[Any]:
    return connection.exec_driver_sql(_queries()[name], dict(given)).all()


@cache
def _queries() -> Mapping[str, str]:
    try:
        from procrastinate.sql import queries  # noqa: PLC0415 - an extra
    except ImportError:
        fix = _("Install it with: pip install 'commsengine[workers]'")
        raise InputError(_("Workers need Procrastinate, which is not installed here."), fix) from None
    return queries


def _next_step(connection: Connection) -> tuple[str, str] | None:
    # The tables do not say of which version they are; a comment on one of them does.
    from procrastinate.schema import SchemaManager  # noqa: PLC0415 - an extra

    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    if connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is None:
        return steps[-1].stem, SchemaManager.get_schema()
    known = connection.scalar(_VERSION)
    later = [step for step in steps if known is not None and step.stem > known]
    return (later[0].stem, later[0].read_text(encoding="utf-8")) if later else None


def _execute_all(connection: Connection, statements: str) -> None:
    # several statements pass only without parameters, below SQLAlchemy
    raw = connection.connection.driver_connection
    assert raw is not None, "a connection in use has its driver's"  # noqa: S101 - tells the type checker
    raw.execute(statements)
