"""The first day over Slack: cards to whoever is there, buttons that record, and a way on for whoever is not there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commsengine.cadence.people import Person
from commsengine.sandbox.sandbox import Sandbox
from commsengine.sandbox.slack_tiers import PUBLISHED
from commsengine.slack_app.forms import ENTRY
from tests.cli.terminal import Terminal
from tests.servers import HttpOddity, http_json
from tests.stories.campaign import IN_FORCE
from tests.stories.conftest import free_port
from tests.stories.pages import pages
from tests.stories.program import Program
from tests.stories.starter import PEOPLE, init
from tests.waiting import expect

ANA, LEA = "ana.kim@example.com", "lea.blanc@example.com"
ON_SLACK = PEOPLE - {LEA}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Everybody is on Slack but Léa."""
    people = [Person(id=email, email=email, name=email.partition("@")[0]) for email in sorted(PEOPLE)]
    with Sandbox(people, on_slack=lambda person: person.email != LEA) as sandbox:
        yield sandbox


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox) -> Program:
    """Nothing but Slack is set up; the starter plan runs."""
    bind = f"127.0.0.1:{free_port()}"
    sandbox.slack.request_url = f"http://{bind}/slack/events"
    return Program(
        tmp_path / "crm",
        {
            "COMMSENGINE_SLACK_BOT_TOKEN": sandbox.slack.bot_token,
            "COMMSENGINE_SLACK_API_URL": sandbox.slack.api_url,
            "COMMSENGINE_SLACK_SIGNING_SECRET": sandbox.slack.signing_secret,
            "COMMSENGINE_HTTP_BIND": bind,
        },
    )


def started(program: Program) -> str:
    """Up to the first tick; what that said."""
    init(program)
    for command in IN_FORCE:
        program.here(*command)
    return program.done("tick")


def test_each_gets_one_card_and_its_button_records(program: Program, sandbox: Sandbox) -> None:
    assert started(program) == "4 messages sent, 1 follow-up opened, 0 skipped.\n"
    slack = sandbox.slack
    assert sorted(post.user.email for post in slack.posts) == sorted(ON_SLACK)
    keys = {row["key"]: row["person"] for row in program.look("touches", "crm")["touches"]}
    assert {post.key: post.user.email for post in slack.posts}.items() <= keys.items()
    (lea,) = program.look("followups")["follow_ups"]
    assert (lea["person"], lea["reason"]) == (LEA, "No channel reaches them: Slack (not on Slack).")

    (card,) = slack.dm_of(ANA)
    with pages(program):
        assert standing(program) == "reached"
        slack.click(ANA, "answer", card.key)
        expect(lambda: slack.team.dialogs_of(ANA))
        assert slack.submit(slack.team.dialogs_of(ANA)[-1], {ENTRY: "The last order."}).status == 200
        assert standing(program) == "acknowledged"
        expect(lambda: card.edits)
    assert len(slack.dm_of(ANA)) == 1
    program.here("tick")
    assert len([post for post in slack.posts if post.key in keys]) == len(ON_SLACK)  # leads get mail of their own
    assert program.books("crm").counts["sent"] == len(ON_SLACK) + 1


def standing(program: Program) -> str:
    return str(program.look("why", ANA)["campaigns"][0]["messages"][0]["standing"])


def test_a_slack_that_knows_nobody_is_read_within_its_limits_before_the_first_card(program: Program) -> None:
    """A larger workspace, two pages of users; Slack counts calls as it says, and turns none away."""
    strangers = [Person(id=f"x{number}", email=f"x{number}@example.com", name="") for number in range(600)]
    people = [Person(id=email, email=email, name="") for email in sorted(ON_SLACK)]
    with Sandbox([*strangers, *people], slack_tiers=PUBLISHED) as large:
        given = {**program.settings, "COMMSENGINE_SLACK_API_URL": large.slack.api_url}
        assert started(Program(program.folder, given)) == "4 messages sent, 1 follow-up opened, 0 skipped.\n"
        assert sorted(post.user.email for post in large.slack.posts) == sorted(ON_SLACK)
        counts = Counter(large.slack.calls)
    assert counts == {"auth.test": 1, "users.list": 2, "users.lookupByEmail": 1, "chat.postMessage": len(ON_SLACK)}
    assert large.slack.turned_away == []


