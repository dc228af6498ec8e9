"""A schedule that adapts: three rehearsals of one plan, with people who remember worse, as, and better than assumed.

Each is the real engine on a time-lapse clock, with real SMTP and answers by real forms. It prints what each sent by
week, holds it against the forecast, and writes one plot: ``python -m benchmarks.recall.adapts``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog

from commsengine.cadence.forecast import messages_of
from commsengine.cadence.plan import Workspace
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.planning.simulated_people import STRONG, WEAK, people_who_forget
from commsengine.sandbox.rehearse import Rehearsal, Script, Story
from tests.builders import a_message, a_plan, running, someone, utc

START, UNTIL = utc("2027-01-04"), utc("2027-03-15")
WORLDS = {"worse (15 of 100 after two days)": WEAK, "as assumed (25)": 0.0, "better (40)": STRONG}
COLOURS = ("#b3261e", "#555555", "#1b6e3c")
CHECKS = [
    {"question": f"Question {n}?", "answers": ["Here", "There", "Nowhere", "Both"], "right": "Here", "because": "So."}
    for n in (1, 2, 3)
]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=150)
    options.add_argument("--out", type=Path, default=Path(__file__).with_name("adapts.svg"))
    given = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    weeks = {}
    for name, theta in WORLDS.items():
        story = rehearsed(given.people, theta)
        weeks[name] = by_week(story, given.people)
        told = " ".join(f"{value:.2f}" for value in weeks[name])
        print(f"{name}: {sum(weeks[name]):.1f} messages a person; by week {told}; agrees with simulate: {story.agrees}")
    given.out.write_text(plot(weeks), encoding="utf-8")
    print(f"wrote {given.out}")


def rehearsed(people: int, theta: float) -> Story:
    cadence = {"recall_floor": "0.35", "target": "0.60", "by": "go_live"}
    message = a_message(ask="check", checks=CHECKS, cadence=cadence, until="go_live", follow_up=[])
    plan = a_plan(
        message, audience={"roles": {"everybody": {"rest": "true"}}}, wiifm={"everybody": {"why": "Because."}}
    )
    supposing = partial(people_who_forget, messages_of(running(plan)), theta)
    some = [replace(someone(number), department="Sales") for number in range(people)]
    script = Script(plan, some, Workspace(), load_templates(shipped_folder(), None), START, UNTIL, supposing)
    with tempfile.TemporaryDirectory() as folder, Rehearsal(script, Path(folder), port=0) as rehearsal:
        return rehearsal.run(lambda *_: None)


def by_week(story: Story, people: int) -> list[float]:
    """Messages per person in each week from kickoff on."""
    counts = Counter((due - utc("2027-01-11")).days // 7 for *_, due, skip in story.touches if not skip)
    return [counts[week] / people for week in range(9)]


def plot(weeks: dict[str, list[float]]) -> str:
    """Messages a person by week, one line for each world."""
    left, top, width, height, most = 60, 70, 560, 260, 3.2
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 400" font-family="sans-serif" font-size="13">',
        '<rect width="680" height="400" fill="white"/>',
        '<text x="20" y="28" font-size="16" font-weight="bold">Messages a person, by week: the schedule adapts</text>',
        '<text x="20" y="48" fill="#555">Rehearsals of one plan by recall (.35, .60), three a week at most</text>',
    ]
    for tick in range(4):
        y = top + height - tick / most * height
        lines.append(f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(f'<text x="{left - 10}" y="{y + 4:.1f}" text-anchor="end">{tick}</text>')
    for week in range(9):
        x = left + week / 8 * width
        lines.append(f'<text x="{x:.1f}" y="{top + height + 20}" text-anchor="middle">week {week + 1}</text>')
    for (name, values), colour in zip(weeks.items(), COLOURS, strict=True):
        dots = [(left + n / 8 * width, top + height - value / most * height) for n, value in enumerate(values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in dots]
        place = 350 + 18 * list(weeks).index(name) - 5
        lines.append(f'<circle cx="{left}" cy="{place + 16}" r="5" fill="{colour}"/>')
        lines.append(f'<text x="{left + 12}" y="{place + 20}">{name}: {sum(values):.1f} in nine weeks</text>')
    return "\n".join([*lines, "</svg>", ""]).replace('viewBox="0 0 680 400"', 'viewBox="0 0 680 420"')


if __name__ == "__main__":
    main()
