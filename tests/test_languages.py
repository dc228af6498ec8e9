"""What a colleague reads in their language: every page, mail, card and form holds no word of another one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select

from commsengine.cadence.plan import Workspace
from commsengine.campaigns.known_campaign import known
from commsengine.content.calendar_feed import calendar_feed
from commsengine.engine.decisions import Decisions
from commsengine.reports.campaign_report import report
from commsengine.reports.morning.digest import Digests
from commsengine.reports.morning.manager_lists import ManagerLists
from commsengine.reports.morning.morning_time import MorningBasis
from commsengine.reports.phases.phase_review import PhaseReviews
from commsengine.reports.report_html import page as report_page
from commsengine.store.tables import touch
from commsengine.translation import in_language
from tests.answering import BY_LINK, Answering, answering
from tests.browsing import TRUST
from tests.builders import ANA, BEN, MIA, a_message, utc
from tests.pseudo import (
    FROM_THE_RIGHT,
    LANGUAGE,
    Pseudo,
    in_pseudo,
    texts_for_people,
    untranslated,
    untranslated_html,
    value,
)
from tests.replies import answer_question
from tests.slack_house import Team, serve_team
from tests.waiting import PATIENCE, expect
from tests.web.conftest import Site, app_of, served

LANGUAGES = (LANGUAGE, FROM_THE_RIGHT)
DIRECTION = {LANGUAGE: "ltr", FROM_THE_RIGHT: "rtl"}

CHECK = {"question": value("q"), "answers": [value("a"), value("b")], "right": value("a"), "because": value("c")}
WIIFM = {angle: value(angle) for angle in ("why", "your_job", "skills", "measures", "results")}
MESSAGES = (
    a_message(checks=[CHECK]),
    a_message(id="words", ask="input", input={"question": value("q"), "kind": "text"}),
    a_message(id="choice", ask="input", input={"question": value("q"), "kind": "choice", "choices": ["«1»", "«2»"]}),
    a_message(id="order", ask="input", input={"question": value("q"), "kind": "rank", "choices": ["«1»", "«2»"]}),
    a_message(id="meet", ask="input", input={"question": value("q"), "kind": "meeting", "choices": ["«1»", "«2»"]}),
    a_message(id="will", ask="commit", commit={"text": value("commit"), "by": "go_live - 7d"}),
    a_message(id="news", ask="nothing", sender="manager", managers_first="2 working days", **{"from": "2027-01-13"}),
)
ROLES = {
    "sales": {"department": [value("Sales")], "title": value("Sales")},
    "others": {"rest": "true", "title": value("Others")},
}  # fmt: skip
PHASES = {
    "listen": {"until": "2027-01-20", "goal": value("goal"), "gate": "true", "reach": {"words": {"answered": "0.5"}}},
    "learn": {"until": "2027-03-01"},
}
GIVEN = re.compile(r"[@/]|[0-9]|^\W*$")
NOT_SHOWN = "'{written}' is not a time of day; write HH:MM with a colon, for example \"09:30\""
"""The page says in its own words what is wrong."""
IDS = {
    *[
        "one-record",
        "words",
        "choice",
        "order",
        "meet",
        "will",
        "news",
        "listen",
        "learn",
        "crm",
        "sales",
        "others",
        "input",
        "ana",
        "UTC",
        "KR",
    ],
    *LANGUAGES,
}
"""Names and keys of the plan and what is stored, which are the same in every language."""


def a_house(folder: Path, language: str, **changes: Any) -> Answering:
    messages = [{**each, "key_point": value("key")} for each in MESSAGES]
    people = [replace(each, name=value(each.id), job=value("job")) for each in (ANA, BEN, MIA)]
    people = [replace(each, department=value(each.department), language=language) for each in people]
    house = answering(
        folder, *messages, people=people, workspace=Workspace(language=language, languages=(language,)),
        title=value("title"), wiifm={"sales": WIIFM, "others": WIIFM}, phases=PHASES, owner=[MIA.email],
        audience={"roles": ROLES}, optional=True,
        **changes,
    )  # fmt: skip
    house.clock.now = utc("2027-01-14 09:00")
    return house


@pytest.fixture(params=LANGUAGES)
def texts(request: pytest.FixtureRequest) -> Iterator[Pseudo]:
    with in_pseudo(request.param, values_outside=True) as spoken, in_language("en"):
        yield spoken


@pytest.fixture
def house(texts: Pseudo, tmp_path: Path) -> Iterator[Answering]:
    found = a_house(tmp_path, texts.language)
    yield found
    found.store.close()


def strange(words: Sequence[str]) -> set[str]:
    bare = {word.strip("\u2066\u2067\u2068\u2069\u200f.,:;()'\"*_`#-–") for word in words}
    return {word for word in bare if word not in IDS and not GIVEN.search(word)}


def told_to_people(texts: Pseudo) -> set[str]:
    """The texts that came up, but that the catalogs of people do not have."""
    return texts.asked - texts_for_people() - {NOT_SHOWN}


@pytest.fixture
def site(house: Answering) -> Iterator[Site]:
    with served(app_of(house)) as address, httpx.Client(base_url=address, verify=TRUST, timeout=PATIENCE) as client:
        yield Site(house, client)


def looked_at(shown: httpx.Response, language: str) -> str:
    assert f'<html lang="{language}" dir="{DIRECTION[language]}">' in shown.text
    assert strange(untranslated_html(shown.text)) == set(), shown.url
    return shown.text


ANSWERS: dict[str, list[dict[str, str]]] = {
    "one-record": [{"do": "question", "text": value("Why?")}, {"do": "snooze"}, {"do": "check", "choice": value("b")},
                   {"do": "explain"}, {"do": "heard_enough"}],
    "words": [{"do": "input"}, {"do": "input", "value": value("a")}, {"do": "undo"}],
    "choice": [{"do": "input"}, {"do": "input", "value": value("1")}],
    "order": [{"do": "input", "place-0": "1", "place-1": "1"}, {"do": "input", "place-0": "2", "place-1": "1"}],
    "meet": [{"do": "input", "value": "other", "other": value("noon")}],
    "will": [{"do": "commit", "value": value("x")}, {"do": "kept", "state": "not_kept"}, {"do": "kept", "state": ""}],
    "news": [{"do": "got_it"}],
}  # fmt: skip


def test_the_answer_page_says_every_thing_in_one_language(site: Site, texts: Pseudo) -> None:
    for message, forms in ANSWERS.items():
        key = site.house.touch(message=message)
        looked_at(site.get(key), texts.language)
        for form in forms:
            looked_at(site.post(key, **form), texts.language)
    assert told_to_people(texts) == set()


def test_the_pages_about_a_campaign_and_a_person(site: Site, texts: Pseudo) -> None:
    house = site.house
    key = house.touch()
    house.inbox.ask(house.card(key), value("Why?"), BY_LINK)
    answer_question(house.store, house.inbox, 1, value("Because."), MIA.email, house.clock())
    house.inbox.explain(house.card(key), BY_LINK)
    house.inbox.snooze(house.card(key))
    house.inbox.give_input(house.card(house.touch(message="words")), value("x"), BY_LINK)
    house.store.answers.outcome(ANA.id, "crm", ["news"], "away", unclear="role", by=MIA.email, now=house.clock())
    for purpose in ("heard", "mine", "unsubscribe"):
        looked_at(site.get(key, purpose), texts.language)
    looked_at(site.post(key, "mine", do="mine"), texts.language)
    looked_at(site.mine(), texts.language)
    for wish in (
        {"channel": "fax"},
        {"from": "09:30"},
        {"from": "23:00", "to": "23:30"},
        {"from": "10:00", "to": "12:00"},
    ):
        looked_at(site.send_mine(do="preferences", **wish), texts.language)
    looked_at(site.send_mine(do="not_for_me", campaign="crm"), texts.language)
    looked_at(site.post(key, "unsubscribe"), texts.language)
    assert told_to_people(texts) == set()


def test_the_pages_of_a_manager_and_of_who_leads(site: Site, texts: Pseudo) -> None:
    house, now = site.house, site.house.clock()
    house.touch()
    call = house.call()
    house.touch(MIA, "news", kind="briefing")
    for purpose, about in (("calls", MIA.id), ("review", "crm")):
        url = house.fresh_links.make(purpose, about, now, campaign="crm", person=MIA.id)  # type: ignore[arg-type]
        looked_at(site.client.get(urlsplit(url).path), texts.language)
        shown = looked_at(site.client.post(urlsplit(url).path, follow_redirects=True), texts.language)
        note = shown.partition('name="seen" value="')[2].partition('"')[0]
        named = {"campaign": "crm", "message": "news"}
        forms: list[dict[str, str]] = (
            [
                {"do": "line", "text": value("x"), **named},
                {"do": "line", "text": "x" * 501, **named},
                {"do": "hold", "until": "2027-03-19", **named},
                {"do": "hold", "until": "", **named},
                {"do": "outcome", "id": call, "outcome": "nothing"},
                {"do": "outcome", "id": call, "outcome": "away"},
                {"do": "outcome", "id": call, "outcome": "objects"},
            ]
            if purpose == "calls"
            else [{"do": "open", "phase": "learn"}, {"do": "open", "phase": "listen"}]
        )
        for form in forms:
            looked_at(
                site.client.post(f"/{purpose}", data={"seen": note, **form}, follow_redirects=True), texts.language
            )
        looked_at(site.client.get(f"/{purpose}"), texts.language)
    assert told_to_people(texts) == set()


def test_where_no_link_names_anybody_the_browser_says_the_language(site: Site, texts: Pseudo) -> None:
    for path in ("/a/forged", "/p/forged", "/mine", "/nowhere"):
        wish = {"Accept-Language": f"tlh, {texts.language}-IL;q=0.9, en;q=0.5"}
        shown = site.client.get(path, headers=wish)
        assert f'lang="{texts.language}' in shown.text
        assert strange(untranslated_html(shown.text)) == set()
        assert 'lang="en" dir="ltr"' in site.client.get(path).text
    assert told_to_people(texts) == set()


def payloads(house: Answering) -> list[dict[str, Any]]:
    rows = house.store.database.rows(select(touch.c.payload).where(touch.c.kind == "service"))
    return [row.payload for row in rows if row.payload]


def looked_over(mail: dict[str, Any], language: str) -> None:
    shown = [mail["subject"], *(unescape(mail["text"]).splitlines())]
    assert strange([word for line in shown for word in untranslated(line)]) == set(), mail["subject"]
    if mail.get("html"):
        assert strange(untranslated_html(mail["html"])) == set()
        assert f'<html lang="{language}" dir="{DIRECTION[language]}">' in mail["html"]
        assert f'dir="{DIRECTION[language]}" lang="{language}"' in mail["html"]
    assert strange([word for text in on(mail.get("blocks") or ()) for word in untranslated(text)]) == set()


def on(blocks: Any) -> Iterator[str]:
    """Every text on a card or form."""
    for each in blocks if isinstance(blocks, list | tuple) else ():
        yield from on(each)
    for name, each in blocks.items() if isinstance(blocks, dict) else ():
        if name == "text" and isinstance(each, str):
            yield unescape(each)
        else:
            yield from on(each)


@pytest.mark.parametrize("channel", ["email", "slack"])
def test_what_the_engine_writes_beside_the_plan(house: Answering, texts: Pseudo, channel: str) -> None:
    key = house.touch()
    for about in ("objection", "question"):
        house.inbox.ask(house.card(key), value(about), BY_LINK)
    answer_question(house.store, house.inbox, 1, value("Because."), MIA.email, house.clock())
    house.inbox.give_input(house.card(house.touch(message="choice")), value("1"), BY_LINK)
    house.fresh_links.send("mine", ANA.id, house.clock(), campaign="crm")
    house.inbox.preferences(ANA.id, "email", (600, 720), house.clock())
    before = replace(house.store.people.by_id(ANA.id) or ANA, wished_channel="slack")
    house.fresh_links.mail.settings_changed(before, "crm", house.clock())
    house.call()
    house.clock.now = utc("2027-01-25 08:00")
    carriers: Any = [channel]
    basis = MorningBasis(
        house.store, Decisions(house.store, Workspace()), house.renderer, carriers, house.fresh_links.make
    )
    records = house.store.campaigns.all()
    for morning in (Digests(basis), ManagerLists(basis), PhaseReviews(basis)):
        morning.send(records, house.clock())
    mails = payloads(house)
    for mail in mails:
        looked_over(mail, texts.language)
    assert len(mails) >= 5
    assert told_to_people(texts) == set()


def test_every_card_its_forms_and_the_home_tab(house: Answering, texts: Pseudo) -> None:
    with ExitStack() as opened:
        team = serve_team(opened, house)
        for message in ("words", "choice", "order", "meet", "will", "one-record"):
            post = card_of(team, message)
            for action in ("question", "answer", "got_it"):
                if any(each.get("action_id") == action for block in post.blocks for each in block.get("elements", ())):
                    team.slack.click(ANA.email, action, post=post)
        expect(lambda: len(team.slack.team.dialogs_of(ANA.email)) >= 8)
        for dialog in team.slack.team.dialogs_of(ANA.email):
            assert strange([word for text in on(dialog.view) for word in untranslated(text)]) == set()
        team.slack.open_home(ANA.email)
        expect(lambda: bool(team.slack.team.homes))
        (home,) = team.slack.team.homes.values()
        assert strange([word for text in on(home) for word in untranslated(text)]) == set()
    assert told_to_people(texts) == set()


def card_of(team: Team, message: str) -> Any:
    key = team.house.touch(message=message, channel="slack")
    post = team.card(key)
    team.is_at(key, post)
    assert strange([word for text in [post.text, *on(post.blocks)] for word in untranslated(unescape(text))]) == set()
    return post


def test_the_report_and_the_calendar(house: Answering, texts: Pseudo) -> None:
    key = house.touch()
    house.inbox.got_it(house.card(key), BY_LINK)
    house.clock.now = utc("2027-01-25 08:00")
    record = known(house.store, "crm")
    with in_language(texts.language):
        html = report_page(report(house.store, "crm", house.clock()))
        feed = calendar_feed(record.plan, 1, house.clock(), cancelled=False, language=texts.language).decode()
    assert f'<html lang="{texts.language}" dir="{DIRECTION[texts.language]}">' in html
    assert strange(untranslated_html(html)) == set()
    assert "⟦⟧Kickoff⟦ – ⟧«title»⟦⟧" in feed.replace("\r\n ", "").replace("\u2068", "").replace("\u2069", "")
    assert told_to_people(texts) == set()
