"""A message was wrong: from the ``apply`` of its correction on, nobody gets it any more, whatever was under way."""

from __future__ import annotations

import pytest

from tests.stories.campaign import IN_FORCE, write_for
from tests.stories.program import Program
from tests.stories.relay import Relay

PLAN = "schedules/crm.yaml"
WRONG = """\
messages:
  - id: one-record
    key_point: Every customer conversation is logged in one record.
    from: kickoff
    until: go_live
    cadence: {every: 48h, times: 5}
"""
RIGHT = """\
  - id: put-right
    key_point: Only conversations with customers of ours are logged.
    from: kickoff
    until: go_live
    cadence: {every: 48h, times: 5}
    corrects: one-record
"""
SILENT = "'one-record' is corrected by 'put-right': it is not sent any more."


@pytest.fixture
def wrong(program: Program, relay: Relay) -> Program:
    """Three people have the message today; the relay puts off a fourth, who is to be tried again."""
    relay.put_off = {"p0003@example.com"}
    write_for(program, 4, messages=WRONG)
    for command in (*IN_FORCE, ("tick",)):
        program.here(*command)
    relay.put_off = set()
    assert sorted(relay.copies) == [f"p000{n}@example.com" for n in range(3)]
    program.change(PLAN, (WRONG, WRONG + RIGHT))
    return program


def test_what_is_corrected_leaves_no_more_and_everybody_says_so(wrong: Program, relay: Relay) -> None:
    said = wrong.here("apply", PLAN, "--yes")
    assert SILENT in said
    wrong.here("tick")
    assert len(relay.arrived) == 3
    rows = [row for row in wrong.books("crm").rows if row["person"] == "p0003@example.com"]
    assert [(row["message"], row["state"], row["reason"]) for row in rows] == [("one-record", "skipped", "corrected")]
    reasons = {
        message["message"]: [(reason["code"], reason["waits_for"]) for reason in message["reasons"]]
        for campaign in wrong.look("why", "p0000@example.com")["campaigns"]
        for message in campaign["messages"]
    }
    assert reasons["one-record"] == [("corrected", "never")]


@pytest.fixture
def two_a_day(wrong: Program) -> Program:
    wrong.change(PLAN, ("holidays: false", "holidays: false\n  at_most: {per_day: 2, per_week: 5}"))
    return wrong


def test_it_says_so_to_those_who_were_told_and_nothing_of_it_to_the_others(two_a_day: Program, relay: Relay) -> None:
    foreseen = {touch["person"]: touch["corrects"] for touch in two_a_day.look("simulate", PLAN)["touches"]}
    two_a_day.here("apply", PLAN, "--yes")
    two_a_day.here("tick")
    mails = {mail.recipients[0]: mail for mail in relay.arrived[3:]}
    told = {f"p000{n}@example.com" for n in range(3)}
    assert set(mails) == {*told, "p0003@example.com"}
    for address, mail in mails.items():
        words = " ".join(mail.text.split())
        was_told = address in told
        assert mail.subject.startswith("Correction: ") is was_told
        assert ("We told you before: Every customer conversation is logged in one record." in words) is was_told
        assert "Only conversations with customers of ours are logged." in words
        assert foreseen[address] == ("one-record" if was_told else "")
    rows = [row for row in two_a_day.books("crm").rows if row["message"] == "put-right"]
    assert {row["person"] for row in rows if row["corrects"] == "one-record"} == told
    standings = {
        message["message"]: message["standing"]
        for campaign in two_a_day.look("why", "p0000@example.com")["campaigns"]
        for message in campaign["messages"]
    }
    assert standings == {"one-record": "corrected", "put-right": "reached"}


def test_before_it_is_applied_check_preview_simulate_and_apply_agree(wrong: Program) -> None:
    told = [problem for problem in wrong.look("check", PLAN)["problems"] if problem["code"] == "corrected"]
    assert [problem["severity"] for problem in told] == ["advice"]
    assert {each["message"] for each in wrong.look("preview", PLAN)["previews"]} == {"put-right"}
    foreseen = wrong.look("simulate", PLAN)
    assert {each["message"] for each in foreseen["touches"]} == {"put-right"}
    assert foreseen["summary"]["corrected"] == {"one-record": "put-right"}
    diff = wrong.look("apply", PLAN, "--dry-run")
    assert (diff["corrected"], diff["messages_added"]) == ({"one-record": "put-right"}, ["put-right"])
    refused = wrong.run("preview", PLAN, "--message", "one-record")
    assert (refused.status, SILENT in refused.err, "--message put-right" in refused.err) == (2, True, True)
