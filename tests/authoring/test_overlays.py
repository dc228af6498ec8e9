"""Files beside a plan that have its texts in another language, and how they are kept up to date."""

from __future__ import annotations

import json
import random
import re
from gettext import NullTranslations
from pathlib import Path

import pytest

from commsengine.authoring.check import check
from commsengine.authoring.languages.overlay import overlay_files, plan_of
from commsengine.authoring.languages.update import Translated, translated
from commsengine.authoring.plan_file import review_plan
from commsengine.cadence.plan import Plan
from commsengine.cadence.population import ListedPeople
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.errors import InputError
from tests.authoring.written import PLAN, slip, write
from tests.builders import someone
from tests.pseudo import in_place_of

TEMPLATES = load_templates(shipped_folder(), None)
WHOLE = PLAN.replace(
    "    ask: input\n    input: {question: What must never get harder for you?}\n",
    "    ask: check\n    checks: [{question: Where?, answers: [Here, There], right: There, because: It is.}]\n",
)
CALLED = "plan.de.yaml"


def plan_in(folder: Path, text: str = WHOLE) -> Plan:
    draft = review_plan(write(folder, text), root=folder).draft
    assert draft is not None
    return draft.plan


def update(folder: Path, text: str = WHOLE, code: str = "de") -> Translated:
    found = translated(plan_in(folder, text), folder / "plan.yaml", code, "en")
    found.write()
    return found


def text_of(folder: Path) -> str:
    return (folder / CALLED).read_text(encoding="utf-8")


def fill(folder: Path, said: str = "de: {}") -> None:
    """Everything is translated: what is empty says the text above it."""
    lines, above = [], ""
    for line in text_of(folder).splitlines():
        found = re.fullmatch(r"\s*# en: (.*)", line)
        above = found[1] if found else above
        lines.append(line.replace('""', f'"{said.format(above)}"') if line.endswith('""') else line)
    (folder / CALLED).write_text("\n".join(lines) + "\n", encoding="utf-8")


def problems(folder: Path, text: str = WHOLE, people: int = 0) -> list[tuple[str, str, int, int]]:
    path = write(folder, text)
    found = check(path, root=folder, people=ListedPeople(tuple(someone(n) for n in range(people))), templates=TEMPLATES)
    return [(p.code, Path(p.file).name, p.line, p.column) for p in found.problems if Path(p.file).name != "plan.yaml"]


@pytest.fixture(autouse=True)
def german() -> object:
    with in_place_of("de", NullTranslations()):
        yield


# -- begun and brought up to date -----------------------------------------------------------------


def test_a_new_file_has_every_text_empty_below_the_one_it_says(tmp_path: Path) -> None:
    found = update(tmp_path)
    plan = plan_in(tmp_path)
    assert (found.begun, set(found.updated.missing)) == (True, plan.to_translate)
    assert '# en: One customer record\ntitle: ""\n' in text_of(tmp_path)
    assert '    checks:\n      # en: Where?\n      - question: ""\n        answers:\n          # en: Here\n' in text_of(
        tmp_path
    )
    assert plan.translations == {}


def test_what_is_written_there_is_in_the_plan(tmp_path: Path) -> None:
    update(tmp_path)
    fill(tmp_path)
    plan = plan_in(tmp_path)
    assert plan.in_language("de").title == "de: One customer record"
    assert plan.to_translate <= plan.translations["de"].keys()
    assert problems(tmp_path) == []


def test_up_to_date_it_stays_byte_for_byte(tmp_path: Path) -> None:
    update(tmp_path)
    assert update(tmp_path).changed is False
    fill(tmp_path)
    update(tmp_path)
    before = text_of(tmp_path)
    assert (update(tmp_path).changed, text_of(tmp_path)) == (False, before)


