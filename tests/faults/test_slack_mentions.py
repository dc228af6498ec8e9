"""Mentions and links hidden in names, in the words of a plan and in answers: what is posted mentions nobody."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from commsengine.channels.slack import harmless
from commsengine.content.person_values import Signers
from commsengine.sandbox.sandbox import Serving
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.sandbox.slack_team import Post
from tests.builders import BEN, utc
from tests.content.desk import DANA, RENDERER
from tests.stories.campaign import IN_FORCE, addresses, write_for
from tests.stories.program import Program

MENTIONS = [
    "<!channel>", "<!here>", "<!everyone>", "<!here|x>", "<!channel|all of you>", "<@U123>", "<@U00000002>",
    "<@U123|ben>", "<@W123>", "<!subteam^S123>", "<!subteam^S123|@team>", "<#C123>", "<#C123|general>",
    "<!date^1392734382^{date}|x>", "<https://evil.example.com>", "<https://evil.example.com|Got it>",
    "<mailto:evil@example.com|x>", "https://evil.example.com", "[x](https://evil.example.com)", "@here", "@channel",
    "@everyone", "&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;", "<<!channel>>", "*<!channel>*", "`<!channel>`",
]  # fmt: skip
OUR_LINK = re.compile(r"<(http://127\.0\.0\.1:8080|https://comms\.example\.com)/[\w./-]+(\|[^<>|]+)?>")

QUOTE = re.compile("^> ", re.MULTILINE)


@dataclass(frozen=True)
class Shown:
    """What a person sees of a post."""

    text: str
    blocks: Sequence[Mapping[str, Any]]


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    stand_in = SlackStandIn([(address, "") for address in addresses(len(MENTIONS))])
    with Serving(Starlette(routes=stand_in.routes)) as server:
        stand_in.url = server.url
        yield stand_in


def texts(part: object) -> Iterator[Mapping[str, Any]]:
    """Every text object of some blocks."""
    if isinstance(part, dict):
        if part.get("type") in ("mrkdwn", "plain_text"):
            yield part
        part = list(part.values())
    for each in part if isinstance(part, list | tuple) else ():
        yield from texts(each)


def speaks_to_nobody_else(post: Shown | Post) -> bool:
    """No mention, no link but our own, and nothing that Slack would make into one by itself."""
    shown = list(texts(post.blocks))
    marked = [post.text, *(text["text"] for text in shown if text["type"] == "mrkdwn")]
    return (
        all(not re.search(r"[<>]", OUR_LINK.sub("", QUOTE.sub("", text))) for text in marked)
        and not re.search(r"@(here|channel|everyone)", "".join(text["text"] for text in shown))
        and all(text.get("verbatim") for text in shown if text["type"] == "mrkdwn")
    )


def test_names_and_words_full_of_mentions_are_posted_as_the_text_they_are(tmp_path: Path, slack: SlackStandIn) -> None:
    settings = {"COMMSENGINE_SLACK_BOT_TOKEN": slack.bot_token, "COMMSENGINE_SLACK_API_URL": slack.api_url,
                "COMMSENGINE_SLACK_RATE": "60000", "COMMSENGINE_STATE_DIR": str(tmp_path / "state")}  # fmt: skip
    program = Program(tmp_path / "house", settings)
    write_for(program, 1)
    people = io.StringIO()
    rows = [(address, name, name, name) for address, name in zip(addresses(len(MENTIONS)), MENTIONS, strict=True)]
    csv.writer(people).writerows([("email", "name", "department", "job"), *rows])
    program.write("people.csv", people.getvalue())
    program.change(
        "schedules/crm.yaml",
        ("channels: [email]", "channels: [slack]"),
        (
            "Every customer conversation is logged in one record.",
            '"{{ person.name }} of {{ person.department }}: <!channel> <@U123>, calls are logged."',
        ),
        ("Two lists cost orders.", '"<!here|x> says @everyone"'),
    )
    for command in (*IN_FORCE, ("tick",)):
        program.here(*command)
    assert len(slack.posts) == len(MENTIONS)
    for post in slack.posts:
        assert speaks_to_nobody_else(post), post.blocks
    assert "&lt;!channel&gt;" in slack.posts[0].text


@pytest.mark.parametrize("value", MENTIONS)
def test_a_question_and_its_answer_full_of_mentions_mention_nobody(value: str) -> None:
    person = replace(BEN, name=value)
    cast = Signers(replace(DANA, name=value), replace(DANA, name=value), replace(DANA, name=value))
    told = RENDERER.service(
        "answer", "k", person, cast, utc("2027-01-12"), message="input", role="sales", channel="slack", question=value,
        answer=value, others="",
    )  # fmt: skip
    shown = Shown(harmless(told.text), told.blocks)
    assert speaks_to_nobody_else(shown), shown.blocks


def test_the_look_itself_sees_a_mention_and_a_link() -> None:
    for text in MENTIONS[:17]:
        assert not speaks_to_nobody_else(Shown(text, ()))
        section = {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        assert not speaks_to_nobody_else(Shown("", [section]))
    loose = {"type": "section", "text": {"type": "mrkdwn", "text": "https://evil.example.com"}}
    assert not speaks_to_nobody_else(Shown("", [loose]))
