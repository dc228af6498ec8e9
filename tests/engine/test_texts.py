"""What the engine, its store and channels, reports and answers tell people, in a language in which texts are marked."""

from __future__ import annotations

import ast
import calendar
import datetime as dt
import errno
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from commsengine.answers.inbox import AnswerInbox
from commsengine.answers.replying import Replying
from commsengine.cadence.kinds_and_states import OUTCOMES
from commsengine.cadence.plan import Workspace
from commsengine.campaigns.known_campaign import known
from commsengine.campaigns.moved_dates import Moved, proposed_text
from commsengine.channels.channel import RETRY, Outcome
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer, parse_smtp_url
from commsengine.content.render import Renderer
from commsengine.engine.alerts import Alerts
from commsengine.engine.decisions import Decisions
from commsengine.engine.journal import Journal
from commsengine.engine.owner_lock import EngineLock
from commsengine.engine.sending.attempt import receipt_of
from commsengine.engine.sending.breaker import Breaker
from commsengine.engine.sending.refusal_guard import reason_of
from commsengine.engine.startup import brake
from commsengine.errors import CommsError
from commsengine.links import Links
from commsengine.reports.campaign_report import report
from commsengine.reports.followups import followups, record_outcome
from commsengine.reports.input_answers import answers
from commsengine.reports.report_html import page
from commsengine.reports.why import why
from commsengine.resolvers.imap import parse_imap_url
from commsengine.store.copies import sqlite_copies
from commsengine.store.database import Database, refuse_network
from commsengine.store.records import AskId
from commsengine.store.schema import check
from commsengine.store.store import Store
from commsengine.store.tables import touch
from commsengine.translation import ENGLISH, in_language
from tests.answering import BY_LINK, answering
from tests.builders import ANA, BEN, MIA, a_message, a_plan, someone, utc
from tests.catalogs import ROOT, extracted
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, Scribe
from tests.on_record import CHECKS, NOW, RIGHT, TYPICAL, Given, a_recalled_plan, put_on_record
from tests.pseudo import LANGUAGE, in_pseudo, untranslated, untranslated_html
from tests.reports.test_followups import STAY, live

TWICE = a_message(to=["sales"], cadence={"every": "48h", "times": "2"})
ROOMS = ("answers", "campaigns", "channels", "engine", "planning", "reports", "resolvers", "store")
DAYS = {*calendar.day_abbr, *calendar.month_abbr, *calendar.day_name, *calendar.month_name}
GIVEN = {
    *DAYS, "SMTP", "IMAP", "mysql", "off", "crm", "crn", "some", "none", "gone", "paused", "running", "one-record",
    "email", "why", "role", "go", "Go", "live", "ana", "ben",
    *OUTCOMES, *f"{os.strerror(errno.ENOENT)} {os.strerror(errno.ENOTDIR)} {os.strerror(errno.EEXIST)}".split(),
}  # fmt: skip
"""Names, dates and words of the closed lists, as they fill texts."""


def bare(*texts: str) -> set[str]:
    """The words that no catalog has; addresses, paths and numbers are values, too."""
    words = {word.strip("“”()[],.;:'") for text in texts for word in untranslated(text)}
    return {word for word in words if word not in GIVEN and not re.search(r"[@/0-9]", word)}


def test_alerts(store: Store, clock: Clock) -> None:
    run(store, [someone(1)])
    record = known(store, "crm")
    store.engine.hold("The file is gone.", now=clock.now)
    resting = Breaker("email")
    resting.fail("Slack does not answer", clock.now, "us")
    full = Breaker("email")
    full.fail("Slack does not answer", clock.now, "quota")
    reasons = Counter({reason_of("render", "NameError: x"): 7, reason_of("rcpt", "no such mailbox"): 3})
    reasons |= Counter({reason_of("rcpt", f"550 {n}"): 1 for n in range(6)})
    with in_pseudo(values_outside=True) as texts:
        alerts = Alerts(store, "admin@example.com", ["email"])
        alerts.held(store.engine.holds()[0], clock.now)
        alerts.shut("email", resting, "", lambda: 1_200, clock.now)
        alerts.shut("email", full, "⟦a mailbox⟧", lambda: 1_200, clock.now)
        alerts.failing(record, "⟦too many⟧", reasons, clock.now)
    payloads = store.database.rows(select(touch.c.payload).where(touch.c.message == "alert"))
    told = [(row.payload["subject"], row.payload["text"]) for row in payloads]
    assert len(told) == 5
    assert bare(*(text for each in told for text in each)) == {*record.plan.title.split(), "NameError"}
    catalog = {each.id if isinstance(each.id, str) else each.id[0] for each in extracted()}
    assert {text for text in texts.asked if not text.startswith("550 ") and text not in catalog} == {
        "The file is gone."
    }


