"""A plan's own people file that says less than the directory knows: what is shown is what ``apply`` then does."""

from __future__ import annotations

import datetime as dt

import pytest

from commsengine.sandbox.mailbox import Mailbox
from tests.cli.conftest import PEOPLE, plan
from tests.cli.terminal import Terminal

LEFT = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=30)
ALL = "".join(
    f"{line},{'left,id' if n == 0 else f'{LEFT},' if line.startswith('dana') else ',' + str(n)}\n"
    for n, line in enumerate(PEOPLE.splitlines())
)
"""Dana has left; the others have an id that is not their address."""
SCHEDULE = "schedules/crm.yaml"
ADDRESSES = "email\nana@example.com\nben@example.com\ndana@example.com\n"
BACK = "email,left\nben@example.com,\ndana@example.com,\n"


@pytest.fixture
def listed(terminal: Terminal) -> Terminal:
    """Everybody is imported; the plan is for a list of addresses."""
    assert terminal.run("people", "import", terminal.write("people.csv", ALL)).status == 0
    terminal.write("schedules/list.csv", ADDRESSES)
    terminal.write(SCHEDULE, plan(**{"audience:": "audience:\n  people: list.csv"}))
    return terminal


def test_a_list_of_addresses_has_the_roles_of_the_directory(listed: Terminal) -> None:
    said = listed.run("check", listed.path(SCHEDULE))
    assert (said.status, said.out.count("advice:"), "does not ask people for input" in said.out) == (0, 1, True)
    shown = listed.json("preview", listed.path(SCHEDULE), "--as", "ben@example.com", "--message", "one-record")
    assert {each["role"] for each in shown["previews"]} == {"sales"}


def test_what_simulate_shows_of_a_list_is_what_the_tick_sends(listed: Terminal, mailbox: Mailbox) -> None:
    touches = listed.json("simulate", listed.path(SCHEDULE))["touches"]
    foreseen = {touch["key"]: touch["person"] for touch in touches}
    assert set(foreseen.values()) == {"ana@example.com", "ben@example.com"}
    assert listed.run("apply", listed.path(SCHEDULE), "--yes").status == 0
    assert listed.run("start", "crm", "--yes").status == 0
    assert listed.run("tick").status == 0
    assert sorted(mail.recipients[0] for mail in mailbox.arrived) == ["ana@example.com", "ben@example.com"]
    rows = {row["key"]: row["person"] for row in listed.json("touches", "crm")["touches"]}
    assert len(rows) == 2
    assert rows.items() <= foreseen.items()


@pytest.mark.parametrize(
    ("written", "people"), [("false", {"ana", "dana", "mia"}), ("true", {"ana", "ben", "dana", "mia"})]
)
def test_the_sponsor_is_in_the_audience_only_where_the_plan_says_so(
    terminal: Terminal, written: str, people: set[str]
) -> None:
    assert terminal.run("people", "import", terminal.write("people.csv", PEOPLE)).status == 0
    sponsor = {"sponsor: sam@example.com": f"sponsor: {{email: Ben@example.com, in_audience: {written}}}"}
    file = terminal.write(SCHEDULE, plan(**sponsor))
    seen = terminal.json("simulate", file)
    assert {touch["person"].partition("@")[0] for touch in seen["touches"]} == people
    assert seen["summary"]["audience"] == len(people)
    assert terminal.json("apply", file, "--yes")["audience"] == len(people)
    assert terminal.json("status")["campaigns"][0]["audience"] == len(people)


def test_applying_a_list_changes_nobody(listed: Terminal) -> None:
    before = listed.run("people", "export").out
    said = listed.run("apply", listed.path(SCHEDULE), "--yes")
    assert "2 people" in said.out
    assert "Not in the file, so not changed: name, department, manager" in said.out
    assert "marked as left, and that stays: dana@example.com." in said.err
    assert listed.run("people", "export").out == before


def test_a_list_that_would_bring_somebody_back_is_refused_without_yes(listed: Terminal) -> None:
    listed.write("schedules/list.csv", BACK)
    checked = listed.run("check", listed.path(SCHEDULE))
    assert (checked.status, "list.csv:3:2: advice: dana@example.com is marked as left" in checked.out) == (0, True)
    for options in ((), ("--yes",)):
        said = listed.run("apply", listed.path(SCHEDULE), *options)
        assert (said.status, "Marked as left, and active again by this file: 1 (dana@example.com)." in said.err) == (
            2,
            True,
        )
        assert f"commsengine apply {listed.path(SCHEDULE)} --yes --because TEXT\n" in said.err
    assert listed.json("status")["campaigns"] == []
    assert str(LEFT) in listed.run("people", "export").out
    (held,) = listed.json("today")["held_files"]
    assert (held["file"], held["source"], held["campaign"]) == ("list.csv", "roster", "crm")
    assert held["command"] == f"commsengine apply {listed.path(SCHEDULE)} --yes --because TEXT"
    assert "The people file list.csv is held, and nothing of it is taken" in listed.run("today").out
    assert "The people file list.csv is held" in listed.run("status").out


def test_a_list_brings_somebody_back_with_yes_and_says_so(listed: Terminal) -> None:
    listed.write("schedules/list.csv", BACK)
    shown = listed.run("apply", listed.path(SCHEDULE), "--dry-run")
    assert (shown.status, "active again by this file: 1 (dana@example.com)." in shown.err) == (0, True)
    assert listed.json("today")["held_files"] == []
    assert listed.run("apply", listed.path(SCHEDULE), "--yes").status == 2
    said = listed.run("apply", listed.path(SCHEDULE), "--yes", "--because", "Dana is back")
    assert listed.json("today")["held_files"] == []
    assert (said.status, str(LEFT) in listed.run("people", "export").out) == (0, False)
    assert listed.json("apply", listed.path(SCHEDULE), "--yes")["returned"] == []


def test_a_preview_is_signed_by_a_manager_who_is_not_on_the_list(listed: Terminal) -> None:
    listed.write(
        SCHEDULE, (listed.folder / SCHEDULE).read_text().replace("key_point:", "sender: manager\n    key_point:")
    )
    (shown,) = listed.json("preview", listed.path(SCHEDULE), "--as", "ben@example.com", "--touch", "1")["previews"][:1]
    assert "Mia" in shown["text"]


def test_a_list_before_the_first_import_takes_what_people_csv_says(terminal: Terminal, mailbox: Mailbox) -> None:
    terminal.write("people.csv", ALL)
    terminal.write("schedules/list.csv", ADDRESSES)
    terminal.write(SCHEDULE, plan(**{"audience:": "audience:\n  people: list.csv"}))
    for command in (("check",), ("apply", "--yes")):
        assert terminal.run(command[0], terminal.path(SCHEDULE), *command[1:]).status == 0
    terminal.run("start", "crm", "--yes")
    terminal.run("tick")
    assert sorted(mail.recipients[0] for mail in mailbox.arrived) == ["ana@example.com", "ben@example.com"]
