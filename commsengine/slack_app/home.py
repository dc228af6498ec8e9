"""The app's Home tab: what "My messages" has of the messages, for the one person who opens it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from slack_sdk import WebClient

from commsengine.answers.inbox import AnswerInbox
from commsengine.answers.my_messages import CampaignPart, Line, MessageRecord, PersonRecord
from commsengine.cadence.people import ANYBODY
from commsengine.content.phrases import headed
from commsengine.content.slots import slack_text
from commsengine.slack_app.accounts import Accounts, quietly
from commsengine.translation import N_, _, in_language

MOST_MESSAGES = 40
"""Slack takes a hundred blocks; the page has them all."""

LINES = 3
"""The newest of what happened about each message."""

QUOTED = 200
"""Characters of what was written."""

NOTHING = N_("You have not got a message yet. Your messages and your answers stay on this page.")
UNKNOWN = N_("We do not know this Slack account, so there is nothing to show.")

Block = Mapping[str, Any]


class HomeTab:
    """Publishes what stands on record at that moment."""

    def __init__(
        self, inbox: AnswerInbox, accounts: Accounts, client: WebClient, clock: Callable[[], dt.datetime]
    ) -> None:
        self._inbox, self._accounts, self._client, self._clock = inbox, accounts, client, clock

    def show(self, user: str) -> None:
        person = self._accounts.person(user)
        with in_language(self._inbox.language_of_pages(person or ANYBODY)):
            record = self._inbox.record_of(person.id, self._clock()) if person else None
            view = {"type": "home", "blocks": self._blocks(record)}
        quietly(self._client, "views_publish", user_id=user, view=view)

    def _blocks(self, record: PersonRecord | None) -> list[Block]:
        if record is None:
            return [_section(_(UNKNOWN))]
        campaigns = sorted(record.campaigns, key=_latest, reverse=True)
        newest = next((part for part in campaigns if part.key), None)
        if newest is None:
            return [_section(_(NOTHING))]
        page = self._inbox.own_page(record.person, newest.key, newest.id)
        return [_header(_("My messages")), _button(page), *_messages(campaigns)]


def _latest(part: CampaignPart) -> float:
    return max((line.at.timestamp() for message in part.messages for line in message.lines), default=0.0)


def _messages(campaigns: Sequence[CampaignPart]) -> Iterator[Block]:
    left, more = MOST_MESSAGES, 0
    for part in campaigns:
        told = [message for message in part.messages if message.lines]
        shown = sorted(told, key=lambda message: message.lines[-1].at, reverse=True)[:left]
        left, more = left - len(shown), more + len(told) - len(shown)
        if shown:
            yield from _campaign(part, shown)
    if more:
        yield _note(_("{more} more are on your page.", more=more))


def _campaign(part: CampaignPart, shown: Sequence[MessageRecord]) -> Iterator[Block]:
    yield {"type": "divider"}
    yield _header(slack_text(part.title))
    for message in shown:
        yield _section("\n".join([f"*{slack_text(message.key_point)}*", *map(_line, message.lines[-LINES:])]))
    if part.over:
        yield _note(_("You get no more messages of this campaign."))


def _line(line: Line) -> str:
    quote = " ".join(line.quote.split())
    short = quote if len(quote) <= QUOTED else f"{quote[:QUOTED]}…"
    return slack_text(headed(line.when, line.text) + (f" – {short}" if short else ""))


def _button(page: str) -> Block:
    text = {"type": "plain_text", "text": _("All messages and settings on one page")}
    return {"type": "actions", "elements": [{"type": "button", "action_id": "own_page", "text": text, "url": page}]}


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text[:150]}}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:2900], "verbatim": True}}


def _note(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
