"""``why``: one screen of reasons for one person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from commsengine.cadence.kinds_and_states import CHANNELS, HUMAN
from commsengine.cli.arguments import person_named
from commsengine.cli.output import json_option, n_messages, say, show_json, skip_reason, tell_zone, title, when
from commsengine.cli.workspace import with_workspace, zone_of
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


KINDS = {
    "remind": N_("reminder"),
    "commitment": N_("question whether it is done"),
}
"""What is sent, where the stored word is not the one to read."""

FOR_A_PERSON = {"personal": N_("call"), "sponsor": N_("proposal to ask the sponsor")}


@click.command()
@click.argument("person")
@json_option
@with_workspace
def why(wiring: Wiring, person: str, as_json: bool) -> None:
    """Show what was decided for a person, and why: what was sent, what comes next, what it waits for.

    A person is named by address, by id, or by a name or a part of it.

    Example: commsengine why ana.kim@example.com
    """
    from commsengine.reports.why import why as reasons_for

    email = person_named(wiring, person).email
    found = reasons_for(wiring.store, wiring.decisions, email, wiring.clock())
    if as_json:
        show_json(found)
        return
    zone = zone_of(wiring)
    title(f"{found['name'] or found['person']} <{found['person']}>")
    for channel, reason in found["unreachable"].items():
        say(_("Not reachable by {channel}: {reason}.", channel=channel, reason=_(reason)))
    if not found["campaigns"]:
        click.echo(_("No campaign is running."))
    for campaign in found["campaigns"]:
        click.echo()
        title(f"{campaign['title']} ({campaign['campaign']}){_stopped(campaign, zone)}")
        for message in campaign["messages"] if campaign["state"] in ("running", "paused") else ():
            _show(message, zone)
    if found["campaigns"]:
        click.echo()
        tell_zone(zone)


def _stopped(campaign: Mapping[str, Any], zone: str) -> str:
    if campaign["state"] == "running":
        return ""
    if campaign["state"] == "paused":
        if since := campaign["paused_since"]:
            return _(": paused since {since}; nothing is sent until resume", since=when(zone, since))
        return _(": not started yet")
    made = [touch["at"] for message in campaign["messages"] for touch in message["touches"]]
    state, touches, last = _(campaign["state"]), n_messages(len(made)), when(zone, max(made))
    return _(": {state}; {touches}, the last {last}", state=state, touches=touches, last=last)


def _show(message: Mapping[str, Any], zone: str) -> None:
    say(f"  {message['message']}: {_(message['standing'])}")
    told = [(touch["at"], _carried(touch)) for touch in message["touches"]]
    told += [(each["at"], each["text"]) for each in message["said"]]
    for at, text in sorted(told, key=lambda each: datetime.fromisoformat(each[0])):
        say(f"    {when(zone, at)}  {text}")
    for line in dict.fromkeys(f"{_next(reason, zone)}{reason['text']}" for reason in message["reasons"]):
        say(f"    {line}")  # a message and the question about what was said to it may wait for the same
    if message["timing"]:
        say(f"    {message['timing']}")


def _carried(touch: Mapping[str, Any]) -> str:
    # What a human carries is opened for them; only a channel sends.
    because = f" ({skip_reason(touch['reason'])})" if touch["reason"] else ""
    flag = _(", possible duplicate") if touch["possible_duplicate"] else ""
    kind, channel, state = touch["kind"], touch["channel"], _(touch["state"])
    by = _(CHANNELS[channel].in_text) if channel in CHANNELS else channel
    if channel == HUMAN:
        return f"{_(FOR_A_PERSON[kind])}: {_('opened') if touch['state'] == 'sent' else state}{because}"
    text = N_("{kind} by {channel}: {state}{because}{flag}")
    return _(text, kind=_(KINDS.get(kind, kind)), channel=by, state=state, because=because, flag=flag)


def _next(reason: Mapping[str, Any], zone: str) -> str:
    return _("next {instant}: ", instant=when(zone, reason["next_at"])) if reason["next_at"] else ""
