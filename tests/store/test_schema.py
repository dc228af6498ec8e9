"""Migrations and tables are one schema, on both databases."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect

from commsengine.store import loading, schema, tables
from commsengine.store.database import CHUNK, Database
from commsengine.store.outbox import claims, marks, receipts
from commsengine.store.plain_sql import Prepared
from commsengine.store.store import Store
from tests.builders import someone
from tests.statements import statements
from tests.store.scene import a_touch, claim, older, running
from tests.stories.program import HERE


def test_the_migrations_make_the_tables(store: Store) -> None:
    with store.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, tables.metadata) == []


def test_the_program_knows_its_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_creating_and_upgrading_again_change_nothing(url: str) -> None:
    for again in (Store.create, Store.upgrade):
        with again(url) as store:
            assert schema.revision(store.database) == schema.HEAD


def test_the_bookmark_and_the_states_are_indexed(store: Store) -> None:
    with store.database.read() as connection:
        indexed = {
            (table, *columns["column_names"])
            for table in ("person", "touch", "roster")
            for columns in inspect(connection).get_indexes(table)
        }
    looked_for = {
        ("person", "wake_at"),
        ("touch", "campaign", "state"),
        ("touch", "person_id"),
        ("roster", "person_id"),
    }
    assert looked_for <= indexed


HOT = [
    *(
        each
        for room in (loading, claims, marks, receipts)
        for each in vars(room).values()
        if isinstance(each, Prepared)
    ),
    *(query for query, _fact in loading.FACTS.values()),
]
"""What is asked for every batch of people or messages; one of them asks only whether a table has a first row."""


def test_what_a_batch_asks_reads_no_table_from_end_to_end() -> None:
    asked = [each for each in HOT if each is not loading.WITH_ROWS]
    assert len(asked) >= 15
    with Store.in_memory() as store, store.database.read() as connection:
        for each in asked:
            sql = each.sql(connection.dialect)
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("[]",) * sql.count("?")).all()
            scans = [row.detail for row in plan if row.detail.startswith("SCAN")]
            few = ["SCAN refusal"] if each is receipts._ARRIVE else []
            assert [line for line in scans if "VIRTUAL TABLE" not in line] == few, sql


def test_a_list_of_touches_comes_in_the_order_of_an_index(tmp_path: Path) -> None:
    with Store.create(f"sqlite:///{tmp_path}/store.db") as store:
        claim(
            running(store, [someone(n) for n in range(CHUNK + 1)]), *(a_touch(someone(n).id) for n in range(CHUNK + 1))
        )
        plans = planned(store, lambda: len(list(store.touches.listed("crm"))))
    assert len(plans) == 2  # a page, and the one after it
    for lines in plans.values():
        assert lines[0].startswith("SEARCH touch USING INDEX ix_touch_campaign_due_at (campaign=?")
        assert not any("TEMP B-TREE" in line for line in lines)


def planned(store: Store, work: Callable[[], object]) -> dict[str, list[str]]:
    """How SQLite finds what each statement of the work asks for."""
    with statements(store.database) as seen:
        work()
    with store.database.read() as connection:
        return {
            statement: [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {filled(statement)}")]
            for statement in seen
            if statement.startswith("SELECT")
        }


def filled(statement: str) -> str:
    return statement.replace("?", "'ana'")


@pytest.mark.parametrize("stop_after", [1, 5, 17, 30])
def test_a_migration_that_breaks_off_leaves_nothing_behind(tmp_path: Path, stop_after: int) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.db")
    count = 0

    def break_off(*_: Any) -> None:
        nonlocal count
        count += 1
        if count > stop_after:
            raise KeyboardInterrupt

    event.listen(database.engine, "after_cursor_execute", break_off)
    with pytest.raises(KeyboardInterrupt):
        schema.upgrade(database)
    event.remove(database.engine, "after_cursor_execute", break_off)
    assert schema.revision(database) is None
    schema.upgrade(database)
    assert schema.revision(database) == schema.HEAD
    database.close()


DIES = """
import os, sys
from sqlalchemy import event
from commsengine.store import schema
from commsengine.store.database import Database

def upgrade(url, left):
    def die(*_):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)

    database = Database(url)
    event.listen(database.engine, "before_cursor_execute", die)
    schema.upgrade(database)
    os._exit(0)

each, spare, *urls = sys.argv[1:]
schema.upgrade(Database(spare))  # what all forks need is loaded by now
for statement, url in enumerate(urls, 1):
    child = os.fork() or upgrade(url, statement * int(each))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
STATEMENTS, EACH = 165, 11
"""A few more than the migrations since the first take, with what goes around them. All are one transaction."""


@pytest.mark.slow
def test_f36_an_upgrade_killed_at_any_statement_leaves_the_old_schema_or_the_new_one(tmp_path: Path) -> None:
    older(tmp_path / "old.db")
    files = [tmp_path / f"{statement}.db" for statement in range(EACH, STATEMENTS + EACH, EACH)]
    spare, *urls = [f"sqlite:///{shutil.copy(tmp_path / 'old.db', file)}" for file in (tmp_path / "spare.db", *files)]
    told = subprocess.run(
        [sys.executable, "-c", DIES, str(EACH), spare, *urls],
        check=True,
        env={"PYTHONPATH": HERE},
        capture_output=True,
        text=True,
    )
    ends = []
    for url, ended in zip(urls, told.stdout.split(), strict=True):
        database = Database(url)
        ends.append((int(ended), schema.revision(database)))
        database.close()
        with Store.upgrade(url) as store:
            assert len(store.engine.database_id()) == 36
    assert set(ends) == {(-9, "0001"), (0, schema.HEAD)}


def test_what_was_uncertain_before_the_upgrade_is_uncertain_since_its_last_attempt(tmp_path: Path) -> None:
    older(tmp_path / "old.db")
    with closing(sqlite3.connect(tmp_path / "old.db")) as file:
        blank = {name: "" for _, name, _, required, default, _ in file.execute("PRAGMA table_info(touch)") if required}
        columns = {**blank, "key": "k1", "state": "uncertain"}
        marks = ", ".join("?" * len(columns))
        inserted = f"INSERT INTO touch ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of our own
        file.execute(inserted, list(columns.values()))
        for n, at in enumerate(("2027-01-11 09:00:00.000000+00:00", "2027-01-11 10:00:00.000000+00:00"), 1):
            file.execute("INSERT INTO attempt VALUES ('k1', ?, ?, '', 1, 'email', 'uncertain', '', '', '')", (n, at))
        file.commit()
    Store.upgrade(f"sqlite:///{tmp_path}/old.db").close()
    with closing(sqlite3.connect(tmp_path / "old.db")) as file:
        since = file.execute("SELECT uncertain_at FROM touch").fetchone()
    assert since == ("2027-01-11 10:00:00.000000+00:00",)
