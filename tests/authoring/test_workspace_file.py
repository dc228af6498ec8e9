import datetime as dt
from pathlib import Path

import pytest

from commsengine.authoring.workspace_file import load_workspace
from commsengine.cadence.plan import Workspace
from commsengine.errors import InputError
from tests.authoring.written import write


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_workspace(tmp_path / "workspace.yaml") == Workspace()


def test_every_rule_is_read(tmp_path: Path) -> None:
    text = """\
at_most: {per_day: 1, per_week: 2}
minimum_gap: 24h
black_out: [2026-12-24..2027-01-03, 2027-05-01]
follow_ups_per_day: 3
retention: 200 days
language: de
languages: [de, en]
"""
    workspace = load_workspace(write(tmp_path, text, "workspace.yaml"))
    assert (workspace.at_most.per_week, workspace.minimum_gap, workspace.follow_ups_per_day) == (2, 1440, 3)
    assert (workspace.retention, workspace.language, workspace.languages) == (288_000, "de", ("de", "en"))
    assert [(out.first, out.last) for out in workspace.black_out] == [
        (dt.date(2026, 12, 24), dt.date(2027, 1, 3)),
        (dt.date(2027, 5, 1), dt.date(2027, 5, 1)),
    ]


SLIPS = {
    "unknown key": ("at_mots: {per_day: 1}", "1:1", "Did you mean 'at_most'?"),
    "too high": ("at_most: {per_day: 50}", "1:20", "Write at most 10."),
    "black-out backwards": ("black_out: [2027-02-02..2027-02-01]", "1:13", "Write the earlier day first."),
    "no such day": ("black_out: [2027-02-30]", "1:13", "Check the month"),
    "no span": ("minimum_gap: soon", "1:14", "48h"),
    "language not spoken": ("language: fr\nlanguages: [en]", "1:11", "Add it to 'languages'."),
    "secret": ("language: xoxb-123456-abcdef", "1:11", ".env"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_told_with_place_and_fix(name: str, tmp_path: Path) -> None:
    text, place, fix = SLIPS[name]
    with pytest.raises(InputError) as raised:
        load_workspace(write(tmp_path, text, "workspace.yaml"))
    (problem,) = raised.value.problems
    assert f"{problem.line}:{problem.column}" == place
    assert fix in problem.fix
