"""The Slack stand-in on real HTTP: what Slack would answer, and clicks signed as Slack signs them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette

from commsengine.channels.slack_manifest import MANIFEST
from commsengine.errors import CommsError
from commsengine.sandbox.sandbox import Sandbox, Serving
from commsengine.sandbox.slack_server import SlackStandIn
from tests.browsing import WEB
from tests.sandbox.conftest import BUTTONS, a_card, post
from tests.servers import SlackApp

MODAL = {
    "type": "modal", "callback_id": "question", "private_metadata": "k1",
    "title": {"type": "plain_text", "text": "Ask"}, "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {"type": "input", "block_id": "text", "label": {"type": "plain_text", "text": "Your question"},
         "element": {"type": "plain_text_input", "action_id": "entry", "multiline": True}},
        {"type": "input", "block_id": "about", "label": {"type": "plain_text", "text": "About"},
         "element": {"type": "radio_buttons", "action_id": "pick", "options": [
             {"text": {"type": "plain_text", "text": word}, "value": word} for word in ("work", "dates")]}},
    ],
}  # fmt: skip


def client(sandbox: Sandbox, token: str = "") -> WebClient:
    return WebClient(token or sandbox.slack.bot_token, base_url=sandbox.slack.api_url, retry_handlers=[])


def refusal(sandbox: Sandbox, method: str, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        client(sandbox).api_call(method, json=arguments)
    return str(caught.value.response["error"])


def test_it_knows_its_bot_and_its_scopes(sandbox: Sandbox) -> None:
    answer = client(sandbox).auth_test()
    assert (answer["ok"], answer["user"], answer["team"]) == (True, "commsengine", "Sandbox")
    assert "chat:write" in str(answer.headers["x-oauth-scopes"])


@pytest.mark.parametrize(("token", "error"), [("xoxb-other", "invalid_auth"), ("", "not_authed")])
def test_it_looks_at_the_token(sandbox: Sandbox, token: str, error: str) -> None:
    answer = WEB.post(f"{sandbox.slack.api_url}auth.test", data={"token": token})
    assert answer.json() == {"ok": False, "error": error}


def test_only_the_people_given_are_on_slack(sandbox: Sandbox) -> None:
    found = client(sandbox).users_lookupByEmail(email="Ben@example.com")["user"]
    assert client(sandbox).users_info(user=found["id"])["user"]["profile"]["email"] == "ben@example.com"
    assert refusal(sandbox, "users.lookupByEmail", email="mia@example.com") == "users_not_found"
    assert refusal(sandbox, "conversations.open", users="U99999999") == "user_not_found"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": []}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"blocks": "nonsense"}, "invalid_blocks_format"),
        ({"text": "x", "metadata": {"event_type": "t"}}, "invalid_metadata_format"),
        ({"text": "x" * 40_001}, "msg_too_long"),
    ],
)
def test_it_refuses_what_slack_would_refuse(sandbox: Sandbox, arguments: dict[str, Any], error: str) -> None:
    assert refusal(sandbox, "chat.postMessage", channel="U00000001", **arguments) == error
    assert sandbox.slack.posts == []


def test_other_methods_and_places_are_unknown(sandbox: Sandbox) -> None:
    assert refusal(sandbox, "admin.users.list") == "unknown_method"
    assert refusal(sandbox, "chat.postMessage", channel="D00000002", text="not opened") == "channel_not_found"
    assert refusal(sandbox, "chat.update", channel="D00000002", ts="1.1", text="x") == "message_not_found"
    assert refusal(sandbox, "views.open", trigger_id="made up", view=MODAL) == "expired_trigger_id"


def test_a_limit_answers_429_as_often_as_told(sandbox: Sandbox) -> None:
    sandbox.slack.limit("auth.test", times=1, retry_after=3)
    with pytest.raises(SlackApiError) as caught:
        client(sandbox).auth_test()
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "3")
    assert client(sandbox).auth_test()["ok"]


def test_the_history_is_newest_first_in_pages_and_shows_metadata_when_asked(sandbox: Sandbox) -> None:
    post(sandbox, *(a_card(f"k{number}") for number in range(5)))
    slack = client(sandbox)
    first = slack.conversations_history(channel="D00000001", limit=3, include_all_metadata=True)
    rest = slack.conversations_history(channel="D00000001", limit=3, cursor=first["response_metadata"]["next_cursor"])
    assert [m["metadata"]["event_payload"]["key"] for m in first["messages"]] == ["k4", "k3", "k2"]
    assert (len(rest["messages"]), rest["has_more"], "metadata" in rest["messages"][0]) == (2, False, False)


def test_the_history_can_be_asked_for_a_span_of_time(sandbox: Sandbox) -> None:
    post(sandbox, *(a_card(f"k{number}") for number in range(5)))
    stamps = [one.ts for one in sandbox.slack.dm_of("ana@example.com")]
    slack = client(sandbox)

    def found(**span: Any) -> list[str]:
        return [message["ts"] for message in slack.conversations_history(channel="D00000001", **span)["messages"]]

    assert found(oldest=stamps[1], latest=stamps[4]) == [stamps[3], stamps[2]]
    assert found(oldest=stamps[1], latest=stamps[4], inclusive=True) == stamps[4:0:-1]
    assert found(oldest=stamps[1], latest=stamps[4], limit=1, cursor=stamps[3]) == [stamps[2]]
    second = stamps[0].partition(".")[0]
    assert (found(oldest=second), found(latest=second), found(oldest=f"{second}.9")) == (stamps[::-1], [], [])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "D00000002"}, "channel_not_found"),
        ({"limit": "many"}, "invalid_limit"),
        ({"limit": 1000}, "invalid_limit"),
        ({"oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"latest": "1e9"}, "invalid_ts_latest"),
        ({"cursor": "made up"}, "invalid_cursor"),
    ],
)
def test_a_history_is_asked_for_properly(sandbox: Sandbox, arguments: dict[str, Any], error: str) -> None:
    post(sandbox)
    assert refusal(sandbox, "conversations.history", **{"channel": "D00000001", **arguments}) == error


def test_a_click_arrives_signed_and_whole(sandbox: Sandbox, app: SlackApp) -> None:
    post(sandbox)
    reply = sandbox.slack.click("ana@example.com", "got_it")
    (headers, body), (payload,) = app.taken[0], app.payloads
    assert reply.status == 200
    assert SignatureVerifier(sandbox.slack.signing_secret).is_valid_request(body, headers)
    assert not SignatureVerifier("other").is_valid_request(body, headers)
    assert payload["type"] == "block_actions"
    assert (payload["user"]["id"], payload["actions"][0]["action_id"], payload["actions"][0]["value"]) == (
        "U00000001", "got_it", "k1",
    )  # fmt: skip
    assert payload["container"]["message_ts"] == sandbox.slack.posts[0].ts == payload["message"]["ts"]
    assert payload["actions"][0]["block_id"] == "answers"


def test_a_click_on_what_nobody_sent_says_so(sandbox: Sandbox) -> None:
    post(sandbox)
    with pytest.raises(CommsError, match="no card with the button 'snooze'"):
        sandbox.slack.click("ana@example.com", "snooze")
    with pytest.raises(CommsError, match="no card"):
        sandbox.slack.click("ben@example.com", "got_it")


def test_an_app_that_does_not_answer_is_told_apart(sandbox: Sandbox, app: SlackApp) -> None:
    post(sandbox)
    app.status = "401 Unauthorized"
    assert sandbox.slack.click("ana@example.com", "got_it").status == 401
    app.close()
    assert sandbox.slack.click("ana@example.com", "got_it").status == 0


def test_a_response_url_changes_the_card_or_adds_a_line_for_one(sandbox: Sandbox, app: SlackApp) -> None:
    post(sandbox)
    sandbox.slack.click("ana@example.com", "got_it")
    url = app.payloads[0]["response_url"]
    for said in ({"replace_original": True, "text": "Recorded"}, {"text": "Only you see this"}):
        WEB.post(url, json=said)
    first, second = sandbox.slack.dm_of("ana@example.com")
    assert (first.text, first.blocks, first.edits) == ("Recorded", [], 1)
    assert (second.text, second.only_visible_to) == ("Only you see this", "U00000001")


def test_a_response_url_has_five_uses_within_thirty_minutes() -> None:
    now = [1_000_000.0]
    slack = SlackStandIn([("ana@example.com", "Ana")], clock=lambda: now[0])
    with Serving(Starlette(routes=slack.routes)) as serving:
        slack.url = serving.url
        card = slack.team.post(slack.team.users[0], "Hello", [], {})
        first, second = slack.response_url(card), slack.response_url(card)
        answers = [WEB.post(first, json={"replace_original": True, "text": f"{n}"}) for n in range(6)]
        now[0] += 1801
        late = WEB.post(second, json={"replace_original": True, "text": "late"})
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert (answers[-1].json()["error"], late.status_code, late.json()["error"]) == ("used_url", 404, "expired_url")
    assert (card.text, card.edits) == ("4", 5)


def test_what_a_person_types_arrives_signed_and_again_until_it_is_taken(sandbox: Sandbox, app: SlackApp) -> None:
    post(sandbox)
    root = sandbox.slack.posts[0]
    app.status = "500 Oops"
    assert sandbox.slack.say("ana@example.com", "Why now?", thread=root.ts).status == 500
    app.status = "200 OK"
    assert sandbox.slack.say("ana@example.com", "And how?").status == 200
    headers, body = app.taken[-1]
    assert SignatureVerifier(sandbox.slack.signing_secret).is_valid_request(body, headers)
    assert [taken[0].get("X-Slack-Retry-Num") for taken in app.taken] == [None, "1", "2", "3", None]
    assert len({payload["event_id"] for payload in app.payloads}) == 2
    event = app.payloads[0]["event"]
    assert {name: event.get(name) for name in ("type", "channel_type", "user", "text", "thread_ts", "bot_id")} == {
        "type": "message", "channel_type": "im", "user": "U00000001", "text": "Why now?", "thread_ts": root.ts,
        "bot_id": None,
    }  # fmt: skip


def test_answers_in_a_thread_are_no_part_of_the_history_unless_broadcast(sandbox: Sandbox) -> None:
    post(sandbox)
    root, slack = sandbox.slack.posts[0], client(sandbox)
    slack.chat_postMessage(channel=root.conversation, text="below", thread_ts=root.ts)
    slack.chat_postMessage(channel=root.conversation, text="both", thread_ts=root.ts, reply_broadcast=True)
    slack.chat_postMessage(channel=root.conversation, text="alone", thread_ts="1.000001")  # Slack has no such message
    assert [one["text"] for one in slack.conversations_history(channel=root.conversation)["messages"]][:3] == [
        "alone", "both", root.text,
    ]  # fmt: skip
    assert refusal(sandbox, "chat.postMessage", channel=root.conversation, text="x", thread_ts="0") == (
        "invalid_thread_ts"
    )


def test_a_home_tab_is_published_where_the_manifest_has_one(sandbox: Sandbox) -> None:
    view: dict[str, Any] = {"type": "home", "blocks": BUTTONS}
    client(sandbox).views_publish(user_id="U00000001", view=view)
    assert sandbox.slack.team.homes == {"U00000001": view}
    assert refusal(sandbox, "views.publish", user_id="U00000001", view={**view, "type": "modal"}) == "invalid_arguments"
    sandbox.slack.team.home_tab = False
    assert refusal(sandbox, "views.publish", user_id="U00000001", view=view) == "not_enabled"


@pytest.mark.parametrize("lacks", ["messages_tab_read_only_enabled", "im:history", "message.im"])
def test_an_app_whose_manifest_lacks_something_hears_nothing(lacks: str) -> None:
    manifest = copy.deepcopy(dict(MANIFEST))
    manifest["features"]["app_home"]["messages_tab_read_only_enabled"] = lacks.startswith("messages")
    for listed in (
        manifest["oauth_config"]["scopes"]["bot"],
        manifest["settings"]["event_subscriptions"]["bot_events"],
    ):
        listed[:] = [one for one in listed if one != lacks]
    with pytest.raises(CommsError, match="cannot write to the app"):
        SlackStandIn([("ana@example.com", "Ana")], manifest=manifest).say("ana@example.com", "Why?")


def opened(sandbox: Sandbox, app: SlackApp) -> Any:
    """A dialog that the app opened when Ana pressed "I have a question"."""

    def open_dialog(payload: dict[str, Any]) -> None:
        if payload["type"] == "block_actions":
            client(sandbox).views_open(trigger_id=payload["trigger_id"], view=MODAL)

    app.act = open_dialog
    post(sandbox)
    sandbox.slack.click("ana@example.com", "question")
    (dialog,) = sandbox.slack.team.dialogs_of("ana@example.com")
    return dialog


def test_a_dialog_opens_for_whoever_clicked_and_sends_what_was_filled_in(sandbox: Sandbox, app: SlackApp) -> None:
    sandbox.slack.submit(opened(sandbox, app), {"text": "Why now?", "pick": "dates"})
    view = app.payloads[1]["view"]
    assert (app.payloads[1]["type"], view["callback_id"], view["private_metadata"]) == (
        "view_submission",
        "question",
        "k1",
    )
    assert view["state"]["values"]["text"]["entry"] == {"type": "plain_text_input", "value": "Why now?"}
    assert view["state"]["values"]["about"]["pick"]["selected_option"]["value"] == "dates"
    assert sandbox.slack.team.dialogs_of("ana@example.com") == []


def test_a_dialog_with_errors_stays_open(sandbox: Sandbox, app: SlackApp) -> None:
    dialog = opened(sandbox, app)
    app.answer = json.dumps({"response_action": "errors", "errors": {"text": "Please write a little more."}}).encode()
    sandbox.slack.submit(dialog, {"text": "?"})
    assert sandbox.slack.team.dialogs_of("ana@example.com")[0].errors == {"text": "Please write a little more."}


def test_a_trigger_opens_one_dialog_only(sandbox: Sandbox, app: SlackApp) -> None:
    opened(sandbox, app)
    assert refusal(sandbox, "views.open", trigger_id=app.payloads[0]["trigger_id"], view=MODAL) == "expired_trigger_id"


def test_stamps_follow_the_clock_and_are_never_the_same(sandbox: Sandbox) -> None:
    post(sandbox, *(a_card(f"k{number}") for number in range(20)))
    stamps = [one.ts for one in sandbox.slack.posts]
    assert len(set(stamps)) == 20 == len([stamp for stamp in stamps if stamp.startswith("1799744400.")])
    assert BUTTONS[0] in sandbox.slack.posts[0].blocks
