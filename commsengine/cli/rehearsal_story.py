"""The story of a rehearsal, for people. Loaded only after one."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.output import n_follow_ups, n_people, n_touches, table, title, when
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.sandbox.rehearse import Story

KINDS = {
    "message": N_("messages"),
    "remind": N_("reminders"),
    "personal": N_("personal outreach"),
    "sponsor": N_("proposals to ask the sponsor"),
}


def as_data(story: Story) -> dict[str, Any]:
    script = story.script
    return {
        "campaign": script.plan.campaign,
        "from": script.start,
        "until": script.until,
        "people": len(script.people),
        "touches": len(story.touches),
        "kinds": dict(_kinds(story)),
        "channels": dict(_channels(story)),
        "states": dict(story.states),
        "answers": dict(story.answers),
        "follow_ups_open": [call.as_json() for call in story.calls],
        "agrees": story.agrees,
        "seconds": round(story.seconds, 1),
    }


def tell(story: Story, where: Path) -> None:
    script = story.script
    click.echo()
    text = N_("{title}: {start:%d %b %Y} to {until:%d %b %Y}")
    title(_(text, title=script.plan.title, start=script.start, until=script.until))
    touches, people = n_touches(len(story.touches)), n_people(len(script.people))
    text = N_("{touches} for {people}, {ticks} of the real engine in {seconds:.0f} s.")
    ticks = counted(story.ticks, "tick", "ticks")
    click.echo(_(text, touches=touches, people=people, ticks=ticks, seconds=story.seconds))
    click.echo()
    _counts(N_("what"), N_("touches"), [(KINDS.get(kind, kind), number) for kind, number in _kinds(story)])
    click.echo()
    _counts(N_("by"), N_("touches"), _channels(story))
    if story.answers:
        click.echo()
        done = [(kind.replace("_", " "), number) for kind, number in story.answers.most_common()]
        _counts(N_("what people did"), N_("times"), done)
    _paused(story)
    _calls(story)
    click.echo()
    click.echo(_agreement(story))
    text = N_("Look closer: COMMSENGINE_DATABASE_URL=sqlite:///rehearsal.db commsengine --workspace {there} status")
    click.echo(_(text, there=shlex.quote(str(where))))


def _counts(what: str, times: str, rows: Iterable[tuple[str, int]]) -> None:
    table([what, times], [(_(name), f"{number:,}") for name, number in rows], right=[times])


def _kinds(story: Story) -> list[tuple[str, int]]:
    return Counter[str](kind for *_rest, kind, _channel, _due, skip in story.touches if not skip).most_common()


def _channels(story: Story) -> list[tuple[str, int]]:
    return Counter[str](channel for *_rest, channel, _due, skip in story.touches if not skip).most_common()


def _paused(story: Story) -> None:
    paused = story.paused
    if paused is None:
        return
    since, until = when(paused.since), when(paused.until)
    text = N_("Paused {since}, resumed {until}: {sent:,} left meanwhile, {due:,} held back and sent after.")
    click.echo("\n" + _(text, since=since, until=until, sent=paused.sent_meanwhile, due=paused.due_meanwhile))


def _calls(story: Story) -> None:
    click.echo()
    if story.first_call is not None:
        call = story.first_call
        click.echo(_("Whom to call, and what to say. The first of these calls:"))
        person, phone = call.person.name or call.person.email, call.person.phone or _("unknown")
        title(_("{person}, phone {phone}, called by {carrier}", person=person, phone=phone, carrier=call.carrier))
        click.echo(f"{call.reason} {_('Tried: {tried}.', tried=', '.join(call.tried) or _('nothing yet'))}")
        click.echo()
        click.echo("\n".join(f"  {line}".rstrip() for line in call.talking_points.splitlines()))
        click.echo()
    click.echo(_("{follow_ups} open at the end.", follow_ups=n_follow_ups(len(story.calls))))


def _agreement(story: Story) -> str:
    if story.agrees:
        touches = len(story.touches)
        return _("What was sent equals what simulate said: {touches:,} of {touches:,} touches.", touches=touches)
    text = N_("It differs from simulate: {missing:,} missing, {unforeseen:,} unforeseen.")
    return _(text, missing=len(story.missing), unforeseen=len(story.unforeseen))
