"""``run``, ``worker`` and ``tick``: the engine at work."""

from __future__ import annotations

import datetime as dt
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.control import STILL_OPEN
from commsengine.cli.output import (
    at_rest,
    json_option,
    n_follow_ups,
    n_messages,
    n_people,
    note,
    show_json,
    told_of_pause,
    waits_for,
    when_where,
)
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.errors import HeldError, OtherEngineError
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.engine.engine import BeatReport
    from commsengine.wiring import Wiring


NEEDS_A_PERSON = 1
"""Exit status."""


@click.command()
@click.option(
    "--scheduler-only",
    is_flag=True,
    help=N_("Send nothing itself: hand what is due to workers, which share its PostgreSQL database."),
)
@click.pass_context
@with_workspace
def run(wiring: Wiring, ctx: click.Context, scheduler_only: bool) -> None:
    """Run the engine, the web pages and Slack until stopped (Ctrl-C or SIGTERM).

    Example: commsengine run
    """
    ready = _("The engine runs; its pages are at {address}", address=wiring.settings.links_base)
    if scheduler_only:
        ready = _("The scheduler runs; its pages are at {address}", address=wiring.settings.links_base)
    _at_work(wiring, ctx, wiring.schedule if scheduler_only else wiring.run, ready)


@click.command()
@click.pass_context
@with_workspace
def worker(wiring: Wiring, ctx: click.Context) -> None:
    """Send what a scheduler hands over, on as many hosts as wanted.

    The scheduler is commsengine run --scheduler-only.

    Example: commsengine worker
    """
    _at_work(wiring, ctx, wiring.work, _("The worker runs and waits for what is due."))


def _at_work(wiring: Wiring, ctx: click.Context, work: Callable[[Callable[[], None]], bool], ready: str) -> None:
    from commsengine.cli.logs import INFO, configure_logs, level_of

    wiring.must_send()
    _tell_left_out(wiring)
    configure_logs(level_of(wiring.settings, INFO))
    if not work(lambda: note(ready)):
        note(
            _(
                "Some messages were being sent; it is not known whether they arrived. The next start marks "
                "them as uncertain."
            )
        )
        ctx.exit(STILL_OPEN)


@click.command()
@json_option
@click.pass_context
@with_workspace
def tick(wiring: Wiring, ctx: click.Context, as_json: bool) -> None:
    """Do everything that is due now, then exit: for cron.

    It decides and sends until nothing more is due, and waits when a server says "try again" shortly. The exit status
    is 1 when a person must act: a channel refuses us, a refusal waits for your decision, or everything sent has failed.

    Example: commsengine tick
    """
    from commsengine.cli.logs import WARNING, configure_logs, level_of
    from commsengine.engine.state_folder import STOPPED
    from commsengine.interpreter import prepare_for_work

    wiring.must_send()
    _tell_left_out(wiring)
    configure_logs(level_of(wiring.settings, WARNING))
    try:
        with wiring.engine_lock(), wiring.engine() as engine:
            prepare_for_work()
            wiring.look_at_feed()
            report = engine.tick()
    except OtherEngineError as other:
        _leave_it_to(other, wiring, as_json=as_json)
        return
    rarely, rests = too_rarely(wiring), _what_rests(wiring)
    if as_json:
        show_json({**asdict(report), "too_rarely": rarely, **rests})
    else:
        messages, follow_ups = n_messages(report.sent), n_follow_ups(report.by_hand)
        failed = _(", {touches:,} failed", touches=report.failed) if report.failed else ""
        failed += _(", {touches:,} refused and held", touches=report.held) if report.held else ""
        failed += _(", {people:,} by no channel", people=report.unreachable) if report.unreachable else ""
        text = N_("{messages} sent, {follow_ups} opened, {skipped:,} skipped{failed}.")
        click.echo(_(text, messages=messages, follow_ups=follow_ups, skipped=report.skipped, failed=failed))
    _tell_what_stays(wiring, report, rarely, rests)
    if report.hold == STOPPED:
        raise HeldError(_(STOPPED))
    if report.hold:
        fix = _("Look at commsengine today, then: commsengine release")
        raise HeldError(_("The engine is on hold: {reason}", reason=_(report.hold)), fix)
    ctx.exit(NEEDS_A_PERSON if report.needs_a_person or rests["paused"] else 0)


