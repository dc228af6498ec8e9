"""``backup`` and ``restore`` as an administrator uses them: nobody gets a message again because of a restore."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commsengine.sandbox.mailbox import Mailbox
from commsengine.store import schema
from commsengine.store.store import Store
from tests.cli.conftest import PEOPLE
from tests.cli.terminal import Terminal
from tests.store.scene import older

pytestmark = pytest.mark.sqlite("a backup is a copy of a file")


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COMMSENGINE_STATE_DIR", str(tmp_path / "state"))


def backed_up(terminal: Terminal) -> str:
    said = terminal.run("backup", terminal.path("kept.db"))
    assert (said.status, said.err.count("\n")) == (0, 1), said.err
    return terminal.path("kept.db")


def test_a_backup_says_what_it_holds_and_is_for_this_user_alone(started: Terminal) -> None:
    started.run("tick")
    said = started.run("backup")
    [file] = (started.folder / "backup").glob("commsengine-*.db")
    assert said.out == f"Backup checked: {file}, 4 people, 4 messages, {file.stat().st_size:,} bytes.\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_backup_replaces_nothing(started: Terminal) -> None:
    backed_up(started)
    said = started.run("backup", started.path("kept.db"))
    assert (said.status, "kept.db exists already. Name another file" in said.err) == (2, True)


def test_verify_tells_what_would_be_sent_and_changes_nothing(started: Terminal, mailbox: Mailbox) -> None:
    kept = backed_up(started)
    before = (started.folder / "commsengine.db").read_bytes()
    said = started.run("restore", kept, "--verify")
    assert said.out == (
        "Backup checked, made before an engine had run: 4 people, 0 messages on record.\n  crm: running\n"
        "After the release it would send 4 messages in the next 24 hours.\n  crm: 4\n"
    )
    assert (started.folder / "commsengine.db").read_bytes() == before
    started.run("tick")
    seen = started.json("restore", kept, "--verify")
    assert (seen["put_back"], seen["coming"]["messages"], seen["campaigns"]) == (4, {}, {"crm": "running"})
    assert len(mailbox.arrived) == 4
    (started.folder / "kept.db").unlink()
    later = started.run("restore", backed_up(started), "--verify")
    assert later.out.startswith("Backup checked, made after ")
    assert "4 people, 4 messages on record." in later.out


def test_after_a_restore_nothing_leaves_until_the_release_and_nobody_gets_it_again(
    started: Terminal, mailbox: Mailbox
) -> None:
    kept = backed_up(started)
    started.run("tick")
    said = started.run("restore", kept, "--yes")
    assert said.status == 0, said.err
    assert "Sent since it was made: 4 messages. They are put on record again.\n" in said.out
    held = started.run("tick")
    assert (held.status, "The engine is on hold: Restored from kept.db. 4 messages that left" in held.err) == (1, True)
    released = started.run("release", "--yes")
    assert "Nothing is sent now.\n4 people get their next message from " in released.out
    assert started.run("tick").status == 0
    assert len(mailbox.arrived) == 4
    assert {row["state"] for row in started.json("touches", "crm")["touches"]} == {"sent"}


def test_the_database_as_it_was_is_set_aside(started: Terminal, mailbox: Mailbox) -> None:
    kept = backed_up(started)
    started.run("tick")
    started.run("restore", kept, "--yes")
    [aside] = (started.folder / "backup").glob("before-restore-*.db")
    back = started.run("restore", str(aside), "--yes")
    assert back.status == 0, back.err
    assert "4 messages on record" in back.out
    assert "put on record again" not in back.out
    assert len(mailbox.arrived) == 4


def test_a_backup_of_another_workspace_is_told_and_leaves_that_one_alone(
    started: Terminal, mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept = backed_up(started)
    started.run("tick")
    stage = Terminal(tmp_path_factory.mktemp("stage"))
    stage.write("people.csv", PEOPLE)
    assert stage.run("people", "import", stage.path("people.csv")).status == 0
    said = stage.run("restore", kept, "--yes")
    assert "It is a backup of ANOTHER database" in said.out
    assert started.run("tick").status == 0
    assert stage.run("tick").status == 1
    assert len(mailbox.arrived) == 4


def test_a_restore_asks(started: Terminal) -> None:
    kept = backed_up(started)
    said = started.run("restore", kept)
    assert (said.status, "Replace commsengine.db with it? This needs an answer" in said.err) == (2, True)
    assert not (started.folder / "backup").exists()


def test_a_damaged_database_is_replaced_and_kept(started: Terminal) -> None:
    kept = backed_up(started)
    file = started.folder / "commsengine.db"
    file.write_bytes(b"not a database at all" * 1000)
    assert started.run("restore", kept, "--yes").status == 0
    [aside] = (started.folder / "backup").glob("before-restore-*.db")
    assert aside.read_bytes().startswith(b"not a database")
    assert started.json("status")["campaigns"][0]["campaign"] == "crm"


@pytest.mark.parametrize(
    ("content", "says"), [(None, "There is no file"), (b"", "damaged, or no database"), (b"x" * 9000, "damaged")]
)
def test_what_is_no_backup_is_refused(started: Terminal, content: bytes | None, says: str) -> None:
    file = started.folder / "odd.db"
    if content is not None:
        file.write_bytes(content)
    said = started.run("restore", str(file), "--verify")
    assert (said.status, says in said.err) == (2, True), said.err


def test_a_page_that_was_changed_is_noticed(started: Terminal) -> None:
    kept = Path(backed_up(started))
    with closing(sqlite3.connect(kept)) as file:
        page = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'person'").fetchone()[0]
    data = bytearray(kept.read_bytes())
    data[(page - 1) * 4096 : (page - 1) * 4096 + 64] = bytes(64)
    kept.write_bytes(data)
    said = started.run("restore", str(kept), "--yes")
    assert (said.status, "kept.db is damaged" in said.err) == (2, True)


def test_a_backup_of_a_newer_program_is_refused_with_the_remedy(started: Terminal) -> None:
    kept = backed_up(started)
    with closing(sqlite3.connect(kept)) as file:
        file.execute("UPDATE alembic_version SET version_num = '0999'")
        file.commit()
    said = started.run("restore", kept, "--verify")
    assert (said.status, "newer version (schema 0999" in said.err, "Install the newer" in said.err) == (2, True, True)


def test_an_upgrade_keeps_the_older_database_first(terminal: Terminal) -> None:
    older(terminal.folder / "commsengine.db")
    assert "Run 'commsengine upgrade'" in terminal.run("status").err
    said = terminal.run("upgrade")
    [kept] = (terminal.folder / "backup").glob("before-upgrade-*.db")
    assert said.out == f"The database as it was is in {kept}.\nThe database is up to date.\n"
    with closing(sqlite3.connect(kept)) as file:
        assert file.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    assert terminal.run("status").status == 0


def test_a_backup_of_an_older_program_is_brought_to_this_version(started: Terminal) -> None:
    older(started.folder / "old.db")
    assert started.run("restore", started.path("old.db"), "--yes").status == 0
    with Store.open(f"sqlite:///{started.folder}/commsengine.db") as store:
        assert schema.revision(store.database) == schema.HEAD
