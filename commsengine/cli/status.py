"""``status``: the books of every campaign."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.arguments import CAMPAIGN
from commsengine.cli.followups import show_held
from commsengine.cli.output import (
    at_rest,
    json_option,
    n_follow_ups,
    n_messages,
    n_people,
    say,
    show_json,
    skip_reason,
    table,
    tell_zone,
    title,
    waits_for,
    when,
)
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


@click.command()
@click.argument("campaign", type=CAMPAIGN, required=False, default="")
@json_option
@with_workspace
def status(wiring: Wiring, campaign: str, as_json: bool) -> None:
    """Show the status of every campaign, or of one: its people, what was sent, what came back.

    All messages on record are claimed + sending + sent + retry + failed + uncertain + skipped.

    Example: commsengine status
    """
    from commsengine.reports import status
    from commsengine.reports.held_files import held_text

    stopped, decisions = wiring.stop_is_there(), wiring.decisions
    found = status.status(
        wiring.store, wiring.clock(), stop_file=stopped, recall=True, decisions=decisions, only=campaign
    )
    if as_json:
        show_json(found)
        return
    zone = zone_of(wiring, campaign)
    title(_engine(found["engine"], zone))
    for rest in found["engine"]["resting"]:
        say(f"{at_rest(rest, wiring.clock(), zone)} {waits_for(rest)}")
    if refused := len(found["refusals"]):
        waits = counted(refused, "refusal waits for your decision", "refusals wait for your decision")
        say(_("{refusals}: commsengine refusals", refusals=waits))
    for held in found["held_files"]:
        say(held_text(held))
    if not found["campaigns"]:
        click.echo(_("No plan is applied yet: commsengine apply PLAN"))
    titled = {record.id: record.plan.audience.title for record in wiring.store.campaigns.all()}
    for books in found["campaigns"]:
        _show(books, zone, titled[books["campaign"]])
    if found["campaigns"]:
        click.echo()
        tell_zone(zone)


def _engine(engine: Mapping[str, Any], zone: str) -> str:
    from commsengine.engine.state_folder import STOPPED

    if engine["stop_file"]:
        return _(STOPPED)
    if engine["hold"]:
        return _("The engine is on hold: {reason} Then: commsengine release", reason=_(engine["hold"]["reason"]))
    if engine["beat_at"] is None:
        return _("No engine has run yet: commsengine run, or commsengine tick from cron.")
    at, host = when(zone, engine["beat_at"]), engine["host"]
    if engine["ended_at"]:
        ended = when(zone, engine["ended_at"])
        return _("No engine is running; the last run or tick ended {instant} on {host}.", instant=ended, host=host)
    runs = _("The engine is running") if engine["state"] == "running" else _("The engine is not running")
    return _("{engine}; last heartbeat {instant} on {host}.", engine=runs, instant=at, host=host)


def _show(campaign: Mapping[str, Any], zone: str, titled: Callable[[str], str]) -> None:
    skipped = campaign["touches"]["skipped"]
    counts = {**campaign["touches"], "skipped": sum(skipped.values())}
    click.echo()
    title(f"{campaign['title']} ({campaign['campaign']}): {_(campaign['state'])}")
    paused = campaign["paused"]
    if paused and paused["by"] == "engine":
        text = N_("The engine paused it {since}: {reason}. When that is solved: commsengine resume {campaign}")
        since, reason = when(zone, paused["since"]), _(paused["reason"])
        click.echo(_(text, since=since, reason=reason, campaign=campaign["campaign"]))
    people, follow_ups = n_people(campaign["audience"]), n_follow_ups(campaign["follow_ups_open"])
    touches, acknowledged = n_messages(sum(counts.values())), campaign["acknowledged"]
    text = N_("{people}; {touches}, {acknowledged:,} acknowledged, {follow_ups} open.")
    click.echo(_(text, people=people, touches=touches, acknowledged=acknowledged, follow_ups=follow_ups))
    table(list(counts), [[f"{number:,}" for number in counts.values()]], right=list(counts))
    for reason, number in sorted(skipped.items()):
        say(_("  skipped: {touches:,} ({reason})", touches=number, reason=skip_reason(reason)))
    if campaign["held_by_managers"]:
        show_held(campaign["held_by_managers"])
    for view in campaign["phases"]:
        if view["state"] == "going on" or (view["gate"] and not view["gate"]["open"] and view["state"] == "over"):
            say(_phase(view, zone))
    _recall([{**each, "role": titled(each["role"])} for each in campaign["recall"]])


def _phase(view: Mapping[str, Any], zone: str) -> str:
    reached = [
        f"{each['message']} {_(each['measure'])} {_share(each['share'])} ({_('wanted')} {_share(each['wanted'])})"
        for each in view["measures"]
    ]
    about = {"phase": view["phase"], "until": when(zone, view["until"]), "state": _(view["state"])}
    text = _("Phase '{phase}', until {until}: {state}", **about) + "".join(f"; {each}" for each in reached) + "."
    return f"{text} {_('Its gate waits for you.')}" if view["state"] == "over" else text


def _share(share: float | None) -> str:
    return _("not known") if share is None else f"{share:.0%}"


def _recall(roles: Sequence[Mapping[str, Any]]) -> None:
    text = N_("{role} {mean:.0%} ({low:.0%} to {high:.0%}, n = {people:,}, {curve})")
    told = [
        _(text, **role, curve=_("tested") if role["tested"] else _("assumed curve"))
        for role in roles
        if role["mean"] is not None
    ]
    if told:
        hidden = sum(role["hidden"] for role in roles)
        few = counted(hidden, "role has", "roles have")
        more = _("; {roles} too few people to be shown", roles=few) if hidden else ""
        click.echo(_("Estimated recall: {roles}{more}.", roles=", ".join(told), more=more))
