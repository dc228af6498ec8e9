"""Our Slack app behind signed HTTP, the stand-in that sends it what people press and type, and Ana's cards."""

from __future__ import annotations

import datetime as dt
import json
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from commsengine.answers.inbox import Evidence
from commsengine.answers.review_copies import ReviewCopies
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Workspace
from commsengine.sandbox.sandbox import Serving
from commsengine.sandbox.slack_clicks import block_actions, button_of, signed_headers
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.sandbox.slack_team import Post
from commsengine.slack_app import SlackApp
from commsengine.store.tables import touch
from tests.answering import KEYS, Answering, answering
from tests.browsing import WEB
from tests.builders import ANA, BEN, MIA
from tests.waiting import expect
from tests.web.conftest import app_of

SECRET = "sandbox-signing-secret"
BY_SLACK = Evidence("slack", {"user": "U1"})


@dataclass
class Team:
    """The stand-in, our app behind signed HTTP, and Ana's card in her DM."""

    house: Answering
    slack: SlackStandIn
    app: SlackApp
    url: str
    copies: ReviewCopies

    def card(self, key: str, email: str = ANA.email) -> Post:
        user = self.slack.team.user(email)
        assert user
        self.slack.team.opened.add(user.dm)
        text, blocks = self.house.inbox.drawn(self.house.inbox.card(key, self.house.clock()), "slack")
        metadata = {"event_type": "commsengine_touch", "event_payload": {"key": key}}
        return self.slack.team.post(user, text, [dict(block) for block in blocks], metadata)

    def sent(self, person: Person = ANA, *, number: int = 1) -> Post:
        """The card of a touch that is on record as sent there."""
        key = self.house.touch(person, number=number, channel="slack")
        post = self.card(key, person.email)
        self.is_at(key, post)
        return post

    def is_at(self, key: str, post: Post) -> None:
        with self.house.store.database.write() as connection:
            connection.execute(touch.update().where(touch.c.key == key).values(remote_id=post.remote_id))

    def say(self, text: str, person: Person = ANA, *, thread: str = "", **more: Any) -> Post:
        """Somebody types; what the app answers in the thread."""
        before = len(self.answers(person))
        assert self.slack.say(person.email, text, thread=thread, **more).status == 200
        expect(lambda: len(self.answers(person)) > before)
        return self.answers(person)[-1]

    def answers(self, person: Person = ANA) -> list[Post]:
        return [post for post in self.slack.dm_of(person.email) if post.thread and not post.typed]

    def redrawn(self, post: Post, times: int = 1) -> bool:
        """So often at least, and it shows the newest: two presses in a row may draw a card once more than needed."""
        return post.edits >= times and not self.house.store.redraws.waiting()

    def questions(self) -> list[str]:
        return [question.text for question in self.house.store.questions.all()]

    def post(self, body: str, headers: dict[str, str]) -> httpx.Response:
        form = {"Content-Type": "application/x-www-form-urlencoded"}  # unless the headers say otherwise
        return WEB.post(f"{self.url}/slack/events", content=body, headers=form | headers)


def serve_team(serving: ExitStack, house: Answering, *, grid: tuple[str, ...] = (), worker: bool = True) -> Team:
    """Until ``serving`` ends. ``grid`` is Ana's id in a whole Enterprise Grid; ``worker`` draws cards again."""
    team = [(ANA.email, ANA.name, *grid), (BEN.email, BEN.name), (MIA.email, MIA.name), ("eve@example.com", "Eve")]
    slack = SlackStandIn(team, clock=lambda: house.clock().timestamp())
    slack.url = serving.enter_context(Serving(Starlette(routes=slack.routes))).url
    copies = ReviewCopies(house.store, house.links.base_url, KEYS, Workspace(), house.clock)
    serving.callback(copies.close)
    app = SlackApp(
        house.inbox, house.store, house.desk, token="xoxb-sandbox", signing_secret=SECRET, api_url=slack.api_url,
        clock=house.clock, signed_at=real_time, copies=copies,
    )  # fmt: skip
    pages = app_of(house, slack=app, copies=copies)
    if worker:
        app.cards.connect()
        serving.callback(app.cards.close)
    url = serving.enter_context(Serving(pages)).url
    slack.request_url = f"{url}/slack/events"
    return Team(house, slack, app, url, copies)


@pytest.fixture
def open_team(tmp_path: Path) -> Iterator[Callable[..., Team]]:
    serving = ExitStack()

    def open_(*messages: Any, language: str = "", **how: Any) -> Team:
        return serve_team(serving, answering(tmp_path, *messages, language=language), **how)

    with serving:
        yield open_


def real_time() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def team(open_team: Callable[..., Team]) -> Team:
    return open_team()


def press_payload(team: Team, post: Post, action: str = "got_it", at: str = "1.1") -> dict[str, Any]:
    button = button_of(post, action) or {"action_id": action, "value": post.key}
    trigger = team.slack.team.trigger(post.user)
    return block_actions(post, button, trigger_id=trigger, response_url=team.slack.response_url(post), at=at)


def press(team: Team, post: Post, action: str, at: str) -> None:
    """Delivered and redrawn; ``at`` is Slack's own name for the press, so that it can come again."""
    body, edits = encoded(press_payload(team, post, action, at)), post.edits
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    expect(lambda: post.edits > edits)


def encoded(payload: dict[str, Any]) -> str:
    return urllib.parse.urlencode({"payload": json.dumps(payload)})


def buttons(post: Post) -> list[str]:
    elements = [e for block in post.blocks for e in (*block.get("elements", ()), block.get("accessory") or {})]
    return [element["action_id"] for element in elements if "action_id" in element]
