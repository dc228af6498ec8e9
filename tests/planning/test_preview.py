"""A preview and a simulation need no workspace: a page can ask for them as a command does."""

from __future__ import annotations

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.cadence.population import ListedPeople
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.errors import InputError
from commsengine.planning.plan_on_disk import CheckedPlan, PlanningBasis, outlook
from commsengine.planning.preview import PreviewBasis, preview_people, previews
from tests.builders import ANA, BEN, MIA, a_message, a_plan, someone, utc

PLAN = CheckedPlan(a_plan(a_message()), ListedPeople((ANA, BEN, MIA)))
BASIS = PreviewBasis(
    Workspace(), load_templates(shipped_folder(), None), "http://127.0.0.1:8080", frozenset({"email"}), None
)


def test_a_touch_is_shown_by_the_channel_that_will_carry_it() -> None:
    [person] = preview_people(PLAN, email="ana@example.com", role=None)
    shown = next(previews(BASIS, PLAN, person, message="one-record")).as_data()
    assert (shown["person"], shown["channel"], shown["goes_out"]) == ("ana@example.com", "email", True)
    assert "Every customer conversation is logged in one record." in shown["text"]


def test_one_person_of_every_role_is_shown() -> None:
    assert len(preview_people(PLAN, email=None, role=None)) == len(PLAN.plan.audience.roles)


def test_an_unknown_message_is_refused_with_the_near_names() -> None:
    with pytest.raises(InputError, match=r"'one-recrod'\. Did you mean one-record"):
        next(previews(BASIS, PLAN, ANA, message="one-recrod"))


def test_a_plan_is_simulated_before_there_is_a_database() -> None:
    basis = PlanningBasis(Workspace(), frozenset({"email"}), None, utc("2027-01-04"))
    seen = outlook(basis, PLAN)
    data = seen.as_data()
    assert (data["campaign"], data["summary"]["audience"]) == (PLAN.plan.campaign, 3)
    assert {touch["channel"] for touch in data["touches"]} <= {"email", "personal"}
    assert data["touches"]


def test_of_a_large_audience_some_are_looked_at_and_counted_for_all() -> None:
    everybody = CheckedPlan(PLAN.plan, ListedPeople(tuple(someone(n) for n in range(1, 25))))
    basis = PlanningBasis(Workspace(), frozenset({"email"}), None, utc("2027-01-04"))
    whole, some = outlook(basis, everybody).summary(), outlook(basis, everybody, most=12)
    assert (whole["exact"], whole["looked_at"]) == (True, 24)
    assert {seen.person.email for seen in some.touches} == {someone(n).email for n in range(1, 25, 2)}
    their_own = ("exact", "looked_at", "compared", "moved_by_budget")
    assert (some.exact, some.looked_at) == (False, 12)
    assert [name for name, found in some.summary().items() if found != whole[name] and name not in their_own] == []