def test_what_is_stored_is_english_in_every_language(store: Store, clock: Clock) -> None:
    """Whatever language the engine was started in, a later one finds what it knows."""
    run(store, [someone(n) for n in range(100)])
    store.engine.beat("x", pid=1, host="here", interval=10, now=clock.now)
    clock.forward(days=9)
    with in_pseudo(values_outside=True):
        brake(store, Decisions(store, Workspace()), clock.now)
        given_up = receipt_of(Outcome("k", RETRY, reply="450 later", own=True), 4, clock.now)
    reasons = [hold.reason for hold in store.engine.holds()]
    assert [reason[:22] for reason in reasons] == ["Nothing was sent since"]
    assert given_up.reason == "given up after 5 attempts: 450 later"


def test_follow_ups_and_reasons(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1), someone(2), MIA], a_plan(TWICE, follow_up=STAY))
    live(store, engine, clock, "2027-01-16")
    decisions = Decisions(store, Workspace())
    store.questions.ask(someone(2).id, "crm", "one-record", "k", "Why?", evidence="link", now=clock.now)
    first = next(one for one in followups(store, decisions, Scribe, clock.now) if one.person.id == someone(1).id)
    record_outcome(store, first.id, "objects", unclear="why", by="mia", now=clock.now)
    live(store, engine, clock, "2027-01-27")
    with in_pseudo(values_outside=True):
        found = followups(store, decisions, Scribe, clock.now)
        said = {"evidence": "link", "by": someone(1).id, "now": clock.now}
        store.answers.record(someone(1).id, "crm", "one-record", "k", "input", value="Yes.", **said)
        shown = [why(store, decisions, someone(n).email, clock.now) for n in (1, 2)]
        texts = [*_texts(shown), *(text for one in found for text in (one.reason, *one.tried))]
    assert {one.kind for one in found} == {"personal", "sponsor"}
    assert len(texts) > 10
    assert bare(*texts) == set()


def _texts(data: Any) -> Iterator[str]:
    """All that stands under ``text`` and ``timing``."""
    for each in data if isinstance(data, list) else ():
        yield from _texts(each)
    for name, each in data.items() if isinstance(data, dict) else ():
        yield from [each] if name in ("text", "timing") and each else _texts(each)


