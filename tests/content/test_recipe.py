from __future__ import annotations

from commsengine.content.recipe import milestones_mentioned
from tests.builders import a_message, a_plan
from tests.content.desk import SHIPPED

PLAN = a_plan(
    a_message(key_point="Live on {{ milestones.go_live }}."),
    a_message(id="b", template="own", text="Nothing here."),
    milestones={"kickoff": "2027-01-11", "go-live": "2027-03-15", "go_live": "2027-03-15", "training": "2027-02-01"},
)


def test_milestones_in_texts_and_templates_are_found() -> None:
    templates = {**SHIPPED, "own": "{% if role %}{{ milestones['go-live'] }}{% endif %}"}
    assert milestones_mentioned(PLAN, PLAN.messages[0], templates) == {"go_live"}
    assert milestones_mentioned(PLAN, PLAN.messages[1], templates) == {"go-live"}


def test_the_wiifm_counts_for_every_message() -> None:
    plan = PLAN.model_copy(update={"wiifm": a_plan(wiifm={"sales": {"skills": "{{ milestones.training }}"}}).wiifm})
    assert milestones_mentioned(plan, plan.messages[0], SHIPPED) == {"go_live", "training"}
