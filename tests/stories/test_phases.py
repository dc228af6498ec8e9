"""A phase with a gate, and what people said they will do it do: by mail and by Slack, over the real engine.

The lead opens the gate in time, hears at the end of the phase what was reached, and sees by name what was kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from commsengine.cadence.forecast import Fact
from commsengine.cadence.history import Answer, Touch
from commsengine.cadence.plan import Workspace
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.reports.commitments import commitments
from commsengine.sandbox.rehearsal_people import WORDS, open_page
from commsengine.sandbox.rehearse import Rehearsal, Script, Story
from tests.builders import a_message, a_plan, someone, utc

HOUR = dt.timedelta(hours=1)
PROMISE = "I log my calls the same day."
PLAN = a_plan(
    a_message(
        id="listen-first",
        ask="input",
        input={"question": "What must stay?"},
        until="2027-01-20",
        cadence={"every": "48h", "times": "2"},
        follow_up=[],
    ),
    a_message(
        id="promise",
        **{"from": "2027-01-20"},
        until="2027-02-10",
        cadence={"every": "72h", "times": "2"},
        ask="commit",
        commit={"text": PROMISE, "by": "2027-02-03"},
        follow_up=[],
    ),
    phases={"listen": {"until": "2027-01-20", "gate": "true", "reach": {"listen-first": {"answered": "0.9"}}}},
    send={"channels": ["slack", "email"], "holidays": "false"},
)
BY_MAIL, BY_SLACK, SILENT = someone(1, channel="email"), someone(2, channel="slack"), someone(3, channel="email")
NEVER = someone(4, channel="email")
BROKEN, BROKEN_SLACK = someone(5, channel="email"), someone(6, channel="slack")


def suppose(touch: Touch) -> Sequence[Fact]:
    """The first two say what must stay, that they will, and that it is done; the third only that they will; the last
    two that they will, and then: not yet."""
    about, at = (touch.campaign, touch.message), touch.due_at + HOUR
    evidence = "slack" if touch.channel == "slack" else "link"
    if touch.message == "listen-first":
        says = "input" if touch.number == 1 and touch.person in (BY_MAIL.id, BY_SLACK.id) else ""
    elif touch.kind == "commitment":
        words = {BY_MAIL.id: "kept", BY_SLACK.id: "kept", BROKEN.id: "not_kept", BROKEN_SLACK.id: "not_kept"}
        says = words.get(touch.person, "")
    else:
        says = "commit" if touch.number == 1 and touch.person != NEVER.id else ""
    return (Answer(*about, says, at, evidence, key=touch.key),) if says else ()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    people = [replace(each, manager="") for each in (BY_MAIL, BY_SLACK, SILENT, NEVER, BROKEN, BROKEN_SLACK)]
    script = Script(
        PLAN,
        people,
        Workspace(),
        load_templates(shipped_folder(), None),
        utc("2027-01-10 23:00"),
        utc("2027-02-12"),
        lambda: suppose,
    )
    with Rehearsal(script, tmp_path_factory.mktemp("phases")) as rehearsal:
        for beat in ("2027-02-05 08:30", "2027-02-05 08:31"):  # on a morning after the answers
            rehearsal.diary.note(utc(beat), bool)
        yield rehearsal


@pytest.fixture(scope="module")
def story(rehearsal: Rehearsal) -> Story:
    return rehearsal.run()


def test_what_was_made_is_what_simulate_says(story: Story) -> None:
    assert story.agrees
    assert story.answers == {"input": 2, "commit": 5, "kept": 2, "not_kept": 2}
    asked = [one[0] for one in story.touches if one[3] == "commitment"]
    assert asked == [BY_MAIL.id, BY_SLACK.id, SILENT.id, BROKEN.id, BROKEN_SLACK.id]


def test_the_lead_hears_once_at_the_end_of_the_phase_what_was_not_reached(rehearsal: Rehearsal, story: Story) -> None:
    assert story.agrees
    mails = [m for m in rehearsal.sandbox.mailbox.arrived if "dana@example.com" in m.recipients]
    (review,) = [mail for mail in mails if "phase" in mail.subject.casefold()]
    assert review.subject == "One customer record: The phase 'listen' has ended and has not reached its goal"
    assert "33% answered 'listen-first' (2 of 6; wanted: 90%). By role: Sales 33%." in " ".join(review.text.split())
    assert "/p/" in review.text


def test_the_question_says_what_they_said_they_will_do(rehearsal: Rehearsal, story: Story) -> None:
    assert story.agrees
    (mail,) = [m for m in rehearsal.sandbox.mailbox.arrived if BY_MAIL.email in m.recipients and "done?" in m.subject]
    assert mail.subject == f"Is it done? {PROMISE}"
    (post,) = [p for p in rehearsal.sandbox.slack.posts if "You said it is done" in str(p.blocks)]
    assert PROMISE in str(post.blocks)
    (post,) = [p for p in rehearsal.sandbox.slack.posts if "You said it is not done yet" in str(p.blocks)]
    assert post.user.email == BROKEN_SLACK.email
    page = open_page(first_link(rehearsal, BROKEN.email, "done?"))
    assert "You said it is not done yet" in page
    assert WORDS in page


def first_link(rehearsal: Rehearsal, email: str, subject: str) -> str:
    mails = [m for m in rehearsal.sandbox.mailbox.arrived if email in m.recipients and subject in m.subject]
    return mails[-1].links[0]


def test_kept_broken_and_silent_are_seen_by_name(rehearsal: Rehearsal, story: Story) -> None:
    assert story.agrees
    store = rehearsal.wiring.store
    record = store.campaigns.get("crm")
    assert record
    found = commitments(store, record, utc("2027-02-12"))
    assert found[0].state == "silent"
    assert {one.name: (one.state, one.line) for one in found} == {
        "Person 3": ("silent", ""),
        "Person 5": ("not kept", WORDS),
        "Person 6": ("not kept", WORDS),
        "Person 1": ("kept", WORDS),
        "Person 2": ("kept", ""),
    }
    told = "\n".join(mail.text for mail in rehearsal.sandbox.mailbox.arrived if "dana@example.com" in mail.recipients)
    assert all(name in told for name in ("Person 3", "Person 5", "Person 6"))
