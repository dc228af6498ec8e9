"""A lock that threads get in the order in which they ask.

A plain lock goes to the thread that happens to run: one that takes it again and again leaves the others waiting.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class FairLock:
    """Held by one thread at a time, which must not ask for it again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()  # each released by the thread before

    @contextmanager
    def held(self, timeout: float) -> Iterator[bool]:
        """Whether it came within ``timeout`` seconds; the block is entered without it too."""
        held = self._acquire(timeout)
        try:
            yield held
        finally:
            if held:
                self._release()

    def _acquire(self, timeout: float) -> bool:
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            came = turn.acquire(timeout=timeout)
        except BaseException:  # an interrupt
            if not self._leave(turn):
                self._release()
            raise
        return came or not self._leave(turn)

    def _leave(self, turn: threading.Lock) -> bool:
        """False if the turn has come meanwhile."""
        with self._guard:
            if turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True

    def _release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
