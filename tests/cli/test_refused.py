"""What tick, today and status say when a relay refuses us, and when messages fail."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from commsengine.wiring import Wiring
from tests.cli.conftest import PEOPLE, plan
from tests.cli.terminal import Terminal
from tests.servers import SmtpSink

QUOTA = "550 5.4.5 Daily user sending limit exceeded"
SEND_AS = "554 5.2.252 SendAsDenied; bot@example.com not allowed to send as dana@example.com"


@pytest.fixture
def relay(started: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpSink]:
    del started
    with SmtpSink() as relay:
        monkeypatch.setenv("COMMSENGINE_SMTP_URL", f"smtp://127.0.0.1:{relay.port}?tls=off")
        yield relay


@pytest.mark.parametrize(
    ("phase", "reply", "status", "refused"), [("rcpt", QUOTA, 0, []), ("dot", SEND_AS, 1, ["email"])]
)
def test_a_channel_that_rests_is_told_with_the_servers_words_and_how_many_wait(
    started: Terminal, relay: SmtpSink, phase: str, reply: str, status: int, refused: list[str]
) -> None:
    relay.refuse(phase, reply)
    said = started.run("tick", "--json")
    assert (said.status, said.data["failed"], said.data["refused"]) == (status, 0, refused)
    assert "4 messages wait for email." in said.err
    for command in ("today", "status", "doctor"):
        shown = " ".join(started.run(command).out.split())
        assert re.search(rf"Nothing is sent by email until .*: .*{reply[:9]}", shown), command
        assert "4 messages wait for email." in shown
    (rest,) = started.json("today")["channels"]
    assert set(rest) == {"channel", "until", "because", "fault", "waiting"}
    assert (rest["channel"], rest["waiting"]) == ("email", 4)
    assert started.json("status")["engine"]["resting"] == [rest]
    assert started.json("today")["failed"] == []


def test_the_doctor_says_how_a_mailbox_may_send_as_another(
    started: Terminal, relay: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case c01."""
    monkeypatch.setenv("COMMSENGINE_MAIL_FROM", "change@example.com")
    relay.refuse("dot", "554 5.2.252 SendAsDenied; bot@example.com not allowed to send as change@example.com")
    started.run("tick")
    (rest,) = started.json("today")["channels"]
    assert "SendAsDenied; (address) not allowed to send as change@example.com" in rest["because"]
    assert "Add-RecipientPermission change@example.com -Trustee" in started.run("doctor").out


def test_what_failed_is_counted_by_tick_and_listed_by_today(started: Terminal, relay: SmtpSink) -> None:
    relay.refuse("rcpt", "501 bad address syntax", to="ana@example.com")
    said = started.run("tick")
    assert (said.status, said.out) == (0, "3 messages sent, 0 follow-ups opened, 0 skipped, 1 failed.\n")
    assert "1 message never arrived: commsengine today" in said.err
    (row,) = started.json("today")["failed"]
    assert {"key", "person", "message", "reason"} <= set(row)
    assert (row["person"], row["message"]) == ("ana@example.com", "one-record")
    assert row["reason"] == "501 bad address syntax"
    shown = started.run("today").out
    assert "1 message never arrived" in shown
    assert "ana@example.com" in shown
    assert started.run("tick").status == 0


def test_a_tick_of_which_everything_failed_needs_a_person_and_today_names_some(
    terminal: Terminal, relay: SmtpSink
) -> None:
    rows = "".join(f"p{number}@example.com,Someone,Sales,,DE,,\n" for number in range(26))
    terminal.run("people", "import", terminal.write("more.csv", PEOPLE + rows))
    relay.refuse("rcpt", "501 bad address syntax")
    said = terminal.run("tick", "--json")
    failed = len(terminal.json("today")["failed"])
    assert (said.status, said.data["sent"], said.data["failed"]) == (1, 0, failed)
    assert failed >= 20
    terminal.run("resume", "crm", "--yes")
    terminal.run("tick")
    left = len(terminal.json("today")["failed"]) - 20
    assert f"{left} more: commsengine touches CAMPAIGN --state failed" in terminal.run("today").out
    terminal.run("cancel", "crm", "--yes")
    assert terminal.json("today")["failed"] == []


def test_an_owner_whose_own_mailbox_is_not_there_does_not_keep_the_tick_busy(
    started: Terminal, relay: SmtpSink
) -> None:
    rows = "".join(f"p{number}@example.com,Someone,Sales,,DE,,\n" for number in range(26))
    started.run("people", "import", started.write("more.csv", PEOPLE + rows))
    relay.refuse("rcpt", "550 5.1.1 user unknown")
    said = started.run("tick")
    assert "crm was paused by the engine" in said.err  # and its owner was to hear it
    assert len([line for line in relay.lines if b"dana@" in line and line.startswith(b"RCPT")]) <= 2


@pytest.mark.parametrize(("asked_for", "turned_away"), [(None, 0), ("8", 5)])
def test_sixty_people_get_through_a_relay_that_takes_three_connections(
    terminal: Terminal, relay: SmtpSink, monkeypatch: pytest.MonkeyPatch, asked_for: str | None, turned_away: int
) -> None:
    if asked_for:
        monkeypatch.setenv("COMMSENGINE_SMTP_CONNECTIONS", asked_for)
    rows = "".join(f"p{number}@example.com,Someone,Sales,,DE,,\n" for number in range(56))
    terminal.run("people", "import", terminal.write("more.csv", PEOPLE + rows))
    relay.at_once = 3
    said = terminal.run("tick")
    assert (said.status, said.out) == (0, "60 messages sent, 0 follow-ups opened, 0 skipped.\n")
    assert relay.turned_away == turned_away


NOT_THERE = "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown"


def test_people_whom_no_channel_reaches_and_no_person_calls_are_told(
    started: Terminal, relay: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case c23."""
    alone = plan().partition("follow_up:")[0] + "follow_up: []\n"
    assert started.run("apply", started.write("schedules/crm.yaml", alone), "--yes").status == 0
    relay.refuse("rcpt", NOT_THERE)
    said = started.run("tick", "--json")
    assert (said.status, said.data["sent"], said.data["unreachable"]) == (1, 0, 4)
    failed = started.json("today")["failed"]
    assert {(each["person"], "User unknown" in each["reason"]) for each in failed} == {
        (f"{name}@example.com", True) for name in ("mia", "ana", "ben", "dana")
    }
    assert "4 messages never arrived" in started.run("today").out


def test_a_campaign_that_the_engine_has_paused_waits_for_a_person(started: Terminal) -> None:
    with Wiring(started.folder) as wiring:
        wiring.store.campaigns.pause("crm", by="engine", now=wiring.clock(), reason="too many were refused", detail={})
    said = started.run("tick", "--json")
    (pause,) = said.data["paused"]
    assert (said.status, pause["campaign"], pause["reason"]) == (1, "crm", "too many were refused")
    assert started.json("today")["paused"] == [pause]
    assert "crm was paused by the engine: too many were refused." in " ".join(started.run("today").out.split())


def test_a_refusal_takes_one_word(started: Terminal) -> None:
    for words in ((), ("--us", "--person")):
        said = started.run("refusal", "1", *words)
        assert (said.status, "It needs one option" in said.err) == (2, True)


def test_tick_says_in_json_which_channel_rests(started: Terminal, relay: SmtpSink) -> None:
    relay.refuse("rcpt", QUOTA)
    (rest,) = started.run("tick", "--json").data["channels"]
    assert (rest["channel"], rest["fault"], rest["waiting"]) == ("email", "quota", 4)
