"""What the program writes is for its own account alone, whatever the shell that starts it would allow."""

from __future__ import annotations

import grp
import os
import shlex
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from commsengine.cli.doctor.file_rights import keeps_modes_here, open_files
from commsengine.engine.owner_lock import EngineLock
from commsengine.environment import load_settings
from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.store import Store
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal
from tests.stories.program import Program

pytestmark = pytest.mark.sqlite("files are private")


@pytest.fixture(autouse=True)
def _open_handed() -> Iterator[None]:
    """The usual mask of a machine: what is made can be read by everybody."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_others(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): f"{mode(path):04o}" for path in folder.rglob("*") if mode(path) & 0o077}


def commands(folder: Path, settings: dict[str, str], *lines: str) -> None:
    """Runs the commands through the program's own entry, all in one process of their own: it starts once."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ONE_AFTER_ANOTHER), *lines],
        cwd=folder, env={**Program(folder).variables, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


ONE_AFTER_ANOTHER = """
    import sys
    from contextlib import suppress
    from commsengine.cli import exit_status_of, main
    with suppress(SystemExit):
        main(["--version"])
    sys.exit("; ".join(line for line in sys.argv[1:] if exit_status_of(line.split())) or 0)
"""


@pytest.mark.slow
def test_every_file_and_folder_of_every_command_is_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    few = plan(
        **{"dana@example.com": "ana.kim@example.com", "sam@example.com": "mia.wolf@example.com", "times: 5": "times: 1"}
    )
    (tmp_path / "plan.yaml").write_text(few, encoding="utf-8")
    (tmp_path / "plan.yaml").chmod(0o600)
    with Mailbox() as mailbox:
        commands(
            tmp_path, {"COMMSENGINE_SMTP_URL": mailbox.url, "COMMSENGINE_STATE_DIR": str(tmp_path / "state")},
            "init crm", "--workspace crm people import crm/people.csv", "--workspace crm apply plan.yaml --yes",
            "--workspace crm start crm --yes", "--workspace crm tick", "--workspace crm backup",
            "--workspace crm preview plan.yaml --out crm/seen", "--workspace crm people export --out crm/now.csv",
            "--workspace crm report crm --out crm/report.html", "--workspace crm rehearse plan.yaml --answers none",
        )  # fmt: skip
        assert mailbox.arrived
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert made > {"crm/commsengine.db", "crm/now.csv", "crm/report.html", "crm/rehearsals/crm/rehearsal.db"}
    assert open_to_others(tmp_path) == {}


def test_a_file_that_somebody_opened_stays_open(terminal: Terminal) -> None:
    """Such as a report that a web server shows."""
    terminal.write("now.csv", "")
    (terminal.folder / "now.csv").chmod(0o644)
    terminal.run("people", "import", terminal.path("people.csv"))
    assert terminal.run("people", "export", "--out", terminal.path("now.csv")).status == 0
    assert mode(terminal.folder / "now.csv") == 0o644


def test_a_database_is_private_also_where_no_command_made_it(tmp_path: Path) -> None:
    with Store.create(f"sqlite:///{tmp_path}/one.db") as store, EngineLock(tmp_path / "one.db"):
        assert store.people.count() == 0
        made = {path.name for path in tmp_path.iterdir()}
        assert {"one.db", "one.db-wal", "one.db-shm", "one.db.engine.lock"} == made
        assert open_to_others(tmp_path) == {}


# -- what doctor says of older files --------------------------------------------------------------


@pytest.fixture
def in_the_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A workspace that other accounts can get to, with a database and a state folder."""
    with tempfile.TemporaryDirectory() as folder:
        if not all(above.stat().st_mode & stat.S_IXOTH for above in Path(folder).resolve().parents):
            pytest.skip("nobody else gets to the temporary files of this machine")
        Path(folder).chmod(0o755)
        monkeypatch.setenv("COMMSENGINE_STATE_DIR", f"{folder}/state")
        terminal = Terminal(Path(folder))
        terminal.write("people.csv", "email,name\nann@example.com,Ann\n")
        (terminal.folder / "people.csv").chmod(0o600)
        assert terminal.run("people", "import", terminal.path("people.csv")).status == 0
        yield terminal


def told(terminal: Terminal) -> list[tuple[str, str, str]]:
    findings = terminal.run("doctor", "--json").data["findings"]
    return [(each["state"], each["text"], each["fix"]) for each in findings if each["about"] == "files"]


SOUND = ("ok", "Only this account can read the database, backups and state.", "")


def test_the_doctor_says_that_nobody_else_reads_them(in_the_open: Terminal) -> None:
    assert told(in_the_open) == [SOUND]


def test_the_doctor_names_a_database_that_an_older_program_made_and_how_to_mend_it(in_the_open: Terminal) -> None:
    database = in_the_open.folder / "commsengine.db"
    with Store.open(f"sqlite:///{database}") as store:
        assert store.people.count() == 1
        for file in in_the_open.folder.glob("commsengine.db*"):
            file.chmod(0o644)
        [(state, text, fix)] = told(in_the_open)
        assert (state, in_the_open.run("doctor").status) == ("problem", 1)
        files = [f"commsengine.db{end} (mode 0644)" for end in ("", "-wal", "-shm")]
        assert text == f"Everybody on this machine can read {files[0]}, {files[1]} and {files[2]}."
        subprocess.run(shlex.split(fix.removeprefix("Run: ")), check=True)
        assert told(in_the_open) == [SOUND]


@pytest.mark.parametrize("place", ["rehearsals/crm", "backup", "state/0a1b"])
def test_the_doctor_names_what_lies_in_the_folders_of_the_program(in_the_open: Terminal, place: str) -> None:
    for number in range(5):
        in_the_open.write(f"{place}/{number} of them", "ann@example.com")
    for folder in (in_the_open.folder / place, in_the_open.folder / place.partition("/")[0]):
        folder.chmod(0o755)
    [(state, text, fix)] = told(in_the_open)
    named = [f"{place}/{number} of them (mode 0644)" for number in range(3)]
    assert (state, text) == ("problem", f"Everybody on this machine can read {', '.join(named)} and 2 more.")
    subprocess.run(shlex.split(fix.removeprefix("Run: ")), check=True)
    assert told(in_the_open) == [SOUND]


def test_what_people_put_there_themselves_is_only_told(in_the_open: Terminal) -> None:
    (in_the_open.folder / "people.csv").chmod(0o644)
    [(state, text, fix), sound] = told(in_the_open)
    assert (state, text) == ("note", "Everybody on this machine can read people.csv (mode 0644).")
    assert (fix, sound) == (f"Run: chmod 600 {in_the_open.folder}/people.csv", SOUND)


def test_a_group_that_can_read_is_told_by_name(in_the_open: Terminal) -> None:
    (in_the_open.folder / "commsengine.db").chmod(0o640)
    group = grp.getgrgid(os.getgid()).gr_name
    [(state, text, _)] = told(in_the_open)
    assert state == "note"
    assert text.startswith(f"The group {group} can read commsengine.db (mode 0640)")


def test_what_nobody_gets_to_is_not_told(in_the_open: Terminal) -> None:
    """And the empty ``STOP`` of an administrator holds nothing to read."""
    in_the_open.write("state/STOP", "")
    (in_the_open.folder / "state").chmod(0o755)
    assert told(in_the_open) == [SOUND]
    (in_the_open.folder / "commsengine.db").chmod(0o644)
    in_the_open.folder.chmod(0o700)
    assert told(in_the_open) == [SOUND]


def test_of_a_disk_without_modes_nothing_false_is_said(in_the_open: Terminal) -> None:
    (in_the_open.folder / "commsengine.db").chmod(0o755)
    assert [each.text for each in open_files(load_settings(in_the_open.folder), lambda folder: False)] == [
        "The disk of commsengine.db (mode 0755) keeps no modes: who can read it is set where it is mounted."
    ]
    assert keeps_modes_here(in_the_open.folder)