def test_what_the_plan_has_changed_is_marked_until_the_mark_is_taken_away(tmp_path: Path) -> None:
    update(tmp_path)
    fill(tmp_path)
    changed = WHOLE.replace("title: One customer record", "title: One list")
    assert problems(tmp_path, changed) == [("outdated_translation", CALLED, 6, 8)]
    assert update(tmp_path, changed).updated.outdated == ["title"]
    marked = '# changed, was: One customer record\n# en: One list\ntitle: "de: One customer record"\n'
    assert marked in text_of(tmp_path)
    again = WHOLE.replace("title: One customer record", "title: One big list")
    assert update(tmp_path, again).updated.outdated == ["title"]
    assert "# changed, was: One customer record\n# en: One big list\n" in text_of(tmp_path)
    file = tmp_path / CALLED
    file.write_text(text_of(tmp_path).replace("# changed, was: One customer record\n", ""), encoding="utf-8")
    assert update(tmp_path, again).updated.outdated == []
    assert problems(tmp_path, again) == []


def test_a_text_that_is_as_it_was_again_is_no_longer_marked(tmp_path: Path) -> None:
    update(tmp_path)
    fill(tmp_path)
    update(tmp_path, WHOLE.replace("title: One customer record", "title: One list"))
    assert update(tmp_path).updated.outdated == []
    assert "changed, was: One" not in text_of(tmp_path)


def test_an_answer_made_of_another_one_is_not_used(tmp_path: Path) -> None:
    update(tmp_path)
    fill(tmp_path)
    turned = WHOLE.replace("answers: [Here, There]", "answers: [There, Here]")
    plan = plan_in(tmp_path, turned)
    assert not [name for name in plan.translations["de"] if ".answers." in name]
    assert {code for code, *_place in problems(tmp_path, turned)} == {"outdated_translation"}
    update(tmp_path, turned)
    (message, _other) = plan_in(tmp_path, turned).in_language("de").messages
    assert (message.checks[0].answers, message.checks[0].right) == (("de: There", "de: Here"), "de: There")


def test_texts_that_are_gone_stand_at_the_end_and_come_back(tmp_path: Path) -> None:
    update(tmp_path)
    fill(tmp_path)
    without = WHOLE[: WHOLE.index("  - id: one-record")] + WHOLE[WHOLE.index("follow_up:") :]
    assert ("unknown_message", CALLED) in [found[:2] for found in problems(tmp_path, without)]
    gone = update(tmp_path, without).updated.gone
    assert "messages.one-record.key_point" in gone
    tail = text_of(tmp_path).partition("## The plan has no such texts")[2]
    assert "# gone: messages.one-record.key_point\n#   de: Every conversation is logged in one record.\n" in tail
    assert problems(tmp_path, without) == []
    assert update(tmp_path, without).changed is False
    assert update(tmp_path).updated.missing == []
    assert "gone" not in text_of(tmp_path)


def test_a_message_with_another_id_takes_its_translations_along(tmp_path: Path) -> None:
    update(tmp_path)
    fill(tmp_path)
    found = update(tmp_path, WHOLE.replace("id: one-record", "id: single-record")).updated
    assert (found.missing, found.gone) == ([], [])


def test_comments_of_translators_stay_where_they_are(tmp_path: Path) -> None:
    update(tmp_path)
    fill(tmp_path)
    text = text_of(tmp_path)
    text = text.replace("# en: One customer record", "# ask Kim about this\n# en: One customer record")
    text = text.replace("messages:\n", "# the messages  # really\nmessages: # below\n")
    text = text.replace("    # en: Every conversation", "    # formal\n    # en: Every conversation") + "# the end\n"
    (tmp_path / CALLED).write_text(text, encoding="utf-8")
    update(tmp_path)
    new = text_of(tmp_path)
    assert "# ask Kim about this\n# en: One customer record\n" in new
    assert "# the messages  # really\n# below\nmessages:\n" in new
    assert "    # formal\n    # en: Every conversation" in new
    assert new.endswith("# the end\n")
    assert update(tmp_path).changed is False


