"""Simulated campaigns in all worlds: messages per person, recall, and how far the forecast misses, beside the goals."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.recall.beliefs import Beliefs, Roles, Touched, as_decided
from benchmarks.recall.memory import Array
from benchmarks.recall.worlds import DAY, People, World, worlds
from commsengine.cadence import repeats
from commsengine.recall import learning
from commsengine.recall.memory import Curve

PEOPLE = 300
WEEK = 167  # hours: a touch counts against the three of a week for so long
CAP = 3
BEFORE_LAST = repeats.BEFORE_LAST.total_seconds() / 3600


@dataclass(frozen=True)
class Schedule:
    """Fixed ``days``, or by recall. A check comes with every touch but the first, every second one, or none.

    ``recall``: the dates follow each person's own answers, or only the role's curve and who acknowledged. ``alone``: a
    touch that asks shows its message to nobody who neither answers nor skips the question.
    """

    days: tuple[int, ...] = ()
    floor: float = 0.35
    target: float = 0.60
    checks: str = "every"
    recall: str = "person"
    alone: bool = False


@dataclass(frozen=True)
class Campaign:
    """How a campaign went, by seed."""

    messages: Array
    on_the_day: Array
    lowest: Array
    under: Array
    forecast: Array


ALONE = learning.Grid((Curve.of(),), (0.0,), 0.0)
"""The assumed curve and nothing learned."""


def run(
    world: World,
    days: int,
    schedule: Schedule,
    *,
    seeds: int,
    first_seed: int = 90001,
    grid: learning.Grid = learning.GRID,
) -> Campaign:
    """300 people a seed from a Monday on; slots on working days at ten; go-live at nine on the Tuesday after."""
    people, roles = People(world, days, seeds, PEOPLE, first_seed), Roles(seeds, PEOPLE, grid)
    slots, end = [day for day in range(days + 1) if day % 7 < 5], days * DAY + 23
    sent, means, past = np.zeros((len(slots), seeds * PEOPLE), bool), [], []
    for place, day in enumerate(slots):
        hours = day * DAY
        if day > 7:
            means.append(people.recall(hours).mean(1))
        wanted = _wanted(schedule, roles, past, place, slots, end)
        if not schedule.days:
            wanted &= _allowed(sent, slots, place)
        count = sent.sum(0)
        checked = {"every": count > 0, "second": count % 2 == 1, "none": count < 0}[schedule.checks]
        shape = (seeds, PEOPLE)
        seen = people.receive(day, wanted.reshape(shape), checked.reshape(shape), alone=schedule.alone)
        alone = checked.reshape(shape) & wanted.reshape(shape) & ~seen.answered & ~seen.acknowledged & schedule.alone
        signals = (seen.acknowledged, seen.answered, seen.right, alone)
        past.append(Touched(hours, wanted, *(each.ravel() for each in signals)))
        if not schedule.days:
            roles.learn(past[-1])
        sent[place] = wanted
    known = people.recall(end)
    forecast = roles.recall(end).reshape(shape).mean(1) if not schedule.days else np.full(seeds, np.nan)
    lowest = np.min([*means, known.mean(1)], axis=0)
    return Campaign(sent.sum(0).reshape(shape).mean(1), known.mean(1), lowest, (known < 0.4).mean(1), forecast)


def _wanted(schedule: Schedule, roles: Roles, past: list[Touched], place: int, slots: list[int], end: float) -> Array:
    """The product's rule: see ``rhythm.ByRecall``."""
    hours, final = slots[place] * DAY, slots[-1] * DAY
    if schedule.days or place == 0:
        return np.full(len(roles.role), place == 0 if not schedule.days else slots[place] in schedule.days)
    beliefs = as_decided(roles, past if schedule.recall == "person" else [day.as_others_know_it for day in past])
    due = beliefs.recall(hours)[:, 0] < schedule.floor - repeats.HAIR
    last_before = max(slot * DAY for slot in slots if slot * DAY <= final - BEFORE_LAST)
    if hours in (final, last_before):
        due |= _for_target(beliefs, schedule.target + repeats.AMBITION, hours == final, final, end)
    return due


