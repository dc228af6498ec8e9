"""Workspaces in folders with names that mean something in a URL, and files that this account may not read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from commsengine.store.store import Store
from tests.cli.conftest import PEOPLE, plan
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.sqlite("the file lies in odd folders")

FOLDERS = ["What changes?", "100% done", "a%20b", "a#b", "C++ (new)"]


def workspace(folder: Path) -> Terminal:
    folder.mkdir(exist_ok=True)
    terminal = Terminal(folder)
    terminal.write("people.csv", PEOPLE)
    terminal.write("schedules/crm.yaml", plan())
    return terminal


def imported(terminal: Terminal) -> None:
    said = terminal.run("people", "import", terminal.path("people.csv"))
    assert said.status == 0, said.err


@pytest.mark.parametrize("folder", FOLDERS)
def test_everything_stays_in_the_workspace(tmp_path: Path, folder: str) -> None:
    terminal = workspace(tmp_path / folder)
    imported(terminal)
    kept = terminal.path("kept.db")
    for command in (
        ["backup", kept], ["restore", kept, "--verify"], ["restore", kept, "--yes"], ["upgrade"], ["status"],
    ):  # fmt: skip
        said = terminal.run(*command)
        assert said.status == 0, said.err
    assert [path.name for path in tmp_path.iterdir()] == [folder]
    assert (tmp_path / folder / "commsengine.db").is_file()
    assert len(terminal.json("simulate", terminal.path("schedules/crm.yaml"))["touches"]) > 0


def test_a_database_that_an_earlier_version_put_beside_it_is_named_and_can_be_moved(tmp_path: Path) -> None:
    terminal = workspace(tmp_path / "What changes?")
    stray = tmp_path / "What changes"
    with Store.create(f"sqlite:///{terminal.folder}/commsengine.db") as store:  # as 0.1.0 wrote the URL
        assert store.path == stray
        said = terminal.run("status")
        assert said.status == 2
        assert f"The database of this workspace is {stray}: " in said.err
        assert terminal.run("people", "import", terminal.path("people.csv")).status == 2
        assert terminal.run("upgrade").status == 2
        assert not (terminal.folder / "commsengine.db").exists()
    subprocess.run(["sh", "-c", terminal.run("status").err.partition("into its place: ")[2]], check=True)
    assert terminal.run("status").status == 0
    assert [path.name for path in tmp_path.iterdir()] == ["What changes?"]


def test_another_file_of_that_name_is_no_database(tmp_path: Path) -> None:
    terminal = workspace(tmp_path / "What changes?")
    (tmp_path / "What changes").write_text("Notes.\n", encoding="utf-8")
    imported(terminal)


def test_init_shows_a_command_that_a_shell_understands(tmp_path: Path) -> None:
    folder = tmp_path / "What's new?"
    shown = Terminal(tmp_path).run("init", str(folder)).out
    (go,) = [line for line in shown.splitlines() if line.strip().startswith("cd ")]
    where = subprocess.run(["sh", "-c", f"{go} && pwd"], check=True, capture_output=True, text=True).stdout
    assert where.strip() == str(folder)


@pytest.mark.parametrize(
    "name", [".env", "people.csv", "workspace.yaml", "schedules/crm.yaml", "schedules", "message_templates/wiifm.md"]
)
def test_a_file_that_this_account_may_not_read_is_named(
    open_folder: Path, as_stranger: Callable[[], None], name: str
) -> None:
    terminal = workspace(open_folder)
    for file, text in ((".env", ""), ("workspace.yaml", "language: en\n"), ("message_templates/wiifm.md", "# Hello\n")):
        terminal.write(file, text)
    command = ("simulate", terminal.path("schedules/crm.yaml"))
    assert terminal.run(*command).status == 0
    (open_folder / name).chmod(0)
    as_stranger()
    said = terminal.run(*command)
    assert said.status == 2
    assert name in said.out + said.err
    assert "defect" not in said.err
