"""A country changes its clocks at short notice: the next start knows the new rules; nobody hears twice on a date."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
import zoneinfo
from collections.abc import Callable, Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from commsengine.cadence import calendar
from commsengine.engine.heartbeat import sweep
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag
from tests.faults.stepping import play

HERE = "Europe/Berlin"
CHANGED = utc("2027-01-14 12:00")
Rules = Callable[[str], None]


def forget_zones() -> None:
    """What a new process knows of zones: nothing yet."""
    zoneinfo.ZoneInfo.clear_cache()
    for known in (calendar.zone, calendar.instant, calendar.local_date_in):
        known.cache_clear()


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[Rules]:
    """Lets the clocks of Berlin go by the rules of another zone from now on, as after an update of the zone data."""
    path = zoneinfo.TZPATH

    def follow(other: str) -> None:
        target = tmp_path / "zones" / HERE
        target.parent.mkdir(parents=True, exist_ok=True)
        with as_file(files("tzdata") / "zoneinfo" / other) as source:
            shutil.copy(source, target)
        zoneinfo.reset_tzpath(to=[str(tmp_path / "zones"), *path])
        forget_zones()

    yield follow
    zoneinfo.reset_tzpath(to=path)
    forget_zones()


def around_the_clock() -> dict[str, object]:
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return {"days": days, "from": "00:00", "to": "24:00"}


@pytest.mark.parametrize("other", ["Europe/London", "Pacific/Apia"])
def test_g6_new_rules_of_a_zone_move_what_is_due_and_repeat_no_date(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag, rules: Rules, other: str
) -> None:
    """The second message opens at nine by whatever clock hangs there then; the first goes on day by day."""
    daily = {"cadence": {"every": "24h"}, "ask": "nothing", "until": "2027-01-19"}
    plan = a_plan(
        a_message(**daily),
        a_message(id="later", **{**daily, "from": "2027-01-16 09:00"}),
        send={
            "channels": ["email"], "holidays": "false", "at_most": {"per_day": 2, "per_week": 14},
            "window": around_the_clock(),
        },
    )  # fmt: skip
    run(store, [someone(1)], plan)
    clock.now = utc("2027-01-10")
    before = engine()
    play(before, store, clock, f"{CHANGED:%Y-%m-%d %H:%M}")
    before.stop()
    rules(other)
    sweep(store, clock.now)
    play(engine(), store, clock, "2027-01-21")
    rows = list(store.touches.list("crm"))
    keys = [(row.message, row.local_date) for row in rows]
    assert len(keys) == len(set(keys)) == len(bag.arrived) == len({message.key for message in bag.arrived})
    there = zoneinfo.ZoneInfo(other)
    later = [row.due_at.astimezone(there) for row in rows if row.message == "later"]
    assert [f"{at:%d %H:%M}" for at in later] == ["16 09:00", "17 09:00", "18 09:00"]
    assert all(row.local_date == row.due_at.astimezone(there).date() for row in rows if row.due_at > CHANGED)
    steps = [after - at for at, after in itertools.pairwise(row.due_at for row in rows if row.message == "one-record")]
    assert all(dt.timedelta(hours=24) <= step < dt.timedelta(hours=48) for step in steps)


def test_g6_the_old_rules_are_back_after_these_tests() -> None:
    assert calendar.instant(HERE, dt.date(2027, 1, 11), 9 * 60) == utc("2027-01-11 08:00")