@pytest.mark.parametrize("seed", range(15))
def test_no_word_is_lost_however_a_file_was_written(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - dice
    update(tmp_path)
    words = iter(range(10_000))

    def said() -> str:
        text = f"w{next(words)} {dice.choice(['ä: b', '# c', 'x # y', '- z', '“q” ' + chr(34), 'plain', '{{ a }}'])}"
        return text * dice.choice([1, 1, 9]) + dice.choice(["", "", "\n", "\nw", "\n\n  w\nv\n", " ", "\t"])

    lines = []
    for line in text_of(tmp_path).splitlines():
        if dice.random() < 0.2:
            lines.append(" " * (len(line) - len(line.lstrip())) + f"# w{next(words)} a note")
        filled = line.endswith('""') and dice.random() < 0.8
        lines.append(line[:-2] + json.dumps(said(), ensure_ascii=False) if filled else line)
    (tmp_path / CALLED).write_text("\n".join(lines) + "\n", encoding="utf-8")
    before = plan_in(tmp_path).translations.get("de", {})
    known = set(re.findall(r"w\d+", text_of(tmp_path)))
    update(tmp_path)
    assert plan_in(tmp_path).translations.get("de", {}) == before
    assert set(re.findall(r"w\d+", text_of(tmp_path))) == known
    assert update(tmp_path).changed is False
    cut = WHOLE[: WHOLE.index("  - id: one-record")] + WHOLE[WHOLE.index("follow_up:") :]
    update(tmp_path, cut)
    assert set(re.findall(r"w\d+", text_of(tmp_path))) == known
    update(tmp_path)
    assert set(re.findall(r"w\d+", text_of(tmp_path))) == known


# -- what can be wrong with one -------------------------------------------------------------------

BEGUN = 'title: "a"\nmessages:\n  - id: one-record\n    '


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (BEGUN + "from: kickoff\n", "no_text", (4, 5)),
        (BEGUN + "keypoint: x\n", "unknown_text", (4, 5)),
        (BEGUN + "subject: x\n", "unknown_text", (4, 5)),
        (BEGUN + "text: [one, two]\n", "wrong_number", (4, 5)),
        (BEGUN + "text: one\n", "bad_value", (4, 5)),
        (BEGUN + "key_point: [a, b]\n", "bad_value", (4, 5)),
        (BEGUN + "key_point: Ab {{ milestones.kick }}\n", "text", (4, 33)),
        (BEGUN + "key_point: Ab {{ pers\n", "text", (4, 16)),
        (BEGUN + "key_point: |\n      a\n      b\n", "line_break", (4, 16)),
        (BEGUN + "link: http://x.example.com\n", "link", (4, 11)),
        (BEGUN + "key_point: xoxb-1234567890-abcdefghijkl\n", "secret", (4, 16)),
        ("messages:\n  - id: other\n    key_point: x\n", "unknown_message", (2, 5)),
        ("messages:\n  - key_point: x\n", "missing", (2, 5)),
        ("messages:\n  - id: one-record\n  - id: one-record\n    key_point: x\n", "duplicate_message", (3, 5)),
        ("messages:\n  - id: how-you-work\n    checks: [{answers: [a, b, c]}]\n", "wrong_number", (3, 15)),
        ("messages:\n  - id: how-you-work\n    checks: [{answers: [a, A]}]\n", "twice", (3, 28)),
        ("messages:\n  - id: how-you-work\n    checks: [{right: a}]\n", "no_text", (3, 15)),
        ("audience: {roles: {sale: {title: x}}}\n", "unknown_text", (1, 20)),
        ("campaign: crm-de\n", "no_text", (1, 1)),
        ("titel: x\n", "unknown_text", (1, 1)),
        ("title: a\ntitle: b\n", "duplicate_key", (2, 1)),
        ("- a\n", "not_a_mapping", (1, 1)),
        ("title: [\n", "yaml", (2, 1)),
        ("", "empty", (1, 1)),
    ],
)  # fmt: skip
def test_each_slip_is_one_error_at_its_place(tmp_path: Path, text: str, code: str, place: tuple[int, int]) -> None:
    write(tmp_path, text, CALLED)
    found = check(write(tmp_path, WHOLE), root=tmp_path, people=ListedPeople((someone(1),)), templates=TEMPLATES)
    errors = [p for p in found.problems if p.severity == "error" and not p.file.endswith("plan.yaml")]
    assert [(p.code, Path(p.file).name, p.line, p.column) for p in errors] == [(code, CALLED, *place)]
    assert all(problem.message and problem.fix for problem in errors)


