"""``people-columns.yaml``: kept as it was said, and refused with a place where it cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from commsengine.authoring.people.columns_file import columns_text, load_columns
from commsengine.errors import InputError

COLUMNS = {"Kst": "department", "Größe: cm": "size", 'A "b"': "-", "yes": "manager", "#": "no", "-": "Wert 1"}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(columns_text(COLUMNS), encoding="utf-8")
    assert load_columns(tmp_path / "c.yaml") == COLUMNS
    assert load_columns(tmp_path / "none.yaml") == {}


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("Kst: departmnt\n", (1, 1), "Did you mean 'department'?"),
        ("# a word\nKst:\n", (2, 1), "Kst"),
        ("Kst: manager\nBoss: manager\n", (2, 1), "'Kst' and 'Boss' cannot both be 'manager'."),
        ("- Kst\n", (1, 1), "The file is not made of 'key: value' lines."),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(
    tmp_path: Path, text: str, place: tuple[int, int], told: str
) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError) as refused:
        load_columns(tmp_path / "c.yaml")
    (problem,) = refused.value.problems
    assert told in f"{problem.message} {problem.fix}"
    assert (problem.line, problem.column) == place


def test_a_file_of_comments_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(columns_text({}))
    assert load_columns(tmp_path / "c.yaml") == {}
