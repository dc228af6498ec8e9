"""The same stories in Slack, and on the page behind the card: three weeks in which all hear everything there.

Something wrong is corrected, go-live moves, one person objects, one does what is asked, one answers a question.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from commsengine.answers.replying import Wording
from commsengine.cadence.forecast import Fact
from commsengine.cadence.history import Answer, Deed, OutreachOutcome, Touch
from commsengine.cadence.plan import Plan, Workspace
from commsengine.campaigns.apply import apply, compare
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.reports.input_answers import answers
from commsengine.sandbox.rehearsal_people import WORDS, open_page
from commsengine.sandbox.rehearse import Rehearsal, Script
from commsengine.sandbox.slack_team import Post
from tests.builders import a_message, a_plan, someone, utc
from tests.slack_house import buttons

APPLIED, REPLIED, UNTIL = utc("2027-01-13 12:00"), utc("2027-01-19 12:00"), utc("2027-01-29 23:00")
OLD, NEW = dt.date(2027, 3, 15), dt.date(2027, 4, 5)
SAID = "It gets a field for oral agreements in March."
PEOPLE = [someone(n, manager="", channel="slack", department="Support" if n == 3 else "Sales") for n in range(5)]
OBJECTS, DOES_IT, NOT_TOLD, ANSWERS = PEOPLE[1:]
OFTEN = {"every": "48h", "times": "9"}
MESSAGES = [
    a_message(id="wrong", cadence=OFTEN, follow_up=[]),
    a_message(id="dated", to=["sales"], key_point="We go live on {{ milestones.go_live }}.", follow_up=[]),
    a_message(id="opposed", key_point="The old list goes.", cadence=OFTEN,
              follow_up=[{"after": "1 touch", "do": "personal", "by": "lead"}]),
    a_message(id="deed", key_point="Log your first call.", cadence=OFTEN, repeat_until="done", follow_up=[]),
    a_message(id="asked", key_point="You know the work.", ask="input", input={"question": "What must stay?"},
              follow_up=[]),
]  # fmt: skip
RIGHT = a_message(id="right", key_point="Only our own customers are logged.", corrects="wrong", cadence=OFTEN)


def the_plan(*more: dict[str, object], go_live: dt.date = OLD) -> Plan:
    return a_plan(
        *MESSAGES,
        *more,
        milestones={"kickoff": "2027-01-11", "go_live": {"date": str(go_live), "because": "The pilot lost calls."}},
        outcomes={"first_call": {"title": "The first call is logged", "by": "go_live"}},
        send={"channels": ["slack"], "holidays": "false", "at_most": {"per_day": "9", "per_week": "40"}},
        follow_up=[],
    )


def suppose(touch: Touch) -> Sequence[Fact]:
    at = touch.due_at + dt.timedelta(hours=3)
    about = (touch.campaign, touch.message)
    match touch.message, touch.person, touch.number:
        case "opposed", OBJECTS.id, _ if touch.kind == "personal":
            return (OutreachOutcome(*about, "objects", at),)
        case "deed", DOES_IT.id, 2:
            return (Deed(touch.campaign, "first_call", at),)
        case "deed", _, 1:
            return (Answer(*about, "acknowledged", at, "slack", key=touch.key),)
        case "asked", ANSWERS.id, 1:
            return (Answer(*about, "input", at, "slack", key=touch.key),)
    return ()


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    templates = load_templates(shipped_folder(), None)
    script = Script(the_plan(), PEOPLE, Workspace(), templates, utc("2027-01-10 23:00"), UNTIL, lambda: suppose)
    with Rehearsal(script, tmp_path_factory.mktemp("slack")) as weeks:
        weeks.diary.note(APPLIED, lambda: put_right(weeks))
        weeks.diary.note(REPLIED, lambda: answer_the_objection(weeks))
        weeks.run()
        yield weeks


def put_right(weeks: Rehearsal) -> None:
    """The lead applies the corrected plan, with the later go-live, and says yes to the correction."""
    store, now, plan = weeks.wiring.store, weeks.clock.now(), the_plan(RIGHT, go_live=NEW)
    diff = compare(store, weeks.wiring.decisions, plan, store.people.population(), now)
    assert {each.email for each in diff.told} == {person.email for person in PEOPLE if person is not NOT_TOLD}
    apply(store, plan, weeks.wiring.templates, "", diff=diff, by="dana", now=now, correct=True)


def answer_the_objection(weeks: Rehearsal) -> None:
    replying = weeks.wiring.replying
    (question,) = weeks.wiring.store.questions.all()
    replying.reply(replying.asks([question.ask.id]), Wording(SAID), by="dana", now=weeks.clock.now())


def posts(weeks: Rehearsal, message: str) -> list[tuple[str, dt.datetime, Post]]:
    """To whom, when it fell due, and the card as it stands now."""
    rows = {row.key: row for row in weeks.wiring.store.touches.list("crm") if row.message == message}
    found = [post for post in weeks.sandbox.slack.posts if post.key in rows]
    return [(post.user.email, rows[post.key].due_at, post) for post in found]


def page_of(weeks: Rehearsal, post: Post) -> str:
    page = open_page(weeks.wiring.links.url("answer", post.key, UNTIL + dt.timedelta(days=60)))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_a_correction_says_what_was_told_and_the_wrong_card_comes_no_more(weeks: Rehearsal) -> None:
    wrong, right = posts(weeks, "wrong"), posts(weeks, "right")
    assert {to for to, _, _ in wrong} == {person.email for person in PEOPLE}
    assert max(at for _, at, _ in wrong) < APPLIED <= min(at for _, at, _ in right)
    told = "We told you before: Every customer conversation is logged in one record."
    assert {to for to, _, _ in right} == {person.email for person in PEOPLE}
    assert all(told in str(post.blocks) for _, _, post in right)
    assert told in page_of(weeks, right[0][2])
    assert "Only our own customers are logged." in page_of(weeks, wrong[0][2])  # an old card's page is right as well


def test_a_moved_date_goes_to_exactly_those_who_were_told(weeks: Rehearsal) -> None:
    moved = posts(weeks, f"moved-go_live-{NEW}")
    assert Counter(to for to, _, _ in moved) == {person.email: 1 for person in PEOPLE if person is not NOT_TOLD}
    words = str(moved[0][2].blocks)
    assert "We told you go live would be on" in words
    assert "5 April 2027" in words
    assert "The pilot lost calls." in page_of(weeks, moved[0][2])


def test_an_objection_stops_the_cards_until_it_is_answered(weeks: Rehearsal) -> None:
    (objected,) = weeks.wiring.store.answers.outcomes()
    theirs = [at for to, at, _ in posts(weeks, "opposed") if to == OBJECTS.email]
    others = [at for to, at, _ in posts(weeks, "opposed") if to == PEOPLE[0].email]
    assert not any(objected.at <= at < REPLIED for at in theirs)
    assert any(objected.at <= at < REPLIED for at in others)
    assert any(at >= REPLIED for at in theirs)
    answered = [post for post in weeks.sandbox.slack.posts if SAID in str(post.blocks) + post.text]
    assert {post.user.email for post in answered} == {OBJECTS.email}
    (card, *_) = [post for to, _, post in posts(weeks, "opposed") if to == OBJECTS.email]
    assert SAID in page_of(weeks, card)


def test_a_deed_ends_the_cards_and_a_press_does_not(weeks: Rehearsal) -> None:
    cards = Counter(to for to, _, _ in posts(weeks, "deed"))
    assert cards.pop(DOES_IT.email) == 2
    assert set(cards.values()) == {9}
    confirmed = next(post for to, _, post in posts(weeks, "deed") if to == PEOPLE[0].email)
    assert "got_it" not in buttons(confirmed)


def test_what_was_written_in_the_form_is_read_by_the_lead(weeks: Rehearsal) -> None:
    record = weeks.wiring.store.campaigns.get("crm")
    assert record
    (asked,) = answers(weeks.wiring.store, record)["messages"]
    assert [(each["person"], each["text"]) for each in asked["answers"]] == [(ANSWERS.email, WORDS)]
    assert len(asked["silent"]) == 4
    (card, *_) = [post for to, _, post in posts(weeks, "asked") if to == ANSWERS.email]
    assert WORDS in page_of(weeks, card)
