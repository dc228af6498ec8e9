"""Cards drawn again after presses: by response_url, else by the queue; in the end every card shows the newest state."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from slack_sdk import WebClient
from sqlalchemy import select

from commsengine.sandbox.slack_clicks import signed_headers
from commsengine.sandbox.slack_team import Post
from commsengine.slack_app.redrawing import APART, GIVEN_UP, CardPlace, Picture, Redrawing
from commsengine.store.store import Store
from commsengine.store.tables import redraw
from tests import slack_house
from tests.builders import ANA, BEN
from tests.slack_house import SECRET, Team, buttons, encoded, press, press_payload
from tests.waiting import PATIENCE, expect

open_team = slack_house.open_team


@pytest.fixture
def team(open_team: Callable[..., Team]) -> Team:
    """Without the worker: the tests take its steps."""
    return open_team(worker=False)


class Steps:
    """The worker, as of whichever process, on time that passes as it asks."""

    def __init__(self, team: Team, store: Store | None = None) -> None:
        def picture(key: str) -> Picture:
            return team.house.inbox.drawn(team.house.inbox.card(key, team.house.clock()), "slack")

        self.team, self.store, self.passed = team, store or team.house.store, 0.0
        client = WebClient("xoxb-sandbox", base_url=team.slack.api_url, retry_handlers=[])
        self.cards = Redrawing(self.store.redraws, picture, client, team.house.clock, lambda: self.passed)

    def until_all_are_drawn(self, most: float = 36_000) -> float:
        """The seconds that it took."""
        began, started = self.passed, time.monotonic()
        while self.store.redraws.waiting():
            seconds = self.cards.step()
            if self.being_drawn():  # by a press, on real time
                time.sleep(0.005)
            else:
                self.let_pass(seconds)
            assert time.monotonic() - started < PATIENCE, self.store.redraws.waiting()
            assert self.passed - began < most, self.store.redraws.waiting()
        return self.passed - began

    def being_drawn(self) -> bool:
        drawing = select(redraw.c.key).where(redraw.c.drawing_until > self.team.house.clock())
        return self.store.database.first(drawing) is not None

    def let_pass(self, seconds: float) -> None:
        self.passed += seconds
        self.team.house.clock.pass_(seconds=seconds)


def shows(team: Team, post: Post) -> bool:
    """Whether the card is as it would be drawn now."""
    text, blocks = team.house.inbox.drawn(team.house.card(post.key), "slack")
    return (post.text, post.blocks) == (text, list(blocks))


def updates(team: Team) -> int:
    return team.slack.calls.count("chat.update")


def test_a_press_is_drawn_by_its_own_address_and_chat_update_is_spared(team: Team) -> None:
    post = team.sent()
    press(team, post, "got_it", "1.000001")
    expect(lambda: team.house.store.redraws.waiting() == [])
    assert (updates(team), shows(team, post), buttons(post)) == (0, True, ["undo"])
    assert post.key  # the metadata stays, by which the history knows the card


def test_a_form_is_drawn_by_the_address_of_the_press_that_opened_it(team: Team) -> None:
    post = team.sent()
    team.slack.click(ANA.email, "question")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    team.slack.submit(team.slack.team.dialogs_of(ANA.email)[0], {"entry": "When?"})
    expect(lambda: post.edits == 1)
    assert (updates(team), shows(team, post)) == (0, True)


def opened_long_ago(team: Team, post: Post) -> None:
    team.slack.click(ANA.email, "question")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    team.house.clock.pass_(minutes=31)


def failing(team: Team, post: Post) -> None:
    team.slack.fail("response_url", "internal_error", status=500)


def used_up(team: Team, post: Post) -> None:
    url = team.slack.response_url
    team.slack.response_url = lambda card: url(card).replace("R0", "R9")  # type: ignore[method-assign]


@pytest.mark.parametrize("trouble", [failing, used_up])
def test_where_the_address_fails_the_card_is_drawn_by_the_queue(
    team: Team, trouble: Callable[[Team, Post], None]
) -> None:
    post = team.sent()
    trouble(team, post)
    assert team.slack.click(ANA.email, "got_it").status == 200
    expect(lambda: [one.tries for one in team.house.store.redraws.waiting()] == [0])
    assert post.edits == 0
    Steps(team).until_all_are_drawn()
    assert (updates(team), shows(team, post), buttons(post)) == (1, True, ["undo"])


def test_a_form_sent_off_after_half_an_hour_is_drawn_by_the_queue(team: Team) -> None:
    post = team.sent()
    opened_long_ago(team, post)
    team.slack.submit(team.slack.team.dialogs_of(ANA.email)[0], {"entry": "When?"})
    expect(lambda: "response_url" in team.slack.calls)
    Steps(team).until_all_are_drawn()
    assert (updates(team), shows(team, post)) == (1, True)


def test_a_retry_after_is_obeyed_by_the_whole_queue(team: Team) -> None:
    posts = [team.sent(number=number) for number in (1, 2, 3)]
    for post in posts:
        team.house.inbox.snooze(team.house.card(post.key))
        team.app.cards.draw(place_of(post))
    team.slack.limit("chat.update", retry_after=40)
    steps = Steps(team)
    steps.let_pass(steps.cards.step())
    steps.let_pass(38)
    assert (steps.cards.step(), updates(team)) == (pytest.approx(0.75), 1)
    steps.let_pass(1)
    steps.until_all_are_drawn()
    assert (updates(team), [shows(team, post) for post in posts]) == (4, [True] * 3)


def test_the_queue_keeps_within_what_slack_allows_a_minute(team: Team) -> None:
    for number in range(1, 31):
        team.app.cards.draw(place_of(team.sent(number=number)))
    steps = Steps(team)
    steps.cards.step()
    assert (steps.cards.step(), updates(team)) == (APART, 1)  # woken too early, it waits
    assert 30 <= steps.until_all_are_drawn() <= 45
    assert updates(team) == 30


def test_a_card_that_slack_cannot_draw_is_tried_again_later_and_later(team: Team) -> None:
    post = team.sent()
    team.app.cards.draw(place_of(post))
    team.slack.fail("chat.update", "internal_error", times=6, status=500)
    assert 2 + 4 + 8 + 16 + 32 + 64 <= Steps(team).until_all_are_drawn() <= 180
    assert (updates(team), shows(team, post)) == (7, True)


@pytest.mark.parametrize("error", ["message_not_found", "channel_not_found", "cant_update_message", "is_archived"])
def test_a_card_that_is_gone_is_not_tried_again(team: Team, error: str) -> None:
    team.app.cards.draw(place_of(team.sent()))
    team.slack.fail("chat.update", error)
    Steps(team).until_all_are_drawn()
    assert updates(team) == 1


def test_the_card_of_a_person_who_was_erased_is_not_drawn(team: Team) -> None:
    post = team.sent()
    team.app.cards.draw(place_of(post))
    team.house.store.people.erase(ANA.id, by="t", now=team.house.clock())
    Steps(team).until_all_are_drawn()
    assert updates(team) == 0


def test_a_card_waits_over_a_restart_and_is_drawn_as_it_is_then(team: Team) -> None:
    post, url = team.sent(), team.house.store.database.url
    team.slack.fail("response_url", "internal_error", status=500)
    team.slack.click(ANA.email, "snooze")
    expect(lambda: "response_url" in team.slack.calls)
    team.house.inbox.got_it(team.house.card(post.key), slack_house.BY_SLACK)  # on the page, meanwhile
    with Store.open(url.render_as_string(hide_password=False)) as after:
        Steps(team, after).until_all_are_drawn()
    assert (shows(team, post), buttons(post)) == (True, ["undo"])


def test_a_crash_between_answer_and_picture_leaves_no_stale_card(team: Team) -> None:
    """What was announced before the answer is drawn by the next process."""
    post = team.sent()
    team.app.cards.expect(place_of(post))
    team.house.inbox.got_it(team.house.card(post.key), slack_house.BY_SLACK)
    steps = Steps(team)
    steps.cards.step()
    assert post.edits == 0
    steps.let_pass(GIVEN_UP.total_seconds())
    steps.until_all_are_drawn()
    assert (shows(team, post), buttons(post)) == (True, ["undo"])


ABORT = "WHEN NOT EXISTS (SELECT * FROM redraw) BEGIN SELECT RAISE(ABORT, 'no'); END"


@pytest.mark.parametrize("said", ["a press", "words"])
def test_that_a_card_changes_is_on_record_before_the_answer_is(team: Team, said: str) -> None:
    team.sent()
    with team.house.store.database.write() as connection:
        for table in ("answer", "question"):
            connection.exec_driver_sql(f"CREATE TRIGGER no_{table} BEFORE INSERT ON {table} {ABORT}")
    reply = team.slack.click(ANA.email, "got_it") if said == "a press" else team.slack.say(ANA.email, "Why?")
    assert (reply.status, len(team.house.kinds() + team.questions())) == (200, 1)


def place_of(post: Post) -> CardPlace:
    return CardPlace(post.key, post.conversation, post.ts)


def test_presses_at_once_and_a_slack_that_fails_half_of_the_time_leave_no_stale_card(team: Team) -> None:
    """Both ways of drawing fail every other time; three buttons of each card are pressed at the same moment."""
    dice = random.Random(7)  # noqa: S311 - the same disorder each time
    posts = [team.sent(person, number=number) for number in range(1, 5) for person in (ANA, BEN)]
    presses = [(post, action) for post in posts for action in ("got_it", "snooze", "heard_enough")]
    dice.shuffle(presses)
    for _time in range(len(presses)):
        team.slack.fail("response_url", dice.choice(("internal_error", "")), status=500)
        team.slack.fail("chat.update", dice.choice(("internal_error", "ratelimited", "")))

    def pressed(number: int) -> int:
        post, action = presses[number]
        body = encoded(press_payload(team, post, action, f"1.{number:06d}"))
        return team.post(body, signed_headers(SECRET, body)).status_code

    with ThreadPoolExecutor(12) as people:
        assert set(people.map(pressed, range(len(presses)))) == {200}
    Steps(team).until_all_are_drawn()
    assert [post.key for post in posts if not shows(team, post)] == []
    assert updates(team) > 0
