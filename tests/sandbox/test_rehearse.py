from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commsengine.cadence.forecast import Supposition, no_answers, typical
from commsengine.cadence.history import Answer, Touch
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.sandbox.rehearse import Rehearsal, Script, Story, fingerprint, with_pause
from tests.builders import MIA, a_message, a_plan, someone, utc

PEOPLE = (
    MIA,
    someone(1),
    someone(2, channel="email"),
    someone(3, time_zone="Asia/Seoul"),
    someone(4, channel="email", time_zone="America/New_York"),
    someone(5, department="Support"),
)
INPUT = a_message(id="input", ask="input", input={"question": "What must stay easy?"}, **{"until": "kickoff + 20d"})
CHECK: dict[str, Any] = a_message(
    id="check",
    ask="check",
    checks=[{"question": "Where?", "answers": ["Here", "There"], "right": "There", "because": "It is so."}],
    **{"from": "kickoff + 21d", "until": "kickoff + 35d"},
)
PLAN = a_plan(a_message(), INPUT, CHECK, send={"channels": ["slack", "email"], "holidays": "false"})


def a_script(
    suppose: Supposition, plan: Plan = PLAN, people: Sequence[Person] = PEOPLE, until: str = "2027-01-26"
) -> Script:
    templates = load_templates(shipped_folder(), None)
    return Script(plan, people, Workspace(), templates, utc("2027-01-04"), utc(until), lambda: suppose)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """What came of the plan with a pause and with answers by link, Slack and phone."""
    messages = {("crm", message.id): message for message in PLAN.messages}
    script = with_pause(a_script(typical(messages), until="2027-02-12"))
    with Rehearsal(script, tmp_path_factory.mktemp("answered")) as rehearsal:
        return rehearsal.run()


def test_what_is_sent_equals_what_simulate_says_with_answers_by_link_slack_and_phone(answered: Story) -> None:
    assert (answered.missing, answered.unforeseen) == ([], [])
    assert answered.agrees
    assert {channel for _, _, _, _, channel, _, _ in answered.touches} == {"slack", "email", "personal"}
    assert min(answered.answers[kind] for kind in ("acknowledged", "input", "check")) > 0
    assert answered.first_call is not None
    assert "Why we do this" in answered.first_call.talking_points


@pytest.mark.slow
def test_each_check_is_answered_anew_until_the_point_is_recalled(tmp_path: Path) -> None:
    """By link and by Slack button: wrong after the second touch, right after the fourth, which is the last."""
    message = a_message(checks=CHECK["checks"], repeat_until="recalled", cadence={"every": "48h", "times": "8"})
    plan = a_plan(message, send={"channels": ["slack", "email"], "holidays": "false"}, follow_up=[])

    def suppose(touch: Touch) -> Sequence[Answer]:
        at, right = touch.due_at + dt.timedelta(hours=1), {2: False, 4: True}.get(touch.number)
        return () if right is None else (Answer("crm", "one-record", "check", at, "link", right, key=touch.key),)

    script = replace(
        a_script(suppose, plan, (someone(1), someone(2, channel="email"))), rules=Workspace(recall="person")
    )
    with Rehearsal(script, tmp_path) as rehearsal:
        story = rehearsal.run()
        given = [rehearsal.wiring.store.answers.of_person(person.id) for person in script.people]
    assert [[answer.right for answer in each] for each in given] == [[False, True]] * 2
    assert (story.agrees, len(story.touches)) == (True, 8)


def test_nothing_leaves_while_paused_and_what_fell_due_comes_after(answered: Story) -> None:
    assert answered.script.pause is not None
    assert answered.paused is not None
    assert answered.paused.sent_meanwhile == 0
    assert answered.paused.due_meanwhile > 0
    assert answered.agrees


def test_a_run_that_differs_from_the_simulation_is_told(tmp_path: Path) -> None:
    script = a_script(no_answers, people=PEOPLE[:2])
    with Rehearsal(script, tmp_path) as rehearsal:
        rehearsal.script = replace(script, people=(*PEOPLE[:2], someone(9)))
        rehearsal.wiring.store.people.save(PEOPLE[:2], by="test", now=script.start)
        rehearsal.wiring.store.reachability.suppress(someone(9).email, "gone", by="test", now=script.start)
        story = rehearsal.run()
    assert not story.agrees
    assert {person for person, *_ in story.missing} == {someone(9).id}


def test_mails_bear_their_touch_or_go_to_the_lead(tmp_path: Path) -> None:
    script = a_script(no_answers, people=(replace(someone(2), channel="email"),))
    with Rehearsal(script, tmp_path) as rehearsal:
        story = rehearsal.run()
        mails = rehearsal.sandbox.mailbox.arrived
    to_them = {mail.key for mail in mails if "dana@example.com" not in mail.recipients}
    assert to_them == {touch.key for touch in script.foreseen() if touch.channel == "email"}
    assert story.touches == sorted(map(fingerprint, script.foreseen()))


@pytest.mark.slow
def test_a_second_rehearsal_in_the_same_folder_starts_afresh(tmp_path: Path) -> None:
    """What the first one left outside its database would take the new one for a restored copy, and hold it."""
    for _ in range(2):
        with Rehearsal(a_script(no_answers, people=(someone(1),)), tmp_path, port=0) as rehearsal:
            story = rehearsal.run(lambda *_: None)
        assert (story.agrees, story.states["sent"] > 0) == (True, True)


def test_a_manager_answers_the_briefing_and_adds_no_line(tmp_path: Path) -> None:
    """The forms about what goes out in their name stand first on its page."""
    first = {"sender": "manager", "managers_first": "2 working days", "from": "kickoff + 7d"}
    plan = a_plan(a_message(**first), send={"channels": ["email"], "holidays": "false"}, follow_up=[])
    people = (MIA, replace(someone(1), manager=MIA.email))

    def suppose(touch: Touch) -> Sequence[Answer]:
        at = touch.due_at + dt.timedelta(hours=1)
        return [Answer("crm", touch.message, "acknowledged", at, "link", key=touch.key)] if touch.number == 1 else []

    with Rehearsal(a_script(suppose, plan, people), tmp_path) as rehearsal:
        story = rehearsal.run()
        given = rehearsal.wiring.store.answers.of_person(MIA.id)
        assert rehearsal.wiring.store.manager_words.lines("crm") == []
    assert (story.agrees, [answer.kind for answer in given]) == (True, ["acknowledged"])
