"""``rehearse`` and ``demo``: a campaign run for real in a sandbox, on a time-lapse clock."""

from __future__ import annotations

import datetime as dt
import gc
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import ANSWERS, PLAN
from commsengine.cli.output import Progress, json_option, note, show_json
from commsengine.cli.workspace import with_workspace
from commsengine.errors import CommsError
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.sandbox.rehearse import Script, Story
    from commsengine.wiring import Wiring

RULES = "workspace.yaml"
SERVED_AT = 8025
serve_option = click.option(
    "--serve", is_flag=True, help=N_("Keep running, to look into every mailbox and press the buttons.")
)
port_option = click.option(
    "--port", type=click.IntRange(1, 65534), default=SERVED_AT, show_default=True, help=N_("Of the page, with --serve.")
)


@click.command()
@click.argument("plan", type=PLAN)
@click.option(
    "--answers",
    type=ANSWERS,
    default="typical",
    show_default=True,
    help=N_("How the people of the sandbox answer; weak and strong answer by what they remember."),
)
@click.option(
    "--as-if",
    "providers",
    metavar="PROVIDER",
    multiple=True,
    help=N_(
        "With the limits of microsoft365, hve, gmail, google-relay, ses, postfix or a profile of "
        "providers.yaml; with slack-cold for Slack, beside it or alone. Only what is named sends messages."
    ),
)
@serve_option
@port_option
@json_option
@with_workspace
def rehearse(
    wiring: Wiring, plan: Path, answers: str, providers: Sequence[str], serve: bool, port: int, as_json: bool
) -> None:
    """Run a plan for real in a sandbox, on a fast clock: weeks in seconds, and nothing leaves this machine.

    The engine, the channels and the answers are the real ones; the mail server and Slack are simulated.

    Example: commsengine rehearse schedules/crm-rollout.yaml --as-if microsoft365
    """
    from commsengine.sandbox.as_if import as_if

    carriers = as_if(providers, wiring.providers if providers else ())
    script = replace(_script(wiring, plan, answers), as_if=carriers)
    _perform(script, wiring.folder, wiring.folder / "rehearsals", serve=serve, port=port, as_json=as_json)


@click.command()
@serve_option
@port_option
@json_option
def demo(serve: bool, port: int, as_json: bool) -> None:
    """Rehearse the shipped example and show what happens. It needs no settings and makes a folder 'demo'.

    Example: commsengine demo --serve
    """
    from commsengine.cli.logs import WARNING, configure_logs
    from commsengine.content.shipped import shipped_folder
    from commsengine.wiring import Wiring

    configure_logs(WARNING)
    schedules = shipped_folder("schedules")
    plan = schedules / "crm-rollout.yaml"
    with Wiring(schedules) as wiring:
        _perform(_script(wiring, plan, "typical"), schedules, Path("demo"), serve=serve, port=port, as_json=as_json)


def _perform(script: Script, workspace: Path, folder: Path, *, serve: bool, port: int, as_json: bool) -> None:
    from commsengine.cli.rehearsal_story import as_data, tell
    from commsengine.cli.report import report_file, write_report
    from commsengine.sandbox.rehearse import Rehearsal, with_pause

    script = with_pause(script)
    where = folder / script.plan.campaign
    where.mkdir(parents=True, exist_ok=True)
    _keep_rules(workspace, where)
    with ExitStack() as stack:
        with _hurry():  # threads started in here stay on its core
            rehearsal = stack.enter_context(Rehearsal(script, where, port=port if serve else 0))
            story = _with_progress(rehearsal.run, script)
        report = write_report(rehearsal.wiring, script.plan.campaign, report_file(where, script.plan.campaign))
        if as_json:
            show_json({**as_data(story), "as_of": rehearsal.clock.now(), "report": str(report.file)})
        else:
            tell(story, where, report)
        if serve:
            note("\n" + _("Look around: {address}   (Ctrl-C ends it)", address=rehearsal.sandbox.page_url))
            _until_interrupted()
    if not story.agrees and not (story.report and story.report.held_up):
        fix = _("Please report this with the plan: it is a defect.")
        raise CommsError(_("What was sent is not what simulate said."), fix)


def _keep_rules(workspace: Path, where: Path) -> None:
    # What is common to all campaigns holds in the rehearsal's own workspace, too.
    kept = where / RULES
    kept.unlink(missing_ok=True)
    if (workspace / RULES).exists():
        shutil.copyfile(workspace / RULES, kept)


@contextmanager
def _hurry() -> Iterator[None]:
    # Weeks in seconds: thousands of kept mails are looked at seldom, and threads that take turns need one core.
    pinned, thresholds = sys.platform == "linux", gc.get_threshold()
    cores = os.sched_getaffinity(0) if pinned else set()
    gc.set_threshold(50_000, 20, 100)
    if pinned:
        os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if pinned:
            os.sched_setaffinity(0, cores)


def _script(wiring: Wiring, path: Path, answers: str) -> Script:
    # From the day before the first message opens.
    from commsengine.cadence.calendar import DAY, Hours, last_closing
    from commsengine.cadence.history import Campaign, Campaigns
    from commsengine.planning.plan_on_disk import checked
    from commsengine.planning.simulation import supposition
    from commsengine.sandbox.rehearse import Script

    checked_plan = checked(wiring.check(path))
    plan, people = checked_plan.plan, tuple(checked_plan.people)
    hours = Hours(plan, people[0])
    opens = min(hours.instant_of(plan, message.opens) for message in plan.messages) - DAY
    start = opens.replace(hour=0, minute=0)
    supposing = partial(supposition, answers, Campaigns((Campaign(plan, start),), wiring.rules))
    script = Script(plan, people, wiring.rules, wiring.templates, start, last_closing(plan, people), supposing)
    text = N_("Rehearsing {campaign} for {people:,} people, {start:%d %b %Y} to {until:%d %b %Y} …")
    note(_(text, campaign=plan.campaign, people=len(people), start=start, until=script.until))
    return script


def _with_progress(run: Callable[[Callable[[dt.datetime], object]], Story], script: Script) -> Story:
    with Progress(_("Rehearsing")) as progress:
        return run(lambda now: progress((now - script.start) / (script.until - script.start)))


def _until_interrupted() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        note(_("Stopped."))
