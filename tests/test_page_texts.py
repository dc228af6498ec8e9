"""Every page in a language in which every text is marked: no word that people see is left out of the catalog."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from random import Random
from types import SimpleNamespace as Thing
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from commsengine.translation import install
from tests.catalogs import ROOT
from tests.pseudo import in_pseudo, texts_of, untranslated_html, value

ROOMS = ("web/pages", "reports/pages", "sandbox")
TIMES = 120
"""Pages of chance a template: enough that each of its texts comes up."""

Pick = Callable[[Any], Any]
DAY = dt.datetime(2027, 1, 11, 9, 30, tzinfo=dt.UTC)


class Weekday(dt.datetime):
    def strftime(self, format: str) -> str:
        return value(format)


def answer_page(pick: Pick) -> dict[str, Any]:
    ask = pick(["input", "commit", "acknowledge"])
    question = Thing(text=value("question"), answer=pick(["", value("answer")]), asked_at=DAY)
    plan = Thing(title=value("title"))
    message = Thing(link=pick(["", "https://x.example.com"]), input=Thing(kind=pick(["choice", "text"])))
    card = Thing(
        plan=plan, message=message, ask=ask, person=Thing(short_name=value("name"), first_name=value("name")),
        asks_check=pick([True, False]), own_ask=pick([True, False]), answered=pick([True, False]),
        undoable=pick([True, False]), over=pick([True, False, False]),
        right=pick([True, False]), extra_check=pick([True, False]),
        enough=pick([True, False]), last_answer=value("last"), earlier_answer=pick(["", value("earlier")]),
        question=pick([None, question]), at=lambda at: value("when"),
        snoozed_until=pick([None, Weekday(2027, 1, 11)]),
    )  # fmt: skip
    pairs = [("a", value("choice"))]
    text = Thing(
        key_point=value("key point"), points=[(value("heading"), value("words")), ("", value("words"))],
        more=pick([[], [("", value("words"))]]), readers=value("readers"), question=value("question"), offered=pairs,
        commit=pick(["", value("commit")]), value=pick(["", value("said")]),
        check=Thing(
            question=value("question"), answers=pairs, right=value("right"), because=pick(["", value("because")])
        ),
    )  # fmt: skip
    lead = Thing(name=pick(["", value("name")]), email=value("email"))
    said = {"error": pick(["", value("error")]), "notice": pick(["", value("notice")])}
    return {
        **said,
        "card": card,
        "text": text,
        "ask": value("ask"),
        "note": "n",
        "opened": "question",
        "lead": lead,
    }


def link_page(pick: Pick) -> dict[str, Any]:
    return {"opens": pick(["", value("page")]), "sent": pick([True, False]), "again": pick([True, False])}


def ask_for_mine(pick: Pick) -> dict[str, Any]:
    person = Thing(short_name=value("name"), first_name=value("name"))
    return {"card": Thing(person=person), "note": "n", "notice": pick(["", value("notice")])}


def my_messages(pick: Pick) -> dict[str, Any]:
    line = Thing(at=DAY, when=value("when"), text=value("line"), quote=pick(["", value("quote")]))
    campaign = Thing(
        id="crm", title=value("title"), over=pick([True, False]), optional=pick([True, False]),
        messages=[Thing(key_point=value("key point"), lines=[line])],
    )  # fmt: skip
    person = Thing(preferred_channel="email", short_name=value("name"), first_name=value("name"))
    channels = pick([[("email", value("channel"))], [("email", value("channel")), ("slack", value("channel"))], []])
    mine = Thing(person=person, campaigns=pick([[], [campaign]]), stored=[(value("column"), value("cell"))])
    said = {"error": pick(["", value("error")]), "notice": pick(["", value("notice")])}
    return {**said, "mine": mine, "note": "n", "channels": channels, "start": "", "end": ""}


def unsubscribe_page(pick: Pick) -> dict[str, Any]:
    return answer_page(pick)


def notice_page(pick: Pick) -> dict[str, Any]:
    return {"heading": value("heading"), "lines": [value("line")]}


def report_page(pick: Pick) -> dict[str, Any]:
    share = Thing(share=0.5, low=0.4, high=0.6, of=20, count=10)
    guess, floor = pick([None, 0.25]), pick([None, 0.5])

    def role() -> Thing:
        recall = Thing(mean=pick([0.3, 0.7]), low=0.2, high=0.8)
        return Thing(
            role=value("role"), people=1200, shown=pick([True, True, False]), right=pick([None, share]),
            counts=Thing(reached=1100, touches=2300, by_hand=pick([0, 3]), acknowledged=pick([0, 700])),
            recall=pick([None, recall]),
            drawn=pick([200, 1200]), checks=pick([0, 60]), tested=pick([True, False]), ramp=pick([True, False]),
            done=pick([None, share]),
        )  # fmt: skip

    total = Thing(
        people=2400, all_roles=pick([True, False]), right=pick([None, share]),
        counts=Thing(reached=2200, touches=4000, by_hand=pick([0, 3]), acknowledged=pick([0, 900])),
    )  # fmt: skip
    alike = Thing(
        index=pick([None, 0.7]), verdict=pick(["alike", "not alike", "too few answers"]), answers=40,
        differ=pick([[], [value("here")], [value("here"), value("there")]]),
        groups={value("here"): 20, value("there"): 20},
    )  # fmt: skip
    message = Thing(
        id=value("id"), key_point=value("key point"), asks=pick(["nothing", "check"]), opens=DAY, closes=DAY,
        floor=floor, target=pick([None, 0.8]), by=pick([None, DAY]), guess=guess, roles=[role(), role()],
        total=pick([None, total]), alike=alike, outcome_title=pick(["", value("outcome")]),
    )  # fmt: skip
    panels = [(role(), a_plot())]
    arms = [arm(value("grow"), pick), arm(value("equal"), pick)]
    record = Thing(plan=Thing(title=value("title")), id=value("campaign"), state=value("state"))
    only = pick([[], [Thing(role=value("role"), people=20, only=3)]])
    report = Thing(record=record, at=DAY, people=2400, arms=arms, got_it_only=only, trial=pick([None, a_trial(pick)]))
    return {
        "report": report, "headline": value("headline"), "lines": [value("line"), value("line")],
        "sections": [(message, pick([[], panels]))], "weeks": pick([[], [a_plot()]]),
        "outcomes": pick([[], [(outcome(pick, share), pick([[], panels]))]]),
        "fewest": 10, "shown_people": 2400, "whens": lambda at: value("day"), "hair": 0.001,
    }  # fmt: skip


def outcome(pick: Pick, share: Thing) -> Thing:
    stages = Thing(
        reached=share, why=pick([None, share]), how=pick([None, share]), done=share, kept=pick([None, share]),
        transfer=pick([None, share]),
    )  # fmt: skip
    role = Thing(role=value("role"), people=1200, shown=pick([True, True, False]), stages=stages)
    return Thing(
        name=value("name"), title=value("title"), last_day=DAY, messages=[value("message")], roles=[role, role],
        asks_why=pick([True, False]), asks_how=pick([True, False]),
    )  # fmt: skip


def a_trial(pick: Pick) -> Thing:
    done = pick([None, Thing(share=0.5, count=10, of=20)])
    arms = [Thing(name=value("arm"), people=30, done=done, more=pick([None, Thing(value=0.1, low=-0.1, high=0.3)]))]
    sealed = {value("key"): value("text"), value("number"): 1.0, value("names"): [value("a")]}
    return Thing(
        title=value("title"), broken=pick([(), (value("key"),)]), forged=pick([False, True]), over=pick([False, True]),
        analysis=pick([None, sealed]), now=pick([None, sealed]), last_day=DAY, arms=arms, method=value("method"),
        roles=(value("role"),), sealed_at=DAY, digest=value("digest"),
    )  # fmt: skip


def arm(name: str, pick: Pick) -> Thing:
    right = pick([None, Thing(share=0.5, count=10, of=20)])
    more = pick([None, Thing(value=0.1, low=-0.1, high=0.3)])
    return Thing(name=name, people=100, messages=pick([None, 4.5]), right=right, more=more)


def a_plot() -> Thing:
    level = Thing(y=1, label=value("level"), x=1, label_x=1, label_y=1, anchor="end")
    return Thing(
        id="p1", title=value("title"), description=value("description"), x_label=value("x"), y_label=value("y"),
        x_ticks=[(1, value("tick"))], y_ticks=[(1, value("tick"))], past="M0", ahead="M0", band="M0", floor=level,
        target=level, moments=[Thing(x=1, label=value("moment"), anchor="end")],
        dots=[Thing(x=1, y=1, low=1, high=1, label_y=1, n=7, says=value("dot"))],
        bars=[Thing(x=1, y=1, width=1, height=1, says=value("bar"))], rows=[(value("row"), value("cell"))],
        left=1, right=1, top=1, bottom=1, height=1,
    )  # fmt: skip


def card_page(pick: Pick) -> dict[str, Any]:
    return {"title": value("title"), "blocks": [Markup("<hr>")]}


def sandbox_page(pick: Pick) -> dict[str, Any]:
    person = Thing(
        email=value("email"), name=pick(["", value("name")]), department=pick(["", value("department")]),
        job=pick(["", value("job")]), country=pick(["", value("country")]), time_zone=pick(["", value("zone")]),
    )  # fmt: skip
    mails, cards = pick([0, 1, 2]), pick([0, 1, 2])
    one = Thing(person=person, hue=1, initials=value("initials"), mails=mails, cards=cards)
    sent = {"From": value("from"), "Reply-To": pick(["", value("reply to")])}
    mail = Thing(number=1, subject=value("subject"), message=sent, text=value("text"))
    post = Thing(
        ts="1", edits=pick([0, 1]), only_visible_to=pick(["", "U1"]), thread=pick(["", "1"]), typed=pick([True, False]),
        broadcast=pick([True, False]),
    )  # fmt: skip
    reply = Thing(post=post, when=value("when"))
    card = Thing(mail=None, post=post, when=value("when"), replies=pick([[], [reply]]))
    items = [Thing(mail=mail, post=None, when=value("when")), card]
    view = {
        "title": {"text": value("title")}, "submit": pick([None, {"text": value("submit")}]),
        "close": {"text": pick(["", value("close")])},
    }  # fmt: skip
    dialog = Thing(id="d", view=view, errors={"field": value("problem")})
    return {
        "chosen": pick([None, one, one]), "people": pick([[], [one]]), "find": value("find"),
        "items": pick([[], items]), "said": pick(["", "200", "0", "503"]), "newest_mail": 1,
        "dialogs": pick([[], [dialog]]), "mails": mails, "cards": cards, "card": lambda post: Markup("<hr>"),
        "dialog_fields": lambda dialog: Markup("<hr>"),
        "link": lambda person: "?", "writes": pick([True, False]),
        "home": pick([None, {}]), "view": lambda view: Markup("<hr>"),
    }  # fmt: skip


PAGES: Mapping[str, Callable[[Pick], dict[str, Any]]] = {
    "answer.html": answer_page, "ask_for_mine.html": ask_for_mine, "fresh_link.html": link_page,
    "mine.html": my_messages, "unsubscribe.html": unsubscribe_page, "notice.html": notice_page,
    "report.html": report_page, "card.html": card_page, "page.html": sandbox_page,
}  # fmt: skip
PARTS = {"forms.html", "layout.html", "plots.html"}
"""What pages are made of."""


def rendered(environment: Environment, name: str) -> Iterator[str]:
    template = environment.get_template(name)
    for number in range(TIMES):
        yield template.render(root="../", lang="en", **PAGES[name](Random(number).choice))  # noqa: S311 - dice


@pytest.fixture(scope="module")
def environment() -> Environment:
    loader = FileSystemLoader([ROOT / "commsengine" / room for room in ROOMS])
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    install(found)
    return found


def test_every_page_is_looked_at() -> None:
    assert {path.name for path in (ROOT / "commsengine").rglob("*.html")} == {*PAGES, *PARTS}


@pytest.mark.parametrize("name", PAGES)
def test_every_word_of_a_page_is_in_the_catalog(environment: Environment, name: str) -> None:
    with in_pseudo() as texts:
        for html in rendered(environment, name):
            assert untranslated_html(html) == []
    assert texts_of("commsengine", name) - texts.asked == set(), "these did not come up"


def test_a_word_without_a_mark_is_found() -> None:
    page = '<p title="⟦a⟧">⟦one <b>«two»</b>⟧ 3 %</p><style>four</style><p aria-label="five">six «seven»</p>'
    assert untranslated_html(page) == ["six", "five"]
