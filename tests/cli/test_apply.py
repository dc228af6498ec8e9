"""``apply`` on a terminal: what it shows of a difference, when it asks, and what another person applies."""

from __future__ import annotations

import contextlib
import inspect
import io
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from commsengine.cli import exit_status_of
from commsengine.cli.apply import apply
from commsengine.store import tables
from commsengine.wiring import Wiring
from tests import fresh
from tests.cli.conftest import PEOPLE, plan
from tests.cli.terminal import Said, Screen, Terminal, typing

SCHEDULE = "schedules/crm.yaml"
KEY_POINT = "Every customer conversation is logged in one record."
NEW = """\
  - id: new
    key_point: Start here.
    from: kickoff
    until: go_live
    cadence: {every: 48h, times: 1}
"""


def at_a_terminal(terminal: Terminal, typed: str, *arguments: str) -> Said:
    """Somebody sits there and types this."""
    out, err = Screen(), Screen()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setenv("COLUMNS", "100")
        with typing(typed):
            status = exit_status_of(["--workspace", str(terminal.folder), *arguments])
    return Said(status, out.getvalue(), err.getvalue())


def changed(terminal: Terminal, **replaced: str) -> str:
    return terminal.write(SCHEDULE, plan(**replaced))


def crowded(terminal: Terminal, people: int = 60) -> None:
    rows = "".join(f"p{n}@example.com,Person {n},Sales,,DE,Europe/Berlin,\n" for n in range(people))
    assert terminal.run("people", "import", terminal.write("people.csv", PEOPLE + rows)).status == 0


def test_what_changes_is_shown_place_by_place(started: Terminal) -> None:
    path = changed(
        started,
        **{'to: "24:00"': 'to: "18:00"', KEY_POINT: "Every call is logged in one record.", "times: 5": "times: 4"},
    )
    said = started.run("apply", path, "--dry-run")
    assert '\n~ send.window.to  "24:00" → "18:00"\n' in said.out
    assert f"\n~ messages.one-record.key_point\n  - {KEY_POINT}\n  + Every call is logged in one record.\n" in said.out
    assert "\n~ messages.one-record.cadence.times  5 → 4\n" in said.out
    assert "Nothing changes" not in said.out
    assert "\x1b" not in said.out
    assert started.run("apply", changed(started), "--dry-run").out.count("Nothing changes since version 1.") == 1


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("owner: [dana@example.com]", "owner: [mia@example.com]", "owner"),
        ("do: personal, by: manager", "do: personal, by: lead", "follow_up.2.by"),
        ("holidays: false", "holidays: false\n  at_most: {per_day: 1, per_week: 2}", "send.at_most.per_week"),
        ("why: Two lists cost orders.", "why: Three lists cost orders.", "wiifm.sales.why"),
        ("sponsor: sam@example.com", "optional: true\nsponsor: sam@example.com", "optional"),
    ],
)
def test_no_change_is_called_nothing(applied: Terminal, old: str, new: str, path: str) -> None:
    said = applied.run("apply", changed(applied, **{old: new}), "--dry-run")
    assert f"\n~ {path}" in said.out
    assert "Nothing changes" not in said.out


def test_who_has_a_last_day_to_come_counts_the_same_everywhere(started: Terminal) -> None:
    rows = "email,left\nana@example.com,2100-01-01\nben@example.com,2000-01-01\n"
    reason = ("--yes", "--because", "They are leaving.")
    assert started.run("people", "import", started.write("last.csv", rows), *reason).status == 0
    path = started.path(SCHEDULE)
    diff, seen = (
        json.loads(started.run(*words, path, "--json").out) for words in (("apply", "--dry-run"), ("simulate",))
    )
    (books,) = json.loads(started.run("status", "--json").out)["campaigns"]
    assert diff["audience"] == seen["summary"]["audience"] == books["audience"] == 3


def test_a_template_that_changed_is_shown(applied: Terminal) -> None:
    applied.write("message_templates/reminder.md", "# {{ key_point }}\n\nA reminder of our own.\n")
    said = applied.run("apply", applied.path(SCHEDULE), "--dry-run")
    assert "\n~ message_templates/reminder.md\n" in said.out
    assert "  + A reminder of our own.\n" in said.out
    applied.run("apply", applied.path(SCHEDULE))
    assert "Nothing changes" in applied.run("apply", applied.path(SCHEDULE), "--dry-run").out


def test_a_template_that_is_new_is_shown(applied: Terminal) -> None:
    applied.write("message_templates/pilot.md", "# {{ key_point }}\n\nFor the pilot.\n")
    path = changed(applied, **{"times: 5}": "times: 5}\n    template: pilot"})
    said = applied.run("apply", path, "--dry-run").out
    assert '~ messages.one-record.template  "wiifm" → "pilot"' in said
    assert "+ message_templates/pilot.md\n" in said


