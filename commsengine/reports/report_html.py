"""The report as one page: words, and plots drawn by templates. It needs no script, and nothing from elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from commsengine.cadence.calendar import local_date_in
from commsengine.cadence.calendar import zone as zone_named
from commsengine.cadence.kinds_and_states import ENDINGS, MEASURES, STATE_WORDS
from commsengine.cadence.repeats import HAIR
from commsengine.content.phrases import brief_day_text, install_words
from commsengine.recall.small_groups import FEWEST
from commsengine.reports.campaign_report import MessageView, Report
from commsengine.reports.check_results import NOWHERE
from commsengine.reports.outcomes.results import OutcomeView, RoleOutcome
from commsengine.reports.phases.measures import PHASE_STATES, PhaseView, RoleShare
from commsengine.reports.phases.unclear import UnclearRole, subject
from commsengine.reports.plots import Plot, done_plot, recall_plot, week_plots
from commsengine.reports.recall_by_role import RoleView
from commsengine.reports.recall_curves import Mean
from commsengine.store.records import GotItOnly
from commsengine.translation import N_, _

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
install_words(_environment)

Named = TypeVar("Named", RoleView, RoleOutcome, RoleShare, UnclearRole, GotItOnly)
"""What is known of one role."""


def page(report: Report) -> str:
    report = under_titles(report)
    title, lines = headline(report)
    numbers = iter(range(1, 10_000))
    sections = [(_named_groups(message), list(_panels(report, message, numbers))) for message in report.messages]
    people = sum(role.people for role in _roles(report) if role.shown)
    template = _environment.get_template("report.html")
    return template.render(
        report=report,
        phase_states=PHASE_STATES,
        measures=MEASURES,
        subject=subject,
        state=_(STATE_WORDS[report.record.state]),
        headline=title,
        lines=lines,
        sections=sections,
        weeks=week_plots(report.weeks, people),
        outcomes=[(outcome, list(_day_curves(report, outcome, numbers))) for outcome in report.outcomes],
        fewest=FEWEST,
        shown_people=people,
        zone=report.record.plan.send.time_zone,
        here=lambda at: at.astimezone(zone_named(report.record.plan.send.time_zone)),
        whens=lambda at: _day(at, report.record.plan.send.time_zone),
        hair=HAIR,
        ending=_ending,
    )


def under_titles(report: Report) -> Report:
    """With roles as people read them."""
    title = report.record.plan.audience.title

    def named(roles: Iterable[Named]) -> tuple[Named, ...]:
        return tuple(replace(role, role=title(role.role)) for role in roles)

    def measured(phase: PhaseView) -> PhaseView:
        return replace(phase, measures=tuple(replace(one, roles=named(one.roles)) for one in phase.measures))

    return replace(
        report,
        messages=tuple(replace(message, roles=named(message.roles)) for message in report.messages),
        outcomes=tuple(replace(outcome, roles=named(outcome.roles)) for outcome in report.outcomes),
        trial=replace(trial, roles=tuple(map(title, trial.roles))) if (trial := report.trial) else None,
        phases=tuple(map(measured, report.phases)),
        unclear=named(report.unclear),
        got_it_only=named(report.got_it_only),
    )


def _ending(reply: Mapping[str, Any]) -> str:
    word = _(ENDINGS[reply["as"]])
    return f"{word}, {reply['by']}" if reply["by"] else word


def _named_groups(message: MessageView) -> MessageView:
    alike, name = message.alike, {NOWHERE: _(NOWHERE)}
    groups = {name.get(group, group): number for group, number in alike.groups.items()}
    differ = tuple(name.get(group, group) for group in alike.differ)
    return replace(message, alike=replace(alike, groups=groups, differ=differ))


def _panels(report: Report, message: MessageView, numbers: Iterator[int]) -> Iterator[tuple[RoleView, Plot]]:
    for role in message.roles:
        if role.shown and role.line:
            yield role, recall_plot(report, message, role, next(numbers))


def _day_curves(report: Report, outcome: OutcomeView, numbers: Iterator[int]) -> Iterator[tuple[RoleOutcome, Plot]]:
    for role in outcome.roles:
        plot = done_plot(outcome, role, report.at, next(numbers))
        if plot is not None:
            yield role, plot


def _roles(report: Report) -> list[RoleView]:
    return list({role.role: role for message in report.messages for role in message.roles}.values())


def _day(at: dt.datetime, zone: str = "UTC") -> str:
    return brief_day_text(local_date_in(zone, at), year=True)


# -- the headline ---------------------------------------------------------------------------------

Standing = tuple[MessageView, RoleView, Mean]


def headline(report: Report) -> tuple[str, list[str]]:
    standings = _standings(report)
    if not any(role.shown for role in _roles(report)):
        return _("Too few people to report on"), [
            _("A role is shown if it has {fewest} people or more.", fewest=FEWEST)
        ]
    if not standings:
        return _without_estimates(report)
    held = [one for one in standings if one[0].floor is not None]
    if not held:
        return _without_floor(report, standings)
    ranked = sorted((one for one in held if not one[1].ramp), key=_above_floor)
    if not ranked:
        return _in_the_ramp(held)
    low = [one for one in ranked if _above_floor(one) < -HAIR]
    best = ranked[-1]
    if not low:
        nearest = _("Nearest to its floor: {sentence}.", sentence=_sentence(ranked[0]))
        return _("No role is estimated below its floor"), [nearest, *_best(best, ranked[0])]
    message, role, recall = low[0]
    title = N_("Needs attention: {role}") if recall.high < (message.floor or 0) else N_("May need attention: {role}")
    return _(title, role=role.role), [f"{_sentence(low[0])}.", *_more(low), *_best(best, low[0])]


def _standings(report: Report) -> list[Standing]:
    # messages that are open, or all once none is
    still = [message for message in report.messages if not message.corrected_by]
    found = [(m, role, role.recall) for m in still for role in m.roles if role.shown and role.recall]
    open_now = [one for one in found if one[0].opens <= report.at < one[0].closes]
    return open_now or found


def _above_floor(one: Standing) -> float:
    return one[2].mean - (one[0].floor or 0)


def _in_the_ramp(held: list[Standing]) -> tuple[str, list[str]]:
    least = min(held, key=_above_floor)
    why = _("In its first week a message is below its floor; it needs some repeats to get there.")
    return _("The first messages are on their way"), [why, f"{_sentence(least)}."]


def _without_estimates(report: Report) -> tuple[str, list[str]]:
    if not report.estimates and any(role.counts and role.counts.touches for role in _roles(report)):
        line = _("Recall is off in workspace.yaml: nothing is estimated, and answers to checks are not kept.")
        return _("Messages and answers"), [line]
    line = _("This page shows results as soon as the first messages are sent.")
    return _("Nothing has been sent yet"), [line]


def _without_floor(report: Report, standings: list[Standing]) -> tuple[str, list[str]]:
    ranked = sorted((one for one in standings if one[1].tested), key=lambda one: one[2].mean)
    if not ranked or _alike(ranked[0], ranked[-1]):
        return _confirmed(report, estimated=bool(ranked))
    title = _("Lowest estimate: {role}", role=ranked[0][1].role)
    return title, [f"{_sentence(ranked[0])}.", *_best(ranked[-1], ranked[0])]


def _alike(one: Standing, other: Standing) -> bool:
    # as they are shown
    return round(one[2].mean * 100) == round(other[2].mean * 100)


def _confirmed(report: Report, *, estimated: bool) -> tuple[str, list[str]]:
    # where no role stands out, or none was tested: an assumed curve says nothing about this company's people
    counts = [role.counts for message in report.messages for role in message.roles if role.shown and role.counts]
    acknowledged, reached = sum(one.acknowledged for one in counts), sum(one.reached for one in counts)
    title = _("{acknowledged:,} of {reached:,} confirmed", acknowledged=acknowledged, reached=reached)
    lines = [_("Counted once for each message that reached a person, in the roles shown.")]
    untested = _("What is still remembered is not tested yet: no role has answered enough checks.")
    return title, lines if estimated else [*lines, untested]


def _sentence(one: Standing) -> str:
    message, role, recall = one
    within = _within(one)
    if message.floor:
        within = _("{interval}; its floor is {floor:.0f} %", interval=within, floor=message.floor * 100)
    text = N_("An estimated {mean:.0f} % of the {people} people in {role} still know “{key_point}” ({interval})")
    about = {"role": role.role, "people": role.people, "key_point": message.key_point.rstrip(".")}
    return _(text, mean=recall.mean * 100, interval=within, **about)


def _within(one: Standing) -> str:
    _message, role, recall = one
    basis = _("tested for this role, {checks} checks", checks=role.checks) if role.tested else _("assumed curve")
    return _("between {low:.0f} and {high:.0f} %; {basis}", low=recall.low * 100, high=recall.high * 100, basis=basis)


def _more(low: list[Standing]) -> list[str]:
    others = sorted({one[1].role for one in low[1:]} - {low[0][1].role})
    return [_("Also estimated below a floor: {roles}.", roles=", ".join(others))] if others else []


def _best(best: Standing, first: Standing) -> list[str]:
    if best is first or _alike(best, first):
        return []
    message, role, recall = best
    about = f"“{message.key_point.rstrip('.')}” ({_within(best)})"
    text = N_("Highest estimate: {role}, {mean:.0f} % of {people} people on {key_point}.")
    return [_(text, role=role.role, mean=recall.mean * 100, people=role.people, key_point=about)]
