"""``answers``: people's own words, read by who leads the campaign."""

from __future__ import annotations

import csv
import io

import pytest

from commsengine.answers.inbox import Evidence
from commsengine.sandbox.mailbox import Mailbox
from commsengine.wiring import Wiring
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal

ASKS = """ask: input
    input: {question: What must never get harder?}"""
SAID = "=1+1\nThe \x1b[31mphone\u202e number\x9b2J.\n" + "word " * 400


@pytest.fixture
def answered(terminal: Terminal, mailbox: Mailbox) -> Terminal:
    """Ana has answered, Ben has not."""
    times = "cadence: {every: 48h, times: 5}"
    terminal.write("schedules/crm.yaml", plan(**{times: f"{times}\n    {ASKS}"}))
    for command in (("people", "import", terminal.path("people.csv")), ("apply", terminal.path("schedules/crm.yaml"),
                    "--yes"), ("start", "crm", "--yes"), ("tick",)):  # fmt: skip
        said = terminal.run(*command)
        assert said.status == 0, said.err
    key = next(mail.key for mail in mailbox.arrived if mail.recipients[0] == "ana@example.com")
    with Wiring(terminal.folder) as wiring:
        wiring.inbox.give_input(wiring.inbox.card(key, wiring.clock()), SAID, Evidence("link"))
    return terminal


def test_the_lead_reads_who_said_what_and_who_said_nothing(answered: Terminal) -> None:
    said = answered.run("answers", "crm")
    assert said.status == 0
    assert said.out.startswith("one-record: What must never get harder?\n  1 answer; 3 people got the message and did")
    assert "\n  a1  Ana Kim, " in said.out
    assert "    The [31mphone number 2J.\n" in said.out
    assert said.out.count("word") == 400
    assert not any(unseen in said.out for unseen in "\x1b\x9b\u202e")


def test_the_same_as_documented_json(answered: Terminal) -> None:
    data = answered.json("answers", "crm", "--message", "one-record")
    (message,) = data["messages"]
    assert (data["campaign"], set(message)) == (
        "crm", {"message", "question", "kind", "tally", "places", "chosen_by", "answers", "silent", "commitments"},
    )  # fmt: skip
    assert message["answers"][0]["text"] == SAID.strip()
    assert message["silent"] == ["ben@example.com", "dana@example.com", "mia@example.com"]


def test_a_spreadsheet_takes_no_answer_for_a_formula(answered: Terminal) -> None:
    (row,) = csv.DictReader(io.StringIO(answered.run("answers", "crm", "--csv").out))
    assert (row["person"], row["name"], row["message"]) == ("ana@example.com", "Ana Kim", "one-record")
    assert row["text"].startswith("'=1+1\nThe [31mphone number 2J.\nword word")


def test_a_campaign_and_a_message_that_are_not_there_name_the_near(answered: Terminal) -> None:
    for words, told in ((("crn",), "There is: crm."), (("crm", "--message", "x"), "Those that do: one-record.")):
        said = answered.run("answers", *words)
        assert (said.status, told in said.err) == (2, True)
    assert answered.run("answers", "crm", "--json", "--csv").status == 2


def test_a_campaign_that_asks_nothing_says_so(started: Terminal) -> None:
    assert "No message of this campaign asks for input" in started.run("answers", "crm").out
