"""Whom an import brings into a running campaign, and when they get their first message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commsengine.cadence.people import Person
from commsengine.cadence.plan import Workspace
from commsengine.engine.decisions import Decisions
from commsengine.planning.new_people import LOOKED_AT, Joining, joining
from commsengine.store.store import Store
from tests.builders import ANA, BEN, MIA, a_plan, someone, utc
from tests.store.scene import running

NOW = utc("2027-01-15 20:00")
"""Friday evening in Berlin."""
SEND = {"channels": ["email"], "time_zone": "Europe/Berlin"}
ROLES: dict[str, Any] = {"audience": {"roles": {"sales": {"department": ["Sales"]}}}, "wiifm": {}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Ana and Mia are known; ``crm`` runs and is for Sales."""
    with Store.create(f"sqlite:///{tmp_path / 'new.db'}") as made:
        yield running(made, [ANA, MIA], send=SEND, **ROLES)


def joined(store: Store, *people: Person) -> list[Joining]:
    return joining(store, Decisions(store, Workspace()), store.people.difference(people), NOW)


def test_the_first_message_is_that_of_the_person(store: Store) -> None:
    seoul, riyadh = replace(BEN, time_zone="Asia/Seoul", country="KR"), replace(BEN, time_zone="Asia/Riyadh")
    assert joined(store, seoul) == [Joining("crm", 1, utc("2027-01-18 00:00"), 1, "Europe/Berlin")]
    (there,) = joined(store, replace(riyadh, country="SA"))
    assert there.first_at == utc("2027-01-17 06:00")


def test_a_new_department_brings_somebody_in(store: Store) -> None:
    assert joined(store, replace(ANA, department="Sales"))[0].people == 1
    assert joined(store, replace(ANA, phone="1"), replace(MIA, phone="1"), someone(1, department="IT")) == []


def test_of_many_people_some_are_asked(store: Store) -> None:
    (many,) = joined(store, *(someone(number) for number in range(100)))
    assert (many.people, many.looked_at <= LOOKED_AT, many.first_at) == (100, True, utc("2027-01-18 08:00"))


def test_a_campaign_with_people_of_its_own_is_joined_by_no_import(store: Store) -> None:
    plan = a_plan(audience={"people": "list.csv", **ROLES["audience"]}, wiifm={}, send=SEND)
    store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=NOW)
    assert joined(store, someone(1)) == []
