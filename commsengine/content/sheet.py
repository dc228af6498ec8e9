"""A message with gaps, rendered once for all who get the same words, and the message it becomes for one person."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import css_inline
from markdown_it.token import Token
from markupsafe import Markup

from commsengine.cadence.kinds_and_states import CHANNELS, ChannelName
from commsengine.cadence.plan import Plan
from commsengine.content.manager_card import without_buttons
from commsengine.content.markdown import Tokens, lowered, read, to_html, to_plain
from commsengine.content.message import Body, RenderedMessage, WrittenBody, ended
from commsengine.content.person_values import TextValues
from commsengine.content.quoted_printable import Quoted
from commsengine.content.recipe import Library, Recipe
from commsengine.content.slack_card import FALLBACK_LENGTH, card, fit
from commsengine.content.slots import HTML, PLAIN, SLACK_JSON, Prose, Skeleton, clean, escape_slack, slack_text
from commsengine.content.templates import Text
from commsengine.translation import N_, _, aligned, direction

KEPT = "kept"
"""What the question about a commitment asks for."""

_ACTION = {
    "acknowledge": N_("Got it"),
    "commit": N_("I will"),
    KEPT: N_("Say whether it is done"),
    "input": N_("Give your answer"),
    "check": N_("Answer the question"),
    "nothing": "",
}
"""What the one big button says, by what a message asks for."""

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

_CHARSET = '<meta charset="utf-8">'

SUBJECT_LENGTH = 78


@dataclass(frozen=True, slots=True)
class Sheet:
    """For a letter subject, text and HTML; for a card subject, fallback text and blocks (as JSON).

    A subject that the author wrote is kept whole; one made of the key point is cut to what an inbox shows.
    ``answers`` are those of the touch's check in the order of the plan: each person's own order fills the other gaps.
    ``page``: its links lead somewhere. ``named`` are the dates of milestones in it, as in the finished message.
    """

    subject: Skeleton
    own_subject: bool
    text: Skeleton
    html: Skeleton | None = None
    blocks: Skeleton | None = None
    answers: tuple[Skeleton, ...] = ()
    page: bool = True
    named: str = ""

    @property
    def fixed(self) -> str:
        """What it says to everybody."""
        return "\n".join(each.fixed for each in (self.subject, self.text, self.blocks) if each)

    @property
    def names(self) -> frozenset[str]:
        """The values that stand in it; those in the answers to choose from are said by none of us."""
        found = (each.names for each in (self.subject, self.text, self.html, self.blocks) if each)
        return frozenset().union(*found)


class FilledBody(NamedTuple):
    """The body of one person's letter, filled in when it is read or sent."""

    sheet: Sheet
    values: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.sheet.text.fill(self.values)

    @property
    def html(self) -> str:
        return self.sheet.html.fill(self.values) if self.sheet.html else ""

    def parts(self) -> list[tuple[str, Quoted]]:
        plain, html = self.sheet.text, self.sheet.html
        filled = [("plain", plain.fill_quoted(self.values))]
        return [*filled, ("html", html.fill_quoted(self.values))] if html else filled


@dataclass(frozen=True, slots=True)
class Parts:
    """What comes with a message: ``above`` it, its ``opening`` by replies, and the ``line`` of a manager below.

    ``named`` is that of ``card``.
    """

    above: Tokens = ()
    opening: Tokens = ()
    line: Text | None = None
    named: bool = False


NO_PARTS = Parts()


def write(
    library: Library,
    recipe: Recipe,
    context: Mapping[str, Any],
    subject: str,
    ask: str,
    own_subject: bool,
    question: Mapping[str, Any] | None = None,
    answers: Sequence[str] = (),
    parts: Parts = NO_PARTS,
    *,
    answered: bool = False,
) -> Sheet:
    """Render template, footer and layouts. ``subject`` may hold marks, and so may ``answers``, those of the check.

    ``question`` is what the template of a check sees. It stands alone until it is ``answered``: beside the
    message, its answer would be read and not remembered.
    """
    asks = bool(answers) and not answered
    body = _asking_body(recipe, context, question, parts) if asks else _telling_body(recipe, context, parts)
    footer = read(recipe.footer.render(context), recipe.footer.where)
    title = Skeleton(subject, PLAIN)
    gaps = tuple(Skeleton(answer, PLAIN) for answer in answers)
    if CHANNELS[context["channel"]].form == "card":
        asked = read((question or context)["question"]) if answers else []
        # "got it" to a message that was not shown says nothing
        skip = ask not in ("input", "commit") and context["touch"]["asks"] != "baseline"
        how = {"page": context["page"], "named": parts.named, "skip": skip}
        blocks = json.dumps(card(body, footer, ask, len(answers), asked, **how), ensure_ascii=False)
        text = Skeleton(without_buttons(to_plain(_asking(body, asked) if asked else body, links=False)), PLAIN)
        return Sheet(title, own_subject, text, blocks=Skeleton(blocks, SLACK_JSON), answers=gaps, page=context["page"])
    action = _ACTION["check" if answers and ask != "input" else ask]
    around = {**context, "title": Prose(subject), "action": Prose(_(action))}
    text = _text_letter(library.get("layout.txt"), body, footer, around)
    return Sheet(title, own_subject, text, _html_letter(library.get("layout.html"), body, footer, around), answers=gaps)


