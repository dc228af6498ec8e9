"""A manager's list and briefing in Slack: only they press, only for their own people, and each call once."""

from __future__ import annotations

import json
from collections.abc import Callable

from commsengine.content.digest_facts import DigestFacts
from commsengine.reports.followups import open_followups, with_talk
from commsengine.sandbox.slack_clicks import button_of, signed_headers
from commsengine.sandbox.slack_team import Post
from tests import slack_house
from tests.builders import ANA, BEN, MIA, a_message
from tests.slack_house import SECRET, Team, buttons, encoded, press_payload
from tests.waiting import expect

open_team, team = slack_house.open_team, slack_house.team


def a_list(team: Team, *calls: str) -> Post:
    """Mia's list of the morning, as it is written for Slack."""
    house, user = team.house, team.slack.team.user(MIA.email)
    assert user
    team.slack.team.opened.add(user.dm)
    found = [one for one in open_followups(house.store, house.clock()) if not calls or one.id in calls]
    record = house.store.campaigns.get("crm")
    assert record
    renderer = house.renderer(record.plan, record.templates)
    spoken = with_talk(house.store, house.renderer, found, house.clock())
    facts = DigestFacts("k", house.clock(), tuple(one.call(of=one.plan) for one in spoken))
    message = renderer.manager_list(MIA, ANA, facts, "slack")
    return team.slack.team.post(user, message.text, [dict(block) for block in message.blocks], {})


def test_an_outcome_is_recorded_by_one_press_and_stands_in_place_of_the_buttons(team: Team) -> None:
    call, other = team.house.call(ANA), team.house.call(BEN)
    post = a_list(team)
    assert team.slack.click(MIA.email, "outcome_understood", call, post=post).status == 200
    expect(lambda: "Ana Kim: It is clear now" in json.dumps(post.blocks))
    (outcome,) = team.house.store.answers.outcomes()
    assert (outcome.person, outcome.outcome, outcome.by) == (ANA.email, "understood", MIA.email)
    assert [button_of(post, "outcome_away", each) is None for each in (call, other)] == [True, False]


def recorded(team: Team) -> list[tuple[str, str, str, str]]:
    return [(one.person, one.outcome, one.unclear, one.note) for one in team.house.store.answers.outcomes()]


def test_who_is_not_their_manager_records_nothing(team: Team) -> None:
    call = team.house.call(ANA)
    post = a_list(team)
    eve = team.slack.team.user("eve@example.com")
    payload = press_payload(team, post, "outcome_understood")
    payload["user"]["id"] = eve.id if eve else ""
    assert payload["actions"][0]["value"] == call
    body = encoded(payload)
    assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    expect(lambda: "does not report to you" in team.slack.dm_of(MIA.email)[-1].text)
    assert recorded(team) == []


def test_a_press_delivered_twice_and_another_after_it_change_nothing(team: Team) -> None:
    team.house.call(ANA)
    post = a_list(team)
    body, other = (encoded(press_payload(team, post, f"outcome_{word}")) for word in ("objects", "declines"))
    for _ in range(2):
        assert team.post(body, signed_headers(SECRET, body)).status_code == 200
    team.post(other, signed_headers(SECRET, other))
    expect(lambda: "was recorded on 11 January" in team.slack.dm_of(MIA.email)[-1].text)
    assert recorded(team) == [(ANA.email, "objects", "", "")]


def test_to_hear_no_more_is_for_good_so_slack_asks_again(team: Team) -> None:
    team.house.call(ANA)
    button = button_of(a_list(team), "outcome_declines")
    assert button
    assert "This person is not asked about these messages again" in button["confirm"]["text"]["text"]


def test_a_small_form_takes_what_was_unclear_and_a_note(team: Team) -> None:
    team.house.call(ANA)
    post = a_list(team)
    team.slack.click(MIA.email, "outcome-more", post=post)
    expect(lambda: bool(team.slack.team.dialogs_of(MIA.email)))
    (dialog,) = team.slack.team.dialogs_of(MIA.email)
    filled = {"outcome": "objects", "unclear": "role", "note": "She <@U1> fears for her list."}
    assert team.slack.submit(dialog, filled).status == 200
    assert recorded(team) == [(ANA.email, "objects", "role", "She <@U1> fears for her list.")]
    expect(lambda: "Has an objection" in json.dumps(post.blocks))
    assert "<@U1>" not in json.dumps(post.blocks)


NAMED = a_message(sender="manager", managers_first="2 working days", **{"from": "2027-01-13"})


def a_briefing(team: Team) -> Post:
    return team.card(team.house.touch(MIA, channel="slack", kind="briefing"), MIA.email)


def test_what_goes_out_in_their_name_can_be_held_and_gets_a_line(open_team: Callable[..., Team]) -> None:
    team = open_team(NAMED)
    post = a_briefing(team)
    assert "Your people get this on" in json.dumps(post.blocks)
    assert [button for button in buttons(post) if button.startswith("manager-")] == ["manager-line", "manager-hold"]
    for action, filled, said in (
        ("manager-hold", "2027-01-15", "Held. It is sent on Friday, 15 January 2027."),
        ("manager-line", "Ask me on Thursday.", "Your line is in the messages sent from now on."),
    ):
        team.slack.click(MIA.email, action, post=post)
        expect(lambda: bool(team.slack.team.dialogs_of(MIA.email)))
        (dialog,) = team.slack.team.dialogs_of(MIA.email)
        team.slack.submit(dialog, {"entry": filled})
        assert dialog.view["blocks"][0]["text"]["text"] == said
        team.slack.team.close_dialog(dialog)
    (one,) = team.house.desk.in_their_name(MIA, team.house.clock())
    assert (str(one.held_until), one.line) == ("2027-01-15", "Ask me on Thursday.")


def test_a_hold_that_is_too_long_is_refused_in_the_form(open_team: Callable[..., Team]) -> None:
    team = open_team(NAMED)
    team.slack.click(MIA.email, "manager-hold", post=a_briefing(team))
    expect(lambda: bool(team.slack.team.dialogs_of(MIA.email)))
    (dialog,) = team.slack.team.dialogs_of(MIA.email)
    team.slack.submit(dialog, {"entry": "2027-02-15"})
    assert "at most 5 working days" in dialog.errors["entry"]
