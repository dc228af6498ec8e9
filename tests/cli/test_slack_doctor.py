"""``doctor`` about Slack: which workspaces a token reaches, whom of the directory it finds there, one real message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from commsengine.answers.review_copies import NOTE
from commsengine.channels.slack_manifest import MANIFEST
from commsengine.sandbox.mailbox import Mailbox
from commsengine.sandbox.sandbox import Serving
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.store.tables import review_copy
from commsengine.wiring import Wiring
from tests.cli.conftest import plan
from tests.cli.terminal import Terminal
from tests.servers import HttpOddity, http_json

ANA, BEN, MIA, DANA = (f"{name}@example.com" for name in ("ana", "ben", "mia", "dana"))
MakeSlack = Callable[..., SlackStandIn]


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSlack]:
    app = Starlette()
    with Serving(app) as server:

        def make(**options: Any) -> SlackStandIn:
            stand_in = SlackStandIn([(each, each) for each in (ANA, BEN, MIA)], **options)
            stand_in.url, app.router.routes[:] = server.url, stand_in.routes
            monkeypatch.setenv("COMMSENGINE_SLACK_BOT_TOKEN", stand_in.bot_token)
            monkeypatch.setenv("COMMSENGINE_SLACK_API_URL", stand_in.api_url)
            return stand_in

        yield make


def test_a_test_to_somebody_who_is_not_on_slack_goes_by_mail(
    terminal: Terminal, slack: MakeSlack, mailbox: Mailbox
) -> None:
    stand_in = slack()
    terminal.write("schedules/crm.yaml", plan(**{"channels: [email]": "channels: [slack, email]"}))
    asked = ("send-test", terminal.path("schedules/crm.yaml"), "--as", ANA, "--to")
    said = terminal.run(*asked, "me@example.com")
    assert (said.status, said.out) == (0, f"Sent to me@example.com by email, as {ANA} would see it.\n")
    assert "slack does not reach me@example.com (not on Slack), so it is sent by email." in said.err
    assert ([mail.recipients for mail in mailbox.arrived], stand_in.posts) == ([("me@example.com",)], [])
    assert terminal.run(*asked, BEN).out == f"Sent to {BEN} by slack, as {ANA} would see it.\n"
    (post,) = stand_in.posts
    assert NOTE in str(post.blocks[0])
    with Wiring(terminal.folder) as wiring:
        copies = wiring.store.database.rows(review_copy.select())
        assert {(copy.recipient, bool(copy.remote_id)) for copy in copies} >= {(BEN, True)}
        assert len(copies) == 2


def told(terminal: Terminal, *arguments: str) -> tuple[int, dict[str, str]]:
    """Exit status, and of what is said about Slack each text with its state."""
    said = terminal.run("doctor", *arguments, "--json")
    findings = [each for each in said.data["findings"] if each["about"] == "slack"]
    return said.status, {f"{each['text']} {each['fix']}".strip(): each["state"] for each in findings}


def read(terminal: Terminal) -> None:
    with Wiring(Path(terminal.folder)) as wiring:
        wiring.channels["slack"].prepare(wiring.clock())


def test_it_says_which_workspace_whom_of_the_directory_and_who_is_deactivated(
    applied: Terminal, slack: MakeSlack
) -> None:
    team = slack().team
    _status, before = told(applied)
    assert before["The list of users has not been read yet; the engine reads it before the first message."] == "note"
    assert before["It reaches one workspace, Sandbox. People of another one get the next channel."] == "ok"
    team.change(BEN, deleted=True)
    read(applied)
    _status, after = told(applied)
    (counts,) = [text for text in after if text.startswith("Of 4 people in the directory, 2 are on Slack (read ")]
    gone = f"1 person of the directory is deactivated in Slack: {BEN}."
    fix = "If they have left, write it into people.csv (column left). Nothing was changed."
    assert (after[counts], after[f"{gone} {fix}"]) == ("ok", "note")


def test_an_organisation_is_named_with_its_workspaces(applied: Terminal, slack: MakeSlack) -> None:
    slack(teams={"T1": "North", "T2": "South"})
    _status, said = told(applied)
    assert said["The app is installed in a whole organisation and reaches 2 workspaces: North, South."] == "ok"


def test_a_missing_scope_is_named_and_what_it_costs(applied: Terminal, slack: MakeSlack) -> None:
    scopes = [scope for scope in MANIFEST["oauth_config"]["scopes"]["bot"] if scope != "users:read"]
    slack(manifest={**MANIFEST, "oauth_config": {"scopes": {"bot": scopes}}})
    read(applied)
    status, said = told(applied)
    assert said["Scopes are missing: users:read. Use slack-manifest.json of init."] == "problem"
    (unread,) = [text for text in said if text.startswith("The list of users cannot be read: missing_scope.")]
    assert (status, said[unread], "Give the app the scopes of slack-manifest.json" in unread) == (1, "problem", True)


def test_a_token_that_is_refused_says_what_helps(
    applied: Terminal, slack: MakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack()
    monkeypatch.setenv("COMMSENGINE_SLACK_BOT_TOKEN", "xoxb-other")
    status, said = told(applied)
    remedy = "Install the app again and copy its bot token (xoxb-…)."
    assert (status, said) == (1, {f"Slack does not accept us: invalid_auth. {remedy}": "problem"})


def test_one_real_message_is_sent_and_read_back(applied: Terminal, slack: MakeSlack) -> None:
    stand_in = slack()
    status, said = told(applied, "--slack-dm", "Ana@example.com")
    assert (status, set(said.values())) == (0, {"ok"})
    assert [post.text for post in stand_in.dm_of(ANA)] == ["This is a test of commsengine. There is nothing to do."]
    assert stand_in.calls == ["users.lookupByEmail", "chat.postMessage", "conversations.history"]


@pytest.mark.parametrize(
    ("method", "error", "remedy"),
    [
        ("chat.postMessage", "messages_tab_disabled", "App Home → Show Tabs → Messages Tab."),
        ("chat.postMessage", "restricted_action", "Ask an administrator of the Slack workspace"),
        ("conversations.history", "missing_scope", "Give the app the scopes of slack-manifest.json"),
        ("users.lookupByEmail", "users_not_found", "Write the address that this person has in Slack"),
    ],
)
def test_a_message_that_does_not_come_back_says_what_slack_answered_and_what_helps(
    applied: Terminal, slack: MakeSlack, method: str, error: str, remedy: str
) -> None:
    slack().fail(method, error)
    status, said = told(applied, "--slack-dm", ANA)
    (problem,) = [text for text, state in said.items() if state == "problem"]
    assert (status, f": {error}. " in problem, remedy in problem) == (1, True, True)


def test_a_message_that_slack_took_and_does_not_show_is_a_problem(
    applied: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"users.lookupByEmail": {"user": {"id": "U1"}}, "chat.postMessage": {"channel": "D1", "ts": "1.1"}}

    def answer(path: str) -> bytes:
        return http_json(json.dumps({"ok": True, **answers.get(path.rpartition("/")[2], {"messages": []})}))

    with HttpOddity(answer) as server:
        monkeypatch.setenv("COMMSENGINE_SLACK_BOT_TOKEN", "xoxb-1")
        monkeypatch.setenv("COMMSENGINE_SLACK_API_URL", f"http://127.0.0.1:{server.port}/api/")
        status, said = told(applied, "--slack-dm", ANA)
    assert (status, list(said.values())) == (1, ["ok", "problem"])


def test_without_slack_there_is_nobody_to_send_to(applied: Terminal) -> None:
    assert told(applied, "--slack-dm", ANA)[0] == 1
