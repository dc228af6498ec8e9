"""What is asked of a database while something is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from commsengine.store.database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements, in their order; ``BEGIN`` for each transaction."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(" ".join(statement.split()))

    def begun(connection: Any) -> None:
        seen.append("BEGIN")

    listening = (("before_cursor_execute", note), ("begin", begun))
    for name, listener in listening:
        event.listen(database.engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listening:
            event.remove(database.engine, name, listener)
