"""A touch made into what a person will see: rendered once for all who get the same words, filled in for each.

Steps
1. The recipe: which texts, template and layouts this message takes for this role.
2. The sheet: subject, HTML, text or blocks with gaps. Kept under everything that decides its words.
3. The message: the sheet's gaps filled with this person's values, each escaped for where it stands.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial, wraps
from textwrap import shorten
from typing import Any, TypeVar, cast

from commsengine.cadence.check_questions import answer_id, asks_of, offered_turn, order_of, telling, turn_of
from commsengine.cadence.dialogue import about
from commsengine.cadence.history import PublicReply, Touch
from commsengine.cadence.kinds_and_states import REPEATED, Asked, AskKind, ChannelName, channel_of
from commsengine.cadence.people import Person
from commsengine.cadence.plan import ANGLES, Plan, Workspace
from commsengine.cadence.plan import Message as PlanMessage
from commsengine.cadence.told import NOTHING, Told, as_told, told_of
from commsengine.cadence.translations import language_for, wider
from commsengine.content.digest_facts import DigestFacts, ReviewFacts, calls_headline
from commsengine.content.grammar import answer_id_slot, answer_slot
from commsengine.content.markdown import Tokens, read, to_plain
from commsengine.content.message import RenderedMessage
from commsengine.content.person_values import Signers, TextValues
from commsengine.content.phrases import day_text, headed
from commsengine.content.recipe import (
    ASKING,
    HEARD,
    LINE,
    Library,
    Recipe,
    check_texts,
    recipe_for,
    required_by,
    template_of,
)
from commsengine.content.sheet import KEPT, Parts, Sheet, message_of, write
from commsengine.content.slots import PLAIN, Prose, Skeleton, clean, mark, slotted
from commsengine.content.talking_points import Part, TalkingPoints, parts_of
from commsengine.content.template_values import Setting, WrittenAs, line, links_end
from commsengine.content.templates import Text
from commsengine.errors import RenderError
from commsengine.links import Links
from commsengine.translation import ENGLISH, N_, _, in_language

MOST_SHEETS = 2_000
FOR_GOOD = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
PREFIX = {
    "remind": N_("Reminder: {subject}"),
    "correction": N_("Correction: {subject}"),
    "commitment": N_("Is it done? {subject}"),
    "briefing": N_("Before your people get it: {subject}"),
}
BRIEFING = "briefing"
"""The template of what managers get first."""

OBJECTED = N_("Answer to your objection")
ANSWERED: Mapping[AskKind, str] = {
    "question": N_("Answer to your question: {question}"),
    "input": N_("What comes of your answer: {question}"),
}
OWN_LINKS = ("answer", "heard", "mine")
LONGEST_REPLY = 600
"""Characters of a reply at the head of a message; the page has it whole."""

About = tuple[Any, ...]

M = TypeVar("M", bound=Callable[..., Any])


def _in_their_language(language: Callable[..., str], *, look: bool = True) -> Callable[[M], M]:
    """All of it is in one language, which is asked for with what the method is given; errors are in the caller's.

    ``look`` is that of ``in_language``.
    """

    def wrapped(method: M) -> M:
        @wraps(method)
        def written(renderer: Renderer, *given: Any, **named: Any) -> Any:
            spoken = language(renderer, *given, **named)
            writer = renderer.in_language(spoken)
            try:
                with in_language(spoken, look=look):
                    return method(writer, *given, **named)
            except RenderError:
                method(writer, *given, **named)  # raises the same in the words of the caller
                raise

        return cast(M, written)

    return wrapped


def _of_touch(renderer: Renderer, touch: Touch, person: Person, *_given: Any, **_named: Any) -> str:
    if touch.briefing is None:
        return renderer.language(person, touch.message, touch.role)
    return renderer.language(person, touch.message, touch.role, touch.briefing.role)


def _of_talk(
    renderer: Renderer, messages: str | Sequence[str], role: str, person: Person, *_given: Any, **_named: Any
) -> str:
    return renderer.language_about([messages] if isinstance(messages, str) else messages, (role,), person)


def _of_service(
    renderer: Renderer,
    _template: str,
    _key: str,
    person: Person,
    *_given: Any,
    message: str = "",
    role: str = "",
    **_named: Any,
) -> str:
    return renderer.language(person, message, role)


def _of_page(
    renderer: Renderer, message_id: str, role: str, _number: int, person: Person, *_given: Any, **_named: Any
) -> str:
    return renderer.language(person, message_id, role)


def _of_all(renderer: Renderer, person: Person, *_given: Any, **_named: Any) -> str:
    return renderer.language_of_all(person)


class Renderer:
    """Writes the messages of one plan version. Threads may share it: a sheet is only ever added, or all are dropped."""

    def __init__(
        self, plan: Plan, templates: Mapping[str, str], links: Links, workspace: Workspace, only: str = ""
    ) -> None:
        """With ``only`` everything is in that language, whoever reads it."""
        self.plan = plan
        self._links = links
        self._expires = links_end(plan)
        self._given = (templates, links, workspace)
        self._only, self._own = only, plan.language or workspace.language
        self.words = plan.in_language(only) if only else plan  # for its texts; all else is the same in any language
        self._setting = Setting(self.words, workspace, only or self._own)
        self._library = Library(self.words, templates)
        self._messages = {message.id: message for message in plan.messages}
        self._more = {message.id: message.link for message in self.words.messages}
        self._recipes: dict[tuple[Any, ...], Recipe] = {}
        self._sheets: dict[tuple[Any, ...], Sheet] = {}
        self._writers: dict[str, Renderer] = {}
        self._spoken: dict[tuple[Any, ...], str] = {}

    # -- in whose language ------------------------------------------------------------------------

    def in_language(self, language: str) -> Renderer:
        """The one that writes everything in that language."""
        if self._only:
            return self
        if language not in self._writers:
            self._writers[language] = Renderer(self.plan, *self._given, only=language)
        return self._writers[language]

    def language(self, person: Person, message: str = "", *roles: str) -> str:
        """The language in which this person reads a message as one of these roles, or what only names the campaign."""
        return self._only or self._known(person, "messages", (message,) if message else (), roles)

    def language_about(self, messages: Sequence[str], roles: Collection[str], person: Person) -> str:
        return self._only or self._known(person, "messages", tuple(messages), tuple(roles))

    @property
    def written_in(self) -> str:
        """Its one language; of the one for everybody that of the plan."""
        return self._setting.language

    def about(self, reply: PublicReply) -> str:
        """What a reply is about where the lead gave no words for it; empty where that is not known in this language."""
        name = f"messages.{reply.message}.key_point"
        known = self.words is self.plan or name in self.plan.spoken(self.written_in)
        return about(self.words, reply) if known else ""

    def language_of_all(self, person: Person) -> str:
        """That of what tells about all of the campaign."""
        return self._only or self._known(person, "all")

    def language_of_dates(self, person: Person) -> str:
        """That of the calendar of its milestones."""
        return self._only or self._known(person, "dates")

    def _known(self, person: Person, *about: Any) -> str:
        key = (person.language, *about)
        if key not in self._spoken:
            translations = {code: self.plan.spoken(code) for code in wider(person.language)}
            self._spoken[key] = language_for(person.language, self._own, translations, self._needed(*about))
        return self._spoken[key]

    def _needed(self, what: str, *about: Any) -> Collection[str]:
        if what == "messages":
            return self.plan.texts_with(*about)
        names = self.plan.to_translate
        return names if what == "all" else {name for name in names if name.startswith(("title", "milestones."))}

    def page_url(self, purpose: str, key: str, person: Person) -> str:
        """Of the page that this person's link for a purpose (``answer``, ``mine``, ``unsubscribe``) opens."""
        return self._links.url(purpose, key, self._expires, person.revoked)

    def calendar_url(self) -> str:
        """Of the milestones as a calendar, the same for all of a language and for good; empty without any."""
        key = self.plan.campaign if self.words is self.plan else f"{self.plan.campaign} {self._only}"
        return f"{self._links.url('calendar', key, FOR_GOOD)}.ics" if self.plan.milestones else ""

    @_in_their_language(_of_touch, look=False)
    def touch(
        self,
        touch: Touch,
        person: Person,
        signers: Signers,
        replies: tuple[PublicReply, ...] = (),
        *,
        answered: bool = False,
    ) -> RenderedMessage:
        """The finished message of a touch; it opens with ``replies``. Raises ``RenderError`` with the text's place.

        A card has ``blocks`` and a short ``text``, a letter ``html`` and ``text``. A touch that asks a check says
        nothing else until that is ``answered``; then and below the question stands the message.
        """
        message = self._messages[touch.message]
        again = partial(self._setting.day, touch.again_at, person) if touch.again_at else str
        facts = self._facts(touch.key, person, signers, message.sender, again, self._more[message.id])
        if touch.first:
            facts.update(self._calendar)
        facts["manager.adds"] = _line_of(message, signers)
        about = (*_about(touch), answered)
        recipe = self._recipe_of(about, touch, message, answered)
        facts.refuse_missing(recipe.required)
        channel = channel_of(touch.channel)
        sheet = self._sheet(about, recipe, message, touch, channel, facts, replies, answered)
        facts.update(self._answers(sheet, message, touch, facts))
        return message_of(sheet, self.words, facts, channel, touch.due_at)

    def _named(self, sheet: Sheet, recipe: Recipe, facts: TextValues) -> str:
        """The milestones whose dates stand in the finished text, and as what."""
        fixed = sheet.fixed.casefold()
        changed = [name for name in recipe.by_filter if facts[name].casefold() in fixed]
        names = {name.partition(".")[2] for name in {*sheet.names, *changed} if name.startswith("milestones.")}
        milestones = self.plan.milestones
        return str(Told(dates={name: as_told(milestones[name]) for name in sorted(names) if name in milestones}))

    @_in_their_language(_of_talk)
    def talking_points(
        self,
        messages: str | Sequence[str],
        role: str,
        person: Person,
        signers: Signers,
        tried: Sequence[str] = (),
        to_do: Sequence[str] = (),
    ) -> TalkingPoints:
        """What to say in a call or a visit about one or several messages, as plain text.

        ``to_do`` is what they have confirmed and not done yet.
        """
        ids = [messages] if isinstance(messages, str) else messages
        about = [self._messages[name] for name in ids]
        recipes = [self._recipe(each, role, "talking_points", turn_of(each, 1)) for each in about]
        facts, language = self._facts("", person, signers), self._setting.language
        for recipe in recipes:
            facts.refuse_missing(recipe.required)
        slots = facts.slots({name for recipe in recipes for name in recipe.names})
        base = self._setting.of_plan(slots)
        context = {
            **self._setting.of_message(recipes[0], self._messages[ids[0]], role, language, slots),
            "key_points": [line(recipe.texts["key_point"], base) for recipe in recipes],
            "asks": [line(recipe.texts["question"], base) for recipe in recipes if "question" in recipe.texts],
            "wiifm": {**dict.fromkeys(ANGLES, ""), **{a: line(text, base) for a, text in recipes[0].wiifm.items()}},
            "tried": ", ".join(tried),
            "to_do": ", ".join(to_do),
        }
        tokens = read(recipes[0].template.render(context))
        parts = [
            Part(_filled(part.title, facts), tuple(_filled(each, facts) for each in part.lines))
            for part in parts_of(tokens)
        ]
        return TalkingPoints(_filled(to_plain(tokens), facts), tuple(parts))

    @_in_their_language(_of_service)
    def service(
        self,
        template: str,
        key: str,
        person: Person,
        signers: Signers,
        at: dt.datetime,
        *,
        message: str = "",
        role: str = "",
        subject: str = "",
        page: bool = True,
        channel: ChannelName = "email",
        footer: str = "footer",
        opens: str = "",
        **fields: Any,
    ) -> RenderedMessage:
        """Mail that is no touch: ``answer`` (fields question, answer, others, given, ending, promised), ``digest``,
        ``manager_list`` or ``link`` (headline, text).

        ``key`` names its row, ``at`` is its date; ``page`` says whether its links to a touch lead anywhere, ``opens``
        is a link of its own (``links.page``). What is not about a ``message`` needs none of the columns that the
        plan's texts ask for.
        """
        about = self._messages[message] if message else self.plan.messages[0]
        recipe = self._recipe(about, role, template, None).under(self._library.get(footer))
        facts, language = (
            self._facts(key, person, signers, more=self._more[about.id], opens=opens),
            self._setting.language,
        )
        facts.refuse_missing(recipe.required if message else required_by([recipe.template, recipe.footer]))
        context = self._setting.of_message(recipe, about, role, language, facts.slots(recipe.names))
        touch = {"number": 1, "variant": 0, "kind": template, "unclear": False, "asks": False}
        given = {name: slotted(value, facts) for name, value in fields.items()}
        context |= {"page": page, "channel": channel, "touch": touch, "ask": "acknowledge", **given}
        title: str = subject or _subject(context, template)
        if template == "answer":
            answered = ANSWERED["input" if context["given"] == "input" else "question"]
            objected = context["given"] == "objection"
            title = Prose(_(OBJECTED) if objected else _(answered, question=mark(given["question"])))
        sheet = write(self._library, recipe, context, title, "nothing", bool(subject))
        return message_of(sheet, self.words, facts, channel, at)

    @_in_their_language(_of_all)
    def digest(self, lead: Person, facts: DigestFacts, channel: ChannelName = "email") -> RenderedMessage:
        """Its headline is its subject."""
        return self._morning_mail("digest", lead, lead, facts, facts.headline, channel=channel)

    @_in_their_language(_of_all)
    def review(
        self, lead: Person, key: str, said: ReviewFacts, at: dt.datetime, channel: ChannelName, opens: str
    ) -> RenderedMessage:
        """The review of a phase; ``opens`` is the address of its page."""
        title = headed(self.words.title, said.headline)
        parts = [part.fields() for part in said.parts]
        fields: dict[str, Any] = {"headline": said.headline, "text": said.waiting, "parts": parts}
        return self.service(
            "review", key, lead, Signers(lead), at, subject=title, page=False, channel=channel, opens=opens, **fields
        )

    @_in_their_language(_of_all)
    def manager_list(self, manager: Person, lead: Person, facts: DigestFacts, channel: ChannelName) -> RenderedMessage:
        # An answer to it goes to the lead.
        headline = calls_headline(len(facts.calls))
        own = {"channel": channel, "footer": "manager_footer", "headline": headline}
        return self._morning_mail("manager_list", manager, lead, facts, headline, **own)

    def _morning_mail(
        self, template: str, to: Person, lead: Person, facts: DigestFacts, title: str, **own: Any
    ) -> RenderedMessage:
        subject, fields = headed(self.words.title, title), {**facts.fields(), **own}
        return self.service(
            template, facts.key, to, Signers(lead), facts.at, subject=subject, page=False, opens=facts.opens, **fields
        )

    @_in_their_language(_of_page)
    def page(
        self,
        message_id: str,
        role: str,
        number: int,
        person: Person,
        signers: Signers,
        unclear: int | None = None,
        asks: Asked | None = None,
        corrects: str = "",
    ) -> dict[str, Any]:
        """The words of one message for a page, as plain text.

        ``key_point``, what the manager ``adds``, and where there are any ``subject``, ``commit``, ``question`` and
        ``choices``; ``points`` are pairs of side and text, ``said`` the sides of this touch; ``check`` has
        ``question``, ``right``, ``because`` and, in the order of the plan, ``answers``. ``told`` are sentences about
        what the person has read that holds no more. The argument ``unclear`` is the check with the point made again,
        ``corrects`` that of the touch.
        """
        message, told = self._messages[message_id], told_of(corrects)
        turn, template = offered_turn(message, number, asks), template_of(message, "message", corrects=bool(told))
        recipe = self._recipe(message, role, template, turn, unclear, told)
        facts = self._facts("", person, signers, message.sender)
        check, answers = check_texts(message, self._library.texts, turn)
        asked = [*check.values(), *answers]
        facts.refuse_missing((*recipe.required, *required_by(asked)))
        names = {*recipe.names, *(name for text in asked for name in text.uses.names)}
        language = self._setting.language
        base = self._setting.of_plan(facts.slots(names))

        def plain(text: Text) -> str:
            return _filled(to_plain(read(text.render(base))), facts)

        return {
            **{name: plain(text) for name, text in recipe.texts.items()},
            "told": [
                _filled(to_plain(read(text)), facts)
                for text in self._setting.told(told, recipe, self._library.texts, base, language)
            ],
            "adds": _line_of(message, signers),
            "check": {**{name: plain(text) for name, text in check.items()}, "answers": [plain(a) for a in answers]},
            "choices": [plain(choice) for choice in recipe.choices],
            "points": [(side, plain(text)) for side, text in recipe.written.items()],
            "said": recipe.said(telling(message, number)),
        }

    @_in_their_language(_of_touch)
    def why_me(self, touch: Touch, person: Person, signers: Signers) -> tuple[str, ...]:
        """For the page of a touch: why it came, who sees what, and when it comes again, as sentences."""
        return tuple(self._setting.why_me(touch, person, signers.lead, manager=signers.manager is not None))

    def _recipe(
        self,
        message: PlanMessage,
        role: str,
        template: str,
        turn: int | None,
        unclear: int | None = None,
        told: Told = NOTHING,
    ) -> Recipe:
        key = (message.id, role, template, turn, unclear, told.message, bool(told.dates))
        if key not in self._recipes:
            text = self._library.get(template)
            self._recipes[key] = recipe_for(self.plan, message, role, text, self._library, turn, unclear, told)
        return self._recipes[key]

    def _recipe_of(self, about: About, touch: Touch, message: PlanMessage, answered: bool) -> Recipe:
        key = (about, touch.briefing and (touch.briefing.role, touch.briefing.only))
        if key not in self._recipes:
            self._recipes[key] = self._recipe_for(touch, message, answered)
        return self._recipes[key]

    def _recipe_for(self, touch: Touch, message: PlanMessage, answered: bool) -> Recipe:
        briefing, told = touch.briefing, told_of(touch.corrects)
        if briefing is None:
            turn = turn_of(message, touch.number, touch.asks) if touch.kind in REPEATED else None
            template = _template(message, touch, answered=answered)
            return self._recipe(message, touch.role, template, turn, touch.unclear, told)
        for_them = self._recipe(message, briefing.role, BRIEFING, None)
        if briefing.only:
            return for_them
        own = self._recipe(message, touch.role, _template(message, touch, answered=True), None, told=told)
        return replace(own.with_names(for_them.names), required=(*own.required, *for_them.required))

    def _above(
        self, touch: Touch, message: PlanMessage, facts: TextValues, slots: Mapping[str, Any], channel: ChannelName
    ) -> Tokens:
        """What a manager reads above a message that is also for them: when their people get it, and what these see."""
        if touch.briefing is None or touch.briefing.only:
            return ()
        recipe = self._recipe(message, touch.briefing.role, BRIEFING, None)
        context = self._briefing_context(touch, message, recipe, facts, slots, channel)
        return read(recipe.template.render(context), recipe.template.where)

    def _briefing_context(
        self,
        touch: Touch,
        message: PlanMessage,
        recipe: Recipe,
        facts: TextValues,
        slots: Mapping[str, Any],
        channel: ChannelName,
    ) -> Mapping[str, Any]:
        assert touch.briefing is not None  # noqa: S101 - asked before
        language = self._setting.language
        context = self._setting.of_message(recipe, message, touch.briefing.role, language, slots)
        context = self._setting.of_touch(recipe, context, 1, touch.kind, channel, "")
        base = self._setting.of_plan(slots)
        wiifm = {**dict.fromkeys(ANGLES, ""), **{a: line(text, base) for a, text in recipe.wiifm.items()}}
        same = not touch.briefing.only and touch.briefing.role == touch.role
        told = self._setting.of_briefing(touch.briefing, facts.person, touch.due_at)
        told |= {"same": same, "named": message.sender == "manager", "asks_first": asks_of(message, 1) == "baseline"}
        return {**context, "wiifm": wiifm, "briefing": told}

    def _answers(self, sheet: Sheet, message: PlanMessage, touch: Touch, facts: TextValues) -> dict[str, str]:
        """The answers to the touch's check by the gaps they fill, in the order in which this person sees them."""
        turn = turn_of(message, touch.number, touch.asks) if sheet.answers else None
        if turn is None:
            return {}
        places = order_of(message, turn, touch.campaign, touch.person)
        texts = [clean(sheet.answers[place].fill(facts)) or "–" for place in places]
        ids = [answer_id(message.checks[turn].answers[place]) for place in places]
        named = {answer_slot(place): text for place, text in enumerate(texts)}
        return named | {answer_id_slot(place): name for place, name in enumerate(ids)}

    def _sheet(
        self,
        about: About,
        recipe: Recipe,
        message: PlanMessage,
        touch: Touch,
        channel: ChannelName,
        facts: TextValues,
        replies: tuple[PublicReply, ...],
        answered: bool,
    ) -> Sheet:
        adds = self._library.get(LINE) if facts["manager.adds"] else None
        brief = touch.briefing and (touch.briefing, self._setting.day(touch.briefing.at, facts.person))
        key = (about, channel, recipe.decisive(facts), bool(adds), brief, replies)
        sheet = self._sheets.get(key)
        if sheet is None:
            with in_language(self.written_in):
                sheet = self._written(recipe, message, touch, channel, facts, replies, answered, adds)
            if len(self._sheets) >= MOST_SHEETS:
                self._sheets.clear()
                self._recipes.clear()
            self._sheets[key] = sheet
        return sheet

    def _written(
        self,
        recipe: Recipe,
        message: PlanMessage,
        touch: Touch,
        channel: ChannelName,
        facts: TextValues,
        replies: tuple[PublicReply, ...],
        answered: bool,
        adds: Text | None,
    ) -> Sheet:
        told, language = told_of(touch.corrects), self._setting.language
        kind: WrittenAs = "correction" if told and touch.kind == "message" else touch.kind
        slots = facts.slots({**recipe.names, **(adds.uses.names if adds else {})})
        context = self._setting.of_message(recipe, message, touch.role, language, slots, told)
        asked = asks_of(message, touch.number) if touch.asks is None else touch.asks
        number = touch.number if recipe.answers and not answered else telling(message, touch.number)
        context = self._setting.of_touch(recipe, context, number, kind, channel, asked)
        context["moved"] = self._setting.moved(told, self._library.texts, context, language)
        if touch.briefing is not None and touch.briefing.only:
            context = {**self._briefing_context(touch, message, recipe, facts, slots, channel)}
        above = self._above(touch, message, facts, slots, channel)
        title = _subject(context, kind, asks=bool(recipe.answers))
        own = "subject" in recipe.texts and not recipe.along and kind != "commitment"
        ask = KEPT if kind == "commitment" else message.ask
        question = self._setting.of_question(recipe, context) if recipe.part else None
        base = self._setting.of_plan(slots)
        answers = [to_plain(read(answer.render(base))) for answer in recipe.answers]
        ask = "nothing" if touch.briefing and touch.briefing.only else ask
        named = touch.briefing is not None and message.sender == "manager"
        if above:  # which has greeted them already
            context = {**context, "touch": {**context["touch"], "asks": "recall"}}
        parts = Parts(above, self._opening(replies, context), adds, named)
        sheet = write(self._library, recipe, context, title, ask, own, question, answers, parts, answered=answered)
        return replace(sheet, named=self._named(sheet, recipe, facts))

    @cached_property
    def _calendar(self) -> dict[str, str]:
        url = self.calendar_url()
        return {"links.calendar": url, "links.webcal": re.sub("^https?", "webcal", url)} if url else {}

    def _opening(self, replies: Sequence[PublicReply], context: Mapping[str, Any]) -> Tokens:
        if not replies:
            return ()
        rows = [_row(reply, self.about(reply), context["language"]) for reply in replies]
        template = self._library.get(HEARD)
        return read(template.render({**context, "replies": rows}), template.where)

    def _facts(
        self,
        key: str,
        person: Person,
        signers: Signers,
        sender: str = "lead",
        again: Callable[[], str] = str,
        more: str = "",
        opens: str = "",
    ) -> TextValues:
        given, link = {"key": key, "links.more": more, "links.page": opens}, partial(self._own_link, key, person)
        return TextValues(person, signers.values(sender), self._setting.dates, given, link, again)

    def _own_link(self, key: str, person: Person, purpose: str) -> str:
        made = purpose in OWN_LINKS or (purpose == "unsubscribe" and self.plan.optional)
        return self._links.url(purpose, key, self._expires, person.revoked) if made else ""


