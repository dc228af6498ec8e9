"""What the program writes is for its own account alone, whatever the shell that starts it would allow."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from commsengine.channels.file import FileChannel
from commsengine.engine.lock import EngineLock
from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.store import Store
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal
from tests.stories.program import Program


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
    from commsengine.cli import main, run
    with suppress(SystemExit):
        main(["--version"])
    sys.exit("; ".join(line for line in sys.argv[1:] if run(line.split())) or 0)
"""


def test_every_file_and_folder_of_every_command_is_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    few = plan(**{"dana@example.com": "ana.kim@example.com", "mia@": "mia.wolf@", "times: 5": "times: 1"})
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
        FileChannel(tmp_path / "sent")
        made = {path.name for path in tmp_path.iterdir()}
        assert {"one.db", "one.db-wal", "one.db-shm", "one.db.engine.lock", "sent"} == made
        assert open_to_others(tmp_path) == {}