def _what_rests(wiring: Wiring) -> dict[str, Any]:
    from commsengine.reports.status import channels, paused_by_engine

    now = wiring.clock()
    return {"channels": channels(wiring.store, wiring.decisions, now), "paused": paused_by_engine(wiring.store)}


def _leave_it_to(other: OtherEngineError, wiring: Wiring, *, as_json: bool) -> None:
    """A tick takes hours where a mail server takes few messages a minute; those that cron calls meanwhile are no fault.

    Raises ``OtherEngineError`` if that engine has not beaten lately.
    """
    from commsengine.engine.engine import BeatReport
    from commsengine.reports.status import engine_state

    if engine_state(wiring.store, wiring.clock())["state"] != "running":
        raise other
    if as_json:
        show_json({**asdict(BeatReport()), "too_rarely": "", **_what_rests(wiring)})
    note(_("{holder} It sends what is due.", holder=other.message))


def _tell_what_stays(wiring: Wiring, report: BeatReport, rarely: str, rests: Mapping[str, Any]) -> None:
    if report.waiting:
        text = N_("Due for {people}, but {instant} is outside their sending hours: it waits for the next ones.")
        note(_(text, people=n_people(report.waiting), instant=when_where(zone_of(wiring), wiring.clock())))
    if report.late:
        late = counted(report.late, "message is", "messages are")
        why = _("{touches} skipped as too late, because no engine ran at the time:", touches=late)
        note(f"{why} commsengine touches CAMPAIGN --state skipped")
    if rarely:
        note(f"{rarely} {remedy(wiring)}")
    _tell_what_waits(wiring, rests["channels"], rests["paused"])
    if report.failed or report.unreachable:
        note(_("{touches} never arrived: commsengine today", touches=n_messages(report.failed + report.unreachable)))


def _tell_what_waits(wiring: Wiring, rests: Sequence[Mapping[str, Any]], paused: Sequence[Mapping[str, str]]) -> None:
    # Silence would be taken for success.
    store, now = wiring.store, wiring.clock()
    for rest in rests:
        waiting = f"\n{waits_for(rest)}" if rest["waiting"] else ""
        note(f"{at_rest(rest, now, zone_of(wiring))} {_('What is due waits for it.')}{waiting}")
    for pause in paused:
        note(told_of_pause(pause))
    for each in store.refusals.open():
        text = N_("Refused, and held for {people}: {words}. To decide: commsengine refusal {number}")
        note(_(text, people=n_people(each.people), words=each.words.rstrip("."), number=each.id))
    if held := sum(row.held for row in store.touches.open_rows(states=("uncertain",))):
        touches = counted(held, "message is", "messages are")
        note(_("{touches} uncertain. To settle: commsengine today", touches=touches))
    following = store.loading.next_wake()
    if following is not None and following > now and not rests:
        note(_("Nothing is due before {instant}.", instant=when_where(zone_of(wiring), following)))


def _tell_left_out(wiring: Wiring) -> None:
    for campaign in wiring.decisions.campaigns(wiring.clock()).running:
        for text in wiring.left_out(campaign.plan):
            note(text)


HOUR = 3600.0


def too_rarely(wiring: Wiring) -> str:
    """Empty if the last tick came soon after the one before it."""
    from commsengine.engine.tick_gaps import rarely

    if not (apart := rarely(wiring.store)):
        return ""
    return _("tick is called too rarely: before the last call nothing was sent for {time}.", time=_spoken(apart))


def remedy(wiring: Wiring) -> str:
    """The line for the crontab of this workspace."""
    program = Path(sys.argv[0]).absolute() if Path(sys.argv[0]).name == "commsengine" else Path("commsengine")
    command = shlex.join([str(program), "--workspace", str(wiring.folder), "tick"])
    return _("Call it every few minutes. In the crontab: */5 * * * * {command}", command=command)


def _spoken(apart: dt.timedelta) -> str:
    hours = round(apart.total_seconds() / HOUR)
    return _("{hours} hours", hours=hours) if hours < 48 else _("{hours} days", hours=round(hours / 24))
