"""Commands that show: check, preview, simulate, why, followups, questions, touch, doctor."""

from __future__ import annotations

import datetime as dt
import json
import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from commsengine.answers.inbox import Evidence
from commsengine.answers.review_copies import NOTE
from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.records import Rest
from commsengine.store.tables import review_copy
from commsengine.wiring import Wiring, now
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal
from tests.imap_server import ImapServer
from tests.servers import HttpOddity, http_json
from tests.web.conftest import served

SCHEDULE = "schedules/crm.yaml"
RARELY = "tick is called too rarely: before the last call nothing was sent for 24 hours."


def test_check_tells_each_problem_with_its_place(terminal: Terminal) -> None:
    path = terminal.write(SCHEDULE, plan(**{"every: 48h": "every: 30s", "from: kickoff": "from: kickof"}))
    said = terminal.run("check", path, "--json")
    assert said.status == 2
    assert said.data["ok"] is False
    errors = [problem for problem in said.data["problems"] if problem["severity"] == "error"]
    assert {"file", "line", "column", "severity", "code", "message", "fix"} <= set(errors[0])
    assert len(errors) >= 2


def test_check_takes_several_plans(terminal: Terminal) -> None:
    good, bad = terminal.path(SCHEDULE), terminal.write("schedules/bad.yaml", "campaign: x\n")
    said = terminal.run("check", good, bad)
    assert (said.status, f"{bad}:" in said.out, "2 plans" in said.err) == (2, True, True)


def test_check_of_no_file_names_it(terminal: Terminal) -> None:
    said = terminal.run("check", terminal.path("schedules/crn.yaml"))
    assert (said.status, "crn.yaml" in said.err + said.out) == (2, True)


def test_preview_shows_the_person_their_text(terminal: Terminal) -> None:
    seen = terminal.json("preview", terminal.path(SCHEDULE), "--as", "ana@example.com")["previews"]
    message = next(each for each in seen if each["kind"] == "message")
    assert (message["person"], message["role"], message["channel"]) == ("ana@example.com", "others", "email")
    assert "Every customer conversation" in message["text"]
    assert any("Ana" in each["text"] for each in seen if each["kind"] == "personal")


def test_preview_without_a_person_takes_one_of_every_role(terminal: Terminal) -> None:
    seen = terminal.json("preview", terminal.path(SCHEDULE))["previews"]
    assert {each["role"] for each in seen} == {"sales", "others"}


def test_preview_writes_files(terminal: Terminal, tmp_path: Path) -> None:
    said = terminal.run("preview", terminal.path(SCHEDULE), "--role", "sales", "--out", str(tmp_path / "out"))
    assert said.status == 0
    out = tmp_path / "out"
    names = sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
    mails = [f"one-record/sales/{name}-email.{end}" for name in ("2", "3-remind", "4", "5") for end in ("html", "txt")]
    pages = [f"one-record/sales/1-{name}" for name in ("email.html", "email.txt", "page-answered.html", "page.html")]
    assert names == sorted(["index.html", *pages, *mails, "one-record/sales/4-personal-talk.txt"])


EVERYTHING = ["email.html", "email.txt", "page-answered.html", "page.html", "slack.html", "slack.json"]


@pytest.mark.parametrize(
    ("channels", "options", "ends"),
    [
        ("slack, email", [], EVERYTHING),
        ("email, slack", [], EVERYTHING),
        ("slack, email", ["--channel", "email"], EVERYTHING[:4]),
        ("slack, email", ["--channel", "slack"], EVERYTHING[2:]),
        ("slack", [], EVERYTHING[2:]),
        ("email", ["--channel", "slack"], EVERYTHING[2:]),
    ],
)
def test_preview_writes_every_channel_of_the_plan_and_nothing_empty(
    terminal: Terminal, tmp_path: Path, channels: str, options: list[str], ends: list[str]
) -> None:
    terminal.write(SCHEDULE, plan(**{"channels: [email]": f"channels: [{channels}]"}))
    out = tmp_path / "out"
    said = terminal.run("preview", terminal.path(SCHEDULE), "--as", "ana@example.com", "--out", str(out), *options)
    assert said.status == 0, said.err
    files = {file.name.removeprefix("1-"): file for file in out.glob("one-record/others/1-*")}
    assert sorted(files) == ends
    for end, file in files.items():
        if end == "slack.json":
            assert json.loads(file.read_text(encoding="utf-8"))["blocks"]
        else:
            assert "Every customer conversation is logged in one record." in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("wish", "by"), [("email", "email"), ("slack", "slack"), ("", "slack")])
