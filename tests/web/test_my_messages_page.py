""" "My messages": everything about the person and nothing about anybody else, by a link of their own alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest

from commsengine.cadence.people import Person
from tests.answering import BY_LINK
from tests.answers.test_inbox import CHECK
from tests.builders import ANA, BEN, a_message
from tests.web.conftest import Site

WRONG = "My notebook"


def ana(site: Site) -> Person:
    person = site.house.store.people.by_id(ANA.id)
    assert person
    return person


def test_the_link_in_a_message_shows_nothing_and_sends_one(site: Site) -> None:
    key = site.house.touch()
    before = site.house.store.people.all_of(ANA.id)
    asked = site.get(key, "mine")
    assert (asked.status_code, "Sent by e-mail" in asked.text, ANA.email in asked.text) == (200, False, False)
    assert site.client.get(site.path("mine", key) + "?format=json").headers["content-type"].startswith("text/html")
    assert site.house.store.people.all_of(ANA.id) == before
    sent = site.post(key, "mine", do="mine")
    assert ("on its way" in sent.text, "set-cookie" in sent.headers, "/p/" in sent.text) == (True, False, False)
    (mail,) = site.mails()
    assert (mail["to_email"], mail["subject"]) == (ANA.email, "Your link to your messages")
    assert "/a/" not in mail["text"] + mail["html"]
    fresh = "/p/" + mail["text"].partition("/p/")[2].split()[0].rstrip(").")
    assert "Everything we keep about you" in site.client.post(fresh, follow_redirects=True).text


@pytest.mark.parametrize(
    "form", [{"do": "preferences", "channel": "slack"}, {"do": "not_for_me", "campaign": "crm"}, {}]
)
def test_the_link_in_a_message_changes_nothing(site: Site, form: dict[str, str]) -> None:
    assert site.post(site.house.touch(), "mine", **form).status_code == 400
    assert (ana(site).wished_channel, site.house.kinds(), site.mails()) == ("", [], [])


def test_the_card_sends_the_link_too_and_has_none_itself(site: Site) -> None:
    key = site.house.touch()
    shown = site.get(key).text
    assert ("/m/" in shown, "/mine" in shown, "Send me the link" in shown) == (False, False, True)
    assert "on its way" in site.post(key, do="mine").text
    assert [mail["to_email"] for mail in site.mails()] == [ANA.email]
    assert site.house.kinds() == []


def test_three_links_an_hour_are_enough(site: Site) -> None:
    key = site.house.touch()
    told = [site.post(key, do="mine").text for _ in range(4)]
    assert ["on its way" in each for each in told] == [True, True, True, False]
    assert "several links in the last hour" in told[-1]
    assert len(site.mails()) == 3


def test_a_card_shows_that_card_only(open_site: Callable[..., Site]) -> None:
    site = open_site(a_message(), a_message(id="other", key_point="Something else entirely."))
    key = site.house.touch()
    site.house.touch(message="other", number=2)
    assert "Something else entirely" not in site.get(key).text


def test_everything_sent_answered_and_stored(site: Site) -> None:
    key, inbox, now = site.house.touch(), site.house.inbox, site.house.clock()
    inbox.got_it(inbox.card(key, now), BY_LINK)
    inbox.undo(inbox.card(key, now))
    inbox.ask(inbox.card(key, now), "When does it start?", BY_LINK)
    inbox.snooze(inbox.card(key, now))
    html = site.mine().text
    for words in (
        "Sent by e-mail",
        "You confirmed",
        "You took that back",
        "You asked",
        "When does it start?",
        "reminded on Tuesday, 12 January",
        "Asia/Seoul",
        ANA.email,
    ):
        assert words in html


def test_what_was_chosen_in_a_check_is_not_on_the_page(open_site: Callable[..., Site]) -> None:
    site = open_site(a_message(ask="check", checks=[CHECK]))
    site.house.inbox.answer_check(site.house.card(site.house.touch()), WRONG, BY_LINK)
    html = site.mine().text
    assert ("You answered the question" in html, WRONG in html) == (True, False)


def test_nothing_of_anybody_else(site: Site) -> None:
    site.house.touch()
    site.house.inbox.ask(site.house.card(site.house.touch(BEN)), "Why?", BY_LINK)
    for asked in ("", "json"):
        told = site.mine(format=asked).text
        assert "Why?" not in told
        assert BEN.email not in told


def test_everything_as_a_file(site: Site) -> None:
    key = site.house.touch()
    site.house.inbox.got_it(site.house.card(key), BY_LINK)
    told = site.mine(format="json")
    assert 'attachment; filename="my-messages.json"' in told.headers["content-disposition"]
    everything = told.json()
    assert everything["person"][0]["email"] == ANA.email
    assert (everything["touch"][0]["key"], everything["answer"][0]["kind"]) == (key, "acknowledged")
    assert everything["answer"][0]["at"] == "2027-01-11T09:00:00+00:00"


def test_what_speaks_of_others_and_unused_links_are_not_in_the_file(site: Site) -> None:
    store, now = site.house.store, site.house.clock()
    for category in ("digest", "manager_list", "link", "answer"):
        store.service_mail.add(
            category, category=category, channel="email", payload={"text": f"secret of {category}"}, campaign="crm",
            person_id=ANA.id, now=now,
        )  # fmt: skip
    site.house.touch()
    told = site.mine(format="json").text
    named = ("answer", "digest", "manager_list", "link")
    assert [f"secret of {category}" in told for category in named] == [True, False, False, False]


BOTH = {"send": {"channels": ["email", "slack"]}}


def test_channel_and_hours_are_the_persons_own_wish_and_a_message_says_so(open_site: Callable[..., Site]) -> None:
    site = open_site(**BOTH)
    site.house.touch()
    saved = site.send_mine(do="preferences", channel="slack", **{"from": "10:00", "to": "15:30"}).text
    assert "Saved." in saved
    assert (ana(site).preferred_channel, ana(site).quiet) == ("slack", (600, 930))
    assert 'value="10:00"' in site.mine().text
    (mail,) = site.mails()
    assert (mail["to_email"], mail["channel"], mail["subject"]) == (ANA.email, "email", "Your settings were changed")
    assert "Channel: Slack" in mail["text"]
    assert "Time: between 10:00 and 15:30, your local time" in mail["text"]


def test_the_same_wish_again_is_no_news(site: Site) -> None:
    site.house.touch()
    told = site.send_mine(do="preferences", channel="", **{"from": "", "to": ""}).text
    assert ("nothing has changed" in told, ana(site).quiet, site.mails()) == (True, None, [])


def test_a_channel_that_the_campaign_does_not_use_is_not_offered(site: Site) -> None:
    site.house.touch()
    html = site.mine().text
    assert ("<select" in html, "Channel: E-mail." in html) == (False, True)
    assert site.send_mine(do="preferences", channel="slack").status_code == 422
    assert ana(site).preferred_channel == ""


def test_a_channel_that_is_not_set_up_is_not_offered(open_site: Callable[..., Site]) -> None:
    site = open_site(**BOTH)
    site.house.touch()
    assert '<option value="slack"' in site.mine().text
    site.house.inbox._carriers = ("email",)
    assert "Slack" not in site.mine().text
    assert site.send_mine(do="preferences", channel="slack").status_code == 422


@pytest.mark.parametrize(("start", "end", "kept"), [("18:00", "20:00", False), ("15:00", "20:00", True)])
def test_hours_in_which_nothing_may_come_are_refused_with_those_that_may(
    site: Site, start: str, end: str, kept: bool
) -> None:
    site.house.touch()
    told = site.send_mine(**{"do": "preferences", "from": start, "to": end})
    assert (ana(site).quiet is not None) == kept
    assert ("Messages are only sent between 09:00 and 16:30 your time" in told.text) == (not kept)


def test_a_note_of_a_talk_is_for_the_lead(site: Site) -> None:
    store, now = site.house.store, site.house.clock()
    store.answers.outcome(ANA.id, "crm", ["one-record"], "objects", unclear="skill", note="hm, odd", by="mia", now=now)
    site.house.touch()
    html = site.mine().text
    recorded = "Recorded after a talk with you: Has an objection; unclear: whether they can do it"
    assert (recorded in html, "odd" in html) == (True, False)
    told = site.mine(format="json").json()
    (row,) = told["outcome"]
    assert (row["note"].startswith("There is a note of this talk."), "odd" in str(told)) == (True, False)


@pytest.mark.parametrize(
    "wish",
    [
        {"channel": "pigeon"}, {"from": "10:00"}, {"to": "10:00"}, {"from": "15:00", "to": "10:00"},
        {"from": "soon", "to": "later"},
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_is_told_and_not_kept(site: Site, wish: dict[str, str]) -> None:
    refused = site.send_mine(do="preferences", **wish)
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
    assert (ana(site).channel, ana(site).quiet, site.mails()) == ("", None, [])


def test_not_for_me_ends_the_campaign_for_the_person(site: Site) -> None:
    site.house.touch()
    assert "You get no more messages of that campaign" in site.send_mine(do="not_for_me", campaign="crm").text
    (answer,) = site.house.store.answers.of_person(ANA.id)
    assert (answer.kind, answer.whole_campaign, "suspect" in answer.detail) == ("not_for_me", True, False)


def test_not_for_me_of_a_campaign_one_is_not_in(site: Site) -> None:
    site.house.touch()
    assert site.send_mine(do="not_for_me", campaign="other").status_code == 400


def test_looking_changes_nothing(site: Site) -> None:
    site.house.touch()
    before = site.house.store.people.all_of(ANA.id)
    for asked in ({}, {"format": "json"}, {"do": "not_for_me", "campaign": "crm"}):
        assert site.mine(**asked).status_code == 200
    assert site.house.store.people.all_of(ANA.id) == before


def test_the_key_point_reads_as_in_the_message(open_site: Callable[..., Site]) -> None:
    site = open_site(a_message(key_point="From {{ milestones.go_live }} on, there is one record.", checks=[CHECK]))
    site.house.touch()
    assert "From Monday, 15 March 2027 on, there is one record." in site.mine().text


PAGES = ("answer", "mine", "unsubscribe")
POSTS = {"answer": {"do": "got_it"}, "mine": {"do": "mine"}, "unsubscribe": {"List-Unsubscribe": "One-Click"}}


def all_closed(site: Site, paths: dict[str, str]) -> None:
    for purpose, path in paths.items():
        for answer in (site.client.get(path), site.client.post(path, data=POSTS[purpose])):
            assert (answer.status_code, "This link is closed" in answer.text) == (410, True)
    assert (site.house.kinds(), site.mails(), site.client.get("/mine").status_code) == ([], [], 403)


def test_the_links_of_who_has_left_are_closed(open_site: Callable[..., Site]) -> None:
    site = open_site(optional=True)
    key = site.house.touch()
    paths = {purpose: site.path(purpose, key) for purpose in PAGES}
    assert [site.client.get(path).status_code for path in paths.values()] == [200] * 3
    site.mine()
    gone = replace(ANA, left=site.house.clock().date())
    site.house.store.people.save([gone], by="test", now=site.house.clock())
    all_closed(site, paths)


def test_the_links_of_who_leaves_later_are_open(site: Site) -> None:
    key = site.house.touch()
    later = replace(ANA, left=site.house.clock().date() + dt.timedelta(days=2))
    site.house.store.people.save([later], by="test", now=site.house.clock())
    assert (site.get(key).status_code, site.mine().status_code) == (200, 200)


def test_revoked_links_are_closed_and_new_ones_open(open_site: Callable[..., Site]) -> None:
    site = open_site(optional=True)
    house, key = site.house, site.house.touch()
    paths = {purpose: site.path(purpose, key) for purpose in PAGES}
    unused = house.fresh_links.make("mine", ANA.id, house.clock(), campaign="crm")
    site.mine()
    house.store.people.revoke_links(ANA.id, by="dana", now=house.clock())
    all_closed(site, paths)
    assert site.client.post(unused.removeprefix("http://127.0.0.1:8080")).status_code == 410
    assert site.mine().status_code == 200
    newer = house.links.url("answer", key, house.clock() + dt.timedelta(days=1), revoked=1)
    assert site.client.get(newer.removeprefix("http://127.0.0.1:8080")).status_code == 200
