"""From import to the last touch: what apply, start, tick, pause, resume and cancel say and do."""

from __future__ import annotations

import datetime as dt
import platform
import re
from pathlib import Path

import pytest

from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.records import Lease
from commsengine.wiring import Wiring
from tests import outbox
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal

EVERYBODY = ["ana@example.com", "ben@example.com", "dana@example.com", "mia@example.com"]


def recipients(mailbox: Mailbox) -> list[str]:
    return sorted(mail.recipients[0] for mail in mailbox.arrived)


def test_a_tick_sends_each_due_person_one_message(started: Terminal, mailbox: Mailbox) -> None:
    said = started.run("tick")
    assert (said.status, said.out) == (0, "4 messages sent, 0 follow-ups opened, 0 skipped.\n")
    assert recipients(mailbox) == EVERYBODY
    assert started.run("tick").status == 0
    assert len(mailbox.arrived) == 4


def test_a_tick_pretends_nothing_when_the_mail_server_is_away(
    started: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_URL", "smtp://127.0.0.1:9")
    for _ in range(2):
        said = started.run("tick")
        assert (said.status, said.out) == (0, "0 messages sent, 0 follow-ups opened, 0 skipped.\n")
        assert "127.0.0.1:9 refuses the connection. What is due waits for it.\n" in said.err


def test_a_tick_with_nothing_to_do_says_until_when(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("tick")
    assert re.search(r"^Nothing is due before .* \(UTC\)\.$", started.run("tick").err, re.MULTILINE)


def test_what_simulate_shows_is_what_the_tick_sends(started: Terminal, mailbox: Mailbox) -> None:
    started.run("tick")
    rows = started.json("touches", "crm")["touches"]
    assert sorted(row["person"] for row in rows) == recipients(mailbox)
    assert {mail.key for mail in mailbox.arrived} == {row["key"] for row in rows}
    to_come = started.json("simulate", started.path("schedules/crm.yaml"))["touches"]
    assert {row["key"] for row in rows}.isdisjoint(touch["key"] for touch in to_come)
    assert len([touch for touch in to_come if touch["kind"] in ("message", "remind")]) == 16


def test_without_credentials_nothing_pretends_to_have_been_sent(applied: Terminal) -> None:
    for command in (["start", "crm", "--yes"], ["tick"], ["run"]):
        said = applied.run(*command)
        assert (said.status, "commsengine rehearse" in said.err) == (2, True)


def test_a_channel_without_credentials_is_left_out_with_a_notice(terminal: Terminal, mailbox: Mailbox) -> None:
    terminal.write("schedules/crm.yaml", plan(**{"channels: [email]": "channels: [slack, email]"}))
    terminal.run("people", "import", terminal.path("people.csv"))
    said = terminal.run("apply", terminal.path("schedules/crm.yaml"), "--yes")
    assert "crm: slack has no credentials here, so it is left out; it uses email." in said.err
    terminal.run("start", "crm", "--yes")
    assert terminal.run("tick").status == 0
    assert recipients(mailbox) == EVERYBODY


def test_without_a_terminal_and_without_yes_nothing_is_done(applied: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    said = applied.run("start", "crm")
    assert (said.status, "Add --yes: commsengine start crm --yes" in said.err) == (2, True)
    assert applied.json("status")["campaigns"][0]["state"] == "paused"


def test_a_paused_campaign_sends_nothing_until_it_is_resumed(started: Terminal, mailbox: Mailbox) -> None:
    paused = started.run("pause", "crm")
    assert (paused.status, paused.out) == (0, "crm is paused; nothing more of it is sent.\n")
    started.run("tick")
    assert mailbox.arrived == []
    resumed = started.run("resume", "crm", "--yes")
    assert "4 people get a message now" in resumed.out
    started.run("tick")
    assert recipients(mailbox) == EVERYBODY


def test_resuming_what_is_not_paused_says_so(started: Terminal) -> None:
    said = started.run("resume", "crm")
    assert (said.status, said.out) == (0, "crm is not paused; it is running.\n")


def test_pause_all_is_the_kill_switch(started: Terminal, mailbox: Mailbox) -> None:
    assert started.run("pause", "--all").status == 0
    started.run("tick")
    assert mailbox.arrived == []


def test_pause_wants_one_campaign_or_all(started: Terminal) -> None:
    assert started.run("pause").status == 2
    assert started.run("pause", "crm", "--all").status == 2


def test_a_cancelled_campaign_stays_cancelled(started: Terminal) -> None:
    assert started.run("cancel", "crm", "--yes").status == 0
    said = started.run("apply", started.path("schedules/crm.yaml"), "--yes")
    assert (said.status, "cancelled for good" in said.err) == (2, True)
    again = started.run("start", "crm", "--yes")
    assert (again.status, again.out) == (2, "")
    assert again.err == "crm was cancelled for good. Apply its plan under another 'campaign:' id.\n"


def test_a_moved_milestone_is_told_with_everything_that_moves(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("tick")
    today = dt.datetime.now(dt.UTC).date()
    old, new = str(today + dt.timedelta(days=40)), str(today + dt.timedelta(days=3))
    started.write("schedules/crm.yaml", plan(**{old: new}))
    said = started.run("apply", started.path("schedules/crm.yaml"), "--dry-run")
    assert "go_live: " in said.out
    assert "cancelled" in said.out
    assert "crm goes on" not in said.out


def test_the_difference_is_the_same_where_nothing_is_set_up(
    started: Terminal, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    del mailbox
    started.run("tick")
    old = str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=40))
    path = started.write("schedules/crm.yaml", plan(**{old: str(dt.datetime.now(dt.UTC).date())}))
    touches = started.json("apply", path, "--dry-run")["touches"]
    monkeypatch.delenv("COMMSENGINE_SMTP_URL")
    assert started.json("apply", path, "--dry-run")["touches"] == touches
    assert touches["cancelled"] > 0


def test_an_invalid_plan_is_not_applied(terminal: Terminal) -> None:
    terminal.run("people", "import", terminal.path("people.csv"))
    path = terminal.write("schedules/crm.yaml", plan(**{"key_point": "key_pont"}))
    for command in (["apply", path, "--yes"], ["simulate", path], ["preview", path], ["check", path]):
        said = terminal.run(*command)
        assert (said.status, "key_point" in said.err + said.out) == (2, True), command


def test_apply_before_any_import_says_what_is_missing(terminal: Terminal) -> None:
    said = terminal.run("apply", terminal.path("schedules/crm.yaml"), "--yes")
    assert (said.status, "people import" in said.err) == (2, True)


def test_a_roster_is_imported_by_apply(terminal: Terminal, mailbox: Mailbox) -> None:
    roster = {"audience:": "audience:\n  people: ../people.csv"}
    terminal.write("schedules/crm.yaml", plan(**roster))
    assert terminal.run("apply", terminal.path("schedules/crm.yaml"), "--yes").status == 0
    terminal.run("start", "crm", "--yes")
    terminal.run("tick")
    assert recipients(mailbox) == EVERYBODY


def test_the_books_balance(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("tick")
    books = started.json("status")["campaigns"][0]
    assert (books["campaign"], books["state"], books["audience"]) == ("crm", "running", 4)
    assert books["touches"] == {
        "claimed": 0, "sending": 0, "sent": 4, "retry": 0, "failed": 0, "uncertain": 0, "skipped": {},
    }  # fmt: skip


@pytest.mark.parametrize("command", [["status"], ["touches", "crm"], ["today"], ["followups"], ["questions"]])
def test_reading_commands_print_for_people_too(started: Terminal, mailbox: Mailbox, command: list[str]) -> None:
    del mailbox
    started.run("tick")
    said = started.run(*command)
    assert (said.status, said.err) == (0, "")
    assert said.out.strip()


def test_a_pause_that_leaves_something_uncertain_says_so_with_status_3(started: Terminal) -> None:
    started.write("schedules/crm.yaml", plan(**{"campaign: crm": "campaign: crm\non_uncertain: hold"}))
    started.run("apply", started.path("schedules/crm.yaml"), "--yes")
    key = left_sending(started)
    said = started.run("pause", "crm")
    assert said.status == 3
    assert key in said.out
    assert "commsengine touch KEY --sent" in said.err
    assert started.run("touch", key, "--sent").out == f"{key} is sent.\n"
    assert started.run("pause", "crm").status == 0


def test_a_stop_file_is_obeyed_and_told_until_it_is_removed(
    started: Terminal, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMSENGINE_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    (tmp_path / "state/STOP").touch()
    told = "There is a file STOP: nothing is sent until it is removed."
    said = started.run("tick")
    assert (said.status, said.err.splitlines()[-1], mailbox.arrived) == (1, told, [])
    assert told in started.run("status").out
    assert told in started.run("doctor").out
    assert started.json("status")["engine"]["state"] == "hold"
    (tmp_path / "state/STOP").unlink()
    assert started.run("tick").status == 0
    assert recipients(mailbox) == EVERYBODY
    assert told not in started.run("status").out


@pytest.mark.parametrize("command", ["pause", "cancel"])
def test_without_waiting_it_says_how_many_may_still_arrive(started: Terminal, command: str) -> None:
    key = left_sending(started, f"{platform.node()}-2/1/another-machine/x")  # of which nothing is known
    for options in (["--no-wait"], ["--wait", "0.1"]):
        said = started.run(command, "crm", *options, *(["--yes"] if command == "cancel" else []))
        assert said.status == 3
        state = "paused" if command == "pause" else "cancelled"
        assert f"crm is {state}, but 1 message may still arrive or have arrived: 1 being sent" in said.out
        assert key in said.out
        if command == "cancel":
            break
    assert (command == "cancel") or started.run("pause", "--all", "--no-wait").out == "No campaign was running.\n"


def test_cancelling_what_is_cancelled_says_whether_anything_is_still_leaving(started: Terminal) -> None:
    left_sending(started, f"{platform.node()}-2/1/another-machine/x")
    assert started.run("cancel", "crm", "--yes", "--no-wait").status == 3
    again = started.run("cancel", "crm", "--yes", "--no-wait")
    assert (again.status, "1 message may still arrive" in again.out) == (3, True)


def left_sending(terminal: Terminal, gone: str = f"{platform.node()}/1/before-the-cut/x") -> str:
    """A touch that an engine was just sending when its machine lost power (or which is still at it): the key."""
    with Wiring(terminal.folder) as wiring:
        store, now = wiring.store, wiring.clock()
        running = wiring.decisions.campaigns(wiring.clock())
        one = wiring.decisions.of([next(store.people.all()).id], running, now)[0]
        lease = Lease(gone, store.engine.next_fence(), now + dt.timedelta(minutes=10))
        crm = running.running[0]
        decisions, epochs, versions = [(one.decision, one.facts_seq)], {"crm": crm.epoch}, {"crm": crm.version}
        claimed = store.outbox.claim(decisions, lease, epochs=epochs, versions=versions, now=now)
        assert outbox.mark(store, [claimed[0].key], lease, now) == {claimed[0].key}
        return claimed[0].key