def _about(touch: Touch) -> About:
    """What of a touch decides its words, but for the person."""
    return touch.message, touch.role, touch.kind, touch.number, touch.asks, touch.unclear, touch.corrects


def _template(message: PlanMessage, touch: Touch, *, answered: bool) -> str:
    corrects = bool(told_of(touch.corrects))
    if not answered:
        return template_of(message, touch.kind, corrects=corrects)
    own = template_of(message, "message", corrects=corrects)
    return "wiifm" if own == ASKING else own


def _row(reply: PublicReply, about: str, language: str) -> dict[str, str]:
    said, day = shorten(reply.said, LONGEST_REPLY, placeholder=" …"), reply.day
    promised = day_text(day, language) if day else ""
    return {"asked": reply.asked, "about": about, "said": said, "ending": reply.ending, "promised": promised}


def _line_of(message: PlanMessage, signers: Signers) -> str:
    """What the manager adds to a message that goes out in their name."""
    named = message.sender == "manager" and signers.manager is not None
    return clean(signers.lines.get(message.id, "")) if named else ""


def _filled(marked: str, facts: TextValues) -> str:
    return Skeleton(marked, PLAIN).fill(facts)


def _subject(context: Mapping[str, Any], written_as: str, *, asks: bool = False) -> Prose:
    # Where a check comes along, the author's subject is about the message below it, and the subject must not answer the
    # question.
    own = "" if context["touch"]["asks"] else context.get("subject")
    own = context["commit"] if written_as == "commitment" else own
    question = _("One question about {title}", title=context["campaign"]["title"]) if asks else ""
    subject = " ".join(to_plain(read(own or question or context["key_point"]), links=False).split())
    return Prose(_(PREFIX[written_as], subject=subject) if written_as in PREFIX else subject)


def spoken_by(person: Person, renderers: Sequence[Renderer]) -> str:
    """The language of what tells about several campaigns: the person's where one of them speaks it."""
    languages = [renderer.language(person) for renderer in renderers]
    theirs = (language for language in languages if wider(language)[:1] == wider(person.language)[:1])
    return next(theirs, languages[0] if languages else ENGLISH)


RendererFor = Callable[[Plan, Mapping[str, str]], Renderer]
"""Makes the renderer of a plan version from the plan and its frozen templates."""
