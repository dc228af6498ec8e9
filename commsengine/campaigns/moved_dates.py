"""A milestone has moved: who was told a date that holds no more, and the correction for exactly those.

What a text named is kept when it leaves. For texts that left before that was kept, the plan of their version is read:
any date that the message names for anybody counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count

from commsengine.cadence.audience import role_of, sequences_of
from commsengine.cadence.history import Campaign, Campaigns, History
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Cadence, Milestone, Notice, Plan
from commsengine.cadence.told import Told, as_told, dates_read, holds, in_force, told_of
from commsengine.content.phrases import milestone_text
from commsengine.content.recipe import CORRECTION, milestones_mentioned
from commsengine.store.records import CampaignRecord, SentText
from commsengine.store.store import Store
from commsengine.translation import N_, _

DAY = dt.timedelta(days=1)

NOW_ON = N_("{name} is now on {date}.")
NOW = N_("{name} is now {date}.")
NEW_DATES = N_("New dates: {names}.")


@dataclass(frozen=True, slots=True)
class Moved:
    """A milestone with its date before and now; what is not firm is planned for a week."""

    name: str
    old: dt.date
    new: dt.date
    because: str
    old_firm: bool = True
    new_firm: bool = True


@dataclass(frozen=True, slots=True)
class OldDates:
    """A person with a date in mind that holds no more, by the latest text to them that named these milestones.

    ``reachable``: a correction reaches them. ``by_plan``: what their texts named was not kept; the plan says so.
    """

    person_id: str
    email: str
    milestones: tuple[str, ...]
    reachable: bool = True
    by_plan: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """Who was told an old date and is not about to be corrected, and the notice that does it.

    ``earlier_dates`` are the dates in texts that left before they were kept, by key.
    """

    told: tuple[OldDates, ...] = ()
    notice: Notice | None = None
    earlier_dates: Mapping[str, str] = field(default_factory=dict)


NO_CORRECTION = Correction()


def milestones_moved(old: Plan, new: Plan) -> tuple[Moved, ...]:
    pairs = ((name, old.milestones[name], new.milestones[name]) for name in new.milestones if name in old.milestones)
    return tuple(
        Moved(name, before.date, now.date, now.because, before.firm, now.firm)
        for name, before, now in pairs
        if (before.date, before.firm) != (now.date, now.firm)
    )


def correction_of(store: Store, campaigns: Campaigns, mine: Campaign, now: dt.datetime) -> Correction:
    """What the plan of ``mine``, with its notices, makes wrong of what people have read, as of its ``apply``."""
    plan = mine.plan
    earlier = _earlier_dates(store, plan)
    lines = {*store.touches.dates_named(plan.campaign), *(dates for _each, dates in earlier)}
    if not any(_is_wrong(name, date, plan) for line in lines for name, date in told_of(line).dates.items()):
        return NO_CORRECTION
    ids = sorted({*store.touches.people_with_dates(plan.campaign), *(each.person_id for each, _dates in earlier)})
    dates = {each.key: named for each, named in earlier}
    read = {
        one.person.id: (one.person, one.history, dates_read(plan, _with_earlier(one.history, dates)))
        for one in store.loading.histories(ids).values()
    }
    settled = {name for notice in plan.notices for name in in_force(plan, notice)}
    wrong = {
        person: [name for name in known if name not in settled and _is_wrong(name, known[name], plan)]
        for person, (_person, _history, known) in read.items()
    }
    names = sorted({name for stale in wrong.values() for name in stale})
    if not names:
        return NO_CORRECTION
    old = {name: max(_day(known[name]) for *_, known in read.values() if name in known) for name in names}
    notice = notice_of(plan, old, now)
    told = _told(campaigns, mine, notice, read, wrong, dates, now)
    return Correction(told, notice, dates) if told else NO_CORRECTION


def notice_of(plan: Plan, old: Mapping[str, dt.date], now: dt.datetime) -> Notice:
    """The message that puts these dates right. It is open until no one can be waiting for one of them any more."""
    new = {name: plan.milestones[name].date for name in old}
    return Notice.model_validate(
        {
            "id": _free_id(plan, new),
            "key_point": _key_point(plan, list(new)),
            "translations": _translated(plan, list(new)),
            "from": (now - DAY).date().isoformat(),
            "until": (max(*old.values(), *new.values(), now.date()) + DAY).isoformat(),
            "cadence": Cadence(every="24h", times=1),
            "template": CORRECTION,
            "follow_up": (),
            "old_dates": old,
            "new_dates": new,
        }
    )


def proposed_text(plan: Plan, names: Iterable[str], moved: Sequence[Moved]) -> str:
    """What the correction says, in the language in use: a line for each milestone."""
    before = {move.name: Milestone(date=move.old, firm=move.old_firm) for move in moved}
    return "\n".join(_line(plan, name, before.get(name)) for name in names)


def _line(plan: Plan, name: str, before: Milestone | None) -> str:
    milestone = plan.milestones[name]
    said = {"title": plan.title, "milestone": _spoken(plan, name), "new": milestone_text(milestone, "en")}
    if before is None:
        text = N_('{milestone} of "{title}" is now {new}.')
    else:
        text, said["old"] = N_('{milestone} of "{title}" is now {new}, not {old}.'), milestone_text(before, "en")
    return f"{_(text, **said)} {milestone.because}".strip()


def _spoken(plan: Plan, name: str) -> str:
    words = plan.milestone_title(name)
    return words[:1].upper() + words[1:]


def _key_point(plan: Plan, names: Sequence[str]) -> str:
    # A text of the catalogs, so that each reads it in their own language.
    said = [_spoken(plan, name).replace("\\", "").replace('"', "”") for name in names]
    if len(names) == 1:
        text = NOW_ON if plan.milestones[names[0]].firm else NOW
        return f'{{{{ _("{text}", name="{said[0]}", date=milestones["{names[0]}"]) }}}}'
    return f'{{{{ _("{NEW_DATES}", names="{", ".join(said)}") }}}}'


def _translated(plan: Plan, names: Sequence[str]) -> dict[str, dict[str, str]]:
    # What a milestone is called stands in the text itself.
    titles = {f"milestones.{name}.title" for name in names} & plan.to_translate
    return {
        language: {"key_point": _key_point(plan.in_language(language), names)}
        for language in plan.translations
        if all(plan.spoken(language).get(title) for title in titles)
    }


def _free_id(plan: Plan, new: Mapping[str, dt.date]) -> str:
    first = next(iter(new))
    wanted = f"moved-{first[:40]}-{new[first].isoformat()}"
    taken = {message.id for message in plan.messages}
    numbered = (f"{wanted}-{number}" for number in count(2))
    return next(name for name in chain([wanted], numbered) if name not in taken)


# -- who was told what ------------------------------------------------------------------------------


def _told(
    campaigns: Campaigns,
    mine: Campaign,
    notice: Notice,
    read: Mapping[str, tuple[Person, History, Mapping[str, str]]],
    wrong: Mapping[str, Sequence[str]],
    earlier: Mapping[str, str],
    now: dt.datetime,
) -> tuple[OldDates, ...]:
    trial = replace(mine, plan=mine.plan.with_notices((*mine.plan.notices, notice)))
    found = []
    for person, stale in sorted(wrong.items()):
        someone, history, _known = read[person]
        if stale and not someone.has_left(now.date()) and role_of(mine.plan, someone) is not None:
            known = _with_earlier(history, earlier)
            reachable = _reachable(replace(campaigns, running=(trial,)), someone, known, notice, now)
            kept = dates_read(mine.plan, history)
            by_plan = any(name not in kept for name in stale)
            found.append(OldDates(person, someone.email, tuple(sorted(stale)), reachable, by_plan))
    return tuple(found)


def _reachable(campaigns: Campaigns, person: Person, history: History, notice: Notice, now: dt.datetime) -> bool:
    sequences, _reasons = sequences_of(campaigns, person, history)
    sequence = next((each for each in sequences if each.message.id == notice.id), None)
    return sequence is not None and bool(sequence.channels) and sequence.over(now) is None and now < sequence.closes


def _is_wrong(name: str, date: str, plan: Plan) -> bool:
    return name in plan.milestones and not holds(date, plan.milestones[name])


def _day(date: str) -> dt.date:
    return dt.date.fromisoformat(date)


def _with_earlier(history: History, dates: Mapping[str, str]) -> History:
    if not any(row.key in dates for row in history.rows):
        return history
    rows = (replace(row, named=dates[row.key]) if row.key in dates else row for row in history.rows)
    return replace(history, rows=tuple(rows))


def _earlier_dates(store: Store, plan: Plan) -> list[tuple[SentText, str]]:
    by_text: dict[tuple[int, str], str] = {}
    texts = store.touches.texts_without_dates(plan.campaign)
    for each in texts:
        about = (each.version, each.message)
        if about not in by_text:
            by_text[about] = _dates_named(store.campaigns.version(plan.campaign, each.version), each.message)
    return [(each, by_text[each.version, each.message]) for each in texts]


def _dates_named(record: CampaignRecord | None, message: str) -> str:
    if record is None or message not in {each.id for each in record.plan.messages}:
        return ""
    milestones = record.plan.milestones
    names = milestones_mentioned(record.plan, record.plan.message(message), record.templates)
    return str(Told(dates={name: as_told(milestones[name]) for name in sorted(names) if name in milestones}))
