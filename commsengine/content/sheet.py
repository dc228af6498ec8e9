"""A message with gaps, rendered once for all who get the same words, and the message it becomes for one person."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commsengine.cadence.plan import Plan
from commsengine.content.card import FALLBACK_LENGTH, card, fit
from commsengine.content.facts import Facts
from commsengine.content.letter import html_letter, text_letter
from commsengine.content.markdown import lowered, read, to_plain
from commsengine.content.message import Message
from commsengine.content.recipe import Library, Recipe
from commsengine.content.slots import PLAIN, SLACK_JSON, Prose, Skeleton, escape_slack, slack_text
from commsengine.content.words import SUBJECT_LENGTH, header

ACTION = {
    "acknowledge": "Got it",
    "commit": "Got it",
    "input": "Give your answer",
    "check": "Answer the question",
    "nothing": "",
}
"""What the one big button says, by what a message asks for."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """For e-mail subject, text and HTML; for Slack subject, fallback text and blocks (as JSON).

    A subject that the author wrote is kept whole; one made of the key point is cut to what an inbox shows.
    ``answers`` are those of the touch's check in the order of the plan: each person's own order fills the other gaps.
    ``page``: its links lead somewhere.
    """

    subject: Skeleton
    own_subject: bool
    text: Skeleton
    html: Skeleton | None = None
    blocks: Skeleton | None = None
    answers: tuple[Skeleton, ...] = ()
    page: bool = True


def write(
    library: Library,
    recipe: Recipe,
    context: Mapping[str, Any],
    subject: str,
    ask: str,
    *,
    own_subject: bool,
    question: Mapping[str, Any] | None = None,
    answers: Sequence[str] = (),
) -> Sheet:
    """Render template, footer and layouts. ``subject`` may hold marks, and so may ``answers``, those of the check.

    ``question`` is what the template of a check sees. It comes first: below the message, it would come too late.
    """
    body = read(recipe.template.render(context), recipe.template.where)
    if recipe.part and question:
        body = [*read(recipe.part.render(question), recipe.part.where), *lowered(body)]
    footer = read(recipe.footer.render(context), recipe.footer.where)
    title, own = Skeleton(subject, PLAIN), own_subject
    gaps = tuple(Skeleton(answer, PLAIN) for answer in answers)
    if context["channel"] == "slack":
        blocks = json.dumps(card(body, footer, ask, len(answers), page=context["page"]), ensure_ascii=False)
        text = Skeleton(to_plain(body, links=False), PLAIN)
        return Sheet(title, own, text, blocks=Skeleton(blocks, SLACK_JSON), answers=gaps, page=context["page"])
    action = ACTION["check" if answers and ask != "input" else ask]
    around = {**context, "title": Prose(subject), "action": Prose(action)}
    return Sheet(
        title, own,
        text_letter(library.get("layout.txt"), body, footer, around),
        html_letter(library.get("layout.html"), body, footer, around),
        answers=gaps,
    )  # fmt: skip


def message_of(sheet: Sheet, plan: Plan, facts: Facts, channel: str, date: dt.datetime) -> Message:
    """The sheet filled in for one person, with every header value made safe."""
    person, sender = facts.person, facts.sender
    text = sheet.text.fill(facts)
    if sheet.blocks:
        text = slack_text(text)[: FALLBACK_LENGTH - 1_000]
        text += f"\n{escape_slack(facts['links.answer'])}" if sheet.page else ""
    return Message(
        key=facts["key"],
        campaign=plan.campaign,
        campaign_title=header(plan.title),
        channel=channel,
        to_email=person.email,
        to_name=header(person.name),
        slack_id=person.slack_id,
        sender_name=header(sender.name or sender.email),
        reply_to=sender.email,
        subject=header(sheet.subject.fill(facts), 0 if sheet.own_subject else SUBJECT_LENGTH),
        text=text,
        html=sheet.html.fill(facts) if sheet.html else "",
        blocks=fit(json.loads(sheet.blocks.fill(facts))) if sheet.blocks else (),
        date=date,
        unsubscribe_url=facts["links.unsubscribe"] if plan.optional else "",
    )
