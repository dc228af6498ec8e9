"""A campaign that is open now, at whatever hour a test runs, and as many people as a story needs."""

from __future__ import annotations

import datetime as dt

from tests.stories.program import Program

PLAN = """\
campaign: crm
title: One customer record
owner: [dana@example.com]
sponsor: sam@example.com
milestones:
  kickoff: {kickoff}
  go_live: {go_live}
{more}
audience: {{roles: {{everybody: {{rest: true}}}}}}
send:
  channels: [email]
  time_zone: {zone}
  window: {{days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}}
  holidays: false
wiifm:
  everybody:
    why: Two lists cost orders.
    your_job: You log each call once.
    skills: One hour.
    measures: Calls logged the same day.
    results: Fewer lost orders.
{messages}
follow_up:
  - {{after: 2 touches, do: remind}}
  - {{after: 1 touches, do: personal, by: manager}}
  - {{after: 5 working days, do: sponsor}}
"""
MESSAGES = """\
messages:
  - id: one-record
    key_point: Every customer conversation is logged in one record.
    from: kickoff
    until: go_live
    cadence: {every: 48h, times: 5}
"""


def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def afternoon_zone() -> str:
    """A zone in which the mails of owners are not due: they leave from 08:00 to noon, and these stories count mails."""
    return "Asia/Dhaka" if dt.datetime.now(dt.UTC).hour in range(6, 12) else "UTC"


def days_from_now(days: int) -> str:
    return (today() + dt.timedelta(days=days)).isoformat()


def addresses(people: int) -> list[str]:
    return [f"p{n:04d}@example.com" for n in range(people)]


IN_FORCE = (
    ("people", "import", "people.csv"), ("apply", "schedules/crm.yaml", "--yes"), ("start", "crm", "--yes"),
)  # fmt: skip


def write_for(
    program: Program, people: int, *, kickoff: str = "", go_live: str = "", messages: str = MESSAGES, more: str = ""
) -> None:
    """The files of a workspace for so many people; ``more`` is another milestone."""
    rows = [f"{address},Person {n},Sales" for n, address in enumerate(addresses(people))]
    program.write("people.csv", "\n".join(["email,name,department", *rows, ""]))
    plan = PLAN.format(
        kickoff=kickoff or days_from_now(-1), go_live=go_live or days_from_now(40), messages=messages,
        more=f"  {more}" if more else "", zone=afternoon_zone(),
    )  # fmt: skip
    program.write("schedules/crm.yaml", plan)
    program.write(".env", "COMMSENGINE_SECRET_KEY=a-key-of-enough-letters\n")
    (program.folder / ".env").chmod(0o600)


def start_for(program: Program, people: int) -> None:
    """Imported, applied and started for so many people, nothing sent yet."""
    write_for(program, people)
    for command in IN_FORCE:
        program.here(*command)
