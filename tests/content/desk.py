"""A desk to write at: one plan with every kind of message, its cast, and a renderer with the shipped templates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from commsengine.cadence.history import Touch
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.content.message import RenderedMessage
from commsengine.content.person_values import Signers
from commsengine.content.render import Renderer
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.links import Links
from tests.builders import BEN, MIA, a_message, a_plan, someone, utc

SHIPPED = load_templates(shipped_folder(), None)
DANA = someone(1, id="dana", name="Dana Reyes", email="dana@example.com")
SAM = someone(2, id="sam", name="Sam Okafor", email="sam@example.com")
CAST = Signers(DANA, MIA, SAM)
CHECK = {
    "question": "Where do you log a call?",
    "answers": ["My notebook", "The customer record"],
    "right": "The customer record",
    "because": "Your colleague sees it.",
}
WIIFM = {
    "why": "Two lists cost us orders.",
    "your_job": "You log each call once.",
    "skills": "A one-hour course.",
    "measures": "Calls logged the same day.",
    "results": "Fewer lost orders.",
}


def a_full_plan(**changes: Any) -> Plan:
    """All asks, a correction and a message with a text, a link and a person's values of its own."""
    return a_plan(
        a_message(),
        a_message(id="input", ask="input", input={"question": "What must never get harder?"}),
        a_message(id="choice", ask="input", input={"question": "Which?", "kind": "choice", "choices": ["One", "Two"]}),
        a_message(id="check", ask="check", checks=[CHECK]),
        a_message(id="commit", ask="commit", commit="I log my calls from {{ milestones.go_live }} on."),
        a_message(id="news", ask="nothing", sender="sponsor"),
        a_message(id="fixed", corrects="one-record", key_point="Calls made offline are logged too."),
        a_message(
            id="personal",
            key_point="{{ person.first_name }}, go-live is {{ milestones.go_live }}.",
            subject="{{ person.name }}, one list for {{ person.department }}",
            text="From **{{ sender.name }}** to *{{ person.name }}* "
            "([page](https://x.example.com/{{ person.name }})):\n\n"
            "- {{ person.job }}\n\n> {{ person.name }}\n\n## {{ person.name }}\n\n`{{ person.name }}`",
            link="https://intranet.example.com/?a=1&b=2",
            sender="manager",
        ),
        wiifm={"sales": WIIFM, "others": WIIFM},
        **changes,
    )


def a_renderer(plan: Plan | None = None, templates: Mapping[str, str] = SHIPPED, **workspace: Any) -> Renderer:
    links = Links("https://comms.example.com", ["key"])
    return Renderer(plan or a_full_plan(), templates, links, Workspace.model_validate(workspace))


def a_touch(message: str = "one-record", number: int = 1, **changes: Any) -> Touch:
    touch = Touch(
        campaign="crm", message=message, person="ben", role="sales", rung=0, kind="message", channel="email",
        local_date=dt.date(2027, 1, 11), due_at=utc("2027-01-11 14:00"), not_after=utc("2027-01-11 21:30"),
        number=number, again_at=utc("2027-01-13 14:00"),
    )  # fmt: skip
    return replace(touch, **changes)


def written(
    message: str = "one-record", number: int = 1, person: Person = BEN, signers: Signers = CAST, **changes: Any
) -> RenderedMessage:
    """One touch of the full plan, rendered."""
    return RENDERER.touch(a_touch(message, number, **changes), person, signers)


RENDERER = a_renderer()
MESSAGES = tuple(message.id for message in RENDERER.plan.messages)
