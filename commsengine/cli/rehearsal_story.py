"""The story of a rehearsal, for people. Loaded only after one."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.output import count, table, title, when

if TYPE_CHECKING:
    from commsengine.sandbox.rehearse import Story

KINDS = {
    "message": "messages",
    "remind": "reminders",
    "personal": "personal outreach",
    "sponsor": "proposals to ask the sponsor",
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
    title(f"{script.plan.title}: {script.start:%d %b %Y} to {script.until:%d %b %Y}")
    click.echo(
        f"{count(len(story.touches), 'touch', 'touches')} for {count(len(script.people), 'person', 'people')}, "
        f"{count(story.ticks, 'tick')} of the real engine in {story.seconds:.0f} s."
    )
    click.echo()
    table(["what", "touches"], [(KINDS.get(kind, kind), f"{n:,}") for kind, n in _kinds(story)], right=["touches"])
    click.echo()
    table(["by", "touches"], [(channel, f"{n:,}") for channel, n in _channels(story)], right=["touches"])
    if story.answers:
        click.echo()
        rows = [(kind.replace("_", " "), f"{n:,}") for kind, n in story.answers.most_common()]
        table(["what people did", "times"], rows, right=["times"])
    _paused(story)
    _calls(story)
    click.echo()
    click.echo(_agreement(story))
    there = shlex.quote(str(where))
    click.echo(f"Look closer: COMMSENGINE_DATABASE_URL=sqlite:///rehearsal.db commsengine --workspace {there} status")


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
        f"Paused {when(paused.since)}, resumed {when(paused.until)}: {paused.sent_meanwhile:,} left meanwhile, "
        f"{paused.due_meanwhile:,} held back and sent after."
    )


def _calls(story: Story) -> None:
    click.echo()
    if story.first_call is not None:
        call = story.first_call
        click.echo("Whom to call, and what to say. The first of these calls:")
        title(
            f"{call.person.name or call.person.email}, phone {call.person.phone or 'unknown'}, called by {call.carrier}"
        )
        click.echo(f"{call.reason} Tried: {', '.join(call.tried) or 'nothing yet'}.")
        click.echo()
        click.echo("\n".join(f"  {line}".rstrip() for line in call.talking_points.splitlines()))
        click.echo()
    click.echo(f"{count(len(story.calls), 'follow-up')} open at the end.")


def _agreement(story: Story) -> str:
    if story.agrees:
        return f"What was sent equals what simulate said: {len(story.touches):,} of {len(story.touches):,} touches."
    return f"It differs from simulate: {len(story.missing):,} missing, {len(story.unforeseen):,} unforeseen."
