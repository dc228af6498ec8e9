"""A review copy in Slack: its buttons and forms answer as the real ones do, and record nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from commsengine.answers.review_copies import NOTE, OPEN
from commsengine.cadence.history import Touch
from commsengine.cadence.people import Person, by_address
from commsengine.sandbox.slack_team import Post
from commsengine.slack_app.interactions import GONE
from tests import slack_house
from tests.answering import TEMPLATES
from tests.answers.test_inbox import CHECK
from tests.builders import ANA, BEN, a_message
from tests.slack_house import Team, buttons
from tests.waiting import expect
from tests.web.test_review_copies import rows

open_team, team = slack_house.open_team, slack_house.team


def a_copy(team: Team, to: Person = BEN, **more: Any) -> Post:
    """Of what Ana gets, as it stands in the conversation of ``to``."""
    now = team.house.clock()
    when = (now.date(), now, now + dt.timedelta(hours=5))
    touch = Touch("crm", "one-record", ANA.id, "others", 0, "message", "slack", *when, **more)
    people = (ANA, by_address(team.house.plan.owner[0]))
    key, message = team.copies.make(team.house.plan, TEMPLATES, touch, people, to=to.email, by="dana")
    user = team.slack.team.user(to.email)
    assert user
    team.slack.team.opened.add(user.dm)
    team.house.store.slack_ids.put(to.email, user.id, user.dm)  # as the channel does that sends it
    metadata = {"event_type": "commsengine_touch", "event_payload": {"key": key}}
    post = team.slack.team.post(user, message.text, [dict(block) for block in message.blocks], metadata)
    team.copies.sent(key, post.remote_id)
    return post


def _note(post: Post) -> str:
    return str(post.blocks[0]["elements"][0]["text"])


def test_a_press_is_shown_on_the_card_and_recorded_nowhere(team: Team) -> None:
    post = a_copy(team)
    before, shown = rows(team.house.store), buttons(post)
    assert _note(post) == NOTE
    assert team.slack.click(BEN.email, "got_it").status == 200
    expect(lambda: post.edits == 1)
    assert (post.text, buttons(post), _note(post)) == ("You confirmed Mon 18:00", ["undo"], NOTE)
    team.slack.click(BEN.email, "undo")
    expect(lambda: post.edits == 2)
    assert (buttons(post), rows(team.house.store)) == (shown, before)


def test_a_question_by_its_form_reaches_nobody(team: Team) -> None:
    post = a_copy(team)
    before = rows(team.house.store)
    team.slack.click(BEN.email, "question")
    expect(lambda: team.slack.team.dialogs_of(BEN.email))
    (dialog,) = team.slack.team.dialogs_of(BEN.email)
    assert team.slack.submit(dialog, {"entry": "When?"}).status == 200
    expect(lambda: "You asked" in str(post.blocks))
    assert (team.questions(), rows(team.house.store)) == ([], before)


def test_a_check_is_explained(open_team: Callable[..., Team]) -> None:
    team = open_team(a_message(ask="check", checks=[CHECK]))
    post = a_copy(team, asks="recall")
    before = rows(team.house.store)
    name = next(each for each in buttons(post) if each.startswith("check_"))
    team.slack.click(BEN.email, name)
    expect(lambda: CHECK["because"] in str(post.blocks))
    assert rows(team.house.store) == before


def test_what_is_typed_below_it_is_taken_for_no_question(team: Team) -> None:
    team.sent(BEN)
    post = a_copy(team)
    before = rows(team.house.store)
    assert team.say("Why?", BEN, thread=post.ts).text == NOTE
    assert (team.questions(), rows(team.house.store)) == ([], before)


def test_an_expired_one_says_so(team: Team) -> None:
    post = a_copy(team)
    team.house.clock.pass_(seconds=OPEN.total_seconds())
    assert team.slack.click(BEN.email, "got_it").status == 200
    expect(lambda: any(GONE in each.text for each in team.slack.dm_of(BEN.email)))
    assert (post.edits, team.house.kinds(BEN)) == (0, [])
