"""Slack against a real HTTP stand-in, and against servers that misbehave at the socket."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from starlette.applications import Starlette

from commsengine.cadence.kinds_and_states import SlackStatus
from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, UNCERTAIN, Outcome
from commsengine.channels.slack import SlackChannel
from commsengine.channels.slack_manifest import MANIFEST
from commsengine.sandbox.sandbox import Serving
from commsengine.sandbox.slack_server import SlackStandIn
from tests.servers import HttpOddity, a_mail, http_json
from tests.waiting import PATIENCE

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "One list for all of us"}}]
FOUND = http_json('{"ok": true, "user": {"id": "U1"}, "channel": {"id": "D1"}}')

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"


class Ids(dict[str, tuple[str, str]]):
    """An id cache in memory."""

    def __init__(self, *known: Any) -> None:
        super().__init__(*known)
        self.grid: dict[str, str] = {}
        self.statuses: dict[str, SlackStatus] = {}

    def status(self, email: str, user_id: str) -> SlackStatus:
        return self.statuses.get(user_id, "")

    def put(self, email: str, user_id: str, dm_id: str, grid_id: str = "") -> None:
        self[email] = (user_id, dm_id)
        self.grid[user_id] = grid_id or self.grid.get(user_id, "")

    def grid_id(self, email: str, user_id: str) -> str:
        return self.grid.get(user_id, "")


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[Serving, Starlette]]:
    app = Starlette()
    with Serving(app) as server:
        yield server, app


@pytest.fixture
def slack(serving: tuple[Serving, Starlette]) -> SlackStandIn:
    """A fresh Slack for each test, behind one server."""
    stand_in = SlackStandIn([("ana@example.com", "Ana Kim"), ("ben@example.com", "Ben Ortiz")])
    stand_in.url, serving[1].router.routes[:] = serving[0].url, stand_in.routes
    return stand_in


def deliver(
    slack: SlackStandIn, *changes: dict[str, Any], ids: Ids | None = None, bot: str = "xoxb-sandbox"
) -> list[Outcome]:
    channel = SlackChannel(bot, Ids() if ids is None else ids, api_url=slack.api_url)
    cards = [a_card(f"k{number}", **change) for number, change in enumerate(changes or ({},), 1)]
    return list(channel.deliver(cards, lambda keys: keys))


def a_card(key: str = "k1", **changes: Any) -> Any:
    return a_mail(key, **{"channel": "slack", "blocks": BLOCKS, **changes})


def test_a_card_is_posted_once_with_its_key(slack: SlackStandIn) -> None:
    (outcome,) = deliver(slack)
    (post,) = slack.dm_of("ana@example.com")
    assert outcome == Outcome("k1", SENT, "reply", "ok", remote_id=post.remote_id)
    assert (post.key, post.blocks, post.text) == ("k1", BLOCKS, "Hello Ana")
    assert post.metadata == {"event_type": "commsengine_touch", "event_payload": {"key": "k1"}}


def test_ids_are_asked_for_once_in_a_lifetime(slack: SlackStandIn) -> None:
    ids = Ids()
    deliver(slack, {}, {"to_email": "Ana@Example.com"}, ids=ids)
    deliver(slack, {}, ids=ids)
    assert slack.calls == ["users.lookupByEmail", *["chat.postMessage"] * 3]
    assert ids == {"ana@example.com": ("U00000001", "D00000001")}


def test_a_slack_id_of_ones_own_needs_no_lookup(slack: SlackStandIn) -> None:
    deliver(slack, {"to_email": "alias@example.com", "slack_id": "U00000002"})
    assert slack.calls == ["chat.postMessage"]
    assert len(slack.dm_of("ben@example.com")) == 1


def test_a_remembered_id_gives_way_to_a_slack_id_of_ones_own(slack: SlackStandIn) -> None:
    ids = Ids({"ana@example.com": ("U00000001", "D00000001")})
    deliver(slack, {"slack_id": "U00000002"}, ids=ids)
    assert (len(slack.dm_of("ben@example.com")), ids["ana@example.com"][0]) == (1, "U00000002")


def test_the_mark_comes_right_before_the_post(slack: SlackStandIn) -> None:
    seen: list[list[str]] = []

    def mark(keys: Sequence[str]) -> Sequence[str]:
        seen.append(list(slack.calls))
        return ()

    channel = SlackChannel("xoxb-sandbox", Ids(), api_url=slack.api_url)
    (outcome,) = channel.deliver([a_card()], mark)
    assert (outcome.verdict, outcome.begun) == (RELEASED, False)
    assert seen == [slack.calls] == [["users.lookupByEmail"]]


def test_who_is_not_on_slack_is_told_apart_and_the_others_go(slack: SlackStandIn) -> None:
    missing, ben = deliver(slack, {"to_email": "zoe@example.com"}, {"to_email": "ben@example.com"})
    assert missing == Outcome(
        "k1", PERMANENT, "connect", "users_not_found", begun=False, unreachable="not on Slack", fault="person",
        alike="users_not_found",
    )  # fmt: skip
    assert ben.verdict == SENT


def test_a_rate_limit_is_no_attempt_and_says_how_long_to_wait(slack: SlackStandIn) -> None:
    slack.limit("chat.postMessage", retry_after=7)
    first, second = deliver(slack, {}, {"to_email": "ben@example.com"})
    assert (first.verdict, first.begun, first.retry_after) == (RETRY, False, 7.0)
    assert (second.verdict, second.begun, second.retry_after) == (RETRY, False, 7.0)
    assert slack.calls.count("chat.postMessage") == 1


def test_a_limit_on_lookups_leaves_those_whose_ids_are_known(slack: SlackStandIn) -> None:
    ids = Ids()
    deliver(slack, {"to_email": "ben@example.com"}, ids=ids)
    slack.limit("users.lookupByEmail")
    assert [o.verdict for o in deliver(slack, {}, {"to_email": "ben@example.com"}, ids=ids)] == [RETRY, SENT]


def test_a_wrong_token_stops_the_whole_batch(slack: SlackStandIn) -> None:
    outcomes = deliver(slack, {}, {}, bot="xoxb-wrong")
    assert {(o.verdict, o.begun, o.channel_down) for o in outcomes} == {
        (RETRY, False, "Slack refuses us: invalid_auth. Install the app again and copy its bot token (xoxb-…)")
    }
    assert len(slack.calls) == 1


ABOUT_US = (
    "token_revoked", "not_authed", "missing_scope", "account_inactive", "not_allowed_token_type", "restricted_action",
    "ekm_access_denied", "org_login_required", "messages_tab_disabled", "message_limit_exceeded", "team_added_to_org",
)  # fmt: skip
FAULTS = {"team_added_to_org": "later", "org_login_required": "later", "message_limit_exceeded": "quota"}
ABOUT_THE_PERSON = (
    "user_not_found", "users_not_found", "user_disabled", "channel_not_found", "cannot_dm_bot", "is_archived",
)  # fmt: skip


@pytest.mark.parametrize("error", ABOUT_US)
def test_what_is_wrong_with_us_or_the_workspace_is_nobodys_fault(slack: SlackStandIn, error: str) -> None:
    slack.fail("chat.postMessage", error)
    first, second = deliver(slack, {}, {"to_email": "ben@example.com"})
    for one in (first, second):
        assert (one.verdict, one.begun, one.unreachable) == (RETRY, False, "")
        assert re.match(rf"Slack refuses us: {error}\. [A-Z].{{20,}}[^.]$", one.channel_down)
        assert one.fault == FAULTS.get(error, "us")


@pytest.mark.parametrize("error", ABOUT_THE_PERSON)
def test_who_cannot_be_reached_in_slack_is_told_apart_for_good(slack: SlackStandIn, error: str) -> None:
    slack.fail("chat.postMessage", error)
    slack.fail("conversations.open", error)
    first, second = deliver(slack, {}, {"to_email": "ben@example.com"}, ids=Ids())
    assert (first.verdict, first.begun, first.unreachable) == (PERMANENT, False, "not on Slack")
    assert (first.channel_down, second.verdict) == ("", SENT)


@pytest.mark.parametrize("features", [{}, {"app_home": {"messages_tab_enabled": False}}])
def test_an_app_without_its_messages_tab_is_refused_and_says_where_to_switch_it_on(
    serving: tuple[Serving, Starlette], features: dict[str, Any]
) -> None:
    slack = SlackStandIn([("ana@example.com", "Ana Kim")], manifest={**MANIFEST, "features": features})
    slack.url, serving[1].router.routes[:] = serving[0].url, slack.routes
    (outcome,) = deliver(slack)
    assert (outcome.verdict, outcome.begun, outcome.unreachable, outcome.fault) == (RETRY, False, "", "us")
    assert outcome.channel_down == (
        "Slack refuses us: messages_tab_disabled. Switch it on at api.slack.com/apps: the app → App Home → Show Tabs → "
        "Messages Tab"
    )
    assert slack.posts == []


def test_both_ids_of_somebody_in_an_enterprise_grid_are_remembered(serving: tuple[Serving, Starlette]) -> None:
    slack = SlackStandIn([("ana@example.com", "Ana Kim", "U7", "W7")])
    slack.url, serving[1].router.routes[:] = serving[0].url, slack.routes
    ids = Ids()
    assert [outcome.verdict for outcome in deliver(slack, ids=ids)] == [SENT]
    assert (ids["ana@example.com"][0], ids.grid_id("ana@example.com", "U7")) == ("U7", "W7")


def test_a_conversation_that_is_gone_is_opened_anew_the_next_time(slack: SlackStandIn) -> None:
    ids = Ids()
    deliver(slack, ids=ids)
    slack.team.forget_conversation("ana@example.com")
    (gone,) = deliver(slack, ids=ids)
    (again,) = deliver(slack, ids=ids)
    assert (gone.verdict, gone.begun, again.verdict) == (RETRY, False, SENT)


@pytest.mark.parametrize(
    ("error", "status", "verdict", "begun"),
    [
        ("invalid_blocks", 200, PERMANENT, True),
        ("msg_too_long", 200, PERMANENT, True),
        ("something_new", 200, RETRY, True),
        ("service_unavailable", 503, RETRY, True),
        ("fatal_error", 200, UNCERTAIN, True),
        ("internal_error", 500, UNCERTAIN, True),
    ],
)
def test_what_an_error_on_the_post_means(
    slack: SlackStandIn, error: str, status: int, verdict: str, begun: bool
) -> None:
    slack.fail("chat.postMessage", error, status=status)
    (outcome,) = deliver(slack)
    assert (outcome.verdict, outcome.begun, outcome.reply) == (verdict, begun, error)


def odd(post: bytes | None, lookup: bytes | None = FOUND) -> HttpOddity:
    return HttpOddity(lambda path: post if path.endswith("chat.postMessage") else lookup)


def against(server: HttpOddity) -> list[Outcome]:
    channel = SlackChannel("xoxb-sandbox", Ids(), api_url=f"http://127.0.0.1:{server.port}/api", timeout=PATIENCE)
    return list(channel.deliver([a_card()], lambda keys: keys))


def test_a_reset_after_the_request_is_uncertain_and_posts_exactly_once() -> None:
    with odd(None) as server:
        (outcome,) = against(server)
        assert (outcome.verdict, outcome.begun) == (UNCERTAIN, True)
        assert server.requests.count("/api/chat.postMessage") == 1


def test_a_reset_before_the_post_is_safe_to_repeat() -> None:
    with odd(FOUND, lookup=None) as server:
        (outcome,) = against(server)
        assert (outcome.verdict, outcome.begun, outcome.channel_down) == (RETRY, False, "")
        assert server.requests == ["/api/users.lookupByEmail"]


@pytest.mark.parametrize("answer", [http_json("<html>Please log in"), http_json("oh", "502 Bad Gateway"), HALF, b"?"])
def test_an_answer_to_the_post_that_is_not_slacks_is_uncertain(answer: bytes) -> None:
    with odd(answer) as server:
        assert [outcome.verdict for outcome in against(server)] == [UNCERTAIN]


@pytest.mark.parametrize("found", ['{"ok": true}', '{"ok": true, "user": "U1"}', "[]", "<html>Please log in"])
def test_an_answer_before_the_post_that_is_not_slacks_is_safe_to_repeat(found: str) -> None:
    with odd(FOUND, lookup=http_json(found)) as server:
        (outcome,) = against(server)
        assert (outcome.verdict, outcome.begun, len(server.requests)) == (RETRY, False, 1)


def test_a_deactivated_person_is_not_on_slack() -> None:
    with odd(FOUND, lookup=http_json('{"ok": true, "user": {"id": "U1", "deleted": true}}')) as server:
        assert [outcome.unreachable for outcome in against(server)] == ["not on Slack"]


def test_slack_that_cannot_be_reached_is_down_for_everybody() -> None:
    with HttpOddity(lambda path: FOUND) as server:
        pass
    (outcome,) = against(server)
    assert (outcome.verdict, outcome.begun, outcome.channel_down) == (RETRY, False, "Slack refuses the connection")


def test_the_sdk_logs_nothing(
    slack: SlackStandIn, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    deliver(slack, {"text": "canary"})
    with odd(None) as server:
        against(server)
    assert "canary" not in caplog.text + capsys.readouterr().err
    assert "xoxb" not in caplog.text


def test_text_cannot_mention_anybody_and_what_is_escaped_stays(slack: SlackStandIn) -> None:
    deliver(slack, {"text": "<!channel> & <@U00000002> &lt;!here&gt;"})
    assert slack.posts[0].text == "&lt;!channel&gt; & &lt;@U00000002&gt; &lt;!here&gt;"


def test_the_post_asks_slack_to_add_nothing_of_its_own() -> None:
    with odd(FOUND) as server:
        against(server)
    for wish in ('"unfurl_links": false', '"unfurl_media": false', '"link_names": false', '"parse": "none"'):
        assert wish in server.bodies[-1].decode()


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("-5", 1),
        ("nan", 1),
        ("inf", 3600),
        ("99999999", 3600),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 30),
    ],
)
def test_a_wait_is_taken_as_far_as_it_makes_sense(asked: str, seconds: float) -> None:
    limited = http_json('{"ok": false, "error": "ratelimited"}', "429 Too Many Requests", f"Retry-After: {asked}\r\n")
    with odd(limited) as server:
        (outcome,) = against(server)
    assert (outcome.verdict, outcome.begun, outcome.retry_after) == (RETRY, False, seconds)


@pytest.mark.parametrize("status", ["200 OK", "429 Too Many Requests"])
def test_a_limit_that_says_nothing_of_time_means_half_a_minute(status: str) -> None:
    with odd(http_json('{"ok": false, "error": "ratelimited"}', status)) as server:
        (outcome,) = against(server)
    assert (outcome.verdict, outcome.begun, outcome.retry_after) == (RETRY, False, 30.0)


def test_a_stopped_post_costs_nobody_else_a_look_up(slack: SlackStandIn) -> None:
    slack.limit("chat.postMessage")
    deliver(slack, {}, {"to_email": "ben@example.com"})
    assert slack.calls == ["users.lookupByEmail", "chat.postMessage"]


@pytest.mark.parametrize("dm", ["", "DOLD"])
def test_an_id_of_another_workspace_gives_way_to_the_one_here(slack: SlackStandIn, dm: str) -> None:
    """The bot has moved, or the person was invited anew: what was remembered is nobody's any more."""
    ids = Ids({"ana@example.com": ("UOLD", dm)})
    outcomes = [deliver(slack, ids=ids)[0] for _ in range(2 if dm else 1)]
    assert [(outcome.verdict, outcome.begun) for outcome in outcomes] == [*[(RETRY, False)] * bool(dm), (SENT, True)]
    assert (len(slack.dm_of("ana@example.com")), ids["ana@example.com"]) == (1, ("U00000001", "D00000001"))


