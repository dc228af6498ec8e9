import time
from pathlib import Path

import pytest

from commsengine.authoring.draft import Draft
from commsengine.authoring.plan_file import review_plan
from commsengine.errors import InputError
from tests.authoring.written import PLAN, codes, slip, told, write

Slip = tuple[str | bytes, str, str, str]


def sound(folder: Path, text: str) -> Draft:
    review = review_plan(write(folder, text), root=folder)
    assert review.draft is not None
    assert review.errors == ()
    return review.draft


# What is written, where it is told (line:column), the cause, the fix.
SLIPS: dict[str, Slip] = {
    "empty file": ("", "1:1", "The file is empty.", "Write its keys"),
    "only comments": ("# nothing\n", "1:1", "The file is empty.", "Write its keys"),
    "tab": (slip("  kickoff", "\tkickoff"), "6:1", "indented with a tab", "Write spaces"),
    "key twice": (
        slip("title: One", "campaign: b\ntitle: One"),
        "2:1",
        "'campaign' is written twice; the first is in line 1",
        "Keep one",
    ),
    "unknown key": (
        slip("    ask: input", "    ask: input\n    subjct: x"),
        "26:5",
        "The key 'subjct' is not known",
        "Did you mean 'subject'?",
    ),
    "key in the wrong place": (
        slip("sponsor: sam", "key_point: x\nsponsor: sam"),
        "4:1",
        "'key_point' is not known here",
        "It belongs to 'messages'",
    ),
    "alias bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "1:4", "'&a' is a YAML anchor", "Write the text out"),
    "alias": (slip("others: {rest: true}", "others: *a"), "11:13", "'*a' is a YAML alias", "Write the text out"),
    "brackets": ("[" * 20_000, "1:41", "nested more than 40 levels deep", "Take out the surplus"),
    "braces": ("a: " + "{a: " * 20_000, "1:160", "nested more than 40 levels deep", "Take out the surplus"),
    "tag": (
        slip("title: One", "title: !!python/name:os.system One"),
        "2:8",
        "'!!python/name:os.system' is a YAML tag",
        "Take it out",
    ),
    "two documents": (PLAN + "---\na: 1\n", "38:1", "A second document begins here", "Keep one document"),
    "NUL": (PLAN.replace("One customer", "One\x00customer"), "2:11", "a NUL", "Delete it"),
    "UTF-16": (PLAN.encode("utf-16"), "1:1", "saved as UTF-16", "Save it as UTF-8"),
    "UTF-16 without a mark": (PLAN.encode("utf-16-le"), "1:1", "saved as UTF-16", "Save it as UTF-8"),
    "Latin-1": (
        PLAN.replace("One customer", "Für Müller").encode("latin-1"),
        "2:9",
        "0xFC is not UTF-8",
        "Save it as UTF-8",
    ),
    "too large": ("a: " + "x" * 2_000_000, "1:1", "larger than 1 MB", "right file"),
    "not a mapping": ("- a\n", "1:1", "not made of 'key: value' lines", "Begin it with a key"),
    "open quote": (
        slip("title: One customer record", "title: 'One"),
        "2:8",
        "opened here and never closed",
        "Close it",
    ),
    "colon in a text": (slip("title: One customer", "title: Now: one"), "2:11", "There is a colon here", "in quotes"),
    "no such day": (
        slip("2027-01-11", "2026-02-30"),
        "6:12",
        "kickoff: '2026-02-30' is not a day of the calendar",
        "month and the day",
    ),
    "date with dots": (slip("2027-01-11", "11.01.2027"), "6:12", "'11.01.2027' is not a date", "YYYY-MM-DD"),
    "far year": (slip("2027-01-11", "0227-01-11"), "6:12", "The year 0227", "from 2000 to 2100"),
    "time with a dot": (slip('from: "09:00"', "from: 9.30"), "14:51", "'9.30' is not a time of day", "HH:MM"),
    "hour 25": (slip('to: "16:30"', 'to: "25:00"'), "14:64", "'25:00' is not a time of day", "from 00 to 24"),
    "window backwards": (
        slip('to: "16:30"', 'to: "08:30"'),
        "14:3",
        "closes before it opens",
        "'from' earlier than 'to'",
    ),
    "zone with an offset": (slip("Europe/Berlin", "CET+1"), "15:14", "'CET+1' is not a time zone", "Write a place"),
    "zone misspelt": (
        slip("Europe/Berlin", "Europe/Berln"),
        "15:14",
        "'Europe/Berln' is not a time zone",
        "Did you mean 'Europe/Berlin'",
    ),
    "city as zone": (
        slip("Europe/Berlin", "Amsterdam"),
        "15:14",
        "'Amsterdam' is not a time zone",
        "Did you mean 'Europe/Amsterdam'?",
    ),
    "end before start": (
        slip("go_live + 14d", "kickoff - 1d"),
        "31:12",
        "begins on 2027-01-18 and ends on 2027-01-10",
        "later 'until'",
    ),
    "every 0 days": (slip("every: 48h", "every: 0 days"), "32:22", "'every' is shorter than a day", "at least 24h"),
    "every 30 s": (slip("every: 48h", "every: 30 s"), "32:22", "'30 s' is not a span of time", "48h"),
    "every ten years": (slip("every: 48h", "every: 520 weeks"), "32:22", "once in 3640 days", "at most a year"),
    "20,000 times": (slip("times: 6", "times: 20000"), "32:34", "'times' is out of range", "at most 100"),
    "10,000 touches": (
        slip("go_live + 14d\n    cadence: {every: 48h, times: 6}", "2099-12-31\n    cadence: {every: 24h}"),
        "32:5",
        "26,647 messages",
        "Write 'times'",
    ),
    "neither every nor floor": (slip("{every: 48h, times: 6}", "{times: 6}"), "32:5", "either 'every'", "exactly one"),
    "number as word": (
        slip("times: 6", "times: six"),
        "32:34",
        "'times' is not a whole number: 'six'",
        "for example 5",
    ),
    "a floor above all": (
        slip("{every: 48h, times: 6}", "{recall_floor: 135%}"),
        "32:29",
        "out of range",
        "less than 1",
    ),
    "a link that is filled in": (
        slip("id: one-record", "id: one-record\n    link: https://x.example.com/{{ person.email }}"),
        "29:11",
        "The 'link' of 'one-record' is the same for everybody",
        "Write it without {{ … }}, or in 'text'",
    ),
    "a floor as whole number": (slip("{every: 48h, times: 6}", "{recall_floor: 35}"), "32:29", "not '35'", "0.35"),
    "a floor as word": (slip("{every: 48h, times: 6}", "{recall_floor: low}"), "32:29", "a number: 'low'", "0.35"),
    "truth as word": (slip("rest: true", "rest: maybe"), "11:20", "neither true nor false", "true or false"),
    "unknown role": (
        slip("id: one-record", "id: one-record\n    to: [saless]"),
        "29:10",
        "There is no role 'saless'",
        "Did you mean 'sales'?",
    ),
    "unknown role in wiifm": (
        slip("  others: {why", "  other: {why"),
        "18:3",
        "There is no role 'other'",
        "Did you mean 'others'?",
    ),
    "managers so many days before": (
        slip("id: one-record", "id: one-record\n    managers_first: 2d"),
        "29:21",
        "'2d' is not a number of working days",
        "Write for example '2 working days'",
    ),
    "managers so many touches before": (
        slip("id: one-record", "id: one-record\n    managers_first: 2 touches"),
        "29:21",
        "'2 touches' is not a number of working days",
        "Write for example '2 working days'",
    ),
    "measure misspelt": (
        slip("audience:\n", "phases: {learn: {until: go_live, reach: {one-record: {rihgt: 0.5}}}}\naudience:\n"),
        "8:55",
        "The key 'rihgt' is not known here",
        "Did you mean 'right'?",
    ),
    "channel sms": (slip("[email]", "[sms]"), "13:14", "'channels' cannot be 'sms'", "'slack' or 'email'"),
    "channel emial": (slip("[email]", "[emial]"), "13:14", "'channels' cannot be 'emial'", "Did you mean 'email'?"),
    "channel console": (slip("[email]", "[console]"), "13:14", "cannot be 'console'", "Write 'slack' or 'email'."),
    "channel file": (slip("[email]", "[file]"), "13:14", "cannot be 'file'", "Write 'slack' or 'email'."),
    "template outside": (
        slip("id: one-record", "id: one-record\n    template: ../x"),
        "29:15",
        "cannot be '../x'",
        "no folder",
    ),
    "script link": (
        slip("id: one-record", "id: one-record\n    link: javascript:x"),
        "29:11",
        "a link starts with https://",
        "Change it",
    ),
    "milestone misspelt": (
        slip("from: kickoff\n", "from: kickof\n"),
        "22:11",
        "no milestone 'kickof'",
        "Did you mean 'kickoff'?",
    ),
    "not a moment": (slip("go_live + 14d", "two weeks after go_live"), "31:12", "is not a moment", "go_live - 7d"),
    "correction of itself": (
        slip("id: one-record", "id: one-record\n    corrects: one-record"),
        "29:15",
        "back to itself",
        "earlier message",
    ),
    "correction of nothing": (
        slip("id: one-record", "id: one-record\n    corrects: one-recor"),
        "29:15",
        "no message 'one-recor'",
        "'one-record'",
    ),
    "same id": (slip("id: one-record", "id: how-you-work"), "28:9", "taken by the message in line 20", "id of its own"),
    "sponsor first": (
        slip("do: remind", "do: sponsor"),
        "35:28",
        "before personal outreach",
        "a person calls or visits first",
    ),
    "no sponsor": (slip("sponsor: sam@example.com\n", ""), "36:33", "names no sponsor", "Write 'sponsor:"),
    "no such wait": (slip("5 working days", "often"), "37:13", "'often' is not a wait", "'2 touches'"),
    "Slack token": (slip("title: One customer record", "title: xoxb-123456-abcdef"), "2:8", "a Slack token", ".env"),
    "SendGrid key": (slip("One list.", "SG.abcdefgh1234.ABCDEFGH5678"), "18:17", "a SendGrid key", ".env"),
    "private key": (slip("One list.", "-----BEGIN RSA PRIVATE KEY-----"), "18:17", "a private key", ".env"),
    "owner's address": (
        slip("owner: dana@example.com", "owner: dana"),
        "3:8",
        "'dana' is not an e-mail address",
        "ana@example.com",
    ),
    "missing key": (slip("title: One customer record\n", ""), "1:1", "'title' is missing", "Add 'title:"),
    "message without until": (slip("    until: go_live + 14d\n", ""), "28:5", "'until' is missing", "go_live + 14d"),
    "message without id": (
        slip("  - id: one-record\n    key_point", "  - key_point"),
        "28:5",
        "'id' is missing",
        "Add 'id: one-record'",
    ),
    "role after the rest": (
        slip("    others: {rest: true}", "    others: {rest: true}\n    it: {department: IT}"),
        "12:5",
        "'others' above it takes everybody",
        "Move 'it'",
    ),
    "role without condition": (slip("{rest: true}", "{}"), "11:5", "does not say who is in it", "rest: true"),
    "never open": (
        slip("go_live + 14d", "2027-01-19").replace("kickoff + 7d", "2027-01-16").replace("2027-01-19", "2027-01-18"),
        "31:12",
        "No send window is open",
        "Move one",
    ),
    "question without answers": (
        slip("{question: What must never get harder for you?}", "{question: Q, kind: choice}"),
        "26:32",
        "need at least two 'choices'",
        "Change it",
    ),
    "no people file": (
        slip("audience:\n", "audience:\n  people: nobody.csv\n"),
        "9:11",
        "no file 'nobody.csv'",
        "Check its name",
    ),
    "people file outside": (
        slip("audience:\n", "audience:\n  people: ../../etc/passwd\n"),
        "9:11",
        "outside the workspace",
        "beside the plan",
    ),
    "title over two lines": (
        slip("title: One customer record", 'title: "One\\nrecord"'),
        "2:8",
        "has several lines",
        "one line",
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_told_with_place_cause_and_fix_at_once(name: str, tmp_path: Path) -> None:
    text, place, cause, fix = SLIPS[name]
    began = time.process_time()
    found = [p for p in told(tmp_path, text) if f"{p.line}:{p.column}" == place and cause in p.message]
    assert found, [str(problem) for problem in told(tmp_path, text)]
    assert fix in found[0].fix
    assert time.process_time() - began < 2


def test_one_slip_is_told_once(tmp_path: Path) -> None:
    several = {name: found for name in SLIPS if len(found := told(tmp_path, SLIPS[name][0])) != 1}
    assert several == {}


def test_a_sound_plan_has_neither_errors_nor_advice(tmp_path: Path) -> None:
    assert codes(tmp_path, PLAN) + codes(tmp_path, PLAN, "advice") == []


def test_every_problem_of_a_file_is_told_together(tmp_path: Path) -> None:
    text = (
        PLAN.replace("title:", "titel:")
        .replace("2027-03-15", "2026-02-30")
        .replace("from: kickoff + 7d", "from: kikoff")
        .replace("Europe/Berlin", "CET+1")
        .replace("times: 6", "times: six")
        .replace("do: remind", "do: sponsor")
    )
    found = [(p.line, p.code) for p in told(tmp_path, text)]
    assert found == [
        (1, "missing"),
        (2, "unknown_key"),
        (7, "bad_value"),
        (15, "unknown_time_zone"),
        (30, "unknown_milestone"),
        (32, "bad_value"),
        (35, "sponsor_before_personal"),
    ]


def test_words_that_old_yaml_would_change_stay_text(tmp_path: Path) -> None:
    text = PLAN.replace("title: One customer record", "title: 0123").replace("One list.", "no")
    plan = sound(tmp_path, text).plan
    assert (plan.title, plan.wiifm["others"].why) == ("0123", "no")


def test_quoted_and_unquoted_values_are_alike(tmp_path: Path) -> None:
    text = PLAN.replace("times: 6", 'times: "6"').replace('"09:00"', "09:00").replace("rest: true", "rest: 'true'")
    assert sound(tmp_path, text).plan == sound(tmp_path, PLAN).plan


def test_positions_point_at_keys_of_blocks_and_at_texts(tmp_path: Path) -> None:
    tree = sound(tmp_path, PLAN).tree
    assert tree.place(("messages", 1, "key_point")) == (29, 16)
    assert tree.place(("messages", 1, "cadence")) == (32, 5)
    assert tree.place(("messages", 1)) == (28, 5)


def test_no_problem_repeats_a_secret(tmp_path: Path) -> None:
    text = PLAN.replace("2027-01-11", "xoxb-123456-abcdef")
    assert "abcdef" not in " ".join(map(str, told(tmp_path, text)))


def test_a_faulty_plan_has_all_its_errors_at_once(tmp_path: Path) -> None:
    errors = told(tmp_path, PLAN.replace("48h", "soon").replace("CET", "x").replace("Berlin", "Berln"))
    assert [p.line for p in errors] == [15, 32]
    assert str(errors[0]).startswith(f"{tmp_path / 'plan.yaml'}:15:14: error: ")


def test_a_plan_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        review_plan(tmp_path / "none.yaml", root=tmp_path)


def test_a_milestone_with_a_reason_keeps_both(tmp_path: Path) -> None:
    text = PLAN.replace("go_live: 2027-03-15", "go_live: {date: 2027-03-15, because: The pilot}")
    plan = sound(tmp_path, text).plan
    assert plan.milestones["go_live"].because == "The pilot"


def test_a_plan_may_be_stricter_than_the_workspace_but_not_looser(tmp_path: Path) -> None:
    write(tmp_path, "at_most: {per_day: 1, per_week: 2}\n", "workspace.yaml")
    loose = PLAN.replace("  channels", "  at_most: {per_day: 1, per_week: 3}\n  channels")
    assert codes(tmp_path, loose) == ["loose_budget"]
    assert codes(tmp_path, loose.replace("per_week: 3", "per_week: 2")) == []


def test_black_out_days_can_leave_a_message_no_window(tmp_path: Path) -> None:
    write(tmp_path, "black_out: [2027-01-01..2027-12-31]\n", "workspace.yaml")
    assert codes(tmp_path, PLAN) == ["never_open", "never_open"]


def test_phases_are_in_the_order_of_time(tmp_path: Path) -> None:
    phases = "phases:\n  learn: {until: go_live}\n  listen: {until: kickoff, reach: {one-recor: {answered: 1.5}}}\n"
    found = codes(tmp_path, PLAN.replace("audience:", phases + "audience:"))
    assert found == ["phase_order", "unknown_message", "bad_value"]


def test_a_time_in_the_gap_of_a_clock_change_is_told_with_the_time_used(tmp_path: Path) -> None:
    (problem,) = told(
        tmp_path, PLAN.replace("from: kickoff + 7d", "from: 2027-03-28 02:30").replace("+ 14d", "+ 40d"), "advice"
    )
    assert (problem.line, problem.code) == (30, "clock_change")
    assert "02:30 does not exist on 2027-03-28 in Europe/Berlin" in problem.message
    assert "03:00 is used" in problem.message


def test_the_end_of_a_day_is_in_no_gap(tmp_path: Path) -> None:
    text = PLAN.replace("from: kickoff + 7d", "from: 2027-03-26 24:00").replace("+ 14d", "+ 40d")
    assert told(tmp_path, text, "advice") == []