def test_preview_says_which_channel_goes_out(terminal: Terminal, wish: str, by: str) -> None:
    people = Path(terminal.path("people.csv")).read_text(encoding="utf-8").splitlines()
    wishes = ["channel", "", wish, "", ""]
    rows = [f"{row},{each}" for row, each in zip(people, wishes, strict=True)]
    terminal.write("people.csv", "\n".join(rows) + "\n")
    terminal.write(SCHEDULE, plan(**{"channels: [email]": "channels: [slack, email]"}))
    asked = ("preview", terminal.path(SCHEDULE), "--as", "ana@example.com")
    seen = [each for each in terminal.json(*asked)["previews"] if each["kind"] == "message"]
    other = "slack" if by == "email" else "email"
    assert [(each["channel"], each["goes_out"]) for each in seen] == [(by, True), (other, False)]
    shown = terminal.run(*asked).out
    assert f" by {by}\n" in shown
    assert f" by {other} (it is sent by {by})\n" in shown
    (only,) = [each for each in terminal.json(*asked, "--channel", other)["previews"] if each["kind"] == "message"]
    assert (only["channel"], only["goes_out"]) == (other, False)


@pytest.mark.parametrize(
    ("option", "near"),
    [
        (["--as", "anna@example.com"], "ana@example.com"),
        (["--role", "sale"], "sales"),
        (["--message", "one"], "one-record"),
    ],
)
def test_preview_names_the_near_ones(terminal: Terminal, option: list[str], near: str) -> None:
    said = terminal.run("preview", terminal.path(SCHEDULE), *option)
    assert (said.status, near in said.err) == (2, True)


def test_simulate_has_the_documented_fields(terminal: Terminal) -> None:
    seen = terminal.json("simulate", terminal.path(SCHEDULE))
    assert set(seen) == {"campaign", "touches", "summary"}
    assert {"at", "local_at", "person", "message", "rung", "kind", "channel"} <= set(seen["touches"][0])
    assert seen["touches"] == sorted(seen["touches"], key=lambda touch: touch["at"])
    assert (seen["summary"]["touches"], seen["summary"]["follow_ups"], seen["summary"]["reached"]) == (20, 4, 4)


def test_answers_spare_people_the_follow_up(terminal: Terminal) -> None:
    seen = terminal.json("simulate", terminal.path(SCHEDULE), "--answers", "all")["summary"]
    assert (seen["reached"], seen["follow_ups"]) == (4, 0)


def test_simulate_ends_where_it_is_told(terminal: Terminal) -> None:
    last = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=3)
    seen = terminal.json("simulate", terminal.path(SCHEDULE), "--until", str(last))
    assert max(touch["at"][:10] for touch in seen["touches"]) <= str(last)


def test_simulate_refuses_what_is_no_date(terminal: Terminal) -> None:
    said = terminal.run("simulate", terminal.path(SCHEDULE), "--until", "2026-02-30")
    assert (said.status, "--until" in said.err) == (2, True)


def test_simulate_names_who_is_never_reached_and_why(terminal: Terminal) -> None:
    terminal.run("people", "import", terminal.path("people.csv"))
    terminal.run("suppress", "ana@example.com")
    never = terminal.json("simulate", terminal.path(SCHEDULE))["summary"]["never_reached"]
    assert [each["person"] for each in never] == ["ana@example.com"]
    assert never[0]["reason"]


