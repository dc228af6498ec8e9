"""A message that repeats by recall: seldom once it is remembered, in time for its day, never past its budget."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.cadence.calendar import Hours
from commsengine.cadence.daily_learning import LearnedRoles
from commsengine.cadence.decide import decide
from commsengine.cadence.forecast import Fact, Supposition, forecast, forecast_together, no_answers
from commsengine.cadence.history import Answer, Campaigns, History, Touch
from commsengine.cadence.people import Person
from commsengine.cadence.repeats import HOUR, events_of
from commsengine.recall.learning import Checked, estimate, learn, nothing
from commsengine.recall.memory import Estimate, Event
from tests.builders import a_message, a_plan, running, someone, utc
from tests.cadence.telling import tell

START, UNTIL, GO_LIVE = utc("2027-01-04"), utc("2027-04-12"), utc("2027-03-15")
BY_RECALL = {"recall_floor": "0.35", "target": "0.60", "by": "go_live"}
DAY = dt.timedelta(days=1)


def campaigns(per_week: int = 3, recall: str = "person", **changes: object) -> Campaigns:
    send = {"channels": ["email"], "holidays": "false", "at_most": {"per_day": "1", "per_week": str(per_week)}}
    return running(a_plan(a_message(cadence=BY_RECALL, **changes), send=send, follow_up=[]), recall=recall)


def touches(
    suppose: Supposition = no_answers, given: Campaigns | None = None, person: Person | None = None
) -> list[Touch]:
    return list(forecast(given or campaigns(), person or someone(1), History(), START, UNTIL, suppose).touches)


def saying(kind: str, right: bool | None = None, share: float = 1.0) -> Supposition:
    def suppose(touch: Touch) -> Sequence[Fact]:
        if int(touch.key[:4], 16) / 16**4 >= share:
            return ()
        return (Answer(touch.campaign, touch.message, kind, touch.due_at + dt.timedelta(hours=2), "link", right),)

    return suppose


def test_whoever_answers_gets_it_less_and_less_often_and_whoever_does_not_gets_more() -> None:
    silent, confirming, right = touches(), touches(saying("acknowledged")), touches(saying("check", True))
    assert len(right) < len(confirming) < len(silent)
    gaps = [(later.due_at - touch.due_at).days for touch, later in pairwise(right)]
    before_the_end = gaps[: next(n for n, touch in enumerate(right) if touch.due_at > GO_LIVE - 14 * DAY) - 1]
    assert before_the_end == sorted(before_the_end)


@pytest.mark.parametrize("per_week", [1, 2, 3])
def test_the_last_touch_comes_in_the_last_window_before_the_day(per_week: int) -> None:
    """Also where the week's budget is small: a place is kept for it."""
    given = campaigns(per_week)
    last = Hours(given.running[0].plan, someone(1)).last_open(GO_LIVE)
    assert last == utc("2027-03-12 08:00")
    assert last in [touch.due_at for touch in touches(given=given)]


@settings(max_examples=12)
@given(st.integers(1, 4), st.sampled_from(["acknowledged", "check"]), st.booleans(), st.floats(0, 1))
def test_never_more_than_the_budget_and_never_late(per_week: int, kind: str, right: bool, share: float) -> None:
    said = touches(saying(kind, right if kind == "check" else None, share), campaigns(per_week))
    days = Counter(touch.local_date for touch in said)
    assert max(days.values()) == 1
    assert all(sum(day <= other < day + 7 * DAY for other in days) <= per_week for day in days)
    assert not [touch for touch in said if touch.skip]  # an answer never makes due what has passed


@pytest.mark.parametrize("times", [2, 4])
def test_the_last_of_a_few_touches_is_kept_for_the_day(times: int) -> None:
    few = running(a_plan(a_message(cadence={**BY_RECALL, "times": str(times)}), follow_up=[]))
    made = [touch.due_at for touch in touches(given=few)]
    assert (len(made), made[-1]) == (times, utc("2027-03-12 08:00"))


def test_what_is_remembered_to_the_end_is_said_to_be() -> None:
    seen = forecast(campaigns(until="go_live"), someone(1), History(), START, UNTIL, saying("check", True))
    (reason,) = seen.last.reasons
    assert (reason.code, reason.next_at, reason.waits_for) == ("remembered", None, "an answer or a new estimate")


