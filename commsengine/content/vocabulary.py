"""The names that templates and the texts of a plan may use. ``docs/templates.md`` explains each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from commsengine.cadence.people import COLUMNS
from commsengine.cadence.plan import ANGLES, Plan
from commsengine.content.grammar import ANY, Vocabulary

CAST_FIELDS = ("name", "first_name", "email", "phone", "job")
CAST = ("lead", "manager", "sponsor", "sender")
VARYING = ("person", *CAST, "links")
"""Names that differ from person to person: written as slots, filled in last. (``again`` is one too.)"""


def plan_names(plan: Plan, columns: Collection[str] | None = None) -> Vocabulary:
    """What a text of the plan may use. ``columns`` are the attributes people have; ``None`` leaves them open."""
    person: Any = ANY if columns is None else dict.fromkeys({*COLUMNS, "first_name", *columns})
    return {
        "person": person,
        "milestones": dict.fromkeys(plan.milestones),
        "campaign": dict.fromkeys(("id", "title")),
        **{member: dict.fromkeys(CAST_FIELDS) for member in CAST},
    }


def template_names(plan: Plan, columns: Collection[str] | None = None) -> Vocabulary:
    """What a template may use; a name that a kind of message has no use for is empty there."""
    return {
        **plan_names(plan, columns),
        "links": dict.fromkeys(("answer", "mine", "more")),
        "touch": dict.fromkeys(("number", "variant", "kind", "unclear", "asks")),
        "wiifm": dict.fromkeys(ANGLES),
        **dict.fromkeys((
            "again", "answer", "ask", "channel", "commit", "corrected", "headline", "key_point", "language",
            "manager_sees", "often", "others", "question", "reply_by", "role", "several_leads", "text", "tried",
        )),
        "points": [dict.fromkeys(("angle", "title", "text"))],
        "choices": [None],
        "key_points": [None],
        "asks": [None],
        "figures": [None],
        "moved": [dict.fromkeys(("name", "before", "now", "because"))],
        "calls": [{
            **dict.fromkeys(("id", "name", "role", "phone", "reason", "tried", "by", "campaign", "lead")),
            "talk": [dict.fromkeys(("title", "text"))],
            "points": [None],
        }],
        "answers": [dict.fromkeys(("name", "about", "text", "day"))],
        "questions": [dict.fromkeys(("name", "about", "since", "overdue", "text"))],
        "held": [dict.fromkeys(("name", "about", "reason"))],
    }  # fmt: skip


def answer_slot(place: int) -> str:
    """The value that fills in the answer to a check which a person sees at this place, counted from 0."""
    return f"choice.{place}"


def answer_id_slot(place: int) -> str:
    """The same for what its button is called."""
    return f"choice.{place}.id"


def layout_names(plan: Plan) -> Vocabulary:
    """What a layout may use: everything above, and the finished pieces."""
    return {**template_names(plan), **dict.fromkeys(("title", "body", "footer", "action", "page"))}
