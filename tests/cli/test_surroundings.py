"""Faults of what is around us: disks, accounts, files and variables. None is told as a defect of the program."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commsengine.cli import _cause_and_remedy
from tests import fresh
from tests.cli.conftest import PEOPLE, plan
from tests.cli.terminal import Said, Terminal
from tests.stories.program import HERE

SCHEDULE = "schedules/crm.yaml"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "Reading or writing failed: No space left on device. Make"),
        (OSError(errno.EROFS, "Read-only file system", "/mnt/a.db"), "/mnt/a.db: Read-only file system. That disk is"),
        (OSError(errno.EMFILE, "Too many open files"), "Reading or writing failed: Too many open files. Let this"),
        (PermissionError(errno.EACCES, "Permission denied", "x.csv"), "x.csv: this account may not use it (Permission"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), "x: No such file or directory. Check the"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a/b"), "a/b: Not a directory."),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            "A name or a file contains bytes that are n",
        ),
        (MemoryError(), "This machine has not enough memory for it."),
    ],
)
def test_a_fault_that_is_not_ours_is_told_with_what_helps(error: OSError | UnicodeError, told: str) -> None:
    assert " ".join(_cause_and_remedy(error)).strip().startswith(told)


def test_a_full_disk_behind_stdout_is_named_by_a_program_that_knows_no_home(terminal: Terminal) -> None:
    command = [sys.executable, "-m", "commsengine", "--workspace", str(terminal.folder), "status"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            command,
            env={"COLUMNS": "3", "PYTHONPATH": HERE},
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    told = "Reading or writing failed: No space left on device. Make room on that disk, then run it again.\n"
    assert done.stderr == told


@pytest.mark.sqlite("no other account reaches the server of these tests")
@pytest.mark.parametrize(
    "command",
    [
        ("people", "import", "people.csv"),
        ("status",),
        ("rehearse", SCHEDULE),
        ("preview", SCHEDULE, "--out", "shown"),
        ("backup",),
    ],
)
def test_a_workspace_that_cannot_be_written_is_named(
    applied: Terminal,
    open_folder: Path,
    as_stranger: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    terminal = Terminal(open_folder)
    for name, text in (("people.csv", PEOPLE), (SCHEDULE, plan())):
        Path(terminal.write(name, text)).chmod(0o644)
    (open_folder / "schedules").chmod(0o755)
    monkeypatch.chdir(applied.folder)
    assert applied.run(*command).status == 0  # so that all is loaded that this account may read
    open_folder.chmod(0o555)
    monkeypatch.chdir(open_folder)
    as_stranger()
    said = terminal.run(*command)
    assert said.status in (1, 2), said.out
    assert "defect" not in said.err
    assert str(open_folder) in said.err or command[-1] in said.err


@pytest.mark.parametrize("name", ["people.csv", SCHEDULE, "workspace.yaml", ".env", "message_templates/wiifm.md"])
@pytest.mark.parametrize("what", ["folder", "nul", "utf-16", "latin-1", "loop", "fifo-like"])
def test_a_file_that_is_no_text_is_named(terminal: Terminal, name: str, what: str) -> None:
    file = terminal.folder / name
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    spoil: dict[str, Callable[[], object]] = {
        "folder": file.mkdir,
        "nul": lambda: file.write_bytes(b"\0" * 400),
        "utf-16": lambda: file.write_bytes("a: Müller\n".encode("utf-16-be")),
        "latin-1": lambda: file.write_bytes("a: Müller\n".encode("latin-1") * 3),
        "loop": lambda: file.symlink_to(file),
        "fifo-like": lambda: file.symlink_to("/dev/full"),
    }
    spoil[what]()
    said = _simulated(terminal)
    assert "defect" not in said.err
    assert said.status in (0, 2), said.err
    assert said.status == 0 or Path(name).name in said.err


def _simulated(terminal: Terminal) -> Said:
    return terminal.run("simulate", terminal.path(SCHEDULE))


def test_an_argument_that_is_no_text_is_named(terminal: Terminal) -> None:
    said = terminal.run("check", "sch\udcffdules.yaml")
    assert (said.status, "defect" in said.err) == (2, False)


def test_a_misspelt_variable_is_told_once_and_listed_by_doctor(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMSENGINE_SMPT_URL", "smtp://ana:secret@127.0.0.1")
    monkeypatch.setenv("COMMSENGINE_SLACK_RATE", '"60"')
    said = terminal.run("status")
    assert said.err.count("there is no setting COMMSENGINE_SMPT_URL. Did you mean COMMSENGINE_SMTP_URL?") == 1
    assert "COMMSENGINE_SLACK_RATE has quotes or a line's end around its value" in said.err
    findings = [each["text"] for each in terminal.run("doctor", "--json").data["findings"]]
    assert any("there is no setting COMMSENGINE_SMPT_URL" in text for text in findings)
    made = sorted({"COMMSENGINE_SECRET_KEY", "COMMSENGINE_SLACK_RATE", *fresh.settings(terminal.folder)})
    assert f"{len(made)} settings are made: {', '.join(made)}. None is wrong." in findings
    assert "secret" not in said.err
