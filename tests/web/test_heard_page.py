"""What we heard, what we did: read by all of the audience, changed by no one, and no one is named there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from commsengine.answers.replying import Replying, Wording
from commsengine.store.records import AskId
from tests.answering import BY_LINK
from tests.builders import ANA, BEN, a_message, someone
from tests.web.conftest import Site

OpenSite = Callable[..., Site]
RANK = {"question": "What first?", "kind": "rank", "choices": ["Offers", "Visits", "Calls"]}
MEETING = {"question": "When may I come by?", "kind": "meeting", "choices": ["Tue 10:00", "Fri 14:00"]}


def reply(site: Site, ids: list[AskId], text: str, **more: Any) -> None:
    house = site.house
    replying = Replying(house.store, house.inbox)
    house.clock.pass_(hours=1)
    replying.reply(replying.alike(replying.asks(ids)), Wording(text, **more), by="dana", now=house.clock())


def heard(site: Site, key: str) -> str:
    return re.sub(r"\s+", " ", site.get(key, "heard").text)


def ask(site: Site, *people: Any, text: str = "May my own notebook stay?") -> list[str]:
    keys = [site.house.touch(person) for person in people]
    for key in keys:
        site.house.inbox.ask(site.house.card(key), text, BY_LINK)
    return keys


def test_without_a_reply_it_says_that_all_is_read(site: Site) -> None:
    key = site.house.touch()
    assert "There is nothing here yet. We read your questions and answers" in heard(site, key)
    assert f"/h/{site.house.token('heard', key)[:20]}" in site.get(key).text


def test_it_shows_the_leads_words_and_no_ones_own(site: Site) -> None:
    (key, _) = ask(site, ANA, BEN)
    reply(site, [AskId("question", 1)], "Until May.", asked="May the notebook stay?")
    shown = heard(site, key)
    assert all(text in shown for text in ("Some of you asked:", "May the notebook stay?", "Until May."))
    assert not any(text in shown for text in ("my own", ANA.name, BEN.name, ANA.email))


def test_without_words_for_it_the_message_is_named_and_ten_are_counted(site: Site) -> None:
    people = [someone(n) for n in range(10)]
    site.house.store.people.save(people, by="test", now=site.house.clock())
    keys = ask(site, *people)
    reply(site, [AskId("question", 1)], "In May.", ending="later", day=dt.date(2027, 5, 3))
    assert "10 of you asked about “Every customer conversation is logged in one record”." in heard(site, keys[0])
    assert "Promised for Monday, 3 May 2027" in heard(site, keys[0])


def test_what_is_private_or_replaced_does_not_stand_there(site: Site) -> None:
    (key, _) = ask(site, ANA), ask(site, BEN, text="Who pays?")
    reply(site, [AskId("question", 1)], "Only you.", public=False)
    reply(site, [AskId("question", 2)], "Later.", ending="later", day=dt.date(2027, 5, 3))
    reply(site, [AskId("question", 2)], "", ending="done")
    shown = heard(site, key[0])
    assert (shown.count("Later."), "Only you." in shown, "Promised" in shown) == (1, False, False)


def test_nothing_can_be_sent_there_and_no_other_link_opens_it(site: Site) -> None:
    key = site.house.touch()
    path = site.path("heard", key)
    assert site.client.post(path).status_code == 405
    assert site.client.head(path).status_code == 200
    assert site.client.get(site.path("answer", key).replace("/a/", "/h/")).status_code == 404


def test_an_order_is_given_by_places_and_each_place_once(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="input", input=RANK))
    key = site.house.touch()
    wrong = site.post(key, do="input", **{"place-0": "1", "place-1": "1", "place-2": "2"})
    assert (wrong.status_code, "Please give each of them a different place." in wrong.text) == (422, True)
    assert '<option value="2" selected>' in wrong.text
    given = site.post(key, do="input", **{"place-0": "3", "place-1": "1", "place-2": "2"}).text
    assert "1. Visits\n2. Calls\n3. Offers" in given
    (answer,) = site.house.store.answers.of_person(ANA.id)
    assert answer.value == "Visits\nCalls\nOffers"


def test_an_appointment_is_chosen_or_another_is_asked_for(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="input", input=MEETING))
    site.post(site.house.touch(), do="input", value="Tue 10:00", other="")
    site.post(site.house.touch(BEN), do="input", value="other", other="Monday, early")
    values = [site.house.store.answers.of_person(person.id)[0].value for person in (ANA, BEN)]
    assert values == ["Tue 10:00", "Monday, early"]
    assert site.post(site.house.touch(number=2), do="input", value="other", other=" ").status_code == 422


def test_what_comes_of_an_input_stands_on_the_page_of_who_gave_it(open_site: OpenSite) -> None:
    site = open_site(a_message(ask="input", input={"question": "What must stay?"}))
    key, other = site.house.touch(), site.house.touch(BEN)
    site.post(key, do="input", value="The phone number.")
    reply(site, [AskId("input", 1)], "It costs too much.", ending="no")
    assert "What comes of your answer" in site.get(key).text
    assert "It costs too much. <strong>Not planned.</strong>" in re.sub(r"\s+", " ", site.get(key).text)
    assert "It costs too much." not in site.get(other).text
