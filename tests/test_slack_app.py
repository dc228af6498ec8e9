"""Presses and forms in Slack, against a stand-in that speaks real HTTP and signs as Slack does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.check_questions import answer_id
from commsengine.cadence.people import Person
from commsengine.cadence.standing import standing
from commsengine.errors import CommsError
from commsengine.sandbox.slack_clicks import signed_headers, view_submission
from commsengine.sandbox.slack_team import Dialog
from commsengine.slack_app import SlackApp
from commsengine.store.tables import counter
from commsengine.translation import ENGLISH
from tests import slack_house
from tests.answering import BY_LINK
from tests.answers.test_inbox import CHECK, INPUT, PERSONAL
from tests.builders import ANA, BEN, a_message, utc
from tests.pseudo import in_pseudo, untranslated
from tests.slack_house import SECRET, Team, buttons, encoded, press, press_payload
from tests.waiting import expect

open_team, team = slack_house.open_team, slack_house.team


def test_got_it_is_recorded_and_the_card_says_so_in_place(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    assert team.slack.click(ANA.email, "got_it").status == 200
    assert team.house.kinds() == ["acknowledged"]
    expect(lambda: team.redrawn(post, 1))
    assert (post.text, buttons(post)) == ("You confirmed Mon 18:00", ["undo"])
    assert len(team.slack.dm_of(ANA.email)) == 1


def test_the_evidence_says_slack_and_who_pressed(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "got_it")
    (answer,) = team.house.store.answers.of_person(ANA.id)
    assert (answer.evidence, answer.detail["user"]) == ("slack", post.user.id)


def test_undo_brings_the_buttons_back(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    before = buttons(post)
    team.slack.click(ANA.email, "got_it")
    expect(lambda: team.redrawn(post, 1))
    team.slack.click(ANA.email, "undo")
    expect(lambda: team.redrawn(post, 2))
    assert (team.house.kinds(), buttons(post)) == ([], before)


def test_undo_leaves_the_card_when_its_time_is_over(open_team: Callable[..., Team]) -> None:
    team = open_team(worker=False)
    post = team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "got_it")
    expect(lambda: team.redrawn(post, 1))
    assert "undo" in buttons(post)
    team.house.clock.pass_(minutes=5, seconds=2)
    team.app.cards.step()
    assert (post.edits, "undo" in buttons(post), "You confirmed" in post.text) == (2, False, True)


def test_a_press_on_a_card_of_a_cancelled_campaign_is_told_that_it_is_over(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    team.house.store.campaigns.cancel("crm", by="dana", now=team.house.clock())
    team.slack.click(ANA.email, "got_it")
    expect(lambda: len(team.slack.dm_of(ANA.email)) == 2)
    whisper = team.slack.dm_of(ANA.email)[-1]
    assert whisper.only_visible_to == post.user.id
    assert '"One customer record" has ended, so nothing was recorded.' in whisper.text
    assert team.house.kinds() == []


def test_undo_too_late_is_told_to_nobody_else(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "got_it")
    expect(lambda: team.redrawn(post, 1))
    team.house.clock.pass_(minutes=6)
    team.slack.click(ANA.email, "undo")
    expect(lambda: len(team.slack.dm_of(ANA.email)) == 2)
    whisper = team.slack.dm_of(ANA.email)[-1]
    assert (whisper.only_visible_to, "cannot undo this any more" in whisper.text) == (post.user.id, True)
    assert team.house.kinds() == ["acknowledged"]


def test_a_press_delivered_four_times_is_one_answer(team: Team) -> None:
    body = encoded(press_payload(team, team.card(team.house.touch(channel="slack"))))
    for _ in range(4):
        assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert len(team.house.store.answers.of_person(ANA.id)) == 1


def test_an_undo_delivered_four_times_takes_back_one_answer(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    press(team, post, "got_it", "1.000001")
    press(team, post, "heard_enough", "2.000001")
    for _ in range(4):
        press(team, post, "undo", "3.000001")
    assert (team.house.kinds(), len(team.slack.dm_of(ANA.email))) == (["acknowledged"], 1)


def test_a_press_that_comes_again_after_it_was_taken_back_stays_taken_back(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    press(team, post, "got_it", "1.000001")
    press(team, post, "undo", "2.000001")
    for late in ("1.000001", "1.000002"):  # the same press, and one that was overtaken on its way
        press(team, post, "got_it", late)
    assert team.house.kinds() == []
    press(team, post, "got_it", "10.000001")
    press(team, post, "undo", "2.000001")
    assert team.house.kinds() == ["acknowledged"]


def test_an_undo_pressed_on_an_old_card_leaves_an_answer_to_a_check(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="check", checks=[CHECK]))
    post = team.card(team.house.touch(channel="slack"))
    press(team, post, named("My notebook"), "1.000001")
    body = encoded(press_payload(team, post, "undo", "2.000001"))
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    press(team, post, named("The customer record"), "3.000001")
    assert answered(team) == [("My notebook", False)]


def test_a_form_that_comes_again_after_its_answer_was_taken_back_stays_taken_back(
    open_team: Callable[..., Team],
) -> None:
    team = open_team(a_message(ask="input", input=INPUT))
    post = team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "answer")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    (dialog,) = team.slack.team.dialogs_of(ANA.email)
    body = encoded(view_submission(dialog, {"entry": "The phone number"}, trigger_id="7.U1"))
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert team.house.kinds() == ["input"]
    press(team, post, "undo", "2.000001")
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert team.house.kinds() == []


def test_the_form_says_who_reads_the_answer(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="input", input=INPUT))
    team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "answer")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    (dialog,) = team.slack.team.dialogs_of(ANA.email)
    assert dialog.view["blocks"][0]["hint"]["text"] == "dana reads every answer, with your name."


def test_a_slack_that_cannot_say_whose_card_it_is_records_nothing_and_says_so(team: Team) -> None:
    """Not "this is for somebody else": that would send the recipient away for good."""
    team.card(team.house.touch(channel="slack"))
    team.slack.fail("users.lookupByEmail", "internal_error", status=500)
    assert team.slack.click(ANA.email, "got_it").status == 200
    expect(lambda: len(team.slack.dm_of(ANA.email)) == 2)
    assert "nothing was recorded. Please press again" in team.slack.dm_of(ANA.email)[-1].text
    assert team.house.kinds() == []
    team.slack.click(ANA.email, "got_it")
    assert team.house.kinds() == ["acknowledged"]


def test_remind_me_tomorrow_and_heard_enough(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "snooze")
    expect(lambda: team.redrawn(post, 1))
    team.slack.click(ANA.email, "heard_enough")
    expect(lambda: team.redrawn(post, 2))
    history = team.house.store.loading.histories([ANA.id])[ANA.id].history
    assert ([str(snooze.until) for snooze in history.snoozes], team.house.kinds()) == (["2027-01-12"], ["heard_enough"])


def test_a_question_through_its_form(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "question")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    (dialog,) = team.slack.team.dialogs_of(ANA.email)
    assert team.slack.submit(dialog, {"entry": "When <!channel> does it start?"}).status == 200
    assert [question.text for question in team.house.store.questions.all()] == ["When <!channel> does it start?"]
    expect(lambda: team.redrawn(post, 1))
    assert "You asked Mon 18:00" in json.dumps(post.blocks)


def test_an_empty_question_is_told_in_the_form(team: Team) -> None:
    team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "question")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    (dialog,) = team.slack.team.dialogs_of(ANA.email)
    team.slack.submit(dialog, {"entry": "   "})
    assert dialog.errors == {"entry": "Please write something first."}
    assert team.house.store.questions.all() == []


@pytest.mark.parametrize(("button", "ask"), [("question", {}), ("answer", {"ask": "input", "input": INPUT})])
def test_every_word_of_a_form_is_in_the_catalog(
    open_team: Callable[..., Team], button: str, ask: dict[str, Any]
) -> None:
    with in_pseudo(ENGLISH):
        team = open_team(a_message(**ask))
        team.card(team.house.touch(channel="slack"))
        team.slack.click(ANA.email, button)
        expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
        (dialog,) = team.slack.team.dialogs_of(ANA.email)
    words = [dialog.view[part]["text"] for part in ("title", "submit", "close")]
    assert [word for each in words for word in untranslated(each)] == []


def test_what_only_the_person_reads_is_in_the_catalog(team: Team) -> None:
    with in_pseudo(ENGLISH):
        team.card(team.house.touch(channel="slack"))
        team.slack.fail("users.lookupByEmail", "internal_error", status=500)
        team.slack.click(ANA.email, "got_it")
        expect(lambda: len(team.slack.dm_of(ANA.email)) == 2)
    assert untranslated(team.slack.dm_of(ANA.email)[-1].text) == []


def named(answer: str) -> str:
    """What the button of an answer to a check is called."""
    return f"check_{answer_id(answer)}"


def answered(team: Team, person: Person = ANA) -> list[tuple[str, bool | None]]:
    return [(answer.value, answer.right) for answer in team.house.store.answers.of_person(person.id)]


@pytest.mark.parametrize(("ask", "number"), [("check", 1), ("acknowledge", 2)])
def test_a_check_is_answered_by_one_press_and_explained_at_once(
    open_team: Callable[..., Team], ask: str, number: int
) -> None:
    team = open_team(a_message(ask=ask, checks=[CHECK]))
    post = team.card(team.house.touch(number=number, channel="slack"))
    assert sorted(buttons(post)[:3]) == sorted([named("My notebook"), named("The customer record"), "got_it"])
    assert str(CHECK["because"]) not in json.dumps(post.blocks)
    team.slack.click(ANA.email, named("The customer record"))
    assert answered(team) == [("The customer record", True)]
    expect(lambda: team.redrawn(post, 1))
    assert f"That is right. {CHECK['because']}" in json.dumps(post.blocks)
    assert buttons(post) == ["explain"]  # a right answer may be a guess; and asking does not tell a wrong one


def test_a_wrong_press_is_explained_at_once_and_help_is_offered(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(checks=[CHECK]))
    post = team.card(team.house.touch(number=2, channel="slack"))
    team.slack.click(ANA.email, named("My notebook"))
    expect(lambda: team.redrawn(post, 1))
    assert f"Not quite. The answer is: The customer record. {CHECK['because']}" in json.dumps(post.blocks)
    assert buttons(post) == ["explain"]
    team.slack.click(ANA.email, "explain")
    expect(lambda: team.redrawn(post, 2))
    assert buttons(post) == []


def test_the_message_stands_on_the_card_once_its_check_is_answered(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(checks=[CHECK]))
    post = team.card(team.house.touch(number=2, channel="slack"))
    told = ("Every customer conversation is logged in one record.", "One list for all of us.")
    assert not any(words in json.dumps(post.blocks) for words in told)
    team.house.clock.pass_(minutes=1)
    team.slack.click(ANA.email, named("My notebook"))
    expect(lambda: team.redrawn(post, 1))
    assert all(words in json.dumps(post.blocks) for words in told)


def test_skipping_a_check_says_got_it(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(checks=[CHECK]))
    post = team.card(team.house.touch(number=2, channel="slack"))
    team.slack.click(ANA.email, "got_it")
    expect(lambda: team.redrawn(post, 1))
    assert (team.house.kinds(), post.text) == (["acknowledged"], "You confirmed Mon 18:00")


def test_the_first_of_several_answers_counts_and_the_card_says_since_when(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(checks=[CHECK]))
    post = team.card(team.house.touch(number=2, channel="slack"))
    team.house.inbox.answer_check(team.house.card(post.key), "The customer record", BY_LINK)
    team.house.clock.pass_(hours=3)
    press(team, post, named("My notebook"), "1.000001")
    assert answered(team) == [("The customer record", True)]
    assert "You answered the question Mon 18:00\\nThat is right." in json.dumps(post.blocks)


def test_a_press_on_the_card_of_an_older_touch_answers_that_touch(open_team: Callable[..., Team]) -> None:
    other = CHECK | {"question": "Since when?", "answers": ["May", "June"], "right": "May"}
    team = open_team(a_message(ask="check", checks=[CHECK, other]))
    posts = [team.card(team.house.touch(number=number, channel="slack")) for number in (1, 2)]
    press(team, posts[0], named("My notebook"), "1.000001")
    press(team, posts[1], named("May"), "2.000001")
    press(team, posts[0], named("The customer record"), "3.000001")
    assert answered(team) == [("My notebook", False), ("May", True)]


def test_an_answer_that_the_plan_has_lost_since_is_told_to_the_presser(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="check", checks=[CHECK]))
    post = team.card(team.house.touch(channel="slack"))
    body = encoded(press_payload(team, post, named("A note")))
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert team.house.kinds() == []


def test_a_card_of_before_checks_had_buttons_gets_them(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="check", checks=[CHECK]))
    post = team.card(team.house.touch(channel="slack"))
    press(team, post, "answer", "1.000001")
    assert (team.house.kinds(), team.slack.team.dialogs_of(ANA.email)) == ([], [])
    assert named("My notebook") in buttons(post)


def test_what_the_message_asks_for_stays_open_after_its_check(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="input", input=INPUT, checks=[CHECK]))
    post = team.card(team.house.touch(number=2, channel="slack"))
    assert "got_it" not in buttons(post)
    team.slack.click(ANA.email, named("The customer record"))
    expect(lambda: team.redrawn(post, 1))
    assert buttons(post) == ["answer", "question", "snooze", "heard_enough", "explain"]
    team.slack.click(ANA.email, "answer")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    team.slack.submit(team.slack.team.dialogs_of(ANA.email)[0], {"entry": "The phone number"})
    expect(lambda: team.redrawn(post, 2))
    assert (team.house.kinds(), buttons(post)) == (["check", "input"], ["undo", "explain"])


def test_a_card_redrawn_later_makes_the_same_point_again(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(checks=[CHECK]))
    house = team.house
    house.inbox.answer_check(house.card(house.touch(number=2, channel="slack")), "My notebook", BY_LINK)
    house.clock.pass_(hours=48)
    post = team.card(house.touch(number=3, channel="slack"))
    assert str(CHECK["because"]) in json.dumps(post.blocks)
    house.clock.pass_(hours=1)
    before = json.dumps(post.blocks)
    team.slack.click(ANA.email, "got_it")  # this one is about the touch after it
    expect(lambda: team.redrawn(post, 1))
    team.slack.click(ANA.email, "undo")
    expect(lambda: team.redrawn(post, 2))
    assert json.dumps(post.blocks) == before


def test_a_wrong_answer_is_explained_on_the_card_and_help_is_offered(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="check", checks=[CHECK]))
    key = team.house.touch(channel="slack")
    team.house.inbox.answer_check(team.house.card(key), "My notebook", BY_LINK)
    post = team.card(key)
    assert "Not quite. The answer is: The customer record." in json.dumps(post.blocks)
    team.slack.click(ANA.email, "explain")
    (question,) = team.house.store.questions.all()
    assert question.text.startswith("Please explain it to me")


def test_the_buttons_and_the_card_speak_to_the_person(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="check", checks=[PERSONAL]))
    post = team.card(team.house.touch(channel="slack"))
    told = json.dumps(post.blocks)
    assert all(words in told for words in ("Ana, where do you log a call?", "Ana's notebook"))
    team.slack.click(ANA.email, named(PERSONAL["answers"][0]))
    assert answered(team) == [(PERSONAL["answers"][0], False)]
    expect(lambda: team.redrawn(post, 1))
    assert "Not quite. The answer is: The record of Engineering. Engineering starts on" in json.dumps(post.blocks)


RANK = {"question": "What first?", "kind": "rank", "choices": ["Offers", "Visits", "Calls"]}
MEETING = {"question": "When may I come by?", "kind": "meeting", "choices": ["Tue 10:00", "Fri 14:00"]}


def the_form(team: Team) -> Dialog:
    team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "answer")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    return team.slack.team.dialogs_of(ANA.email)[-1]


def test_an_order_is_given_in_a_form_of_places(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="input", input=RANK))
    dialog = the_form(team)
    assert "What first?" in json.dumps(dialog.view)
    twice = team.slack.submit(dialog, {"entry": "1", "entry-1": "1", "entry-2": "0"})
    assert "Please give each of them a different place." in twice.body
    assert team.slack.submit(dialog, {"entry": "1", "entry-1": "2", "entry-2": "0"}).status == 200
    (answer,) = team.house.store.answers.of_person(ANA.id)
    assert answer.value == "Visits\nCalls\nOffers"


@pytest.mark.parametrize(
    ("filled", "value"),
    [({"entry": "1", "other": None}, "Fri 14:00"), ({"entry": "other", "other": "Any Monday"}, "Any Monday")],
)
def test_an_appointment_is_chosen_in_a_form(open_team: Callable[..., Team], filled: dict[str, str], value: str) -> None:
    team = open_team(a_message(ask="input", input=MEETING))
    assert team.slack.submit(the_form(team), filled).status == 200
    (answer,) = team.house.store.answers.of_person(ANA.id)
    assert answer.value == value


def form_text(team: Team) -> str:
    team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "answer")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    (dialog,) = team.slack.team.dialogs_of(ANA.email)
    team.slack.submit(dialog, {"entry": "0"})
    return json.dumps(dialog.view)


def test_the_form_of_an_input_speaks_to_the_person(open_team: Callable[..., Team]) -> None:
    question = {"question": "What helps {{ person.first_name }}?", "kind": "choice",
                "choices": ["More {{ person.department }}", "Less"], "reply_by": "5 working days"}  # fmt: skip
    form = form_text(open_team(a_message(ask="input", input=question)))
    assert all(words in form for words in ("What helps Ana?", "More Engineering"))


def test_another_persons_press_is_refused(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    ben = team.slack.team.user(BEN.email)
    assert ben
    payload = press_payload(team, post)
    payload["user"] |= {"id": ben.id}
    body = encoded(payload)
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert (team.house.kinds(), team.house.kinds(BEN), post.edits) == ([], [], 0)


def test_the_recipient_is_known_by_the_cached_id_without_asking_slack(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    team.house.store.slack_ids.put(ANA.email, post.user.id, post.conversation)
    team.slack.click(ANA.email, "got_it")
    assert team.house.kinds() == ["acknowledged"]
    assert "users.lookupByEmail" not in team.slack.calls


def test_a_slack_id_of_ones_own_alone_says_who_the_recipient_is(team: Team) -> None:
    """What was remembered from a look-up by e-mail does not count beside it, and Slack is not asked by it."""
    post = team.card(team.house.touch(channel="slack"))
    ben = team.slack.team.user(BEN.email)
    assert ben
    team.house.store.slack_ids.put(ANA.email, post.user.id, post.conversation)
    team.house.store.people.save([replace(ANA, slack_id=ben.id)], by="dana", now=team.house.clock())
    team.slack.click(ANA.email, "got_it")
    assert team.house.kinds() == []
    payload = press_payload(team, post)
    payload["user"] |= {"id": ben.id}
    body = encoded(payload)
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert team.house.kinds() == ["acknowledged"]
    assert "users.lookupByEmail" not in team.slack.calls


GRID = ("U7", "W7")


@pytest.mark.parametrize("known", ["nothing", "one id", "both ids", "own slack_id", "own slack_id of the grid"])
def test_a_press_from_an_enterprise_grid_is_theirs(open_team: Callable[..., Team], known: str) -> None:
    """The look-up gives one id, the press comes by another: one person, whatever of it was known before."""
    team = open_team(grid=GRID)
    post, ids = team.card(team.house.touch(channel="slack")), team.house.store.slack_ids
    if known in ("one id", "both ids"):
        ids.put(ANA.email, "U7", post.conversation, "W7" if known == "both ids" else "")
    elif known.startswith("own"):
        own = replace(ANA, slack_id="W7" if known.endswith("grid") else "U7")
        team.house.store.people.save([own], by="dana", now=team.house.clock())
    assert team.slack.click(ANA.email, "got_it").status == 200
    assert team.house.kinds() == ["acknowledged"]
    expect(lambda: team.redrawn(post, 1))
    calls = len(team.slack.calls)
    team.slack.click(ANA.email, "undo")
    expect(lambda: team.redrawn(post, 2))
    assert team.house.kinds() == []
    assert [call for call in team.slack.calls[calls:] if call.startswith("users.")] == []


@pytest.mark.parametrize("by", GRID)
def test_either_id_of_the_grid_is_theirs(open_team: Callable[..., Team], by: str) -> None:
    team = open_team(grid=GRID)
    payload = press_payload(team, team.card(team.house.touch(channel="slack")))
    payload["user"] |= {"id": by}
    body = encoded(payload)
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert team.house.kinds() == ["acknowledged"]


def test_a_form_from_an_enterprise_grid_is_theirs(open_team: Callable[..., Team]) -> None:
    team = open_team(grid=GRID)
    team.card(team.house.touch(channel="slack"))
    team.slack.click(ANA.email, "question")
    expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
    (dialog,) = team.slack.team.dialogs_of(ANA.email)
    assert team.slack.submit(dialog, {"entry": "When does it start?"}).status == 200
    assert [question.text for question in team.house.store.questions.all()] == ["When does it start?"]


@pytest.mark.parametrize("stranger", ["W8", "U00000002"])
@pytest.mark.parametrize("known", [False, True])
def test_somebody_else_of_the_grid_is_refused(open_team: Callable[..., Team], stranger: str, known: bool) -> None:
    team = open_team(grid=GRID)
    post = team.card(team.house.touch(channel="slack"))
    if known:
        team.house.store.slack_ids.put(ANA.email, "U7", post.conversation, "W7")
    payload = press_payload(team, post)
    payload["user"] |= {"id": stranger}
    payload["response_url"] = f"{team.slack.url}/response/none"
    body = encoded(payload)
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert (team.house.kinds(), post.edits) == ([], 0)


def test_a_check_on_a_card_of_before_is_explained_and_does_not_count(open_team: Callable[..., Team]) -> None:
    """Its text stood above the question: the person sees their answer, and may be asked again."""
    team = open_team(a_message(checks=[CHECK]))
    post = team.card(team.house.touch(number=2, channel="slack"))
    with team.house.store.database.write() as connection:
        connection.execute(counter.insert().values(name="answer_above", value=1))
    team.slack.click(ANA.email, named("The customer record"))
    expect(lambda: team.redrawn(post, 1))
    assert f"That is right. {CHECK['because']}" in json.dumps(post.blocks)
    assert [(one.right, one.counts) for one in team.house.store.answers.of_person(ANA.id)] == [(True, False)]
    history = team.house.store.loading.histories([ANA.id])[ANA.id].history
    assert standing(history.rows, history.answers, history.questions) == "acknowledged"


def test_the_card_is_redrawn_only_after_the_commit(team: Team) -> None:
    """A database that refuses: Slack hears of it, and the card keeps its buttons."""
    post = team.card(team.house.touch(channel="slack"))
    with team.house.store.database.write() as connection:
        connection.exec_driver_sql("CREATE TRIGGER no BEFORE INSERT ON answer BEGIN SELECT RAISE(ABORT, 'no'); END")
    assert team.slack.click(ANA.email, "got_it").status == 500
    assert (team.house.kinds(), post.edits) == ([], 0)


def test_an_answer_stands_though_the_card_cannot_be_redrawn(team: Team) -> None:
    team.card(team.house.touch(channel="slack"))
    team.slack.fail("response_url", "used_url", status=404)
    team.slack.fail("chat.update", "message_not_found")
    assert team.slack.click(ANA.email, "got_it").status == 200
    assert team.house.kinds() == ["acknowledged"]
    expect(lambda: "chat.update" in team.slack.calls)
    expect(lambda: team.house.store.redraws.waiting() == [])  # the card is gone


def test_every_changed_byte_of_a_signed_press_is_refused(team: Team) -> None:
    body = encoded(press_payload(team, team.card(team.house.touch(channel="slack"))))
    headers = signed_headers(SECRET, body)
    dice = random.Random(7)  # noqa: S311 - the same changes each time
    for place in dice.sample(range(len(body)), 250):
        changed = body[:place] + ("x" if body[place] != "x" else "y") + body[place + 1 :]
        assert team.app.http(changed.encode(), headers).status == 401
    for _ in range(250):
        name = dice.choice(sorted(headers))
        place = dice.randrange(len(headers[name]))
        changed = headers[name][:place] + dice.choice("0x ٣") + headers[name][place + 1 :]
        if changed != headers[name]:
            assert team.app.http(body.encode(), headers | {name: changed}).status == 401
    assert team.house.kinds() == []


@pytest.mark.parametrize(("age", "status"), [(0, 200), (299, 200), (301, 401), (-299, 200), (-301, 401)])
def test_a_replay_is_refused_after_five_minutes(team: Team, age: int, status: int) -> None:
    app = SlackApp(
        team.house.inbox, team.house.store, team.house.desk, token="xoxb-sandbox", signing_secret=SECRET,
        api_url=team.slack.api_url, clock=team.house.clock,
    )  # fmt: skip
    body = encoded(press_payload(team, team.card(team.house.touch(channel="slack"))))
    signed = utc("2027-01-11 09:00").timestamp() - age
    headers = signed_headers(SECRET, body, lambda: signed) | {"Content-Type": "application/x-www-form-urlencoded"}
    assert app.http(body.encode(), headers).status == status


@pytest.mark.parametrize("headers", [
    {}, {"X-Slack-Signature": "v0=0"}, {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=0"},
    {"X-Slack-Request-Timestamp": "9" * 400, "X-Slack-Signature": "v0=0"},
])  # fmt: skip
def test_a_press_without_a_proper_signature_is_refused(team: Team, headers: dict[str, str]) -> None:
    assert team.post("payload=%7B%7D", headers).status_code == 401


def test_a_press_on_a_card_that_is_on_nobodys_record(team: Team) -> None:
    post = team.card(team.house.touch(channel="slack"))
    payload = press_payload(team, post)
    payload["actions"][0]["value"] = "0" * 24
    body = encoded(payload)
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert team.house.kinds() == []


def test_a_followed_link_is_only_acknowledged(team: Team) -> None:
    payload = press_payload(team, team.card(team.house.touch(channel="slack")))
    payload["actions"][0] |= {"action_id": "some_link", "value": ""}
    body = encoded(payload)
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    assert team.house.kinds() == []


def test_without_a_signing_secret_nothing_comes_in_over_http(team: Team) -> None:
    app = SlackApp(team.house.inbox, team.house.store, team.house.desk, token="xoxb-sandbox", clock=team.house.clock)
    body = encoded(press_payload(team, team.card(team.house.touch(channel="slack"))))
    assert app.http(body.encode(), signed_headers("x", body)).status == 401


def test_an_unknown_person_cannot_be_clicked_for(team: Team) -> None:
    with pytest.raises(CommsError):
        team.slack.click("mia@example.com", "got_it")
