"""Exports of real shape, by system, language, encoding and format: each with the people who stand in it."""

import datetime as dt
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from commsengine.authoring.people.people_file import load_people
from commsengine.authoring.people.understanding import Understanding, sentences
from commsengine.cadence.people import Person
from tests.authoring.workbooks import FORMATS

EXPORTS = Path(__file__).parents[1] / "corpus" / "exports"
TODAY = dt.date(2026, 12, 1)
EXPECTED: dict[str, dict[str, Any]] = json.loads((EXPORTS / "expected.json").read_text(encoding="utf-8"))
WORKBOOKS: dict[str, dict[str, Any]] = json.loads((EXPORTS / "workbooks.json").read_text(encoding="utf-8"))
NOTHING = Person("", "")


def export(name: str, folder: Path) -> Path:
    """The file, or the workbook that is made of its cells."""
    if name not in WORKBOOKS:
        return EXPORTS / name
    (folder / name).write_bytes(FORMATS[WORKBOOKS[name]["format"]](WORKBOOKS[name]["sheets"]))
    return folder / name


def shown(person: Person) -> dict[str, Any]:
    """What is said of a person, as JSON has it."""
    said = {each.name: getattr(person, each.name) for each in fields(person) if each.name != "is_manager"}
    filled = {name: value for name, value in said.items() if value != getattr(NOTHING, name)}
    return {name: str(value) if isinstance(value, dt.date) else value for name, value in filled.items()}


def said(understood: Understanding, wanted: str) -> Any:
    if wanted == "ignored":
        return sorted(understood.ignored)
    if wanted == "emptied":
        return sum(understood.emptied.values())
    if wanted in ("left", "guests", "machines", "renamed"):
        return getattr(understood, wanted).count
    found = getattr(understood.source, wanted)
    return bool(found) if wanted == "repaired" else list(found) if isinstance(found, tuple) else found


def test_there_are_sixty_exports_and_each_has_its_people() -> None:
    files = {path.name for path in EXPORTS.iterdir()} - {"expected.json", "workbooks.json"}
    assert files | WORKBOOKS.keys() == EXPECTED.keys()
    assert len(EXPECTED) >= 60


@pytest.mark.parametrize("name", EXPECTED)
def test_an_export_gives_the_people_who_stand_in_it(name: str, tmp_path: Path) -> None:
    found = load_people(export(name, tmp_path), today=TODAY)
    assert [str(problem) for problem in found.rejected] == []
    assert [shown(person) for person in found.people] == EXPECTED[name]["people"]
    wanted = EXPECTED[name]["said"]
    assert {key: said(found.understood, key) for key in wanted} == wanted
    assert found.understood.people == len(found.people)
    assert sentences(found.understood)[0].startswith("Read as ")
