"""Threads get the lock, and a file's writers the database, in the order in which they ask."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from commsengine.store.database import Database, sqlite_url
from commsengine.store.fair_lock import FairLock
from tests.waiting import PATIENCE, expect


class Asking:
    """Threads that ask for the lock one after the other, and note when they have it."""

    def __init__(self, lock: FairLock) -> None:
        self.got: list[str] = []
        self._lock, self._pool = lock, ThreadPoolExecutor(8)

    def ask(self, name: str) -> None:
        before = self.waiting
        self._pool.submit(self._take, name)
        expect(lambda: self.waiting > before)

    def _take(self, name: str) -> None:
        with self._lock.held(PATIENCE):
            self.got.append(name)

    @property
    def waiting(self) -> int:
        return len(self._lock._waiting)

    def all(self) -> list[str]:
        self._pool.shutdown()
        return self.got


@pytest.fixture
def interrupts() -> Iterator[None]:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupted)
    yield
    signal.signal(signal.SIGUSR1, before)


def test_who_asks_first_has_it_first() -> None:
    lock = FairLock()
    asking = Asking(lock)
    with lock.held(0) as held:
        for name in "abcd":
            asking.ask(name)
    assert (held, asking.all()) == (True, list("abcd"))


def test_who_takes_it_again_at_once_waits_for_those_who_waited() -> None:
    lock = FairLock()
    asking = Asking(lock)
    with lock.held(0):
        asking.ask("a")
        asking.ask("b")
    with lock.held(PATIENCE):
        asking.got.append("again")
    assert asking.all() == ["a", "b", "again"]


def test_who_waited_in_vain_is_in_nobodys_way() -> None:
    lock = FairLock()
    asking = Asking(lock)
    with lock.held(0), ThreadPoolExecutor(1) as other:
        assert other.submit(lambda: _is_held(lock, 0.01)).result() is False
        asking.ask("a")
    assert asking.all() == ["a"]
    assert _is_held(lock, 0)


def test_an_interrupt_ends_the_wait_and_leaves_the_lock_to_the_next(interrupts: None) -> None:
    lock, done = FairLock(), threading.Event()
    asking, main = Asking(lock), threading.main_thread().ident
    assert main

    def hold() -> None:
        with lock.held(0):
            began.set()
            expect(lambda: asking.waiting == 1)
            signal.pthread_kill(main, signal.SIGUSR1)
            done.wait(PATIENCE)

    began = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    began.wait(PATIENCE)
    with pytest.raises(KeyboardInterrupt):
        _is_held(lock, PATIENCE)
    asking.ask("a")
    done.set()
    holder.join()
    assert asking.all() == ["a"]


def test_a_writer_that_goes_on_and_on_lets_each_other_write(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "x.db"), durable=False)
    asking = Asking(database._writers)
    for number in range(3):
        with database.write():
            asking.ask(f"other {number}")
        with database.write():
            asking.got.append(f"busy {number}")
    database.close()
    assert asking.all() == [f"{who} {number}" for number in range(3) for who in ("other", "busy")]


def _is_held(lock: FairLock, timeout: float) -> bool:
    with lock.held(timeout) as held:
        return held
