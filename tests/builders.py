"""People and plans every test knows: Ana, engineer in Seoul; Ben, sales in New York; Mia, their manager, in Berlin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from commsengine.cadence.history import Campaign, Campaigns
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace

MIA = Person(
    id="mia", email="mia@example.com", name="Mia Wolf", department="Sales", job="Head of Sales",
    country="DE", time_zone="Europe/Berlin", phone="+49 30 1234", is_manager=True,
)  # fmt: skip
ANA = Person(
    id="ana", email="ana@example.com", name="Ana Kim", department="Engineering", job="Engineer",
    manager="mia@example.com", country="KR", time_zone="Asia/Seoul", phone="+82 2 1234",
)  # fmt: skip
BEN = Person(
    id="ben", email="ben@example.com", name="Ben Ortiz", department="Sales", job="Account manager",
    manager="mia@example.com", country="US", time_zone="America/New_York", phone="+1 212 1234",
)  # fmt: skip


def utc(text: str) -> dt.datetime:
    """``2027-01-11`` or ``2027-01-11 09:30`` as an instant in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def someone(number: int, **changes: Any) -> Person:
    """One of many invented people, the same each time."""
    person = Person(
        id=f"p{number:05d}", email=f"p{number:05d}@example.com", name=f"Person {number}",
        department="Sales", country="DE", time_zone="Europe/Berlin", manager="mia@example.com",
    )  # fmt: skip
    return replace(person, **changes)


def a_message(**changes: Any) -> dict[str, Any]:
    return {
        "id": "one-record",
        "key_point": "Every customer conversation is logged in one record.",
        "from": "kickoff",
        "until": "go_live + 14d",
        "cadence": {"every": "48h", "times": "3"},
        **changes,
    }


def a_plan(*messages: Mapping[str, Any], **changes: Any) -> Plan:
    """A small campaign for everybody: kickoff Monday 2027-01-11, go-live 2027-03-15; ``changes`` replace its keys."""
    return Plan.model_validate(
        {
            "campaign": "crm",
            "title": "One customer record",
            "owner": ["dana@example.com"],
            "sponsor": "sam@example.com",
            "milestones": {"kickoff": "2027-01-11", "go_live": "2027-03-15"},
            "audience": {"roles": {"sales": {"department": ["Sales"]}, "others": {"rest": "true"}}},
            "send": {"channels": ["email"], "holidays": "false"},
            "wiifm": {
                "sales": {
                    "why": "Two lists of customers cost us orders.",
                    "your_job": "You log each call once.",
                },
                "others": {
                    "why": "One list for all of us.",
                    "your_job": "You find every customer in one place.",
                },
            },
            "messages": list(messages) or [a_message()],
            "follow_up": [
                {"after": "2 touches", "do": "remind"},
                {"after": "2 touches", "do": "personal", "by": "manager"},
                {"after": "5 working days", "do": "sponsor"},
            ],
            **changes,
        }
    )


def running(*plans: Plan, started: str = "2027-01-04", **workspace: Any) -> Campaigns:
    """Campaigns started a week before kickoff."""
    campaigns = tuple(Campaign(plan, started_at=utc(started)) for plan in plans or (a_plan(),))
    return Campaigns(campaigns, Workspace.model_validate(workspace))


def translated(plan: Plan, language: str, said: Callable[[str], str] = str) -> Plan:
    """The plan with all of its texts in another language as well: what is ``said`` in it."""
    texts = {name: said(text) for name, text in plan.texts.items() if not name.endswith(".link")}
    return plan.model_copy(update={"translations": {**plan.translations, language: texts}})
