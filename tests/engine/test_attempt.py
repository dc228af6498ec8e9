from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from commsengine.cadence.kinds_and_states import Fault
from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, UNCERTAIN, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.sending.attempt import receipt_of, render_failed, retry_at
from commsengine.errors import RenderError
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel

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


def lines_of(
    store: Store, engine: MakeEngine, bag: Mailbag, outcomes: Sequence[Outcome | None]
) -> list[dict[str, Any]]:
    """What one tick logs of so many people whose messages meet these outcomes, one after the other."""
    run(store, [someone(n) for n in range(len(outcomes))])
    following = iter(outcomes)

    def script(message: RenderedMessage) -> Outcome | None:
        found = next(following, None)
        return found and found._replace(key=message.key)

    with capture_logs() as lines:
        engine(email=a_channel(bag, script)).tick()
    return [line for line in lines if line["event"] in ("sent", "failed", "refused", "uncertain", "channel_shut")]


def test_each_sending_is_a_line_without_the_person(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    (line,) = lines_of(store, engine, bag, [None])
    key = line.pop("key")
    assert len(key) == 24
    assert line == {
        "event": "sent",
        "log_level": "info",
        "campaign": "crm",
        "message": "one-record",
        "channel": "email",
        "attempt": 1,
        "ms": 0,
    }


def test_each_reason_is_in_the_log_without_an_address(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    gone = Outcome("", PERMANENT, "rcpt", "550 no such person <ana@example.com>", fault="person")
    later = Outcome("", RETRY, "rcpt", "451 try later", fault="later")
    lines = lines_of(store, engine, bag, [gone, gone, later, Outcome("", UNCERTAIN, "dot", "timeout")])
    told = [(line["event"], line["log_level"], line["reason"]) for line in lines if line["event"] != "sent"]
    assert told == [
        ("failed", "warning", "550 no such person <(address)>"),
        ("failed", "info", "550 no such person <(address)>"),
        ("refused", "info", "451 try later"),
        ("uncertain", "warning", "timeout"),
    ]
    assert lines[2]["until"] > "2027-01-11T09:01"
    assert "example.com" not in repr(lines)


def test_a_channel_that_is_shut_says_why_and_until_when(store: Store, engine: MakeEngine, bag: Mailbag) -> None:
    down = "the relay refuses our sender: 550 not <change@example.com>"
    refused = Outcome("", RETRY, "mail", "550", begun=False, channel_down=down, fault="us")
    (shut,) = lines_of(store, engine, bag, [refused])
    assert (shut["event"], shut["log_level"], shut["channel"]) == ("channel_shut", "error", "email")
    assert shut["reason"] == "the relay refuses our sender: 550 not <(address)>"
    assert shut["until"].startswith("2027-01-11T09:0")


def test_what_is_skipped_is_counted_by_reason(store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag) -> None:
    run(store, [someone(1), someone(2)], a_plan(a_message(until="kickoff 12:00")))
    running = engine(email=a_channel(bag))
    store.engine.end(running.owner.name, clock.now)
    clock.now = utc("2027-01-12 08:00")
    with capture_logs() as lines:
        running.tick()
    assert [line for line in lines if line["event"] == "skipped"] == [
        {"event": "skipped", "log_level": "info", "campaign": "crm", "closed": 2}
    ]
