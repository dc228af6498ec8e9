"""Errors of all slips that other tests make, in a language that marks every text: no word is unmarked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commsengine.authoring.check import check
from commsengine.authoring.json_schema import plan_schema
from commsengine.authoring.people.people_file import load_people
from commsengine.authoring.people.time_zones import zone_fix
from commsengine.authoring.plan_file import review_plan
from commsengine.authoring.workspace_file import load_workspace
from commsengine.cadence.population import ListedPeople
from commsengine.errors import InputError, Problem
from commsengine.text import listed, no_such
from tests.authoring import test_check, test_people_file, test_plan_file, test_workspace_file
from tests.authoring.written import slip, write
from tests.pseudo import in_pseudo, untranslated

KEY = re.compile(r"^\w+: ")
"""A validator's text stands behind the key that it is about."""


def strays(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """Each problem with words that the catalog does not have, and these words."""
    found = {f"{KEY.sub('', each.message)} {each.fix}" for each in problems}
    return {text: words for text in found if (words := untranslated(text))}


@contextmanager
def told(problems: list[Problem]) -> Iterator[None]:
    with pytest.raises(InputError) as raised:
        yield
    problems += raised.value.problems


def test_what_is_wrong_with_a_plan_is_in_the_catalog(tmp_path: Path) -> None:
    slips = [text for text, *_ in test_plan_file.SLIPS.values()]
    with in_pseudo():
        for text in [*slips, *(text for text, _ in test_check.ADVICE.values())]:
            assert strays(review_plan(write(tmp_path, text), root=tmp_path).problems) == {}


def test_what_is_wrong_with_the_people_of_a_plan_is_in_the_catalog(tmp_path: Path) -> None:
    with in_pseudo():
        for asked, *_ in test_check.ROLES.values():
            plan = write(tmp_path, slip("{department: [Sales]}", "{department: " + asked + "}"))
            found = check(plan, root=tmp_path, people=ListedPeople(test_check.PEOPLE), templates=test_check.TEMPLATES)
            assert found.problems
            assert strays(found.problems) == {}


def test_what_is_wrong_with_people_is_in_the_catalog(tmp_path: Path) -> None:
    sound, problems = f"{test_people_file.HEADER}\n1,ana@example.com,Ana\n", list[Problem]()
    with in_pseudo():
        for row, *_ in test_people_file.ROWS.values():
            problems += load_people(write(tmp_path, f"{sound}{row}\n", "people.csv")).rejected
        for name, (text, *_) in test_people_file.FILES.items():
            with told(problems):
                load_people(write(tmp_path, text, f"{name}.csv"))
    assert len(problems) >= len(test_people_file.ROWS) + len(test_people_file.FILES)
    assert strays(problems) == {}


def test_what_is_wrong_with_a_workspace_is_in_the_catalog(tmp_path: Path) -> None:
    problems: list[Problem] = []
    with in_pseudo():
        for text, *_ in test_workspace_file.SLIPS.values():
            with told(problems):
                load_workspace(write(tmp_path, text, "workspace.yaml"))
    assert strays(problems) == {}


def test_a_problem_names_its_severity_in_the_language_in_use() -> None:
    problem = Problem("plan.yaml", 1, 2, "code", "⟦cause⟧", "⟦fix⟧", "advice")
    with in_pseudo():
        assert str(problem) == "plan.yaml:1:2: ⟦advice⟧: ⟦cause⟧ ⟦fix⟧"


def test_a_list_of_names_is_a_text_of_its_own() -> None:
    with in_pseudo():
        assert untranslated(listed(["a", "b", "c"], "and")) == []
        assert no_such("role", "sal", ["sale", "salt"]).count("⟦") == 3


def test_a_remedy_is_looked_up_once_for_each_language() -> None:
    before = zone_fix("Europe/Berlim")
    with in_pseudo():
        assert str(zone_fix("Europe/Berlim")).startswith("⟦Did you mean ⟦'Europe/Berlin'")
    assert zone_fix("Europe/Berlim") == before


def test_the_schema_for_editors_is_in_the_language_in_use() -> None:
    with in_pseudo():
        assert str(plan_schema()["properties"]["title"]["description"]).startswith("⟦")
    assert "⟦" not in str(plan_schema())
