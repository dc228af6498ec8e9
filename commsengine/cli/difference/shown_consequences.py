"""What comes of a difference, in people and messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from commsengine.cli.output import (
    day_in,
    estimated_from,
    first_rows,
    n_people,
    note,
    say,
    table,
    when,
)
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.cadence.plan import Plan
    from commsengine.campaigns.apply import Diff
    from commsengine.campaigns.diff import Consequence, RoleMove, TouchDiff
    from commsengine.campaigns.moved_dates import Moved


def tell_consequences(diff: Diff, plan: Plan) -> None:
    """Times are in the time zone of ``plan``, the one that is applied."""
    zone = plan.send.time_zone
    for line in consequences(diff, plan):
        say(line)
    if diff.consequences:
        click.echo("\n" + _("Messages to come that change, times in {zone}:", zone=zone))
        columns = [N_("message"), N_("people"), N_("messages"), N_("first"), N_("what changes")]
        table(columns, [_row(each, zone) for each in diff.consequences], right=["people"])
    if diff.told:
        _tell_told(diff)


def consequences(diff: Diff, plan: Plan) -> Iterator[str]:
    yield from (_moved(milestone) for milestone in diff.milestones)
    yield from (_role(move, plan.audience.title) for move in diff.roles)
    yield _to_come(diff.touches)
    if diff.foreseen.first_change:
        yield _("The first day that changes: {day}.", day=day_in(plan.send.time_zone, diff.foreseen.first_change))
    if diff.foreseen.follow_ups_closed:
        text = N_("{people} need no call any more: their follow-ups leave the list.")
        yield _(text, people=n_people(diff.foreseen.follow_ups_closed))


def _to_come(touches: TouchDiff) -> str:
    about = "" if touches.exact else estimated_from(touches.looked_at)
    if not (touches.moved or touches.cancelled or touches.added):
        return _("Messages and calls to come: {kept:,}, all as before{about}.", kept=touches.kept, about=about)
    text = N_(
        "Messages and calls to come: {moved:,} moved, {cancelled:,} cancelled, {added:,} new, "
        "{kept:,} as before{about}."
    )
    numbers = {name: getattr(touches, name) for name in ("moved", "cancelled", "added", "kept")}
    return _(text, **numbers, about=about)


def _role(move: RoleMove, titled: Callable[[str], str]) -> str:
    people = n_people(move.people)
    if not move.old:
        return _("{people} → {role} (joined)", people=people, role=titled(move.new))
    if not move.new:
        return _("{people}: {role} → nothing more of this campaign", people=people, role=titled(move.old))
    return _("{people}: {old} → {new}", people=people, old=titled(move.old), new=titled(move.new))


def _row(each: Consequence, zone: str) -> tuple[str, ...]:
    messages = _arrow(f"{each.before:,}", f"{each.messages:,}")
    first = _arrow(when(zone, each.first_before), when(zone, each.first_at))
    return each.message, f"{each.people:,}", messages, first, ", ".join(_how(each))


def _arrow(old: str, new: str) -> str:
    return new if old == new else f"{old} → {new}"


def _how(each: Consequence) -> Iterator[str]:
    words = (
        (each.new, N_("{people:,} get it for the first time")),
        (each.gone, N_("{people:,} do not get it any more")),
        (each.sooner, N_("{people:,} sooner")),
        (each.later, N_("{people:,} later")),
        (each.more, N_("{people:,} more often")),
        (each.fewer, N_("{people:,} less often")),
    )
    yield from (_(text, people=people) for people, text in words if people > 0)
    if each.follow_ups != each.follow_ups_before:
        yield _("calls {before:,} → {after:,}", before=each.follow_ups_before, after=each.follow_ups)


def _moved(moved: Moved) -> str:
    because = f" ({moved.because})" if moved.because else ""
    return f"{moved.name}: {_day(moved.old, moved.old_firm)} → {_day(moved.new, moved.new_firm)}{because}"


def _day(day: dt.date, firm: bool) -> str:
    from commsengine.cadence.told import monday_of

    return f"{day:%d %b %Y}" if firm else _("week of {day:%d %b %Y}", day=monday_of(day))


def _tell_told(diff: Diff) -> None:
    click.echo("\n" + _("Told the old date: {people}", people=n_people(len(diff.told))))
    first_rows([N_("person"), N_("milestones")], [(told.email, ", ".join(told.milestones)) for told in diff.told])
    if lost := len(diff.told) - diff.to_correct:
        text = N_("{people} of them get no correction: no channel reaches them, or they have heard enough.")
        note(_(text, people=n_people(lost)))
    if guessed := sum(told.by_plan for told in diff.told):
        text = N_(
            "For {people} this is known only from the plan: their messages were sent before an upgrade to this version."
        )
        note(_(text, people=n_people(guessed)))
    say(f"\n{_('Proposed correction to exactly those:')}")
    for line in diff.correction.splitlines():
        say(f"  {line}")
