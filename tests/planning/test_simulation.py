"""The arithmetic of rates: when the last message of the slowest wave leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pytest

from commsengine.cadence.history import Touch
from commsengine.planning.simulation import ForecastTouch, rates
from tests.builders import someone, utc
from tests.cli.conftest import PEOPLE, plan
from tests.cli.terminal import Terminal


def wave(number: int, at: str, channel: str = "slack") -> list[ForecastTouch]:
    due = utc(f"2027-01-11 {at}")
    touch = Touch("crm", "m", "p", "r", 0, "message", channel, due.date(), due, due + dt.timedelta(hours=7))
    return [ForecastTouch(touch, someone(1), ZoneInfo("UTC"))] * number


def told(waves: Mapping[str, int], rate: int | None = 300) -> list[tuple[str, int, str]]:
    touches = [seen for at, number in waves.items() for seen in wave(number, at)]
    return [(name, number, f"{last:%H:%M}") for name, number, last in rates(touches, {"slack": rate, "email": 60})]


def test_the_last_leaves_after_as_many_minutes_as_the_rate_takes() -> None:
    assert told({"08:00": 48_600}) == [("slack", 48_600, "10:42")]


def test_of_several_waves_the_slowest_is_told() -> None:
    assert told({"08:00": 300, "09:00": 3_000, "12:00": 1_500}) == [("slack", 3_000, "09:10")]


def test_a_wave_waits_for_those_before_it() -> None:
    assert told({"08:00": 30_000, "09:00": 6_000}) == [("slack", 30_000, "09:40")]
    assert told({"08:00": 30_000, "08:30": 12_000}) == [("slack", 12_000, "10:20")]


def test_without_a_rate_or_a_message_nothing_is_told() -> None:
    assert told({"08:00": 300}, None) == []
    assert list(rates([], {"slack": 300})) == []


def test_simulate_and_apply_both_tell_it(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_RATE", "1")
    terminal.run("people", "import", terminal.path("people.csv"))
    schedule = terminal.write("schedules/crm.yaml", plan())
    for command in (("simulate", schedule), ("apply", schedule, "--yes")):
        assert "At 1 a minute, the last of " in terminal.run(*command).out


def test_apply_tells_a_large_audience_how_long_it_takes(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_RATE", "300")
    rows = "".join(f"p{number}@example.com,Someone,Sales,,DE,,\n" for number in range(2_001))
    assert terminal.run("people", "import", terminal.write("people.csv", PEOPLE + rows)).status == 0
    said = terminal.run("apply", terminal.path("schedules/crm.yaml"), "--yes")
    assert "At 300 a minute, 2,005 email messages due at once take 7 minutes.\n" in said.out, said.err
