from dataclasses import replace

import pytest

from commsengine.cadence.audience import matches, role_of
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Role
from tests.builders import ANA, BEN, MIA, a_plan

ROLES = {"managers": {"is_manager": "true"}, "sales": {"department": ["Sales"]}, "seoul": {"office": "Seoul"}}
PLAN = a_plan(audience={"roles": ROLES})


@pytest.mark.parametrize(("person", "role"), [(MIA, "managers"), (BEN, "sales"), (ANA, None)])
def test_the_first_role_that_matches_in_the_plans_order(person: Person, role: str | None) -> None:
    assert role_of(PLAN, person) == role


def test_a_role_may_ask_for_any_other_column() -> None:
    assert role_of(PLAN, replace(ANA, attributes={"office": "Seoul"})) == "seoul"


@pytest.mark.parametrize(
    ("sponsor", "role"),
    [
        ("sam@example.com", "sales"),
        ("BEN@Example.com", None),
        ({"email": "ben@example.com"}, None),
        ({"email": "ben@example.com", "in_audience": "true"}, "sales"),
    ],
)
def test_the_sponsor_is_in_no_role_unless_the_plan_says_so(sponsor: object, role: str | None) -> None:
    assert role_of(a_plan(audience={"roles": ROLES}, sponsor=sponsor), BEN) == role


def test_the_rest_is_everybody() -> None:
    assert matches(Role(rest=True), ANA)


def test_all_columns_of_a_role_must_match() -> None:
    role = Role.model_validate({"department": ["Sales", "Support"], "country": "US"})
    assert matches(role, BEN)
    assert not matches(role, replace(BEN, country="DE"))


@pytest.mark.parametrize(("name", "first"), [("Ben Ortiz", "Ben"), ("", "ben"), ("  ", "ben")])
def test_the_first_name_is_never_empty(name: str, first: str) -> None:
    assert replace(BEN, name=name).first_name == first


def test_a_column_that_a_person_lacks_is_empty() -> None:
    assert (BEN.column("department"), BEN.column("office")) == ("Sales", "")
