"""What people type to the app in Slack, and their Home tab: against the stand-in, over signed HTTP."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.people import Person
from commsengine.channels.slack import SlackChannel
from commsengine.content.message import message_of
from commsengine.errors import CommsError
from commsengine.sandbox.slack_clicks import event_callback, message_event, signed_headers
from commsengine.sandbox.slack_team import Post
from commsengine.slack_app.conversation import plain
from commsengine.translation import ENGLISH
from tests import slack_house
from tests.answers.test_inbox import CHECK, INPUT
from tests.builders import ANA, BEN, a_message
from tests.pseudo import in_pseudo, untranslated
from tests.replies import answer_question
from tests.slack_house import SECRET, Team, buttons
from tests.waiting import expect

open_team, team = slack_house.open_team, slack_house.team

EVE = Person(id="eve", email="eve@example.com", name="Eve")
PROMISE = "usually answers here within two working days."


def event(team: Team, post: Post, **changes: Any) -> int:
    """One delivery of what was typed; the status it is answered with."""
    body = json.dumps(event_callback({**message_event(post), **changes}, changes.get("event_id", "Ev1"), post.ts))
    return team.post(body, signed_headers(SECRET, body) | {"Content-Type": "application/json"}).status_code


def test_words_in_the_thread_of_a_card_are_a_question_about_it(team: Team) -> None:
    post, _later = team.sent(), team.sent(number=2)
    answer = team.say("Can I keep my notebook?", thread=post.ts)
    assert (answer.text, answer.thread) == (f"dana@example.com has your question and {PROMISE}", post.ts)
    (question,) = team.house.store.questions.all()
    assert (question.text, question.key, question.thread) == ("Can I keep my notebook?", post.key, post.remote_id)
    assert question.evidence == "slack"
    expect(lambda: team.redrawn(post, 1))
    assert "You asked Mon 18:00" in json.dumps(post.blocks)


def test_words_outside_of_a_thread_are_about_the_last_message_and_answered_below_them(team: Team) -> None:
    _earlier, last = team.sent(), team.sent(number=2)
    answer = team.say("Can I keep my notebook?")
    (typed,) = [post for post in team.slack.dm_of(ANA.email) if post.typed]
    assert answer.thread == typed.ts
    about = 'has your question about "Every customer conversation is logged in one record." and'
    assert answer.text == f"dana@example.com {about} {PROMISE}"
    (question,) = team.house.store.questions.all()
    assert (question.key, question.thread) == (last.key, typed.remote_id)


def test_a_letter_is_asked_about_where_no_card_was_sent(team: Team) -> None:
    key = team.house.touch()
    team.say("Can I keep my notebook?")
    (question,) = team.house.store.questions.all()
    assert question.key == key


def test_what_is_typed_in_several_lines_is_one_question(team: Team) -> None:
    post = team.sent()
    team.say("Can I keep my notebook?", thread=post.ts)
    assert team.say("And until when?").text == "Added to your question."
    assert team.questions() == ["Can I keep my notebook?\nAnd until when?"]
    team.house.clock.pass_(minutes=6)
    team.say("Who teaches us?", thread=post.ts)
    assert team.questions()[1:] == ["Who teaches us?"]


def test_after_its_answer_the_next_words_are_a_new_question(team: Team) -> None:
    post = team.sent()
    team.say("Can I keep my notebook?", thread=post.ts)
    answer_question(team.house.store, team.house.inbox, 1, "Until May.", "dana@example.com", team.house.clock())
    team.say("And then?", thread=post.ts)
    assert team.questions() == ["And then?"]


def test_an_event_that_slack_sends_again_is_recorded_and_answered_once(team: Team) -> None:
    """By its event_id, and after a restart by the time stamp of what was typed."""
    post = team.sent()
    user = post.user
    typed = team.slack.team.say(user, "Can I keep my notebook?", post.ts)
    with ThreadPoolExecutor(4) as slack:
        events = ["Ev1", "Ev1", "Ev1", "Ev9"]
        assert set(slack.map(lambda name: event(team, typed, event_id=name), events)) == {200}
    team.say("And until when?", thread=post.ts)
    expect(lambda: len(team.answers()) >= 2)
    assert [answer.text for answer in team.answers()][1:] == ["Added to your question."]
    assert team.questions() == ["Can I keep my notebook?\nAnd until when?"]


def test_an_answer_that_slack_asks_to_send_later_comes_later(team: Team) -> None:
    post = team.sent()
    team.slack.limit("chat.postMessage")
    assert PROMISE in team.say("Can I keep my notebook?", thread=post.ts).text


def test_what_is_not_recorded_is_answered_once_too(team: Team) -> None:
    post = team.sent()
    typed = team.slack.team.say(post.user, "Thanks!", post.ts)
    assert [event(team, typed), event(team, typed)] == [200, 200]
    team.say("And when?", thread=post.ts)
    expect(lambda: len(team.answers()) >= 2)  # the two answers come in any order
    assert len(team.answers()) == 2


def test_what_cannot_be_recorded_is_sent_again_by_slack(team: Team) -> None:
    post, store = team.sent(), team.house.store
    with store.database.write() as connection:
        connection.exec_driver_sql("CREATE TRIGGER no BEFORE INSERT ON question BEGIN SELECT RAISE(ABORT, 'no'); END")
    assert team.slack.say(ANA.email, "Can I keep my notebook?", thread=post.ts).status == 500
    (typed,) = [one for one in team.slack.dm_of(ANA.email) if one.typed]
    with store.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER no")
    assert event(team, typed, event_id="Ev00000001") == 200
    assert team.questions() == ["Can I keep my notebook?"]


@pytest.mark.parametrize("changes", [
    {"subtype": "message_changed", "hidden": True}, {"subtype": "message_deleted"}, {"bot_id": "B1"},
    {"subtype": "bot_message", "user": None}, {"channel_type": "channel"}, {"hidden": True},
])  # fmt: skip
def test_edits_other_apps_and_our_own_messages_are_nothing_that_was_said(team: Team, changes: dict[str, Any]) -> None:
    post = team.sent()
    typed = team.slack.team.say(post.user, "Can I keep my notebook?", post.ts)
    assert event(team, typed, **changes) == 200
    team.say("And until when?", thread=post.ts)
    assert (team.questions(), len(team.answers())) == (["And until when?"], 1)


@pytest.mark.parametrize(
    "words", ["Got it!", "ok", "OK, thanks 👍", ":+1::skin-tone-2:", "Understood. Thank you, Dana"]
)
def test_got_it_in_so_many_words_below_its_card_is_an_acknowledgement_by_reply(team: Team, words: str) -> None:
    team.house.store.people.save([Person("dana", "dana@example.com", "Dana Reyes")], by="t", now=team.house.clock())
    post = team.sent()
    assert team.say(words, thread=post.ts).text == "Thank you. We recorded that you got it."
    (answer,) = team.house.store.answers.of_person(ANA.id)
    assert (answer.kind, answer.evidence, answer.key) == ("acknowledged", "reply", post.key)
    expect(lambda: team.redrawn(post, 1))
    assert (buttons(post), team.questions()) == (["undo"], [])


@pytest.mark.parametrize(("words", "below", "ask", "said"), [
    ("Thanks!", True, {}, 'Thank you. To confirm the message, press "Got it" on it.'),
    ("ok", False, {}, 'Thank you. To confirm the message, press "Got it" on it.'),
    ("done", True, {"ask": "input", "input": INPUT}, "Thank you. To answer, please use the buttons of the message."),
    ("👍", True, {"ask": "check", "checks": [CHECK]}, "Thank you. To answer, please use the buttons of the message."),
    ("thank you so much", True, {"ask": "nothing"}, "Thank you."),
])  # fmt: skip
def test_a_mere_thank_you_is_neither_question_nor_answer(
    open_team: Callable[..., Team], words: str, below: bool, ask: dict[str, Any], said: str
) -> None:
    team = open_team(a_message(**ask))
    post = team.sent()
    assert team.say(words, thread=post.ts if below else "").text == said
    assert (team.questions(), team.house.kinds(), post.edits) == ([], [], 0)


@pytest.mark.parametrize("words", [
    "ok but when?", "thanks, and who teaches us?", "Not ok", "okapi", "done by whom", "?", ":question:", "no",
])  # fmt: skip
def test_words_that_say_more_are_a_question(team: Team, words: str) -> None:
    post = team.sent()
    assert PROMISE in team.say(words, thread=post.ts).text
    assert (team.questions(), team.house.kinds()) == ([words], [])


def test_an_acknowledgement_taken_back_is_not_made_again_by_a_late_delivery(team: Team) -> None:
    post = team.sent()
    team.say("Got it", thread=post.ts, event_id="Ev7")
    team.house.clock.pass_(minutes=1)
    expect(lambda: team.redrawn(post, 1))
    team.slack.click(ANA.email, "undo")
    expect(lambda: team.redrawn(post, 2))
    (typed,) = [one for one in team.slack.dm_of(ANA.email) if one.typed]
    assert event(team, typed, event_id="Ev8") == 200
    assert team.house.kinds() == []


def test_somebody_who_got_nothing_yet_hears_whom_to_ask(team: Team) -> None:
    team.house.store.people.save([Person("dana", "dana@example.com", "Dana Reyes")], by="t", now=team.house.clock())
    said = 'You have not got a message here yet. Dana Reyes leads "One customer record" and can help: '
    assert team.say("What is this?").text.replace("\u2060", "") == f"{said}dana@example.com"
    team.house.store.campaigns.pause("crm", by="t", now=team.house.clock(), reason="")
    assert "Please ask your manager." in team.say("What is this?").text
    assert team.questions() == []


def test_a_stranger_is_told_that_nothing_was_recorded(team: Team) -> None:
    team.sent()
    assert "We do not know this Slack account" in team.say("What is this?", EVE).text
    assert team.questions() == []


def test_a_file_alone_is_no_question_and_one_with_words_is(team: Team) -> None:
    post = team.sent()
    typed = team.slack.team.say(post.user, "", post.ts)
    assert event(team, typed, subtype="file_share", files=[{"id": "F1"}]) == 200
    expect(lambda: len(team.answers()) == 1)
    assert "We cannot read files or pictures here." in team.answers()[0].text
    typed = team.slack.team.say(post.user, "Is this right?", post.ts)
    assert event(team, typed, subtype="file_share", files=[{"id": "F1"}], event_id="Ev2") == 200
    assert team.questions() == ["Is this right?"]


def test_what_is_too_long_is_told(team: Team) -> None:
    post = team.sent()
    assert "at most 4000 characters" in team.say("x" * 4001, thread=post.ts).text
    assert team.questions() == []


@pytest.mark.parametrize("known", ["slack_id", "cache", "cache of the grid", "nothing", "own slack_id of the grid"])
def test_who_types_is_known_as_who_presses_is(open_team: Callable[..., Team], known: str) -> None:
    team = open_team(grid=("U7", "W7"))
    store, post = team.house.store, team.sent()
    if known.startswith("cache"):
        store.slack_ids.put(ANA.email, "U7", post.conversation, "W7" if "grid" in known else "")
    elif known != "nothing":
        own = replace(ANA, slack_id="W7" if "grid" in known else "U7")
        store.people.save([own], by="t", now=team.house.clock())
    team.say("Can I keep my notebook?", thread=post.ts)
    assert team.questions() == ["Can I keep my notebook?"]


def test_another_persons_own_slack_id_is_not_taken_for_the_one_of_an_address(team: Team) -> None:
    """Ben's account wrote, and Ana's row of the directory says that it is hers."""
    ben = team.slack.team.user(BEN.email)
    assert ben
    team.sent()
    team.sent(BEN)
    team.house.store.slack_ids.put(BEN.email, ben.id, ben.dm)
    team.house.store.people.save([replace(ANA, slack_id=ben.id)], by="t", now=team.house.clock())
    team.say("Whose is this?", BEN)
    (question,) = team.house.store.questions.all()
    assert question.person_id == ANA.id


def test_slack_that_cannot_say_who_writes_sends_it_again(team: Team) -> None:
    post = team.sent()
    team.slack.fail("users.info", "internal_error", times=3, status=500)
    team.say("Can I keep my notebook?", thread=post.ts)
    assert (team.questions(), len(team.answers())) == (["Can I keep my notebook?"], 1)


@pytest.mark.parametrize(("written", "read"), [
    ("a &lt;b&gt; &amp; c", "a <b> & c"), ("<https://example.com|the page>", "the page (https://example.com)"),
    ("<https://example.com>", "https://example.com"), ("<@U1> and <#C1|general>", "@U1 and #general"),
    ("<!here> <!subteam^S1|@team>", "@here @team"), ("<mailto:ana@example.com|ana@example.com>", "ana@example.com"),
])  # fmt: skip
def test_slacks_own_signs_are_read_as_people_write_them(written: str, read: str) -> None:
    assert plain(written) == read


def carry(team: Team) -> Post:
    """What the engine does with the answer that waits; the message that arrives."""
    (row,) = team.house.store.service_mail.due(team.house.clock() + dt.timedelta(days=9))
    channel = SlackChannel("xoxb-sandbox", team.house.store.slack_ids, api_url=team.slack.api_url)
    (outcome,) = channel.deliver([message_of(row.payload or {})], lambda keys: keys)
    assert outcome.verdict == "sent", outcome
    found = team.slack.team.find(*outcome.remote_id.split(":"))
    assert found
    return found


@pytest.mark.parametrize("asked", ["below the card", "by itself", "in the form"])
def test_the_answer_comes_in_the_thread_of_the_question(team: Team, asked: str) -> None:
    post = team.sent()
    if asked == "in the form":
        team.slack.click(ANA.email, "question")
        expect(lambda: bool(team.slack.team.dialogs_of(ANA.email)))
        team.slack.submit(team.slack.team.dialogs_of(ANA.email)[0], {"entry": "Can I keep my notebook?"})
        root = post.ts
    else:
        root = team.say("Can I keep my notebook?", thread=post.ts if asked == "below the card" else "").thread
    answer_question(team.house.store, team.house.inbox, 1, "Until May.", "dana@example.com", team.house.clock())
    answer = carry(team)
    assert (answer.thread, answer.broadcast) == (root, True)  # seen in the conversation, and by its history
    assert "Until May." in json.dumps(answer.blocks)
    expect(lambda: team.app.cards.step() and "is answered: Until May." in json.dumps(post.blocks))


def test_where_the_thread_is_gone_the_answer_comes_by_itself(team: Team) -> None:
    post = team.sent()
    team.say("Can I keep my notebook?", thread=post.ts)
    answer_question(team.house.store, team.house.inbox, 1, "Until May.", "dana@example.com", team.house.clock())
    team.slack.fail("chat.postMessage", "channel_not_found")
    assert (carry(team).thread, len(team.slack.dm_of(ANA.email))) == ("", 4)


def test_a_reply_to_an_answer_is_about_the_same_message(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(), a_message(id="second"))
    post = team.sent()
    team.say("Can I keep my notebook?", thread=post.ts)
    answer_question(team.house.store, team.house.inbox, 1, "Until May.", "dana@example.com", team.house.clock())
    team.slack.fail("chat.postMessage", "channel_not_found")
    answer = carry(team)
    with team.house.store.database.write() as connection:
        row = slack_house.touch
        connection.execute(row.update().where(row.c.kind == "service").values(state="sent", remote_id=answer.remote_id))
    team.house.clock.pass_(hours=1)
    team.house.touch(message="second", channel="slack", number=2)
    team.say("And then?", thread=answer.ts)
    assert [(one.text, one.key) for one in team.house.store.questions.all()] == [("And then?", post.key)]


def test_a_press_on_the_card_of_an_answer_leaves_it_and_is_shown_on_the_message(team: Team) -> None:
    post = team.sent()
    team.say("Can I keep my notebook?", thread=post.ts)
    expect(lambda: team.redrawn(post, 1))
    answer_question(team.house.store, team.house.inbox, 1, "Until May.", "dana@example.com", team.house.clock())
    answer = carry(team)
    assert team.slack.click(ANA.email, "heard_enough", post=answer).status == 200
    expect(lambda: "You said you have heard enough" in post.text)
    assert (team.house.kinds(), answer.edits, "Until May." in json.dumps(answer.blocks)) == (["heard_enough"], 0, True)
    expect(lambda: team.slack.dm_of(ANA.email)[-1].text == "Recorded.")


def test_all_that_is_said_to_people_is_in_the_catalog(team: Team) -> None:
    with in_pseudo(ENGLISH):
        post = team.sent()
        said = [
            team.say("Why?").text, team.say("thanks", thread=post.ts).text, team.say("got it", thread=post.ts).text,
            team.say("Who?", EVE).text, team.say("Who?", BEN).text,
        ]  # fmt: skip
    names = {"dana@example.com", "One customer record"}
    assert [word for text in said for word in untranslated(text) if word not in names] == []


# -- the Home tab -----------------------------------------------------------------------------------------------------


def home(team: Team, email: str = ANA.email) -> str:
    calls = len(team.slack.calls)
    assert team.slack.open_home(email).status == 200
    expect(lambda: "views.publish" in team.slack.calls[calls:])
    user = team.slack.team.user(email)
    assert user
    expect(lambda: user.id in team.slack.team.homes)
    return json.dumps(team.slack.team.homes[user.id]["blocks"], ensure_ascii=False).replace("\u2060", "")


def test_the_home_tab_shows_ones_own_messages_and_how_they_stand(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(checks=[CHECK]))
    post = team.sent()
    team.house.inbox.answer_check(team.house.card(post.key), "My notebook", slack_house.BY_SLACK)
    team.say("Can I keep it?", thread=post.ts)
    team.sent(BEN)
    shown = home(team)
    for words in (
        "One customer record", "Every customer conversation is logged in one record.", "Mon 18:00: Sent in Slack",
        "Mon 18:00: You answered the question", "Mon 18:00: You asked – Can I keep it?",
        f"{team.house.links.base_url}/m/",
    ):  # fmt: skip
        assert words in shown
    assert "Ben" not in shown
    assert str(CHECK["because"]) not in shown


def test_the_link_of_the_home_tab_opens_ones_own_page(team: Team) -> None:
    team.sent()
    (address,) = {part for part in home(team).split('"') if "/m/" in part}
    page = slack_house.WEB.get(team.url + address.partition("8080")[2])
    assert (page.status_code, "Ana K." in page.text) == (200, True)


def test_a_home_tab_without_messages_and_of_a_stranger(team: Team) -> None:
    assert "You have not got a message yet." in home(team)
    assert "We do not know this Slack account" in home(team, "eve@example.com")


def test_a_home_tab_holds_no_more_than_slack_takes(open_team: Callable[..., Team]) -> None:
    team = open_team(*(a_message(id=f"m{number:02}") for number in range(45)))
    for number in range(45):
        team.house.touch(message=f"m{number:02}", channel="slack")
    shown = json.loads(home(team))
    assert len(shown) <= 100
    assert "5 more are on your page." in json.dumps(shown)


def test_an_app_made_from_an_older_manifest_hears_nothing(team: Team) -> None:
    team.slack.team.typing = team.slack.team.home_tab = False
    for does in (lambda: team.slack.say(ANA.email, "Why?"), lambda: team.slack.open_home(ANA.email)):
        with pytest.raises(CommsError):
            does()


def test_slack_is_answered_its_challenge(team: Team) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c1", "token": ""})
    answer = team.post(body, signed_headers(SECRET, body) | {"Content-Type": "application/json"})
    assert (answer.status_code, "c1" in answer.text) == (200, True)