def test_long_texts_are_cut_and_shown_in_full_on_request(applied: Terminal) -> None:
    text = "".join(f"      Line {n} of a long text.\n" for n in range(40))
    path = changed(applied, **{"times: 5}": f"times: 5}}\n    text: |\n{text}"})
    said = applied.run("apply", path, "--dry-run").out
    assert "Line 11 of" in said
    assert "Line 12 of" not in said
    assert "    … 28 more lines: --full shows all\n" in said
    assert "Line 39 of" in applied.run("apply", path, "--dry-run", "--full").out


def test_a_terminal_gets_colours_and_words_that_changed(applied: Terminal) -> None:
    path = changed(applied, **{KEY_POINT: "Every customer conversation is logged in two records."})
    said = at_a_terminal(applied, "", "apply", path, "--dry-run")
    assert "\x1b[33m\x1b[1m~ messages.one-record.key_point\x1b[0m" in said.out
    assert "\x1b[32m\x1b[1m\x1b[4mtwo\x1b[0m" in said.out
    assert max(len(line) for line in said.out.splitlines() if "\x1b" not in line) <= 100


def test_consequences_stand_beside_the_difference(started: Terminal) -> None:
    path = changed(
        started, **{"messages:\n": f"messages:\n{NEW}", "department: [Sales]": "department: [Sales, Change]"}
    )
    said = started.run("apply", path, "--dry-run").out
    assert "1 person: Others → Sales\n" in said
    assert "4 get it for the first time" in said
    data = started.json("apply", path, "--dry-run")
    assert data["roles"] == [{"old": "others", "new": "sales", "people": 1}]
    (new,) = [each for each in data["consequences"] if each["message"] == "new"]
    assert (new["people"], new["new"], new["messages"], new["before"]) == (4, 4, 8, 0)
    assert {each["path"] for each in data["changes"]} == {
        "messages.new",
        "audience.roles.sales.department",
        "messages",
    } - {"messages"}
    assert (data["sooner_for"], data["applied"], data["saved"]) == (4, False, "")


def test_a_new_campaign_is_asked_about_at_start(terminal: Terminal) -> None:
    crowded(terminal)
    said = terminal.run("apply", terminal.path(SCHEDULE))
    assert (said.status, "crm is paused. Next: commsengine start crm" in said.out) == (0, True)
    assert "If you start it now: 320 messages to 64 people if nobody answers, the first" in said.out


def test_start_shows_people_and_messages_and_wants_their_number(terminal: Terminal, mailbox: object) -> None:
    del mailbox
    crowded(terminal)
    terminal.run("apply", terminal.path(SCHEDULE))
    refused = terminal.run("start", "crm")
    assert (refused.status, "Add --yes: commsengine start crm --yes\n" in refused.err) == (2, True)
    wrong = at_a_terminal(terminal, "y\n", "start", "crm")
    assert "64 people get a message now.\n" in wrong.out
    assert "If nobody answers: 320 messages in all, the last " in wrong.out
    assert "That is not 64.\nStopped; nothing more was done.\n" in wrong.err
    assert terminal.json("status")["campaigns"][0]["state"] == "paused"
    assert at_a_terminal(terminal, "64\n", "start", "crm").status == 0
    assert terminal.json("status")["campaigns"][0]["state"] == "running"


def test_start_says_in_the_zone_of_the_plan_from_which_day_on(terminal: Terminal, mailbox: object) -> None:
    del mailbox
    terminal.run("people", "import", terminal.path("people.csv"))
    later = {"from: kickoff": "from: go_live - 9d", "channels: [email]": "channels: [email]\n  time_zone: Asia/Tokyo"}
    terminal.run("apply", changed(terminal, **later))
    said = terminal.run("start", "crm", "--yes").out
    assert "Nothing is sent now.\n4 people get their first message from " in said
    assert "(Asia/Tokyo)." in said


def test_a_running_campaign_asks_only_where_something_is_sent_sooner(started: Terminal) -> None:
    quiet = changed(started, **{KEY_POINT: "Every call is logged.", 'to: "24:00"': 'to: "23:00"'})
    said = started.run("apply", quiet)
    assert (said.status, "crm goes on with this version." in said.out) == (0, True)
    asks = changed(started, **{"messages:\n": f"messages:\n{NEW}"})
    refused = started.run("apply", asks)
    assert refused.status == 2
    assert "4 people get something sooner, more often or for the first time. Apply crm?" in refused.err
    assert f"Add --yes: commsengine apply {asks} --yes\n" in refused.err
    assert at_a_terminal(started, "n\n", "apply", asks).status != 0
    assert started.json("apply", asks, "--dry-run")["version"] == 3
    assert at_a_terminal(started, "y\n", "apply", asks).status == 0
    assert started.json("apply", asks, "--dry-run")["changes"] == []