def test_who_is_not_on_slack_gets_a_letter_in_the_same_tick(program: Program, sandbox: Sandbox) -> None:
    both = Program(program.folder, {**program.settings, "COMMSENGINE_SMTP_URL": sandbox.mailbox.url})
    started(both)
    assert sorted(post.user.email for post in sandbox.slack.posts) == sorted(ON_SLACK)
    assert [mail.recipients for mail in sandbox.mailbox.arrived] == [(LEA,)]
    assert both.look("followups")["follow_ups"] == []
    assert both.look("why", LEA)["unreachable"] == {"slack": "not on Slack"}


@pytest.mark.slow
def test_slack_that_asks_for_patience_gets_it(program: Program, sandbox: Sandbox) -> None:
    sandbox.slack.limit("chat.postMessage", times=2, retry_after=1)
    started(program)
    assert sorted(post.user.email for post in sandbox.slack.posts) == sorted(ON_SLACK)
    rows = program.look("touches", "crm")["touches"]
    assert {row["attempts"] for row in rows if row["channel"] == "slack" and row["state"] == "sent"} == {1}


def test_an_app_without_its_messages_tab_fails_nobody_and_says_where_to_switch_it_on(
    program: Program, sandbox: Sandbox
) -> None:
    """Made from a manifest of before: everybody waits, and the remedy stands wherever somebody looks."""
    sandbox.slack.team.messages_tab = False
    init(program)
    for command in IN_FORCE:
        program.here(*command)
    with program.environment():
        assert Terminal(program.folder).run("tick").status == 1  # a person must act
    rows = program.look("touches", "crm")["touches"]
    assert not [row for row in rows if row["channel"] == "slack" and row["state"] != "retry"]
    remedy = "Slack refuses us: messages_tab_disabled. Switch it on at api.slack.com/apps: the app → App Home"
    send_test = ("send-test", str(program.folder / "schedules/crm.yaml"), "--to", ANA, "--channel", "slack")
    with program.environment():
        told = [Terminal(program.folder).run(*words) for words in (send_test, ("status",), ("doctor",))]
        sandbox.slack.team.messages_tab = True
        tested = Terminal(program.folder).run(*send_test)
    assert [(said.status, remedy in said.out + said.err) for said in told] == [(1, True), (0, True), (1, True)]
    assert (tested.status, [post.user.email for post in sandbox.slack.posts]) == (0, [ANA])


ANSWERS: dict[str, dict[str, Any]] = {
    "auth.test": {"user_id": "U0", "bot_id": "B0", "team_id": "T0"},
    "users.lookupByEmail": {"user": {"id": "U1"}},
    "chat.postMessage": {"channel": "D1", "ts": "1795300000.000100"},
}


def test_any_server_that_speaks_the_web_api_will_do(program: Program) -> None:
    def answer(path: str) -> bytes:
        method = path.partition("?")[0].rpartition("/")[2]
        return http_json(json.dumps({"ok": method in ANSWERS, **ANSWERS.get(method, {"error": "unknown_method"})}))

    with HttpOddity(answer) as server:
        settings = {
            "COMMSENGINE_SLACK_BOT_TOKEN": "xoxb-1-2-abc",
            "COMMSENGINE_SLACK_API_URL": f"http://127.0.0.1:{server.port}/api",
        }
        plain = Program(program.folder, settings)
        started(plain)
        posted = [body for body in server.bodies if b"event_payload" in body]
    assert len(posted) == len(PEOPLE)
    keys = {row["key"] for row in plain.look("touches", "crm")["touches"]}
    assert {key for key in keys if any(key.encode() in body for body in posted)} == keys
