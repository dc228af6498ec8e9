"""A disk that is full, fails or is damaged, and a database somebody else holds: real ones, under the real program.

Whatever happens: nothing leaves that is not on record, the books balance, and whoever may have it twice is flagged.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commsengine.errors import DiskError
from commsengine.settings import SMTP_CONNECTIONS
from commsengine.store.database import Database
from commsengine.store.store import Store
from tests.builders import someone, utc
from tests.cli.terminal import Said, Terminal
from tests.stories.campaign import start_for
from tests.stories.conftest import free_port
from tests.stories.program import Program
from tests.stories.relay import Relay
from tests.waiting import PATIENCE, expect

pytestmark = pytest.mark.sqlite("the disk under a file fails")

COMMSENGINE = (sys.executable, "-m", "commsengine")
PAGE = 4096


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as relay:
        yield relay


@pytest.fixture
def program(tmp_path: Path, relay: Relay) -> Program:
    return a_program(tmp_path, relay)


def a_program(folder: Path, relay: Relay, **settings: str) -> Program:
    given = {
        "COMMSENGINE_SMTP_URL": relay.url,
        "COMMSENGINE_HTTP_BIND": f"127.0.0.1:{free_port()}",
        "COMMSENGINE_STATE_DIR": str(folder / "state"),
    }
    return Program(folder, {**given, **settings})


@contextmanager
def started(program: Program, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Any command, with the program's settings; what it says on stderr goes to the file ``said``."""
    with open(program.folder / "said", "wb") as said, program.environment():
        process = subprocess.Popen(
            command, cwd=program.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def said_by(program: Program) -> str:
    return (program.folder / "said").read_text(encoding="utf-8")


def ended(program: Program, *command: str) -> Said:
    """The status of a command that ends by itself, and what it said on stderr."""
    with started(program, *command) as process:
        status = process.wait(PATIENCE)
    return Said(status, "", said_by(program))


def in_this_process(program: Program, *command: str) -> Said:
    with program.environment():
        return Terminal(program.folder).run(*command)


def is_on_record(program: Program, relay: Relay) -> None:
    """Nothing has left without its mark, and the books balance."""
    rows = {row["person"]: row["state"] for row in program.books("crm").rows}
    assert {rows[person] for person in relay.copies} <= {"sent", "sending"}


def everybody_has_it(program: Program, relay: Relay, people: int) -> None:
    """Whoever has it twice is flagged, and they are no more than there were connections."""
    books = program.books("crm")
    assert (books.counts["sent"], len(relay.copies)) == (people, people)
    flagged = {row["person"] for row in books.rows if row["possible_duplicate"]}
    assert {person for person, copies in relay.copies.items() if copies > 1} <= flagged
    assert len(relay.arrived) - people <= SMTP_CONNECTIONS


# -- no room ------------------------------------------------------------------------------------------------------


def test_f25_a_tick_that_has_no_room_stops_and_the_next_goes_on(program: Program, relay: Relay) -> None:
    start_for(program, 40)
    # No file grows beyond that, compiled modules included: Python would leave them cut off.
    limited = ("env", "PYTHONDONTWRITEBYTECODE=1", "prlimit", "--fsize=140000", *COMMSENGINE)
    said = ended(program, *limited, "tick")
    assert said.status == 1
    assert said.err.rstrip().splitlines()[-1].startswith(f"The disk that holds {program.folder}/commsengine.db ")
    assert "Traceback" not in said.err
    assert len(relay.arrived) < 40
    is_on_record(program, relay)
    program.here("tick")
    everybody_has_it(program, relay, 40)


def with_own_mounts() -> list[str]:
    """Runs a command with mounts of its own."""
    for command in (["unshare", "-m"], ["unshare", "-r", "-m"]):
        if (
            shutil.which("unshare")
            and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode
        ):
            return command
    pytest.skip("neither root nor user namespaces here, so no small file system can be mounted")


@pytest.mark.slow
def test_f25_a_running_engine_waits_for_room_and_goes_on_by_itself(tmp_path: Path, relay: Relay) -> None:
    people, disk = 100, tmp_path / "disk"
    disk.mkdir()
    start_for(a_program(tmp_path, relay), people)
    program = a_program(tmp_path, relay, COMMSENGINE_DATABASE_URL=f"sqlite:///{disk}/comms.db")
    relay.pause = 0.02
    script = f"""
        mount -t tmpfs -o size=8m none {disk} && cp commsengine.db {disk}/comms.db
        head -c 7600000 /dev/zero > {disk}/ballast
        exec "$@"
    """
    with started(program, *with_own_mounts(), "sh", "-c", script, "sh", *COMMSENGINE, "run") as engine:
        seen = Path(f"/proc/{engine.pid}/root{disk}")
        expect(lambda: "is full" in said_by(program))
        time.sleep(1)  # what was just leaving
        arrived = len(relay.arrived)
        assert 0 < arrived < people
        time.sleep(3)
        assert len(relay.arrived) == arrived
        assert len(re.findall("is full", said_by(program))) <= 3  # not every second
        (seen / "ballast").unlink()
        assert relay.wait_for(people, timeout=PATIENCE)
        expect(lambda: "records_again" in said_by(program))
        time.sleep(1)  # the last receipts
        for end in ("", "-wal"):
            shutil.copy(f"{seen}/comms.db{end}", f"{tmp_path}/copy.db{end}")
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(PATIENCE) == 0
    everybody_has_it(
        a_program(tmp_path, relay, COMMSENGINE_DATABASE_URL=f"sqlite:///{tmp_path}/copy.db"), relay, people
    )
    assert len(relay.arrived) == people


@pytest.mark.slow
def test_f26_a_log_that_cannot_be_written_stops_nothing(program: Program, relay: Relay) -> None:
    start_for(program, 3)
    with started(program, "sh", "-c", 'exec "$@" 2>/dev/full', "sh", *COMMSENGINE, "run") as engine:
        assert relay.wait_for(3, timeout=PATIENCE)
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(PATIENCE) == 0
    assert program.books("crm").counts["sent"] == 3
    assert ended(program, "sh", "-c", 'exec "$@" 2>&-', "sh", *COMMSENGINE, "status").status == 0


# -- a disk that fails --------------------------------------------------------------------------------------------


def with_failing_fsync(when: str) -> list[str]:
    if not shutil.which("strace"):
        pytest.skip("strace is not installed, and nothing else makes fsync fail")
    inject = ("-e", "trace=fdatasync", "-e", f"inject=fdatasync:error=EIO:when={when}")
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", *inject]


@pytest.mark.slow
def test_f27_what_could_not_be_made_durable_is_not_committed(program: Program, relay: Relay) -> None:
    """Each thread's tenth fails, and all after it: those of the writer are of marks and receipts."""
    start_for(program, 40)
    said = ended(program, *with_failing_fsync("10+"), *COMMSENGINE, "tick")
    assert said.status == 1
    last = said.err.rstrip().splitlines()[-1]
    assert last.startswith(("The disk that holds", "The sent-journal in")), said.err
    assert len(relay.arrived) < 40
    is_on_record(program, relay)
    program.here("tick")
    everybody_has_it(program, relay, 40)


# -- somebody else holds it ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_f28_while_another_program_holds_the_database_nothing_leaves_and_nothing_breaks(
    program: Program, relay: Relay
) -> None:
    people = 60
    start_for(program, people)
    relay.pause = 0.05
    with started(program, *COMMSENGINE, "tick") as engine:
        assert relay.wait_for(10, timeout=PATIENCE)
        other = sqlite3.connect(program.folder / "commsengine.db", timeout=PATIENCE, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(0.5)  # what had its mark arrives
        arrived = len(relay.arrived)
        time.sleep(2.5)
        assert len(relay.arrived) == arrived < people
        marked = {row[0] for row in other.execute("SELECT key FROM touch WHERE state IN ('sending', 'sent')")}
        assert {mail.key for mail in relay.arrived} <= marked
        other.execute("ROLLBACK")
        other.close()
        assert engine.wait(PATIENCE) == 0
    everybody_has_it(program, relay, people)
    assert len(relay.arrived) == people


# -- a damaged file -----------------------------------------------------------------------------------------------


def spoil(database: Path, page: int) -> None:
    """One page overwritten, as by a stray dd; pages count from 1."""
    with open(database, "r+b") as file:
        os.pwrite(file.fileno(), b"\xa5" * PAGE, (page - 1) * PAGE)


def test_f29_a_damaged_page_is_found_before_anything_is_sent_and_the_backup_is_named(
    program: Program, relay: Relay
) -> None:
    start_for(program, 3)
    database = program.folder / "commsengine.db"
    with sqlite3.connect(database) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'suppression'").fetchone()
    connection.close()
    spoil(database, page)
    for command in ("tick", "run"):
        said = in_this_process(program, command)
        assert (said.status, "Traceback" in said.err) == (1, False)
        assert f"The database {database} is damaged" in said.err
        assert "commsengine restore FILE" in said.err
    examined = in_this_process(program, "doctor")
    assert (examined.status, "is damaged" in examined.out + examined.err) == (1, True)
    assert relay.arrived == []


def test_f29_wherever_the_page_is_the_damage_is_told_plainly(tmp_path: Path) -> None:
    database, spoilt = tmp_path / "whole.db", tmp_path / "spoilt.db"
    with Store.create(f"sqlite:///{database}", durable=False) as store:
        store.people.save([someone(n) for n in range(300)], by="dana", now=utc("2027-01-11"))
    pages = database.stat().st_size // PAGE
    assert pages > 50
    for page in range(2, pages + 1, 3):
        shutil.copy(database, spoilt)
        spoil(spoilt, page)
        found = Database(f"sqlite:///{spoilt}")
        with pytest.raises(DiskError, match=r"is damaged: .* restore FILE"):
            found.examine()
        found.close()