@pytest.mark.parametrize(("name", "code"), [("plan.xq.yaml", "unknown_language"), ("plan.en.yaml", "own_language")])
def test_a_file_of_no_other_language_is_an_error(tmp_path: Path, name: str, code: str) -> None:
    write(tmp_path, "title: x\n", name)
    assert problems(tmp_path) == [(code, name, 1, 1)]


def test_a_plan_of_quoted_keys_is_no_overlay_of_itself_or_of_another(tmp_path: Path) -> None:
    quoted = WHOLE.replace("campaign:", '"campaign":', 1)
    plan, other = write(tmp_path, quoted), write(tmp_path, quoted, "plan.v2.yaml")
    assert (overlay_files(plan), plan_of(other)) == ([], other)


def test_an_overlay_stands_for_its_plan_and_a_plan_with_a_dot_for_itself(tmp_path: Path) -> None:
    plan, overlay = write(tmp_path, WHOLE), write(tmp_path, "title: x\n", CALLED)
    other = write(tmp_path, WHOLE, "plan.old.yaml")
    assert (plan_of(overlay), plan_of(plan), plan_of(other)) == (plan, plan, other)
    assert plan_of(tmp_path / "no.de.yaml") == tmp_path / "no.de.yaml"
    assert problems(tmp_path) != []
    review = review_plan(overlay, root=tmp_path)
    assert review.draft is not None
    assert review.draft.plan.in_language("de").title == "x"


def test_a_plan_file_has_no_translations_of_its_own(tmp_path: Path) -> None:
    found = review_plan(write(tmp_path, f"{WHOLE}translations: {{de: {{title: x}}}}\n"), root=tmp_path)
    assert [(problem.code, problem.line) for problem in found.errors] == [("unknown_key", WHOLE.count("\n") + 1)]


def test_a_plan_with_a_slip_says_that_alone(tmp_path: Path) -> None:
    write(tmp_path, "titel: x\n", CALLED)
    found = review_plan(write(tmp_path, WHOLE.replace("from: kickoff\n", "from: kikoff\n")), root=tmp_path)
    assert {Path(problem.file).name for problem in found.errors} == {"plan.yaml"}


def test_advice_counts_the_people_whose_language_the_plan_does_not_have(tmp_path: Path) -> None:
    people = [someone(1, language="de"), someone(2, language="ko"), someone(3, language="ko-KR"), someone(4)]
    found = check(
        write(tmp_path, PLAN), root=tmp_path, people=ListedPeople(tuple(people)), templates=TEMPLATES
    ).problems
    (advice,) = [problem.message for problem in found if problem.code == "language_without_texts"]
    assert "ko (2 people), de (1 person)" in advice
    update(tmp_path, PLAN)
    found = check(
        tmp_path / "plan.yaml", root=tmp_path, people=ListedPeople(tuple(people)), templates=TEMPLATES
    ).problems
    (advice,) = [problem.message for problem in found if problem.code == "language_without_texts"]
    assert "de" not in advice.partition(":")[2].partition(".")[0]


def test_a_file_that_cannot_be_brought_up_to_date_stays_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, "title: a\ntitle: b\n", CALLED)
    with pytest.raises(InputError):
        update(tmp_path)
    assert text_of(tmp_path) == "title: a\ntitle: b\n"


@pytest.mark.parametrize(("code", "said"), [("xq", "not a known language"), ("en", "itself is in English")])
def test_only_another_language_can_be_begun(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        update(tmp_path, code=code)


def test_a_text_that_the_plan_says_in_another_way_is_told_once(tmp_path: Path) -> None:
    update(tmp_path, slip("title: One customer record", "title: One customer record"))
    assert len([one for one in problems(tmp_path, PLAN) if one[0] == "missing_translation"]) == 11
