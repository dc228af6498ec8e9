"""``facts``: who did what a campaign is for, and when: taken in from a file or by hand, and listed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cli.arguments import CAMPAIGN, FILE
from commsengine.cli.output import json_option, n_people, note, show_json, table, tell_zone, title, when
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.errors import InputError, Problem
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commsengine.cadence.plan import OutcomeId
    from commsengine.campaigns.outcome_facts import Judged
    from commsengine.wiring import Wiring


class FactsGroup(click.Group):
    # ``facts CAMPAIGN`` lists; whatever is no command of this group is the id of a campaign.
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["list", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=FactsGroup)
def facts() -> None:
    """Record and list who did what a campaign is for. Only what was done is recorded.

    With the id of a campaign alone, it lists them.

    Example: commsengine facts crm
    """


@facts.command("import")
@click.argument("file", type=FILE)
@click.option("--campaign", type=CAMPAIGN, help=N_("Which campaign (default: the only one with outcomes)."))
@click.option("--skip-bad", is_flag=True, help=N_("Import the good rows and list the bad ones."))
@json_option
@with_workspace
def import_(wiring: Wiring, file: Path, campaign: str | None, skip_bad: bool, as_json: bool) -> None:
    """Import facts from a CSV file.

    Its columns are email or id, date, and outcome if the plan has several. The same fact twice is one. A file with a
    bad row changes nothing, unless --skip-bad.

    Example: commsengine facts import calls.csv --campaign crm
    """
    from commsengine.authoring.facts_file import load_facts
    from commsengine.campaigns.outcome_facts import campaign_of_facts, judge

    record, now = campaign_of_facts(wiring.store, campaign), wiring.clock()
    rows, columns = load_facts(file)
    found = judge(wiring.store, record.plan, rows, now)
    for problem in _problems(file, found, columns):
        note(str(problem))
    if found.wrong and not skip_bad:
        text = _("{rows} wrong, so nothing was changed.", rows=counted(len(found.wrong), "row is", "rows are"))
        raise InputError(text, _("Correct them, or add --skip-bad to import the rest."))
    new = wiring.store.deeds.record(record.id, found.sound, source="file", by=wiring.operator, now=now)
    counts = {"campaign": record.id, "read": len(rows), "recorded": new, "known": len(found.sound) - new}
    if as_json:
        show_json({**counts, "rejected": [str(problem) for problem in _problems(file, found, columns)]})
        return
    text = N_("{read:,} read: {recorded:,} new, {known:,} known already, {wrong:,} left out ({campaign}).")
    click.echo(_(text, **counts, wrong=len(found.wrong)))


def _problems(file: Path, found: Judged, columns: Mapping[str, int]) -> list[Problem]:
    def column(name: str) -> int:
        return columns.get(name) or columns.get("id" if name == "email" else name) or 1

    return [
        Problem(str(file), each.place, column(each.column), each.code, each.cause, each.fix) for each in found.wrong
    ]


@facts.command("add")
@click.argument("campaign", type=CAMPAIGN)
@click.argument("outcome")
@click.argument("email")
@click.option("--at", default="", metavar="DATE", help=N_("The day it was done (default: now)."))
@with_workspace
def add(wiring: Wiring, campaign: str, outcome: OutcomeId, email: str, at: str) -> None:
    """Record that one person did it.

    Example: commsengine facts add crm first_call ana.kim@example.com --at 2027-03-15
    """
    from commsengine.authoring.facts_file import ToldFact
    from commsengine.campaigns.outcome_facts import campaign_of_facts, judge, outcome_named
    from commsengine.cli.arguments import person_named

    record, now = campaign_of_facts(wiring.store, campaign), wiring.clock()
    outcome = outcome_named(record.plan, outcome)
    person = person_named(wiring, email)
    found = judge(wiring.store, record.plan, [ToldFact(0, person.id, outcome, at)], now)
    for wrong in found.wrong:
        raise InputError(wrong.cause, wrong.fix)
    new = wiring.store.deeds.record(record.id, found.sound, source="lead", by=wiring.operator, now=now)
    text = N_("Recorded: {email} did '{outcome}'.") if new else N_("It was on record already: {email}, '{outcome}'.")
    click.echo(_(text, email=person.email, outcome=outcome))


@facts.command("list")
@click.argument("campaign", type=CAMPAIGN)
@json_option
@with_workspace
def list_(wiring: Wiring, campaign: str, as_json: bool) -> None:
    """List who did it, and when, by outcome.

    Example: commsengine facts list crm
    """
    from commsengine.campaigns.outcome_facts import campaign_of_facts, done

    found = done(wiring.store, campaign_of_facts(wiring.store, campaign))
    if as_json:
        show_json(found)
        return
    zone = zone_of(wiring, found["campaign"])
    for outcome in found["outcomes"]:
        title(_("{outcome}: {title}, by {day}", **outcome))
        _list(outcome["done"], zone)
        click.echo()
    tell_zone(zone)
    note(_("People who are not on the list may have done it, too: it is only not recorded here."))


def _list(done: Sequence[Mapping[str, object]], zone: str) -> None:
    click.echo(_("  {people} did it", people=n_people(len(done))))
    sources = {"file": N_("from a file"), "lead": N_("by hand"), "system": N_("from a system")}
    rows = [
        (
            each["person"],
            each["name"],
            when(zone, str(each["at"])),
            each["again"] or "",
            _(sources[str(each["source"])]),
        )
        for each in done
    ]
    table([N_("person"), N_("name"), N_("done"), N_("again"), N_("source")], rows, right=["again"])
