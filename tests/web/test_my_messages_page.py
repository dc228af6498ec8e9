""" "My messages": everything about the person, their wishes, and nothing about anybody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from commsengine.cadence.people import Person
from tests.answering import BY_LINK
from tests.answers.test_inbox import CHECK
from tests.builders import ANA, BEN, a_message
from tests.web.conftest import Site


def ana(site: Site) -> Person:
    person = site.house.store.people.by_id(ANA.id)
    assert person
    return person


def test_everything_sent_answered_and_stored(site: Site) -> None:
    key, inbox, now = site.house.touch(), site.house.inbox, site.house.clock()
    inbox.got_it(inbox.card(key, now), BY_LINK)
    inbox.undo(inbox.card(key, now))
    inbox.ask(inbox.card(key, now), "When does it start?", BY_LINK)
    inbox.snooze(inbox.card(key, now))
    html = site.get(key, "mine").text
    for words in ("Sent by e-mail", "You confirmed", "You took that back", "You asked", "When does it start?",
                  "before Tuesday, 12 January", "Asia/Seoul", ANA.email):  # fmt: skip
        assert words in html


def test_nothing_of_anybody_else(site: Site) -> None:
    key = site.house.touch()
    site.house.inbox.ask(site.house.card(site.house.touch(BEN)), "Why?", BY_LINK)
    for asked in ("", "?format=json"):
        told = site.client.get(site.path("mine", key) + asked).text
        assert "Why?" not in told
        assert BEN.email not in told


def test_everything_as_a_file(site: Site) -> None:
    key = site.house.touch()
    site.house.inbox.got_it(site.house.card(key), BY_LINK)
    told = site.client.get(site.path("mine", key), params={"format": "json"})
    assert 'attachment; filename="my-messages.json"' in told.headers["content-disposition"]
    everything = told.json()
    assert everything["person"][0]["email"] == ANA.email
    assert (everything["touch"][0]["key"], everything["answer"][0]["kind"]) == (key, "acknowledged")
    assert everything["answer"][0]["at"] == "2027-01-11T09:00:00+00:00"


def test_a_digest_or_a_list_of_ones_people_is_not_in_the_file(site: Site) -> None:
    """A link may be in any hands, and what such mail says is about others."""
    store, now = site.house.store, site.house.clock()
    for category in ("digest", "manager_list", "answer"):
        store.service_mail.add(
            category, category=category, channel="email", payload={"text": f"secret of {category}"}, campaign="crm",
            person_id=ANA.id, now=now,
        )  # fmt: skip
    told = site.client.get(site.path("mine", site.house.touch()), params={"format": "json"}).text
    assert ("secret of answer" in told, "secret of digest" in told, "secret of manager_list" in told) == (
        True,
        False,
        False,
    )


BOTH = {"send": {"channels": ["slack", "email"]}}


def test_channel_and_hours_are_the_persons_own_wish(open_site: Callable[..., Site]) -> None:
    site = open_site(**BOTH)
    key = site.house.touch()
    fields = {"do": "preferences", "channel": "slack", "from": "10:00", "to": "15:30"}
    assert "Saved." in site.post(key, "mine", **fields).text
    assert (ana(site).preferred_channel, ana(site).quiet) == ("slack", (600, 930))
    assert 'value="10:00"' in site.get(key, "mine").text


def test_a_channel_that_the_campaign_does_not_use_is_not_offered(site: Site) -> None:
    key = site.house.touch()
    html = site.get(key, "mine").text
    assert ("<select" in html, "Channel: E-mail. There is no other here." in html) == (False, True)
    assert site.post(key, "mine", do="preferences", channel="slack").status_code == 422
    assert ana(site).preferred_channel == ""


def test_a_channel_that_is_not_set_up_is_not_offered(open_site: Callable[..., Site]) -> None:
    site = open_site(**BOTH)
    key = site.house.touch()
    assert '<option value="slack"' in site.get(key, "mine").text
    site.house.inbox._carriers = ("email",)
    assert "Slack" not in site.get(key, "mine").text
    assert site.post(key, "mine", do="preferences", channel="slack").status_code == 422


@pytest.mark.parametrize(("start", "end", "kept"), [("18:00", "20:00", False), ("15:00", "20:00", True)])
def test_hours_in_which_nothing_may_come_are_refused_with_those_that_may(
    site: Site, start: str, end: str, kept: bool
) -> None:
    told = site.post(site.house.touch(), "mine", **{"do": "preferences", "from": start, "to": end})
    assert (ana(site).quiet is not None) == kept
    assert ("Messages may come between 09:00 and 16:30 your time only" in told.text) == (not kept)


def test_a_note_of_a_talk_is_for_the_lead(site: Site) -> None:
    store, now = site.house.store, site.house.clock()
    store.answers.outcome(ANA.id, "crm", ["one-record"], "objects", unclear="skill", note="hm, odd", by="mia", now=now)
    key = site.house.touch()
    html = site.get(key, "mine").text
    assert ("Recorded after a talk with you: objects; unclear: skill" in html, "odd" in html) == (True, False)
    told = site.client.get(site.path("mine", key), params={"format": "json"}).json()
    (row,) = told["outcome"]
    assert (row["note"].startswith("There is a note of this talk."), "odd" in str(told)) == (True, False)


def test_both_hours_may_be_left_empty(site: Site) -> None:
    site.post(site.house.touch(), "mine", **{"do": "preferences", "channel": "", "from": "", "to": ""})
    assert ana(site).quiet is None


@pytest.mark.parametrize(
    "wish",
    [
        {"channel": "pigeon"}, {"from": "10:00"}, {"to": "10:00"}, {"from": "15:00", "to": "10:00"},
        {"from": "soon", "to": "later"},
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_is_told_and_not_kept(site: Site, wish: dict[str, str]) -> None:
    refused = site.post(site.house.touch(), "mine", do="preferences", **wish)
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
    assert (ana(site).channel, ana(site).quiet) == ("", None)


def test_not_for_me_ends_the_campaign_for_the_person(site: Site) -> None:
    key = site.house.touch()
    assert "You hear nothing more of this campaign" in site.post(key, "mine", do="not_for_me", campaign="crm").text
    (answer,) = site.house.store.answers.of_person(ANA.id)
    assert (answer.kind, answer.whole_campaign, "suspect" in answer.detail) == ("not_for_me", True, False)


def test_not_for_me_of_a_campaign_one_is_not_in(site: Site) -> None:
    assert site.post(site.house.touch(), "mine", do="not_for_me", campaign="other").status_code == 400


def test_looking_changes_nothing(site: Site) -> None:
    key = site.house.touch()
    before = site.house.store.people.all_of(ANA.id)
    for asked in ("", "?format=json", "?do=not_for_me&campaign=crm"):
        site.client.get(site.path("mine", key) + asked)
    assert site.house.store.people.all_of(ANA.id) == before


def test_the_key_point_reads_as_in_the_message(open_site: Callable[..., Site]) -> None:
    site = open_site(a_message(key_point="From {{ milestones.go_live }} on, there is one record.", checks=[CHECK]))
    assert "From Monday, 15 March 2027 on, there is one record." in site.get(site.house.touch(), "mine").text