def test_whose_own_slack_id_is_nobodys_is_not_on_slack(slack: SlackStandIn) -> None:
    (outcome,) = deliver(slack, {"slack_id": "U99999999"})
    assert (outcome.verdict, outcome.unreachable) == (PERMANENT, "not on Slack")
    assert slack.calls == ["chat.postMessage", "conversations.open"]


@pytest.mark.parametrize(("error", "verdict"), [("invalid_arguments", PERMANENT), ("something_new", RETRY)])
@pytest.mark.parametrize("method", ["users.lookupByEmail", "chat.postMessage"])
def test_a_refusal_of_one_person_counts_as_an_attempt_and_stops_nobody(
    slack: SlackStandIn, method: str, error: str, verdict: str
) -> None:
    """Counted, so that it is tried less and less and ends; not counted, it would be due again at once, for ever."""
    slack.fail(method, error)
    first, second = deliver(slack, {}, {"to_email": "ben@example.com"})
    assert (first.verdict, first.begun, first.channel_down, second.verdict) == (verdict, True, "", SENT)


HOLD_ON = http_json("<html>Bad gateway", "502 Bad Gateway")


def several(server: HttpOddity, count: int) -> list[Outcome]:
    channel = SlackChannel("xoxb-sandbox", Ids(), api_url=f"http://127.0.0.1:{server.port}/api", timeout=PATIENCE)
    return [next(iter(channel.deliver([a_card(f"k{number}")], lambda keys: keys))) for number in range(count)]