def test_each_reads_the_morning_mail_in_their_own_language(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    dana = someone(8, id="dana", email="dana@example.com", department="Board", language=LANGUAGE)
    tom = someone(9, id="tom", email="tom@example.com", department="Board")
    boss = replace(MIA, department="Board", language=LANGUAGE)
    send = {"channels": ["email"], "holidays": "false", "time_zone": "Europe/Berlin"}
    plan = a_plan(a_message(to=["sales"]), follow_up=STAY[:1], send=send, owner=[dana.email, tom.email])
    run(store, [someone(1), someone(2, manager=""), dana, tom, boss], plan)
    live(store, engine, clock, "2027-01-16")
    clock.now = utc("2027-01-18 07:00")
    with in_pseudo(values_outside=True), in_language(ENGLISH):
        engine().tick()
    texts = {(m.to_email, "⟦No answer after" in m.text) for m in bag.arrived if "No answer after" in m.text}
    assert texts == {(dana.email, True), (tom.email, False), (boss.email, True)}


def test_the_report(tmp_path: Path) -> None:
    recalled = {"cadence": {"recall_floor": "0.35", "target": "0.6", "by": "go_live"}, "until": "go_live + 14d"}
    plan = a_recalled_plan(a_message(**recalled, checks=list(CHECKS)))
    given = Given({"managers": 11, "sales": 40, "service": 12, "office": 12}, TYPICAL.strength, TYPICAL.answers)
    with put_on_record(tmp_path, given, plan) as store, in_pseudo(values_outside=True):
        html = page(report(store, "crm", NOW))
    given_words = f"{plan.title} {plan.messages[0].key_point} managers sales service office Office".split()
    departments = {"Sales", "Support", "Finance", "Management", "Managers", "Service", "UTC"}
    assert bare(" ".join(untranslated_html(html))) <= {word.strip(".") for word in given_words} | departments
    assert "Managers" in html


def test_what_people_read_about_themselves(tmp_path: Path) -> None:
    check = {**CHECKS[0], "answers": list(CHECKS[0]["answers"])}
    house = answering(tmp_path, a_message(checks=[check], input={"question": "What?", "kind": "text"}, ask="input"))
    inbox, store = house.inbox, house.store
    key = house.touch()
    with in_pseudo(ENGLISH, values_outside=True):
        card = inbox.explain(inbox.card(key, house.clock()), BY_LINK)
        inbox.snooze(card)
        inbox.heard_enough(house.card(key), BY_LINK, whole_campaign=True)
        inbox.undo(house.card(key))
        inbox.answer_check(house.card(key), RIGHT, BY_LINK)
        store.answers.outcome(ANA.id, "crm", ["one-record"], "away", unclear="role", by="mia", now=house.clock())
        record = inbox.record_of(ANA.id, house.clock())
        told = house.card(house.touch(number=2)).earlier_answer
    lines = [line.text for part in record.campaigns for each in part.messages for line in each.lines]
    assert len(lines) >= 6
    assert bare(told, *lines, *(name for name, _text in record.stored)) == set()
    (question,) = store.questions.all()
    assert question.text.startswith("Please explain it to me (")
    store.close()


FAULTS: dict[str, Callable[[Store, Path], object]] = {
    "smtp scheme": lambda store, folder: parse_smtp_url("http://x"),
    "smtp port": lambda store, folder: parse_smtp_url("smtp://x:y"),
    "smtp letters": lambda store, folder: parse_smtp_url("smtp://ä:b@x"),
    "smtp zero": lambda store, folder: parse_smtp_url("smtp://x:0"),
    "smtp tls": lambda store, folder: parse_smtp_url("smtps://x?tls=off"),
    "imap scheme": lambda store, folder: parse_imap_url("http://x"),
    "imap open": lambda store, folder: parse_imap_url("imap://a:b@x"),
    "sender": lambda store, folder: EmailChannel(SmtpServer("x", 1), "a@b.example, c@d.example"),
    "database": lambda store, folder: Database("mysql://x"),
    "no database": lambda store, folder: check(Database(f"sqlite:///{folder}/none.db")),
    "network": lambda store, folder: refuse_network(folder / "x.db", f"server {folder} nfs4 rw 0 0"),
    "backup": lambda store, folder: sqlite_copies.copy_to(store.database, store.path or folder),
    "no backup": lambda store, folder: sqlite_copies.check_whole(folder / "none.db"),
    "lock": lambda store, folder: EngineLock(folder / "none" / "x.db").__enter__(),
    "garbage": lambda store, folder: _garbage(folder).examine(),
    "full disk": lambda store, folder: Journal(_garbage(folder).path or folder).announce(1, NOW),
    "campaign": lambda store, folder: known(store, "crn"),
    "started": lambda store, folder: store.campaigns.start("crm", by="dana", now=NOW),
    "resume": lambda store, folder: store.campaigns.resume("none", backlog="all", by="dana", now=NOW),
    "backlog": lambda store, folder: store.campaigns.resume("crm", backlog="some", by="dana", now=NOW),
    "question": lambda store, folder: _replying(store).asks([AskId("question", 9)]),
    "touch": lambda store, folder: store.recovery.resolve("k9", "sent", by="dana", now=NOW),
    "follow-up": lambda store, folder: record_outcome(store, "f9", "away", by="dana", now=NOW),
    "outcome": lambda store, folder: store.answers.outcome("p", "crm", ["m"], "gone", by="dana", now=NOW),
    "erased": lambda store, folder: store.people.erase("none", by="dana", now=NOW),
    "roster": lambda store, folder: store.people.set_roster("crm", ["none"], NOW),
    "twice": lambda store, folder: store.people.save([BEN, BEN], by="dana", now=NOW),
    "address": lambda store, folder: store.people.save([replace(BEN, email=ANA.email)], by="dana", now=NOW),
    "answers": lambda store, folder: answers(store, known(store, "crm"), "none"),
    "why": lambda store, folder: why(store, Decisions(store, Workspace()), "anna@example.com", NOW),
    "report": lambda store, folder: report(store, "crn", NOW),
}  # fmt: skip


def _replying(store: Store) -> Replying:
    links = Links("http://127.0.0.1", ["a key"])
    return Replying(store, AnswerInbox(store, lambda plan, templates: Renderer(plan, templates, links, Workspace())))


def _garbage(folder: Path) -> Database:
    (folder / "garbage.db").write_text("x" * 10_000)
    return Database(f"sqlite:///{folder}/garbage.db")


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str, store: Store, tmp_path: Path) -> None:
    run(store, [ANA, MIA])
    with in_pseudo(values_outside=True), pytest.raises(CommsError) as caught:
        FAULTS[fault](store, tmp_path)
    assert bare(caught.value.message, caught.value.fix) == set()
    assert caught.value.message.startswith("⟦")


def test_a_correction_is_proposed_in_the_language_in_use() -> None:
    moved = Moved("go_live", dt.date(2027, 1, 1), dt.date(2027, 2, 1), "")
    with in_pseudo(values_outside=True):
        assert bare(proposed_text(a_plan(title="CRM 2"), ["go_live"], [moved])) <= {"CRM"}


def test_no_error_is_raised_in_words_that_no_catalog_has() -> None:
    wrong = [
        f"{file.name}:{each.lineno}"
        for file in (file for room in ROOMS for file in sorted((ROOT / "commsengine" / room).rglob("*.py")))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS
        for each in node.args
        if isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and each.value)
    ]
    assert wrong == []


ERRORS = {"CommsError", "DiskError", "HeldError", "InputError", "UnknownTouchError"}


def test_an_alert_is_in_the_companys_language(store: Store, clock: Clock) -> None:
    store.engine.hold("The file is gone.", now=clock.now)
    Alerts(store, "admin@example.com", ["email"], "de").held(store.engine.holds()[0], clock.now)
    (row,) = store.database.rows(select(touch.c.payload).where(touch.c.message == "alert"))
    assert row.payload["subject"] == "Es wird nichts gesendet: der Versand ist angehalten"
