"""One commit for what many threads write: while one commit is at the disk, the work for the next gathers.

1. A thread hands in its work. If no commit is under way, it takes all that waits into one transaction, its own work
   too; else it waits until its work is done, or until it is the one to go on.
2. If one work fails, nothing of that transaction stays, and each is done again in a transaction of its own: its error
   is raised where it was handed in, and undoes nothing of the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

Transaction = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class _Work:
    """``context`` is that of the thread that waits for it: errors are in its language."""

    does: Callable[[Connection], Any]
    context: Context = field(default_factory=copy_context)
    outcome: Future[Any] = field(default_factory=Future)

    def do(self, connection: Connection) -> Any:
        return self.context.run(self.does, connection)


class GroupCommit:
    """Safe to share between threads. ``transaction`` begins one, commits it at the end and undoes it on an error."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._waiting: list[_Work] = []
        self._leading = 0  # the thread that commits
        self._news = threading.Condition()

    def write(self, does: Callable[[Connection], T]) -> T:
        """What the work returns, once that is committed; raises what it raises.

        The work may be done twice, so it changes nothing but the database. It must not hand in work itself.
        """
        assert self._leading != threading.get_ident(), "it would wait for itself"  # noqa: S101 - a defect of ours
        work = _Work(does)
        if group := self._group_with(work):
            try:
                self._commit(group)
            finally:
                self._pass_on(group, work)
        result: T = work.outcome.result()
        return result

    def _group_with(self, work: _Work) -> list[_Work]:
        """All that waits, if this thread is to commit it; empty once another thread has done the work."""
        with self._news:
            self._waiting.append(work)
            self._news.wait_for(lambda: work.outcome.done() or not self._leading)
            if work.outcome.done():
                return []
            group, self._waiting, self._leading = self._waiting, [], threading.get_ident()
            return group

    def _pass_on(self, group: Sequence[_Work], own: _Work) -> None:
        # an interrupt may have left work of others undone
        with self._news:
            self._waiting[:0] = [each for each in group if each is not own and not each.outcome.done()]
            self._leading = 0
            self._news.notify_all()

    def _commit(self, group: Sequence[_Work]) -> None:
        try:
            with self._transaction() as connection:
                done = [work.do(connection) for work in group]
        except Exception as error:
            if len(group) == 1:
                group[0].outcome.set_exception(error)
                return
            for work in group:
                self._commit([work])
        else:
            for work, result in zip(group, done, strict=True):
                work.outcome.set_result(result)
