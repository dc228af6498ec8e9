"""What a template can see: the plan's words for one message and role, in one language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

from commsengine.cadence.calendar import local_date_in
from commsengine.cadence.history import Briefing, Touch
from commsengine.cadence.kinds_and_states import ASKED_FOR, Asked, Carrier, TouchKind
from commsengine.cadence.people import Person
from commsengine.cadence.plan import ANGLES, Cadence, Message, Plan, Workspace
from commsengine.cadence.repeats import WITHOUT_RECALL
from commsengine.cadence.told import NOTHING, Told, is_week
from commsengine.content.grammar import answer_slot
from commsengine.content.phrases import day_text, milestone_text, often, told_text
from commsengine.content.plan_texts import Texts
from commsengine.content.recipe import Recipe
from commsengine.content.slots import Prose, Slot, clean, mark
from commsengine.content.templates import Text
from commsengine.content.texts_by_touch import TITLES, UNCLEAR, is_text, variant
from commsengine.translation import N_, _, direction

WrittenAs = TouchKind | Literal["correction"]

_GRACE = dt.timedelta(days=30)
"""How long after the campaign's last day a link still opens its page."""

_LISTS = (
    "points",
    "key_points",
    "asks",
    "figures",
    "moved",
    "calls",
    "questions",
    "answers",
    "parts",
    "replies",
    "held",
)
_ANSWER = ("answer", "ending", "given", "others", "promised", "question")
_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys((*_ANSWER, "commit", "corrected", "headline", "input", "key_point", "to_do", "tried"), ""),
    **{name: [] for name in _LISTS},
    "wiifm": dict.fromkeys(ANGLES, ""),
    "page": True,
    "briefing": {"day": "", "past": False, "only": False, "same": False, "named": False, "asks_first": False},
}
"""Names that have nothing to say in most messages."""


BEFORE = N_("We told you before: {before} This is no longer true.")
FIRM = N_("We told you {name} would be on {before}."), N_("It is now on {now}.")
PLANNED = N_("We told you {name} was {before}."), N_("It is now {now}.")
"""What was said, and what holds now, as the template of a correction has it: for a day, and for a week."""


AS_A_ROLE = N_('You get this as "{role}" in {campaign}, which {name} leads.')
FOR_THEIR_PEOPLE = N_("You get this because people who report to you get it, in {campaign}, which {name} leads.")