def learned(right: int, wrong: int) -> Estimate:
    before = (Event(0.0, "unseen"),)
    checks = [Checked(before, Event(30.0, "right" if n < right else "wrong")) for n in range(right + wrong)]
    known = learn(nothing(), checks, [(*before, check.answer) for check in checks])
    return estimate(known, since=utc("2027-01-14 03:00"))


def test_a_role_that_forgets_gets_more_and_one_that_remembers_fewer() -> None:
    counts = {}
    for name, recall in (("weak", learned(0, 60)), ("assumed", None), ("strong", learned(60, 0))):
        given = campaigns()
        if recall:
            given = replace(given, running=(replace(given.running[0], recall={"sales": recall}),))
        person = replace(someone(1), department="Sales")
        counts[name] = len(touches(saying("acknowledged", share=0.5), given, person))
    assert counts["strong"] < counts["assumed"] <= counts["weak"]


def test_a_new_estimate_makes_due_from_its_own_instant_on() -> None:
    """By what was known before, the windows that have passed were not due: nothing is late, nothing is made up for."""
    given, person = campaigns(), replace(someone(1), department="Sales")
    past = forecast(given, person, History(), START, utc("2027-02-20"), saying("check", True)).history
    later = replace(learned(0, 200), since=utc("2027-02-20 03:00"))
    weak = replace(given, running=(replace(given.running[0], recall={"sales": later}),))
    next_touch = forecast(weak, person, past, utc("2027-02-20"), UNTIL, no_answers).touches[0]
    assert (next_touch.skip, next_touch.due_at) == ("", utc("2027-02-22 08:00"))


def test_what_was_refused_taught_nobody_anything_and_is_said_again_in_the_next_window() -> None:
    person, given = someone(1), campaigns()
    past = forecast(given, person, History(), START, utc("2027-01-12"), no_answers).history
    refused = replace(past, rows=tuple(replace(row, state="failed") for row in past.rows))
    again = forecast(given, person, refused, utc("2027-01-12"), UNTIL, no_answers).touches
    assert [touch.due_at for touch in again[:1]] == [utc("2027-01-12 08:00")]


def test_nothing_comes_after_the_last_window_in_which_the_message_is_open() -> None:
    made = touches(given=campaigns(until="kickoff + 1d"))
    assert [touch.due_at for touch in made] == [utc("2027-01-11 08:00")]


def test_of_two_answers_to_one_touch_the_first_counts_whatever_came_with_it() -> None:
    message = a_plan(a_message(cadence=BY_RECALL)).messages[0]
    seen = [utc("2027-01-11 08:00"), utc("2027-01-12 08:00")]
    said = [
        Answer("crm", message.id, kind, seen[0] + dt.timedelta(hours=hours), "link", right)
        for hours, kind, right in ((3, "check", True), (1, "acknowledged", None), (2, "check", False))
    ]
    assert [(event.at, event.signal) for event in events_of(message, seen, said)] == [(2.0, "wrong"), (24.0, "unseen")]


def test_estimates_that_are_published_and_not_yet_in_use_are_foreseen_from_their_instant_on() -> None:
    """Between midnight and three: ``simulate`` goes on, and by the new curve as the engine will."""
    check = {"question": "Where?", "answers": ["Here", "There"], "right": "Here", "because": "It is here."}
    given, person, midnight = campaigns(checks=[check]), replace(someone(1), department="Sales"), utc("2027-02-20")
    past = forecast(given, person, History(), START, midnight, saying("acknowledged", share=0.5)).history
    before = (Event(0.0, "unseen"),)
    checks = [Checked(before, Event(30.0, "wrong")) for _ in range(200)]
    learned = learn(nothing(), checks, [(*before, checks[0].answer)] * 200)
    known = LearnedRoles(midnight, midnight + 3 * HOUR, {"sales": learned})
    waiting = replace(given, running=(replace(given.running[0], news_at=known.effective_at),))
    later = replace(given, running=(replace(given.running[0], recall=known.estimates),))

    def foreseen(running: Campaigns, start: dt.datetime) -> list[dt.datetime]:
        [seen] = forecast_together(running, [(person, past)], start, UNTIL, no_answers, known={"crm": known})
        return [touch.due_at for touch in seen.touches]

    wake = decide(waiting, person, past, known.effective_at).wake_at
    assert wake is not None
    assert wake > known.effective_at
    assert foreseen(waiting, midnight + HOUR) == foreseen(later, known.effective_at)
    assert foreseen(waiting, midnight + HOUR) != foreseen(given, known.effective_at)


