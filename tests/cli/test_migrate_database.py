"""From a SQLite file to PostgreSQL: everything goes with it, and both never send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commsengine.engine.owner_lock import EngineLock
from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.copies.transfer import TABLES
from commsengine.store.database import Database
from commsengine.store.store import Store
from tests import fresh
from tests.builders import ANA
from tests.cli.terminal import Said, Terminal
from tests.store.scene import NOW

pytestmark = pytest.mark.sqlite("it begins with a file")


@pytest.fixture
def server(tmp_path: Path) -> str:
    return fresh.SERVER.url(tmp_path / "new.db")


def migrated(terminal: Terminal, server: str) -> Said:
    return terminal.run("migrate-database", terminal.path("commsengine.db"), server)


def everything(store: Store) -> Mapping[str, Sequence[tuple[Any, ...]]]:
    return {each.name: sorted(map(tuple, store.database.rows(each.select())), key=repr) for each in TABLES}


def test_all_that_is_on_record_goes_with_it_and_the_campaign_goes_on_there(
    started: Terminal, mailbox: Mailbox, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert started.run("tick").status == 0
    sent = len(mailbox.arrived)
    with fresh.opened(started.folder / "commsengine.db") as old:
        before, fence, name = everything(old), old.engine.fence(), old.engine.database_id()
    said = migrated(started, server)
    assert (said.status, said.out.splitlines()[0]) == (0, "Copied and checked: 4 people, 4 messages."), said.err
    assert "Next: set COMMSENGINE_DATABASE_URL to postgresql://" in said.out
    with Store.open(server) as new:
        after = everything(new)
        assert (new.engine.fence(), new.engine.database_id(), new.engine.holds()) == (fence, name, [])
        note = after["audit"][-1]
        assert {**after, "audit": after["audit"][:-1]} == before
        assert (note[3], new.engine.hold("later", now=note[1])) == ("migrate-database", True)  # numbers go on
        new.engine.release("all", by="dana", now=note[1])
    monkeypatch.setenv(fresh.SETTING, server)
    assert started.run("tick").status == 0
    assert (sent, len(mailbox.arrived)) == (4, 4)
    assert started.json("status")["campaigns"][0]["touches"]["sent"] == 4


def test_nothing_is_sent_from_the_file_any_more(started: Terminal, mailbox: Mailbox, server: str) -> None:
    assert migrated(started, server).status == 0
    said = started.run("tick")
    assert (said.status, len(mailbox.arrived)) == (1, 0)
    assert f"Moved to {server.partition('?')[0]}" in said.out + said.err
    again = migrated(started, server)
    assert (again.status, "nothing is sent from here any more" in again.err) == (2, True)


@pytest.mark.parametrize(("target", "why"), [("sqlite:///other.db", "TO is no PostgreSQL"), ("", "is not empty")])
def test_a_target_that_cannot_be_used_changes_nothing(applied: Terminal, server: str, target: str, why: str) -> None:
    with Store.open(server) as used:
        used.people.save([ANA], by="dana", now=NOW)
    said = migrated(applied, target or server)
    assert (said.status, why in said.err) == (2, True), said.err
    with fresh.opened(applied.folder / "commsengine.db") as old:
        assert old.engine.holds() == []


def test_beside_an_engine_it_is_refused(applied: Terminal, server: str) -> None:
    with EngineLock(applied.folder / "commsengine.db"):
        said = migrated(applied, server)
    assert (said.status != 0, "Another engine sends from this database" in said.err) == (True, True)


LOSES_ONE = """
CREATE FUNCTION loses() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF starts_with(NEW.id, 'ana') THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER loses BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION loses()
"""
REFUSES = "ALTER TABLE person ADD CONSTRAINT none CHECK (name = '')"


@pytest.mark.parametrize(
    ("fault", "says"), [(LOSES_ONE, "the table person differs"), (REFUSES, "does not take the table person")]
)
def test_what_was_not_copied_whole_is_not_kept(applied: Terminal, server: str, fault: str, says: str) -> None:
    with closing(Database(server)) as database, database.write() as connection:
        connection.exec_driver_sql(fault)
    said = migrated(applied, server)
    assert (said.status, says in said.err) == (1, True), said.err
    with Store.open(server) as new, fresh.opened(applied.folder / "commsengine.db") as old:
        assert (new.people.count(), old.engine.holds()) == (0, [])
    with closing(Database(server)) as database, database.write() as connection:
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS loses CASCADE")
        connection.exec_driver_sql("ALTER TABLE person DROP CONSTRAINT IF EXISTS none")
