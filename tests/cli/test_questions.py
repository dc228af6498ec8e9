"""``question``: one reply to all who asked alike, a promise until it is kept, an answer to a rumour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from commsengine.answers.inbox import Evidence
from commsengine.sandbox.mailbox import Mailbox
from commsengine.wiring import Wiring
from tests.cli.terminal import Terminal

ANA, BEN, MIA = "ana@example.com", "ben@example.com", "mia@example.com"
ASKED = {ANA: "May I keep my notebook?", BEN: "may I keep the notebook?", MIA: "Who trains us?"}
TOMORROW = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).date()


@pytest.fixture
def asked(started: Terminal, mailbox: Mailbox) -> Terminal:
    """Two ask alike, one something else."""
    started.run("tick")
    keys = {mail.recipients[0]: mail.key for mail in mailbox.arrived}
    with Wiring(started.folder) as wiring:
        for person, text in ASKED.items():
            wiring.inbox.ask(wiring.inbox.card(keys[person], wiring.clock()), text, Evidence("link"))
    return started


def done(terminal: Terminal, *words: str) -> str:
    said = terminal.run(*words)
    assert said.status == 0, said.err
    return said.out


def open_ones(terminal: Terminal) -> Sequence[str]:
    return [each["person"] for each in terminal.json("questions")["questions"]]


def test_those_who_ask_alike_stand_in_one_line_and_are_answered_at_once(asked: Terminal) -> None:
    listed = done(asked, "questions")
    assert "ana@example.com and 1 other" in listed
    assert "may I keep the notebook?" not in listed
    assert [each["group"] for each in asked.json("questions")["questions"]] == [1, 1, 3]
    assert "may I keep the notebook?" in done(asked, "question", "2")
    told = asked.json("question", "2", "--answer", "Until May.", "--ask", "May the notebook stay?")
    assert told == {"reply": 1, "ids": ["2", "1"], "people": 2, "notice": "", "untold": []}
    assert open_ones(asked) == [MIA]


def test_only_those_that_are_named(asked: Terminal) -> None:
    assert "Answered (Done) to 1 person: 1." in done(asked, "question", "1", "--answer", "Until May.", "--only")
    assert open_ones(asked) == [BEN, MIA]


def test_several_at_once(asked: Terminal) -> None:
    done(asked, "question", "1", "3", "--answer", "See the page.", "--private")
    assert open_ones(asked) == []
    with Wiring(asked.folder) as wiring:
        assert wiring.store.replies.read_by_all("crm") == ()


def test_a_promise_heads_the_day_until_it_is_kept(asked: Terminal) -> None:
    done(asked, "question", "1", "--answer", "We look into it.", "--as", "later", "--by", TOMORROW.isoformat())
    assert asked.json("today")["promises"] == []
    with Wiring(asked.folder) as wiring, wiring.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE reply SET day = '2026-01-15'")
    (promise,) = asked.json("today")["promises"]
    assert (promise["ids"], promise["people"], promise["text"]) == (["1", "2"], 2, "We look into it.")
    assert done(asked, "today").index("1 promise is overdue") < done(asked, "today").index("open question")
    done(asked, "question", "2", "--as", "done")
    assert asked.json("today")["promises"] == []
    again = asked.run("question", "1", "--answer", "No.", "--as", "no")
    assert (again.status, "1 was answered" in again.err) == (2, True)


def test_a_rumour_is_answered_to_all_within_their_budget(asked: Terminal, mailbox: Mailbox) -> None:
    told = asked.json("question", "3", "--answer", "Dana does. In *March*, {{ sure }}.", "--to", "all")
    assert told["notice"] == "answer-3"
    before = len(mailbox.arrived)
    done(asked, "tick")
    (letter,) = [mail for mail in mailbox.arrived[before:] if "In *March*, {{ sure }}." in mail.text]
    assert letter.recipients[0] == MIA
    (campaign,) = asked.json("why", ANA)["campaigns"]
    (coming,) = [each for each in campaign["messages"] if each["message"] == "answer-3"]
    assert (coming["standing"], [each["code"] for each in coming["reasons"]]) == ("not reached", ["budget"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("question", "9", "--answer", "x"), "no question 9"),
        (("question", "a9", "--answer", "x"), "no input a9"),
        (("question", "x9", "--answer", "x"), "not the number of a question"),
        (("question", "1", "--as", "later", "--answer", "x"), "needs its day"),
        (("question", "1", "--as", "later", "--answer", "x", "--by", "2020-01-01"), "is in the past"),
        (("question", "1", "--as", "later", "--answer", "x", "--by", "tomorrow"), "is not a date"),
        (("question", "1", "--answer", "x", "--by", "2099-01-01"), "A day belongs only to '--as later'"),
        (("question", "1", "--as", "no"), "write something"),
        (("question", "1", "--answer", "x", "--to", "sale"), "Did you mean sales?"),
        (("question", "1", "--answer", "x", "--to", "all", "--private"), "not both"),
    ],
)
def test_what_cannot_be_said_is_refused_and_nothing_is_kept(asked: Terminal, words: tuple[str, ...], told: str) -> None:
    said = asked.run(*words)
    assert (said.status, told in said.err) == (2, True), said.err
    assert len(open_ones(asked)) == 3


def test_acknowledgements_with_their_grades(asked: Terminal, mailbox: Mailbox) -> None:
    keys = {mail.recipients[0]: mail.key for mail in mailbox.arrived}
    with Wiring(asked.folder) as wiring:
        now = wiring.clock()
        wiring.inbox.got_it(wiring.inbox.card(keys[ANA], now), Evidence("link"))
        wiring.inbox.got_it(wiring.inbox.card(keys[BEN], now), Evidence("link", {"suspect": "x"}))
    listed = done(asked, "acks", "crm")
    assert "1  button on the page of a signed link" in listed
    assert "1  form sent without its page; not counted" in listed
    assert [ack["counts"] for ack in asked.json("acks", "crm")["acks"]] == [True, False]
    assert done(asked, "acks", "crm", "--csv").splitlines()[0] == "person,name,role,message,at,kind,grade,counts,key"
    assert asked.run("acks", "crm", "--csv", "--json").status == 2
