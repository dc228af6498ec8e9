"""Opening, creating and refusing databases."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text

from commsengine.errors import CommsError, InputError
from commsengine.store import schema
from commsengine.store.database import Database
from commsengine.store.store import Store
from tests.builders import ANA, utc
from tests.cli.terminal import Terminal

NOW = utc("2027-01-04 09:00")
NOBODY = 65534
"""The account that owns nothing."""


def set_revision(url: str, revision: str) -> None:
    with Store.open(url) as store, store.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": revision})


def test_what_is_stored_is_there_after_opening_again(url: str) -> None:
    with Store.open(url) as store:
        store.people.save([ANA], by="dana", now=NOW)
    with Store.open(url) as store:
        assert store.people.by_email("ANA@example.com") is not None


def test_instants_are_aware_and_in_utc(store: Store) -> None:
    seoul = dt.timezone(dt.timedelta(hours=9))
    store.people.save([ANA], by="dana", now=dt.datetime(2027, 1, 4, 18, 0, tzinfo=seoul))
    found = store.people.by_id("ana")
    assert found is not None
    assert found.since == NOW
    assert found.since.tzinfo == dt.UTC


def test_a_naive_instant_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="an instant needs its time zone"):
        store.engine.beat("e", pid=1, host="h", now=dt.datetime(2027, 1, 4))  # noqa: DTZ001 - the mistake itself


def test_sqlite_is_durable_and_lets_readers_read(sqlite_template: Path) -> None:
    with Store.open(f"sqlite:///{sqlite_template}") as store, store.database.read() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    assert pragmas == PRAGMAS


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000, "secure_delete": 1}


def test_a_missing_database_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no commsengine database at .*nowhere.db.*commsengine upgrade"):
        Store.open(f"sqlite:///{tmp_path}/nowhere.db")
    assert list(tmp_path.iterdir()) == []


def test_an_older_database_asks_for_upgrade(url: str) -> None:
    set_revision(url, "0000")
    with pytest.raises(CommsError, match="commsengine upgrade"):
        Store.open(url)
    set_back(url)


def test_a_newer_database_is_refused(url: str) -> None:
    set_revision(url, "0999")
    with pytest.raises(CommsError, match="newer"):
        Store.create(url)
    set_back(url)


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        ("0999", f"newer version (schema 0999, this program knows {schema.HEAD}). Install the newer commsengine."),
        ("0022", f"older version (schema 0022, this program needs {schema.HEAD}). Run 'commsengine upgrade'"),
    ],
)
def test_an_engine_or_a_worker_of_another_version_says_what_to_do(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revision: str, says: str
) -> None:
    monkeypatch.setenv("COMMSENGINE_DATABASE_URL", url)
    monkeypatch.setenv("COMMSENGINE_SECRET_KEY", "a-key-of-enough-letters")
    monkeypatch.setenv("COMMSENGINE_SMTP_URL", "smtp://127.0.0.1:9")
    set_revision(url, revision)
    said = [Terminal(tmp_path).run(command) for command in ("tick", "run", "worker")]
    set_back(url)
    assert [(each.status in (1, 2), says in each.err, each.out) for each in said] == [(True, True, "")] * 3


def set_back(url: str) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": schema.HEAD})
    database.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("Dear diary, " * 200)
    with pytest.raises(InputError, match=r"notes\.db is not a database"):
        Store.open(f"sqlite:///{path}")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent/store\.db cannot be opened"):
        Store.create(f"sqlite:///{tmp_path}/absent/store.db")


def test_a_read_only_database_is_named(sqlite_template: Path) -> None:
    with Store.open(f"sqlite:///{sqlite_template}") as store:
        # What SQLite says to a write here is what it says for a file without the right to write.
        event.listen(store.database.engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only=ON"))
        store.database.engine.dispose()
        with pytest.raises(InputError, match=r"template\.db is read-only"):
            store.people.save([ANA], by="dana", now=NOW)


@contextmanager
def an_account_without_rights() -> Iterator[None]:
    """Root may read every file, so for so long it acts as the account that owns nothing."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_unreadable_file_is_named() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "locked.db"
        path.touch(mode=0)
        with an_account_without_rights(), pytest.raises(InputError, match=r"locked\.db cannot be opened"):
            Store.open(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("not a url", "cannot be read"),
        ("mysql://host/db", "'mysql' is not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://host:eleven/db", "cannot be read"),
    ],
)
def test_a_bad_url_is_refused(written: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Store.open(written)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(CommsError, match="does not answer") as told:
        Store.open("postgresql://me:hunter2@127.0.0.1:1/db")
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (
            'FATAL:  password authentication failed for user "me"',
            "Check user and password in COMMSENGINE_DATABASE_URL.",
        ),
        (
            'FATAL:  role "me" does not exist',
            "There is no such user: check it in COMMSENGINE_DATABASE_URL, or create it.",
        ),
        ('FATAL:  database "crm" does not exist', "Create it, or check its name in COMMSENGINE_DATABASE_URL."),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', "The server does not let this user in from here"),
        ("failed to resolve host 'db': [Errno -2]", "Check the host in COMMSENGINE_DATABASE_URL."),
        ("FATAL:  sorry, too many clients already", "It takes no more connections: allow it more."),
        (
            'connection is bad: invalid sslmode value: "nope"',
            "Check what follows the '?' in COMMSENGINE_DATABASE_URL.",
        ),
        ("connection failed: Connection refused", "Check that it runs, and that this machine reaches it."),
        ("permission denied for table person", "Give this user the right: it must own the tables of commsengine."),
    ],
)
def test_what_helps_fits_what_the_server_says(words: str, remedy: str) -> None:
    told = Database("postgresql://me:hunter2@127.0.0.1:1/db")._trouble(words)
    assert told.fix.startswith(remedy)
    assert "hunter2" not in str(told)


def test_an_option_that_no_server_knows_is_no_defect() -> None:
    with pytest.raises(CommsError, match="Check what follows the '\\?' in COMMSENGINE_DATABASE_URL"):
        Store.open("postgresql://me@127.0.0.1:1/db?x=1")
