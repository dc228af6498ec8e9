"""Notices: messages that stand in no plan file. They are written here from a lead's words, checked as a plan's are."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from commsengine.authoring.rules.texts import MOST, MOST_CHARACTERS
from commsengine.authoring.secrets_in_files import leaks
from commsengine.cadence.audience import is_for, role_of
from commsengine.cadence.calendar import DAY, local_date_in
from commsengine.cadence.history import Campaigns, Decision
from commsengine.cadence.kinds_and_states import HUMAN
from commsengine.cadence.plan import Message, Notice, Plan
from commsengine.cadence.translations import canonical, in_reach
from commsengine.content.text_check import check_texts
from commsengine.engine.decisions import Decided, Decisions
from commsengine.engine.directory import sample
from commsengine.errors import InputError, Problem
from commsengine.store.database import chunks
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from commsengine.text import near_names
from commsengine.translation import N_, _, has_catalog

EVERYBODY = "all"
_END = re.compile(r"(?<=[.!?])\s+|\n+")
"""Where the first sentence ends."""

_WRITTEN_AS = {"text": "--text", "subject": "--subject"}


@dataclass(frozen=True, slots=True)
class Words:
    """What a lead says, in which way. ``to`` are roles, none for all of the audience; ``because`` is for the record.

    With ``urgent`` it goes past send windows and the attention budget. ``others`` is the text in other languages.
    """

    text: str
    subject: str = ""
    to: Sequence[str] = ()
    ask: Literal["nothing", "acknowledge"] = "nothing"
    urgent: bool = False
    because: str = ""
    others: Mapping[str, str] = field(default_factory=dict)


def for_today(
    record: CampaignRecord, words: Words, templates: Mapping[str, str], columns: Collection[str], now: dt.datetime
) -> Notice:
    """One message of this day, where each person lives.

    Raises ``InputError`` with everything that is wrong with the words; ``columns`` are those of the people.
    """
    day = local_date_in(record.plan.send.time_zone, now)
    times = {"from": str(day), "until": str(day + DAY), "said_at": now}
    return _checked(record, words, f"now-{day}", times, templates, columns)


def _checked(
    record: CampaignRecord,
    words: Words,
    prefix: str,
    times: Mapping[str, object],
    templates: Mapping[str, str],
    columns: Collection[str],
) -> Notice:
    _refuse_unknown_roles(record.plan, words.to)
    problems = [*_lengths(words), *leaks("--text", words.text), *leaks("--subject", words.subject)]
    others = _others(record.plan, words)
    for said in others.values():
        problems += [*_lengths(Words(said), "--in"), *leaks("--in", said)]
    if problems:
        raise InputError.of(problems)
    key_point, text = _headed(words)
    notice = Notice.model_validate(
        {
            "id": _free_id(record.plan, prefix),
            "to": words.to,
            "key_point": key_point,
            "text": text,
            "ask": words.ask,
            "cadence": {"every": "24h", "times": "1"},
            "priority": "high",
            "template": "notice",
            "follow_up": (),
            "urgent": words.urgent,
            "because": words.because,
            "translations": {language: _said_in(said, text) for language, said in others.items()},
            **times,
        }
    )
    _refuse_flaws(record.plan, notice, words, templates, columns)
    return notice


def _others(plan: Plan, words: Words) -> dict[str, str]:
    """The text in other languages, by their codes. Raises ``InputError`` for one that no one could read."""
    found = {}
    for code, text in words.others.items():
        language = canonical(code)
        if not in_reach(plan.translations, language).get("title") or not has_catalog(language):
            known = ", ".join(plan.translations) or _("none")
            cause = _(
                "{campaign} has no texts in '{code}', so it is not sent in that language.",
                campaign=plan.campaign,
                code=code,
            )
            raise InputError(cause, _("Its other languages: {languages}.", languages=known))
        found[language] = text
    return found


def _said_in(said: str, text: str) -> dict[str, str]:
    # of the same parts as in the plan's language: a heading and, where that has one, a text below it
    heading, rest = _headed(Words(said))
    return {"key_point": heading, "text": rest or said.strip()} if text else {"key_point": " ".join(said.split())}


def _headed(words: Words) -> tuple[str, str]:
    # without a subject, the first sentence stands above the others
    if words.subject.strip():
        return words.subject.strip(), words.text.strip()
    first, *rest = _END.split(words.text.strip(), maxsplit=1)
    return (first, rest[0] if rest else "") if len(first) <= MOST["subject"] else (first[:99] + "…", words.text.strip())


def _free_id(plan: Plan, prefix: str) -> str:
    taken, number = {message.id for message in plan.messages}, 1
    while f"{prefix}-{number}" in taken:
        number += 1
    return f"{prefix}-{number}"


def _refuse_unknown_roles(plan: Plan, wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in plan.audience.roles:
            near = near_names(name, plan.audience.roles) or list(plan.audience.roles)
            fix = _("Write one of these: {roles}, or all.", roles=", ".join(near))
            raise InputError(
                _("The audience of {campaign} has no role '{role}'.", campaign=plan.campaign, role=name), fix
            )


def _lengths(words: Words, option: str = "") -> list[Problem]:
    problems = []
    for name, most in (("text", MOST_CHARACTERS), ("subject", MOST["subject"])):
        written, place = str(getattr(words, name)), (option or _WRITTEN_AS[name], 0, 0)
        if len(written) > most:
            cause = _("It has {number:,} characters; at most {most:,} fit.", number=len(written), most=most)
            problems.append(Problem(*place, "too_long", cause, _("Shorten it, and link to the rest.")))
    if not words.text.strip():
        problems.append(
            Problem(option or "--text", 0, 0, "empty", _("The message is empty."), _("Write what people should know."))
        )
    if "\n" in words.subject.strip():
        problems.append(Problem("--subject", 0, 0, "line_break", _("It has several lines."), _("Write one.")))
    return problems


def _refuse_flaws(
    plan: Plan, notice: Notice, words: Words, templates: Mapping[str, str], columns: Collection[str]
) -> None:
    alone = plan.model_copy(update={"messages": (notice,)})
    problems = []
    for language in ("", *notice.translations):
        for flaw in check_texts(alone.in_language(language), templates, columns):
            if flaw.path[:1] == ("messages",):
                named = "--subject" if flaw.path[-1] == "key_point" and words.subject else "--text"
                named = f"--in {language}" if language else named
                problems.append(Problem(named, flaw.line, 1, "text", _sentence(flaw.message), _sentence(flaw.fix)))
    if problems:
        raise InputError.of(problems)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) or not text else ".")


# -- who gets it ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipients:
    """Of ``people`` whom it is for, ``now`` get it at once and ``later`` today; ``never`` counts the others by why.

    If not ``exact``, the numbers are scaled up from ``looked_at`` people out of all.
    """

    people: int = 0
    now: int = 0
    later: int = 0
    never: Mapping[str, int] = field(default_factory=dict)
    exact: bool = True
    looked_at: int = 0


def reach(store: Store, decisions: Decisions, record: CampaignRecord, notice: Notice, now: dt.datetime) -> Recipients:
    """What ``decide`` would say about it for everybody, at this moment."""
    campaigns = _with_notice(decisions.campaigns(now), record.id, notice)
    plan, some = record.plan, sample(store)
    counts, never = Counter[str](), Counter[str]()
    for ids in chunks(some.ids):
        for one in decisions.of(ids, campaigns, now):
            role = role_of(plan, one.person)
            if role is not None and is_for(notice, role) and not _outside(plan, one, now.date()):
                found = _when(one.decision, record.id, notice)
                counts.update(people=1, **({found: 1} if found in ("now", "later") else {}))
                never.update([] if found in ("now", "later") else [found])
    scaled = {name: some.scaled(counts[name]) for name in ("people", "now", "later")}
    unreached = {reason: some.scaled(count) for reason, count in never.most_common()}
    return Recipients(**scaled, never=unreached, exact=some.exact, looked_at=len(some.ids))


def _outside(plan: Plan, one: Decided, day: dt.date) -> bool:
    return bool(plan.audience.people and plan.campaign not in one.history.rosters) or one.person.has_left(day)


def _with_notice(campaigns: Campaigns, campaign: str, notice: Notice) -> Campaigns:
    running = (
        replace(each, plan=each.plan.with_notices((*each.plan.notices, notice))) if each.id == campaign else each
        for each in campaigns.running
    )
    return replace(campaigns, running=tuple(running))


def _when(decision: Decision, campaign: str, message: Message) -> str:
    """``now``, ``later``, or why never."""
    about = (campaign, message.id)
    touches = [touch for touch in decision.touches if (touch.campaign, touch.message) == about]
    if any(touch.channel != HUMAN and not touch.skip for touch in touches):
        return "now"
    reasons = [reason for reason in decision.reasons if (reason.campaign, reason.message) == about]
    if any(reason.next_at for reason in reasons):
        return "later"
    return next((reason.words for reason in reasons if reason.code not in ("closed", "no_room")), NOT_TODAY)


NOT_TODAY = N_(
    "They get no more messages today: it is outside their sending hours, or they have got as "
    "many as one person may get."
)


def as_data(notice: Notice, record: CampaignRecord, seen: Recipients) -> dict[str, Any]:
    """By documented names (docs/commands.md)."""
    return {
        "campaign": record.id,
        "message": notice.id,
        "to": list(notice.to or record.plan.audience.roles),
        "subject": notice.key_point,
        "text": "\n\n".join(notice.text),
        "in": {language: "\n\n".join(texts.values()) for language, texts in notice.translations.items()},
        "ask": notice.ask,
        "past_limits": notice.urgent,
        "because": notice.because,
        "people": seen.people,
        "now": seen.now,
        "later_today": seen.later,
        "not_today": {_(reason): count for reason, count in seen.never.items()},
        "exact": seen.exact,
    }
