"""What one decision costs per person and message, on one core, beside an anchor run in the same minute."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.rehearsal import anchor
from commsengine.cadence.decide import decide
from commsengine.cadence.forecast import forecast
from commsengine.cadence.history import Answer, Campaigns, History, Touch
from commsengine.cadence.people import Person
from commsengine.recall import memory
from tests.builders import a_message, a_plan, running, someone, utc

PEOPLE = 200

CHECK = {"question": "Where?", "answers": ["Here", "There", "Nowhere", "Both"], "right": "Here", "because": "So."}
CALENDAR = {"every": "48h", "times": "3"}
BY_RECALL = {"recall_floor": "0.35", "target": "0.60", "by": "go_live"}


def main() -> None:
    """Five messages, a month after kickoff, one beat of the engine over 200 people of whom many have answered."""
    print(f"anchor {anchor():.2f} s")
    measure("five by the calendar", [CALENDAR] * 5)
    measure("four by the calendar, one by recall, in an engine that runs", [BY_RECALL, *[CALENDAR] * 4], runs=True)
    measure("the same in an engine that has just started", [BY_RECALL, *[CALENDAR] * 4])
    measure("five by recall, in an engine that runs: only what is new is worked out", [BY_RECALL] * 5, runs=True)
    measure("the same in an engine that has just started", [BY_RECALL] * 5)


def measure(name: str, cadences: list[dict[str, str]], *, runs: bool = False) -> None:
    messages = [
        a_message(id=f"m{number}", cadence=cadences[number], checks=[CHECK], **{"from": f"kickoff + {number * 7}d"})
        for number in range(5)
    ]
    campaigns, start, now = running(a_plan(*messages)), utc("2027-01-04"), utc("2027-02-10 12:00")
    people = [someone(number) for number in range(PEOPLE)]
    pasts = [forecast(campaigns, person, History(), start, now, answering).history for person in people]
    least = min(_once(campaigns, people, pasts, now, runs=runs) for _ in range(5))
    rows = sum(len(past.rows) for past in pasts) / len(pasts)
    print(f"{name}: {least / len(messages) * 1e6:.0f} µs per person and message with {rows:.0f} touches behind")


def _once(campaigns: Campaigns, people: list[Person], pasts: list[History], now: dt.datetime, *, runs: bool) -> float:
    memory.forget()
    for person, past in zip(people, pasts, strict=True) if runs else ():
        decide(campaigns, person, _before(past), now)
    began = time.process_time()
    for person, past in zip(people, pasts, strict=True):
        decide(campaigns, person, past, now)
    return (time.process_time() - began) / len(people)


def _before(past: History) -> History:
    """The history without its newest touch and what was said since: what an earlier beat knew."""
    newest = max(row.due_at for row in past.rows)
    rows = tuple(row for row in past.rows if row.due_at < newest)
    return replace(past, rows=rows, answers=tuple(a for a in past.answers if a.at < newest))


def answering(touch: Touch) -> Sequence[Answer]:
    """Every third touch is answered, at a minute of its own."""
    draw = int(touch.key[:6], 16)
    if draw % 3:
        return ()
    at = touch.due_at + dt.timedelta(minutes=10 + draw % 500)
    right = draw % 5 != 0 if touch.number % 2 == 0 else None
    return (Answer(touch.campaign, touch.message, "acknowledged" if right is None else "check", at, "link", right),)


if __name__ == "__main__":
    main()
