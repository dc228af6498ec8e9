"""Somebody sends a list of phone numbers: it brings no leaver back, and the next tick mails none."""

from __future__ import annotations

from tests.stories.campaign import addresses, days_from_now, write_for
from tests.stories.program import Program
from tests.stories.relay import Relay


def test_a_phone_list_brings_no_leaver_back(program: Program, relay: Relay) -> None:
    write_for(program, 4)
    gone, *here = addresses(4)
    program.change(
        "people.csv", ("department\n", "department,left\n"), ("Person 0,Sales", f"Person 0,Sales,{days_from_now(-9)}")
    )
    program.here("people", "import", "people.csv")
    program.write(
        "phones.csv", "".join(["email,phone\n", *(f"{each},+49 {n}\n" for n, each in enumerate([gone, *here]))])
    )
    said = program.done("people", "import", "phones.csv")
    program.here("apply", "schedules/crm.yaml", "--yes")
    program.here("start", "crm", "--yes")
    program.here("tick")
    assert sorted(relay.copies) == here
    program.here("people", "import", "phones.csv")
    program.here("tick")
    assert sorted(relay.copies) == here
    assert program.look("people", "show", gone)["person"]["left"] == days_from_now(-9)
    assert "Not in the file, so not changed: name, department, left." in said
