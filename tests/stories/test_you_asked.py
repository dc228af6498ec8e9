"""You asked, we did: two of twelve peers are read, five who ask alike are answered once, a rumour to all."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from commsengine.answers.inbox import Evidence
from commsengine.answers.replying import Wording
from commsengine.cadence.forecast import no_answers
from commsengine.cadence.plan import Workspace
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.reports.input_answers import answers
from commsengine.reports.promises import overdue_promises
from commsengine.sandbox.mailbox import Mail
from commsengine.sandbox.rehearsal_people import open_page
from commsengine.sandbox.rehearse import Rehearsal, Script
from commsengine.store.records import AskId
from tests.builders import a_message, a_plan, someone, utc
from tests.stories.test_interviews import LEAD, PLAN, TWO, keys, two_answer
from tests.stories.test_interviews import PEERS as TWELVE

PEERS = [someone(n, manager="", channel="slack" if n < 6 else "email") for n in range(12)]
ASKED, SAID = "May I keep my notebook after go-live?", "Yes, until the end of May."
IN_OTHER_WORDS = (
    "May I keep my notebook after go-live?",
    "May I keep my notebook after the go-live?",
    "may i keep my old notebook after go-live",
)
WINDOW = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "16:30"}
A_PLAN = a_plan(
    a_message(cadence={"every": "48h", "times": "5"}),
    send={
        "channels": ["slack", "email"],
        "holidays": "false",
        "window": WINDOW,
        "at_most": {"per_day": 2, "per_week": 9},
    },
    follow_up=[],
)


def script(plan: object, people: object, until: str, suppose: object = no_answers) -> Script:
    templates = load_templates(shipped_folder(), None)
    return Script(plan, people, Workspace(), templates, utc("2027-01-10 23:00"), utc(until), lambda: suppose)  # type: ignore[arg-type]


# -- Jane's twelve peers --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def interviews(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal(script(PLAN, TWELVE, "2027-01-29", two_answer), tmp_path_factory.mktemp("interviews")) as rehearsal:
        rehearsal.diary.note(utc("2027-01-22 12:00"), lambda: reply(rehearsal, ["a1"], "We visit both of you.", "done"))
        rehearsal.run()
        yield rehearsal


def reply(rehearsal: Rehearsal, ids: list[str], text: str, ending: str, **more: object) -> None:
    replying, now = rehearsal.wiring.replying, rehearsal.clock.now()
    asks = replying.alike(replying.asks([ask_id(each) for each in ids]))
    replying.reply(asks, Wording(text, ending, **more), by="dana@example.com", now=now)  # type: ignore[arg-type]


def ask_id(written: str) -> AskId:
    return AskId("input" if written.startswith("a") else "question", int(written.removeprefix("a")))


def test_the_two_answers_are_read_by_name_and_the_ten_are_known_as_silent(interviews: Rehearsal) -> None:
    record = interviews.wiring.store.campaigns.get(PLAN.campaign)
    assert record
    (asked,) = answers(interviews.wiring.store, record)["messages"]
    assert {each["person"] for each in asked["answers"]} == TWO
    assert len(asked["silent"]) == 10
    digests = [mail for mail in interviews.sandbox.mailbox.arrived if mail.recipients[0] == LEAD]
    told = "\n".join(text_of(mail) for mail in digests)
    assert all(each["name"] in told for each in asked["answers"])


def test_who_put_in_the_same_is_answered_once(interviews: Rehearsal) -> None:
    letters = [mail for mail in interviews.sandbox.mailbox.arrived if "What comes of your answer" in subject_of(mail)]
    assert {mail.recipients[0] for mail in letters} == TWO
    assert len(letters) == 2
    assert all("We visit both of you." in text_of(mail) for mail in letters)
    assert not {mail.key for mail in letters} & keys(interviews)


def text_of(mail: Mail) -> str:
    return " ".join(mail.text.split())


def subject_of(mail: Mail) -> str:
    return str(mail.subject)


# -- five who ask alike, and a rumour -------------------------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal(script(A_PLAN, PEERS, "2027-01-22 23:00"), tmp_path_factory.mktemp("asked")) as rehearsal:
        note = rehearsal.diary.note
        note(utc("2027-01-11 10:00"), lambda: five_ask(rehearsal))
        note(
            utc("2027-01-12 10:00"),
            lambda: reply(rehearsal, ["1"], SAID, "later", day=dt.date(2027, 1, 18), asked="May the notebook stay?"),
        )
        note(
            utc("2027-01-14 12:00"),
            lambda: reply(rehearsal, ["6"], "No job is cut. Not one.", "done", to="all", asked="Are jobs cut?"),
        )
        rehearsal.run()
        yield rehearsal


def five_ask(rehearsal: Rehearsal) -> None:
    """Two type it in Slack, three write it on the page; a sixth asks something else."""
    store, inbox, now = rehearsal.wiring.store, rehearsal.wiring.inbox, rehearsal.clock.now()
    for number, text in zip((0, 1, 7, 8, 9, 10), (*IN_OTHER_WORDS, ASKED, ASKED, "Are jobs cut?"), strict=True):
        person = PEERS[number]
        if number < 6:
            assert rehearsal.sandbox.slack.say(person.email, text).status == 200
        else:
            (row,) = [row for row in store.touches.of_person(person.id) if row.local_date]
            inbox.ask(inbox.card(row.key, now), text, Evidence("link"))


def touches_of(rehearsal: Rehearsal, number: int, channel: str) -> list[str]:
    """The texts of a person's touches, in order, as they arrived."""
    store, person = rehearsal.wiring.store, PEERS[number]
    wanted = [row.key for row in store.touches.of_person(person.id) if row.local_date and row.state == "sent"]
    if channel == "slack":
        return [
            post.text + str(post.blocks)
            for post in rehearsal.sandbox.slack.posts
            if post.key in wanted and post.user.email == person.email
        ]
    return [text_of(mail) for mail in rehearsal.sandbox.mailbox.arrived if mail.key in wanted]


