from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from commsengine.authoring.check import CheckResult, check
from commsengine.cadence.people import Person
from commsengine.cadence.population import ListedPeople
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.errors import InputError
from tests.authoring.written import PLAN, codes, slip, write
from tests.builders import ANA, BEN, MIA, someone

TEMPLATES = load_templates(shipped_folder(), None)
PEOPLE = (replace(MIA, region="BE"), ANA, replace(BEN, region="NY"))


def checked(
    folder: Path,
    text: str,
    people: Sequence[Person] | None = PEOPLE,
    templates: Mapping[str, str] = TEMPLATES,
) -> CheckResult:
    given = None if people is None else ListedPeople(tuple(people))
    return check(write(folder, text), root=folder, people=given, templates=templates)


def said(result: CheckResult) -> list[tuple[int, int, str]]:
    return [(p.line, p.column, p.code) for p in result.problems]


def test_a_sound_plan_is_returned_with_its_people(tmp_path: Path) -> None:
    result = checked(tmp_path, PLAN)
    assert (said(result), result.ok, result.people) == ([], True, ListedPeople(PEOPLE))
    assert result.plan is not None


@pytest.mark.parametrize(
    ("sponsor", "code"),
    [
        ("sam@example.com", ""),
        ("BEN@example.com", "sponsor_in_people"),
        ("{email: ben@example.com}", "sponsor_in_people"),
        ("{email: ben@example.com, in_audience: false}", ""),
        ("{email: ana@example.com, in_audience: true}", ""),
        ("{email: sam@example.com, in_audience: true}", "sponsor_not_in_people"),
    ],
)
def test_the_plan_says_whether_the_sponsor_is_meant(tmp_path: Path, sponsor: str, code: str) -> None:
    found = checked(tmp_path, PLAN.replace("sponsor: sam@example.com", f"sponsor: {sponsor}")).problems
    assert [(p.code, p.line, p.severity) for p in found if "sponsor" in p.code] == (
        [(code, 4, "advice")] if code else []
    )


def test_a_plan_with_errors_is_not_returned(tmp_path: Path) -> None:
    result = checked(tmp_path, PLAN.replace("48h", "soon"))
    assert (result.ok, result.plan) == (False, None)


# What a role asks for, then place, code, a word of the cause and of the fix.
ROLES = {
    "a role that nobody has": ("[Sale]", (10, 5, "empty_role"), "selects nobody", "did you mean 'Sales'?"),
    "a role taken by another": (
        "[Sales]}\n    it: {name: Ana Kim}\n    mia: {job: Engineer",
        (12, 5, "empty_role"),
        "already in a role",
        "Move",
    ),
    "a value nobody has": ("[Sales, Slaes]", (10, 33, "idle_value"), "No person has department 'Slaes'", "'Sales'"),
}


@pytest.mark.parametrize("name", ROLES)
def test_roles_are_held_against_the_people(name: str, tmp_path: Path) -> None:
    written, place, cause, fix = ROLES[name]
    text = slip("{department: [Sales]}", "{department: " + written + "}")
    result = checked(tmp_path, text, [*PEOPLE, someone(1, department="IT")])
    (problem,) = [p for p in result.problems if p.code == place[2]]
    assert ((problem.line, problem.column, problem.code), cause in problem.message) == (place, True)
    assert fix in problem.fix


def test_a_column_nobody_has_is_told_with_the_near_one(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, slip("{department:", "{departmnt:")).problems
    assert (problem.line, problem.column, problem.fix) == (10, 13, "Did you mean 'department'?")


def test_people_in_no_role_are_counted(tmp_path: Path) -> None:
    text = slip("    others: {rest: true}", "    others: {job: [Engineer]}")
    (problem,) = checked(tmp_path, text, [*PEOPLE, someone(1, department="IT")]).problems
    assert (problem.severity, problem.message) == ("advice", "1 of 4 people are in no role and get nothing.")


def test_people_who_never_work_in_the_window_are_counted(tmp_path: Path) -> None:
    assert said(checked(tmp_path, PLAN, [*PEOPLE, someone(1, days=frozenset({5, 6}))])) == [(14, 12, "never_at_work")]


