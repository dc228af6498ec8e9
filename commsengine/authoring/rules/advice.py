"""Advice on a sound plan: what makes people remember and answer.

Nothing here keeps a plan from being applied.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from commsengine.authoring.draft import Draft, planned
from commsengine.authoring.yaml_parser import YamlPath
from commsengine.cadence.plan import ANGLES, Message, Plan, Wiifm
from commsengine.errors import Problem
from commsengine.text import listed
from commsengine.translation import N_, _, counted

FEWEST, MOST = 5, 8
CARD_WORDS = 80

_PERSONAL = re.compile(
    r"\byour (?:jobs?|work|day|days|role|tasks?|team|desk|hours|pay|skills|routine)\b"
    r"|\byou (?:will|no longer|log|do|get|need|learn|have to|must)\b",
    re.IGNORECASE,
)
_BUSINESS = re.compile(
    r"\b(?:revenue|costs?|orders|profits?|markets?|margins?|competitors?|strategy|growth|investors?|budget|business)\b",
    re.IGNORECASE,
)

_BEFORE_A_DATE = r"\b(on|by|at|until|before|after|from|since) +\{\{ *milestones\.(%s)\b"

_OWN_WORDS = N_("Write its 'text' as a list, whose texts take turns, or give the message a 'wiifm' of its own.")

_ASK = N_("Add a message with 'ask: input' before anything is designed: people support what they helped to shape.")


def roles_have_texts(draft: Draft) -> Iterator[Problem]:
    addressed = {role for message in draft.plan.messages for role in draft.roles_of(message)}
    for role in draft.plan.audience.roles:
        if role not in addressed:
            continue
        texts = [draft.plan.wiifm_for(m, role) for m in draft.plan.messages if role in draft.roles_of(m)]
        missing = [angle for angle in ANGLES if not all(getattr(wiifm, angle) for wiifm in texts)]
        yield from _missing_texts(draft, role, missing)


def _missing_texts(draft: Draft, role: str, missing: list[str]) -> Iterator[Problem]:
    path: YamlPath = ("wiifm", role) if role in draft.plan.wiifm else ("audience", "roles", role)
    if len(missing) == len(ANGLES):
        fix = _("Write 'wiifm: {{{role}: {{why: …, your_job: …}}}}': what is in it for them.", role=role)
        yield draft.advice(path, "no_wiifm", _("The role '{role}' has no text of its own.", role=role), fix)
        return
    if "why" in missing:
        cause = _("'{role}' is not told why this happens.", role=role)
        yield draft.advice(path, "no_why", cause, _("Write 'why': people accept what they understand."))
    rest = [angle for angle in missing if angle != "why"]
    if rest:
        cause = _("'{role}' is not told everything it needs: {keys} missing.", role=role, keys=listed(rest, "and"))
        yield draft.advice(path, "wiifm_gap", cause, _("A sentence each is enough."))


def senders_fit(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        said = " ".join([message.subject, message.key_point, *message.text])
        personal, business = bool(_PERSONAL.search(said)), bool(_BUSINESS.search(said))
        if message.sender == "sponsor" and personal and not business:
            cause = _("The sponsor sends '{message}', which is about people's own work.", message=message.id)
            yield draft.advice(
                (*path, "sender"),
                "wrong_sender",
                cause,
                _("Write 'sender: manager': people want to hear that from their manager."),
            )
        if message.sender == "manager" and business and not personal:
            cause = _("The manager sends '{message}', which is about business reasons.", message=message.id)
            yield draft.advice(
                (*path, "sender"),
                "wrong_sender",
                cause,
                _("Write 'sender: sponsor': people want to hear those from the sponsor."),
            )


def key_points_repeat(draft: Draft) -> Iterator[Problem]:
    # Five to eight times over all messages that carry the same key point; heads-ups and questions may be fewer.
    points: dict[str, list[tuple[YamlPath, Message, int]]] = defaultdict(list)
    for path, message in draft.messages():
        count = planned(draft, message)
        if count is not None:
            points[" ".join(message.key_point.casefold().split())].append((path, message, count))
    for carriers in points.values():
        yield from _repeats(draft, carriers)


def _repeats(draft: Draft, carriers: list[tuple[YamlPath, Message, int]]) -> Iterator[Problem]:
    path, message, _count = carriers[0]
    total = sum(count for _path, _message, count in carriers)
    below: YamlPath = ("cadence", "times") if message.cadence.times else ("cadence",)
    fix = _("Write {fewest} to {most} times.", fewest=FEWEST, most=MOST)
    if total > MOST:
        planned_often = N_("'{message}' is planned {total} times; after {most} people stop listening.")
        cause = _(planned_often, message=message.id, total=total, most=MOST)
        yield draft.advice((*path, *below), "many_repeats", cause, fix)
    if 0 < total < FEWEST and any(each.ask in ("acknowledge", "check", "commit") for _path, each, _count in carriers):
        times = counted(total, "time", "times")
        cause = _("'{message}' is planned {times}. That is too few to be remembered.", message=message.id, times=times)
        yield draft.advice((*path, *below), "few_repeats", cause, fix)


def repeats_differ(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        if message.cadence.recall_floor is None and (planned(draft, message) or 0) < 2:
            continue
        roles = draft.roles_of(message)
        words = {role: _own_words(message, role) or _of_plan(draft.plan, role) for role in roles}
        # What is written for a role that gets one message alone is written for this message.
        several = [role for role in roles if sum(role in draft.roles_of(each) for each in draft.plan.messages) > 1]
        if same := [role for role in roles if words[role] < 2]:
            cause = N_("'{message}' says the same to {roles} each time after the first.")
            yield draft.advice((*path, "id"), "same_text", _told_to(cause, message, same), _(_OWN_WORDS))
        if strange := [role for role in several if not _own_words(message, role) and role not in same]:
            cause = N_("'{message}' has no words of its own for {roles} after the first time, only those of the plan.")
            yield draft.advice((*path, "id"), "no_own_words", _told_to(cause, message, strange), _(_OWN_WORDS))


def _told_to(cause: str, message: Message, roles: list[str]) -> str:
    return _(cause, message=message.id, roles=listed(roles, "and"))


def _own_words(message: Message, role: str) -> int:
    """How many sides the message itself has to say to a role."""
    return len(message.text) + len(_angles(message.wiifm.get(role)))


def _of_plan(plan: Plan, role: str) -> int:
    return len(_angles(plan.wiifm.get(role)))


def _angles(wiifm: Wiifm | None) -> list[str]:
    return [angle for angle in ANGLES if wiifm and getattr(wiifm, angle)]


def people_are_asked(draft: Draft) -> Iterator[Problem]:
    first = next(iter(draft.plan.phases.items()), None)
    asking = [message for message in draft.plan.messages if message.ask == "input"]
    if first is None and not asking:
        yield draft.advice(("messages",), "no_input", _("The plan does not ask people for input."), _(_ASK))
    if first is not None:
        ends = draft.instant(first[1].until)
        early = [opens for message in asking if (opens := draft.instant(message.opens))]
        if ends and not any(opens < ends for opens in early):
            cause = _("The first phase, '{phase}', does not ask people for input.", phase=first[0])
            yield draft.advice(("phases", first[0]), "no_input", cause, _(_ASK))


def cards_are_short(draft: Draft) -> Iterator[Problem]:
    # The first touch is the longest: the author's own text, why, and what changes for the person.
    for path, message in draft.messages():
        text = message.text[0] if message.text else ""
        longest = max([_first_touch(draft, message, role) for role in draft.roles_of(message)], default=0)
        question = message.input.question if message.input and message.ask == "input" else ""
        words = longest + sum(len(part.split()) for part in (message.key_point, text, question))
        if words > CARD_WORDS:
            too_long = N_("'{message}' has about {words} words; people only skim a card of more than {most}.")
            cause = _(too_long, message=message.id, words=words, most=CARD_WORDS)
            yield draft.advice((*path, "id"), "long_text", cause, _("Shorten it, and link to the rest."))


def _first_touch(draft: Draft, message: Message, role: str) -> int:
    wiifm = draft.plan.wiifm_for(message, role)
    return len(wiifm.why.split()) + len(wiifm.your_job.split())


def questions_are_asked(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        if message.input and message.ask != "input":
            unseen = N_("'{message}' has an 'input' question but 'ask: {ask}', so people do not see it.")
            cause = _(unseen, message=message.id, ask=message.ask)
            yield draft.advice((*path, "input"), "unasked", cause, _("Write 'ask: input', or take it out."))


def commitments_have_a_day(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        fix = _("Write 'commit: {text: …, by: …}': on that day they are asked once whether it is done.")
        if message.commit and message.ask != "commit":
            cause = N_("'{message}' has a 'commit' but 'ask: {ask}', so people are not asked to commit.")
            cause = _(cause, message=message.id, ask=message.ask)
            yield draft.advice((*path, "commit"), "unasked", cause, _("Write 'ask: commit', or take it out."))
        elif message.ask == "commit" and not message.commit:
            cause = _("'{message}' asks people to commit, but not to what.", message=message.id)
            yield draft.advice((*path, "ask"), "no_commitment", cause, fix)
        elif message.ask == "commit" and message.asks_on is None:
            cause = _("'{message}' asks people to commit, but never whether they did it.", message=message.id)
            yield draft.advice((*path, "commit"), "commitment_without_day", cause, fix)


def gates_hold_something(draft: Draft) -> Iterator[Problem]:
    ends = {name: draft.instant(phase.until) for name, phase in draft.plan.phases.items() if phase.gate}
    opens = [opens for _path, message in draft.messages() if (opens := draft.instant(message.opens))]
    for name, end in ends.items():
        if end is not None and not any(each >= end for each in opens):
            cause = _("No message begins after the gate of '{phase}'.", phase=name)
            fix = _("A gate holds back messages whose 'from' is at the end of the phase or later.")
            yield draft.advice(("phases", name, "gate"), "idle_gate", cause, fix)


def corrections_silence(draft: Draft) -> Iterator[Problem]:
    for path, message in draft.messages():
        if message.corrects in draft.message_ids:
            silenced = N_("'{message}' corrects '{wrong}': after 'apply', '{wrong}' is not sent any more.")
            cause = _(silenced, message=message.id, wrong=message.corrects)
            fix = _("If it was not wrong and should go on, take 'corrects' out.")
            yield draft.advice((*path, "corrects"), "corrected", cause, fix)


def planned_weeks_read_well(draft: Draft) -> Iterator[Problem]:
    # 'on planned for the week of …' is no sentence
    weeks = [name for name, milestone in draft.plan.milestones.items() if not milestone.firm]
    before = re.compile(_BEFORE_A_DATE % "|".join(weeks)) if weeks else None
    for path, text in _texts(draft) if before else ():
        if before and (found := before.search(text)):
            cause = N_("'{milestone}' is not firm, so this reads '{word} planned for the week of …'.")
            fix = N_("Leave '{word}' out, for example: Go-live is {{{{ milestones.{milestone} }}}}.")
            about = {"word": found[1], "milestone": found[2]}
            yield draft.advice(path, "planned_week", _(cause, **about), _(fix, **about))


def _texts(draft: Draft) -> Iterator[tuple[YamlPath, str]]:
    for role, wiifm in draft.plan.wiifm.items():
        yield from ((("wiifm", role, angle), getattr(wiifm, angle)) for angle in ANGLES)
    for path, message in draft.messages():
        yield from (((*path, key), getattr(message, key)) for key in ("key_point", "subject"))
        yield from (((*path, "text", place), text) for place, text in enumerate(message.text))


RULES = (
    planned_weeks_read_well,
    roles_have_texts,
    senders_fit,
    key_points_repeat,
    repeats_differ,
    people_are_asked,
    cards_are_short,
    questions_are_asked,
    commitments_have_a_day,
    gates_hold_something,
    corrections_silence,
)
