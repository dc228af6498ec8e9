"""Rehearsals as if by a certain provider: what is named carries, by its limits, and the page says what came of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from commsengine.authoring.providers_file import load_providers
from commsengine.cadence.forecast import no_answers
from commsengine.cadence.plan import Workspace
from commsengine.channels.providers import ProviderProfile, SendingLimits
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.errors import InputError
from commsengine.sandbox.as_if import PLAIN, SLACK_COLD, TO_SET, AsIf, as_if
from commsengine.sandbox.as_if_report import AsIfReport, FullestDay, busiest, fullest_day
from commsengine.sandbox.rehearse import Rehearsal, Script, Story
from commsengine.store.records import TouchRecord
from tests.builders import MIA, a_message, a_plan, someone, utc

PROFILES = load_providers(Path("providers.yaml"))
SHIPPED = {profile.name: profile for profile in PROFILES}
PEOPLE = [someone(n, time_zone="Europe/Berlin") for n in range(1, 7)]
PLAN = a_plan(
    a_message(cadence={"every": "48h", "times": "2"}), send={"channels": ["slack", "email"], "holidays": "false"}
)


def rehearsed(folder: Path, carried: AsIf, people: Any = PEOPLE) -> tuple[Story, AsIfReport]:
    templates, start = load_templates(shipped_folder(), None), utc("2027-01-04")
    script = Script(PLAN, people, Workspace(), templates, start, utc("2027-02-10"), lambda: no_answers, as_if=carried)
    with Rehearsal(script, folder) as rehearsal:
        story = rehearsal.run()
    assert story.report is not None
    return story, story.report


# -- which one ------------------------------------------------------------------------------------


def test_what_is_named_carries_and_nothing_else() -> None:
    assert as_if([], PROFILES) == PLAIN
    assert PLAIN.channels == {"email", "slack"}
    assert as_if(["hve"], PROFILES).channels == {"email"}
    assert as_if([SLACK_COLD], PROFILES).channels == {"slack"}
    assert as_if([SLACK_COLD, "hve", "hve"], PROFILES) == AsIf(SHIPPED["hve"], slack_cold=True)


def test_a_profile_of_the_workspaces_own_comes_first() -> None:
    own = ProviderProfile("hve", "Ours", SendingLimits(per_day=3))
    assert as_if(["hve"], [own, *PROFILES]).mail == own


def test_a_name_that_is_not_there_and_two_servers_are_errors() -> None:
    with pytest.raises(InputError) as unknown:
        as_if(["microsoft"], PROFILES)
    assert "'microsoft'" in unknown.value.message
    assert "microsoft365, hve" in unknown.value.fix
    with pytest.raises(InputError) as two:
        as_if(["hve", "ses"], PROFILES)
    assert "hve and ses" in two.value.message


def test_each_provider_says_what_must_be_set() -> None:
    assert set(TO_SET) == set(SHIPPED) - {"unknown"} | {SLACK_COLD}
    assert "xoauth2" in as_if(["microsoft365"], PROFILES).to_set[0]


# -- what came of it ------------------------------------------------------------------------------


def sent(due: str, left: str) -> TouchRecord:
    return cast(TouchRecord, SimpleNamespace(key=left, channel="email", due_at=utc(due), sent_at=utc(left)))


def test_the_largest_waves_and_when_their_last_message_left() -> None:
    small, large = ("2027-01-11 08:00", "2027-01-11 08:05"), ("2027-01-12 08:00", "2027-01-12 09:10")
    announced = {large[1]: utc("2027-01-12 09:00")}
    waves = busiest([sent(*small), sent(*large), sent(large[0], large[0])], announced)
    assert [(wave.at, wave.messages, wave.took, wave.announced_at) for wave in waves] == [
        (utc(large[0]), 2, dt.timedelta(minutes=70), utc("2027-01-12 09:00")),
        (utc(small[0]), 1, dt.timedelta(minutes=5), utc(small[0])),
    ]


def test_a_day_is_any_span_of_24_hours_and_full_when_it_has_no_room() -> None:
    instants = [utc(f"2027-01-{day}") for day in ("11 08:00", "11 20:00", "12 07:00", "12 08:00", "14 08:00")]
    assert fullest_day(instants, SendingLimits(per_day=3)) == FullestDay(instants[2], 3, (dt.date(2027, 1, 12),))
    assert fullest_day(instants, SendingLimits(per_day=4)) == FullestDay(instants[2], 3, ())
    assert fullest_day([], SendingLimits(per_day=4)) is None


def test_all_mail_goes_by_the_provider_and_the_page_has_its_limits(tmp_path: Path) -> None:
    story, report = rehearsed(tmp_path, AsIf(SHIPPED["microsoft365"]))
    assert (story.agrees, {channel for *_, channel, _due, _skip in story.touches}) == (True, {"email", "personal"})
    assert (report.waves[0].messages, report.refused, report.late, report.next_day) == (6, {}, 0, [])
    assert 1 <= report.connections <= 3
    assert report.as_json()["limits"]["per_minute"] == 30


def test_tokens_of_an_hour_last_for_weeks(tmp_path: Path) -> None:
    templates, start = load_templates(shipped_folder(), None), utc("2027-01-04")
    carried = AsIf(SHIPPED["gmail"])
    script = Script(PLAN, PEOPLE, Workspace(), templates, start, utc("2027-02-10"), lambda: no_answers, as_if=carried)
    with Rehearsal(script, tmp_path) as rehearsal:
        rehearsal.run()
        assert rehearsal.relay is not None
        assert rehearsal.relay.refused == {}
        assert len(rehearsal.relay.tokens) > 1


def test_who_is_outside_the_company_is_not_reached_by_high_volume_email(tmp_path: Path) -> None:
    outside = replace(someone(9), email="kim@partner.example")
    _story, report = rehearsed(tmp_path, AsIf(SHIPPED["hve"]), [*PEOPLE, outside])
    assert report.outside == ["kim@partner.example"]
    assert [reply[:12] for reply in report.refused] == ["550 5.5.105 "]


@pytest.mark.slow
def test_slack_alone_carries_all(tmp_path: Path) -> None:
    story, report = rehearsed(tmp_path, AsIf(slack_cold=True), [MIA, *PEOPLE[:2]])
    assert (story.agrees, {channel for *_, channel, _due, _skip in story.touches}) == (True, {"slack", "personal"})
    assert (report.day, report.connections, report.waves[0].channel) == (None, 0, "slack")
    assert (report.slack_rate, report.user_list_calls > 0, report.refused) == (300, True, {})


def ours(**limits: Any) -> AsIf:
    return AsIf(ProviderProfile("ours", "Our relay", SendingLimits(**limits)))


MINUTE = dt.timedelta(minutes=1)


def test_a_slow_provider_is_waited_for_by_the_clock_of_the_rehearsal(tmp_path: Path) -> None:
    story, report = rehearsed(tmp_path, ours(connections=1, per_minute=1))
    assert (story.agrees, report.refused, report.delayed) == (True, {}, 0)
    wave = report.waves[0]
    assert (wave.messages, wave.announced_at - wave.at) == (6, 5 * MINUTE)
    assert abs(wave.last_sent_at - wave.announced_at) <= MINUTE


def test_who_does_not_fit_into_a_day_hears_on_the_next_as_announced(tmp_path: Path) -> None:
    """Nothing is refused and no one is skipped as late. Who waited over a weekend has the newest of two reminders."""
    story, report = rehearsed(tmp_path, ours(connections=2, per_day=4))
    assert (report.refused, report.late, report.held_up) == ({}, 4, True)
    assert report.next_day == [PEOPLE[4].email, PEOPLE[5].email]
    assert report.day is not None
    assert (report.day.messages, report.day.full[0]) == (4, dt.date(2027, 1, 11))
    assert {skip for *_, skip in story.touches} == {"", "superseded"}
    assert [wave.last_sent_at - wave.at for wave in report.waves[:2]] == [dt.timedelta(days=1)] * 2
    assert all(abs(wave.last_sent_at - wave.announced_at) <= MINUTE for wave in report.waves)