def test_why_tells_the_story(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("tick")
    story = started.json("why", "ana@example.com")
    message = story["campaigns"][0]["messages"][0]
    assert (story["person"], message["message"], message["standing"]) == ("ana@example.com", "one-record", "reached")
    assert message["next_at"]
    assert [touch["state"] for touch in message["touches"]] == ["sent"]
    assert "next " in started.run("why", "ana@example.com").out


def test_why_says_in_its_heading_what_does_not_run(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("tick")
    started.run("pause", "crm")
    said = started.run("why", "ana@example.com").out
    assert re.search(r"\(crm\): paused since .*; nothing is sent until resume\n", said)
    assert "one-record: reached" in said
    started.run("cancel", "crm", "--yes")
    said = started.run("why", "ana@example.com").out
    assert re.search(r"\(crm\): cancelled; 1 message, the last .*\n", said)
    assert "one-record" not in said


def test_a_follow_up_is_closed_by_its_outcome(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("suppress", "ana@example.com")
    started.run("tick")
    one = started.json("followups")["follow_ups"][0]
    assert {
        "id",
        "person",
        "name",
        "campaign",
        "messages",
        "rung",
        "reason",
        "tried",
        "phone",
        "talking_points",
        "since",
    } <= set(one)
    assert started.run("followups", "--talking-points").out.count(one["phone"]) == 1
    assert started.run("followup", one["id"], "--outcome", "understood", "--note", "By phone.").status == 0
    assert started.json("followups")["follow_ups"] == []
    assert started.run("followup", one["id"], "--outcome", "understood").status == 2


def test_a_follow_up_reads_as_what_to_do(started: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    started.run("suppress", "ana@example.com")
    started.run("tick")
    listed = started.run("followups").out
    assert "called by mia@example.com; phone +82 2 1234; since " in listed
    assert "What to say: commsengine followups --talking-points\n" in listed
    assert "Afterwards: commsengine followup ID --outcome understood|objects|declines|away\n" in listed
    assert "  call: opened\n" in started.run("why", "ana@example.com").out


def test_every_touch_is_one_line_with_its_whole_key(started: Terminal, mailbox: Mailbox) -> None:
    started.run("tick")
    lines = started.run("touches", "crm").out.splitlines()[2:-2]
    assert sorted(line.split()[-1] for line in lines) == sorted(mail.key for mail in mailbox.arrived)


def test_preview_shows_the_channel_that_will_carry_it(terminal: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    terminal.write(SCHEDULE, plan(**{"channels: [email]": "channels: [slack, email]"}))
    shown = terminal.json("preview", terminal.path(SCHEDULE), "--as", "ana@example.com")["previews"]
    assert [each["channel"] for each in shown if each["goes_out"]] == ["email", "personal"]
    asked = terminal.json("preview", terminal.path(SCHEDULE), "--as", "ana@example.com", "--channel", "slack")
    assert asked["previews"][0]["channel"] == "slack"


def test_today_and_followups_say_what_came_of_talks_and_the_numbers_of_the_day(
    started: Terminal, mailbox: Mailbox
) -> None:
    started.run("tick")
    with Wiring(started.folder) as wiring:
        about = (wiring.store.people.by_email("ana@example.com"), "crm", ["one-record"])
        assert about[0]
        wiring.store.answers.outcome(
            about[0].id,
            *about[1:],
            "objects",
            unclear="skill",
            note="wants \x1b[2Ja course",
            by="mia@example.com",
            now=wiring.clock(),
        )
    found = started.json("today")
    (talk,), (numbers,) = found["recorded"], found["numbers"]
    assert (talk["person"], talk["unclear"], talk["by"]) == ("ana@example.com", "skill", "mia@example.com")
    assert list(numbers) == [
        "campaign",
        "since",
        "today",
        "sent",
        "acknowledged",
        "answered",
        "asked",
        "leaving",
        "so_far",
    ]
    order = ["promises", "paused", "channels", "failed", "held", "refusals", "numbers", "questions", "follow_ups"]
    assert [name for name in found if name in order] == order
    assert started.json("followups")["recorded"] == found["recorded"]
    for command in ("today", "followups"):
        said = started.run(command).out
        assert "Ana Kim: objects; unclear: skill (recorded by mia@example.com)" in said
        assert ("a course" in said, "\x1b[2J" in said) == (True, False)
    assert "Yesterday: 0 messages sent, 0 confirmed, 0 answered." in started.run("today").out
    assert len(mailbox.arrived) == 4


def test_after_a_tick_no_engine_is_said_to_run(started: Terminal, mailbox: Mailbox) -> None:
    assert len(mailbox.arrived) == 0
    started.run("tick")
    engine = started.json("status")["engine"]
    assert (engine["state"], engine["ended_at"] is not None) == ("stopped", True)
    assert started.run("status").out.startswith("No engine is running; the last run or tick ended ")


def test_a_question_is_answered_once(started: Terminal, mailbox: Mailbox) -> None:
    started.run("tick")
    key = next(mail.key for mail in mailbox.arrived if mail.recipients[0] == "ana@example.com")
    with Wiring(started.folder) as wiring:
        wiring.inbox.ask(wiring.inbox.card(key, wiring.clock()), "May I keep my notebook?", Evidence("link"))
    asked = started.json("questions")["questions"]
    assert [(each["person"], each["text"]) for each in asked] == [("ana@example.com", "May I keep my notebook?")]
    assert "May I keep my notebook?" in started.run("today").out
    number = str(asked[0]["id"])
    assert started.run("question", number, "--answer", "Yes, until May.").status == 0
    assert started.json("questions")["questions"] == []
    assert started.run("question", number, "--answer", "No.").status == 2
    assert started.run("question", "999", "--answer", "No.").status == 2


def test_a_touch_shows_its_attempts(started: Terminal, mailbox: Mailbox) -> None:
    started.run("tick")
    said = started.run("touch", mailbox.arrived[0].key)
    assert (said.status, "one-record, message by email: sent" in said.out) == (0, True)
    assert started.run("touch", "0" * 24).status == 2
    assert started.run("touch", mailbox.arrived[0].key, "--resend").status == 2
    assert started.run("touch", mailbox.arrived[0].key, "--sent", "--resend").status == 2


def test_release_without_a_hold_says_so(started: Terminal) -> None:
    said = started.run("release")
    assert (said.status, said.out) == (0, "The engine is not on hold.\n")


def test_a_held_engine_sends_nothing_until_it_is_released(started: Terminal, mailbox: Mailbox) -> None:
    with Wiring(started.folder) as wiring:
        wiring.store.engine.hold("The database was restored.", now=wiring.clock())
    assert started.run("tick").status == 1
    assert started.json("status")["engine"]["state"] == "hold"
    assert mailbox.arrived == []
    assert started.run("release", "--yes").status == 0
    assert started.run("tick").status == 0
    assert len(mailbox.arrived) == 4


def test_a_tick_that_is_called_too_rarely_says_so_and_so_does_the_doctor(started: Terminal, mailbox: Mailbox) -> None:
    with Wiring(started.folder) as wiring:
        yesterday = wiring.clock() - dt.timedelta(hours=24)
        wiring.store.engine.beat("e1", pid=1, host="box", interval=86400.0, now=yesterday)
    said = started.json("tick")
    assert (said["too_rarely"], said["waiting"]) == (RARELY, 0)
    assert len(mailbox.arrived) == 4
    [finding] = [each for each in started.json("doctor")["findings"] if each["about"] == "ticks"]
    assert (finding["state"], finding["text"].startswith(RARELY)) == ("note", True)
    assert re.search(r"\*/5 \* \* \* \* \S+ --workspace \S+ tick$", finding["fix"])
    assert RARELY not in started.run("tick").err


def test_a_tick_that_finds_the_windows_closed_says_for_how_many(terminal: Terminal, mailbox: Mailbox) -> None:
    """One hour a day, twelve hours from now; the campaign was started two days ago."""
    del mailbox
    opens, past = (now().hour + 12) % 24, now() - dt.timedelta(days=2)
    hours = f'from: "{opens:02}:00", to: "{opens + 1:02}:00"'
    terminal.write("people.csv", re.sub("[A-Z][a-z]+/[A-Za-z_]+", "UTC", Path(terminal.path("people.csv")).read_text()))
    file = terminal.write(SCHEDULE, plan(**{'from: "00:00", to: "24:00"': hours}))
    with Wiring(terminal.folder) as wiring:
        wiring.store.people.save(wiring.read_people(wiring.folder / "people.csv").people, by="dana", now=past)
        written = wiring.check(Path(file)).plan
        assert written
        wiring.store.campaigns.save_version(written, wiring.templates, "", introduced={}, by="dana", now=past)
        wiring.store.campaigns.start("crm", by="dana", now=past)
        wiring.store.engine.beat("e1", pid=1, host="box", interval=86400.0, now=now() - dt.timedelta(hours=24))
    said = terminal.run("tick")
    assert (said.status, said.out) == (0, "0 messages sent, 0 follow-ups opened, 0 skipped.\n")
    assert "Due for 4 people, but " in said.err
    assert f"{RARELY} Call it every few minutes. In the crontab: */5 * * * * " in said.err
    doctor = terminal.run("doctor", "--json")
    [finding] = [each for each in doctor.data["findings"] if each["about"] == "ticks"]
    assert (doctor.status, finding["state"]) == (1, "problem")
    assert "something was due for 4 people whose send window was closed" in finding["text"]


def test_a_channel_that_rests_is_seen_from_every_process(started: Terminal) -> None:
    with Wiring(started.folder) as wiring:
        now = wiring.clock()
        until, because = now + dt.timedelta(minutes=9), "Slack refuses us: invalid_auth"
        wiring.store.channels.keep(Rest("slack", until, now, because, "us", 1))
    for command in ("status", "doctor"):
        said = started.run(command).out
        assert re.search(r"Nothing is sent by slack until .*: Slack refuses us: invalid_auth", said)


def test_send_test_sends_one_message_and_records_nothing(applied: Terminal, mailbox: Mailbox) -> None:
    said = applied.run("send-test", applied.path(SCHEDULE), "--to", "me@example.com", "--as", "ana@example.com")
    assert (said.status, said.out) == (0, "Sent to me@example.com by email, as ana@example.com would see it.\n")
    assert [mail.recipients for mail in mailbox.arrived] == [("me@example.com",)]
    assert mailbox.arrived[0].subject == "Test: Every customer conversation is logged in one record."
    assert abs(parsedate_to_datetime(mailbox.arrived[0].message["Date"]) - now()) < dt.timedelta(minutes=5)
    assert applied.json("touches", "crm")["touches"] == []


def test_send_test_of_a_message_that_opens_later_has_todays_date(terminal: Terminal, mailbox: Mailbox) -> None:
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(days=20)).date()
    terminal.write(SCHEDULE, plan(**{"from: kickoff": f"from: {later}"}))
    assert terminal.run("send-test", terminal.path(SCHEDULE), "--to", "me@example.com").status == 0
    sent = parsedate_to_datetime(mailbox.arrived[0].message["Date"])
    assert abs(sent - now()) < dt.timedelta(minutes=5)


def test_send_test_is_a_review_copy_that_the_engines_pages_open(applied: Terminal, mailbox: Mailbox) -> None:
    said = applied.run("send-test", applied.path(SCHEDULE), "--to", "me@example.com", "--role", "sales", "--touch", "2")
    assert (said.status, "as ben@example.com would" in said.out or "as mia@example.com would" in said.out) == (0, True)
    assert "its buttons and pages work for 30 days, and record nothing" in said.err
    assert "does not answer now. Start it: commsengine run" in said.err
    link = re.search(r"http://\S+(/r/\w+/a/\S+)", mailbox.arrived[0].text)
    assert link
    with Wiring(applied.folder) as wiring, served(wiring.web_app) as address:
        shown = httpx.get(f"{address}{link[1]}")
        assert (shown.status_code, NOTE in shown.text) == (200, True)
        note = re.search(r'name="seen" value="([^"]+)"', shown.text)
        assert note
        told = httpx.post(str(shown.url), data={"do": "got_it", "seen": note[1]}, follow_redirects=True)
        assert "You confirmed" in told.text
    assert applied.json("touches", "crm")["touches"] == []


def test_send_test_sends_one_of_each_message_and_asks(terminal: Terminal, mailbox: Mailbox) -> None:
    times = "from: kickoff, until: go_live, cadence: {every: 48h, times: 2}"
    second = f"  - {{id: worse-first, key_point: It gets slower., ask: nothing, {times}}}\n"
    terminal.write(SCHEDULE, plan(**{"follow_up:\n": f"{second}follow_up:\n"}))
    asked = ("send-test", terminal.path(SCHEDULE), "--to", "me@example.com", "--all")
    refused = terminal.run(*asked)
    assert (refused.status, "Send 2 messages to me@example.com?" in refused.err, mailbox.arrived) == (2, True, [])
    said = terminal.run(*asked, "--yes")
    assert [line.partition(": ")[0] for line in said.out.splitlines()] == ["one-record", "worse-first"]
    assert len(mailbox.arrived) == 2


def test_send_test_of_a_message_that_is_not_theirs_says_why(terminal: Terminal, mailbox: Mailbox) -> None:
    terminal.write(SCHEDULE, plan(**{"    from: kickoff\n": "    to: [sales]\n    from: kickoff\n"}))
    asked = ("--to", "me@example.com", "--as", "ana@example.com", "--message", "one-record")
    said = terminal.run("send-test", terminal.path(SCHEDULE), *asked)
    assert (said.status, "their role is not among its 'to'" in said.err, mailbox.arrived) == (2, True, [])


def test_what_was_not_sent_leaves_no_review_copy(applied: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_URL", "smtp://127.0.0.1:1?tls=off")
    said = applied.run("send-test", applied.path(SCHEDULE), "--to", "me@example.com")
    assert (said.status, "It was not sent" in said.err) == (1, True)
    with Wiring(applied.folder) as wiring:
        assert wiring.store.database.rows(review_copy.select()) == []


def test_send_test_without_credentials_says_so(terminal: Terminal) -> None:
    said = terminal.run("send-test", terminal.path(SCHEDULE), "--to", "me@example.com")
    assert (said.status, "COMMSENGINE_SMTP_URL" in said.err) == (2, True)


def test_the_doctor_finds_nothing_wrong_where_mail_works(applied: Terminal, mailbox: Mailbox) -> None:
    del mailbox
    said = applied.run("doctor", "--json")
    states = {finding["about"]: finding["state"] for finding in said.data["findings"]}
    assert (said.status, states["mail"], states["slack"], states["links"]) == (0, "ok", "note", "note")


def test_the_doctor_says_whether_the_pages_of_links_answer(applied: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def links() -> list[str]:
        return [each["text"] for each in applied.run("doctor", "--json").data["findings"] if each["about"] == "links"]

    assert any("does not answer" in text for text in links())
    with Wiring(applied.folder) as wiring:
        engine_runs = wiring.store.engine.heartbeat() is not None
        with served(wiring.web_app) as address:
            monkeypatch.setenv("COMMSENGINE_BASE_URL", address)
            assert any("no engine runs behind it" in text for text in links()) is not engine_runs
            assert not any("does not answer" in text for text in links())


def test_the_doctor_tells_a_wrong_setting_once(applied: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_URL", "smtp://mail.example.com:99999")
    said = applied.run("doctor")
    assert (said.status, said.err.count("COMMSENGINE_SMTP_URL")) == (2, 1)


@pytest.mark.parametrize(
    ("folder", "state", "says"),
    [
        ("../outside", "ok", "The sent-journal is kept in"),
        pytest.param("inside", "note", "is beside the database", marks=pytest.mark.sqlite("a file lies there")),
        ("people.csv/x", "problem", "cannot be written"),
    ],
)
def test_the_doctor_says_where_the_sent_journal_is_kept(
    applied: Terminal, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, folder: str, state: str, says: str
) -> None:
    monkeypatch.setenv("COMMSENGINE_STATE_DIR", str((applied.folder / folder).resolve()))
    findings = json.loads(applied.run("doctor", "--json").out)["findings"]
    [found] = [each for each in findings if each["about"] == "state"]
    assert (found["state"], says in found["text"]) == (state, True)


def test_the_doctor_names_a_mail_server_that_is_away(applied: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_URL", "smtp://127.0.0.1:9")
    said = applied.run("doctor")
    assert (said.status, "PROBLEM mail" in said.out, "127.0.0.1:9" in said.out) == (1, True, True)


def test_upgrade_of_a_new_database_changes_nothing(applied: Terminal) -> None:
    assert applied.run("upgrade").status == 0
    assert applied.json("status")["campaigns"][0]["campaign"] == "crm"


def uncertain(terminal: Terminal) -> list[tuple[str, str]]:
    findings = terminal.run("doctor", "--json").data["findings"]
    return [(finding["state"], finding["text"]) for finding in findings if finding["about"] == "uncertain"]


def test_the_doctor_says_whether_the_mail_log_can_be_read(applied: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    log = applied.folder / "mail.log"
    monkeypatch.setenv("COMMSENGINE_POSTFIX_LOG", str(log))
    assert uncertain(applied) == [("problem", f"The mail log ({log}) cannot be read: No such file or directory.")]
    log.write_bytes(b"")
    assert uncertain(applied) == [("note", f"The mail log ({log}) shows no line of Postfix.")]
    with Wiring(applied.folder) as wiring:
        now = wiring.clock()
    for age, state in ((dt.timedelta(days=9), "note"), (dt.timedelta(), "ok")):
        log.write_text(f"{(now - age).isoformat()} relay postfix/smtpd[7]: connect from localhost[127.0.0.1]\n")
        assert [found for found, _ in uncertain(applied)] == [state]


def test_the_doctor_says_whether_the_archive_can_be_read(applied: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    with ImapServer() as server:
        account = f"{server.user}:{quote(server.password)}@127.0.0.1:{server.port}"
        monkeypatch.setenv("COMMSENGINE_IMAP_URL", f"imap://{account}/{quote(server.folder)}")
        assert [state for state, _ in uncertain(applied)] == ["note"]
        server.keep("k1", dt.datetime(2026, 11, 25, tzinfo=dt.UTC))
        assert uncertain(applied) == [("ok", "The archive can be read; it holds 1 message, ours among them.")]
        monkeypatch.setenv("COMMSENGINE_IMAP_URL", f"imap://{account}/Elsewhere")
        assert uncertain(applied) == [("problem", "The archive: the IMAP server has no such folder (no such folder).")]
        assert server.password not in applied.run("doctor").out


def test_the_doctor_misses_the_scope_that_settles_uncertain_cards(
    applied: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(scopes: str) -> bytes:
        return http_json('{"ok": true, "team": "T", "user": "bot"}', headers=f"x-oauth-scopes: {scopes}\r\n")

    granted = "chat:write,im:write,users:read,users:read.email"
    for scopes, missing in ((granted, True), (f"{granted},im:history", False)):
        with HttpOddity(lambda path, scopes=scopes: answer(scopes)) as slack:  # type: ignore[misc]
            monkeypatch.setenv("COMMSENGINE_SLACK_BOT_TOKEN", "xoxb-1")
            monkeypatch.setenv("COMMSENGINE_SLACK_API_URL", f"http://127.0.0.1:{slack.port}/api/")
            said = applied.run("doctor")
        assert ("im:history" in said.out, "Scopes are missing" in said.out, said.status) == (missing, False, 0)


def test_the_doctor_says_what_the_mail_server_allows_and_whether_that_is_enough_for_a_day(
    started: Terminal, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = "title: A small mailbox, banners: [sandbox mailbox], connections: 2, per_minute: 600, per_day: 3"
    started.write("providers.yaml", f"profiles: {{small: {{{small}}}}}\n")
    said = " ".join(started.run("doctor").out.split())
    limits = "2 connections, 600 messages a minute, 3 in 24 hours; 0 were sent in the last 24 hours."
    assert f"127.0.0.1 appears to be A small mailbox; {limits}" in said
    assert "Running campaigns are for 4 people: they do not all get it on one day, but all get it." in said
    told = started.run("tick")
    assert (told.status, len(mailbox.arrived)) == (0, 3)
    assert "Nothing is sent by email until" in told.err
    assert "3 messages have left in the last 24 hours, as many as allowed (A small mailbox)." in told.err
    assert "1 message waits for email." in told.err
    assert "3 were sent in the last 24 hours." in " ".join(started.run("doctor").out.split())
    monkeypatch.setenv("COMMSENGINE_SMTP_DAILY", "100")
    assert started.run("tick").out.startswith("1 message sent")


def test_the_status_of_one_campaign(started: Terminal) -> None:
    assert [one["campaign"] for one in started.json("status", "crm")["campaigns"]] == ["crm"]
    said = started.run("status", "crn")
    assert (said.status, "There is: crm." in said.err) == (2, True)
