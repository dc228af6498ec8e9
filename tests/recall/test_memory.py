"""The worked numbers of the memory model, each to a thousandth, and what must hold of every history."""

from __future__ import annotations

from math import exp, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.recall.memory import (
    HALF_LIFE,
    LONGEST,
    PASS,
    READ_IF,
    RIGHT,
    Curve,
    Estimate,
    Event,
    K,
    Memory,
    State,
    Trace,
    after,
    fold,
    growth,
    recall_at,
    retention,
    right_chance,
)

FINE = Curve.of(classes=21)
USUAL = Curve.of()
DAY = 24.0


def near(expected: float) -> object:
    return pytest.approx(expected, abs=0.001)


def read_once() -> State:
    """Somebody who certainly read it at 0 h."""
    return known(0.0, FINE.start)


def known(since: float, strengths: tuple[float, ...]) -> State:
    return State(Trace(1.0, since, strengths), None, (0.0,) * 21, FINE.weights)


def remembered(*events: tuple[float, str]) -> State:
    return fold(FINE, tuple(Event(at, signal) for at, signal in events))


@pytest.mark.parametrize(
    ("hours", "known"),
    [(19 / 60, 0.552), (63 / 60, 0.470), (8.75, 0.338), (24, 0.283), (48, 0.250), (144, 0.203), (744, 0.148)],
)
def test_how_much_is_left_of_one_reading(hours: float, known: float) -> None:
    assert recall_at(read_once(), hours) == near(known)


def test_half_is_left_at_the_half_life() -> None:
    assert (pytest.approx(31.0), pytest.approx(0.382, abs=0.001)) == (K, HALF_LIFE)
    assert retention(5.0, 5.0) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("half_life", "known", "size", "later"),
    [
        (24, 0.5, RIGHT, 176.269), (24, 0.5, PASS, 54.454), (100, 0.4, RIGHT, 572.737), (100, 0.4, PASS, 194.547),
        (43_000, 0.0, RIGHT, LONGEST),
    ],
)  # fmt: skip
def test_how_a_half_life_grows(half_life: float, known: float, size: float, later: float) -> None:
    assert growth(half_life, known, size) == near(later)


def test_a_second_reading_and_a_right_answer_after_a_day() -> None:
    assert recall_at(read_once(), 48) == near(0.250)
    assert recall_at(known(DAY, grown(PASS)), 72) == near(0.347)
    assert recall_at(after(FINE, read_once(), Event(DAY, "read")), 72) == near(0.347)
    assert recall_at(known(DAY, grown(RIGHT)), 72) == near(0.443)


def grown(size: float) -> tuple[float, ...]:
    """Log half-lives after an exposure one day after the first, with its full growth."""
    lives = [exp(strength) for strength in FINE.start]
    return tuple(log(growth(life, retention(DAY, life), size)) for life in lives)


@pytest.mark.parametrize(
    ("floor", "size", "gaps"),
    [
        (0.35, PASS, [1, 1.899, 6.940, 18.767, 41.104]),
        (0.50, PASS, [1, 1, 1, 2.325, 4.622, 8.119]),
        (0.35, RIGHT, [1, 7.013, 59.165]),
    ],
)
def test_the_gaps_grow_by_themselves(floor: float, size: float, gaps: list[float]) -> None:
    """Days from one exposure to the next, each when recall falls to the floor, but a day at the soonest."""
    state, found = read_once(), []
    for _ in gaps:
        gap = max(
            DAY, _memory(state).falls_below(floor, state.last.since, LONGEST * 10, within=1e-4) - state.last.since
        )
        found.append(gap / DAY)
        lives = [exp(strength) for strength in state.last.strengths]
        later = tuple(log(growth(life, retention(gap, life), size)) for life in lives)
        state = known(state.last.since + gap, later)
    assert found == [near(gap) for gap in gaps]


def _memory(state: State) -> Memory:
    return Memory(FINE, state)


def test_what_an_opened_touch_and_its_check_say() -> None:
    opened = remembered((0, "opened"))
    assert (opened.read, recall_at(opened, 48)) == (near(0.750), near(0.188))
    assert right_chance(recall_at(opened, 72), 4) == near(0.372)
    right = remembered((0, "opened"), (72, "right"))
    assert (right.read, recall_at(right, 120), recall_at(right, 240)) == (1, near(0.440), near(0.351))
    wrong = remembered((0, "opened"), (72, "wrong"))
    assert (recall_at(wrong, 120), recall_at(wrong, 240)) == (near(0.327), near(0.257))