@pytest.mark.parametrize(
    "lookup", [None, HOLD_ON, http_json('{"ok": false, "error": "fatal_error"}'), http_json("[1]")]
)
def test_trouble_before_the_post_waits_a_little_and_in_the_end_shuts_the_channel(lookup: bytes | None) -> None:
    with odd(FOUND, lookup=lookup) as server:
        outcomes = several(server, 3)
    assert [(one.verdict, one.begun, one.retry_after, bool(one.channel_down)) for one in outcomes] == [
        (RETRY, False, 1.0, False), (RETRY, False, 1.0, False), (RETRY, False, None, True),
    ]  # fmt: skip


def test_an_outage_leaves_few_touches_uncertain() -> None:
    """Three posts stay without an answer; the rest of the batch has not begun."""
    with odd(None) as server:
        channel = SlackChannel("xoxb-sandbox", Ids(), api_url=f"http://127.0.0.1:{server.port}/api", timeout=PATIENCE)
        marked: list[str] = []
        outcomes = list(channel.deliver([a_card(f"k{n}") for n in range(6)], lambda keys: marked.extend(keys) or keys))
        assert server.requests.count("/api/chat.postMessage") == 3
    assert [(one.verdict, one.begun) for one in outcomes] == [(UNCERTAIN, True)] * 3 + [(RETRY, False)] * 3
    assert marked == ["k0", "k1", "k2"]
    assert [one.channel_down for one in outcomes] == [
        "",
        "",
        *["Slack is in trouble: the connection broke (ConnectionResetError)"] * 4,
    ]


