"""``rehearse``: a small campaign for real, in a sandbox, and the same as simulate says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from commsengine.sandbox.mailbox import Mailbox
from tests.cli.conftest import laid_out, plan, without_settings
from tests.cli.terminal import Said, Terminal


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Terminal, Said]:
    """A workspace in which the plan was rehearsed, and what that said: for tests that only look."""
    terminal = laid_out(tmp_path_factory.mktemp("rehearsed"))
    with pytest.MonkeyPatch.context() as patch:
        without_settings(patch)
        patch.chdir(terminal.folder)
        said = terminal.run("rehearse", "schedules/crm.yaml", "--answers", "none")
    assert said.status == 0, said.err
    return terminal, said


def test_a_rehearsal_needs_no_settings_and_agrees_with_simulate(terminal: Terminal) -> None:
    said = terminal.run("rehearse", terminal.path("schedules/crm.yaml"), "--answers", "none", "--json")
    assert (said.status, said.data["agrees"]) == (0, True), said.err
    assert (said.data["kinds"]["message"] + said.data["kinds"]["remind"], said.data["kinds"]["personal"]) == (20, 4)
    assert said.data["states"] == {"sent": 24}
    assert len(said.data["follow_ups_open"]) == 4
    assert Path(said.data["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_it_tells_the_story(terminal: Terminal) -> None:
    said = terminal.run("rehearse", terminal.path("schedules/crm.yaml"))
    assert said.status == 0, said.err
    assert "What was sent equals what simulate said" in said.out
    assert terminal.run("status").out.startswith("No engine has run yet")


def test_every_command_that_it_names_works_as_of_its_clock(
    rehearsed: tuple[Terminal, Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its folder, whatever is set on this machine; they say what the story says."""
    terminal, told = rehearsed
    monkeypatch.chdir(terminal.folder)
    monkeypatch.setenv("COMMSENGINE_DATABASE_URL", "sqlite:///elsewhere.db")
    monkeypatch.setenv("COMMSENGINE_SMTP_URL", "smtp://127.0.0.1:9")
    commands = [shlex.split(line)[1:] for line in told.out.splitlines() if line.startswith("  commsengine ")]
    assert len(commands) == 4
    clocks = set()
    for command in commands:
        said = terminal.run(*command)
        assert (said.status, said.err.count("the clock of this rehearsal.")) == (0, 1), said.err
        clocks |= set(re.findall(r"As of \w{3} .*, the clock of this rehearsal", said.err))
    assert len(clocks) == 1
    there = Terminal(terminal.folder / "rehearsals/crm")
    (books,) = there.json("status")["campaigns"]
    assert {state: n for state, n in books["touches"].items() if n and state != "skipped"} == {"sent": 24}
    assert len(there.json("followups")["follow_ups"]) == 4
    assert not (there.folder / "elsewhere.db").exists()


def test_nothing_is_sent_from_the_workspace_of_a_rehearsal(rehearsed: tuple[Terminal, Said], mailbox: Mailbox) -> None:
    terminal, _ = rehearsed
    for command in ("tick", "run"):
        said = Terminal(terminal.folder / "rehearsals/crm").run(command)
        assert (said.status, mailbox.arrived) == (2, [])
        assert "This is the workspace of a rehearsal: nothing is sent from it." in said.err


def test_behind_a_proxy_it_still_talks_to_its_own_sandbox(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail, Slack and pages of a rehearsal are on this machine; a proxy that nobody serves is not asked."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    terminal.write("schedules/crm.yaml", plan(**{"channels: [email]": "channels: [slack, email]"}))
    said = terminal.run("rehearse", terminal.path("schedules/crm.yaml"), "--answers", "all", "--json")
    assert (said.status, said.data["agrees"]) == (0, True), said.err


def test_as_if_by_a_provider_it_says_what_to_know_before_the_start(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is set on this machine to log in to the real one."""
    for name in ("TENANT", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"COMMSENGINE_MICROSOFT_{name}", "set-on-this-machine")
    said = terminal.run("rehearse", terminal.path("schedules/crm.yaml"), "--answers", "none", "--as-if", "microsoft365")
    assert said.status == 0, said.err
    assert "Microsoft 365 mailbox: 3 connections, 30 messages a minute, 10,000 in 24 hours." in said.out
    for line in ("Nothing was refused.", "?auth=xoauth2", "What was sent equals what simulate said"):
        assert line in said.out
    assert "Whom to call" not in said.out


def test_a_provider_that_is_not_there_is_an_error_with_the_names(terminal: Terminal) -> None:
    said = terminal.run("rehearse", terminal.path("schedules/crm.yaml"), "--as-if", "outlook")
    assert said.status == 2
    assert "--as-if: no provider is named 'outlook'. Write one of: microsoft365, hve, " in said.err


def test_a_profile_of_the_workspace_can_be_rehearsed(terminal: Terminal) -> None:
    terminal.write("providers.yaml", "profiles:\n  ours:\n    title: Our relay\n    connections: 2\n    per_day: 500\n")
    said = terminal.run("rehearse", terminal.path("schedules/crm.yaml"), "--as-if", "ours", "--json")
    assert said.status == 0, said.err
    found = said.data["as_if"]
    assert (found["mail"], found["limits"]["per_day"], found["refused"]) == ("ours", 500, {})
    assert found["fullest_day"]["messages"] > 0
