"""What ``simulate`` tells of the recall of a campaign that runs."""

from __future__ import annotations

import datetime as dt
import tempfile
from functools import cache
from pathlib import Path

import pytest

from commsengine.cadence.kinds_and_states import RecallMode
from commsengine.cadence.plan import Workspace
from commsengine.engine.daily_estimates import DailyEstimates
from commsengine.engine.decisions import Decisions
from commsengine.planning.plan_on_disk import shown_basis
from commsengine.planning.simulation import SimulationInput, simulate
from tests import fresh
from tests.on_record import NOW, RIGHT, TYPICAL, WRONG, Given, learn, people_of, put_on_record

FEW = Given({"managers": 12, "sales": 20, "service": 12, "office": 12}, TYPICAL.strength, TYPICAL.answers)


@cache
def learned(database: str) -> bytes:
    """The campaign on record, all learned that was answered by then."""
    del database
    with tempfile.TemporaryDirectory() as folder:
        with put_on_record(Path(folder), FEW) as store:
            learn(store, NOW)
        return fresh.kept(Path(folder) / "record.db")


@pytest.mark.parametrize("mode", ["role", pytest.param("person", marks=pytest.mark.slow)])
def test_what_one_person_answered_lately_moves_no_recall_that_is_foreseen(tmp_path: Path, mode: RecallMode) -> None:
    """What is told of recall rests on the answers of ten people; so do dates, but where a person's own count."""
    now, told, planned = NOW + dt.timedelta(days=2), [], []
    for right in (True, False):
        fresh.put(learned(fresh.kind()), tmp_path / f"{right}.db")
        with fresh.opened(tmp_path / f"{right}.db") as store:
            answered = {each.person_id for each in store.answers.to_checks("crm")}
            touch = [row for row in store.touches.list("crm") if row.person_id not in answered][-1]
            assert touch.person_id
            store.answers.record(
                touch.person_id, "crm", touch.message, touch.key, "check", value=RIGHT if right else WRONG, right=right,
                evidence="link", by=touch.person_id, now=NOW + dt.timedelta(hours=1),
            )  # fmt: skip
            DailyEstimates(store, mode).publish([record.plan for record in store.campaigns.all()], now)
            campaigns = Decisions(store, Workspace(recall=mode)).campaigns(now)
            loaded = store.loading.histories([person.id for person, _ in people_of(FEW)]).values()
            asked = SimulationInput(
                campaigns, "crm", now, now + dt.timedelta(days=28), "none",
                {"crm": store.estimates.latest("crm")}, shown_basis(store, campaigns, "crm", now),
            )  # fmt: skip
            seen = simulate(asked, [(one.person, one.history) for one in loaded]).summary()
            told.append((seen["recall"], seen["compared"]))
            planned.append(seen["per_day"])
    assert told[0] == told[1]
    assert told[0][0]
    assert (planned[0] != planned[1]) == (mode == "person")


def test_before_anybody_has_answered_there_is_one_forecast(tmp_path: Path) -> None:
    silent = Given(FEW.people, FEW.strength, dict.fromkeys(FEW.people, 0.0))
    with put_on_record(tmp_path, silent) as store:
        assert shown_basis(store, Decisions(store, Workspace()).campaigns(NOW), "crm", NOW) is None
