"""Migrations and tables are one schema, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect

from commsengine.store import schema, tables
from commsengine.store.database import Database
from commsengine.store.store import Store


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
            for table in ("person", "touch")
            for columns in inspect(connection).get_indexes(table)
        }
    assert {("person", "wake_at"), ("touch", "campaign", "state"), ("touch", "person_id")} <= indexed


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
