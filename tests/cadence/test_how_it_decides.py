"""Runs every example of docs/how-it-decides.md."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from commsengine.cadence.calendar import zone
from commsengine.cadence.history import (
    Campaign,
    Campaigns,
    DirectReport,
    History,
    ManagerHold,
    Snooze,
    Standstill,
    Touch,
)
from commsengine.cadence.people import Person
from commsengine.cadence.plan import WEEKDAYS, Notice, Plan
from commsengine.cadence.time_notation import parse_clock
from tests.builders import BEN, a_message, a_plan, someone, utc
from tests.cadence.telling import BERLIN, Fact, did_it, got_it, lines, outcome, question, tell

PAGE = Path(__file__).parents[2] / "docs" / "how-it-decides.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
BEN_IN_BERLIN = replace(BERLIN, country="", region="")

LED = {"sales": someone(1), "others": someone(2, department="Support")}
"""Who reports to Ben where he leads somebody."""

Example = dict[str, Any]


def berlin(local: str) -> str:
    """A local time of the page as our tests write instants: in UTC."""
    at = dt.datetime.fromisoformat(local).replace(tzinfo=zone("Europe/Berlin"))
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def person_of(told: Example) -> Person:
    changes: dict[str, Any] = {key: told[key] for key in ("country", "region") if key in told}
    if "joined" in told:
        changes["since"] = utc(berlin(told["joined"]))
    if "leave" in told:
        first, last = map(dt.date.fromisoformat, told["leave"])
        changes["leave"] = ((first, last),)
    if "hours" in told:
        changes["quiet"] = tuple(map(parse_clock, told["hours"]))
    if "days" in told:
        changes["days"] = frozenset(WEEKDAYS.index(day) for day in told["days"])
    return replace(BEN_IN_BERLIN, **changes)


def facts_of(happens: list[Example]) -> list[Fact]:
    at = {each["what"]: berlin(each["at"]) for each in happens}
    facts: list[Fact] = [outcome(at[what], what) for what in ("objects", "understood", "declines") if what in at]
    facts += [did_it(at["did it"])] if "did it" in at else []
    facts += [got_it(at[what], kind=kind) for what, kind in ANSWERS.items() if what in at]
    if "objection" in at:
        objection = question(at["objection"], at.get("objection answered", ""))
        facts.append(replace(objection, objection=True))
    if "question" in at:
        facts.append(question(at["question"], at.get("question answered", "")))
    for each in happens:
        if each["what"] == "snoozed":
            until = dt.date.fromisoformat(each["until"])
            facts.append(Snooze("crm", "one-record", until, utc(berlin(each["at"]))))
    return facts


ANSWERS = {"got it": "acknowledged", "heard enough": "heard_enough", "will": "commit"}


def plan_of(example: Example, **changes: Any) -> Plan:
    send = {"channels": ["email"], "holidays": "false", **example.get("send", {})}
    messages = [a_message(**message) for message in example["messages"]]
    own = {name: example[name] for name in ("sponsor", "outcomes", "phases") if name in example}
    plan = a_plan(*messages, send=send, follow_up=example.get("follow_up", []), **own, **changes)
    return plan.with_notices([said_now(example["now"])]) if "now" in example else plan


def said_now(told: Example) -> Notice:
    at = utc(berlin(told["at"]))
    times = {"from": str(at.date()), "until": str(at.date() + dt.timedelta(days=1)), "said_at": at}
    once = {"cadence": {"every": "24h", "times": "1"}, "ask": "nothing", "priority": "high"}
    about = {"id": "now", "key_point": "Now.", "urgent": told.get("urgent", "false")}
    return Notice.model_validate({**about, **times, **once})


def hold_of(example: Example) -> tuple[ManagerHold, ...]:
    told = example.get("hold")
    if not told:
        return ()
    lifted = utc(berlin(told["lifted"])) if "lifted" in told else None
    until = dt.date.fromisoformat(told["until"])
    return (ManagerHold("one-record", frozenset({BEN.manager}), until, utc(berlin(told["at"])), lifted),)


def campaigns_of(plan: Plan, pause: Example | None) -> Campaigns:
    pauses = ()
    if pause:
        pauses = (Standstill(utc(berlin(pause["from"])), utc(berlin(pause["to"])), pause["backlog"]),)
    return Campaigns((Campaign(plan, utc("2027-01-04"), pauses=pauses),))


def touches_of(example: Example) -> list[Touch]:
    person, pause, moved = person_of(example.get("person", {})), example.get("pause"), example.get("moved")
    history = History(unreachable=dict.fromkeys(example.get("person", {}).get("unreachable", ()), "no address"))
    leads = example.get("person", {}).get("leads", ())
    history = replace(history, reports=tuple(DirectReport(LED[role]) for role in leads))
    standstill = example.get("engine", {})
    begin = next(iter(standstill.values()), pause["to"] if pause else "2027-01-04 00:00")
    facts = facts_of(example.get("happens", []))
    moved = moved or example.get("applied")
    campaigns, until = campaigns_of(plan_of(example), pause), berlin(moved["at"]) if moved else "2027-12-01"
    held = (replace(campaigns.running[0], manager_holds=hold_of(example)),)
    campaigns = replace(campaigns, running=held)
    rests = {"email": utc(berlin(standstill["channel rests until"]))} if "channel rests until" in standstill else {}
    words = {phase: utc(berlin(at)) for phase, at in example.get("opened", {}).items()}
    campaigns = replace(campaigns, running=tuple(replace(each, opened=words) for each in campaigns.running))
    story = tell(replace(campaigns, rests=rests), person, *facts, start=berlin(begin), until=until, history=history)
    if not moved:
        return story.touches
    later = plan_of({**example, "messages": messages_of(example)}, milestones=milestones_of(moved))
    return story.touches + tell(campaigns_of(later, None), person, start=until, history=story.history).touches


def messages_of(example: Example) -> list[Example]:
    """Those of the plan in its last version."""
    return [*example["messages"], *example.get("applied", {}).get("messages", [])]


def milestones_of(moved: Example) -> Example:
    return {"kickoff": "2027-01-11", "go_live": moved.get("go_live", "2027-03-15")}


@pytest.mark.parametrize(("written", "expected"), EXAMPLES)
def test_an_example_of_the_page_is_what_happens(written: str, expected: str) -> None:
    example = plain(YAML(typ="rt", pure=True).load(written))
    touches = touches_of(example)
    said = lines(touches, "Europe/Berlin")
    if len(messages_of(example)) > 1 or "now" in example:
        said = [f"{line} ({touch.message})" for line, touch in zip(said, touches, strict=True)]
    assert said == expected.splitlines()


def plain(value: Any) -> Any:
    """Everything as text, as a plan is read."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_page_has_examples_for_all_its_rules() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("```yaml") >= 20