def audit(terminal: Terminal) -> list[tuple[str, dict[str, object]]]:
    with fresh.opened(terminal.folder / "commsengine.db") as store:
        rows = store.database.rows(select(tables.audit.c.action, tables.audit.c.detail).order_by(tables.audit.c.id))
    return [(action, detail) for action, detail in rows]


def applied_by(account: str, terminal: Terminal, file: str) -> str:
    """What ``apply FILE --yes`` prints, run by another account of this machine."""
    with contextlib.redirect_stdout(io.StringIO()) as out, Wiring(terminal.folder) as wiring:
        wiring.operator = account
        options = {**dict.fromkeys(("dry_run", "full", "as_json"), False), "save_as": None, "correct": None}
        inspect.unwrap(apply.callback)(wiring, plan=Path(file), yes=True, because="", **options)
    return out.getvalue()


def test_a_saved_difference_is_applied_by_another_person_as_it_is(started: Terminal) -> None:
    path, file = changed(started, **{'to: "24:00"': 'to: "18:00"'}), started.path("crm.difference")
    started.write("message_templates/reminder.md", "# {{ key_point }}\n\nAs saved.\n")
    said = started.run("apply", path, "--save", file)
    assert (said.status, f"To apply it as it is: commsengine apply {file}" in said.out) == (0, True)
    assert audit(started)[-1][0] == "start"
    text = Path(file).read_text(encoding="utf-8")
    assert 'difference: |\n  ~ send.window.to  "24:00" → "18:00"\n' in text
    assert "mia@example.com" not in text
    changed(started)  # the plan and its templates go on, the saved difference stays
    (started.folder / "message_templates" / "reminder.md").unlink()
    again = applied_by("tom", started, file)
    assert '~ send.window.to  "24:00" → "18:00"' in again
    assert audit(started)[-1][0] == "apply"
    assert audit(started)[-1][1]["saved_by"] not in ("tom", "")
    back = {change["path"]: change for change in started.json("apply", path, "--dry-run")["changes"]}
    assert (back["send.window.to"]["old"], back["send.window.to"]["new"]) == ("18:00", "24:00")
    assert "As saved." in back["message_templates/reminder.md"]["old"]


def test_a_saved_difference_is_refused_once_something_has_moved(started: Terminal) -> None:
    path, file = changed(started, **{'to: "24:00"': 'to: "18:00"'}), started.path("crm.difference")
    started.run("apply", path, "--save", file)
    started.run(
        "people", "import", started.write("more.csv", f"{PEOPLE}eve@example.com,Eve,Sales,,DE,Europe/Berlin,\n")
    )
    said = started.run("apply", file, "--yes")
    assert (said.status, "Role sales: 2 before, 3 people now." in said.err) == (2, True)
    started.run("apply", path, "--save", file)
    started.run("apply", path, "--yes")
    said = started.run("apply", file, "--yes")
    assert (said.status, "crm had version 1, and has version 2 now." in said.err) == (2, True)
    started.run("apply", path, "--save", file)
    edited = Path(file).read_text(encoding="utf-8").replace("18:00", "19:00")
    said = started.run("apply", started.write("crm.difference", edited), "--yes")
    assert (said.status, "was changed after it was saved" in said.err) == (2, True)
    assert started.json("apply", path, "--dry-run")["version"] == 3


def test_a_saved_difference_brings_its_roster(terminal: Terminal) -> None:
    roster = terminal.write("schedules/list.csv", PEOPLE)
    path = changed(terminal, **{"audience:": "audience:\n  people: list.csv"})
    terminal.run("people", "import", terminal.path("people.csv"))
    file = terminal.path("crm.difference")
    assert terminal.run("apply", path, "--save", file).status == 0
    terminal.write("schedules/list.csv", PEOPLE.replace("Ana Kim", "Ana Lee"))
    said = terminal.run("apply", file)
    assert (said.status, "schedules/list.csv has changed." in said.err) == (2, True)
    terminal.write("schedules/list.csv", PEOPLE)
    assert terminal.run("apply", file).status == 0
    assert terminal.json("status")["campaigns"][0]["audience"] == 4
    assert Path(roster).exists()


def test_a_saved_difference_is_not_saved_again(applied: Terminal) -> None:
    file = applied.path("crm.difference")
    applied.run("apply", changed(applied), "--save", file)
    said = applied.run("apply", file, "--save", applied.path("other.difference"))
    assert (said.status, "is a saved difference already." in said.err) == (2, True)
    assert applied.run("apply", file, "--dry-run").status == 0
