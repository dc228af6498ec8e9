"""The stand-in turns away what Slack would turn away: too many calls, missing scopes, odd pages, people who left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette

from commsengine.channels.slack_manifest import MANIFEST
from commsengine.sandbox.sandbox import Serving
from commsengine.sandbox.slack_server import SlackStandIn
from commsengine.sandbox.slack_tiers import PUBLISHED, CallLimits, Tiers


class Time:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def slack(time: Time) -> Iterator[SlackStandIn]:
    stand_in = SlackStandIn(
        [("ana@example.com", "Ana"), ("ben@example.com", "Ben"), ("mia@example.com", "Mia")], clock=time
    )
    with Serving(Starlette(routes=stand_in.routes)) as server:
        stand_in.url = server.url
        yield stand_in


def ask(slack: SlackStandIn, method: str, **arguments: Any) -> dict[str, Any]:
    client = WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    return dict(client.api_call(method, params=arguments).data)  # type: ignore[arg-type]


def refusal(slack: SlackStandIn, method: str, **arguments: Any) -> Any:
    with pytest.raises(SlackApiError) as caught:
        ask(slack, method, **arguments)
    return caught.value.response


def test_a_method_is_limited_in_any_minute(time: Time) -> None:
    limits = CallLimits(PUBLISHED, time)
    for most, method in ((20, "users.list"), (50, "users.lookupByEmail"), (50, "chat.update"), (100, "views.open")):
        assert [limits.wait(method) for _ in range(most + 1)] == [0] * most + [60]
    time.now += 59.5
    assert limits.wait("users.list") == 1
    time.now += 0.5
    assert [limits.wait("users.list") for _ in range(21)] == [0] * 20 + [60]
    time.now += 90
    assert limits.wait("users.list") == 0


def test_posts_are_limited_in_a_channel_and_in_the_workspace(time: Time) -> None:
    limits = CallLimits(Tiers(posts=25, burst=10), time)
    assert [limits.wait("chat.postMessage", "D1") for _ in range(11)] == [0] * 10 + [10]
    assert [limits.wait("chat.postMessage", f"D{n}") for n in range(2, 18)] == [0] * 15 + [60]
    time.now += 60
    assert limits.wait("chat.postMessage", "D1") == 0


def test_tiers_can_be_scaled_and_left_out(time: Time) -> None:
    assert PUBLISHED.times(10).methods["users.list"] == 200
    assert {CallLimits(None, time).wait("users.list") for _ in range(1000)} == {0}


def test_too_many_calls_are_told_when_to_come_again(slack: SlackStandIn, time: Time) -> None:
    for _ in range(20):
        ask(slack, "users.list", limit=1)
    time.now += 20
    turned_away = refusal(slack, "users.list", limit=1)
    assert (turned_away.status_code, turned_away["error"], turned_away.headers["retry-after"]) == (
        429,
        "ratelimited",
        "40",
    )
    assert slack.turned_away == ["users.list"]


def test_a_missing_scope_is_named(time: Time) -> None:
    stand_in = SlackStandIn([], clock=time, manifest={**MANIFEST, "oauth_config": {"scopes": {"bot": ["chat:write"]}}})
    with Serving(Starlette(routes=stand_in.routes)) as server:
        stand_in.url = server.url
        said = refusal(stand_in, "users.list")
        assert (said["error"], said["needed"], said["provided"]) == ("missing_scope", "users:read", "chat:write")
        assert ask(stand_in, "auth.test")["ok"]


def test_users_come_in_pages_with_all_who_ever_were_there(slack: SlackStandIn) -> None:
    slack.team.change("ana@example.com", deleted=True)
    slack.team.change("ben@example.com", guest="multi")
    first = ask(slack, "users.list", limit=2)
    rest = ask(slack, "users.list", limit=2, cursor=first["response_metadata"]["next_cursor"])
    assert (len(first["members"]), rest["response_metadata"]["next_cursor"]) == (2, "")
    _bot, ana, ben, mia = first["members"] + rest["members"]
    assert (ana["deleted"], ben["is_restricted"], ben["is_ultra_restricted"], mia["profile"]["email"]) == (
        True, True, False, "mia@example.com",
    )  # fmt: skip
    assert refusal(slack, "users.list", limit=1001)["error"] == "invalid_limit"
    assert refusal(slack, "users.list", cursor="what")["error"] == "invalid_cursor"


def test_who_left_is_neither_found_nor_written_to(slack: SlackStandIn) -> None:
    ana = slack.team.change("ana@example.com", deleted=True)
    ben = slack.team.change("ben@example.com", bot=True)
    assert refusal(slack, "users.lookupByEmail", email=ana.email)["error"] == "users_not_found"
    assert refusal(slack, "conversations.open", users=ana.id)["error"] == "user_disabled"
    assert refusal(slack, "chat.postMessage", channel=ana.id, text="x")["error"] == "channel_not_found"
    assert refusal(slack, "chat.postMessage", channel=ben.id, text="x")["error"] == "cannot_dm_bot"


def test_a_post_to_a_user_id_opens_the_conversation(slack: SlackStandIn) -> None:
    assert refusal(slack, "conversations.history", channel="D00000001")["error"] == "channel_not_found"
    posted = ask(slack, "chat.postMessage", channel="U00000001", text="Hello")
    (message,) = ask(slack, "conversations.history", channel=posted["channel"])["messages"]
    assert (posted["channel"], message["ts"]) == ("D00000001", posted["ts"])


def test_an_organisation_wants_to_know_which_workspace(time: Time) -> None:
    stand_in = SlackStandIn([("ana@example.com", "Ana")], clock=time, teams={"T1": "North", "T2": "South"})
    stand_in.team.change("ana@example.com", team="T1")
    with Serving(Starlette(routes=stand_in.routes)) as server:
        stand_in.url = server.url
        assert ask(stand_in, "auth.test")["is_enterprise_install"]
        assert [team["name"] for team in ask(stand_in, "auth.teams.list", limit=1)["teams"]] == ["North"]
        assert [len(ask(stand_in, "users.list", team_id=team)["members"]) for team in ("T1", "T2")] == [2, 1]
        assert refusal(stand_in, "users.list")["error"] == "missing_argument"
        assert refusal(stand_in, "users.list", team_id="T9")["error"] == "team_access_not_granted"
