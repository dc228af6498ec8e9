import datetime as dt

import pytest

from commsengine.cadence.budget import Ledger
from commsengine.cadence.calendar import Hours
from commsengine.cadence.history import TouchRow
from commsengine.cadence.plan import Budget, Workspace
from tests.builders import BEN, a_plan, utc
from tests.cadence.telling import a_row

HOURS = Hours(a_plan(), BEN)
ONE_A_DAY = Budget(per_day=1, per_week=3)
ROOMY = Budget(per_day=10, per_week=50)


def next_free(at: str, *rows: TouchRow, own: Budget = ONE_A_DAY, **workspace: object) -> dt.datetime:
    return Ledger(rows).next_free(utc(at), HOURS, own, Workspace.model_validate(workspace))


def test_a_full_day_moves_to_the_next_local_midnight() -> None:
    assert next_free("2027-01-11 15:00", a_row("2027-01-11 14:00")) == utc("2027-01-12 05:00")


def test_a_full_week_is_the_last_seven_local_dates() -> None:
    rows = [a_row(f"2027-01-{day} 14:00") for day in (11, 13, 15)]
    assert next_free("2027-01-16 14:00", *rows) == utc("2027-01-18 05:00")
    assert next_free("2027-01-18 14:00", *rows) == utc("2027-01-18 14:00")


def test_the_stricter_of_plan_and_workspace_holds() -> None:
    row = a_row("2027-01-11 14:00")
    assert next_free("2027-01-11 15:00", row, own=ROOMY) == utc("2027-01-11 15:00")
    common = {"per_day": 1, "per_week": 50}
    assert next_free("2027-01-11 15:00", row, own=ROOMY, at_most=common) == utc("2027-01-12 05:00")


@pytest.mark.parametrize("kind", ["personal", "sponsor"])
def test_what_a_human_carries_costs_nothing(kind: str) -> None:
    assert next_free("2027-01-11 15:00", a_row("2027-01-11 14:00", kind=kind)) == utc("2027-01-11 15:00")


@pytest.mark.parametrize("state", ["claimed", "sending", "retry", "failed", "uncertain"])
def test_whatever_was_begun_costs_its_day(state: str) -> None:
    assert next_free("2027-01-11 15:00", a_row("2027-01-11 14:00", state=state)) == utc("2027-01-12 05:00")


def test_what_was_skipped_costs_nothing_unless_it_was_tried() -> None:
    skipped = a_row("2027-01-11 14:00", state="skipped")
    tried = a_row("2027-01-11 14:00", state="skipped", attempts=1)
    assert next_free("2027-01-11 15:00", skipped) == utc("2027-01-11 15:00")
    assert next_free("2027-01-11 15:00", tried) == utc("2027-01-12 05:00")


def test_the_minimum_gap_holds_in_both_directions() -> None:
    rows = [a_row("2027-01-11 14:00"), a_row("2027-01-11 17:00")]
    gap = {"minimum_gap": "2h"}
    assert next_free("2027-01-11 14:30", *rows, own=ROOMY, **gap) == utc("2027-01-11 19:00")
    assert next_free("2027-01-11 12:00", *rows, own=ROOMY, **gap) == utc("2027-01-11 12:00")


def test_a_touch_before_others_on_record_does_not_overfill_their_week() -> None:
    rows = [a_row(f"2027-01-{day} 14:00") for day in (14, 15, 18)]
    assert next_free("2027-01-13 14:00", *rows) == utc("2027-01-21 05:00")
    assert next_free("2027-01-11 14:00", *rows) == utc("2027-01-11 14:00")