def test_what_a_second_touch_and_an_acknowledgement_say() -> None:
    twice = remembered((0, "opened"), (24, "opened"))
    assert (twice.read, recall_at(twice, 72)) == (near(0.938), near(0.298))
    got_it = remembered((0, "opened"), (24, "acknowledged"))
    assert (got_it.read, recall_at(got_it, 72)) == (near(0.975), near(0.326))


def test_a_sending_that_nobody_saw_moves_nothing_but_the_chance_that_it_was_read() -> None:
    sent = remembered((0, "sent"), (24, "sent"), (48, "sent"))
    assert (sent.read, sent.last.since, sent.last.strengths) == (near(0.271), 0.0, FINE.start)


def test_a_touch_without_an_answer_leaves_two_memories() -> None:
    """A fresh one of who read it, and one as old as before of who did not: nobody is refreshed by averages."""
    twice = remembered((0, "unseen"), (240, "unseen"))
    assert remembered((0, "unseen")).before is None
    assert (twice.last.chance, twice.last.since) == (near(0.30), 240)
    assert twice.before is not None
    assert (twice.before.chance, twice.before.since) == (near(0.21), 0)
    assert twice.read == near(1 - 0.7 * 0.7)


def test_who_forgets_for_good_begins_nearly_anew() -> None:
    lasting, frail = Curve.of(), Curve.of(frail=1.0)
    events = (Event(0, "read"), Event(24, "read"), Event(2_000, "read"))
    for curve in (lasting, frail):
        assert fold(curve, events[:1]).last.strengths == curve.start
    assert recall_at(fold(frail, events), 2_100) < recall_at(fold(lasting, events), 2_100) - 0.05


# -- what holds of every history ------------------------------------------------------------------

signals = st.sampled_from([*READ_IF, "right", "wrong"])
histories = st.lists(st.tuples(st.floats(0, 2_000), signals), min_size=1, max_size=12).map(
    lambda pairs: tuple(Event(at, signal) for at, signal in sorted(pairs))
)


@settings(max_examples=30)
@given(histories, st.floats(0, 500))
def test_recall_is_a_probability_that_falls_until_something_happens(events: tuple[Event, ...], later: float) -> None:
    state = fold(USUAL, events)
    now, then = recall_at(state, events[-1].at), recall_at(state, events[-1].at + later)
    assert 0 < then <= now < 1
    assert sum(state.shares) == pytest.approx(1)


@settings(max_examples=30)
@given(histories, st.floats(0.05, 0.9))
def test_the_floor_is_met_until_the_told_instant_and_no_longer(events: tuple[Event, ...], floor: float) -> None:
    memory, soonest = Estimate(USUAL).memory(events), events[-1].at + 12
    falls = memory.falls_below(floor, soonest, soonest + 5_000)
    if falls > soonest:
        assert memory.recall(falls - 0.25) >= floor - 1e-4
    if falls < soonest + 5_000:
        assert memory.recall(falls) < floor + 1e-4


@settings(max_examples=30)
@given(histories)
def test_folding_from_the_facts_is_the_same_as_going_on_from_a_kept_state(events: tuple[Event, ...]) -> None:
    """What is kept between two decisions saves work only: from the facts alone the value is the same, to the bit."""
    kept = Estimate(USUAL).memory(events[:-1]).then(events[-1])
    anew = Curve.of()
    state = fold(anew, ())
    for event in events:
        state = after(anew, state, event)
    assert kept.recall(events[-1].at + 48) == recall_at(state, events[-1].at + 48)


@settings(max_examples=30)
@given(histories)
def test_a_wrong_answer_never_shortens_a_half_life(events: tuple[Event, ...]) -> None:
    before, later = fold(USUAL, events), fold(USUAL, (*events, Event(events[-1].at + 24, "wrong")))
    shortest = [min(trace.strengths[g] for trace in before.traces) for g in range(len(USUAL.start))]
    assert all(new >= old for old, new in zip(shortest, later.last.strengths, strict=True))