def test_everybody_who_asked_alike_is_answered_once(house: Rehearsal) -> None:
    mails = [mail for mail in house.sandbox.mailbox.arrived if subject_of(mail).startswith("Answer to your question: ")]
    assert Counter(mail.recipients[0] for mail in mails if SAID in text_of(mail)) == dict.fromkeys(
        (PEERS[n].email for n in (7, 8, 9)), 1
    )
    posts = [post for post in house.sandbox.slack.posts if SAID in post.text and "Here is the answer" in post.text]
    assert Counter(post.user.email for post in posts) == {PEERS[0].email: 1, PEERS[1].email: 1}
    assert all(post.thread for post in posts)
    assert "Promised for Monday, 18 January 2027." in text_of(mails[0])


@pytest.mark.parametrize(("number", "channel"), [(3, "slack"), (11, "email")])
def test_the_next_touch_of_the_role_opens_with_it_and_only_that_one(
    house: Rehearsal, number: int, channel: str
) -> None:
    opened = ["You asked: May the notebook stay?" in text for text in touches_of(house, number, channel)]
    assert opened[:3] == [False, True, False]
    assert sum(opened) == 1


def test_the_answer_to_a_rumour_reaches_everybody_else_as_a_message_of_the_campaign(house: Rehearsal) -> None:
    rows = [row for row in house.wiring.store.touches.list("crm") if row.message == "answer-6"]
    assert Counter((row.person_id, row.state) for row in rows) == dict.fromkeys(
        ((p.id, "sent") for p in PEERS if p != PEERS[10]), 1
    )
    (text,) = [text for text in touches_of(house, 11, "email") if "No job is cut. Not one." in text]
    assert "Are jobs cut?" in text
    assert "Two lists of customers" not in text  # the campaign's own reasons are not the answer
    asked = [mail for mail in house.sandbox.mailbox.arrived if "Answer to your question: Are jobs" in subject_of(mail)]
    assert [mail.recipients[0] for mail in asked] == [PEERS[10].email]


def test_all_read_it_on_one_page_without_a_name(house: Rehearsal) -> None:
    mail = next(mail for mail in house.sandbox.mailbox.arrived if mail.recipients[0] == PEERS[11].email)
    answer_page = open_page(next(link for link in mail.links if "/a/" in link))
    address = re.findall(r'href="(http[^"]+/h/[^"]+)"', answer_page)[0]
    page = re.sub(r"\s+", " ", open_page(address))
    assert "May the notebook stay?" in page
    assert "Some of you asked:" in page
    assert "Promised for Monday, 18 January 2027" in page
    assert "Are jobs cut?" in page
    assert not any(person.name in page or person.email in page for person in PEERS)
    assert "<form" not in page


def test_a_promise_whose_day_is_past_is_told_until_it_is_kept(house: Rehearsal) -> None:
    store = house.wiring.store
    assert overdue_promises(store, utc("2027-01-18 23:00")) == []
    (promise,) = overdue_promises(store, utc("2027-01-20"))
    assert (promise["ids"], promise["people"], promise["days"]) == (["1", "2", "3", "4", "5"], 5, 2)
    reply(house, ["3"], "", "done")
    assert overdue_promises(store, utc("2027-01-20")) == []
    told = store.replies.standing("crm")
    assert {told[AskId("question", n)].ending for n in range(1, 6)} == {"done"}
