"""The first day of a change lead with nothing but a mail server: from ``init`` to the first answer and call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from commsengine.sandbox.mailbox import Mail
from commsengine.sandbox.rehearsal_people import first_form, send
from tests.browsing import WEB
from tests.stories.conftest import free_port
from tests.stories.pages import pages
from tests.stories.program import Program
from tests.stories.relay import Relay
from tests.stories.starter import PEOPLE, PLAN, init

ANA, LEA = "ana.kim@example.com", "lea.blanc@example.com"


@dataclass(frozen=True)
class Day:
    """A first day up to its first tick; ``foreseen`` is what simulate said before."""

    program: Program
    relay: Relay
    foreseen: dict[str, Any]
    said: dict[str, str]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Léa's address is not known to the mail server."""
    with Relay() as relay:
        relay.unknown.add(LEA)
        settings = {"COMMSENGINE_SMTP_URL": relay.url, "COMMSENGINE_HTTP_BIND": f"127.0.0.1:{free_port()}"}
        fresh = Program(tmp_path_factory.mktemp("first-day") / "crm", settings, fresh=True)
        init(fresh)
        program = replace(fresh, fresh=False)
        said = {"import": program.done("people", "import", "people.csv"), "check": program.done("check", PLAN)}
        said["preview"] = program.done("preview", PLAN, "--as", ANA)
        foreseen = program.json("simulate", PLAN)
        said["apply"] = fresh.done("apply", PLAN, "--yes")
        said["start"] = fresh.done("start", "crm", "--yes")
        said["tick"] = fresh.done("tick")
        yield Day(program, relay, foreseen, said)


@pytest.mark.slow
def test_each_command_says_what_it_did_and_what_comes_next(day: Day) -> None:
    assert day.said["import"].endswith("6 rows: 6 new, 0 changed, 0 unchanged.\nImported.\n")
    assert "What must never get harder for you?" in day.said["preview"]
    assert "Next: commsengine start crm" in day.said["apply"]
    assert day.said["start"].startswith("5 people get a message now")


def letters(day: Day) -> list[Mail]:
    """What arrived, without the mail of leads: in the morning they get theirs, too."""
    keys = {row["key"] for row in day.program.look("touches", "crm")["touches"]}
    return [mail for mail in day.relay.arrived if mail.message["X-Commsengine-Touch"] in keys]


def test_each_due_person_gets_exactly_one_letter(day: Day) -> None:
    assert sorted(mail.recipients[0] for mail in letters(day)) == sorted(PEOPLE - {LEA})
    assert day.program.done("tick").startswith("0 messages sent")
    assert len(letters(day)) == 4


def test_what_simulate_foresaw_is_what_was_sent(day: Day) -> None:
    foreseen = {touch["person"] for touch in day.foreseen["touches"] if touch["rung"] == 0}
    rows = day.program.look("touches", "crm")["touches"]
    first = {(touch["person"], touch["message"]) for touch in day.foreseen["touches"][:5]}
    assert foreseen == PEOPLE
    assert first == {(row["person"], row["message"]) for row in rows if row["kind"] == "message"}


def test_a_letter_bears_its_key_and_leads_to_the_answer_page_first(day: Day) -> None:
    base = f"http://{day.program.settings['COMMSENGINE_HTTP_BIND']}"
    rows = {row["key"]: row for row in day.program.look("touches", "crm")["touches"]}
    for mail in letters(day):
        assert rows[mail.message["X-Commsengine-Touch"]]["person"] == mail.recipients[0]
        assert mail.links[0].startswith(f"{base}/a/")
        assert re.search(r'You get this as ".*" in ', mail.text)


def test_looking_records_nothing_and_the_button_does(day: Day) -> None:
    link = day.relay.of(ANA)[0].links[0]
    with pages(day.program):
        for agent in ("Mozilla/5.0", "SafeLinks", "Mozilla/5.0 (compatible; bingpreview/2.0)", "curl/8"):
            for method in ("GET", "HEAD", "GET"):
                assert WEB.request(method, link, headers={"User-Agent": agent}).status_code == 200
        assert standing(day.program, ANA) == "reached"
        form = first_form(link)
        form.fields["value"] = "The phone number on one screen."
        page = send(form)
        assert "Thank you" in page
        assert standing(day.program, ANA) == "acknowledged"
        send(form)
    told = day.program.json("why", ANA)
    assert [touch["state"] for touch in told["campaigns"][0]["messages"][0]["touches"]] == ["sent"]
    story = day.program.done("why", ANA)
    assert "what-must-stay: acknowledged" in story
    assert "  gave an answer (link)\n" in story
    assert len(day.relay.of(ANA)) == 1


def standing(program: Program, email: str) -> str:
    messages = program.look("why", email)["campaigns"][0]["messages"]
    return str(next(each["standing"] for each in messages if each["message"] == "what-must-stay"))


def test_who_cannot_be_reached_is_called_with_something_to_say(day: Day) -> None:
    waiting = day.program.json("followups")["follow_ups"]
    assert [(each["person"], each["name"], each["messages"]) for each in waiting] == [
        (LEA, "Léa Blanc", ["what-must-stay"])
    ]
    lea = waiting[0]
    assert lea["reason"].startswith("No channel reaches them: e-mail (")
    assert (lea["phone"], lea["tried"]) == ("+33 1 5555 0105", [])
    assert "What must never get harder for you?" in lea["talking_points"]
    assert "You look in one place." in lea["talking_points"]
    told = day.program.done("followup", lea["id"], "--outcome", "understood")
    assert told == f"Recorded for {LEA}: understood, about what-must-stay.\n"
    assert day.program.look("followups")["follow_ups"] == []
    assert standing(day.program, LEA) == "acknowledged"


def test_the_books_balance_at_the_end_of_the_day(day: Day) -> None:
    books = day.program.books("crm")
    assert (books.state, books.counts["skipped"], books.counts["sent"]) == ("running", 1, 5)