class Setting:
    """The plan, with its texts in ``language``, and the workspace as templates see them."""

    def __init__(self, plan: Plan, workspace: Workspace, language: str) -> None:
        self._plan = plan
        self._workspace = workspace
        self.language = language

    def day(self, at: dt.datetime, person: Person) -> str:
        return day_text(local_date_in(person.time_zone or self._plan.send.time_zone, at), self.language)

    def of_plan(self, slots: Mapping[str, Any]) -> dict[str, Any]:
        # Slots, so that a finished text knows which of them stand in it.
        milestones = {name.partition(".")[2]: Slot(name, date) for name, date in self.dates.items()}
        return {**slots, "milestones": milestones, "campaign": {"id": self._plan.campaign, "title": self._plan.title}}

    @cached_property
    def dates(self) -> Mapping[str, str]:
        """The milestones as people read them, by the name a template uses."""
        milestones = self._plan.milestones
        return {f"milestones.{name}": milestone_text(one, self.language) for name, one in milestones.items()}

    def moved(self, told: Told, texts: Texts, base: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
        """What the person has read of milestones, what holds now, and why it has changed."""
        if told.message:  # those dates stood in a message that was wrong
            return []
        milestones = self._plan.milestones
        return [
            {
                "name": self._plan.milestone_title(name),
                "before": told_text(date, language),
                "before_planned": is_week(date),
                "now": base["milestones"][name],
                "now_planned": not milestones[name].firm,
                "because": line(because, base) if (because := texts.at(("milestones", name, "because"))) else "",
            }
            for name, date in told.dates.items()
            if name in milestones
        ]

    def told(self, told: Told, recipe: Recipe, texts: Texts, base: Mapping[str, Any], language: str) -> list[str]:
        """The same in sentences, for a page; a wrong message before dates that have moved."""
        quoted = recipe.texts.get("corrected")
        said = [_(BEFORE, before=mark(line(quoted, self._as_then(base, told, language))))] if quoted else []
        for move in self.moved(told, texts, base, language):
            before, now = (PLANNED if move[part + "_planned"] else FIRM for part in ("before", "now"))
            given = {name: mark(move[name]) for name in ("name", "before", "now")}
            said += [f"{_(before[0], **given)} {_(now[1], **given)} {move['because']}".strip()]
        return said

    def _as_then(self, base: Mapping[str, Any], told: Told, language: str) -> dict[str, Any]:
        # A wrong message is quoted with the dates that stood in it, and a quotation tells no date.
        now = {name: str(date) for name, date in base["milestones"].items()}
        then = {name: told_text(date, language) for name, date in told.dates.items()}
        return {**base, "milestones": now | then}

    def of_message(
        self,
        recipe: Recipe,
        message: Message,
        role: str,
        language: str,
        slots: Mapping[str, Any],
        told: Told = NOTHING,
    ) -> dict[str, Any]:
        base = self.of_plan(slots)
        quoted = {"corrected": self._as_then(base, told, language)}
        # Where the check only comes along, its answers stand with its question alone.
        own_answers = [] if recipe.along else _seen_answers(recipe, base)
        return {
            **_EMPTY,
            **base,
            **{name: line(text, quoted.get(name, base)) for name, text in recipe.texts.items()},
            "text": "",
            "choices": [line(choice, base) for choice in recipe.choices] or own_answers,
            "reply_by": _("{days} working days", days=message.input.reply_by) if message.input else "",
            "role": self._plan.audience.title(role),
            "input": message.input.kind if message.ask == "input" and message.input else "",
            "ask": message.ask,
            "language": language,
            "direction": Prose(direction()),
            "start": Prose("right" if direction() == "rtl" else "left"),
            "once": self._cadence(message).times == 1,
            "often": often(self._cadence(message), on_trial=self._plan.experiment is not None),
            "to_do": self._awaited(message),
            "is_called": any(rung.do == "personal" for rung in self._plan.ladder(message)),
            "several_leads": len(self._plan.owner) > 1,
            "manager_sees": any(rung.do == "personal" and rung.by == "manager" for rung in self._plan.ladder(message)),
        }

    def why_me(self, touch: Touch, person: Person, lead: Person, *, manager: bool) -> Iterator[str]:
        """Why somebody gets a touch, who sees what they answer, and when it is sent again: a sentence each."""
        plan, message = self._plan, self._plan.message(touch.message)
        name, only = lead.first_name, bool(touch.briefing and touch.briefing.only)
        about = {"role": plan.audience.title(touch.role), "campaign": plan.title, "name": lead.name or lead.email}
        yield _(FOR_THEIR_PEOPLE if only else AS_A_ROLE, **about)
        if only or message.ask == "nothing":
            yield _("No answer is needed.")
        elif message.ask in ASKED_FOR or touch.kind == "commitment":
            yield _("{name} reads your answer with your name.", name=name)
        else:
            yield _("{name} sees whether you answered.", name=name)
        if only or touch.kind == "commitment":
            yield _("This is sent once.")
        else:
            yield from self._if_silent(message, name, manager=manager) if message.ask != "nothing" else ()
            yield from self._ends(message, name)
            yield often(self._cadence(message), on_trial=plan.experiment is not None)
        if touch.again_at:
            yield _("Next time: {day}.", day=self.day(touch.again_at, person))
        yield _("We do not track whether you open a message.")

    def _if_silent(self, message: Message, lead: str, *, manager: bool) -> Iterator[str]:
        calls = [rung.by for rung in self._plan.ladder(message) if rung.do == "personal"]
        if manager and "manager" in calls:
            text = N_("If you do not answer, your manager is asked to talk to you; {name} reads the result.")
            yield _(text, name=lead)
        elif calls:
            yield _("If you do not answer, {name} may call you.", name=lead)

    def _ends(self, message: Message, lead: str) -> Iterator[str]:
        if done := self._awaited(message):
            text = N_("You get this until it is recorded that you have done it: {outcome}. {name} sees that, too.")
            yield _(text, outcome=done, name=lead)

    def _awaited(self, message: Message) -> str:
        planned = self._plan.outcomes.get(self._plan.until_done.get(message.id, ""))
        return planned.title if planned else ""

    def _cadence(self, message: Message) -> Cadence:
        off = self._workspace.recall == "off" and message.cadence.every is None
        return Cadence(every=f"{WITHOUT_RECALL // 60}h", times=message.cadence.times) if off else message.cadence

    def of_touch(
        self,
        recipe: Recipe,
        context: Mapping[str, Any],
        number: int,
        kind: WrittenAs,
        channel: Carrier,
        asked: Asked | None,
    ) -> dict[str, Any]:
        base = self.of_plan(context)
        written = recipe.written
        points = [
            {"angle": side, "title": Prose(_(TITLES.get(side, ""))), "text": prose(written[side], base)}
            for side in recipe.said(number)
        ]
        texts = [text for side, text in recipe.own.items() if is_text(side)]
        text = prose(texts[(number - 1) % len(texts)], base) if texts else ""
        asks, unclear = (asked or "recall") if recipe.along else "", UNCLEAR in recipe.own
        touch = {"number": number, "variant": variant(number), "kind": kind, "unclear": unclear, "asks": asks}
        return {**context, "channel": channel, "touch": touch, "text": text, "points": points}

    def of_briefing(self, briefing: Briefing, person: Person, at: dt.datetime) -> dict[str, Any]:
        return {"day": self.day(briefing.at, person), "past": briefing.at <= at, "only": briefing.only}

    def of_question(self, recipe: Recipe, context: Mapping[str, Any]) -> dict[str, Any]:
        # The check comes with a message that asks for something else.
        base = self.of_plan(context)
        question = line(recipe.question, base) if recipe.question else ""
        return {**context, "question": question, "choices": _seen_answers(recipe, base)}


def links_end(plan: Plan) -> dt.datetime:
    """The last day of a campaign and a grace of 30 days, in UTC: until then its links open their pages."""
    ends = []
    for message in plan.messages:
        moment = message.closes
        day = moment.date or plan.milestones[moment.milestone].date
        # Working days stretch over weekends and holidays; links may live longer, never shorter.
        ends.append(day + dt.timedelta(days=moment.offset * (2 if moment.working and moment.offset > 0 else 1)))
    return dt.datetime.combine(max(ends), dt.time(), dt.UTC) + _GRACE


def _seen_answers(recipe: Recipe, base: Mapping[str, Any]) -> list[Slot]:
    # Each person sees the answers in an order of their own, so they are gaps here.
    return [Slot(answer_slot(place), clean(line(text, base))) for place, text in enumerate(recipe.answers)]


def prose(text: Text, base: Mapping[str, Any]) -> Prose:
    return Prose(text.render(base).strip())


def line(text: Text, base: Mapping[str, Any]) -> Prose:
    """One line of Markdown, to stand in a heading, a quote or a list."""
    return Prose(" ".join(text.render(base).split()))