def _for_target(beliefs: Beliefs, wanted: float, is_last: bool, final: float, end: float) -> Array:
    if_nothing = beliefs.recall(end)[:, 0]
    short = if_nothing < wanted
    if is_last:
        return short
    if_read = beliefs.recall_if_read(final, end)[:, 0]
    return short & (repeats.READ_AT_LAST * if_read + (1 - repeats.READ_AT_LAST) * if_nothing < wanted)


def _allowed(sent: Array, slots: list[int], place: int) -> Array:
    """Three in a week, one of them kept for the last slot."""
    recent = [n for n in range(place) if (slots[place] - slots[n]) * DAY < WEEK]
    keeps = place < len(slots) - 1 and (slots[-1] - slots[place]) * DAY < WEEK
    return sent[recent].sum(0) < CAP - keeps


# -- the tables -------------------------------------------------------------------------------------


def _with_error(values: Array, digits: int = 3) -> str:
    return f"{values.mean():.{digits}f}±{values.std(ddof=1) / np.sqrt(len(values)):.{digits}f}"


def _row(name: str, went: Campaign, theirs: str) -> None:
    miss = went.forecast - went.on_the_day
    missed = "" if np.isnan(miss).any() else f"{went.forecast.mean():.3f}  {_with_error(miss)}"
    print(
        f"{name:46s} {_with_error(went.messages, 2):>11s}  {_with_error(went.on_the_day)}  {went.under.mean():.2f}"
        f"   {_with_error(went.lowest)}  {missed:20s}  | {theirs}"
    )


HEAD = (
    f"{'':46s} {'messages':>11s}  {'go-live':11s}  <.40   {'lowest':11s}  {'forecast, its miss':20s}"
    "  | the specification's"
)

EVERY_48H = tuple(day for day in range(57) if day % 7 in (0, 2, 4))
FIXED: tuple[tuple[str, int, Schedule, str], ...] = (
    ("once", 28, Schedule((0,)), "1.0  .076  .97  .076"),
    ("weekly", 28, Schedule(tuple(range(0, 29, 7))), "5.0  .438  .47  .172"),
    ("ladder, days 0 1 3 7 14 21 28", 28, Schedule((0, 1, 3, 7, 14, 21, 28)), "7.0  .532  .33  .282"),
    ("every 48 h", 28, Schedule(EVERY_48H), "13.0  .735  .07  .345"),
    ("every 48 h without checks", 28, Schedule(EVERY_48H, checks="none"), "13.0  .659  .10  .316"),
    ("56 days: weekly", 56, Schedule(tuple(range(0, 57, 7))), "9.0  .609  .22  .172"),
    ("56 days: ladder, also days 42 56", 56, Schedule((0, 1, 3, 7, 14, 21, 28, 42, 56)), "9.0  .590  .27  .282"),
    ("56 days: every 48 h", 56, Schedule(EVERY_48H), "25.0  .871  .01  .345"),
)
OPEN_RECORDS = "with open records: "
BY_RECALL: tuple[tuple[str, int, Schedule, str], ...] = (
    ("floor .30, target .55", 28, Schedule(floor=0.30, target=0.55), OPEN_RECORDS + "7.1  .534  .31  .294"),
    ("floor .40, target .60", 28, Schedule(floor=0.40), OPEN_RECORDS + "9.2  .632  .15  .365"),
    ("56 days: floor .40, target .60", 56, Schedule(floor=0.40), OPEN_RECORDS + "11.3  .675  .12  .365"),
    ("a check on every second touch only", 28, Schedule(checks="second"), "not measured"),
    ("56 days: a check on every second touch only", 56, Schedule(checks="second"), "not measured"),
)
NOT_MEASURED = "not measured"
PRICE: tuple[tuple[str, int, Schedule, str], ...] = tuple(
    (f"{days} days, {recall}{', alone' if alone else ''}{name}", days, schedule, NOT_MEASURED)
    for days in (28, 56)
    for name, checks in ((", every touch asks", "every"), (", every second asks", "second"))
    for recall in ("person", "role")
    for alone in (False, True)
    for schedule in [Schedule(checks=checks, recall=recall, alone=alone)]
)
WORLDS = {
    "A": OPEN_RECORDS + "8.1  .576, forecast .586",
    "B": OPEN_RECORDS + "9.2  .612, .561",
    "C": OPEN_RECORDS + "8.9  .549, .623",
    "D": OPEN_RECORDS + "10.6  .495, .507",
    "E": OPEN_RECORDS + "6.1  .577, .630",
    "G": OPEN_RECORDS + "12.1  .324, .366",
}


