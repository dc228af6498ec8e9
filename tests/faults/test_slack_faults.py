"""The program against a Slack that misbehaves: each row says what became of its message, and the books balance.

The Slack is a process of its own, which logs what it accepts before it answers; what it has is what people have.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from commsengine.engine.engine import Engine
from commsengine.engine.heartbeat import sweep
from commsengine.engine.uncertain_sends import Resolution
from commsengine.wiring import Wiring
from tests import fresh
from tests.faults.office import later
from tests.faults.slack_witness import LIMIT, PAGE, POST, RESET, Rule, SlackWitness, slack_witness
from tests.faults.witness import smtp_witness
from tests.stories.campaign import IN_FORCE, addresses, write_for
from tests.stories.program import Program
from tests.waiting import PATIENCE, wait_until

P0, P1, P2, P3, P4, P5, P6, P7 = everybody = addresses(8)
Begin = Callable[..., Program]


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[SlackWitness]:
    with slack_witness(tmp_path / "slack", everybody) as witness:
        yield witness


@pytest.fixture
def begin(tmp_path: Path, slack: SlackWitness) -> Begin:
    """A campaign over Slack for so many people, started; nothing is sent yet."""

    def begin(people: int, *changes: tuple[str, str], **settings: str) -> Program:
        state = {"COMMSENGINE_STATE_DIR": str(tmp_path / "state")}
        program = Program(tmp_path / "house", {**slack.settings, **state, **settings})
        write_for(program, people)
        program.change("schedules/crm.yaml", ("channels: [email]", "channels: [slack]"), *changes)
        for command in IN_FORCE:
            program.here(*command)
        return program

    return begin


def rows_of(program: Program) -> dict[str, Any]:
    """The row of each person, after seeing that the books balance."""
    return {row["person"]: row for row in program.books("crm").rows}


def states_of(program: Program) -> dict[str, str]:
    return {person: row["state"] for person, row in rows_of(program).items()}


class Hurried:
    """Ticks in this process that wait for nothing: their clock jumps instead.

    ``ask`` says who is asked what became of an uncertain send: nobody, unless told otherwise.
    """

    def __init__(self, program: Program, ask: Callable[[Wiring], Any] = lambda wiring: {}) -> None:
        self.program, self._ask, self._ahead = program, ask, dt.timedelta()

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self._ahead

    def sleep(self, seconds: float) -> None:
        self._ahead += dt.timedelta(seconds=seconds)

    def tick(self) -> None:
        with self.program.environment(), Wiring(self.program.folder, clock=self.now) as wiring, wiring.engine_lock():
            engine = Engine(
                wiring.store, wiring.channels, wiring.renderer, workspace=wiring.rules, clock=self.now,
                sleep=self.sleep, resolution=Resolution(wiring.store, self._ask(wiring), PATIENCE),
            )  # fmt: skip
            with engine:
                engine.tick()


def as_if_it_had_waited(program: Program) -> None:
    """Everybody is looked at again, as in the night; a channel that was shut is tried by the next engine at once."""
    store = fresh.opened(program.folder / "commsengine.db")
    sweep(store, dt.datetime.now(dt.UTC))
    store.close()


# -- Slack has it, and resets the connection before it says so --------------------------------------------------------


def test_f20_a_post_that_was_cut_off_is_uncertain_and_posted_once(slack: SlackWitness, begin: Begin) -> None:
    program = begin(3, ("sponsor: sam@example.com", "sponsor: sam@example.com\non_uncertain: hold"))
    slack.behave(Rule(POST, RESET, only=[P0]))
    hurried = Hurried(program)
    hurried.tick()
    hurried.tick()
    assert slack.copies == {P0: 1, P1: 1, P2: 1}
    assert states_of(program) == {P0: "uncertain", P1: "sent", P2: "sent"}
    assert [row["person"] for row in program.look("today")["held"]] == [P0]


def test_f20_where_once_more_is_allowed_the_second_copy_is_flagged_and_there_is_no_third(
    slack: SlackWitness, begin: Begin
) -> None:
    program = begin(3)
    slack.behave(Rule(POST, RESET, only=[P0], first=1), Rule(POST, RESET, only=[P1]))
    hurried = Hurried(program)
    for _ in range(3):
        hurried.tick()
    rows = rows_of(program)
    assert slack.copies == {P0: 2, P1: 2, P2: 1}
    assert len({arrival.key for arrival in slack.arrivals()}) == 3
    assert {person: (row["state"], row["possible_duplicate"]) for person, row in rows.items()} == {
        P0: ("sent", True), P1: ("uncertain", True), P2: ("sent", False),
    }  # fmt: skip
    assert [row["person"] for row in program.look("today")["held"]] == [P1]


# -- Slack asks for patience ------------------------------------------------------------------------------------------


def test_f21_a_limit_is_waited_out_while_letters_go_on_and_is_no_attempt(
    tmp_path: Path, slack: SlackWitness, begin: Begin
) -> None:
    slack.behave(Rule(POST, LIMIT, seconds=1))
    with smtp_witness(tmp_path / "mail") as mail:
        program = begin(5, ("channels: [slack]", "channels: [slack, email]"), **mail.settings)
        program.write("people.csv", "email,channel\n" + "".join(f"{person},email\n" for person in (P3, P4)))
        program.here("people", "import", "people.csv")
        with ThreadPoolExecutor(1) as beside:
            ticking = beside.submit(later, program, 0)
            assert mail.wait_for(2)
            assert wait_until(lambda: len(slack.calls(POST)) >= 4)  # they ask again, and are told to wait again
            assert not slack.arrivals()
            slack.behave()
            assert ticking.result(PATIENCE).sent == 5
        assert (mail.copies, slack.copies) == ({P3: 1, P4: 1}, {P0: 1, P1: 1, P2: 1})
    for person in (P0, P1, P2):
        asked = [call["at"] for call in slack.calls(POST) if call["person"] == person]
        assert all(later - earlier >= 1 for earlier, later in pairwise(asked))
    assert {(row["state"], row["attempts"]) for row in rows_of(program).values()} == {("sent", 1)}


# -- Slack says no ----------------------------------------------------------------------------------------------------


def test_f22_each_refusal_is_its_own_rows_and_the_others_get_theirs(slack: SlackWitness, begin: Begin) -> None:
    program = begin(8)
    slack.behave(
        Rule("users.list", "missing_scope"),  # so that addresses are looked up
        Rule(POST, "channel_not_found", only=[P0, P5]),
        Rule(POST, "msg_too_long", only=[P1]),
        Rule(POST, LIMIT, only=[P2], first=1, seconds=1, status=200),  # "ratelimited" with HTTP 200
        Rule("users.lookupByEmail", "users_not_found", only=[P3]),
        Rule(POST, PAGE, only=[P4], first=1, status=503),
        Rule("conversations.open", "channel_not_found", only=[P5]),
        Rule("users.lookupByEmail", "something_new", only=[P6]),
    )
    assert program.run("tick").status == 1  # a text is refused
    rows = rows_of(program)
    assert {person: (row["state"], row["channel"], row["reason"]) for person, row in rows.items()} == {
        P0: ("sent", "personal", ""), P1: ("retry", "slack", "msg_too_long"),
        P2: ("sent", "slack", ""), P3: ("sent", "personal", ""), P4: ("retry", "slack", "HTTP 503"),
        P5: ("sent", "personal", ""), P6: ("retry", "slack", "something_new"),
        P7: ("sent", "slack", ""),
    }  # fmt: skip
    assert slack.copies == {P2: 1, P7: 1}
    assert sorted(entry["person"] for entry in program.look("followups")["follow_ups"]) == [P0, P3, P5]


def test_f22_a_refusal_of_us_keeps_everybody_waiting_and_fails_nobody(slack: SlackWitness, begin: Begin) -> None:
    program = begin(4)
    slack.behave(Rule(POST, "account_inactive", only=[P0, P1]), Rule(POST, "invalid_auth"))
    assert program.run("tick").status == 1
    (rest,) = program.look("status")["engine"]["resting"]
    assert re.match(r"Slack refuses us: (account_inactive|invalid_auth)\. Install the app again", rest["because"])
    assert (rest["channel"], states_of(program), slack.copies) == ("slack", {}, {})
    assert len(slack.calls(POST)) <= 4 + 1  # the threads that were on their way, and one that tries
    slack.behave()
    as_if_it_had_waited(program)
    program.here("tick")
    assert set(states_of(program).values()) == {"sent"}
    assert slack.copies == {P0: 1, P1: 1, P2: 1, P3: 1}


@pytest.mark.slow
def test_a_slack_in_trouble_is_left_alone_after_a_few_calls(slack: SlackWitness, begin: Begin) -> None:
    program = begin(4)
    slack.behave(Rule("users.list", PAGE), Rule("users.lookupByEmail", PAGE))
    program.here("tick")
    assert states_of(program) == {}
    assert len(slack.calls()) < 40
    slack.behave()
    as_if_it_had_waited(program)
    program.here("tick")
    assert slack.copies == {P0: 1, P1: 1, P2: 1, P3: 1}
