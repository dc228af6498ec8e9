"""The story of a rehearsal, for people. Loaded only after one."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.output import table, title, when
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.sandbox.rehearse import Story

KINDS = {
    "message": "messages",
    "remind": "reminders",
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
    title(
        _(
            "{title}: {start:%d %b %Y} to {until:%d %b %Y}",
            title=script.plan.title,
            start=script.start,
            until=script.until,
        )
    )
    click.echo(
        _(
            "{touches} for {people}, {ticks} of the real engine in {seconds:.0f} s.",
            touches=counted(len(story.touches), "touch", "touches"),
            people=counted(len(script.people), "person", "people"),
            ticks=counted(story.ticks, "tick", "ticks"),
            seconds=story.seconds,
        )
    )
    click.echo()
    table(["what", "touches"], [(KINDS.get(kind, kind), f"{n:,}") for kind, n in _kinds(story)], right=["touches"])
    click.echo()
    table(["by", "touches"], [(channel, f"{n:,}") for channel, n in _channels(story)], right=["touches"])
    if story.answers:
        click.echo()
        rows = [(kind.replace("_", " "), f"{n:,}") for kind, n in story.answers.most_common()]
        table([_("what people did"), "times"], rows, right=["times"])
    _paused(story)
    _calls(story)
    click.echo()
    click.echo(_agreement(story))
    there = shlex.quote(str(where))
    click.echo(
        _(
            "Look closer: COMMSENGINE_DATABASE_URL=sqlite:///rehearsal.db commsengine --workspace {there} status",
            there=there,
        )
    )


def _kinds(story: Story) -> list[tuple[str, int]]:
    return _counted(kind for _, _, _, kind, _, _, skip in story.touches if not skip)


def _channels(story: Story) -> list[tuple[str, int]]:
    return _counted(channel for _, _, _, _, channel, _, skip in story.touches if not skip)


def _counted(words: Iterable[str]) -> list[tuple[str, int]]:
    return Counter(words).most_common()


def _paused(story: Story) -> None:
    paused = story.paused
    if paused is None:
        return
    click.echo()
    click.echo(
        _(
            "Paused {since}, resumed {until}: {sent_meanwhile:,} left meanwhile, {due_meanwhile:,} held back and "
            "sent after.",
            since=when(paused.since),
            until=when(paused.until),
            sent_meanwhile=paused.sent_meanwhile,
            due_meanwhile=paused.due_meanwhile,
        )
    )


def _calls(story: Story) -> None:
    click.echo()
    if story.first_call is not None:
        call = story.first_call
        click.echo(_("Whom to call, and what to say. The first of these calls:"))
        title(
            _(
                "{person}, phone {phone}, called by {carrier}",
                person=call.person.name or call.person.email,
                phone=call.person.phone or "unknown",
                carrier=call.carrier,
            )
        )
        click.echo(_("{reason} Tried: {tried}.", reason=call.reason, tried=", ".join(call.tried) or _("nothing yet")))
        click.echo()
        click.echo("\n".join(f"  {line}".rstrip() for line in call.talking_points.splitlines()))
        click.echo()
    click.echo(_("{follow_ups} open at the end.", follow_ups=counted(len(story.calls), "follow-up", "follow-ups")))


def _agreement(story: Story) -> str:
    if story.agrees:
        return _(
            "What was sent equals what simulate said: {number:,} of {number:,} touches.", number=len(story.touches)
        )
    return _(
        "It differs from simulate: {number:,} missing, {number_2:,} unforeseen.",
        number=len(story.missing),
        number_2=len(story.unforeseen),
    )
