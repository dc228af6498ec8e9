"""What many threads write at once shares a commit, and the error of one is its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, select

from commsengine.errors import DiskError, InputError
from commsengine.store import bookkeeping
from commsengine.store.database import Database
from commsengine.store.group_commit import GroupCommit
from commsengine.store.store import Store
from commsengine.store.tables import audit, person
from commsengine.translation import N_, _, in_language
from tests.builders import someone
from tests.store.scene import NOW, running
from tests.waiting import PATIENCE, expect

Work = Callable[[Connection], Any]
REFUSED = N_("Please write something first.")


def noting(subject: str) -> Work:
    return lambda connection: bookkeeping.note(connection, "test", subject, by="dana", now=NOW)


def refused(connection: Connection) -> None:
    noting("refused")(connection)
    raise InputError(_(REFUSED))


def noted(database: Database) -> list[str]:
    """In the order in which they were written."""
    return [
        row.subject
        for row in database.rows(select(audit.c.subject).where(audit.c.action == "test").order_by(audit.c.id))
    ]


class Gathered:
    """Hands in work one after the other while a first commit is held up, so that the next commit has all of it."""

    def __init__(self, database: Database) -> None:
        self.commits = 0
        self._database = database
        self._group = GroupCommit(self._counted)
        self._pool = ThreadPoolExecutor(20)
        self._held = threading.Event()
        self._first = self._pool.submit(self._group.write, lambda _: self._held.wait(PATIENCE))
        expect(lambda: self.commits == 1)

    @contextmanager
    def _counted(self) -> Iterator[Connection]:
        self.commits += 1
        with self._database.write() as connection:
            yield connection

    def hand_in(self, work: Work, language: str = "en") -> Future[Any]:
        waiting = len(self._group._waiting)
        handed = self._pool.submit(self._write, work, language)
        expect(lambda: len(self._group._waiting) > waiting)
        return handed

    def _write(self, work: Work, language: str) -> Any:
        with in_language(language):
            return self._group.write(work)

    def go(self) -> None:
        self._held.set()
        self._pool.shutdown()


@pytest.fixture
def database(store: Store) -> Database:
    return store.database


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
class TestOnOneFile:
    def test_what_waits_shares_a_commit_in_the_order_of_its_coming(self, database: Database) -> None:
        gathered = Gathered(database)
        handed = [gathered.hand_in(lambda connection, n=n: noting(f"{n}")(connection) or n) for n in range(12)]  # type: ignore[misc]
        gathered.go()
        assert ([each.result() for each in handed], gathered.commits) == (list(range(12)), 2)
        assert noted(database) == [f"{n}" for n in range(12)]

    def test_the_error_of_one_is_its_own_in_its_language(self, database: Database) -> None:
        gathered = Gathered(database)
        first, last = gathered.hand_in(noting("first")), gathered.hand_in(noting("last"))
        bad = {language: gathered.hand_in(refused, language) for language in ("de", "fr")}
        gathered.go()
        for language, each in bad.items():
            with in_language(language), pytest.raises(InputError, match=_(REFUSED)):
                each.result()
        assert (first.result(), last.result(), noted(database)) == (None, None, ["first", "last"])

    def test_a_full_disk_is_an_error_of_each_and_keeps_nothing(self, database: Database) -> None:
        def fill(connection: Connection) -> None:
            noting("x" * 100_000)(connection)

        def most(pages: int) -> Work:
            return lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

        gathered = Gathered(database)
        gathered.hand_in(most(1))  # no fewer than there are
        handed = [gathered.hand_in(fill) for _n in range(3)]
        gathered.go()
        for each in handed:
            with pytest.raises(DiskError, match="is full"):
                each.result()
        with database.write() as connection:
            most(1_000_000)(connection)
        assert noted(database) == []
        database.write_together(noting("again"))
        assert noted(database) == ["again"]

    def test_work_that_hands_in_work_does_not_wait_for_itself(self, database: Database) -> None:
        with pytest.raises(AssertionError, match="wait for itself"):
            database.write_together(lambda _: database.write_together(noting("inner")))
        database.write_together(noting("outer"))
        assert noted(database) == ["outer"]

    def test_what_an_interrupt_left_undone_is_done_by_another(self, database: Database) -> None:
        signals = iter([KeyboardInterrupt()])

        def interrupted(connection: Connection) -> None:
            for signal in signals:
                raise signal
            noting("done")(connection)

        gathered = Gathered(database)
        handed = [gathered.hand_in(interrupted) for _n in range(3)]
        gathered.go()
        failed = [each.exception() for each in handed if each.exception()]
        assert (len(failed), noted(database)) == (1, ["done", "done"])
        assert isinstance(failed[0], KeyboardInterrupt)


def test_presses_of_many_at_once_are_each_on_record_once(store: Store) -> None:
    people = [someone(number) for number in range(40)]
    running(store, people)

    def press(number: int) -> bool:
        who = people[number % 40].id
        about = (who, "crm", "one-record", f"key of {who}", "acknowledged")
        return store.answers.record(*about, evidence="link", by=who, now=NOW).first  # type: ignore[arg-type]

    with ThreadPoolExecutor(16) as pool:
        firsts = list(pool.map(press, range(80)))
    assert sum(firsts) == 40
    assert all(len(store.answers.of_person(each.id)) == 1 for each in people)
    assert {row.facts_seq for row in store.database.rows(select(person.c.facts_seq))} == {2}
