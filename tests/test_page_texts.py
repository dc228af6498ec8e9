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

from commsengine.cadence.kinds_and_states import MEASURES
from commsengine.content.phrases import install_words
from commsengine.reports.phases.measures import PHASE_STATES
from commsengine.reports.phases.unclear import subject
from tests.catalogs import ROOT
from tests.pseudo import in_pseudo, texts_of, untranslated_html, value

ROOMS = ("web/pages", "reports/pages", "sandbox")
TIMES = 120
"""Pages of chance a template: enough that each of its texts comes up."""

Pick = Callable[[Any], Any]
DAY = dt.datetime(2027, 1, 11, 9, 30, tzinfo=dt.UTC)


MONDAY = dt.datetime(2027, 1, 11, tzinfo=dt.UTC)


def said_above(pick: Pick) -> dict[str, str]:
    return pick([{"error": value("error"), "notice": ""}, {"error": "", "notice": value("notice")}])


def a_reply(pick: Pick) -> Thing:
    asked, about = pick(["", value("asked")]), pick(["", value("about")])
    return Thing(asked=asked, about=about, said=value("said"), ending=pick(["", value("ending")]))


def a_person() -> Thing:
    return Thing(short_name=value("name"), first_name=value("name"), name=value("name"), email="", phone="+1 2 3")


def in_their_name(pick: Pick) -> Thing:
    return Thing(
        campaign="crm", message="one", title=value("title"), key_point=value("key point"), people=pick([1, 9]),
        opens=MONDAY, closes=MONDAY, line=pick(["", value("line")]), held_until=pick([None, MONDAY]),
        hold_from=pick([None, MONDAY]), hold_to=MONDAY,
    )  # fmt: skip


def answer_page(pick: Pick) -> dict[str, Any]:
    ask = pick(["input", "commit", "acknowledge", "kept"])
    question = Thing(
        text=value("question"), answer=pick(["", value("answer")]), asked_at=DAY, objection=pick([True, False])
    )
    asked = Thing(kind=pick(["choice", "text", "rank", "meeting"]))
    message = Thing(input=asked)
    card = Thing(
        message=message, ask=ask, person=a_person(), asks=pick([None, "baseline"]),
        asks_check=pick([True, False, False]), own_ask=pick([True, False]), answered=pick([True, False]),
        undoable=pick([True, False]), over=pick([True, False, False]),
        latest=Thing(kind=pick(["commit", "check", "acknowledged"])),
        right=pick([True, False]), extra_check=pick([True, False]),
        enough=pick([True, False]), last_answer=value("last"), earlier_answer=pick(["", value("earlier")]),
        question=pick([None, question]), at=lambda at: value("when"),
        snoozed_until=pick([None, MONDAY]), asked_back_on=pick([None, MONDAY]),
        promise=pick([None, Thing(value=value("promise"))]), people_get_it=MONDAY, people_wait=pick([True, False]),
        briefing=pick([None, Thing(only=pick([True, False]))]),
    )  # fmt: skip
    pairs = [("a", value("choice"))]
    because = pick(["", value("because")])
    text = Thing(
        title=value("title"), link=pick(["", "https://x.example.com"]),
        key_point=value("key point"), points=[(value("heading"), value("words")), ("", value("words"))],
        more=pick([[], [("", value("words"))]]), readers=value("readers"), question=value("question"), offered=pairs,
        commit=pick(["", value("commit")]), value=pick(["", value("said")]), adds=pick(["", value("adds")]),
        check=Thing(question=value("question"), answers=pairs, told=value("told"), because=because),
        opening=pick([[], [a_reply(pick)]]), replies=pick([[], [a_reply(pick)]]), told=pick([(), [value("told")]]),
        asked=value("asked"), question_ending=pick(["", value("ending")]),
        for_them=pick([(), [(value("heading"), value("words"))]]),
        why_me=pick([(), (value("why"), value("who"))]),
    )  # fmt: skip
    return {
        **said_above(pick), "card": card, "text": text, "ask": value("ask"), "note": "n", "opened": "question",
        "lead": Thing(name=pick(["", value("name")]), email=value("email")), "named": pick([None, in_their_name(pick)]),
        "given": pick([{}, {"place-0": "1", "other": value("other"), "value": value("value")}]), "longest_line": 500,
        "heard": "h", "calendar": pick(["", "https://x.example.com/c"]),
    }  # fmt: skip


