"""Plans, people and answers that hypothesis invents, small enough to read when one of them fails."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from commsengine.cadence.calendar import zone
from commsengine.cadence.forecast import Supposition
from commsengine.cadence.history import (
    Answer,
    Campaign,
    Campaigns,
    Deed,
    ManagerHold,
    OutreachOutcome,
    Question,
    Standstill,
    Touch,
)
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from tests.builders import a_plan, utc
from tests.cadence.telling import Fact

ZONES = (
    "Europe/Berlin", "America/New_York", "Asia/Seoul", "Africa/Casablanca", "Australia/Lord_Howe",
    "America/Santiago", "America/Scoresbysund", "Asia/Kathmandu", "Pacific/Auckland",
)  # fmt: skip
WINDOWS = (("09:00", "16:30"), ("00:00", "24:00"), ("07:00", "09:15"), ("13:00", "24:00"))
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LADDERS: tuple[list[dict[str, str]], ...] = (
    [{"after": "1 touches", "do": "personal"}, {"after": "2 working days", "do": "sponsor"}],
    [
        {"after": "2 touches", "do": "remind", "channel": "email"},
        {"after": "2 touches", "do": "personal"},
        {"after": "1 touches", "do": "sponsor"},
    ],
    [{"after": "3 working days", "do": "remind"}, {"after": "4 working days", "do": "personal", "by": "lead"}],
    [{"after": "2 touches", "do": "remind"}],
    [],
)
BOSS = "boss@example.com"
COMMITMENT_DAYS = ("kickoff + 4d", "kickoff + 3 working days", "kickoff + 33d")
KICKOFFS = ("2027-03-08", "2027-03-25", "2027-10-18")  # near the clock changes of all zones


def messages(index: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "id": st.just(f"m{index}"),
            "key_point": st.just("One record."),
            "from": st.sampled_from(("kickoff", "kickoff + 1 working days", "kickoff 11:15", "kickoff + 2d")),
            "until": st.sampled_from(("kickoff + 28d", "kickoff 12:00 + 17d", "kickoff + 6d")),
            "cadence": st.builds(
                lambda every, times: {"every": every} | ({"times": times} if times else {}),
                st.sampled_from(("24h", "30h", "48h", "72h")),
                st.sampled_from((None, "4", "2", "1")),
            ),
            "ask": st.sampled_from(("acknowledge", "acknowledge", "acknowledge", "commit", "nothing")),
            "repeat_until": st.sampled_from(("end", "end", "acknowledged", "done")),
            "priority": st.sampled_from(("high", "normal", "low")),
            "sender": st.sampled_from(("lead", "manager")),
            "managers_first": st.sampled_from((None, None, "2 working days")),
            "follow_up": st.sampled_from(LADDERS),
            "checks": st.sampled_from(([], [], ["recall"], ["recall", "baseline", "transfer"], ["transfer"])).map(
                _checks
            ),
            "commit": st.builds(lambda day: {"text": "I will.", "by": day}, st.sampled_from(COMMITMENT_DAYS)),
        }
    ).map(_commits_only_where_asked)


def _checks(kinds: Sequence[str]) -> list[dict[str, Any]]:
    asked = {"answers": ["Here", "There"], "right": "Here", "because": "One place."}
    return [{"question": f"{kind}?", **asked, **({} if kind == "recall" else {kind: "true"})} for kind in kinds]


def _commits_only_where_asked(message: dict[str, Any]) -> dict[str, Any]:
    return message if message["ask"] == "commit" else {key: message[key] for key in message if key != "commit"}


@st.composite
def plans(draw: st.DrawFn, number: int, kickoff: str) -> Plan:
    start, end = draw(st.sampled_from(WINDOWS))
    weekdays = draw(st.sampled_from((WEEK[:5], WEEK, ("mon", "thu"))))
    return a_plan(
        *(draw(messages(index)) for index in range(draw(st.integers(1, 2)))),
        campaign=f"c{number}",
        milestones={"kickoff": kickoff},
        phases=draw(st.sampled_from(({}, {}, {"listen": {"until": "kickoff + 1 working days", "gate": "true"}}))),
        audience={"roles": {"all": {"rest": "true"}}},
        wiifm={},
        follow_up=[],
        outcomes={"first_call": {"title": "The first call is logged", "by": "kickoff + 20d"}},
        send={
            "channels": draw(st.sampled_from((["email"], ["slack", "email"]))),
            "holidays": draw(st.sampled_from(("true", "false"))),
            "window": {"days": weekdays, "from": start, "to": end},
            "at_most": draw(st.sampled_from(({"per_day": 1, "per_week": 3}, {"per_day": 2, "per_week": 5}))),
        },
    )


@st.composite
def people(draw: st.DrawFn, kickoff: str) -> Person:
    first = dt.date.fromisoformat(kickoff) + dt.timedelta(days=draw(st.integers(-3, 12)))
    away = draw(st.sampled_from(((), ((first, first + dt.timedelta(days=3)),))))
    return Person(
        id="p",
        email="p@example.com",
        manager=BOSS,
        country=draw(st.sampled_from(("DE", "US", "CL", "KR", "SA", ""))),
        time_zone=draw(st.sampled_from(ZONES)),
        days=draw(st.sampled_from((None, frozenset({0, 1, 3})))),
        leave=away,
        left=draw(st.sampled_from((*[None] * 9, first + dt.timedelta(days=4)))),
        quiet=draw(st.sampled_from((None, (8 * 60, 14 * 60)))),
        channel=draw(st.sampled_from(("", "email"))),
    )


@st.composite
def manager_holds(draw: st.DrawFn, kickoff: str) -> tuple[ManagerHold, ...]:
    """Perhaps their manager holds the first message for some days, and perhaps that is lifted early."""
    days, lasting, lifted = draw(st.integers(-2, 9)), draw(st.integers(0, 6)), draw(st.sampled_from((None, 9, 55)))
    at = utc(kickoff) + dt.timedelta(days=days, hours=draw(st.integers(0, 23)))
    until = at.date() + dt.timedelta(days=lasting)
    end = at + dt.timedelta(hours=lifted) if lifted else None
    return (ManagerHold("m0", frozenset({BOSS}), until, at, end),) if lasting else ()


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Campaigns, Person]:
    """One or two running campaigns under common rules, perhaps after a pause or a hold, and one person."""
    kickoff = draw(st.sampled_from(KICKOFFS))
    started = utc(kickoff) + dt.timedelta(hours=draw(st.sampled_from((-90, -90, 33, 100))))
    still = draw(st.sampled_from(((), (Standstill(started, started + dt.timedelta(hours=50), "latest"),))))
    workspace = Workspace.model_validate(
        {
            "at_most": draw(st.sampled_from(({"per_day": 10, "per_week": 50}, {"per_day": 1, "per_week": 2}))),
            "minimum_gap": draw(st.sampled_from(("0h", "3h"))),
            "black_out": draw(st.sampled_from(([], ["2027-03-30..2027-04-01"]))),
        }
    )
    holds = draw(manager_holds(kickoff))
    word = started + dt.timedelta(hours=draw(st.sampled_from((5, 90, 230))))
    opened: dict[str, dt.datetime] = draw(st.sampled_from(({"listen": word}, {"listen": word}, {})))
    facts = {"manager_holds": holds, "opened": opened}
    running = tuple(
        Campaign(draw(plans(number, kickoff)), started, pauses=still if number == 0 else (), **facts)
        for number in range(draw(st.integers(1, 2)))
    )
    return Campaigns(running, workspace), draw(people(kickoff))


def answers(salt: int, person: Person) -> Supposition:
    """Some touches are answered, the next night; some outreach brings an outcome. Fixed by ``salt`` and the touch."""

    def suppose(touch: Touch) -> Sequence[Fact]:
        draw = hashlib.sha256(f"{salt} {touch.campaign} {touch.message} {touch.rung} {touch.number}".encode()).digest()
        at = _next_night(touch.due_at, person)
        if touch.kind == "personal":
            outcome = ("objects", "objects", "objects", "declines", "away", "")[draw[0] % 6]
            if outcome == "objects" and draw[1] % 2:  # the lead answers it some days later, or never
                answered = at + dt.timedelta(days=draw[2] % 9) if draw[2] % 3 else None
                question = Question(touch.campaign, touch.message, at, answered, objection=True)
                return OutreachOutcome(touch.campaign, touch.message, "objects", at), question
            return (OutreachOutcome(touch.campaign, touch.message, outcome, at),) if outcome else ()
        if touch.kind == "commitment":
            kind = ("kept", "not_kept", "heard_enough", "")[draw[0] % 4]
        else:
            kind = ("acknowledged", "heard_enough", "did it", "commit", "commit", *[""] * 7)[draw[0] % 12]
        if kind == "did it":
            return (Deed(touch.campaign, "first_call", at),)
        return (Answer(touch.campaign, touch.message, kind, at, "link"),) if kind else ()

    return suppose  # type: ignore[return-value]


def _next_night(at: dt.datetime, person: Person) -> dt.datetime:
    """23:59:30 of the same local date, when the windows of most plans are closed."""
    local = at.astimezone(zone(person.time_zone))
    return local.replace(hour=23, minute=59, second=30, microsecond=0).astimezone(dt.UTC)