def _goal(text: str, value: float, limit: float, error: float, *, least: bool) -> bool:
    met = value >= limit if least else value <= limit
    close = "" if abs(value - limit) > 2 * error else ", closer than two standard errors"
    print(
        f"  {'met   ' if met else 'MISSED'}  {text:58s} {value:7.3f}±{error:.3f}"
        f"  goal {'≥' if least else '≤'} {limit:g}{close}"
    )
    return met


def _error(values: Array) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def goals(short: Campaign, long: Campaign, everywhere: dict[str, Campaign]) -> bool:
    met = []
    print("\nGoals, of a simulation, ± standard error over seeds")
    for days, went, messages, golive in ((28, short, 8.5, 0.61), (56, long, 10.0, 0.65)):
        met += [
            _goal(
                f"A, {days} days: messages per person",
                went.messages.mean(),
                messages,
                _error(went.messages),
                least=False,
            )
        ]
        met += [
            _goal(
                f"A, {days} days: recall on the day of go-live",
                went.on_the_day.mean(),
                golive,
                _error(went.on_the_day),
                least=True,
            )
        ]
        met += [
            _goal(
                f"A, {days} days: lowest mean recall from day 7 on",
                went.lowest.mean(),
                0.34,
                _error(went.lowest),
                least=True,
            )
        ]
    for name, went in everywhere.items():
        miss = went.forecast - went.on_the_day
        met += [_goal(f"{name}: how far the mean forecast misses", abs(miss.mean()), 0.05, _error(miss), least=False)]
    spread = np.concatenate([went.forecast - went.on_the_day for went in everywhere.values()]).std()
    print(f"  The forecast of one campaign misses by {spread:.3f} (standard deviation): show an interval.")
    return all(met)


def show(seeds: int, goal_seeds: int) -> bool:
    began = time.perf_counter()
    at = worlds()
    print(
        f"Campaigns, a simulation: {PEOPLE} people, one key point, {seeds} seeds ({goal_seeds} for the default in A);"
    )
    print("no open records; ± is the standard error over seeds; lowest is that of mean recall, after day 7\n" + HEAD)
    for name, days, schedule, theirs in FIXED:
        _row(name, run(at["A"], days, schedule, seeds=seeds), theirs)
    short = run(at["A"], 28, Schedule(), seeds=goal_seeds)
    long = run(at["A"], 56, Schedule(), seeds=goal_seeds)
    _row("BY RECALL .35, .60 (default)", short, "8.9  .616  -  .336, forecast .604")
    _row("56 days: BY RECALL .35, .60 (default)", long, OPEN_RECORDS + "9.5  .613  .24  .341")
    for name, days, schedule, theirs in BY_RECALL:
        _row(name, run(at["A"], days, schedule, seeds=seeds), theirs)
    price(seeds)
    print("\nThe default in other worlds, 28 days")
    everywhere = {}
    for name, theirs in WORLDS.items():
        everywhere[name] = short if name == "A" else run(at[name], 28, Schedule(), seeds=seeds)
        _row(f"{name} {at[name].name}", everywhere[name], theirs)
    print("\nThe same without learning from the checks")
    for name in WORLDS:
        _row(f"{name} {at[name].name}", run(at[name], 28, Schedule(), seeds=seeds, grid=ALONE), "")
    good = goals(short, long, everywhere)
    print(f"({time.perf_counter() - began:.0f} s)")
    return good


def price(seeds: int) -> bool:
    """What it costs that a person's own answers change no date, and that a question stands alone."""
    print("\nWhose answers time what comes next, and whether the message waits for the answer; world A\n" + HEAD)
    for name, days, schedule, theirs in PRICE:
        _row(name, run(worlds()["A"], days, schedule, seeds=seeds), theirs)
    return True


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=16, help="campaigns simulated for each row (default 16)")
    parser.add_argument("--goal-seeds", type=int, default=80, help="for the default in world A (default 80)")