def heard_page(pick: Pick) -> dict[str, Any]:
    one = Thing(
        who=value("who"), asked=pick(["", value("asked")]), said=value("said"), ending=value("ending"), at=DAY,
        when=value("when"),
    )  # fmt: skip
    return {"title": value("title"), "heard": pick([[], [one]]), "back": "a"}


def calls_page(pick: Pick) -> dict[str, Any]:
    person = a_person()
    person.phone = pick(["", "+1 2 3"])
    talk = Thing(parts=[Thing(title=value("title"), lines=[value("line")])])
    call = Thing(
        person=person, plan=Thing(title=value("title")), reason=value("reason"), tried=pick([[], [value("tried")]]),
        by_lead=pick([True, False]), carrier=value("manager"), overdue=pick([True, False]), id="3fa9c01b", talk=talk,
    )  # fmt: skip
    recorded = Thing(at=MONDAY, name=value("name"), person="", outcome="away", note=pick(["", value("note")]))
    return {
        **said_above(pick), "manager": a_person(), "leads": pick([True, False]), "calls": pick([[], [call]]),
        "recorded": pick([[], [recorded]]), "named": pick([[], [in_their_name(pick)]]),
        "outcomes": [("away", value("away"))], "unclear": [("why", value("why"))], "note": "n", "longest_line": 500,
        "longest_note": 500,
    }  # fmt: skip


def a_phase(pick: Pick) -> Thing:
    word = Thing(by=value("lead"), opened_at=MONDAY, because=pick(["", value("because")]))
    gate = Thing(word=pick([None, word]), waiting=pick([[], [value("message")]]))
    hidden, share = pick([True, False]), pick([None, 0.5])
    role = Thing(role=value("role"), share=share, hidden=hidden, count=10, of=20)
    total = Thing(role="", share=share, hidden=False, count=10, of=20)
    measure = Thing(
        message=value("message"), measure=pick(["reached", "answered", "acknowledged", "right", "done"]), wanted=0.5,
        roles=(role,), total=total,
    )  # fmt: skip
    return Thing(
        name=value("phase"), goal=pick(["", value("goal")]), until=MONDAY, state=pick(["to come", "going on", "over"]),
        reached=pick([True, False, None]), gate=pick([None, gate]), measures=pick([[], [measure]]),
        waits=pick([True, False]),
    )  # fmt: skip


def review_page(pick: Pick) -> dict[str, Any]:
    part = Thing(title=value("title"), lines=[value("line")])
    review = Thing(headline=value("headline"), phase=a_phase(pick), parts=pick([[], [part]]))
    return {
        **said_above(pick), "record": Thing(plan=Thing(title=value("title"))), "note": "n",
        "review": pick([None, review, review]), "views": pick([[], [a_phase(pick), a_phase(pick)]]),
        "phase_states": PHASE_STATES,
    }  # fmt: skip


def link_page(pick: Pick) -> dict[str, Any]:
    return {"opens": pick(["", value("page")]), "sent": pick([True, False]), "again": pick([True, False])}


def ask_for_mine(pick: Pick) -> dict[str, Any]:
    return {"card": Thing(person=a_person()), "note": "n", "notice": pick(["", value("notice")])}


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
    links = {
        "why_me": {campaign.id: pick([(), (value("why"), value("who"))])},
        "heard": {campaign.id: "https://comms.example.com/h/x"},
        "calendars": {campaign.id: pick(["", "https://comms.example.com/c/x.ics"])},
    }
    return {**said, **links, "mine": mine, "note": "n", "channels": channels, "start": "", "end": ""}


