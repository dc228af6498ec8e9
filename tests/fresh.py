"""A new SQLite database as a copy of one that the migrations made once: that takes a tenth of the time."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import uuid
from contextlib import closing
from functools import cache
from pathlib import Path

from commsengine.store.database import sqlite_url
from commsengine.store.store import Store

_ONE_TEMPLATE = threading.Lock()


@cache
def _template() -> bytes:
    file = Path(tempfile.mkdtemp(prefix="template-")) / "empty.db"
    Store.create(sqlite_url(file), durable=False).close()
    return file.read_bytes()


def a_store(path: Path) -> Store:
    """The store of a new database there, with our tables and nothing in them."""
    with _ONE_TEMPLATE:
        template = _template()
    put(template, path)
    return Store.open(sqlite_url(path), durable=False)


def put(content: bytes, path: Path) -> None:
    """A database file with this content there, under an id of its own."""
    path.write_bytes(content)
    path.chmod(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA synchronous=OFF")
        file.execute("UPDATE instance SET database = ?", (str(uuid.uuid4()),))
