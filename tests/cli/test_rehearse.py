"""``rehearse``: a small campaign for real, in a sandbox, and the same as simulate says."""

from __future__ import annotations

import pytest

from tests.cli.conftest import plan
from tests.cli.terminal import Terminal


def test_a_rehearsal_needs_no_settings_and_agrees_with_simulate(terminal: Terminal) -> None:
    said = terminal.run("rehearse", terminal.path("schedules/crm.yaml"), "--answers", "none", "--json")
    assert (said.status, said.data["agrees"]) == (0, True), said.err
    assert (said.data["kinds"]["message"] + said.data["kinds"]["remind"], said.data["kinds"]["personal"]) == (20, 4)
    assert said.data["states"] == {"sent": 24}
    assert len(said.data["follow_ups_open"]) == 4


def test_it_tells_the_story(terminal: Terminal) -> None:
    said = terminal.run("rehearse", terminal.path("schedules/crm.yaml"))
    assert said.status == 0, said.err
    assert "What was sent equals what simulate said" in said.out
    assert terminal.run("status").out.startswith("No engine has run yet")


def test_behind_a_proxy_it_still_talks_to_its_own_sandbox(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail, Slack and pages of a rehearsal are on this machine; a proxy that nobody serves is not asked."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    terminal.write("schedules/crm.yaml", plan(**{"channels: [email]": "channels: [slack, email]"}))
    said = terminal.run("rehearse", terminal.path("schedules/crm.yaml"), "--answers", "all", "--json")
    assert (said.status, said.data["agrees"]) == (0, True), said.err
