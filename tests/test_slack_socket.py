"""Socket Mode: the same presses over a connection of our own making, against a small real WebSocket server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from commsengine.slack_app import SlackApp
from commsengine.slack_app.socket import Socket
from tests.answering import Answering, answering
from tests.builders import ANA
from tests.slack_socket import SocketSlack
from tests.waiting import PATIENCE, expect


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Answering]:
    house = answering(tmp_path)
    house.store.slack_ids.put(ANA.email, "UANA", "D1")
    yield house
    house.store.close()


@contextmanager
def connected(house: Answering, slack: SocketSlack, ping: float = 0.2) -> Iterator[None]:
    """An app with quick pings; that it is connected has to be waited for."""
    api = f"http://127.0.0.1:{slack.port}/api/"
    app = SlackApp(house.inbox, house.store, house.desk, token="xoxb-x", api_url=api, clock=house.clock)
    handle = Socket(app.bolt, "xapp-x", ping=ping, wait=0.1)
    handle.connect()
    yield
    handle.close()


def a_press(house: Answering, user: str) -> dict[str, Any]:
    key = house.touch(channel="slack")
    return {
        "type": "block_actions", "user": {"id": user}, "team": {"id": "T1"}, "channel": {"id": "D1"},
        "message": {"ts": "1.1"}, "trigger_id": "t1", "response_url": "",
        "actions": [{"type": "button", "action_id": "got_it", "block_id": "b", "value": key, "action_ts": "1.2"}],
    }  # fmt: skip


def test_a_press_over_the_socket_is_recorded_and_acknowledged(house: Answering) -> None:
    with SocketSlack() as slack, connected(house, slack):
        assert slack.linked.wait(PATIENCE)
        slack.press(a_press(house, "UANA"))
        assert slack.got_one.wait(PATIENCE)
    assert (house.kinds(), slack.acknowledged) == (["acknowledged"], ["e1"])


def test_words_over_the_socket_are_recorded_and_acknowledged(house: Answering) -> None:
    key = house.touch(channel="slack")
    event = {"type": "message", "channel_type": "im", "channel": "D1", "user": "UANA", "text": "Why?", "ts": "1.000002"}
    with SocketSlack() as slack, connected(house, slack):
        assert slack.linked.wait(PATIENCE)
        slack.press({"type": "event_callback", "event_id": "Ev1", "event": event}, kind="events_api")
        assert slack.got_one.wait(PATIENCE)
    assert [(one.text, one.key) for one in house.store.questions.all()] == [("Why?", key)]


def test_another_persons_press_over_the_socket_is_refused(house: Answering) -> None:
    with SocketSlack() as slack, connected(house, slack):
        assert slack.linked.wait(PATIENCE)
        slack.press(a_press(house, "UBEN"))
        assert slack.got_one.wait(PATIENCE)
    assert house.kinds() == []


@pytest.mark.parametrize("trouble", ["away", "refusing"])
def test_a_slack_that_lets_nobody_in_at_first_is_asked_until_it_does(house: Answering, trouble: str) -> None:
    """And the program goes on meanwhile: ``connect`` has returned."""
    with SocketSlack() as slack:
        slack.away, slack.refusal = trouble == "away", "invalid_auth" if trouble == "refusing" else ""
        with connected(house, slack):
            expect(lambda: slack.asked >= 2)
            slack.away, slack.refusal = False, ""
            assert slack.linked.wait(PATIENCE)


def test_a_connection_that_is_cut_is_made_anew(house: Answering) -> None:
    with SocketSlack() as slack, connected(house, slack):
        assert slack.linked.wait(PATIENCE)
        slack.go()
        assert not slack.press(a_press(house, "UANA"))
        slack.away = False
        assert slack.linked.wait(PATIENCE)
        assert house.kinds() == []


def test_a_connection_that_slack_hangs_up_is_made_anew_at_once(house: Answering) -> None:
    """The pings that would find out come too late for this test, as they do for the people who press."""
    with SocketSlack() as slack, connected(house, slack, ping=60):
        assert slack.linked.wait(PATIENCE)
        slack.hang_up()
        expect(lambda: slack.links == 2)


def test_a_connection_that_is_dead_without_saying_so_is_made_anew(house: Answering) -> None:
    """Nothing is closed; pings go out and no answer comes back."""
    with SocketSlack() as slack, connected(house, slack):
        assert slack.linked.wait(PATIENCE)
        expect(lambda: slack.pongs > 0)
        slack.deaf = True
        expect(lambda: slack.links == 2)
