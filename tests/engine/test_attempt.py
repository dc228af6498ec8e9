from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from commsengine.cadence.kinds_and_states import Fault
from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, UNCERTAIN, Outcome
from commsengine.engine.attempt import receipt_of, render_failed, retry_at
from commsengine.errors import RenderError
from tests.builders import utc

NOW = utc("2027-01-11 09:00")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome("k", SENT, "reply", "250"), "sent"),
        (Outcome("k", PERMANENT, "rcpt", "550"), "failed"),
        (Outcome("k", RETRY, "rcpt", "451"), "retry"),
        (Outcome("k", UNCERTAIN, "dot", "timeout"), "uncertain"),
        (Outcome("k", RELEASED), "released"),
        (Outcome("k", RETRY, "call", "429", begun=False, retry_after=30), "released"),
        (Outcome("k", RETRY, "connect", "refused", begun=False, channel_down="down"), "released"),
        (Outcome("k", PERMANENT, "lookup", begun=False, unreachable="not on Slack"), "released"),
        (Outcome("k", PERMANENT, "rcpt", "550", unreachable="no such mailbox"), "retry"),
    ],
)
def test_every_outcome_has_its_state(outcome: Outcome, state: str) -> None:
    assert receipt_of(outcome, 0, NOW).state == state


@pytest.mark.parametrize("begun", [True, False])
def test_service_mail_that_cannot_reach_anybody_is_not_tried_over_and_over(begun: bool) -> None:
    gone = Outcome("k", PERMANENT, "lookup", begun=begun, unreachable="not on Slack")
    receipt = receipt_of(gone, 0, NOW, service=True)
    assert (receipt.state, receipt.unreachable) == ("failed", "not on Slack")


def test_a_mailbox_that_takes_nothing_fails_at_the_last_attempt() -> None:
    full = Outcome("k", RETRY, "rcpt", "452 full", fault="later", own=True)
    tries = [receipt_of(full, before, NOW) for before in range(5)]
    assert [receipt.state for receipt in tries] == ["retry"] * 4 + ["failed"]
    assert (tries[-1].fault, tries[-1].reason) == ("person", "given up after 5 attempts: 452 full")


@pytest.mark.parametrize("said", [{"fault": "later", "alike": "451 busy"}, {}])
def test_what_is_not_the_persons_own_is_a_refusal_of_unknown_fault_at_the_last_attempt(said: dict[str, Any]) -> None:
    tries = [receipt_of(Outcome("k", RETRY, "rcpt", "451 busy", **said), before, NOW) for before in range(7)]
    assert [receipt.state for receipt in tries] == ["retry"] * 7
    assert [receipt.fault for receipt in tries[3:]] == [said.get("fault", ""), *["unknown"] * 3]
    assert {receipt.alike for receipt in tries[4:]} == {"451 busy"}


@pytest.mark.parametrize("fault", ["unknown", "message"])
def test_a_refusal_for_good_that_is_not_the_persons_fails_nobody(fault: Fault) -> None:
    refused = Outcome("k", PERMANENT, "reply", "554 no", fault=fault, alike="554 no")
    for before in range(9):
        receipt = receipt_of(refused, before, NOW)
        assert (receipt.state, receipt.fault, receipt.alike) == ("retry", fault, "554 no")


def test_service_mail_is_given_up_in_the_end() -> None:
    refused = Outcome("k", PERMANENT, "reply", "554 no", fault="unknown", alike="554 no")
    assert [receipt_of(refused, before, NOW, service=True).state for before in (0, 3, 4)] == [
        "retry",
        "retry",
        "failed",
    ]


def test_patience_grows_spread_by_the_key_and_never_below_what_was_asked() -> None:
    first = [(retry_at(Outcome(f"k{n}", RETRY), 1, NOW) - NOW).total_seconds() for n in range(50)]
    assert all(60 <= seconds <= 72 for seconds in first)
    assert len(set(first)) == 50
    asked = [(retry_at(Outcome(f"k{n}", RETRY, retry_after=300), 1, NOW) - NOW).total_seconds() for n in range(50)]
    assert all(300 <= seconds <= 360 for seconds in asked)
    assert len(set(asked)) == 50


def test_being_asked_to_wait_is_no_attempt_but_keeps_the_time() -> None:
    receipt = receipt_of(Outcome("k", RETRY, "call", "429", begun=False, retry_after=30), 2, NOW)
    assert (receipt.state, receipt.retry_at) == ("released", NOW + dt.timedelta(seconds=30))


def test_a_message_that_could_not_be_written_says_why() -> None:
    receipt = render_failed("k", RenderError("no name", where="wiifm", line=3), 0, NOW)
    assert (receipt.state, receipt.phase, receipt.reason) == ("failed", "render", "RenderError: wiifm:3: no name")


def test_a_defect_of_ours_is_tried_again_and_given_up_in_the_end() -> None:
    first = render_failed("k", KeyError("name"), 0, NOW)
    assert (first.state, first.reason, first.retry_at is not None) == ("retry", "KeyError: 'name'", True)
    last = render_failed("k", KeyError("name"), 4, NOW)
    assert (last.state, last.reason) == ("failed", "given up after 5 attempts: KeyError: 'name'")
