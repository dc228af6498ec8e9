"""What ``init`` writes, edited as a change lead would who wants to begin today."""

from __future__ import annotations

from tests.stories.campaign import days_from_now, today
from tests.stories.program import Program

PEOPLE = {f"{name}@example.com" for name in ("ana.kim", "ben.ortiz", "dana.reyes", "lea.blanc", "mia.wolf")}
"""The audience; the sponsor stands in the people file and is no member of it."""

PLAN = "schedules/crm.yaml"


def init(program: Program) -> None:
    """A workspace whose plan is open now, for everybody, at any hour of any day."""
    program.folder.mkdir()
    program.done("init", ".")
    program.change(
        PLAN,
        (f"kickoff: {today()}", f"kickoff: {days_from_now(-1)}"),
        ("days: [mon, tue, wed, thu, fri]", "days: [mon, tue, wed, thu, fri, sat, sun]"),
        ('from: "09:00", to: "16:30"', 'from: "00:00", to: "24:00"'),
        ("send:\n", "send:\n  holidays: false\n"),
    )
