"""Slack: threads in which an event that came again was done again, or one that came once was thrown away.

Our rule: what a press says is a fact with a key, so it may come as often and by as many connections as it likes. Slack
is answered after the commit; if the commit fails it is told so. A post has no key at Slack: it is claimed first, made
once, and looked up afterwards if nobody knows.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from commsengine.answers.inbox import AnswerInbox
from commsengine.channels.slack import SlackChannel
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.sandbox.slack_clicks import signed_headers
from commsengine.store.store import Store
from tests.answering import answering
from tests.builders import ANA
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock
from tests.faults.threads.engines import crowd, once, states
from tests.faults.threads.test_claims import at_once
from tests.servers import HttpOddity, http_json
from tests.slack_socket import SocketSlack
from tests.test_slack_app import SECRET, Team, encoded, open_team, press_payload, team
from tests.test_slack_socket import a_press, connected
from tests.waiting import PATIENCE

__all__ = ["open_team", "team"]


def a_signed_press(team: Team, retry: int = 0) -> tuple[str, dict[str, str]]:
    """Ana's "Got it" as Slack sends it; ``retry`` is how often it has come before."""
    body = encoded(press_payload(team, team.card(team.house.touch(channel="slack"))))
    return body, again(signed_headers(SECRET, body), retry)


def again(headers: dict[str, str], retry: int) -> dict[str, str]:
    return headers | ({"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"} if retry else {})


def answers(team: Team) -> int:
    return len(team.house.store.answers.of_person(ANA.id))


def test_bolt_python_845_an_event_whose_handling_failed_came_again_and_again(team: Team, tmp_path: Path) -> None:
    """They: an event whose handling failed was sent again by Slack, and what was done by then was done twice.

    Here: a press that could not be kept is answered with an error and leaves nothing; when it comes again, it counts.
    """
    body, headers = a_signed_press(team)
    with sqlite3.connect(tmp_path / "answers.db") as broken:
        broken.execute("ALTER TABLE answer RENAME TO away")
    assert team.post(body, headers).status_code == 500
    with sqlite3.connect(tmp_path / "answers.db") as mended:
        mended.execute("ALTER TABLE away RENAME TO answer")
    assert answers(team) == 0
    assert [team.post(body, again(headers, retry)).status_code for retry in (1, 2)] == [200, 200]
    assert answers(team) == 1


def test_bolt_python_868_1027_1355_answered_after_three_seconds_and_the_event_came_again(
    team: Team, tmp_path: Path
) -> None:
    """They: the answer took longer than three seconds, so the same event came again while the first was at work.

    Here: four deliveries of one press, all at work at the same time behind a busy database, are one answer.
    """
    body, headers = a_signed_press(team)
    said: list[int] = []
    busy = sqlite3.connect(tmp_path / "answers.db", isolation_level=None, check_same_thread=False)
    busy.execute("BEGIN IMMEDIATE")

    def press(retry: int) -> None:
        said.append(team.post(body, again(headers, retry)).status_code)

    presses = [lambda retry=retry: press(retry) for retry in range(4)]
    at_once(*presses, lambda: (time.sleep(0.3), busy.execute("ROLLBACK")))
    busy.close()
    assert (said, answers(team)) == ([200] * 4, 1)


def test_bolt_python_731_retries_were_ignored_and_events_were_lost(team: Team) -> None:
    """They: everything marked as a retry was ignored; where the first delivery had not got through, the event was lost.

    Here: the mark is not looked at. A press whose first delivery never came is recorded by its second.
    """
    body, headers = a_signed_press(team, retry=1)
    assert team.post(body, headers).status_code == 200
    assert (answers(team), team.house.kinds()) == (1, ["acknowledged"])


def test_bolt_js_2608_slack_go_911_errbot_1006_one_person_had_two_ids(open_team: Callable[..., Team]) -> None:
    """They: in an Enterprise Grid people have an id of the workspace and one of the whole, and were not known by both.

    Here: both are kept. A press by either is theirs, and one by somebody else's is not.
    """
    team = open_team(grid=("U7", "W7"))
    payload = press_payload(team, team.card(team.house.touch(channel="slack")))
    counted = []
    for at, user in enumerate(("W8", "W7", "U7"), 1):
        payload["user"]["id"], payload["actions"][0]["action_ts"] = user, f"{at}.1"
        body = encoded(payload)
        assert team.post(body, signed_headers(SECRET, body)).status_code == 200
        counted.append((answers(team), team.house.kinds()))
    assert counted == [(0, []), (1, ["acknowledged"]), (1, ["acknowledged"])]


def test_bolt_python_1071_any_one_of_the_open_sockets_got_the_event(tmp_path: Path) -> None:
    """They: with several connections open, an event came down any one of them, so what one had noted the other missed.

    Here: two engines with a connection each record the same press in one database, as one answer.
    """
    house = answering(tmp_path)
    house.store.slack_ids.put(ANA.email, "UANA", "D1")
    with Store.open(str(house.store.database.url)) as other, SocketSlack() as one, SocketSlack() as two:
        there = replace(house, store=other, inbox=AnswerInbox(other, house.inbox._make_renderer))
        with connected(house, one), connected(there, two):
            assert one.linked.wait(PATIENCE)
            assert two.linked.wait(PATIENCE)
            press = a_press(house, "UANA")
            assert one.press(press)
            assert two.press(press)
            assert one.got_one.wait(PATIENCE)
            assert two.got_one.wait(PATIENCE)
    assert (one.acknowledged, two.acknowledged) == (["e1"], ["e1"])
    assert len(house.store.answers.of_person(ANA.id)) == 1
    house.store.close()


@pytest.mark.parametrize(("policy", "posts"), [("hold", 1), ("once", 2)])
def test_slack_api_specs_10_a_post_has_no_key_and_was_made_twice(
    store: Store, engine: MakeEngine, clock: Clock, policy: str, posts: int
) -> None:
    """They: asked for since 2018: Slack has no key for a post, so a post whose answer was lost is made once more.

    Here: claimed before, posted once; where the plan says once, one more time, flagged, and with the same key in it.
    """
    found = http_json('{"ok": true, "user": {"id": "U1"}, "channel": {"id": "D1"}}')
    run(store, crowd(1), once(send={"channels": ["slack"], "holidays": "false"}, on_uncertain=policy))
    with HttpOddity(lambda path: None if path.endswith("chat.postMessage") else found) as slack:
        url = f"http://127.0.0.1:{slack.port}/api/"
        running = engine(slack=ChannelSetup(lambda: SlackChannel("xoxb-x", store.slack_ids, api_url=url)))
        for _ in range(4):
            running.tick()
            clock.forward(minutes=20)
        cards = [body for path, body in zip(slack.requests, slack.bodies, strict=True) if path.endswith("postMessage")]
    [row] = store.touches.list("crm")
    assert (len(cards), states(store), row.possible_duplicate) == (posts, {"uncertain": 1}, posts > 1)
    assert all(row.key.encode() in card for card in cards)
