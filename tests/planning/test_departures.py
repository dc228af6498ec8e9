"""When what leaves: the arithmetic of rates, days and windows, and how it is shown."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import pytest

from commsengine.cadence.calendar import Hours
from commsengine.channels.providers import SendingLimits
from commsengine.planning.departures import NEVER, Departure, Left, Waiting, departures, largest_wave
from tests.builders import a_plan, someone, utc
from tests.cli.conftest import PEOPLE, plan
from tests.cli.terminal import Terminal

MONDAY = "2027-01-11"
OPEN = a_plan(send={"channels": ["email"], "holidays": "false", "time_zone": "UTC"})
"""Monday to Friday, 09:00 to 16:30 UTC."""

CLOSES = utc("2027-03-01")


def wave(number: int, at: str, zone: str = "UTC", **changes: Any) -> list[Waiting]:
    due, hours = utc(f"{MONDAY} {at}" if " " not in at else at), Hours(OPEN, someone(1, time_zone=zone))
    given = {"channel": "email", "closes": CLOSES, "hours": hours, **changes}
    return [Waiting(f"{at} {zone} {n:05d} {changes.get('newer_due', '')}", due=due, **given) for n in range(number)]


def leaving(touches: Sequence[Waiting], left: Left | None = None, **limits: Any) -> list[dt.datetime | None]:
    bounds = {"email": SendingLimits(**limits)}
    return list(departures(touches, bounds, {"email": left} if left else {}).values())  # type: ignore[arg-type]


def last(touches: Sequence[Waiting], left: Left | None = None, **limits: Any) -> dt.datetime:
    return max(at for at in leaving(touches, left, **limits) if at is not None)


def test_without_a_limit_all_leave_when_they_are_due() -> None:
    assert set(leaving(wave(3, "09:00"))) == {utc(f"{MONDAY} 09:00")}


def test_a_rate_sends_one_after_the_other_and_the_first_when_it_is_due() -> None:
    minutes = [utc(f"{MONDAY} 09:00") + dt.timedelta(seconds=2 * n) for n in range(4)]
    assert leaving(wave(4, "09:00"), per_minute=30) == minutes
    assert f"{last(wave(9_000, '09:00'), per_minute=30):%a %H:%M}" == "Mon 13:59"


def test_a_wave_waits_for_those_before_it() -> None:
    both = [*wave(6_000, "09:30"), *wave(30_000, "09:00")]
    assert f"{last(both, per_minute=300):%H:%M}" == "10:59"
    assert f"{last([*wave(300, '09:00'), *wave(600, '12:00')], per_minute=300):%H:%M:%S}" == "12:01:59"


def test_what_does_not_leave_before_the_window_closes_waits_for_the_next() -> None:
    """7.5 hours take 13,500 at 30 a minute; the others go first the next morning."""
    found = leaving(wave(14_100, "09:00"), per_minute=30)
    assert sum(at.day == 11 for at in found if at) == 13_500
    assert f"{max(at for at in found if at):%a %H:%M}" == "Tue 09:19"
    friday = last(wave(14_100, "2027-01-15 09:00"), per_minute=30)
    assert f"{friday:%a %d}" == "Mon 18"


def test_each_person_waits_for_a_window_of_their_own() -> None:
    """New York opens at 14:00 UTC, when Berlin has two and a half hours left; the two take turns."""
    both = [*wave(12_000, "09:00"), *wave(3_000, "14:00", "America/New_York")]
    found = departures(both, {"email": SendingLimits(per_minute=30)}, {})
    times = {zone: [at for key, at in found.items() if zone in key and at] for zone in ("UTC", "New_York")}
    assert f"{max(times['UTC']):%a %H:%M}" == "Mon 15:39"
    assert f"{max(times['New_York']):%a %H:%M}" == "Mon 17:19"


def test_of_a_day_only_so_many_leave_and_each_makes_room_when_it_is_a_day_old() -> None:
    """100 a day at one a minute: 100 until 10:39, the next at 09:00 the day after, and so on."""
    found = leaving(wave(250, "09:00"), per_minute=1, per_day=100)
    assert [f"{found[n]:%a %H:%M}" for n in (99, 100, 199, 200, 249)] == [
        "Mon 10:39", "Tue 09:00", "Tue 10:39", "Wed 09:00", "Wed 09:49",
    ]  # fmt: skip


def test_what_has_left_before_and_a_rest_count() -> None:
    earlier = tuple(utc(f"{MONDAY} 08:00") + dt.timedelta(minutes=n) for n in range(10))
    found = leaving(wave(5, "09:00"), Left(earlier), per_day=12)
    assert [f"{at:%a %H:%M}" for at in found if at] == ["Mon 09:00", "Mon 09:00", *["Tue 09:00"] * 3]
    rests = Left(rests_until=utc(f"{MONDAY} 11:00"))
    assert f"{last(wave(2, '09:00'), rests, per_minute=60):%H:%M:%S}" == "11:00:01"


def test_a_channel_that_must_get_ready_first_begins_so_much_later() -> None:
    cold = Left(ready_after=dt.timedelta(seconds=90))
    assert leaving(wave(2, "09:00"), cold, per_minute=60) == [
        utc(f"{MONDAY} 09:01") + dt.timedelta(seconds=30 + n) for n in range(2)
    ]


def test_a_newer_touch_of_the_same_message_overtakes_one_that_waits() -> None:
    newer = utc(f"{MONDAY} 09:05")
    found = leaving(wave(20, "09:00", newer_due=newer), per_minute=2)
    assert [at is None for at in found] == [False] * 10 + [True] * 10


def test_what_its_message_closes_on_never_leaves() -> None:
    closes = utc("2027-01-12 09:01")
    found = leaving(wave(910, "09:00", closes=closes), per_minute=2)
    assert sum(at is None for at in found) == 910 - 900 - 2


def test_a_hundred_thousand_over_weeks_cost_one_look_a_window() -> None:
    looks = 0

    class Counted(Hours):
        def next_open(self, at: dt.datetime, before: dt.datetime | None = None) -> dt.datetime | None:
            nonlocal looks
            looks += 1
            return super().next_open(at, before)

    hours = Counted(OPEN, someone(1))
    queue = [Waiting(str(n), "email", utc(f"{MONDAY} 09:00"), NEVER, hours) for n in range(20_000)]
    found = departures(queue, {"email": SendingLimits(per_day=2_000)}, {})
    assert (len(found), None in found.values()) == (20_000, False)
    assert looks < 100


# -- in words -------------------------------------------------------------------------------------


def in_waves(due: str, sent: Sequence[str | None], **limits: Any) -> Any:
    told = [Departure(utc(f"{MONDAY} {due}"), utc(at) if at else None) for at in sent]
    return largest_wave("email", told, SendingLimits(**limits))


def test_a_wave_says_when_the_last_leaves_and_who_waits_for_another_day() -> None:
    found = in_waves("09:00", ["2027-01-11 09:00", "2027-01-11 16:29", "2027-01-12 09:00", None])
    assert (found.messages, f"{found.last_sent:%a}", found.overtaken, found.full_day) == (3, "Tue", 1, False)
    assert found.later == {dt.date(2027, 1, 12): 1}


def test_where_nothing_waits_there_is_no_wave() -> None:
    assert in_waves("09:00", ["2027-01-11 09:00", "2027-01-11 09:00"]) is None


def test_a_full_day_is_named() -> None:
    assert in_waves("09:00", ["2027-01-11 09:00", "2027-01-12 09:00"], per_day=1).full_day


# -- as simulate and apply tell it ----------------------------------------------------------------


@pytest.fixture
def schedule(terminal: Terminal) -> str:
    terminal.run("people", "import", terminal.path("people.csv"))
    return terminal.write("schedules/crm.yaml", plan())


def test_simulate_and_apply_both_tell_it(terminal: Terminal, schedule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_RATE", "1")
    for command in (("simulate", schedule), ("apply", schedule, "--yes")):
        assert re.search(r"\n\d by e-mail at 1 a minute: the last is sent ", terminal.run(*command).out)


@pytest.mark.slow
def test_simulate_knows_a_slack_whose_users_are_not_read_yet(
    terminal: Terminal, schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMSENGINE_SLACK_BOT_TOKEN", "xoxb-sandbox")
    rows = "".join(f"p{number}@example.com,Someone,Sales,,DE,,\n" for number in range(1_001))
    terminal.run("people", "import", terminal.write("people.csv", PEOPLE + rows))
    terminal.write("schedules/crm.yaml", plan().replace("channels: [email]", "channels: [slack]"))
    first = terminal.json("simulate", schedule)
    assert first["summary"]["ready_after"] == {"slack": 6.0}
    sent = {(touch["channel"], touch["at"] < touch["sent_at"]) for touch in first["touches"][:2]}
    assert sent == {("slack", True)}
    assert (
        "Before its first message by Slack the engine reads the list of users: 6 seconds"
        in terminal.run("simulate", schedule).out
    )


def test_simulate_says_of_each_touch_when_it_leaves(
    terminal: Terminal, schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_DAILY", "1")
    found = terminal.json("simulate", schedule)
    first = [touch for touch in found["touches"] if touch["at"] == found["touches"][0]["at"]]
    assert [touch["sent_at"] is None for touch in first].count(False) >= 1
    assert all(touch["sent_at"] is None or touch["sent_at"] >= touch["at"] for touch in found["touches"])
    (told,) = found["summary"]["departures"]
    assert (told["channel"], told["full_day"]) == ("email", True)
    assert "The mail server takes 1 in 24 hours" in terminal.run("simulate", schedule).out


@pytest.mark.slow
def test_apply_tells_a_large_audience_how_long_it_takes(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_RATE", "300")
    rows = "".join(f"p{number}@example.com,Someone,Sales,,DE,,\n" for number in range(2_001))
    assert terminal.run("people", "import", terminal.write("people.csv", PEOPLE + rows)).status == 0
    said = terminal.run("apply", terminal.path("schedules/crm.yaml"), "--yes")
    assert re.search(r"\nAbout 2,00\d by e-mail at 300 a minute: the last is sent ", said.out), said.out


def test_of_several_waves_the_largest_is_told_and_of_equal_ones_the_first() -> None:
    days = [[*wave(n, f"2027-01-{day} 09:00")] for day, n in ((11, 100), (12, 300), (13, 300))]
    found = departures([each for some in days for each in some], {"email": SendingLimits(per_minute=30)}, {})
    told = [Departure(utc(key[:16]), at) for key, at in found.items()]
    largest = largest_wave("email", told, SendingLimits(per_minute=30))
    assert largest is not None
    assert (largest.messages, f"{largest.last_sent:%a %H:%M}") == (300, "Tue 09:09")
