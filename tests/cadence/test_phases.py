"""Gates hold what follows a phase until the lead's word; commitments are asked about once, on their day."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.calendar import Hours, last_closing
from commsengine.cadence.forecast import forecast, messages_of, typical
from commsengine.cadence.history import Answer, Campaigns, History
from commsengine.cadence.phases import gates_before, opened_in_time, waiting_for
from commsengine.cadence.plan import Notice, Plan
from tests.builders import BEN, a_message, a_plan, running, utc
from tests.cadence.telling import BERLIN, Told, got_it, lines, outcome, question, tell

LISTEN = {"listen": {"until": "2027-02-01", "gate": "true"}}
AFTER = {"from": "2027-02-01", "until": "2027-06-01", "cadence": {"every": "48h", "times": "2"}, "follow_up": []}
COMMIT = {"ask": "commit", "commit": {"text": "I log each call.", "by": "2027-02-10"}, "follow_up": []}


def gated(opened: str = "", *messages: dict[str, Any]) -> Campaigns:
    campaigns = running(a_plan(*(messages or [a_message(**AFTER)]), phases=LISTEN))
    campaign = campaigns.running[0]
    words = {"listen": utc(opened)} if opened else {}
    return replace(campaigns, running=(replace(campaign, opened=words),))


def told(campaigns: Campaigns, *facts: Any, **how: Any) -> list[str]:
    return lines(tell(campaigns, BERLIN, *facts, **how).touches, "Europe/Berlin")


# -- gates ----------------------------------------------------------------------------------------


def test_what_follows_a_shut_gate_does_not_begin() -> None:
    story = tell(gated(), BERLIN)
    assert story.touches == []
    assert story.reasons["gate"].waits_for == "the lead's word"
    assert "'listen'" in story.reasons["gate"].text


def test_the_word_lets_it_begin_at_once_if_its_date_is_past() -> None:
    assert told(gated("2027-02-03 11:20")) == ["Wed 3 Feb 12:20 message email", "Fri 5 Feb 12:20 message email"]


def test_a_word_given_early_changes_nothing() -> None:
    assert told(gated("2027-01-05")) == ["Mon 1 Feb 09:00 message email", "Wed 3 Feb 09:00 message email"]


def test_what_begins_before_the_end_of_the_phase_does_not_wait() -> None:
    early = a_message(**{**AFTER, "from": "2027-01-31"})
    assert told(gated("", early))[0] == "Mon 1 Feb 09:00 message email"


def test_a_correction_waits_no_more_than_what_it_corrects() -> None:
    plan = a_plan(
        a_message(id="wrong"),
        a_message(id="right", corrects="wrong", **AFTER),
        a_message(id="other", **AFTER),
        phases=LISTEN,
    )
    assert waiting_for(plan, "listen") == ["other"]


def test_a_notice_waits_for_no_gate() -> None:
    plan = a_plan(a_message(**AFTER), phases=LISTEN)
    notice = Notice.model_validate(a_message(id="now-1", **AFTER))
    assert gates_before(plan.with_notices([notice]), notice, Hours(plan, BERLIN)) == []


def test_what_has_begun_goes_on_when_a_gate_is_added() -> None:
    begun = tell(running(a_plan(a_message(**AFTER))), BERLIN, until="2027-02-02").history
    assert told(gated(), start="2027-02-02", history=begun) == ["Wed 3 Feb 09:00 message email"]


def test_several_gates_all_have_to_be_open() -> None:
    phases = {**LISTEN, "learn": {"until": "2027-02-15", "gate": "true"}}
    late = a_message(**{**AFTER, "from": "2027-02-15"})
    campaigns = running(a_plan(late, phases=phases))
    half = replace(campaigns.running[0], opened={"listen": utc("2027-02-01")})
    story = tell(replace(campaigns, running=(half,)), BERLIN)
    assert story.touches == []
    assert "'learn'" in story.reasons["gate"].text


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Europe/Berlin", "Pacific/Honolulu"])
def test_a_gate_that_opens_in_time_keeps_no_zone_waiting(zone: str) -> None:
    person, campaigns = replace(BERLIN, time_zone=zone), gated()
    campaign = campaigns.running[0]
    in_time = replace(campaign, opened=opened_in_time(campaign.plan, {}, campaign.started_at))
    ungated = running(a_plan(a_message(**AFTER)))
    expected = tell(ungated, person).touches
    assert tell(replace(campaigns, running=(in_time,)), person).touches == expected
    assert len(expected) == 2


def test_a_word_on_record_is_not_supposed_again() -> None:
    plan, word = a_plan(a_message(**AFTER), phases=LISTEN), utc("2027-02-09")
    assert opened_in_time(plan, {"listen": word}, utc("2027-01-04")) == {"listen": word}


# -- commitments ----------------------------------------------------------------------------------


def promising(**changes: Any) -> Plan:
    return a_plan(a_message(**{**COMMIT, **changes}))


def willing(at: str, kind: str = "commit") -> Answer:
    return got_it(at, kind=kind)


def asked(story: Told) -> list[str]:
    return [line for line in lines(story.touches, "Europe/Berlin") if "commitment" in line]


def test_who_said_they_will_is_asked_once_on_the_day() -> None:
    story = tell(running(promising()), BERLIN, willing("2027-01-11 10:00"))
    assert asked(story) == ["Wed 10 Feb 09:00 commitment email"]
    assert [touch.rung for touch in story.touches if touch.kind == "commitment"] == [-1]


def test_who_did_not_commit_is_not_asked() -> None:
    assert asked(tell(running(promising()), BERLIN)) == []


def test_the_question_follows_no_one_who_has_said() -> None:
    for kind in ("kept", "not_kept"):
        facts = willing("2027-01-11 10:00"), willing("2027-02-01 10:00", kind)
        assert asked(tell(running(promising()), BERLIN, *facts)) == []


def test_who_commits_later_is_asked_on_the_day_after() -> None:
    assert asked(tell(running(promising()), BERLIN, willing("2027-02-16 10:00"))) == [
        "Wed 17 Feb 09:00 commitment email"
    ]


def test_the_day_may_lie_behind_the_message_and_the_campaign_waits_for_it() -> None:
    plan = promising(until="2027-02-01", **{"commit": {"text": "I will.", "by": "2027-03-01"}})
    assert asked(tell(running(plan), BERLIN, willing("2027-01-11 10:00"))) == ["Mon 1 Mar 09:00 commitment email"]
    assert last_closing(plan) == utc("2027-03-15")


def test_it_takes_a_place_in_the_budget() -> None:
    other = a_message(id="other", **{**AFTER, "from": "2027-02-10"}, priority="low")
    plan = a_plan(a_message(**COMMIT, priority="high"), other)
    story = tell(running(plan), BERLIN, willing("2027-01-11 10:00"))
    on_the_days = [line for line in lines(story.touches, "Europe/Berlin") if "Feb" in line]
    assert on_the_days[:2] == ["Wed 10 Feb 09:00 commitment email", "Thu 11 Feb 09:00 message email"]


def test_a_bare_text_asks_nothing_back() -> None:
    plan = promising(commit="I log each call.")
    assert plan.messages[0].commit is not None
    assert asked(tell(running(plan), BERLIN, willing("2027-01-11 10:00"))) == []


def test_heard_enough_ends_the_question_too() -> None:
    facts = willing("2027-01-11 10:00"), got_it("2027-01-20 10:00", kind="heard_enough")
    assert asked(tell(running(promising()), BERLIN, *facts)) == []


def test_a_failed_question_is_tried_again_as_the_same_touch() -> None:
    story = tell(running(promising()), BERLIN, willing("2027-01-11 10:00"), fails=lambda touch: touch.rung == -1)
    keys = [touch.key for touch in story.touches if touch.kind == "commitment"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_what_became_of_it_is_no_repetition_of_the_message() -> None:
    by_recall = {"recall_floor": "0.3"}
    plain = a_plan(a_message(**{**COMMIT, "commit": "I will."}, cadence=by_recall))
    same = tell(running(plain), BERLIN, willing("2027-01-11 10:00"))
    with_word = tell(running(plain), BERLIN, willing("2027-01-11 10:00"), willing("2027-01-26 10:00", "kept"))
    assert [touch.due_at for touch in with_word.touches] == [touch.due_at for touch in same.touches]


def test_the_forecast_supposes_that_some_say_it_is_done() -> None:
    campaigns = running(promising())
    found = [
        forecast(campaigns, replace(BEN, id=f"p{n}"), History(), utc("2027-01-04"), utc("2027-04-01"), suppose)
        for suppose in [typical(messages_of(campaigns))]
        for n in range(60)
    ]
    committed = [one for one in found if any(answer.kind == "commit" for answer in one.history.answers)]
    questions = [touch for one in found for touch in one.touches if touch.kind == "commitment"]
    kept = [one for one in found if any(answer.kind == "kept" for answer in one.history.answers)]
    assert len(committed) == len(questions) > len(kept) > 5


# -- objections -----------------------------------------------------------------------------------

LADDER = [{"after": "1 touch", "do": "personal"}, {"after": "2 working days", "do": "sponsor"}]
OBJECTED = "2027-01-14 10:00"


def objecting(answered: str = "") -> list[Any]:
    return [outcome(OBJECTED, "objects"), replace(question(OBJECTED, answered), objection=True)]


def test_an_objection_stops_the_repeats_and_the_sponsor_is_proposed_meanwhile() -> None:
    campaigns = running(a_plan(a_message(cadence={"every": "48h", "times": "9"}, follow_up=LADDER)))
    story = tell(campaigns, BERLIN, *objecting())
    assert [touch.kind for touch in story.touches] == ["message", "personal", "sponsor"]
    assert story.reasons["asked"].waits_for == "the answer to their objection"


def test_the_answer_lets_it_go_on() -> None:
    campaigns = running(a_plan(a_message(cadence={"every": "48h", "times": "2"}, follow_up=LADDER)))
    assert told(campaigns, *objecting("2027-01-26 10:30")) == [
        "Mon 11 Jan 09:00 message email",
        "Wed 13 Jan 09:00 personal personal",
        "Mon 18 Jan 09:00 sponsor personal",
        "Tue 26 Jan 11:30 message email",
    ]


def test_an_objection_is_about_all_that_was_talked_about() -> None:
    both = [a_message(id=name, cadence={"every": "48h", "times": "9"}, follow_up=LADDER) for name in ("one", "two")]
    campaigns = running(
        a_plan(*both, send={"channels": ["email"], "holidays": "false", "at_most": {"per_day": "2", "per_week": "9"}})
    )
    facts = [outcome(OBJECTED, "objects", name) for name in ("one", "two")]
    facts_and = [*facts, replace(question(OBJECTED, message="one"), objection=True)]
    story = tell(campaigns, BERLIN, *facts_and, until="2027-03-01")
    after = [touch for touch in story.touches if touch.due_at > utc(OBJECTED)]
    assert {touch.kind for touch in after} == {"sponsor"}
    unrelated = tell(campaigns, BERLIN, facts[0], facts_and[2], until="2027-03-01")
    assert any(
        touch.message == "two" and touch.kind == "message" and touch.due_at > utc(OBJECTED)
        for touch in unrelated.touches
    )


def test_a_question_of_their_own_holds_the_sponsor_as_well() -> None:
    campaigns = running(a_plan(a_message(cadence={"every": "48h", "times": "9"}, follow_up=LADDER)))
    story = tell(campaigns, BERLIN, *objecting(), question("2027-01-15 09:00"))
    assert [touch.kind for touch in story.touches] == ["message", "personal"]


def test_when_a_late_decision_comes_the_sponsor_is_due_as_if_it_had_not() -> None:
    campaigns = running(a_plan(a_message(cadence={"every": "48h", "times": "9"}, follow_up=LADDER)))
    hour = dt.timedelta(hours=1)
    on_time = tell(campaigns, BERLIN, *objecting("2027-01-26 10:30")).touches
    late = tell(campaigns, BERLIN, *objecting("2027-01-26 10:30"), late=lambda _at: hour).touches
    assert [touch.due_at for touch in late if touch.kind == "sponsor"] == [
        touch.due_at for touch in on_time if touch.kind == "sponsor"
    ]
