"""``send-now``: what it shows, asks, refuses and keeps."""

from __future__ import annotations

import pytest

from commsengine.sandbox.mailbox import Mailbox
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal

TEXT = "The CRM is down until noon. Please use paper."
PAST = ("--past-limits", "--because", "An outage.")


@pytest.fixture
def roomy(started: Terminal) -> Terminal:
    """A day holds two messages."""
    assert started.run("apply", started.write("schedules/crm.yaml", two_a_day()), "--yes").status == 0
    return started


def two_a_day(**replaced: str) -> str:
    return plan(**{"channels: [email]": "channels: [email]\n  at_most: {per_day: 2, per_week: 9}", **replaced})


def send(terminal: Terminal, *more: str, to: str = "all") -> tuple[int, str, str]:
    said = terminal.run("send-now", "crm", "--to", to, "--text", TEXT, *more)
    return said.status, said.out, said.err


def test_it_goes_to_everybody_once_and_stands_in_the_books(roomy: Terminal, mailbox: Mailbox) -> None:
    status, out, _ = send(roomy, "--yes")
    assert (status, out.splitlines()) == (
        0,
        ["The CRM is down until noon.", "Please use paper.", "", "4 people: 4 get it now, 0 later today.",
         f"{message_of(out)} is ready. The engine (commsengine run) or the next tick sends it."],
    )  # fmt: skip
    for _ in range(2):
        roomy.run("tick")
    mine = [mail for mail in mailbox.arrived if mail.subject == "The CRM is down until noon."]
    assert sorted(mail.recipients[0].split("@")[0] for mail in mine) == ["ana", "ben", "dana", "mia"]
    rows = [row for row in roomy.json("touches", "crm")["touches"] if row["message"] == message_of(out)]
    assert [row["state"] for row in rows] == ["sent"] * 4
    assert message_of(out) in roomy.run("why", "ana@example.com").out


def message_of(out: str) -> str:
    return out.splitlines()[-1].split()[0]


def test_it_takes_the_place_of_the_day_and_past_limits_it_comes_besides(started: Terminal, mailbox: Mailbox) -> None:
    started.run("tick")
    status, out, err = send(started, "--yes")
    assert (status, "Not to 4 people: They get no more messages today" in out) == (2, True)
    assert "No person would get it today. To send it outside of hours and budget, add --past-limits" in err
    assert send(started, *PAST, "--yes")[0] == 0
    started.run("tick")
    assert len(mailbox.arrived) == 8


def test_a_role_alone(roomy: Terminal, mailbox: Mailbox) -> None:
    assert send(roomy, "--yes", to="sales")[0] == 0
    roomy.run("tick")
    told = {mail.recipients[0] for mail in mailbox.arrived if "down until noon" in mail.subject}
    assert told == {"mia@example.com", "ben@example.com"}


def test_a_dry_run_keeps_nothing(roomy: Terminal) -> None:
    assert send(roomy, "--dry-run")[0] == 0
    assert send(roomy, "--dry-run")[1] == send(roomy, "--dry-run")[1]
    assert not [m for m in roomy.json("simulate", roomy.path("schedules/crm.yaml"))["touches"] if "now" in m["message"]]


def test_as_data(started: Terminal) -> None:
    data = started.json("send-now", "crm", "--to", "sales", "--text", TEXT, "--dry-run", *PAST)
    assert data["message"].startswith("now-")
    del data["message"]
    assert data == {
        "campaign": "crm", "to": ["sales"], "subject": "The CRM is down until noon.", "text": "Please use paper.",
        "in": {},
        "ask": "nothing", "past_limits": True, "because": "An outage.", "people": 2, "now": 2, "later_today": 0,
        "not_today": {}, "exact": True, "sent": False,
    }  # fmt: skip


def test_nobody_is_asked_at_no_terminal(roomy: Terminal) -> None:
    status, _, err = send(roomy)
    assert (status, "Send it? This needs an answer" in err) == (2, True)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--past-limits",), "--past-limits needs a reason."),
        (("--to", "saless"), "The audience of crm has no role 'saless'. Write one of these: sales, or all."),
        (("--text", "[x](http://y.example.com)"), "--text:1:1: error: The link to 'http://y.example.com' is not https"),
        (("--text", ""), "The message is empty."),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_kept(started: Terminal, more: tuple[str, ...], said: str) -> None:
    told = started.run("send-now", "crm", "--text", TEXT, *([] if "--to" in more else ["--to", "all"]), *more, "--yes")
    assert (told.status, said in told.err) == (2, True), told.err
    started.run("tick")
    assert {row["message"] for row in started.json("touches", "crm")["touches"]} == {"one-record"}


def test_only_a_campaign_that_runs_sends(applied: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    assert send(applied, "--yes")[2].endswith("First run: commsengine start crm\n")
    applied.run("start", "crm", "--yes")
    applied.run("pause", "crm")
    assert "crm is paused, so nothing is sent for it. First run: commsengine resume crm" in send(applied, "--yes")[2]
    applied.run("cancel", "crm", "--yes")
    assert "crm is cancelled, so nothing is sent for it." in send(applied, "--yes")[2]
    assert "There is no campaign 'crn'." in applied.run("send-now", "crn", "--to", "all", "--text", TEXT).err


def test_apply_keeps_it_and_simulate_shows_it(roomy: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    message = message_of(send(roomy, "--yes")[1])
    roomy.write("schedules/crm.yaml", two_a_day(**{"title: One customer record": "title: One record"}))
    shown = roomy.json("simulate", roomy.path("schedules/crm.yaml"))["touches"]
    assert len([touch for touch in shown if touch["message"] == message]) == 4
    assert roomy.run("apply", roomy.path("schedules/crm.yaml"), "--yes").status == 0
    roomy.run("tick")
    rows = [row for row in roomy.json("touches", "crm")["touches"] if row["message"] == message]
    assert len(rows) == 4
    assert message in roomy.run("report", "crm", "--json").out
