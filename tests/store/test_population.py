"""The database counts a population as it is counted person by person."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest

from commsengine.cadence.audience import role_of
from commsengine.cadence.plan import Plan
from commsengine.cadence.population import ListedPeople, PeopleGroup, Population
from commsengine.store.population import PeopleOnRecord
from commsengine.store.store import Store
from tests.builders import ANA, BEN, MIA, a_message, a_plan, someone, utc

NOW, TODAY = utc("2027-01-05 09:00"), dt.date(2027, 1, 5)
SOON, GONE = dt.date(2027, 3, 1), dt.date(2026, 12, 1)
CROWD = (
    MIA,
    ANA,
    replace(BEN, days=frozenset({0, 1}), language="es"),
    *(someone(number, department=("Sales", "Legal")[number % 2]) for number in range(12)),
    someone(20, manager="", country="", attributes={"depot": "North", 'a "word"': "x"}),
    someone(21, left=SOON, attributes={"depot": "South"}),
    someone(22, left=GONE),
    someone(23, email="Sam@Example.com"),
)
ROLES = {
    "north": {"depot": ["North"]},
    "leads": {"is_manager": True},
    "sales": {"department": ["Sales"], "country": ["DE", "US"]},
    "others": {"rest": "true"},
}
BY_ROLE = a_plan(a_message(), audience={"roles": ROLES})
FOR_SOME = a_plan(a_message(), audience={"roles": {"legal": {"department": ["Legal", "None"]}}})


@pytest.fixture
def recorded(store: Store) -> PeopleOnRecord:
    store.people.save(CROWD, by="dana", now=NOW)
    return store.people.population()


@pytest.fixture
def listed(recorded: PeopleOnRecord) -> ListedPeople:
    return ListedPeople(tuple(recorded))


def seen(people: Population, *plans: Plan, day: dt.date) -> Counter[object]:
    found = Counter[object]()
    for group in people.groups(*plans, day=day):
        found[_about(group, plans, day)] += group.people
    return found


def _about(group: PeopleGroup, plans: tuple[Plan, ...], day: dt.date) -> object:
    one = group.first
    roles = tuple(role_of(plan, one) for plan in plans)
    about = (one.country, one.time_zone, one.language, one.days, one.is_manager, bool(one.manager))
    return (*roles, *about, one.left is None, one.has_left(day))


@pytest.mark.parametrize("plans", [(), (BY_ROLE,), (BY_ROLE, FOR_SOME)])
def test_groups_are_the_same(recorded: PeopleOnRecord, listed: ListedPeople, plans: tuple[Plan, ...]) -> None:
    for day in (TODAY, SOON, dt.date.max):
        groups = recorded.groups(*plans, day=day)
        assert seen(recorded, *plans, day=day) == seen(listed, *plans, day=day)
        assert groups == listed.groups(*plans, day=day)  # and so are those who stand for them
        assert sum(group.people for group in groups) == len(recorded) == len(CROWD)


def test_a_group_holds_only_people_of_one_role(listed: ListedPeople) -> None:
    roles = Counter(role_of(BY_ROLE, person) for person in listed)
    counted = Counter[str | None]()
    for group in listed.groups(BY_ROLE):
        counted[role_of(BY_ROLE, group.first)] += group.people
    assert counted == roles


def test_roles_are_the_same(recorded: PeopleOnRecord, listed: ListedPeople) -> None:
    for plan in (BY_ROLE, FOR_SOME):
        for day in (None, TODAY, SOON):
            assert sorted(recorded.roles(plan, day)) == sorted(listed.roles(plan, day))
    assert len(list(recorded.roles(BY_ROLE, SOON))) == len(CROWD) - 3  # two have left, and one is the sponsor


def test_columns_and_their_values_are_the_same(recorded: PeopleOnRecord, listed: ListedPeople) -> None:
    assert recorded.columns == listed.columns
    assert [name for name in recorded.columns if name in ("depot", 'a "word"')] == ['a "word"', "depot"]
    for column in (*listed.columns, "channel", "shoe size"):
        assert recorded.values(column) == listed.values(column)


def test_people_are_found_by_address_and_id(recorded: PeopleOnRecord, listed: ListedPeople) -> None:
    for word in ("mia", "MIA@example.com", "sam@example.com", "p00003", "nobody@example.com", ""):
        assert recorded.find(word) == listed.find(word)
    ids, emails = ["mia", "p00003", "x"], ["ana@example.com", "mia@example.com"]
    assert sorted(one.id for one in recorded.named(ids, emails)) == ["ana", "mia", "p00003"]
    assert sorted(one.id for one in listed.named(ids, emails)) == ["ana", "mia", "p00003"]


def test_a_sample_is_the_same(recorded: PeopleOnRecord, listed: ListedPeople) -> None:
    for step in (1, 2, 5, 100):
        assert sorted(one.id for one in recorded.every(step)) == sorted(one.id for one in listed.every(step))


def test_slips_and_a_few_where_nothing_is_near(recorded: PeopleOnRecord, listed: ListedPeople) -> None:
    assert recorded.near("mia@exmaple.com")[0] == listed.near("mia@exmaple.com")[0] == "mia@example.com"
    assert len(recorded.near("?")) == len(listed.near("?")) == 9


def test_who_leads_whom_is_the_same(recorded: PeopleOnRecord, listed: ListedPeople) -> None:
    assert [one.id for one in recorded.managers(5)] == [one.id for one in listed.managers(5)] == ["mia"]
    mia = recorded.find("mia")
    assert mia
    led = [sorted(each.person.id for each in people.reports(mia)) for people in (recorded, listed)]
    assert led[0] == led[1]
    assert len(led[0]) == len(CROWD) - 4  # without herself, who has no manager, and who has a last day


def test_a_roster_is_a_population(store: Store, recorded: PeopleOnRecord) -> None:
    store.people.set_roster("crm", ["ana", "ben"], NOW)
    roster = store.people.population("crm")
    assert (len(roster), [one.id for one in roster]) == (2, ["ana", "ben"])
    assert [group.people for group in roster.groups(BY_ROLE)] == [1, 1]
    assert (roster.values("department"), roster.find("mia")) == ({"Engineering": 1, "Sales": 1}, None)
    assert len(recorded) == len(CROWD)
