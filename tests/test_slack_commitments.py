"""A commitment in Slack: its buttons, the small form, and words typed below the card."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from commsengine.sandbox.slack_clicks import signed_headers
from commsengine.sandbox.slack_team import Post
from tests import slack_house
from tests.builders import ANA, a_message
from tests.slack_house import SECRET, Team, buttons, encoded, press, press_payload
from tests.waiting import expect

open_team = slack_house.open_team

COMMIT = a_message(ask="commit", commit={"text": "I log each call.", "by": "2027-01-20"})


@pytest.fixture
def team(open_team: Callable[..., Team]) -> Team:
    return open_team(COMMIT)


def asked(team: Team) -> Post:
    """Ana said that she will; the card that asks whether it is done."""
    press(team, team.sent(), "commit", "1.1")
    team.house.clock.pass_(days=9)
    key = team.house.touch(kind="commitment", channel="slack")
    post = team.card(key)
    team.is_at(key, post)
    return post


def test_its_card_says_i_will_and_never_got_it(team: Team) -> None:
    post = team.sent()
    assert buttons(post) == ["commit", "answer", "question", "snooze", "heard_enough"]
    assert "Got it" not in str(post.blocks)
    press(team, post, "commit", "1.1")
    assert team.house.kinds() == ["commit"]
    assert "You said you will" in str(post.blocks)


def test_got_it_of_an_old_card_is_no_answer(team: Team) -> None:
    post = team.sent()
    body = encoded(press_payload(team, post, "got_it", "3.1"))
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert team.house.kinds() == []


def test_done_is_one_press(team: Team) -> None:
    post = asked(team)
    assert buttons(post) == ["kept", "not_kept", "question"]
    press(team, post, "kept", "2.1")
    assert team.house.kinds() == ["commit", "kept"]
    assert "You said it is done" in str(post.blocks)


def test_not_yet_opens_a_form_for_a_line(team: Team) -> None:
    post = asked(team)
    team.slack.click(ANA.email, "not_kept", post.key)
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    team.slack.submit(team.slack.team.dialogs_of(ANA.email)[-1], {"entry": "The mask is too slow."})
    expect(lambda: team.house.kinds() == ["commit", "not_kept"])
    (answer,) = [one for one in team.house.store.answers.of_person(ANA.id) if one.kind == "not_kept"]
    assert answer.value == "The mask is too slow."


@pytest.mark.parametrize("words", ["I will", "Will do, thanks!", "yes", "I’ll do it"])
def test_words_below_the_card_may_say_i_will(team: Team, words: str) -> None:
    post = team.sent()
    assert team.say(words, thread=post.ts).text == "Thank you. We recorded that you will."
    assert team.house.kinds() == ["commit"]


def test_got_it_in_words_is_thanked_and_records_nothing(team: Team) -> None:
    post = team.sent()
    assert team.say("Got it", thread=post.ts).text == 'Thank you. To say that you will, press "I will" on it.'
    assert team.house.kinds() == []
    assert team.questions() == []


@pytest.mark.parametrize(("words", "kind"), [("Done!", "kept"), ("not yet", "not_kept"), ("No", "not_kept")])
def test_words_below_the_question_say_whether_it_is_done(team: Team, words: str, kind: str) -> None:
    post = asked(team)
    team.say(words, thread=post.ts)
    assert team.house.kinds() == ["commit", kind]


def test_other_words_are_a_question(team: Team) -> None:
    post = asked(team)
    team.say("Done? I have no access yet.", thread=post.ts)
    assert team.house.kinds() == ["commit"]
    assert team.questions() == ["Done? I have no access yet."]
