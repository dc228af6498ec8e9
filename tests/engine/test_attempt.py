from __future__ import annotations

import datetime as dt

import pytest

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


def test_the_last_attempt_fails_for_good() -> None:
    tries = [receipt_of(Outcome("k", RETRY, "rcpt", "451 busy"), before, NOW) for before in range(5)]
    assert [receipt.state for receipt in tries] == ["retry"] * 4 + ["failed"]
    assert tries[-1].reason == "given up after 5 attempts: 451 busy"


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
