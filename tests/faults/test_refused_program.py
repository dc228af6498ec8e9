"""The program as a process, and a relay that refuses what no table knows: to one, to three in a row, to everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Said, Terminal
from tests.faults.office import later, office
from tests.servers import SmtpSink
from tests.stories.campaign import addresses, start_for
from tests.stories.program import Program

REPLY = "550 Administrative prohibition - envelope blocked"
A_TEXT = "554 5.7.1 Message rejected as spam by Content Filtering"


@pytest.fixture
def relay() -> Iterator[SmtpSink]:
    with SmtpSink() as relay:
        yield relay


@pytest.fixture
def program(tmp_path: Path, relay: SmtpSink) -> Program:
    return office(tmp_path, {
        "COMMSENGINE_SMTP_URL": f"smtp://127.0.0.1:{relay.port}?tls=off", "COMMSENGINE_SMTP_CONNECTIONS": "1",
    })  # fmt: skip


def tick(program: Program) -> tuple[Said, dict[str, Any]]:
    said = program.run("tick", "--json")
    return said, json.loads(said.out)


def counts(program: Program) -> dict[str, int]:
    return {state: number for state, number in program.books("crm").counts.items() if number}


def test_one_refusal_is_held_and_told_and_the_leads_word_ends_it(program: Program, relay: SmtpSink) -> None:
    start_for(program, 6)
    bad = addresses(6)[3]
    relay.refuse("rcpt", REPLY, to=bad)
    said, told = tick(program)
    assert (said.status, told["sent"], told["failed"], told["held"], told["refused"]) == (1, 5, 0, 1, [])
    assert f"{REPLY}. To decide: commsengine refusal 1" in said.err
    found = program.look("today")
    (row,), (one,) = found["held"], found["refusals"]
    assert (row["person"], row["reason"], found["failed"]) == (bad, REPLY, [])
    assert (one["words"], one["people"], one["campaigns"], one["holds"]) == (REPLY, 1, ["crm"], False)
    assert REPLY in program.here("today")
    assert f"1 person refused by email: {REPLY}" in program.run("doctor").out
    assert program.look("refusals")["refusals"] == program.look("status")["refusals"] == [one]
    (why,) = [m for c in program.look("why", bad)["campaigns"] for m in c["messages"] if m["touches"]]
    assert "held" in {reason["code"] for reason in why["reasons"]}
    with program.environment():
        wrong = [Terminal(program.folder).run("refusal", *words).status for words in (("1",), ("9", "--us"))]
    assert wrong == [2, 2]
    assert program.done("refusal", "1", "--person").startswith("It is about these people: 1 message failed")
    assert counts(program) == {"sent": 5, "failed": 1}
    said, told = tick(program)
    assert (said.status, told["waits_for_a_word"]) == (0, 0)


def test_a_held_touch_is_sent_again_on_request(program: Program, relay: SmtpSink) -> None:
    start_for(program, 3)
    relay.refuse("dot", REPLY, to=addresses(3)[1])
    tick(program)
    (row,) = program.look("today")["held"]
    with program.environment():
        assert Terminal(program.folder).run("touch", row["key"], "--sent").status == 2
    relay.accept()
    program.here("touch", row["key"], "--resend")
    assert tick(program)[1]["sent"] == 1
    assert counts(program) == {"sent": 3}


def test_three_in_a_row_over_two_ticks_are_ours_and_nobody_fails(program: Program, relay: SmtpSink) -> None:
    """Two of them fall due in the first tick; another process meets the third."""
    start_for(program, 2)
    relay.refuse("rcpt", REPLY)
    first, told = tick(program)
    assert (first.status, told["held"], told["refused"]) == (1, 2, [])
    program.write("people.csv", "email\n" + "\n".join(addresses(5)) + "\n")
    program.here("people", "import", "people.csv")
    second, told = tick(program)
    assert (second.status, told["failed"], told["refused"]) == (1, 0, ["email"])
    (rest,) = program.look("today")["channels"]
    assert REPLY in rest["because"]
    assert program.look("refusals")["refusals"] == []
    relay.accept()
    for minutes in (1, 12, 13):
        later(program, minutes)
    assert counts(program) == {"sent": 5}


def test_a_refused_text_holds_its_message_and_no_other(program: Program, relay: SmtpSink) -> None:
    start_for(program, 30)
    relay.refuse("dot", A_TEXT)
    said, told = tick(program)
    assert (said.status, told["failed"], told["refused"], told["waits_for_a_word"]) == (1, 0, [], 3)
    (one,) = program.look("refusals")["refusals"]
    assert (one["words"], one["fault"], one["holds"]) == (A_TEXT, "message", True)
    assert "nothing of it is sent" in program.here("refusals")
    asked = len(relay.recipients)
    tick(program)
    assert (len(relay.recipients), counts(program)) == (asked, {"retry": 3})
    relay.accept()
    program.here("refusal", str(one["id"]), "--again")
    assert tick(program)[0].status == 0
    assert counts(program) == {"sent": 30}