def test_a_country_without_a_region_is_told_where_regions_differ(tmp_path: Path) -> None:
    some = [someone(n, country=country) for n, country in enumerate(("GB", "GB", "FR", "NL", "CA", "", "DE"))]
    some.append(someone(7, country="GB", region="ENG"))
    told = [p for p in checked(tmp_path, PLAN, [*PEOPLE, *some]).problems if p.code == "no_region"]
    assert [(p.severity, p.message.partition(" without")[0]) for p in told] == [
        ("advice", "1 person in CA"),
        ("advice", "2 people in GB"),
    ]
    assert "such as 2027-03-29, counts as work" in told[1].message
    assert told[1].fix == "Fill the column 'region', for example with 'ENG', 'NIR' or 'WLS'."
    without = slip("send:\n", "send:\n  holidays: false\n")
    assert not [p for p in checked(tmp_path, without, [*PEOPLE, *some]).problems if p.code == "no_region"]


def test_people_by_another_clock_than_the_plan_are_told(tmp_path: Path) -> None:
    countries = ("IN", "US", "US", "FR", "DE", "")
    some = [someone(n, country=country, time_zone="") for n, country in enumerate(countries)]
    some.append(someone(7, country="IN", time_zone="Asia/Kolkata"))
    (told,) = (p for p in checked(tmp_path, PLAN, [*PEOPLE, *some]).problems if p.code == "no_time_zone")
    assert told.severity == "advice"
    assert told.message.startswith(
        "3 people without a time zone are in countries with another clock, such as IN (1), US"
    )
    everywhere = [replace(each, time_zone="Europe/Berlin") for each in some]
    assert not [p for p in checked(tmp_path, PLAN, [*PEOPLE, *everywhere]).problems if p.code == "no_time_zone"]


@pytest.mark.parametrize(
    ("department", "told"),
    [("sales ", 1), ("Sa les", 1), ("SALES", 1), ("Sale", 0), ("Sales 2", 0), ("Sales North", 0)],
)
def test_a_value_that_looks_like_that_of_a_role_is_told(tmp_path: Path, department: str, told: int) -> None:
    result = checked(tmp_path, PLAN, [*PEOPLE, someone(1, department=department)])
    assert said(result) == [(10, 33 - 7, "alike_value")] * told


def test_a_roster_beside_the_plan_is_read_and_its_bad_rows_told(tmp_path: Path) -> None:
    write(
        tmp_path, "email,department,manager\nx@example.com,Sales,mia@example.com\ny@example.com,IT,\nz,IT,\n", "r.csv"
    )
    result = checked(tmp_path, slip("audience:\n", "audience:\n  people: r.csv\n"))
    assert [(Path(p.file).name, p.line, p.column, p.code) for p in result.problems] == [("r.csv", 4, 1, "bad_address")]
    assert [person.email for person in result.people or ()] == ["x@example.com", "y@example.com"]


def test_an_unreadable_roster_is_told(tmp_path: Path) -> None:
    write(tmp_path, "", "r.csv")
    result = checked(tmp_path, slip("audience:\n", "audience:\n  people: r.csv\n"))
    assert [(Path(p.file).name, p.line) for p in result.problems] == [("r.csv", 1)]


def test_an_unknown_template_is_told_with_the_near_one(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, slip("id: one-record", "id: one-record\n    template: wifm")).problems
    assert (problem.line, problem.column, problem.fix) == (29, 15, "Did you mean 'wiifm'?")


def test_an_unknown_name_in_a_text_is_told_where_it_stands(tmp_path: Path) -> None:
    result = checked(tmp_path, slip("One list.", '"Dear {{ person.first_nme }}"'))
    assert said(result) == [(18, 33, "text")]
    assert "first_name" in result.problems[0].fix


def test_an_unknown_name_in_a_block_of_text_has_its_own_line(tmp_path: Path) -> None:
    texts = "[Two lines after each call., Your colleague reads them., A phone is enough.]"
    text = slip(texts, "\n      - One.\n      - |\n        one\n        two {{ milestones.golive }}")
    assert said(checked(tmp_path, text)) == [(37, 27, "text")]


def test_an_unknown_name_in_a_template_is_told_with_its_file(tmp_path: Path) -> None:
    result = checked(tmp_path, PLAN, templates={**TEMPLATES, "wiifm": "# Hello\n\nDear {{ persn.name }}\n"})
    (problem,) = result.problems
    assert (problem.file, problem.line, problem.column) == ("message_templates/wiifm.md", 3, 9)


