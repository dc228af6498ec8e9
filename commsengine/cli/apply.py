"""``apply``: what a plan changes, and, with consent, the plan in force."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import FILE, PLAN, consent, yes_option
from commsengine.cli.difference.shown_changes import shown
from commsengine.cli.difference.shown_consequences import consequences, tell_consequences
from commsengine.cli.output import (
    Progress,
    colourful,
    columns_wide,
    json_option,
    n_messages,
    n_people,
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
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.authoring.people.people_file import PeopleFile
    from commsengine.cadence.plan import Plan
    from commsengine.campaigns.apply import Diff
    from commsengine.cli.difference.proposal import Proposal
    from commsengine.planning.plan_on_disk import CheckedPlan
    from commsengine.wiring import Wiring

SMALL = 2000
"""Up to so many people all messages are forecast before a new campaign is applied; of more, those of so many."""

IN_A_FILE = 100
"""Columns of a difference that is saved."""


@click.command()
@click.argument("plan", type=PLAN)
@click.option("--dry-run", is_flag=True, help=N_("Only show what would change."))
@click.option("--full", is_flag=True, help=N_("Show all lines of long texts."))
@click.option(
    "--save", "save_as", type=FILE, help=N_("Only write the difference to this file, for somebody else to apply.")
)
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
    wiring: Wiring,
    plan: Path,
    dry_run: bool,
    full: bool,
    save_as: Path | None,
    correct: str | None,
    yes: bool,
    because: str,
    as_json: bool,
) -> None:
    """Show what a plan changes, and apply it.

    PLAN is a plan, or a difference that somebody saved with --save. A new campaign is paused until it is started. A
    running one goes on with the new version; it asks first where people get something sooner, more often or for the
    first time. Where a date has moved, it asks whether to send a correction to those whose messages named the old one.

    Example: commsengine apply schedules/crm-rollout.yaml
    """
    from commsengine.cli.difference.proposal import proposed, save

    proposal, only_shown = proposed(wiring, plan), dry_run or save_as is not None
    written, roster = proposal.plan, proposal.roster
    _refuse_cancelled(wiring, written)
    if roster is None and not wiring.store.people.count():
        raise InputError(_("No people are imported yet."), _("Import them: commsengine people import people.csv"))
    diff = _compared(wiring, proposal)
    if not as_json:
        _tell(wiring, diff, proposal, full=full)
        tell_roster(roster)
    asked = tell_what_is_asked(wiring, plan, roster)
    sends = False
    if not only_shown:
        because = roster_agreed(wiring, written, plan, proposal.folder, asked, yes=yes, because=because)
        sends = _sends_correction(diff, correct or _saved_word(proposal), plan)
        _ask(diff, written, plan, correcting=sends, yes=yes)
        _put_in_force(wiring, diff, proposal, correct=sends, because=because)
    if save_as is not None:
        save(wiring, proposal, diff, save_as, _in_words(diff, written), correct=correct == "yes")
    if as_json:
        show_json(_as_data(diff, roster, applied=not only_shown, corrects=sends, saved=save_as))
        return
    if save_as is not None:
        click.echo(_("{file} is written. To apply it as it is: commsengine apply {file}", file=save_as))
    elif not dry_run:
        if sends and diff.notice:
            text = N_("The correction goes to {people} as '{message}', before anything else.")
            click.echo(_(text, people=n_people(diff.to_correct), message=diff.notice.id))
        _tell_seal(wiring, written)
        click.echo(_next(wiring, written))


def _compared(wiring: Wiring, proposal: Proposal) -> Diff:
    from commsengine.campaigns import apply as applying

    about = (proposal.plan, proposal.checked_plan.people, wiring.clock(), proposal.templates)
    with Progress(_("Comparing")):
        return applying.compare(wiring.store, wiring.decisions, *about, wiring.shipped_templates)


def _ask(diff: Diff, plan: Plan, path: Path, *, correcting: bool, yes: bool) -> None:
    # A campaign that does not run sends nothing before somebody starts or resumes it, which asks.
    people = max(diff.asks, diff.to_correct if correcting and diff.state == "running" else 0)
    if not people:
        return
    text = N_("{people} something sooner, more often or for the first time.")
    if not diff.asks:
        text = N_("{people} the correction.")
    who = counted(people, "person gets", "people get")
    question = f"{_(text, people=who)} {_('Apply {campaign}?', campaign=plan.campaign)}"
    consent(question, yes=yes, recipients=people, command=f"commsengine apply {path}")


def _tell_seal(wiring: Wiring, plan: Plan) -> None:
    seal, zone = wiring.store.seals.of(plan.campaign), plan.send.time_zone
    if seal is not None:
        text = N_("How the experiment is judged was sealed {instant}; SHA-256 {digest}.")
        click.echo(_(text, instant=f"{when(zone, seal.at)} ({zone})", digest=seal.digest))


def _as_data(
    diff: Diff, roster: PeopleFile | None, *, applied: bool, corrects: bool, saved: Path | None
) -> dict[str, object]:
    left_out = ("notice", "earlier_dates", "foreseen", "state")
    foreseen = asdict(diff.foreseen)
    return {
        **{name: value for name, value in asdict(diff).items() if name not in left_out},
        **foreseen,
        "to_correct": diff.to_correct,
        "correction_sent": diff.notice.id if corrects and diff.notice else "",
        "applied": applied,
        "saved": str(saved or ""),
        "returned": roster.returned if roster else (),
    }


def _in_words(diff: Diff, plan: Plan) -> list[str]:
    styled = [*shown(diff.changes, IN_A_FILE, full=True), *consequences(diff, plan)]
    if diff.new:
        styled = [_("A new campaign for {people}.", people=n_people(diff.audience))]
    return [click.unstyle(line) for line in styled]


def _sends_correction(diff: Diff, correct: str | None, path: Path) -> bool:
    if not diff.to_correct:
        return False
    if correct is None and sys.stdin.isatty():
        text = N_("Send the correction to these {people}?")
        return click.confirm(_(text, people=n_people(diff.to_correct)), default=False, err=True)
    if correct is None:
        note(_("The correction is not sent. To send it: commsengine apply {plan} --correct yes", plan=path))
    return correct == "yes"


def _saved_word(proposal: Proposal) -> str | None:
    return None if proposal.saved is None else "yes" if proposal.saved.correct else "no"


def _refuse_cancelled(wiring: Wiring, plan: Plan) -> None:
    record = wiring.store.campaigns.get(plan.campaign)
    if record is not None and record.state == "cancelled":
        fix = _("Give the plan another id in its line 'campaign:'.")
        raise InputError(_("{campaign} was cancelled for good.", campaign=plan.campaign), fix)


def _put_in_force(wiring: Wiring, diff: Diff, proposal: Proposal, *, correct: bool, because: str) -> None:
    # People first, so that everybody of a roster is known; then the version; then its roster.
    from commsengine.campaigns import apply as applying

    now, by, plan, roster = wiring.clock(), wiring.operator, proposal.plan, proposal.roster
    if roster is not None:
        save_roster(wiring, plan, proposal.path, proposal.folder, roster, because=because)
    applying.apply(
        wiring.store,
        plan,
        proposal.templates,
        proposal.source,
        diff=diff,
        by=by,
        now=now,
        correct=correct,
        saved_by=proposal.saved.saved_by if proposal.saved else "",
    )
    if roster is not None:
        wiring.store.people.set_roster(plan.campaign, [person.id for person in roster.people], now)


def _tell(wiring: Wiring, diff: Diff, proposal: Proposal, *, full: bool) -> None:
    from commsengine.planning.plan_on_disk import corrected_texts

    plan = proposal.plan
    title(_("{title} ({campaign}), version {version}", title=plan.title, campaign=diff.campaign, version=diff.version))
    messages, people = n_messages(len(plan.messages)), n_people(diff.audience)
    click.echo(_("The plan has {messages}, for {people}.", messages=messages, people=people))
    if proposal.saved:
        about = {"by": proposal.saved.saved_by, "day": when(plan.send.time_zone, proposal.saved.saved_at)}
        say(_("Saved by {by} on {day}, and applied as it was then.", **about))
    for text in wiring.left_out(plan):
        note(text)
    if diff.new:
        _first_messages(wiring, proposal.checked_plan, proposal.path)
    else:
        _tell_changes(diff, full=full)
        tell_consequences(diff, plan)
    for text in corrected_texts(diff.corrected):
        click.echo(text)
    for moved in diff.milestones:
        if not moved.because and moved.old != moved.new:
            note(_("People will ask why: add 'because' to the milestone {milestone}.", milestone=moved.name))


def _tell_changes(diff: Diff, *, full: bool) -> None:
    if diff.changes_nothing:
        click.echo(_("Nothing changes since version {version}.", version=diff.version - 1))
    if diff.changes:
        click.echo()
    for line in shown(diff.changes, columns_wide(), full=full):
        colourful(line)
    if diff.changes:
        click.echo()


def _first_messages(wiring: Wiring, checked_plan: CheckedPlan, path: Path) -> None:
    from commsengine.cli.simulate import tell_departures
    from commsengine.planning.plan_on_disk import outlook

    try:
        with Progress(_("Looking ahead")) as progress:
            seen = outlook(wiring.planning_basis, checked_plan, most=SMALL, progress=progress)
    except InputError as closed:
        note(closed.message)
        return
    if not seen.exact:
        tell_departures(seen, wiring.profiles, _("About "))
        click.echo(_("What is sent when: commsengine simulate {plan}", plan=path))
        return
    if seen.sent:
        zone = checked_plan.plan.send.time_zone
        text = N_("If you start it now: {messages} to {people} if nobody answers, the first {instant} ({zone}).")
        people, first = n_people(len(seen.per_person())), when(zone, seen.sent[0].touch.due_at)
        click.echo(_(text, messages=n_messages(len(seen.sent)), people=people, instant=first, zone=zone))
    tell_departures(seen, wiring.profiles)


def _next(wiring: Wiring, plan: Plan) -> str:
    campaign, record = plan.campaign, wiring.store.campaigns.get(plan.campaign)
    if record is None or record.state == "running":
        return _("{campaign} goes on with this version.", campaign=campaign)
    if record.started_at is None:
        return _("{campaign} is paused. Next: commsengine start {campaign}", campaign=campaign)
    return _("{campaign} is {state}. Next: commsengine resume {campaign}", campaign=campaign, state=_(record.state))
