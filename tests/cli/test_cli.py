"""The command line as a whole: exit statuses, one clear text for every failure, nothing heavy before it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from commsengine.cli.commands import ENTRIES, CommandEntry, commsengine
from tests import fresh
from tests.cli.terminal import Terminal


def test_help_names_every_command(terminal: Terminal) -> None:
    said = terminal.run("--help")
    assert said.status == 0
    assert [name for name in ENTRIES if f"  {name} " not in said.out] == []


def test_the_line_in_the_list_is_the_first_line_of_each_commands_help() -> None:
    context = click.Context(commsengine)
    told = {name: str(commsengine.get_command(context, name).help).strip().splitlines()[0] for name in ENTRIES}  # type: ignore[union-attr]
    assert {name: said for name, said in told.items() if not said.startswith(ENTRIES[name].says.rstrip("."))} == {}


def test_a_near_miss_names_the_command(terminal: Terminal) -> None:
    said = terminal.run("aply")
    assert (said.status, "Did you mean apply?" in said.err) == (2, True)


def test_a_missing_argument_is_usage(terminal: Terminal) -> None:
    assert terminal.run("start").status == 2


def test_an_unknown_campaign_names_the_near_one(applied: Terminal) -> None:
    for command in (["touches", "cmr"], ["pause", "cmr"], ["start", "cmr"], ["resume", "cmr"], ["cancel", "cmr"]):
        said = applied.run(*command)
        assert (said.status, "crm" in said.err, "Traceback" in said.err) == (2, True, False), command


def test_an_unknown_person_names_the_near_one(applied: Terminal) -> None:
    said = applied.run("why", "anna@example.com")
    assert (said.status, "ana@example.com" in said.err) == (2, True)


@pytest.mark.sqlite("its file is missing")
def test_a_folder_that_is_no_workspace_says_so(tmp_path: Path) -> None:
    said = Terminal(tmp_path).run("status")
    assert (said.status, "commsengine init" in said.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_setting_is_named_by_every_command_that_needs_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMSENGINE_SLACK_BOT_TOKEN", "xoxp-1")
    said = terminal.run("status")
    assert (said.status, "xoxb-" in said.err) == (2, True)


@pytest.mark.sqlite("its file is broken")
def test_a_database_that_cannot_be_read_is_no_traceback(terminal: Terminal) -> None:
    terminal.write("commsengine.db", "this is no database, whatever its name says")
    said = terminal.run("status")
    assert said.status in (1, 2)
    assert "commsengine.db" in said.err
    assert "defect" not in said.err


def test_our_own_defect_is_one_line(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENTRIES, "broken", CommandEntry("broken", "A command whose file does not have it.", "names"))
    said = terminal.run("broken")
    assert (said.status, len(said.err.splitlines())) == (1, 1)
    assert "COMMSENGINE_DEBUG=1" in said.err


@pytest.mark.parametrize("arguments", [["--help"], ["apply", "--help"], ["simulate", "--help"], ["run", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    heavy = ("sqlmodel", "sqlalchemy", "pydantic", "starlette", "slack_sdk", "rich", "jinja2")
    script = (
        "import sys; from commsengine.cli import exit_status_of; exit_status_of(sys.argv[1:]); "
        f"sys.exit(str([name for name in {heavy!r} if name in sys.modules]))"
    )
    loaded = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert loaded.stderr.strip() == "[]"


def test_python_m_runs_the_same() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "commsengine", "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("commsengine ")


def test_the_shell_completes_commands() -> None:
    environment = {"_COMMSENGINE_COMPLETE": "bash_complete", "COMP_WORDS": "commsengine sim", "COMP_CWORD": "1"}
    program = str(Path(sys.executable).with_name("commsengine"))
    said = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    assert "simulate" in said.stdout


def test_the_shell_completes_campaigns(applied: Terminal) -> None:
    words = f"commsengine --workspace {applied.folder} pause c"
    environment = {"_COMMSENGINE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "4"}
    environment |= fresh.settings(applied.folder)
    program = str(Path(sys.executable).with_name("commsengine"))
    said = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    assert said.stdout.strip() == "plain,crm"


def test_check_and_doctor_review_the_languages_of_a_workspace(terminal: Terminal) -> None:
    terminal.write("locale/pl.po", 'msgid ""\nmsgstr ""\n\nmsgidd oops\n')
    checked = terminal.run("check", terminal.path("schedules/crm.yaml"))
    assert (checked.status, "locale/pl.po:4:1: error: This catalog cannot be read" in checked.out) == (2, True)
    assert "locale/pl.po:4: This catalog cannot be read" in terminal.run("doctor").out
    terminal.write("locale/pl.po", 'msgid ""\nmsgstr ""\n\nmsgid "Got it"\nmsgstr "Rozumiem"\n')
    assert "in these languages: de, en, es, fr, pl" in terminal.run("doctor").out