def test_names_in_texts_are_told_beside_other_errors(tmp_path: Path) -> None:
    result = checked(tmp_path, slip("One list.", '"{{ persn.name }}"').replace("Europe/Berlin", "CET+1"))
    assert said(result) == [(15, 14, "unknown_time_zone"), (18, 21, "text")]


@pytest.mark.parametrize("link", ["javascript:x", "http://x.example.com", "mailto:ana@example.com", "tel:112"])
def test_a_link_that_is_not_https_is_told_once_and_where_it_stands(tmp_path: Path, link: str) -> None:
    assert said(checked(tmp_path, slip("One list.", f'"[it]({link})"'))) == [(18, 23, "text")]
    assert said(checked(tmp_path, slip("One list.", f'"<a href={link}>it</a>"'))) == [(18, 26, "text")]


def test_a_text_of_a_plan_has_8000_characters_at_most(tmp_path: Path) -> None:
    assert checked(tmp_path, slip("One list.", "x" * 8_000)).ok
    long = checked(tmp_path, slip("One list.", "x" * 8_001))
    errors = [(p.line, p.column, p.message) for p in long.problems if p.severity == "error"]
    assert errors == [(18, 17, "'why' has 8,001 characters; at most 8,000 fit.")]


def test_a_missing_plan_raises(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        check(tmp_path / "none.yaml", root=tmp_path, people=None, templates=TEMPLATES)


def recalling(cadence: str) -> str:
    """The sound plan with its main message by recall, and a question to go with it."""
    check = "checks: [{question: Q, answers: [a, b], right: a, because: b}]"
    return slip("id: one-record", f"id: one-record\n    {check}").replace("{every: 48h, times: 6}", "{" + cadence + "}")


# A change to the sound plan, and the advice it earns.
ADVICE = {
    "no text at all": (
        "".join(line for line in PLAN.splitlines(keepends=True) if not line.startswith("  sales:")),
        ["no_wiifm"],
    ),
    "one text again and again": (
        slip("[Two lines after each call., Your colleague reads them., A phone is enough.]", "Two lines."),
        ["same_text"],
    ),
    "words of the plan alone": (
        slip("    text: [Two lines after each call., Your colleague reads them., A phone is enough.]\n", ""),
        ["no_own_words"],
    ),
    "no reason": (slip("why: Two lists cost us., ", ""), ["no_why"]),
    "a gap": (slip(", results: Less.", ""), ["wiifm_gap"]),
    "too few repeats": (slip("times: 6", "times: 4"), ["few_repeats"]),
    "too many repeats": (slip("times: 6", "times: 9"), ["many_repeats"]),
    "repeats that do not fit": (slip("go_live + 14d", "kickoff + 17d"), ["repeats_do_not_fit"]),
    "nobody asked": (
        slip("    ask: input\n    input: {question: What must never get harder for you?}\n", "    ask: nothing\n"),
        ["no_input"],
    ),
    "question that is not asked": (slip("ask: input", "ask: nothing"), ["no_input", "unasked"]),
    "sponsor on people's work": (
        slip("key_point: Every conversation is", "sender: sponsor\n    key_point: Your job changes; all is"),
        ["wrong_sender"],
    ),
    "manager on the business": (
        slip("key_point: Every conversation is", "sender: manager\n    key_point: Revenue falls; all is"),
        ["wrong_sender"],
    ),
    "a long card": (slip("why: Two lists cost us.", f"why: {'word ' * 80}"), ["long_text", "long_text"]),
    "a ladder never climbed": (
        slip("id: one-record", "id: one-record\n    ask: nothing\n    follow_up: [{after: 2 touches, do: remind}]"),
        ["idle_ladder"],
    ),
    "recall": (
        slip("{every: 48h, times: 6}", "{recall_floor: 0.35, target: 0.6, by: go_live}"),
        ["no_checks"],
    ),
    "managers first": (
        slip("id: one-record", "id: one-record\n    managers_first: 2 working days"),
        [],
    ),
    "a check": (
        slip(
            "id: one-record",
            "id: one-record\n    ask: check\n    checks: [{question: Q, answers: [a, b], right: a, because: b}]",
        ),
        [],
    ),
    "a commitment to nothing in particular": (
        slip("id: one-record", "id: one-record\n    ask: commit"),
        ["no_commitment"],
    ),
    "a commitment without a day": (
        slip("id: one-record", "id: one-record\n    ask: commit\n    commit: I log each call."),
        ["commitment_without_day"],
    ),
    "a commitment with its day": (
        slip("id: one-record", "id: one-record\n    ask: commit\n    commit: {text: I log calls., by: kickoff + 9d}"),
        [],
    ),
    "a commitment nobody is asked for": (
        slip("id: one-record", "id: one-record\n    commit: I log each call."),
        ["unasked"],
    ),
    "a gate with nothing behind it": (
        slip("audience:\n", "phases: {listen: {until: go_live + 9d, gate: true}}\naudience:\n"),
        ["idle_gate"],
    ),
    "a correction": (
        slip("id: one-record", "id: one-record\n    corrects: how-you-work"),
        ["corrected"],
    ),
    "a floor that cannot be kept": (recalling("recall_floor: 0.5"), ["high_floor"]),
    "a floor under which most forget": (recalling("recall_floor: 0.2"), ["low_floor"]),
    "a target that messages do not bring": (
        recalling("recall_floor: 0.35, target: 0.8, by: go_live"),
        ["high_target"],
    ),
    "a week that reads badly": (
        slip("go_live: 2027-03-15", "go_live: {date: 2027-03-15, firm: false}").replace(
            "id: one-record", 'id: one-record\n    subject: "We start on {{ milestones.go_live }}"'
        ),
        ["planned_week"],
    ),
    "phases": (slip("audience:\n", "phases: {listen: {until: go_live}}\naudience:\n"), []),
}


@pytest.mark.parametrize("name", ADVICE)
def test_advice_is_given_and_does_not_stop_a_plan(name: str, tmp_path: Path) -> None:
    text, expected = ADVICE[name]
    assert sorted(codes(tmp_path, text, "advice")) == expected
    assert codes(tmp_path, text) == []


def test_a_check_and_a_message_that_repeats_until_it_is_recalled_need_no_advice(tmp_path: Path) -> None:
    asked = "ask: check\n    checks: [{question: Q, answers: [a, b], right: a, because: b}]"
    text = slip("id: one-record", f"id: one-record\n    repeat_until: recalled\n    {asked}")
    (tmp_path / "workspace.yaml").write_text("recall: person\n")
    assert codes(tmp_path, text, "advice") == ["tells_right"]


def test_input_asked_after_the_first_phase_is_too_late(tmp_path: Path) -> None:
    text = slip("audience:\n", "phases: {listen: {until: kickoff}}\naudience:\n")
    assert codes(tmp_path, text, "advice") == ["no_input"]


@pytest.mark.parametrize(
    ("cadence", "code"),
    [
        ("recall_floor: 0.35, target: 0.3, by: go_live", "target_below_floor"),
        ("recall_floor: 0.35, target: 0.6", "half_a_target"),
        ("recall_floor: 0.35, by: go_live", "half_a_target"),
        ("recall_floor: 0.35, target: 0.6, by: kickoff - 1d", "target_outside"),
        ("recall_floor: 0.35, target: 0.6, by: kickoff", "target_outside"),
        ("recall_floor: 0.35, target: 0.6, by: go_live + 90d", "target_outside"),
    ],
)
def test_a_target_that_cannot_be_meant_is_an_error(cadence: str, code: str, tmp_path: Path) -> None:
    assert codes(tmp_path, recalling(cadence)) == [code]


def test_an_experiment_needs_a_message_by_recall(tmp_path: Path) -> None:
    trial = "audience:\n"
    assert codes(tmp_path, slip(trial, "experiment: {arms: [recall, every: 48h]}\naudience:\n")) == ["idle_experiment"]


@pytest.mark.parametrize(("size", "small"), [(60, []), (12, ["'recall' and 'every 48h'"]), (24, ["'every 48h'"])])
def test_an_arm_too_small_to_be_shown_is_told_beforehand(size: int, small: list[str], tmp_path: Path) -> None:
    text = recalling("recall_floor: 0.35").replace(
        "audience:\n", "experiment: {arms: [recall, every: 48h]}\naudience:\n"
    )
    people = [*PEOPLE, *(someone(number, department="Sales") for number in range(size - len(PEOPLE)))]
    told = [problem.message for problem in checked(tmp_path, text, people).problems if problem.code == "small_arm"]
    assert told == [f"Fewer than 10 people are drawn for {each}; results of so few are not shown." for each in small]


def test_a_wrong_floor_is_one_error_also_in_an_experiment(tmp_path: Path) -> None:
    text = recalling("recall_floor: 35").replace("audience:\n", "experiment: {arms: [recall, every: 48h]}\naudience:\n")
    assert len(codes(tmp_path, text)) == 1
    assert codes(tmp_path, text) != ["idle_experiment"]


@pytest.mark.parametrize(
    "check",
    [
        "{question: ' ', answers: [a, b], right: a, because: b}",
        "{question: Q, answers: [a, ' '], right: a, because: b}",
        "{question: Q, answers: [a, b], right: a, because: ' '}",
        "{question: Q, answers: [a, 'A '], right: a, because: b}",
    ],
)
def test_a_check_that_says_nothing_or_the_same_twice_is_an_error(check: str, tmp_path: Path) -> None:
    assert len(codes(tmp_path, slip("id: one-record", f"id: one-record\n    checks: [{check}]"))) == 1


def test_repeating_until_recalled_needs_a_question(tmp_path: Path) -> None:
    assert codes(tmp_path, slip("id: one-record", "id: one-record\n    repeat_until: recalled")) == ["never_recalled"]


ONE = "{question: Q, answers: [a, b], right: a, because: b%s}"


@pytest.mark.parametrize(
    ("more", "checks", "code"),
    [
        ("", (", baseline: true, transfer: true", ""), "first_and_last"),
        ("", (", baseline: true", ", baseline: true"), "two_of_baseline"),
        ("", (", transfer: true", ", transfer: true"), "two_of_transfer"),
        ("ask: check", (", transfer: true",), "nothing_to_ask"),
        ("repeat_until: acknowledged", (", transfer: true", ""), "no_end_to_wait_for"),
        ("repeat_until: recalled", ("",), "shows_who_was_right"),
    ],
)
def test_checks_that_cannot_be_asked_as_the_plan_says(
    tmp_path: Path, more: str, checks: tuple[str, ...], code: str
) -> None:
    written = ", ".join(ONE % each for each in checks)
    text = slip("id: one-record", f"id: one-record\n    checks: [{written}]" + (f"\n    {more}" if more else ""))
    assert codes(tmp_path, text) == [code]


@pytest.mark.parametrize(("mode", "code"), [("person", ["dates_tell"]), ("role", []), ("off", ["recall_off"])])
def test_what_a_mode_makes_of_a_message_by_recall(tmp_path: Path, mode: str, code: list[str]) -> None:
    (tmp_path / "workspace.yaml").write_text(f"recall: {mode}\n")
    text = slip("cadence: {every: 48h, times: 6}", f"cadence: {{recall_floor: 0.35}}\n    checks: [{ONE % ''}]")
    assert codes(tmp_path, text, "advice") == code


@pytest.mark.parametrize(
    ("text", "behind"),
    [
        ("Complaints go to desk #3 from Monday on.", "#3 from Monday on."),
        ("Complaints go to\n      desk #3 from Monday on.", "#3 from Monday on."),
        ("Write to #help.", "#help."),
    ],
)
def test_a_text_that_ends_before_a_hash_is_told(tmp_path: Path, text: str, behind: str) -> None:
    (problem,) = checked(tmp_path, slip("Every conversation is logged in one record.", text)).problems
    assert (problem.code, problem.line, problem.column) == ("cut_short", 29, 16)
    assert behind in problem.message


@pytest.mark.parametrize("text", ["One record. # what people read", '"Desk #3"', "Desk#3", "One record.   #"])
def test_a_comment_that_is_meant_needs_no_advice(tmp_path: Path, text: str) -> None:
    assert checked(tmp_path, slip("Every conversation is logged in one record.", text)).problems == ()


def test_what_is_left_of_other_tools_is_advice_where_it_stands(tmp_path: Path) -> None:
    result = checked(tmp_path, slip("Your colleague reads them.", '"Hello [First Name]"'))
    assert said(result) == [(33, 40, "unfinished")]
    assert result.ok


def test_a_title_that_selects_is_told_to_take_another_column(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, slip("{department: [Sales]}", "{title: [Seller], department: [Sales]}")).problems
    assert "Select by another column." in str(problem)


def test_two_roles_of_one_title_are_told(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, slip("{rest: true}", "{rest: true, title: Sales}")).problems
    assert (problem.code, problem.severity) == ("same_title", "error")