def unsubscribe_page(pick: Pick) -> dict[str, Any]:
    return {**answer_page(pick), "title": value("title")}


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
            done=pick([None, share]), before=pick([None, share]), transfer=pick([None, share]),
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
        corrected_by=pick(["", value("message")]), compares=pick([True, False]),
    )  # fmt: skip
    panels = [(role(), a_plot())]
    arms = [arm(value("grow"), pick), arm(value("equal"), pick)]
    record = Thing(plan=Thing(title=value("title")), id=value("campaign"), state=value("state"))
    only = pick([[], [Thing(role=value("role"), people=20, only=3)]])
    report = Thing(
        record=record, at=DAY, people=2400, arms=arms, got_it_only=only, trial=pick([None, a_trial(pick)]),
        estimates=pick([True, False]), phases=pick([[], [a_phase(pick)]]), unclear=pick([[], [an_unclear_role(pick)]]),
        commitments=pick([{}, {value("message"): {"kept": 1, "not kept": 2, "silent": 3, "committed": 4}}]),
        side_by_side=[side_by_side(pick)], inputs=pick([[], [an_input(pick)]]),
        replies=pick([[], [Thing(public=True, asked=value("asked"), message="", text=value("text"))]]),
    )  # fmt: skip
    return {
        "phase_states": PHASE_STATES, "measures": MEASURES, "subject": subject,
        "report": report, "state": value("state"), "headline": value("headline"), "lines": [value("line")] * 2,
        "sections": [(message, pick([[], panels]))], "weeks": pick([[], [a_plot()]]),
        "outcomes": pick([[], [(outcome(pick, share), pick([[], panels]))]]),
        "fewest": 10, "shown_people": 2400, "whens": lambda at: value("day"),
        "zone": value("zone"), "here": lambda at: DAY, "hair": 0.001,
        "ending": lambda reply: value("ending"),
    }  # fmt: skip


def an_unclear_role(pick: Pick) -> Thing:
    share = Thing(of=20, count=10)
    return Thing(role=value("role"), talks=pick([{}, {"why": 2}]), checks=pick([{}, {"why": share}]))


def side_by_side(pick: Pick) -> Thing:
    given = [Thing(text=value("text"))] * pick([10, 30])
    one = Thing(department=value("department"), given=given, people=40, tally={value("choice"): 10})
    return Thing(
        question=value("question"), message=value("message"), departments=[one, one], chosen=pick([True, False])
    )


def an_input(pick: Pick) -> Thing:
    choice = value("choice")
    return Thing(
        question=value("question"), answered=10, silent=2, shown=pick([True, False]),
        kind=pick(["text", "choice", "rank"]), tally=pick([{}, {choice: 10}]), places=pick([{}, {choice: 1.5}]),
        texts=pick([(), (value("text"),)]),
    )  # fmt: skip


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
    analysis = pick([None, sealed])
    return Thing(
        title=value("title"), broken=pick([(), (value("key"),)]) if analysis else (), over=pick([False, True]),
        forged=analysis is not None and pick([False, True]), analysis=analysis, now=pick([None, sealed]),
        last_day=DAY, arms=arms, method=value("method"),
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
    "answer.html": answer_page, "heard.html": heard_page, "calls.html": calls_page, "review.html": review_page,
    "ask_for_mine.html": ask_for_mine, "fresh_link.html": link_page,
    "mine.html": my_messages, "unsubscribe.html": unsubscribe_page, "notice.html": notice_page,
    "report.html": report_page, "page.html": sandbox_page,
}  # fmt: skip
PARTS = {"forms.html", "in_your_name.html", "layout.html", "plots.html"}
"""What pages are made of."""
FOR_AUTHORS = {"card.html", "gallery.html"}
"""They speak English, as commands do."""


def rendered(environment: Environment, name: str) -> Iterator[str]:
    template = environment.get_template(name)
    for number in range(TIMES):
        pick = Random(number).choice  # noqa: S311 - dice
        yield template.render(root="../", review_copy=pick([True, False]), **PAGES[name](pick))


@pytest.fixture(scope="module")
def environment() -> Environment:
    loader = FileSystemLoader([ROOT / "commsengine" / room for room in ROOMS])
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    install_words(found)
    return found


def test_every_page_is_looked_at() -> None:
    assert {path.name for path in (ROOT / "commsengine").rglob("*.html")} == {*PAGES, *PARTS, *FOR_AUTHORS}


@pytest.mark.parametrize("name", PAGES)
def test_every_word_of_a_page_is_in_the_catalog(environment: Environment, name: str) -> None:
    with in_pseudo() as texts:
        for html in rendered(environment, name):
            assert untranslated_html(html) == []
    assert texts_of("commsengine", name) - texts.asked == set(), "these did not come up"


def test_a_word_without_a_mark_is_found() -> None:
    page = '<p title="⟦a⟧">⟦one <b>«two»</b>⟧ 3 %</p><style>four</style><p aria-label="five">six «seven»</p>'
    assert untranslated_html(page) == ["six", "five"]
