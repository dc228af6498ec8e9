from dataclasses import replace

import pytest

from commsengine.cadence.audience import matches, role_of
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Audience, Role
from tests.builders import ANA, BEN, MIA

AUDIENCE = Audience.model_validate(
    {"roles": {"managers": {"is_manager": "true"}, "sales": {"department": ["Sales"]}, "seoul": {"office": "Seoul"}}}
)


@pytest.mark.parametrize(("person", "role"), [(MIA, "managers"), (BEN, "sales"), (ANA, None)])
def test_the_first_role_that_matches_in_the_plans_order(person: Person, role: str | None) -> None:
    assert role_of(AUDIENCE, person) == role


def test_a_role_may_ask_for_any_other_column() -> None:
    assert role_of(AUDIENCE, replace(ANA, attributes={"office": "Seoul"})) == "seoul"


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
