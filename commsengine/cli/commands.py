"""All commands, in the order a change lead meets them. The file of a command is loaded when it is used, not before."""

from __future__ import annotations

import importlib
from copy import copy
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import TypeVar

import click

from commsengine import __version__
from commsengine.cli.terminal_safety import guard_stdout
from commsengine.translation import N_, _

Helped = TypeVar("Helped", click.Command, click.Parameter)


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command, its line in ``--help``, which ``_`` translates, and its file here, where that has another name."""

    name: str
    says: str
    file: str = ""


CHAPTERS: dict[str, tuple[CommandEntry, ...]] = {
    N_("Write a campaign"): (
        CommandEntry("init", N_("Make a workspace: a plan, people, templates and settings to start from.")),
        CommandEntry("people", N_("Import, list, show, export and erase people; revoke their links."), "people.people"),
        CommandEntry("check", N_("Check plans: errors with their place, then advice.")),
        CommandEntry("translate", N_("Start the file with a plan's texts in another language, or update it.")),
        CommandEntry("preview", N_("Show what a person would see.")),
        CommandEntry("simulate", N_("Show what a plan will send, to whom and when, before anything is sent.")),
        CommandEntry("rehearse", N_("Run a plan for real in a sandbox, on a fast clock.")),
        CommandEntry("demo", N_("Rehearse the shipped example and show what happens."), "rehearse"),
    ),
    N_("Run it"): (
        CommandEntry("send-test", N_("Send one message of a plan to yourself.")),
        CommandEntry(
            "doctor",
            N_("Test what sending needs: settings, database, mail, Slack, links, clock."),
            "doctor.command",
        ),
        CommandEntry("apply", N_("Show what a plan changes, and apply it.")),
        CommandEntry("start", N_("Start a campaign."), "control"),
        CommandEntry("pause", N_("Stop sending: one campaign, or all of them."), "control"),
        CommandEntry("resume", N_("Go on with a paused campaign."), "control"),
        CommandEntry("cancel", N_("End a campaign for good."), "control"),
        CommandEntry(
            "send-now", N_("Send one message today, to a role of a running campaign or to all of it."), "send_now"
        ),
        CommandEntry("run", N_("Run the engine, the web pages and Slack until stopped.")),
        CommandEntry("worker", N_("Send what a scheduler hands over, on as many hosts as wanted."), "run"),
        CommandEntry("tick", N_("Do everything that is due now, then exit: for cron."), "run"),
    ),
    N_("See and follow up"): (
        CommandEntry("today", N_("Show the day, bad news first: what went wrong, numbers, questions, people to call.")),
        CommandEntry("status", N_("Show the status of every campaign.")),
        CommandEntry("report", N_("Write one page with plots: what was sent, understood and may still be known.")),
        CommandEntry("touches", N_("List every message of a campaign, person by person.")),
        CommandEntry("touch", N_("Settle one message that is uncertain, or refused and held."), "touches"),
        CommandEntry("why", N_("Show what was decided for a person, and why.")),
        CommandEntry("followups", N_("List whom to call, why, what was tried and what to say.")),
        CommandEntry("followup", N_("Record the result of a call."), "followups"),
        CommandEntry(
            "managers",
            N_("Show which messages managers hold back, and the lines they add."),
            "followups",
        ),
        CommandEntry("questions", N_("List open questions.")),
        CommandEntry(
            "question", N_("Answer a question or an input, once for all who wrote nearly the same."), "questions"
        ),
        CommandEntry("refusals", N_("List refusals of servers that are not settled yet.")),
        CommandEntry("refusal", N_("Say what a refusal is about: these people, us, or the text."), "refusals"),
        CommandEntry("answers", N_("Read what people answered to what a campaign asks.")),
        CommandEntry("acks", N_("Show who acknowledged what, when, and how well that is proved."), "answers"),
        CommandEntry("facts", N_("Record and list who did what a campaign is for.")),
        CommandEntry("phases", N_("Show the goal of each phase and what is reached; review it, open its gate.")),
        CommandEntry("suppress", N_("Never send to an address again."), "people.people"),
    ),
    N_("Operate"): (
        CommandEntry("release", N_("Let a held engine send again.")),
        CommandEntry("backup", N_("Copy the database while it is in use."), "database.backup"),
        CommandEntry(
            "restore", N_("Replace the database with a backup; look at it first with --verify."), "database.backup"
        ),
        CommandEntry("upgrade", N_("Update the database to this version."), "database.backup"),
        CommandEntry(
            "migrate-database", N_("Go on in PostgreSQL with all of a SQLite file."), "database.migrate_database"
        ),
    ),
}

ENTRIES = {entry.name: entry for entries in CHAPTERS.values() for entry in entries}


class CommandGroup(click.Group):
    # The file of a command is loaded when it is asked for, so that ``--help`` answers at once.
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        function = cmd_name.replace("-", "_")
        file = importlib.import_module(f"commsengine.cli.{entry.file or function}")
        return translated(getattr(file, function))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from commsengine.text import no_such

        if args and args[0] not in ENTRIES and not args[0].startswith("-"):
            raise click.UsageError(no_such(N_("command"), args[0], ENTRIES), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for chapter, entries in CHAPTERS.items():
            with formatter.section(_(chapter)):
                formatter.write_dl([(entry.name, _(entry.says)) for entry in entries])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from commsengine.content.shipped import shipped_folder

        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write(_("Documentation: {folder}", folder=shipped_folder("docs") / "first-campaign.md"))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[click.shell_completion.CompletionItem]:
        from click.shell_completion import CompletionItem

        own = [CompletionItem(e.name, help=_(e.says)) for e in ENTRIES.values() if e.name.startswith(incomplete)]
        return own + (click.Command.shell_complete(self, ctx, incomplete) if incomplete.startswith("-") else [])


def translated(command: click.Command) -> click.Command:
    """A copy of the command with its help in the language in use."""
    shown = _with_help(command)
    shown.params = [_with_help(each) for each in command.params]
    shown.epilog = command.epilog and _(command.epilog)
    if isinstance(shown, click.Group):
        shown.commands = {name: translated(each) for name, each in shown.commands.items()}
    return shown


def _with_help(one: Helped) -> Helped:
    found = copy(one)
    found.help = one.help and _(cleandoc(one.help))
    return found


@click.command(
    cls=CommandGroup,
    # color: what looks like a style in somebody's words is shown, not taken out.
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "color": True},
    epilog=N_("Example: commsengine init crm-rollout. Every command has --help with an example of its own."),
)
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help=N_("The folder of schedules, people and database (default: the current folder)."),
)
@click.version_option(__version__, message="commsengine %(version)s", help=N_("Show the version and exit."))
@click.pass_context
def commsengine(ctx: click.Context, workspace: Path) -> None:
    """Repeated, role-specific messages, their answers, and a list of whom to call."""
    ctx.obj = workspace
    guard_stdout()
