"""``rehearse``: a small campaign for real, in a sandbox, and the same as simulate says."""

from __future__ import annotations

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
