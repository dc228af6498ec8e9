"""Pages in the language of their visitor; what is answered there is kept as the plan has it."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.plan import Workspace
from commsengine.engine.decisions import Decisions
from commsengine.reports.morning.digest import Digests
from commsengine.reports.morning.morning_time import MorningBasis
from commsengine.reports.phases.phase_review import review
from commsengine.translation import in_language
from tests.answering import TEMPLATES
from tests.builders import ANA, BEN, MIA, a_message, utc
from tests.pseudo import LANGUAGE, in_pseudo, untranslated, untranslated_html
from tests.replies import answer_question
from tests.web.conftest import Site

CHECK = {"question": "Where?", "answers": ["Here", "There", "Nowhere"], "right": "There", "because": "It is there."}
CHOICE = {"question": "Which?", "kind": "choice", "choices": ["One", "Two"]}
RANK = {"question": "Which first?", "kind": "rank", "choices": ["One", "Two", "Three"]}
VALUES = ("Ana", "K.", "Kim", "Dana", "dana@example.com")


@pytest.fixture(autouse=True)
def pseudo() -> Iterator[None]:
    with in_pseudo(), in_language("en"):
        yield


def strays(page: str) -> list[str]:
    return [word for word in untranslated_html(page) if word.strip(",.\u2068\u2069") not in VALUES]


def kept(site: Site) -> list[tuple[str, str]]:
    return [(answer.kind, answer.value) for answer in site.house.store.answers.of_person(ANA.id)]


def test_the_page_of_a_message_is_in_one_language(open_site: Any) -> None:
    site = open_site(a_message(text="First.", checks=[CHECK]), language=LANGUAGE)
    page = site.get(site.house.touch()).text
    assert (strays(page), f'lang="{LANGUAGE}"' in page) == ([], True)
    assert "⟦Every customer conversation is logged in one record.⟧" in page
    assert "⟦" not in site.get(site.house.touch(BEN)).text


def test_where_a_text_is_missing_all_of_the_page_is_in_the_plans_language(open_site: Any) -> None:
    site = open_site(a_message(text="First."), language=LANGUAGE)
    plan, store = site.house.plan, site.house.store
    texts = {name: text for name, text in plan.translations[LANGUAGE].items() if not name.endswith(".text")}
    new = plan.model_copy(update={"translations": {LANGUAGE: texts}})
    store.campaigns.save_version(new, TEMPLATES, "", introduced={}, by="test", now=site.house.clock())
    page = site.get(site.house.touch()).text
    assert ("⟦" in page, 'lang="en"' in page) == (False, True)


def test_a_check_is_kept_as_the_plan_has_it_and_explained_in_their_language(open_site: Any) -> None:
    site = open_site(a_message(ask="check", checks=[CHECK]), language=LANGUAGE)
    key = site.house.touch(asks="recall")
    page = html.unescape(site.get(key).text)
    assert all(f"⟦{answer}⟧" in page for answer in CHECK["answers"])
    assert strays(site.get(key).text) == []
    answered = site.post(key, do="check", choice="Here").text
    assert kept(site) == [("check", "Here")]
    assert ("⟦It is there.⟧" in answered, strays(answered)) == (True, [])


@pytest.mark.parametrize(
    ("asked", "given", "stored", "shown"),
    [
        (CHOICE, {"value": "Two"}, "Two", "⟦Two⟧"),
        (RANK, {"place-0": "3", "place-1": "1", "place-2": "2"}, "Two\nThree\nOne", "1. ⟦Two⟧"),
        ({"question": "What?"}, {"value": "My own words"}, "My own words", "My own words"),
    ],
)
def test_what_they_choose_is_kept_as_the_plan_has_it(
    open_site: Any, asked: dict[str, Any], given: dict[str, str], stored: str, shown: str
) -> None:
    site = open_site(a_message(ask="input", input=asked), language=LANGUAGE)
    key = site.house.touch()
    page = site.post(key, do="input", **given).text
    assert kept(site) == [("input", stored)]
    assert shown in html.unescape(page)
    assert shown.partition(". ")[2] in html.unescape(site.mine().text)
    (row,) = site.house.store.people.all_of(ANA.id)["answer"]
    assert row["value"] == stored


def test_every_other_page_of_theirs_is_in_it_as_well(open_site: Any) -> None:
    site = open_site(a_message(), optional=True, language=LANGUAGE)
    key = site.house.touch()
    site.post(key, do="question", text="Why?")
    pages = [site.get(key, purpose).text for purpose in ("answer", "heard", "mine", "unsubscribe")]
    for page in (*pages, site.mine().text):
        found = [word for word in strays(page) if word not in ("Why?", "ana@example.com", "KR", "Asia/Seoul", "+82")]
        assert "⟦One customer record⟧" in page or "⟦My messages" in page
        assert [
            word for word in found if word.isalpha() and word not in ("Engineering", "Engineer", LANGUAGE, "ana")
        ] == []


def test_the_answer_to_a_question_comes_in_the_language_of_the_message(open_site: Any) -> None:
    site = open_site(a_message(), language=LANGUAGE)
    site.post(site.house.touch(), do="question", text="Why?")
    answer_question(site.house.store, site.house.inbox, 1, "Because.", by="dana", now=site.house.clock())
    site.house.clock.pass_(days=1)
    (mail,) = site.mails()
    assert mail["subject"].startswith("⟦")
    typed = mail["text"].replace("Because.", "").replace("Why?", "")
    assert [word for word in untranslated(typed) if not word.startswith("http") and word not in VALUES] == []


def test_the_words_of_a_button_are_in_the_language_of_each_reader(open_site: Any) -> None:
    mia = replace(MIA, language=LANGUAGE)
    site = open_site(
        a_message(checks=[CHECK]), language=LANGUAGE, people=[ANA, mia],
        owner=[MIA.email], phases={"listen": {"until": "2027-03-01"}},
    )  # fmt: skip
    house, asked = site.house, "⟦Please explain it to me⟧ (⟦Where?⟧)"
    key = house.touch(asks="recall")
    site.post(key, do="check", choice="Here")
    assert asked in site.post(key, do="explain").text
    assert house.store.questions.get(1).text == "Please explain it to me (Where?)"
    assert asked in site.mine().text
    with in_language(LANGUAGE):
        record = house.store.campaigns.get("crm")
        in_words = replace(record, plan=record.plan.in_language(LANGUAGE))
        told = review(house.store, in_words, "listen", house.clock())
        assert asked in [line for part in told.parts for line in part.lines][-1]
    answer_question(house.store, house.inbox, 1, "Because.", by="dana", now=house.clock())
    house.clock.pass_(days=1)
    (mail,) = site.mails()
    assert (asked in mail["subject"], f"> {asked}" in mail["text"]) == (True, True)


def test_the_mail_of_the_morning_names_a_call_of_others_in_the_language_of_the_lead(open_site: Any) -> None:
    lead = replace(MIA, id="dana", email="dana@example.com", name="Dana", is_manager=False, language=LANGUAGE)
    house = open_site(a_message(), language=LANGUAGE, people=[ANA, MIA, lead]).house
    house.call()
    house.clock.now = utc("2027-01-13 08:00")
    decisions, make = Decisions(house.store, Workspace()), house.fresh_links.make
    Digests(MorningBasis(house.store, decisions, house.renderer, ["email"], make)).send(
        house.store.campaigns.all(), house.clock()
    )
    (row,) = house.store.service_mail.due(house.clock())
    assert "Ana Kim, ⟦Others⟧, +82 2 1234" in (row.payload or {})["text"]


def test_the_calendar_of_their_page_is_in_their_language(open_site: Any) -> None:
    site = open_site(a_message(), language=LANGUAGE)
    card = site.house.card(site.house.touch())
    url = site.house.inbox.calendar(card)
    feed = site.client.get(url.partition("8080")[2]).text
    assert "⟦kickoff⟧" in feed.replace("\r\n ", "")
    theirs = site.house.card(site.house.touch(replace(BEN)))
    assert "⟦" not in site.client.get(site.house.inbox.calendar(theirs).partition("8080")[2]).text