# -- what others can see of one person's answers ----------------------------------------------------

CHECK = {"question": "Where?", "answers": ["Here", "There"], "right": "Here", "because": "It is here."}
MORE = {"baseline": {"baseline": "true"}, "transfer": {"transfer": "true", "question": "And at home?"}, "": {}}


def checking(rights: Sequence[bool], share: float = 0.7) -> Supposition:
    """Whoever is asked answers mostly; ``rights`` says in turn how."""

    def suppose(touch: Touch) -> Sequence[Fact]:
        if not touch.asks or int(touch.key[:4], 16) / 16**4 >= share:
            return ()
        right, at = rights[touch.number % len(rights)], touch.due_at + dt.timedelta(hours=2)
        about = (touch.campaign, touch.message, "check", at, "slack", right)
        return (Answer(*about, key=touch.key, measures=touch.asks),)  # type: ignore[arg-type]

    return suppose


def as_others_see(touch: Touch) -> Touch:
    return replace(touch, unclear=None)


@settings(max_examples=25)
@given(
    st.lists(st.booleans(), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=1, max_size=6),
    st.sampled_from(["acknowledge", "check", "input", "nothing"]),
    st.integers(1, 3),
    st.sampled_from(sorted(MORE)),
    st.sampled_from(["role", "off"]),
    st.sampled_from([BY_RECALL, {"every": "48h", "times": "5"}]),
)
def test_right_and_wrong_make_no_difference_to_what_others_can_see(
    rights: list[bool], others: list[bool], ask: str, every: int, more: str, recall: str, cadence: dict[str, str]
) -> None:
    checks = [CHECK, CHECK | {"question": "Where else?"} | MORE[more]]
    asked = {"input": {"question": "What?"}} if ask == "input" else {}
    message = a_message(ask=ask, checks=checks, check_every=every, cadence=cadence, **asked)
    given = running(a_plan(message), recall=recall)
    one, other = (tell(given, someone(1), suppose=checking(answered)) for answered in (rights, others))
    assert [*map(as_others_see, one.touches)] == [*map(as_others_see, other.touches)]
    assert (one.last.reasons, one.last.wake_at) == (other.last.reasons, other.last.wake_at)
    assert one.last.standings == other.last.standings
    assert not {"recalled", "not recalled"} & set(one.last.standings.values())


def dates_of_all(recall: str, people: int, flipped: bool) -> list[tuple[str, dt.datetime]]:
    """Of a role in which the first person is right or wrong, and all others alternate."""

    def suppose(touch: Touch) -> Sequence[Fact]:
        number = int(touch.person[1:])
        return checking([number % 2 == 0] if number else [flipped], share=1.0)(touch)

    given = campaigns(recall=recall, checks=[CHECK], check_every=1)
    everybody = [(someone(number), History()) for number in range(people)]
    found = forecast_together(given, everybody, START, UNTIL, suppose)
    return [(touch.person, touch.due_at) for one in found for touch in one.touches]


def test_a_role_of_nine_learns_nothing_that_would_tell_of_one() -> None:
    assert dates_of_all("role", 9, True) == dates_of_all("role", 9, False)
    assert dates_of_all("person", 9, True) != dates_of_all("person", 9, False)


def test_the_answers_of_ten_teach_their_role() -> None:
    given = campaigns(recall="role", checks=[CHECK], check_every=1)
    everybody = [(someone(number), History()) for number in range(12)]
    alone, together = (
        [touch.due_at for one in found for touch in one.touches]
        for found in (
            [forecast(given, person, past, START, UNTIL, checking([True], 1.0)) for person, past in everybody],
            forecast_together(given, everybody, START, UNTIL, checking([True], 1.0)),
        )
    )
    assert alone != together


def test_without_estimates_a_message_by_recall_comes_every_72_hours() -> None:
    given = campaigns(recall="off", checks=[CHECK])
    assert [touch.due_at.date().isoformat() for touch in touches(given=given)[:4]] == [
        "2027-01-11", "2027-01-14", "2027-01-18", "2027-01-21",
    ]  # fmt: skip
    learned = forecast_together(given, [(someone(1), History())], START, UNTIL, checking([False], 1.0))
    assert [[touch.due_at for touch in one.touches] for one in learned] == [
        [touch.due_at for touch in touches(checking([True], 1.0), given)]
    ]
