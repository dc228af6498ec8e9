"""A small sound plan as text, and the same plan with one slip in it."""

from __future__ import annotations

from pathlib import Path

from commsengine.authoring.plan_file import review_plan
from commsengine.errors import Problem

PLAN = """\
campaign: crm
title: One customer record
owner: dana@example.com
sponsor: sam@example.com
milestones:
  kickoff: 2027-01-11
  go_live: 2027-03-15
audience:
  roles:
    sales: {department: [Sales]}
    others: {rest: true}
send:
  channels: [email]
  window: {days: [mon, tue, wed, thu, fri], from: "09:00", to: "16:30"}
  time_zone: Europe/Berlin
wiifm:
  sales: {why: Two lists cost us., your_job: You log it once., skills: One hour., measures: Same day., results: Less.}
  others: {why: One list., your_job: You look it up., skills: A film., measures: Fewer mails., results: Fewer slips.}
messages:
  - id: how-you-work
    key_point: Tell us before we design it.
    from: kickoff
    until: go_live
    cadence: {every: 72h, times: 2}
    ask: input
    input: {question: What must never get harder for you?}
    text: [Think of a busy day., Name one thing that works today.]
  - id: one-record
    key_point: Every conversation is logged in one record.
    from: kickoff + 7d
    until: go_live + 14d
    cadence: {every: 48h, times: 6}
    text: [Two lines after each call., Your colleague reads them., A phone is enough.]
follow_up:
  - {after: 2 touches, do: remind}
  - {after: 2 touches, do: personal}
  - {after: 5 working days, do: sponsor}
"""


def slip(old: str, new: str) -> str:
    """The sound plan with one passage changed; the passage must be there, once."""
    assert PLAN.count(old) == 1, old
    return PLAN.replace(old, new)


def write(folder: Path, text: str | bytes, name: str = "plan.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def told(folder: Path, text: str | bytes, severity: str = "error") -> list[Problem]:
    """All errors (or all advice) on a plan."""
    review = review_plan(write(folder, text), root=folder)
    return [problem for problem in review.problems if problem.severity == severity]


def codes(folder: Path, text: str, severity: str = "error") -> list[str]:
    return [problem.code for problem in told(folder, text, severity)]
