"""The fixtures of engine, pages and terminal, as their own rooms have them, and a mail server that keeps everything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from commsengine.store.store import Store
from tests import fresh
from tests.engine.conftest import bag, clock, engine
from tests.servers import SmtpSink
from tests.store.conftest import _empty, postgres_url
from tests.web.conftest import open_site, site

__all__ = ["bag", "clock", "engine", "open_site", "postgres_url", "site"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "engine.db"
    fresh.a_store(path).close()
    return path


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    with fresh.opened(database) as store:
        yield store


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[Store]:
    """A real PostgreSQL, with nothing in it."""
    _empty(postgres_url)
    with Store.open(postgres_url) as store:
        yield store
        with store.database.write() as connection:
            connection.exec_driver_sql("ALTER DATABASE postgres RESET timezone")


@pytest.fixture
def relay() -> Iterator[SmtpSink]:
    with SmtpSink() as relay:
        yield relay


@pytest.fixture
def machine_in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The whole process in another zone than its people."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        yield
    time.tzset()
