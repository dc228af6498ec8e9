"""What `simulate` says of each message: whom it reaches, whom it never reaches and why, and what helps."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from commsengine.cadence.history import History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.planning.message_outlook import MessageOutlook
from commsengine.planning.simulation import Simulation, SimulationInput, simulate
from tests.builders import a_message, a_plan, running, someone, utc
from tests.cadence.telling import a_row
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal

EAGER = a_message(id="one-record", priority="high", cadence={"every": "24h", "times": 30}, follow_up=[])
SHY = a_message(id="wish-list", **{"from": "kickoff + 1d"}, until="kickoff + 12d", follow_up=[])
PAIR = (someone(1), someone(2, department="Support"))


def looked(plan: Plan, *people: Person, past: History | None = None, **given: Any) -> Simulation:
    given = {"start": utc("2027-01-10"), "until": utc("2027-03-15"), **given}
    asked = SimulationInput(running(plan), plan.campaign, **given)
    return simulate(asked, [(person, past or History()) for person in people or PAIR])


def outlooks(plan: Plan, *people: Person, **given: Any) -> dict[str, MessageOutlook]:
    return {each.message: each for each in looked(plan, *people, **given).messages}


def test_each_message_says_whom_it_reaches_and_when() -> None:
    only = a_message(id="course", to=["sales"], **{"from": "kickoff + 1d"}, cadence={"every": "48h", "times": 2})
    found = outlooks(a_plan(a_message(follow_up=[], cadence={"every": "48h", "times": 2}), {**only, "follow_up": []}))
    assert [(each.people, each.wanted, each.touches) for each in found.values()] == [(2, 2, 4), (1, 1, 2)]
    first, last = found["course"].first, found["course"].last
    assert first is not None
    assert last is not None
    assert (first.date(), last.date()) == (dt.date(2027, 1, 12), dt.date(2027, 1, 18))
    assert first.astimezone(dt.UTC) == utc("2027-01-12 08:00")


def test_a_message_that_others_starve_names_them_and_what_helps() -> None:
    found = outlooks(a_plan(EAGER, SHY))["wish-list"]
    assert (found.people, found.starved, found.wanted, found.never) == (0, 2, 2, {})
    assert found.because == "waits behind 'one-record': nobody may get more than 3 a week"
    assert found.helps[0] == "'priority: high' for 'wish-list', 'normal' for 'one-record'"
    assert "'per_week: 4' in the plan" not in found.helps, "the other one takes that place, too"


def test_what_is_said_to_help_does() -> None:
    demoted = {**EAGER, "priority": "normal"}
    assert outlooks(a_plan(demoted, {**SHY, "priority": "high"}))["wish-list"].people == 2


def test_the_limit_of_the_day_is_named_where_the_week_has_room() -> None:
    roomy = {"at_most": {"per_day": 1, "per_week": 20}, "channels": ["email"], "holidays": "false"}
    found = outlooks(a_plan(EAGER, SHY, send=roomy))
    assert found["wish-list"].because == "waits behind 'one-record': nobody may get more than 1 a day"
    assert "'per_day: 2' in the plan" in found["wish-list"].helps


def test_those_who_never_get_it_are_counted_by_reason() -> None:
    gone = replace(someone(3), left=dt.date(2027, 1, 11))
    assert outlooks(a_plan(), *PAIR, gone)["one-record"].never == {"The person leaves before the next message.": 1}


def test_who_had_it_before_is_not_missed() -> None:
    had = History((a_row("2027-01-11 08:00"),))
    plan = a_plan(a_message(cadence={"every": "48h", "times": 1}, follow_up=[]))
    found = outlooks(plan, someone(1), past=had, start=utc("2027-01-12"))["one-record"]
    assert (found.people, found.never, found.starved) == (0, {}, 0)


def test_the_simulation_of_a_starved_message_says_so_and_no_more_than_is_true(terminal: Terminal) -> None:
    shy = "  - id: wish-list\n    key_point: Say what you need.\n    from: kickoff + 5d\n    until: kickoff + 12d\n"
    eager = {"every: 48h, times: 5}\nfollow_up": "every: 24h, times: 30}\n    priority: high\n" + shy}
    again = {"until: kickoff + 12d\n": "until: kickoff + 12d\n    cadence: {every: 48h, times: 2}\nfollow_up"}
    text = plan(**eager)
    for old, new in again.items():
        text = text.replace(old, new)
    said = terminal.run("simulate", terminal.write("schedules/crm.yaml", text))
    assert "wish-list: 4 people never get it. It waits behind 'one-record': nobody may get more than 3" in said.out
    assert "Tried on one of them, this helps: 'priority: high' for 'wish-list', 'normal'" in said.out
    assert "not every message reaches everybody it is for" in said.out
    assert "because nobody may get more than 3 a week." in said.out
    calm = terminal.run("simulate", terminal.write("schedules/crm.yaml", plan()))
    assert "Every message reaches everybody it is for." in calm.out
    assert "never get it" not in calm.out
