"""The story of a rehearsal, for people. Loaded only after one."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.output import n_follow_ups, n_messages, n_people, say, table, tell_zone, title, when, when_where
from commsengine.cli.report import WrittenReport, show_headline
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.channels.providers import ProviderProfile
    from commsengine.sandbox.as_if_report import AsIfReport
    from commsengine.sandbox.rehearse import Story

KINDS = {
    "message": N_("messages"),
    "briefing": N_("briefings of managers"),
    "remind": N_("reminders"),
    "personal": N_("calls"),
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
        "as_if": story.report.as_json() if story.report else None,
        "seconds": round(story.seconds, 1),
    }


def tell(story: Story, where: Path, report: WrittenReport) -> None:
    script = story.script
    click.echo()
    text = N_("{title}: {start:%d %b %Y} to {until:%d %b %Y}")
    title(_(text, title=script.plan.title, start=script.start, until=script.until))
    touches, people = n_messages(len(story.touches)), n_people(len(script.people))
    text = N_("{touches} for {people}, {ticks} of the real engine in {seconds:.0f} s.")
    ticks = counted(story.ticks, "tick", "ticks")
    click.echo(_(text, touches=touches, people=people, ticks=ticks, seconds=story.seconds))
    click.echo()
    _counts(N_("what"), N_("messages"), [(KINDS.get(kind, kind), number) for kind, number in _kinds(story)])
    click.echo()
    _counts(N_("by"), N_("messages"), _channels(story))
    if story.report is not None:
        _as_if(story.report, script.plan.send.time_zone)
    else:
        _what_people_did(story)
        _paused(story)
        _calls(story)
    click.echo()
    click.echo(_agreement(story))
    click.echo()
    show_headline(report)
    _look_closer(story, where, report)


def _look_closer(story: Story, where: Path, report: WrittenReport) -> None:
    click.echo("\n" + _("The report: {file}", file=_from_here(report.file or where)))
    click.echo(_("To look closer (the clock there is at the end of the rehearsal):"))
    who = story.first_call.person if story.first_call else story.script.people[0]
    for command in ("status", "today", "followups --talking-points", f"why {who.email}"):
        say(f"  commsengine --workspace {shlex.quote(str(_from_here(where)))} {command}")


def _from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.absolute().relative_to(here) if path.absolute().is_relative_to(here) else path


def _what_people_did(story: Story) -> None:
    if story.answers:
        click.echo()
        done = [(kind.replace("_", " "), number) for kind, number in story.answers.most_common()]
        _counts(N_("what people did"), N_("times"), done)


def _as_if(report: AsIfReport, zone: str) -> None:
    click.echo()
    if report.as_if.mail is not None:
        title(limits_in_words(report.as_if.mail))
    if report.as_if.slack_cold:
        text = N_("Slack, new to the app: {rate} a minute.")
        title(_(text, rate=n_messages(int(report.slack_rate or 0))))
    columns = [N_("largest batches"), N_("by"), N_("messages"), N_("last one sent"), N_("as simulate said")]
    rows = [
        (
            when(zone, wave.at),
            wave.channel,
            f"{wave.messages:,}",
            when(zone, wave.last_sent_at),
            when(zone, wave.announced_at),
        )
        for wave in report.waves
    ]
    table(columns, rows, right=["messages"])
    click.echo()
    tell_zone(zone)
    for line in _findings(report, zone):
        click.echo(line)
    if report.as_if.to_set:
        click.echo("\n" + _("Before the start (docs/providers.md has the steps):"))
        for line in report.as_if.to_set:
            click.echo(f"- {line}")


def limits_in_words(profile: ProviderProfile) -> str:
    """``Microsoft 365 mailbox: 3 connections, 30 messages a minute, 10,000 in 24 hours.``"""
    limits = profile.limits
    parts = [counted(limits.connections, "connection", "connections")]
    if limits.per_minute:
        parts.append(_("{messages} a minute", messages=n_messages(int(limits.per_minute))))
    if limits.per_day:
        parts.append(_("{number:,} in 24 hours", number=limits.per_day))
    return f"{profile.title}: {', '.join(parts)}."


def _findings(report: AsIfReport, zone: str) -> Iterator[str]:
    limits = report.as_if.mail.limits if report.as_if.mail else None
    if limits and report.day and limits.per_day:
        text = N_("Busiest 24 hours: {messages:,} of {most:,} messages, up to {instant}.")
        yield _(text, messages=report.day.messages, most=limits.per_day, instant=when(zone, report.day.until))
        if report.day.full:
            days = ", ".join(f"{day:%a %d %b}" for day in report.day.full)
            yield _("That limit was reached on {days}: the other messages waited.", days=days)
    yield _lateness(report)
    yield from _refusals(report)
    if limits and report.connections:
        yield _("Connections open at once: {number} of {most}.", number=report.connections, most=limits.connections)
    if report.user_list_calls:
        calls = counted(report.user_list_calls, "call", "calls")
        yield _("Slack's list of users was read before the first message, and daily since: {calls}.", calls=calls)
    if report.as_if.mail:
        yield _("Answers do not pass through the mail server: links, pages and buttons work at any time.")


def _lateness(report: AsIfReport) -> str:
    if not report.late and not report.next_day:
        return _("Every message was sent on its day, within an hour of the time it was due.")
    text = N_("Sent more than an hour after they were due: {messages}. On a later day than planned: {people}.")
    return _(text, messages=n_messages(report.late), people=n_people(len(report.next_day)))


def _refusals(report: AsIfReport) -> Iterator[str]:
    if report.outside:
        people, some = n_people(len(report.outside)), ", ".join(report.outside[:3])
        yield _("It does not send to addresses outside the company: {people} ({some} …).", people=people, some=some)
    if report.delayed:
        yield _("It delayed {messages} that came too fast.", messages=n_messages(report.delayed))
    for reply, times in report.refused.items():
        yield _("Refused {times}: {reply}", times=counted(times, "time", "times"), reply=reply)
    if not report.refused:
        yield _("Nothing was refused.")


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
    zone = story.script.plan.send.time_zone
    since, until = when(zone, paused.since), when_where(zone, paused.until)
    text = N_("Paused {since}, resumed {until}: {sent:,} sent meanwhile, {due:,} held back and sent afterwards.")
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
        return _("What was sent equals what simulate said: {touches:,} of {touches:,} messages.", touches=touches)
    text = N_("It differs from simulate: {missing:,} missing, {unforeseen:,} unforeseen.")
    if story.report is not None and story.report.held_up:
        text = N_(
            "It differs from simulate ({missing:,} missing, {unforeseen:,} unforeseen): people who got a "
            "message later also answered later."
        )
    return _(text, missing=len(story.missing), unforeseen=len(story.unforeseen))