def _asking_body(
    recipe: Recipe, context: Mapping[str, Any], question: Mapping[str, Any] | None, parts: Parts
) -> list[Token]:
    if recipe.part and question:
        return [*read(recipe.part.render(question), recipe.part.where), *parts.opening]
    return [*read(recipe.template.render(context), recipe.template.where), *parts.opening]


def _telling_body(recipe: Recipe, context: Mapping[str, Any], parts: Parts) -> list[Token]:
    body = [*parts.opening, *read(recipe.template.render(context), recipe.template.where)]
    body = [*parts.above, *lowered(_untitled(body))] if parts.above else body
    return [*body, *read(parts.line.render(context), parts.line.where)] if parts.line else body


def _untitled(body: Sequence[Token]) -> list[Token]:
    # what stands above has said the title
    title = next((place for place, token in enumerate(body) if token.tag == "h1"), len(body))
    return [*body[:title], *body[title + 3 :]]


def _asking(body: Tokens, asked: Tokens) -> list[Token]:
    # Title and question alone: Slack's notification and screen readers come to this text before the buttons.
    title = next((place for place, token in enumerate(body) if token.tag == "h1"), len(body))
    return [*body[title : title + 3], *asked]


def message_of(sheet: Sheet, plan: Plan, facts: TextValues, channel: ChannelName, date: dt.datetime) -> RenderedMessage:
    person, sender = facts.person, facts.signers.sender
    return RenderedMessage(
        key=facts["key"],
        campaign=plan.campaign,
        campaign_title=header(plan.title),
        channel=channel,
        to_email=person.email,
        to_name=header(person.name),
        slack_id=person.slack_id,
        sender_name=header(sender.name or sender.email),
        reply_to=(sender if plan.send.reply_to == "sender" else facts.signers.lead).email,
        subject=header(sheet.subject.fill(facts), 0 if sheet.own_subject else SUBJECT_LENGTH),
        body=_body(sheet, facts),
        blocks=fit(json.loads(sheet.blocks.fill(facts))) if sheet.blocks else (),
        date=date,
        unsubscribe_url=facts["links.unsubscribe"] if plan.optional else "",
        named=sheet.named,
    )


def _body(sheet: Sheet, facts: TextValues) -> Body:
    if sheet.blocks:
        short = slack_text(aligned(sheet.text.fill(facts)))[: FALLBACK_LENGTH - 1_000]
        return WrittenBody(f"{short}\n{escape_slack(facts['links.answer'])}" if sheet.page else short)
    filled = FilledBody(sheet, facts)
    # Where a line begins in a language from the right depends on the values in it.
    return filled if direction() == "ltr" else WrittenBody(aligned(filled.text), filled.html)


def _html_letter(layout: Text, body: Tokens, footer: Tokens, context: Mapping[str, Any]) -> Skeleton:
    # Everything is in the file: no image, no outside asset, nothing that reports back.
    pieces = {"body": Markup(to_html(body)), "footer": Markup(to_html(footer))}  # noqa: S704 - both hold marks, no values
    inlined = _INLINER.inline(layout.render({**context, **pieces}))
    return Skeleton(ended(_charset_first(inlined)), HTML)


def _text_letter(layout: Text, body: Tokens, footer: Tokens, context: Mapping[str, Any]) -> Skeleton:
    # Its first link is the answer page, before anything that an author or a person wrote.
    pieces = {"body": Prose(to_plain(body)), "footer": Prose(to_plain(footer))}
    return Skeleton(layout.render({**context, **pieces}).strip() + "\n", PLAIN)


def _charset_first(html: str) -> str:
    # The inliner puts the styles first, but a browser looks for the encoding in the first 1,024 bytes.
    return html.replace(_CHARSET, "", 1).replace("<head>", f"<head>{_CHARSET}", 1) if _CHARSET in html else html


@lru_cache(maxsize=1024)
def header(text: str, limit: int = 0) -> str:
    """A value for a header: one line, nothing that a mail program would decode, cut at a word after ``limit``."""
    line = clean(text).replace("=?", "= ?")
    return shortened(line, limit) if limit else line


def shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    return cut[: cut.rfind(" ") if " " in cut[limit // 2 :] else len(cut)].rstrip(" ,;:-–.") + "…"
