"""A touch made into what a person will see: rendered once for all who get the same text, filled in for each.

Steps
1. The recipe: which texts, template and layouts this message takes for this role.
2. The sheet: subject, HTML, text or Slack blocks with gaps. Kept under everything that decides its words.
3. The message: the sheet's gaps filled with this person's values, each escaped for where it stands.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commsengine.cadence.calendar import local_date_in
from commsengine.cadence.history import Touch
from commsengine.cadence.people import Person
from commsengine.cadence.plan import ANGLES, Plan, Workspace
from commsengine.cadence.plan import Message as PlanMessage
from commsengine.content.angles import angles, variant
from commsengine.content.card import FALLBACK_LENGTH, card, fit
from commsengine.content.facts import Cast, Facts
from commsengine.content.letter import html_letter, text_letter
from commsengine.content.markdown import read, to_plain
from commsengine.content.message import Message
from commsengine.content.recipe import Library, Recipe, recipe_for, template_of
from commsengine.content.slots import PLAIN, SLACK_JSON, Prose, Skeleton, escape_slack, slack_text
from commsengine.content.templates import Text
from commsengine.content.texts import Texts
from commsengine.content.words import SUBJECT_LENGTH, day_text, header, often
from commsengine.errors import RenderError
from commsengine.links import Links

MOST_SHEETS = 2_000
GRACE = dt.timedelta(days=30)
"""How long after the campaign's last day a link still opens its page."""

