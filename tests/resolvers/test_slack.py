"""Slack's history asked about uncertain cards, against the HTTP stand-in and servers that misbehave."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from commsengine.channels.slack import EVENT_TYPE, SlackChannel
from commsengine.resolvers.resolver import Sending, Sighting
from commsengine.resolvers.slack import SlackHistory
from commsengine.sandbox.sandbox import Serving
from commsengine.sandbox.slack_server import SlackStandIn
from tests.channels.test_slack import Ids, a_card
from tests.servers import HttpOddity, http_json
from tests.waiting import PATIENCE

NOW = dt.datetime(2026, 11, 25, 22, 41, tzinfo=dt.UTC)
ANA = ("U00000001", "D00000001")


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[Serving, Starlette]]:
    app = Starlette()
    with Serving(app) as server:
        yield server, app


class Time:
    """What the stand-in's stamps are made of."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def slack(serving: tuple[Serving, Starlette], time: Time) -> SlackStandIn:
    stand_in = SlackStandIn([("ana@example.com", "Ana Kim"), ("ben@example.com", "Ben Ortiz")], clock=time)
    stand_in.url, serving[1].router.routes[:] = serving[0].url, stand_in.routes
    return stand_in


@pytest.fixture
def ids() -> Ids:
    return Ids()


def post(slack: SlackStandIn, ids: Ids, *keys: str, **changes: Any) -> None:
    channel = SlackChannel("xoxb-sandbox", ids, api_url=slack.api_url)
    assert all(one.remote_id for one in channel.deliver([a_card(key, **changes) for key in keys], lambda these: these))


def asked(key: str, email: str = "ana@example.com", since: dt.datetime = NOW, slack_id: str = "") -> Sending:
    return Sending(key, email, slack_id, since)


def look(slack: SlackStandIn, ids: Ids, *sendings: Sending) -> Mapping[str, Sighting]:
    history = SlackHistory("xoxb-sandbox", ids, api_url=slack.api_url)
    try:
        return history.look(sendings)
    finally:
        history.close()


def test_a_card_that_arrived_is_found_and_one_that_did_not_is_missing(slack: SlackStandIn, ids: Ids) -> None:
    post(slack, ids, "k1")
    found = look(slack, ids, asked("k1"), asked("k2"))
    (card,) = slack.posts
    assert found["k1"] == Sighting(True, "Slack shows it in the conversation", card.remote_id)
    assert (found["k2"].found, found["k2"].remote_id) == (False, "")
    assert slack.calls.count("conversations.history") == 1  # one request for one person
    assert "ana" not in found["k2"].evidence


def test_a_card_that_slack_posted_late_is_found(slack: SlackStandIn, ids: Ids, time: Time) -> None:
    time.now = NOW + dt.timedelta(hours=3)
    post(slack, ids, "k1", "k2")
    assert look(slack, ids, asked("k1"))["k1"].found


def test_a_card_with_this_key_is_this_touch_also_if_our_clock_was_ahead(
    slack: SlackStandIn, ids: Ids, time: Time
) -> None:
    """By up to a day; further back nobody looks."""
    post(slack, ids, "k1")
    found = [look(slack, ids, asked("k1", since=NOW + dt.timedelta(hours=h)))["k1"].found for h in (23, 25)]
    assert found == [True, False]


def test_each_person_has_a_conversation_of_their_own(slack: SlackStandIn, ids: Ids) -> None:
    post(slack, ids, "k1")
    post(slack, ids, "k2", to_email="ben@example.com")
    found = look(slack, ids, asked("k1"), asked("k2", "Ben@example.com"), asked("k3", "ben@example.com"))
    assert {key: one.found for key, one in found.items()} == {"k1": True, "k2": True, "k3": False}


def test_a_long_conversation_is_read_page_by_page(slack: SlackStandIn, ids: Ids) -> None:
    post(slack, ids, *(f"k{n}" for n in range(3)))
    user = slack.team.user("ana@example.com")
    assert user
    for n in range(450):
        slack.team.post(user, "text", [], {"event_type": EVENT_TYPE, "event_payload": {"key": f"later{n}"}})
    found = look(slack, ids, asked("k0"), asked("never"))
    assert (found["k0"].found, found["never"].found) == (True, False)
    assert slack.calls.count("conversations.history") == 3


def test_a_card_without_its_metadata_might_be_the_one(slack: SlackStandIn, ids: Ids) -> None:
    post(slack, ids, "k1")
    user = slack.team.user("ana@example.com")
    assert user
    slack.team.post(user, "text", [], {})
    assert look(slack, ids, asked("k1"), asked("k2")).keys() == {"k1"}


def test_a_conversation_that_is_not_remembered_is_opened_again(slack: SlackStandIn, ids: Ids) -> None:
    post(slack, ids, "k1")
    slack.calls.clear()
    known = Ids({"ana@example.com": ("U00000001", "")})
    assert look(slack, known, asked("k1"))["k1"].found
    assert look(slack, Ids(), asked("k1", slack_id="U00000001"))["k1"].found
    assert slack.calls == ["conversations.open", "conversations.history"] * 2


