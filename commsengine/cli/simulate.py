"""``simulate``: every touch of a plan, before anything is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsengine.cadence.kinds_and_states import CHANNELS, channel_of
from commsengine.cli.arguments import ANSWERS, PLAN
from commsengine.cli.output import (
    Progress,
    first_rows,
    json_option,
    n_follow_ups,
    n_messages,
    n_people,
    n_time,
    note,
    say,
    show_json,
    table,
    title,
    when_where,
)
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.text import listed
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.cadence.kinds_and_states import ChannelName
    from commsengine.cadence.plan import Plan
    from commsengine.channels.providers import ProviderProfile
    from commsengine.planning.departures import Wave
    from commsengine.planning.message_outlook import MessageOutlook
    from commsengine.planning.plan_on_disk import Gates
    from commsengine.planning.simulation import Simulation
    from commsengine.wiring import Wiring

    Profiles = Mapping[ChannelName, ProviderProfile]

MOST_WEEKS = 10
GATES = N_("Whether the gates that you have not opened are assumed to open.")
ASSUMPTION = {
    "none": N_("No answers: the most that can be sent."),
    "all": N_("Assumed: everybody answers two hours after the first message."),
    "typical": N_("Assumed: about half answer the first message, fewer each later one."),
    "weak": N_("Assumed: people forget faster than usual (15 in 100 know it after two days), and answer by that."),
    "strong": N_("Assumed: people remember better than usual (40 in 100 know it after two days), and answer by that."),
}


@click.command()
@click.argument("plan", type=PLAN)
@click.option("--from", "start", metavar="DATE", help=N_("First day (default: now)."))
@click.option("--until", metavar="DATE", help=N_("Last day (default: until the last message closes)."))
@click.option("--answers", type=ANSWERS, default="none", show_default=True, help=N_("What answers are assumed."))
@click.option("--gates", type=click.Choice(["open", "shut"]), default="open", show_default=True, help=GATES)
@click.option(
    "--done",
    type=float,
    default=0.0,
    metavar="SHARE",
    help=N_("The share of people assumed to do what is asked, such as 0.3 (default: none)."),
)
@json_option
@with_workspace
def simulate(
    wiring: Wiring,
    plan: Path,
    start: str | None,
    until: str | None,
    answers: str,
    gates: Gates,
    done: float,
    as_json: bool,
) -> None:
    """Show what a plan will send, to whom and when, before anything is sent.

    It decides as the engine does, over all running campaigns: what it shows is what run does.

    Example: commsengine simulate schedules/crm-rollout.yaml --answers typical
    """
    from commsengine.planning.plan_on_disk import checked, outlook

    if not 0 <= done <= 1:
        raise InputError(
            _("--done is a share of the people, not {given:g}.", given=done), _("Write 0 to 1, as in 0.3.")
        )
    first, last = _day(start, "--from"), _day(until, "--until")
    with Progress(_("Simulating")) as progress:
        seen = outlook(
            wiring.planning_basis,
            checked(wiring.check(plan)),
            start=first,
            until=last,
            answers=answers,
            gates=gates,
            done=done,
            progress=progress,
        )
    if as_json:
        show_json(seen.as_data())
    else:
        show_simulation(seen, wiring.profiles)


def _day(text: str | None, option: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        fix = _("Write YYYY-MM-DD, for example 2027-03-15.")
        raise InputError(_("{option}: '{given}' is not a date.", option=option, given=text), fix) from None


def show_simulation(seen: Simulation, profiles: Profiles) -> None:
    from commsengine.planning.plan_on_disk import corrected_texts

    plan, figures = seen.plan, seen.summary()
    text = N_("{title} ({campaign}), {start:%d %b %Y} to {until:%d %b %Y}")
    title(_(text, title=plan.title, campaign=plan.campaign, start=seen.start, until=seen.until))
    text = N_("{messages} to {reached:,} of {people}; per person {median:g} (median), {most} at most.")
    messages, people = n_messages(figures["touches"]), n_people(seen.audience)
    click.echo(_(text, messages=messages, reached=figures["reached"], people=people, **figures["per_person"]))
    if not seen.exact:
        click.echo(_("Estimated from {people}, evenly out of all.", people=n_people(seen.looked_at)))
    click.echo(_(ASSUMPTION[seen.answers]))
    _gates(seen)
    _doing(seen)
    for text in corrected_texts(seen.plan.corrected):
        note(text)
    _calendar(seen)
    _messages(seen)
    _recall(seen)
    _limits(seen, profiles)
    _by_hand(seen)
    _never_reached(seen)


def _gates(seen: Simulation) -> None:
    for name, gate in seen.gates.items():
        messages = listed(gate.waiting, "and") or _("nothing")
        about = {"phase": name, "messages": messages, "day": gate.until}
        if gate.opens is None:
            text = N_("Assumed: the gate after '{phase}' stays closed. These never begin: {messages}.")
        elif gate.supposed:
            text = N_("Assumed: you open the gate after '{phase}' by {day:%a %d %b}. These wait for that: {messages}.")
        else:
            text = N_("The gate after '{phase}' is open; these no longer wait: {messages}.")
        click.echo(_(text, **about))


def _doing(seen: Simulation) -> None:
    awaited = sorted(set(seen.plan.until_done.values()))
    if not awaited:
        return
    names = ", ".join(awaited)
    if not seen.done:
        text = N_("Assumed: no person does it ({outcomes}), so what repeats until it is done goes on. Try --done 0.3.")
        click.echo(_(text, outcomes=names))
        return
    text = N_("Assumed: {share:.0f} in 100 do it ({outcomes}) five days after the first message.")
    click.echo(_(text, share=seen.done * 100, outcomes=names))


def _calendar(seen: Simulation) -> None:
    weeks: dict[str, dict[int, int]] = {}
    for day, number in seen.per_day().items():
        year, week, weekday = day.isocalendar()
        weeks.setdefault(f"{year}-W{week:02d}", {})[weekday] = number
    days = [N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun")]
    used = [n for n in range(1, 8) if n < 6 or any(n in week for week in weeks.values())]
    rows = [
        (
            name,
            f"{dt.date.fromisocalendar(int(name[:4]), int(name[-2:]), 1):%d %b}",
            *(f"{week[n]:,}" if n in week else "·" for n in used),
            f"{sum(week.values()):,}",
        )
        for name, week in weeks.items()
    ]
    names = [days[n - 1] for n in used]
    click.echo()
    table([N_("week"), N_("from"), *names, N_("messages")], rows, right=[*names, "messages"])


def _messages(seen: Simulation) -> None:
    shown = [each for each in seen.messages if each.wanted or each.touches]
    people, messages, no_place = N_("people"), N_("messages"), N_("no place for")
    starving = [no_place] if seen.starved else []
    rows = [
        (
            each.message,
            f"{each.people:,} / {each.wanted:,}",
            f"{each.touches:,}",
            _day_of(each.first),
            _day_of(each.last),
            *(f"{each.starved:,}" if each.starved else "" for _column in starving),
        )
        for each in shown
    ]
    click.echo()
    columns = [N_("message"), people, messages, N_("first"), N_("last"), *starving]
    table(columns, rows, right=[people, messages, no_place])
    lines = [line for each in shown for line in _missed(each)]
    if lines:
        click.echo()
    for line in lines:
        say(line)


def _day_of(local_at: dt.datetime | None) -> str:
    return _("{day:%a %d %b}", day=local_at) if local_at else "–"


def _missed(outlook: MessageOutlook) -> Iterator[str]:
    for reason, number in outlook.never.items():
        people = counted(number, "person never gets it", "people never get it")
        yield _("{message}: {people}. {reason}", message=outlook.message, people=people, reason=reason)
    if outlook.starved:
        people = counted(outlook.starved, "person never gets it", "people never get it")
        text = N_("{message}: {people}. It {because}.")
        yield _(text, message=outlook.message, people=people, because=outlook.because)
    if outlook.starved and not outlook.helps:
        yield "  " + _("No single change was found to help: send fewer messages in that time, or allow it more time.")
    if outlook.helps:
        helps = _("; or ").join(outlook.helps)
        yield "  " + _("Tried on one of them, this helps: {helps}.", helps=helps)


WAYS = {"plan": N_("this plan"), "every_48h": N_("every 48 hours"), "weekly": N_("every week")}


def _recall(seen: Simulation) -> None:
    foresight = seen.recall
    if foresight is None or not foresight.by_role:
        return
    step = -(-len(foresight.weeks) // MOST_WEEKS)
    weeks = foresight.weeks[step - 1 :: step]
    names, titled = [f"{week:%d %b}" for week in weeks], seen.plan.audience.title
    rows = [
        (titled(role), *(f"{value:.0%}" for value in values[step - 1 :: step]))
        for role, values in foresight.by_role.items()
    ]
    click.echo("\n" + _("Expected recall by role at the end of each week, an estimate by the curves in use:"))
    table([N_("role"), *names], rows, right=names)
    click.echo(_("A single campaign ends up to 12 points higher or lower, 19 times in 20, in simulation."))
    if foresight.hidden:
        click.echo(_("Too few people to show: {roles}.", roles=", ".join(map(titled, foresight.hidden))))
    if seen.compared:
        click.echo()
        figures = [N_("messages a person"), N_("recall on the day"), N_("lowest before")]
        ways = [
            (_(WAYS[name]), f"{way.messages:.1f}", _share(way.at_target), _share(way.lowest))
            for name, way in seen.compared.items()
        ]
        table([N_("repeating"), *figures], ways, right=figures)
        click.echo(_aims(seen.plan))
        click.echo(_("Only messages with recall_floor, without answers. 'lowest before' counts from day 7 on."))
        click.echo(_("This is a forecast about groups by a model, not a measurement."))


def _aims(plan: Plan) -> str:
    aims = [
        _("{message}: floor {floor:.0%}", message=message.id, floor=message.cadence.recall_floor)
        + (_(", target {target:.0%}", target=message.cadence.target) if message.cadence.target else "")
        for message in plan.messages
        if message.cadence.recall_floor is not None
    ]
    return _("The plan aims at: {aims}.", aims="; ".join(aims))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _limits(seen: Simulation, profiles: Profiles) -> None:
    from commsengine.planning.simulation import COMPARED

    click.echo()
    if seen.moved:
        waiting = counted(seen.moved, "message waits", "messages wait")
        about = _("About {messages}", messages=waiting) if seen.audience > COMPARED else waiting
        per_day, per_week = seen.room
        text = N_("{messages} because nobody may get more than {number} a day.")
        if seen.at_weekly_limit:
            text = N_("{messages} because nobody may get more than {number} a week.")
        click.echo(_(text, messages=about, number=per_week if seen.at_weekly_limit else per_day))
    if seen.at_weekly_limit:
        people = counted(seen.at_weekly_limit, "person reaches", "people reach")
        click.echo(_("{people} the weekly limit in at least one week.", people=people))
    if seen.skipped:
        click.echo(_("{messages} left out as too late.", messages=counted(seen.skipped, "message is", "messages are")))
    tell_departures(seen, profiles, "" if seen.exact else _("About "))


def tell_departures(seen: Simulation, profiles: Profiles, about: str = "") -> None:
    """When the last message of the largest wave of each channel leaves."""
    for name, needed in seen.ready_after.items():
        text = N_(
            "Before its first message by {channel} the engine reads the list of users: {time}, then daily "
            "in the background."
        )
        click.echo(_(text, channel=_(CHANNELS[channel_of(name)].in_text), time=n_time(needed)))
    for wave in seen.waves:
        channel = channel_of(wave.channel)
        profile, way = profiles[channel], _(CHANNELS[channel].in_text)
        limits, title = profile.limits, f" ({profile.whose})" if profile.whose else ""
        rate = _(" at {rate:,.6g} a minute", rate=limits.per_minute) if limits.per_minute else ""
        text = N_("{about}{messages:,} by {channel}{rate}{provider}: the last is sent {instant}{later}.")
        known = {"messages": wave.messages, "channel": way, "rate": rate, "provider": title}
        click.echo(
            _(
                text,
                **known,
                about=about,
                instant=when_where(seen.plan.send.time_zone, wave.last_sent),
                later=_later(wave),
            )
        )
        if wave.full_day and limits.per_day:
            text = N_("The mail server takes {messages:,} in {time}.")
            click.echo(_(text, messages=limits.per_day, time=n_time(limits.day)))
        if wave.overtaken:
            left_out = counted(wave.overtaken, "message is never sent", "messages are never sent")
            click.echo(_("In all, {messages}: the next one of the same message is due first.", messages=left_out))


def _later(wave: Wave) -> str:
    if not wave.later:
        return ""
    number, last = sum(wave.later.values()), max(wave.later)
    if len(wave.later) == 1:
        return _("; {number:,} wait for {day:%A %d %b}", number=number, day=last)
    return _("; {number:,} wait for later sending hours, up to {day:%A %d %b}", number=number, day=last)


def _by_hand(seen: Simulation) -> None:
    days = seen.follow_ups_per_day()
    if not days:
        return
    day, follow_ups = max(days, key=lambda day: days[day]), n_follow_ups(sum(days.values()))
    text = N_("{follow_ups}, from {first:%a %d %b} on; most on {day:%a %d %b}: {most}.")
    click.echo(_(text, follow_ups=follow_ups, first=min(days), day=day, most=days[day]))
    if number := seen.scaled(len(seen.of_kind("sponsor"))):
        proposals = counted(number, "proposal", "proposals")
        click.echo(_("{proposals} to the owner to ask the sponsor.", proposals=proposals))


def _never_reached(seen: Simulation) -> None:
    if not seen.unreached:
        everything = all(message.people == message.wanted for message in seen.messages)
        text = N_("Every message reaches everybody it is for.")
        if not everything:
            text = N_("Everybody gets a message, but not every message reaches everybody it is for: see above.")
        click.echo(_(text))
        return
    click.echo("\n" + _("Never reached: {people}", people=n_people(seen.scaled(len(seen.unreached)))))
    first_rows([N_("person"), N_("why")], [(person.email, _(why)) for person, why in seen.unreached])