PREFIX = {"remind": "Reminder: ", "correction": "Correction: "}
ACTION = {"acknowledge": "Got it", "commit": "Got it", "input": "Give your answer", "check": "Answer the question", "nothing": ""}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A message with gaps: for e-mail subject, HTML and text, for Slack subject, blocks (JSON) and the fallback text."""

    subject: Skeleton
    text: Skeleton
    html: Skeleton | None = None
    blocks: Skeleton | None = None


class Renderer:
    """Writes the messages of one plan version. Safe to share between threads: sheets are only ever added."""

    def __init__(self, plan: Plan, templates: Mapping[str, str], links: Links, workspace: Workspace) -> None:
        self.plan = plan
        self._links = links
        self._workspace = workspace
        self._texts = Texts(plan)
        self._library = Library(plan, templates)
        self._messages = {message.id: message for message in plan.messages}
        self._recipes: dict[tuple[Any, ...], Recipe] = {}
        self._sheets: dict[tuple[Any, ...], Sheet] = {}
        self._expires = links_end(plan)
        self._title = header(plan.title)

    def touch(self, touch: Touch, person: Person, cast: Cast) -> Message:
        """The finished message of a touch. Raises ``RenderError`` with the text's place and line."""
        message = self._messages[touch.message]
        sender = cast.sender(message.sender)
        facts = Facts(person, cast, sender, self._given(touch.key, person, touch.again_at))
        kind = "correction" if message.corrects and touch.kind == "message" else touch.kind
        recipe = self._recipe(message, touch.role, kind, touch.number)
        recipe.refuse_missing(facts)
        sheet = self._sheet(recipe, message, touch, kind, facts)
        return self._message(sheet, facts, touch.key, touch.channel, touch.due_at, bool(message.subject))

    def talking_points(
        self, messages: str | Sequence[str], role: str, person: Person, cast: Cast, tried: Sequence[str] = ()
    ) -> str:
        """What to say in a call or a visit about one or several messages, as plain text to be read aloud."""
        ids = [messages] if isinstance(messages, str) else list(messages)
        chosen = [self._messages[message] for message in ids]
        recipes = [self._recipe(message, role, "message", 1, "talking_points") for message in chosen]
        facts = Facts(person, cast, cast.lead, self._given("", person, None))
        for recipe in recipes:
            recipe.refuse_missing(facts)
        names = {name: line for recipe in recipes for name, line in recipe.names.items()}
        context = self._context(recipes[0], chosen[0], role, self._language(person), facts.slots(names))
        base = self._plan_context(facts.slots(names), self._language(person))
        context["key_points"] = [_line(recipe.texts["key_point"], base) for recipe in recipes]
        context["asks"] = [_line(recipe.texts["question"], base) for recipe in recipes if "question" in recipe.texts]
        context["wiifm"] = {angle: _line(text, base) for angle, text in recipes[0].wiifm.items()}
        context["tried"] = ", ".join(tried)
        written = recipes[0].template.render({**context, "wiifm": {**dict.fromkeys(ANGLES, ""), **context["wiifm"]}})
        return Skeleton(to_plain(read(written, "talking_points.md")), PLAIN).fill(facts)

    def service(
        self, template: str, key: str, person: Person, cast: Cast, at: dt.datetime, *, message: str = "", role: str = "",
        subject: str = "", page: bool = True, channel: str = "email", **fields: Any,
    ) -> Message:  # fmt: skip
        """Mail that is no touch: ``answer`` (fields ``question``, ``answer``, ``others``), ``correction`` (``moved``) or ``digest``.

        ``key`` names its row, ``at`` is its date; ``page`` says whether its links lead anywhere.
        """
        about = self._messages[message] if message else self.plan.messages[0]
        recipe = self._recipe(about, role, template, 1, template)
        facts = Facts(person, cast, cast.lead, self._given(key, person, None))
        recipe.refuse_missing(facts)
        language = self._language(person)
        context = self._context(recipe, about, role, language, facts.slots(recipe.names))
        context |= {"page": page, "channel": channel, "touch": {"number": 1, "variant": 0, "kind": template}, **fields}
        title = subject or f"{PREFIX.get(template, '')}{_subject(recipe, context)}"
        sheet = self._write(recipe, context, channel, title, "acknowledge" if template == "correction" else "nothing")
        return self._message(sheet, facts, key, channel, at, False)

    def page(self, message_id: str, role: str, number: int, person: Person, cast: Cast) -> dict[str, Any]:
        """The plain texts of one message for a page: ``key_point``, ``question``, ``choices``, ``commit``, ``points``."""
        message = self._messages[message_id]
        recipe = self._recipe(message, role, "message", number)
        facts = Facts(person, cast, cast.sender(message.sender), self._given("", person, None))
        recipe.refuse_missing(facts)
        base = self._plan_context(facts.slots(recipe.names), self._language(person))

        def plain(text: Text) -> str:
            return Skeleton(to_plain(read(text.render(base))), PLAIN).fill(facts)

        shown = {name: plain(text) for name, text in recipe.texts.items()}
        points = [(angle, plain(text)) for angle, text in recipe.wiifm.items()]
        return {**shown, "choices": [plain(choice) for choice in recipe.choices], "points": points}

    # --- recipes and sheets -------------------------------------------------------------------------------------

    def _recipe(self, message: PlanMessage, role: str, kind: str, number: int, template: str = "") -> Recipe:
        turn = number % len(message.checks) if message.checks else 0
        name = template or template_of(message, kind)
        key = (message.id, role, name, turn)
        if key not in self._recipes:
            text = self._library.get(name)
            self._recipes[key] = recipe_for(self.plan, message, role, text, self._library, self._texts, number)
        return self._recipes[key]

    def _sheet(self, recipe: Recipe, message: PlanMessage, touch: Touch, kind: str, facts: Facts) -> Sheet:
        language = self._language(facts.person)
        channel = "slack" if touch.channel == "slack" else "email"
        key = (touch.message, touch.role, kind, touch.number, channel, language, recipe.decisive(facts))
        sheet = self._sheets.get(key)
        if sheet is None:
            context = self._context(recipe, message, touch.role, language, facts.slots(recipe.names))
            told = {**recipe.wiifm, **({"text": recipe.texts["text"]} if "text" in recipe.texts else {})}
            base = self._plan_context(context, language)
            context |= {
                "channel": channel,
                "touch": {"number": touch.number, "variant": variant(touch.number), "kind": kind},
                "points": [{"angle": a, "text": _prose(told[a], base)} for a in angles(told, touch.number)],
            }
            title = PREFIX.get(kind, "") + _subject(recipe, context)
            sheet = self._write(recipe, context, channel, title, message.ask)
            if len(self._sheets) >= MOST_SHEETS:
                self._sheets.clear()
            self._sheets[key] = sheet
        return sheet

    def _write(self, recipe: Recipe, context: dict[str, Any], channel: str, subject: str, ask: str) -> Sheet:
        where = recipe.template.where
        body = read(recipe.template.render(context), where)
        footer = read(recipe.footer.render(context), recipe.footer.where)
        if channel == "slack":
            blocks = json.dumps(card(body, footer, ask), ensure_ascii=False)
            text = Skeleton(to_plain(body, links=False), PLAIN)
            return Sheet(Skeleton(subject, PLAIN), text, blocks=Skeleton(blocks, SLACK_JSON))
        context |= {"title": Prose(subject), "action": ACTION[ask]}
        html = html_letter(self._library.get("layout.html"), body, footer, context)
        text = text_letter(self._library.get("layout.txt"), body, footer, context)
        return Sheet(Skeleton(subject, PLAIN), text, html)

    def _message(self, sheet: Sheet, facts: Facts, key: str, channel: str, date: dt.datetime, own_subject: bool) -> Message:
        person, sender = facts.person, facts.sender
        text, blocks = sheet.text.fill(facts), []
        if sheet.blocks:
            blocks = fit(json.loads(sheet.blocks.fill(facts)))
            text = f"{slack_text(text)[: FALLBACK_LENGTH - 1_000]}\n{escape_slack(facts['links.answer'])}"
        return Message(
            key=key, campaign=self.plan.campaign, campaign_title=self._title, channel=channel,
            to_email=person.email, to_name=header(person.name), slack_id=person.slack_id,
            sender_name=header(sender.name or sender.email), reply_to=sender.email,
            subject=header(sheet.subject.fill(facts), 0 if own_subject else SUBJECT_LENGTH),
            text=text, html=sheet.html.fill(facts) if sheet.html else "", blocks=blocks, date=date,
            unsubscribe_url=self._links.url("unsubscribe", key, self._expires) if self.plan.optional else "",
        )  # fmt: skip

    # --- what a template can see --------------------------------------------------------------------------------

    def _given(self, key: str, person: Person, again_at: dt.datetime | None) -> dict[str, str]:
        again = ""
        if again_at:
            zone = person.time_zone or self.plan.send.time_zone
            again = day_text(local_date_in(zone, again_at), self._language(person))
        return {
            "key": key,
            "again": again,
            "links.answer": self._links.url("answer", key, self._expires),
            "links.mine": self._links.url("mine", key, self._expires),
        }

    def _language(self, person: Person) -> str:
        return person.language or self._workspace.language

    def _plan_context(self, slots: Mapping[str, Any], language: str) -> dict[str, Any]:
        milestones = {name: day_text(milestone.date, language) for name, milestone in self.plan.milestones.items()}
        campaign = {"id": self.plan.campaign, "title": self.plan.title}
        return {**slots, "milestones": milestones, "campaign": campaign}

    def _context(
        self, recipe: Recipe, message: PlanMessage, role: str, language: str, slots: Mapping[str, Any]
    ) -> dict[str, Any]:
        base = self._plan_context(slots, language)
        lines = {name: _line(text, base) for name, text in recipe.texts.items() if name != "text"}
        rungs = self.plan.ladder(message)
        return {
            **EMPTY, **base, **lines,
            "text": _prose(recipe.texts["text"], base) if "text" in recipe.texts else "",
            "wiifm": {angle: "" for angle in ANGLES},
            "choices": [_line(choice, base) for choice in recipe.choices],
            "reply_by": f"{message.input.reply_by} working days" if message.input else "",
            "links": {**base["links"], "more": message.link},
            "role": role, "ask": message.ask, "language": language, "often": often(message.cadence),
            "manager_sees": any(rung.do == "personal" and rung.by == "manager" for rung in rungs),
        }  # fmt: skip


EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("answer", "commit", "corrected", "headline", "key_point", "question", "others", "tried"), ""),
    **{name: [] for name in ("points", "key_points", "asks", "figures", "moved", "calls", "questions", "held")},
    "page": True,
}
"""Names that have nothing to say in most messages."""


def links_end(plan: Plan) -> dt.datetime:
    """Until when the links of a campaign open their pages: its last day, and a grace of 30 days, in UTC."""
    ends = []
    for message in plan.messages:
        moment = message.closes
        day = moment.date or plan.milestones[moment.milestone].date
        # Working days stretch over weekends and holidays; links may live longer, never shorter.
        ends.append(day + dt.timedelta(days=moment.offset * (2 if moment.working and moment.offset > 0 else 1)))
    return dt.datetime.combine(max(ends), dt.time(), dt.UTC) + GRACE


def _prose(text: Text, base: Mapping[str, Any]) -> Prose:
    return Prose(text.render(base).strip())


def _line(text: Text, base: Mapping[str, Any]) -> Prose:
    return Prose(" ".join(text.render(base).split()))


def _subject(recipe: Recipe, context: Mapping[str, Any]) -> str:
    """The author's subject, or the key point, as words without markup."""
    line = context.get("subject") or context["key_point"]
    return " ".join(to_plain(read(line), links=False).split())


__all__ = ["Cast", "RenderError", "Renderer", "links_end"]