def test_one_answer_makes_good_for_the_trouble_before_it() -> None:
    answers = [None, None, FOUND, None, None]
    with HttpOddity(lambda path: answers.pop(0) if path.endswith("chat.postMessage") else FOUND) as server:
        outcomes = several(server, 5)
    assert [outcome.verdict for outcome in outcomes] == [UNCERTAIN, UNCERTAIN, SENT, UNCERTAIN, UNCERTAIN]
    assert {outcome.channel_down for outcome in outcomes} == {""}


def test_a_connection_that_never_comes_about_leaves_nothing_uncertain() -> None:
    """A network that swallows everything: nothing can have been posted, and nobody else can be served either."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with contextlib.ExitStack() as waiting:
            for _ in range(4):  # the queue is full: whoever comes now is not even told no
                waiting.enter_context(another := socket.socket())
                another.setblocking(False)
                another.connect_ex(address)
            ids = Ids({"ana@example.com": ("U1", "D1")})
            channel = SlackChannel("xoxb-sandbox", ids, api_url=f"http://127.0.0.1:{address[1]}/api", timeout=1.0)
            (outcome,) = channel.deliver([a_card()], lambda keys: keys)
    assert (outcome.verdict, outcome.begun, outcome.channel_down) == (RETRY, False, "Slack does not answer")


def test_slack_that_takes_the_post_and_falls_silent_is_uncertain() -> None:
    with odd(b"") as server:
        channel = SlackChannel("xoxb-sandbox", Ids(), api_url=f"http://127.0.0.1:{server.port}/api", timeout=1.0)
        (outcome,) = channel.deliver([a_card()], lambda keys: keys)
        assert (outcome.verdict, outcome.reply) == (UNCERTAIN, "the connection broke (TimeoutError)")


STRANGE = (
    b"HTTP/1.1 500 Oops\r\nContent-Type: text/html; charset=made-up\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
)
PACKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"


@pytest.mark.parametrize("answer", [http_json("[1]"), http_json("[" * 100_000), STRANGE, PACKED], ids=range(4))
def test_whatever_the_answer_is_the_next_message_is_carried(answer: bytes) -> None:
    answers = [answer, FOUND]
    with HttpOddity(lambda path: answers.pop(0) if path.endswith("chat.postMessage") else FOUND) as server:
        assert [outcome.verdict for outcome in several(server, 2)] == [UNCERTAIN, SENT]
