"""``apply``: what a plan changes, and, with consent, the plan in force."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import FILE, consent, yes_option
from commsengine.cli.output import (
    Progress,
    estimated_from,
    first_rows,
    json_option,
    n_messages,
    n_people,
    n_touches,
    note,
    say,
    show_json,
    title,
    when,
)
from commsengine.cli.people.agreement import because_option
from commsengine.cli.people.rosters import roster_agreed, save_roster, tell_roster, tell_what_is_asked
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.authoring.people.people_file import PeopleFile
    from commsengine.cadence.plan import Plan
    from commsengine.campaigns.apply import Diff
    from commsengine.planning.plan_on_disk import CheckedPlan
    from commsengine.wiring import Wiring

SMALL = 2000
"""Up to so many people all touches are forecast before a new campaign is applied; of more, those of so many."""


@click.command()
@click.argument("plan", type=FILE)
@click.option("--dry-run", is_flag=True, help=N_("Only show what would change."))
@click.option(
    "--correct",
    type=click.Choice(["yes", "no"]),
    help=N_("Send the correction of a date that has moved to those whose messages named the old one; else it asks."),
)
@yes_option
@because_option
@json_option
@with_workspace
def apply(
    wiring: Wiring, plan: Path, dry_run: bool, correct: str | None, yes: bool, because: str, as_json: bool
) -> None:
    """Show what a plan changes, and put it in force.

    A new campaign is paused until it is started; a running one goes on with the new version. Where a date has moved,
    it asks whether to send a correction to those whose messages named the old one.

    Example: commsengine apply schedules/crm-rollout.yaml
    """
    from commsengine.campaigns import apply as applying
    from commsengine.planning.plan_on_disk import checked

    with Progress(_("Checking")):
        checked_plan = checked(wiring.check(plan))
    written, roster = checked_plan.plan, checked_plan.roster
    _refuse_cancelled(wiring, written)
    if roster is None and not wiring.store.people.count():
        raise InputError(_("Nobody is imported yet."), _("Run: commsengine people import people.csv"))
    with Progress(_("Comparing")):
        diff = applying.compare(wiring.store, wiring.decisions, written, checked_plan.people, wiring.clock())
    if not as_json:
        _tell(wiring, diff, checked_plan, plan)
        tell_roster(roster)
    asked = tell_what_is_asked(wiring, plan, roster)
    sends = False
    if not dry_run:
        because = roster_agreed(wiring, written, plan, asked, yes=yes, because=because)
        consent(_("Apply {campaign}?", campaign=written.campaign), yes=yes, recipients=diff.audience)
        sends = _sends_correction(diff, correct, plan)
        _put_in_force(wiring, diff, written, plan, roster, correct=sends, because=because)
    if as_json:
        show_json(_as_data(diff, roster, applied=not dry_run, corrects=sends))
    elif not dry_run:
        if sends and diff.notice:
            text = N_("The correction goes to {people} as '{message}', before anything else.")
            click.echo(_(text, people=n_people(diff.to_correct), message=diff.notice.id))
        _tell_seal(wiring, written)
        click.echo(_next(wiring, written))


def _tell_seal(wiring: Wiring, plan: Plan) -> None:
    seal = wiring.store.seals.of(plan.campaign)
    if seal is not None:
        text = N_("How the experiment is judged is sealed since {instant}; SHA-256 {digest}.")
        click.echo(_(text, instant=when(seal.at), digest=seal.digest))


def _as_data(diff: Diff, roster: PeopleFile | None, *, applied: bool, corrects: bool) -> dict[str, object]:
    shown = {name: value for name, value in asdict(diff).items() if name not in ("notice", "earlier_dates")}
    sent = diff.notice.id if corrects and diff.notice else ""
    returned = roster.returned if roster else ()
    return {**shown, "to_correct": diff.to_correct, "correction_sent": sent, "applied": applied, "returned": returned}


def _sends_correction(diff: Diff, correct: str | None, path: Path) -> bool:
    if not diff.to_correct:
        return False
    if correct is None and sys.stdin.isatty():
        text = N_("Send the correction to these {people}?")
        return click.confirm(_(text, people=n_people(diff.to_correct)), default=False, err=True)
    if correct is None:
        note(_("The correction is not sent. To send it: commsengine apply {plan} --correct yes", plan=path))
    return correct == "yes"


def _refuse_cancelled(wiring: Wiring, plan: Plan) -> None:
    record = wiring.store.campaigns.get(plan.campaign)
    if record is not None and record.state == "cancelled":
        fix = _("Give the plan another id in its line 'campaign:'.")
        raise InputError(_("{campaign} was cancelled for good.", campaign=plan.campaign), fix)


def _put_in_force(
    wiring: Wiring,
    diff: Diff,
    plan: Plan,
    path: Path,
    roster: PeopleFile | None,
    *,
    correct: bool,
    because: str,
) -> None:
    # People first, so that everybody of a roster is known; then the version; then its roster.
    from commsengine.campaigns import apply as applying

    now, by = wiring.clock(), wiring.operator
    if roster is not None:
        save_roster(wiring, plan, path, roster, because=because)
    source = path.read_text(encoding="utf-8")
    applying.apply(wiring.store, plan, wiring.templates, source, diff=diff, by=by, now=now, correct=correct)
    if roster is not None:
        wiring.store.people.set_roster(plan.campaign, [person.id for person in roster.people], now)


def _tell(wiring: Wiring, diff: Diff, checked_plan: CheckedPlan, path: Path) -> None:
    from commsengine.planning.plan_on_disk import corrected_texts

    plan = checked_plan.plan
    title(_("{title} ({campaign}), version {version}", title=plan.title, campaign=diff.campaign, version=diff.version))
    messages, people = n_messages(len(plan.messages)), n_people(diff.audience)
    click.echo(_("{messages} for {people}.", messages=messages, people=people))
    for text in wiring.left_out(plan):
        note(text)
    if diff.new:
        _first_touches(wiring, checked_plan, path, diff.audience)
    elif diff.changes_nothing:
        click.echo(_("No message, date or milestone changes; texts and rules are taken as they are now."))
    _tell_messages(diff)
    for text in corrected_texts(diff.corrected):
        click.echo(text)
    _tell_dates(diff)


def _tell_messages(diff: Diff) -> None:
    if diff.new:
        return
    for word, messages in (
        (_("new:"), diff.messages_added),
        (_("changed:"), diff.messages_changed),
        (_("gone:"), diff.messages_removed),
    ):
        if messages:
            click.echo(f"{word:<8} {', '.join(messages)}")


def _tell_dates(diff: Diff) -> None:
    for moved in diff.milestones:
        because = f" ({moved.because})" if moved.because else ""
        say(f"{moved.name}: {_day(moved.old, moved.old_firm)} → {_day(moved.new, moved.new_firm)}{because}")
        if not moved.because and moved.old != moved.new:
            note(_("People will ask why: add 'because' to the milestone {milestone}.", milestone=moved.name))
    if not diff.new:
        to_come = diff.touches
        about = "" if to_come.exact else estimated_from(to_come.looked_at)
        text = N_(
            "Touches to come: {moved:,} moved, {cancelled:,} cancelled, {added:,} new, {kept:,} as before{about}."
        )
        click.echo(_(text, **asdict(to_come), about=about))
    if diff.told:
        click.echo("\n" + _("Told the old date: {people}", people=n_people(len(diff.told))))
        first_rows([N_("person"), N_("milestones")], [(told.email, ", ".join(told.milestones)) for told in diff.told])
        _tell_exceptions(diff)
        say(f"\n{_('Proposed correction to exactly those:')}")
        for line in diff.correction.splitlines():
            say(f"  {line}")


def _day(day: dt.date, firm: bool) -> str:
    from commsengine.cadence.told import monday_of

    return f"{day:%d %b %Y}" if firm else _("week of {day:%d %b %Y}", day=monday_of(day))


def _tell_exceptions(diff: Diff) -> None:
    if lost := len(diff.told) - diff.to_correct:
        text = N_("{people} of them get no correction: no channel reaches them, or they have heard enough.")
        note(_(text, people=n_people(lost)))
    if guessed := sum(told.by_plan for told in diff.told):
        text = N_("Of {people} it is known by the plan only: their messages left before an upgrade to this version.")
        note(_(text, people=n_people(guessed)))


def _first_touches(wiring: Wiring, checked_plan: CheckedPlan, path: Path, audience: int) -> None:
    from commsengine.cli.simulate import tell_departures
    from commsengine.planning.plan_on_disk import outlook

    each = -(-audience // SMALL) or 1
    try:
        with Progress(_("Simulating")) as progress:
            seen = outlook(wiring.planning_basis, checked_plan, each=each, progress=progress)
    except InputError as closed:
        note(closed.message)
        return
    if each > 1:
        tell_departures(seen, wiring.profiles, _("About "))
        click.echo(_("When what leaves: commsengine simulate {plan}", plan=path))
        return
    if seen.sent:
        text = N_(
            "Started now, the first leaves {local_at:%a %d %b %H:%M} the person's time, {touches} in all if "
            "nobody answers."
        )
        click.echo(_(text, local_at=seen.sent[0].local_at, touches=n_touches(len(seen.sent))))
    tell_departures(seen, wiring.profiles)


def _next(wiring: Wiring, plan: Plan) -> str:
    campaign, record = plan.campaign, wiring.store.campaigns.get(plan.campaign)
    if record is None or record.state == "running":
        return _("{campaign} goes on with this version.", campaign=campaign)
    if record.started_at is None:
        return _("{campaign} is paused. Next: commsengine start {campaign}", campaign=campaign)
    return _("{campaign} is {state}. Next: commsengine resume {campaign}", campaign=campaign, state=_(record.state))
