"""An open sandbox with Ana, Ben and Mia; Mia is not on Slack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from commsengine.channels.email import EmailChannel
from commsengine.channels.slack import SlackChannel
from commsengine.channels.smtp import parse_smtp_url
from commsengine.content.message import RenderedMessage
from commsengine.sandbox.sandbox import Sandbox
from tests.builders import ANA, BEN, MIA
from tests.channels.test_slack import Ids
from tests.servers import SlackApp, a_mail


@pytest.fixture
def app() -> Iterator[SlackApp]:
    with SlackApp() as server:
        yield server


@pytest.fixture
def sandbox(app: SlackApp) -> Iterator[Sandbox]:
    def clock() -> dt.datetime:
        return dt.datetime(2027, 1, 12, 9, tzinfo=dt.UTC)

    with Sandbox([ANA, BEN, MIA], on_slack=lambda person: person != MIA, clock=clock, request_url=app.url) as opened:
        yield opened


BUTTONS = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*One list* for <https://example.com|all> of us & you"}},
    {
        "type": "actions",
        "block_id": "answers",
        "elements": [
            {"type": "button", "action_id": name, "text": {"type": "plain_text", "text": label}, "value": "k1"}
            for name, label in (("got_it", "Got it"), ("question", "I have a question"))
        ],
    },
]


def a_card(key: str = "k1", **changes: object) -> RenderedMessage:
    return a_mail(key, **{"channel": "slack", "blocks": BUTTONS, **changes})


def post(sandbox: Sandbox, *cards: RenderedMessage) -> None:
    channel = SlackChannel(sandbox.slack.bot_token, Ids(), api_url=sandbox.slack.api_url)
    assert [outcome.verdict for outcome in channel.deliver(cards or [a_card()], lambda keys: keys)] == ["sent"] * len(
        cards or [1]
    )


def mail(sandbox: Sandbox, *mails: RenderedMessage) -> None:
    channel = EmailChannel(parse_smtp_url(sandbox.mailbox.url), "change@example.com")
    assert [outcome.verdict for outcome in channel.deliver(mails, lambda keys: keys)] == ["sent"] * len(mails)
    channel.close()
