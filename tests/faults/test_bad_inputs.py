"""The 44 bad inputs, each through the command line: status, place, cause, fix; no traceback, and nothing half-done."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.terminal import Said
from tests.faults.bad_inputs import BAD_INPUTS
from tests.faults.bad_inputs.case import Attempt, BadInput, Workspace

_ERROR = re.compile(r"^(\S+): error: (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Made once; each attempt works on a copy."""
    return Workspace.make(tmp_path_factory.mktemp("before") / "workspace")


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=str)
def test_bad_input(bad: BadInput, before: Workspace, tmp_path: Path) -> None:
    for number, attempt in enumerate(bad.attempts):
        folder = tmp_path / str(number) / "workspace"
        shutil.copytree(before.folder, folder)
        attempt.prepare(folder)
        stood = Workspace(folder).files
        all_of_them = number == 0 or attempt.done  # the first form is also applied; check alone tells the others apart
        said = attempt.here(folder, attempt.commands if all_of_them else attempt.commands[:1])
        folder.chmod(0o755)
        assert_told(attempt, said[-1], folder)
        if not attempt.done:
            for each in said[:-1]:
                assert_told(attempt, each, folder)
            assert Workspace(folder).files == stood


def assert_told(attempt: Attempt, said: Said, folder: Path) -> None:
    words = said.out + said.err
    assert said.status == attempt.status, words
    told = [(place.removeprefix(f"{folder}/"), text) for place, text in _ERROR.findall(words)]
    assert sorted(place for place, _ in told) == sorted(error.place for error in attempt.errors), words
    for error in attempt.errors:
        assert any(place == error.place and _cause_then_fix(text, error.cause, error.fix) for place, text in told), (
            words
        )
    for text in attempt.says:
        assert text in words
    assert not any(text in words for text in ("Traceback", "a defect in it", *attempt.never)), words


def _cause_then_fix(text: str, cause: str, fix: str) -> bool:
    """The cause first, then the fix, each told once."""
    why, found, _ = text.partition(fix)
    return bool(found) and why.count(cause) == 1


def test_there_are_44_each_with_its_number() -> None:
    assert [bad.number for bad in BAD_INPUTS] == list(range(1, 45))
