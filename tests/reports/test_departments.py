"""The same question, answered by department."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commsengine.campaigns.known_campaign import known
from commsengine.reports.campaign_report import report
from commsengine.reports.departments import by_department, without_small_ones
from commsengine.reports.report_html import page
from commsengine.reports.report_json import as_data
from commsengine.store.store import Store
from tests import fresh
from tests.builders import a_message, a_plan, someone, utc

NOW = utc("2027-01-20")
QUESTION: dict[str, Any] = {"ask": "input", "input": {"question": "What must stay?"}}


def asked(folder: Path, sizes: Mapping[str, int]) -> Store:
    store = fresh.a_store(folder / "departments.db")
    departments = [name for name, size in sizes.items() for _ in range(size)]
    store.people.save([someone(n, department=name) for n, name in enumerate(departments)], by="dana", now=NOW)
    store.campaigns.save_version(a_plan(a_message(**QUESTION)), {}, "", introduced={}, by="dana", now=NOW)
    store.campaigns.start("crm", by="dana", now=NOW)
    for n, name in enumerate(departments):
        store.answers.record(
            someone(n).id, "crm", "one-record", "k", "input", value=f"{name} says {n}", evidence="link", by="x", now=NOW
        )
    return store


def test_the_owner_reads_every_department_by_name(tmp_path: Path) -> None:
    store = asked(tmp_path, {"Sales": 3, "Support": 1})
    (found,) = by_department(store, known(store, "crm"), NOW.date())
    assert [(each.department, each.people, len(each.given)) for each in found.departments] == [
        ("Sales", 3, 3), ("Support", 1, 1),
    ]  # fmt: skip
    assert found.departments[1].given[0].name == "Person 3"


def test_elsewhere_small_departments_stand_together_or_not_at_all(tmp_path: Path) -> None:
    store = asked(tmp_path, {"Sales": 10, "Support": 6, "Finance": 4})
    (found,) = by_department(store, known(store, "crm"), NOW.date())
    assert [(each.department, each.people) for each in without_small_ones(found).departments] == [
        ("Sales", 10), ("smaller departments", 10),
    ]  # fmt: skip
    (tmp_path / "few").mkdir()
    few = asked(tmp_path / "few", {"Sales": 10, "Support": 6, "Finance": 3})
    (found,) = by_department(few, known(few, "crm"), NOW.date())
    assert [each.department for each in without_small_ones(found).departments] == ["Sales"]


def test_the_report_has_them_side_by_side_and_names_no_one(tmp_path: Path) -> None:
    store = asked(tmp_path, {"Sales": 10, "Finance": 12, "Support": 3})
    seen = report(store, "crm", NOW)
    html, data = page(seen), as_data(seen)
    assert "Person 4" not in html
    assert [each["department"] for each in data["departments"][0]["departments"]] == ["Finance", "Sales"]
    assert "side by side" in html
    assert "Person" not in str(data["departments"])
