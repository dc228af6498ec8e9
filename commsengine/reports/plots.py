"""The geometry of the report's plots: from figures to coordinates, for the templates to draw."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from commsengine.content.phrases import month_day_text
from commsengine.recall.small_groups import WEEK
from commsengine.reports.campaign_report import MessageView, Report, Week
from commsengine.reports.check_results import Weeks
from commsengine.reports.outcomes.results import OutcomeView, RoleOutcome
from commsengine.reports.recall_by_role import RoleView
from commsengine.reports.recall_curves import Mean
from commsengine.translation import N_, _, number_text, percent_text

LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 30.0, 332.0, 38.0, 188.0, 222.0
LEFT_OF_COUNTS = 46.0
MOST_TICKS = 5
MOST_BARS = 26
STEPS = (7, 14, 28, 56, 91, 182, 364)


class Level(NamedTuple):
    """A horizontal line that ends at ``x``, and where its word stands."""

    y: float
    label: str
    x: float
    label_x: float
    label_y: float
    anchor: str = "end"


class PlotMarker(NamedTuple):
    """A vertical line with its word."""

    x: float
    label: str
    anchor: str


class Dot(NamedTuple):
    """An observed share with its interval, all as coordinates."""

    x: float
    y: float
    low: float
    high: float
    label_y: float
    n: int
    says: str


class Bar(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    says: str


@dataclass(frozen=True)
class Plot:
    """Everything that a macro of ``plots.html`` needs. ``rows`` are its figures, for the table beside it."""

    id: str
    title: str
    description: str
    x_label: str
    y_label: str
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    past: str = ""
    ahead: str = ""
    band: str = ""
    floor: Level | None = None
    target: Level | None = None
    moments: Sequence[PlotMarker] = ()
    dots: Sequence[Dot] = ()
    bars: Sequence[Bar] = ()
    rows: Sequence[tuple[str, ...]] = ()
    left: float = LEFT
    right: float = RIGHT
    top: float = TOP
    bottom: float = BOTTOM
    height: float = HEIGHT


class Scale:
    """From instants to x, from values to y."""

    def __init__(self, first: dt.datetime, last: dt.datetime, most: float = 1.0, left: float = LEFT) -> None:
        self.first, self.last, self.most, self.left = first, last, most, left

    def x(self, at: dt.datetime) -> float:
        return round(self.left + (RIGHT - self.left) * ((at - self.first) / (self.last - self.first)), 1)

    def y(self, value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * value / self.most, 1)

    def inside(self, at: dt.datetime) -> bool:
        return self.first <= at <= self.last


def recall_plot(report: Report, message: MessageView, role: RoleView, number: int) -> Plot:
    line = role.line
    first = _midnight(line[0].at.date())
    scale = Scale(first, max(line[-1].at, first + WEEK))
    past, ahead = [p for p in line if p.at <= report.at], [p for p in line if p.at >= report.at]
    by = message.by or (report.go_live[1] if report.go_live else None)
    return Plot(
        f"recall-{number}",
        _("Estimated recall of {role}: {message}", role=role.role, message=message.id),
        _described(message, role, past, ahead),
        _("week from"),
        _("still know it, of 100"),
        _weeks(scale),
        [(scale.y(n / 100), str(n)) for n in (0, 25, 50, 75, 100)],
        past=_path(scale, past),
        ahead=_path(scale, ahead) if len(ahead) > 1 else "",
        band=_band(scale, line),
        floor=_floor(scale, message.floor, line[-1].mean) if message.floor else None,
        target=_target(scale, message),
        moments=_moments(scale, report, by, message.by is not None),
        dots=[_dot(scale, week.since + (week.until - week.since) / 2, week) for week in role.weeks],
        rows=[_row(point, report.at) for point in _thinned(line, report.at)],
    )


def _described(message: MessageView, role: RoleView, past: Sequence[Mean], ahead: Sequence[Mean]) -> str:
    if not past:  # looked at before anything happened, as in the database of a rehearsal
        return _("Mean over {people} people. Nothing had been sent at this time.", people=role.people)
    now = past[-1]
    text = N_("Mean over {people} people. On {day}: {mean:.0%}, between {low:.0%} and {high:.0%}.")
    texts = [_(text, people=role.people, day=_day(now.at), mean=now.mean, low=now.low, high=now.high)]
    if len(ahead) > 1:
        texts.append(_("If nothing more is sent: {mean:.0%} on {day}.", mean=ahead[-1].mean, day=_day(ahead[-1].at)))
    if message.floor:
        texts.append(_("The floor is {floor:.0%}.", floor=message.floor))
    if role.weeks:
        week = N_("{share:.0%} of {answers} from {day}")
        shares = (_(week, share=each.right.share, answers=each.right.of, day=_day(each.since)) for each in role.weeks)
        texts.append(_("Answers that were right: {shares}.", shares="; ".join(shares)))
    return " ".join(texts)


def _floor(scale: Scale, floor: float, ends_at: float) -> Level:
    # the word stands on the side of the floor where the line does not end
    y = scale.y(floor)
    return Level(y, _("floor {floor:.0f}", floor=floor * 100), RIGHT, RIGHT, y + 13 if ends_at >= floor else y - 5)


def _target(scale: Scale, message: MessageView) -> Level | None:
    if message.target is None or message.by is None or message.by <= scale.first:
        return None
    x, y = min(scale.x(message.by), RIGHT), scale.y(message.target)
    side = (x + 4, y + 4, "start") if x < RIGHT - 60 else (x - 4, y - 4, "end")
    return Level(y, _("target {target:.0f}", target=message.target * 100), x, *side)


def _moments(scale: Scale, report: Report, by: dt.datetime | None, aimed: bool) -> list[PlotMarker]:
    # where today and go-live are close, their words stand on either side
    go_live = bool(by and report.go_live and by == report.go_live[1])
    named = [(report.at, _("today"))]
    if by:
        named.append((by, _("go-live") if go_live or not aimed else _("target day")))
    return _marked(scale, named)


def _marked(scale: Scale, named: Sequence[tuple[dt.datetime, str]]) -> list[PlotMarker]:
    inside = sorted((at, label) for at, label in named if scale.inside(at))
    places = [scale.x(at) for at, _label in inside]
    close = len(places) == 2 and places[1] - places[0] < 50
    return [
        PlotMarker(x, label, _side(x, before=close and n == 0, after=close and n == 1))
        for n, (x, (_at, label)) in enumerate(zip(places, inside, strict=True))
    ]


def _side(x: float, *, before: bool, after: bool) -> str:
    if before or x > RIGHT - 25:
        return "end"
    return "start" if after or x < LEFT + 25 else "middle"


def _dot(scale: Scale, at: dt.datetime, week: Weeks) -> Dot:
    share, high = week.right, scale.y(week.right.high)
    text = N_("{right} of {answers} answers right ({share:.0%}, {low:.0%} to {high:.0%})")
    says = _(text, right=share.count, answers=share.of, share=share.share, low=share.low, high=share.high)
    return Dot(scale.x(at), scale.y(share.share), scale.y(share.low), high, max(high - 4, TOP - 1), share.of, says)


def _path(scale: Scale, points: Sequence[Mean]) -> str:
    return "M" + "L".join(f"{scale.x(p.at)} {scale.y(p.mean)}" for p in points)


def _band(scale: Scale, points: Sequence[Mean]) -> str:
    over = [f"{scale.x(p.at)} {scale.y(p.high)}" for p in points]
    under = [f"{scale.x(p.at)} {scale.y(p.low)}" for p in reversed(points)]
    return "M" + "L".join(over + under) + "Z"


def _weeks(scale: Scale) -> list[tuple[float, str]]:
    days = (scale.last - scale.first).days
    step = next((step for step in STEPS if days / step <= MOST_TICKS), STEPS[-1])
    at = scale.first.replace(hour=0, minute=0, second=0, microsecond=0)
    at += dt.timedelta(days=-at.weekday() % 7)
    ticks: list[tuple[float, str]] = []
    while at <= scale.last:
        if scale.inside(at):
            ticks.append((scale.x(at), _day(at)))
        at += dt.timedelta(days=step)
    return [tick for tick in ticks if tick[0] <= RIGHT - 14] or ticks


def _day(day: dt.date) -> str:
    return month_day_text(day, short=True)


def _row(point: Mean, now: dt.datetime) -> tuple[str, ...]:
    day = _day(point.at)
    if point.at > now:
        day = _("{day}, if nothing is sent", day=day)
    return day, percent_text(point.mean), _("{low:.0%} to {high:.0%}", low=point.low, high=point.high)


def _thinned(line: Sequence[Mean], now: dt.datetime) -> list[Mean]:
    step = max(1, len(line) // 12)
    return [point for n, point in enumerate(line) if n % step == 0 or point.at == now]


# -- by week --------------------------------------------------------------------------------------


def week_plots(weeks: Sequence[Week], people: int) -> list[Plot]:
    if not weeks:
        return []
    shown = _every_week(weeks)
    touches = [(week.start, week.touches) for week in shown]
    totals = accumulate(week.acknowledged for week in shown)
    rising = [(week.start, total) for week, total in zip(shown, totals, strict=True)]
    to_whom = _("To {people} people in the roles shown.", people=people)
    total_of = _("Running total of confirmed messages, each person and message once.")
    return [
        _counted("touches", _("Messages per week"), touches, to_whom, _("messages"), bars=True),
        _counted("acknowledged", _("Acknowledgements over time"), rising, total_of, _("acknowledged")),
    ]


def done_plot(outcome: OutcomeView, role: RoleOutcome, at: dt.datetime, number: int) -> Plot | None:
    """How many had done it, day by day, up to ``at``; ``None`` as long as none had."""
    if not role.line:
        return None
    first = _midnight(role.line[0][0])
    last = max(at, outcome.by, first + WEEK)
    most, ticks = _round_up(role.people)
    scale = Scale(first, last, most, left=LEFT_OF_COUNTS)
    points, before = [f"{scale.x(first)} {scale.y(0)}"], 0
    for day, count in role.line:
        points += [f"{scale.x(_midnight(day))} {scale.y(n)}" for n in (before, count)]
        before = count
    points.append(f"{scale.x(max(at, first))} {scale.y(before)}")
    text = N_("{done:,} of {people:,} people by {day}.")
    named = [(at, _("today")), (outcome.by, _("due"))]
    return Plot(
        f"done-{number}",
        _("Did it, {role}: {outcome}", role=role.role, outcome=outcome.title),
        _(text, done=before, people=role.people, day=_day(at)),
        _("week from"),
        _("people"),
        _weeks(scale),
        [(scale.y(tick), number_text(tick)) for tick in ticks],
        past="M" + "L".join(points),
        moments=_marked(scale, named),
        rows=[(_day(day), number_text(count)) for day, count in _some(role.line)],
        left=LEFT_OF_COUNTS,
    )


def _some(line: Sequence[tuple[dt.date, int]]) -> list[tuple[dt.date, int]]:
    step = max(1, len(line) // 12)
    return [point for n, point in enumerate(line) if n % step == 0 or n == len(line) - 1]


def _every_week(weeks: Sequence[Week]) -> list[Week]:
    known = {week.start: week for week in weeks}
    number = (weeks[-1].start - weeks[0].start) // WEEK + 1
    starts = [weeks[0].start + n * WEEK for n in range(number)]
    return [known.get(start, Week(start, 0, 0)) for start in starts[-MOST_BARS:]]


def _counted(
    name: str, title: str, counts: Sequence[tuple[dt.date, int]], says: str, unit: str, *, bars: bool = False
) -> Plot:
    first = _midnight(counts[0][0])
    most, ticks = _round_up(max(count for _day, count in counts))
    scale = Scale(first, first + max(len(counts), 4) * WEEK, most, left=LEFT_OF_COUNTS)
    width = (RIGHT - LEFT_OF_COUNTS) / max(len(counts), 4)
    drawn = [
        Bar(
            scale.x(_midnight(day)) + width * 0.12,
            scale.y(count),
            round(width * 0.76, 1),
            round(BOTTOM - scale.y(count), 1),
            _("{number:,} in the week from {day}", number=count, day=_day(day)),
        )
        for day, count in counts
    ]
    points = [f"{scale.x(first)} {scale.y(0)}", *(f"{scale.x(_midnight(d) + WEEK)} {scale.y(n)}" for d, n in counts)]
    if bars:
        last, number = counts[-1]
        says += " " + _("{number:,} in the week from {day}.", number=number, day=_day(last))
    return Plot(
        name,
        title,
        says,
        _("week from"),
        unit,
        _weeks(scale),
        [(scale.y(tick), number_text(tick)) for tick in ticks],
        past="" if bars else "M" + "L".join(points),
        bars=drawn if bars else (),
        rows=[(_day(day), number_text(count)) for day, count in counts],
        left=LEFT_OF_COUNTS,
    )


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def _round_up(most: int) -> tuple[int, list[int]]:
    """A round number from ``most`` up, and about four ticks to it."""
    raw = max(most, 4) / 4
    power = 10 ** math.floor(math.log10(raw))
    step = next(int(power * n) for n in (1, 2, 2.5, 5, 10) if power * n >= raw and float(power * n).is_integer())
    count = -(-max(most, 1) // step)
    return step * count, [step * n for n in range(count + 1)]
