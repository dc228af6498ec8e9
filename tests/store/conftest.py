"""A fresh store for each test, on a SQLite file and on a real PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from commsengine.store import tables
from commsengine.store.database import Database
from commsengine.store.store import Store
from tests.builders import ANA, BEN
from tests.postgres import start_postgres
from tests.store.scene import NOW, idle


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL with our tables, started only if a test asks for it."""
    server = start_postgres()
    Store.create(server.url).close()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    Store.create(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with our tables and nothing in them."""
    if request.param == "sqlite":
        copied = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), copied)
        return f"sqlite:///{copied}"
    url: str = request.getfixturevalue("postgres_url")
    _empty(url)
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def known(store: Store) -> Store:
    """A store that knows Ana and Ben, who are not due."""
    store.people.save([ANA, BEN], by="dana", now=NOW)
    return idle(store)


def _empty(url: str) -> None:
    """Deleting few rows is many times faster than truncating many tables."""
    database = Database(url)
    with database.write() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())
    database.close()