def test_a_conversation_that_is_gone_is_opened_again(slack: SlackStandIn, ids: Ids) -> None:
    post(slack, ids, "k1")
    slack.calls.clear()
    known = Ids({"ana@example.com": ("U00000001", "D00000999")})
    assert look(slack, known, asked("k1"))["k1"].found
    assert slack.calls == ["conversations.history", "conversations.open", "conversations.history"]


def test_a_slack_id_of_ones_own_goes_before_what_is_remembered(slack: SlackStandIn) -> None:
    post(slack, Ids(), "k1", slack_id="U00000002")
    assert look(slack, Ids({"ana@example.com": ANA}), asked("k1", slack_id="U00000002"))["k1"].found


def test_of_somebody_who_was_never_met_nothing_is_said(slack: SlackStandIn, ids: Ids) -> None:
    post(slack, ids, "k1")
    with capture_logs() as logged:
        found = look(slack, ids, asked("k0", "zoe@example.com"), asked("k2", slack_id="U404"), asked("k1"))
    assert (found.keys(), logged) == ({"k1"}, [])


def test_under_a_rate_limit_nothing_more_is_asked_and_what_is_known_is_told(slack: SlackStandIn, ids: Ids) -> None:
    post(slack, ids, "k1")
    post(slack, ids, "k2", to_email="ben@example.com")
    slack.calls.clear()
    slack.limit("conversations.history")
    with capture_logs() as logged:
        assert look(slack, ids, asked("k1"), asked("k2", "ben@example.com")) == {}
    assert slack.calls == ["conversations.history"]
    assert [(entry["event"], entry["error"]) for entry in logged] == [("slack history unreadable", "ratelimited")]
    assert look(slack, ids, asked("k1"), asked("k2", "ben@example.com")).keys() == {"k1", "k2"}


@pytest.mark.parametrize("error", ["missing_scope", "invalid_auth", "internal_error", "a_new_word"])
def test_a_slack_that_refuses_says_nothing_and_is_one_warning(slack: SlackStandIn, ids: Ids, error: str) -> None:
    post(slack, ids, "k1")
    slack.fail("conversations.history", error, times=2)
    with capture_logs() as logged:
        assert look(slack, ids, asked("k1"), asked("k2", "ben@example.com")) == {}
    assert [(entry["log_level"], entry["error"]) for entry in logged] == [("warning", error)]
    assert not any(secret in str(logged) for secret in ("ana@", "xoxb", "U0000"))


def history(*messages: Any, **more: Any) -> bytes:
    return http_json(json.dumps({"ok": True, "messages": list(messages), **more}))


OURS = {
    "ts": "1764110460.000001",
    "bot_id": "B1",
    "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": "k1"}},
}


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (history(OURS), {"k1": True, "k2": False}),
        (history({"ts": "1.2", "user": "U1", "text": "thanks"}), {"k1": False, "k2": False}),
        (history(OURS, is_limited=True), {"k1": True}),
        (history(OURS, has_more=True), {"k1": True}),
        (history({**OURS, "metadata": {"event_type": "x", "event_payload": {"key": 1}}}), {"k1": False, "k2": False}),
        (history({**OURS, "metadata": {"event_type": EVENT_TYPE}}), {"k1": False, "k2": False}),
        (history({**OURS, "bot_id": ""}, has_more=True, response_metadata={"next_cursor": "again"}), {"k1": True}),
        (history({**OURS, "metadata": "k1"}), {}),
        (history("k1", 7, None), {}),
        (http_json('{"ok": true}'), {}),
        (http_json('{"ok": true, "messages": 7}'), {}),
        (http_json("[]"), {}),
        (http_json("<html>Please log in"), {}),
        (http_json("oh", "502 Bad Gateway"), {}),
        (b"?", {}),
        (None, {}),
    ],
)  # fmt: skip
def test_only_a_whole_answer_of_slacks_proves_that_a_card_is_missing(
    answer: bytes | None, known: dict[str, bool]
) -> None:
    with HttpOddity(lambda path: answer) as server:
        resolver = SlackHistory(
            "xoxb-sandbox",
            Ids({"ana@example.com": ANA}),
            api_url=f"http://127.0.0.1:{server.port}/api",
            timeout=PATIENCE,
        )
        found = resolver.look([asked("k1"), asked("k2")])
    assert {key: one.found for key, one in found.items()} == known


def test_a_slack_that_is_away_is_one_warning() -> None:
    with HttpOddity(lambda path: None) as server:
        pass
    resolver = SlackHistory("xoxb-x", Ids({"ana@example.com": ANA}), api_url=f"http://127.0.0.1:{server.port}/api")
    with capture_logs() as logged:
        assert resolver.look([asked("k1"), asked("k2", "ben@example.com", slack_id="U2")]) == {}
    assert len(logged) == 1
