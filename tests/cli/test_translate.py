"""``translate`` and the languages of the other commands, at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations

import pytest

from commsengine.authoring.plan_file import review_plan
from commsengine.wiring import Wiring
from tests.builders import translated
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal
from tests.pseudo import in_place_of

PLAN = "schedules/crm.yaml"
FILE = "schedules/crm.de.yaml"


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    with in_place_of("de", NullTranslations()):
        yield


def translate(terminal: Terminal) -> None:
    """All of it, each text marked."""
    file = terminal.path(PLAN)
    assert terminal.run("translate", file, "--to", "de").status == 0
    text = (terminal.folder / FILE).read_text()
    draft = review_plan(terminal.folder / PLAN, root=terminal.folder).draft
    assert draft is not None
    for source in translated(draft.plan, "de").translations["de"].values():
        before, _mark, rest = text.partition(f"# en: {source}\n")
        text = f"{before}# en: {source}\n" + rest.replace('""', f'"de: {source}"', 1)
    (terminal.folder / FILE).write_text(text)
    assert terminal.json("translate", file, "--to", "de")["missing"] == []


def test_it_begins_a_file_says_what_is_next_and_then_what_is_missing(terminal: Terminal) -> None:
    said = terminal.run("translate", terminal.path(PLAN), "--to", "de")
    assert (said.status, said.out) == (0, "")
    assert "texts missing, 0 outdated. Started.\nWrite the texts, then: commsengine check " in said.err
    again = terminal.run("translate", terminal.path(PLAN), "--to", "de")
    assert again.out.splitlines()[0] == "missing: title"
    assert "It is up to date." in again.err


def test_a_dry_run_writes_nothing(terminal: Terminal) -> None:
    found = terminal.json("translate", terminal.path(PLAN), "--to", "de_DE", "--dry-run")
    assert (found["language"], found["written"], (terminal.folder / "schedules/crm.de-DE.yaml").exists()) == (
        "de-DE", False, False,
    )  # fmt: skip


def test_without_buttons_in_a_language_it_says_how_they_are_added(terminal: Terminal) -> None:
    said = terminal.run("translate", terminal.path(PLAN), "--to", "it")
    assert "add locale/it.po" in said.err


@pytest.mark.parametrize(("code", "said"), [("xq", "not a known language"), ("en", "The plan itself is in English")])
def test_only_another_language_can_be_meant(terminal: Terminal, code: str, said: str) -> None:
    told = terminal.run("translate", terminal.path(PLAN), "--to", code)
    assert (told.status, said in told.err) == (2, True)


def test_a_plan_with_an_error_is_told_first(terminal: Terminal) -> None:
    told = terminal.run("translate", terminal.write(PLAN, plan(**{"from: kickoff": "from: kikoff"})), "--to", "de")
    assert (told.status, (terminal.folder / FILE).exists()) == (2, False)


def test_check_takes_an_overlay_for_its_plan(terminal: Terminal) -> None:
    translate(terminal)
    found = terminal.run("check", terminal.path(PLAN), terminal.path(FILE))
    assert (found.status, found.err.partition(":")[0], FILE in found.out) == (0, "1 plan", False)
    terminal.write(FILE, "titel: x\n")
    assert terminal.run("check", terminal.path(FILE)).status == 2


def test_what_is_applied_keeps_its_languages_when_the_file_is_gone(applied: Terminal) -> None:
    translate(applied)
    assert applied.run("apply", applied.path(PLAN), "--yes").status == 0
    (applied.folder / FILE).unlink()
    with Wiring(applied.folder) as wiring:
        record = wiring.store.campaigns.get("crm")
        assert record is not None
        assert record.plan.in_language("de").title == "de: One customer record"
    assert (record.version, applied.run("apply", applied.path(FILE), "--yes").status) == (2, 2)


def test_a_message_of_today_is_said_in_other_languages(started: Terminal) -> None:
    translate(started)
    assert started.run("apply", started.path(PLAN), "--yes").status == 0
    text = ("send-now", "crm", "--to", "all", "--text", "The CRM is down. Use paper.")
    text = (*text, "--past-limits", "--because", "An outage.")
    said = started.json(*text, "--in", "de", "Das CRM steht.", "--dry-run")
    assert said["in"] == {"de": "Das CRM steht.\n\nDas CRM steht."}
    refused = started.run(*text, "--in", "fr", "Le CRM est en panne.", "--yes")
    assert (refused.status, "has no texts in 'fr'" in refused.err) == (2, True)
    slip = started.run(*text, "--in", "de", "Hallo {{ person.nam }}", "--yes")
    assert (slip.status, "--in de" in slip.err) == (2, True)
