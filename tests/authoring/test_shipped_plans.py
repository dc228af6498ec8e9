from collections import Counter
from gettext import NullTranslations
from pathlib import Path

import pytest

from commsengine.authoring.check import CheckResult, check
from commsengine.authoring.plan_file import review_plan
from commsengine.cadence.audience import role_of
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from tests.pseudo import in_place_of

ROOT = Path(__file__).parents[2]


def checked(name: str) -> CheckResult:
    templates = load_templates(shipped_folder(), None)
    return check(ROOT / "schedules" / name, root=ROOT, people=None, templates=templates)


@pytest.mark.parametrize(
    ("name", "advice"), [("crm-rollout.yaml", ["language_without_texts"]), ("process-interviews.yaml", [])]
)
def test_shipped_plans_are_sound(name: str, advice: list[str]) -> None:
    with in_place_of("de", NullTranslations()):
        result = checked(name)
    assert ([problem.code for problem in result.problems], result.ok) == (advice, True)


def test_the_rollout_is_for_240_people_of_5_countries_12_departments_and_4_roles() -> None:
    people = checked("crm-rollout.yaml").people or ()
    draft = review_plan(ROOT / "schedules/crm-rollout.yaml", root=ROOT).draft
    assert draft is not None
    assert (len(people), len({p.country for p in people}), len({p.department for p in people})) == (240, 5, 12)
    found = Counter(role for person in people if (role := role_of(draft.plan, person)))
    assert found == {"managers": 35, "sales": 53, "service": 59, "others": 92}
    assert all(p.email.endswith("@example.com") for p in people)


def test_the_rollout_has_leave_part_time_and_people_without_slack() -> None:
    people = checked("crm-rollout.yaml").people or ()
    some = Counter(leave=sum(bool(p.leave) for p in people), part=sum(p.days is not None for p in people))
    assert (some["leave"] > 30, some["part"] > 15, sum(not p.slack_id for p in people) > 30) == (True, True, True)
    assert [p.email for p in people if not p.manager] == ["sam.okafor@example.com"]


def test_the_interviews_end_with_the_lead_and_never_with_the_sponsor() -> None:
    result = checked("process-interviews.yaml")
    assert result.plan is not None
    (message,) = result.plan.messages
    assert [(rung.do, rung.by) for rung in result.plan.ladder(message)] == [("personal", "lead")]
    assert (len(result.people or ()), message.cadence.times) == (12, 2)


def test_the_rollout_is_there_in_german_as_a_whole() -> None:
    draft = review_plan(ROOT / "schedules/crm-rollout.yaml", root=ROOT).draft
    assert draft is not None
    plan = draft.plan
    assert plan.to_translate <= plan.translations["de"].keys()
    assert plan.in_language("de-AT").message("one-record").checks[0].right == "Im Kundendatensatz"
