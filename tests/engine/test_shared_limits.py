"""What engines share about a channel: its rest, its pace, its connections and the day's room; and what becomes of who
waits for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from commsengine.cadence.calendar import Hours
from commsengine.cadence.plan import Plan, Workspace
from commsengine.channels.channel import RETRY, Outcome
from commsengine.channels.providers import ProviderProfile, SendingLimits
from commsengine.content.message import RenderedMessage
from commsengine.engine.engine import Engine
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.engine.sending.shared_limits import Rate
from commsengine.planning.departures import Waiting, departures
from commsengine.reports.status import resting
from commsengine.reports.today import today
from commsengine.sandbox.time_lapse import Diary, TimeLapse, play
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, FakeChannel, Mailbag, Scribe, a_channel, arrives
from tests.waiting import expect

SECOND = dt.timedelta(seconds=1)
ONCE = a_message(ask="nothing", cadence={"every": "24h", "times": "1"})
PLAN = a_plan(ONCE, send={"channels": ["email"], "holidays": "false", "time_zone": "UTC", "max_late": "1h"})
"""Due on Monday, 11 January 2027, at 09:00 UTC, in a window to 16:30; late after an hour."""

UNTIL = utc("2027-01-20")


# -- a rest ---------------------------------------------------------------------------------------


def refusing(fault: str, down: list[bool]) -> Callable[[RenderedMessage], Outcome | None]:
    def script(message: RenderedMessage) -> Outcome | None:
        said = Outcome(message.key, RETRY, begun=False, channel_down="550 no", fault=fault)  # type: ignore[arg-type]
        return said if down[0] else None

    return script


def test_a_rest_that_one_engine_begins_holds_for_another_and_ends_for_it(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(3)])
    down = [True]
    first, second = (engine(email=a_channel(bag, refusing("us", down))) for _ in range(2))
    first.tick()
    tried = len(bag.tried)
    second.tick()
    assert (len(bag.tried), second.shut_channels()) == (tried, first.shut_channels())
    assert list(second.shut_channels()) == ["email"]
    down[0] = False
    for _ in range(2):
        clock.forward(seconds=31)
        second.tick()
    first.tick()
    touched = [to for to in bag.to if to != "dana@example.com"]  # the digest says what rested
    assert (len(touched), first.shut_channels(), resting(store, clock.now)) == (3, {}, [])


def test_a_new_engine_tries_a_channel_that_refuses_us_with_one_message_and_its_rests_grow_on(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(20)])
    waits = []
    for _ in range(4):
        tried = len(bag.tried)
        each = engine(email=a_channel(bag, refusing("us", [True])))
        each.tick()
        assert len(bag.tried) - tried == 1
        waits.append((each.shut_channels()["email"][0] - clock.now).total_seconds())
        each.stop()
        clock.forward(seconds=5)
    assert waits == [30, 60, 120, 240]


def test_a_new_engine_does_not_try_before_a_quota_renews(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(20)])
    engine(email=a_channel(bag, refusing("quota", [True]))).tick()
    tried = len(bag.tried)
    again = engine(email=a_channel(bag, refusing("quota", [True])))
    again.tick()
    assert (len(bag.tried), list(again.shut_channels())) == (tried, ["email"])


def test_a_quota_that_is_used_up_rests_until_what_has_left_is_a_day_old(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """Where the profile knows how many: at once. Where it does not, at growing intervals up to then."""
    run(store, [someone(n) for n in range(30)])
    full = lambda m: None if len(bag.arrived) < 10 else refusing("quota", [True])(m)  # noqa: E731
    known = limited(bag, full, per_day=11)
    engine(email=known).tick()
    (rest,) = store.channels.rests().values()
    assert (rest.until, rest.fault, rest.trying) == (clock.now + dt.timedelta(days=1), "quota", True)
    unknown = engine(email=limited(bag, full))
    waits = []
    for _ in range(14):
        clock.now = store.channels.rests()["email"].until
        unknown.tick()
        waits.append((store.channels.rests()["email"].until - clock.now).total_seconds())
    assert waits[:4] == [60, 120, 240, 480]
    assert (len(bag.arrived), max(waits) <= 24 * 3600) == (10, True)


# -- the pace -------------------------------------------------------------------------------------


def test_two_engines_together_keep_one_rate_and_a_third_begins_without_a_burst(store: Store, clock: Clock) -> None:
    reserve = lambda span, now: store.channels.reserve("email", span, now)  # noqa: E731
    a, b, c = (Rate(120, reserve, clock, lapsing=True) for _ in range(3))
    begin = clock.now.timestamp()
    starts = [round(each.take(2)[0] - begin, 3) for each in (a, b, a, b, b, c)]
    assert starts == [0, 1, 2, 3, 4, 5]
    clock.forward(minutes=5)
    assert c.take(2)[0] == clock.now.timestamp()


def test_a_rate_without_others_reserves_a_second_at_a_time(store: Store, clock: Clock) -> None:
    asked = []

    def reserve(span: dt.timedelta, now: dt.datetime) -> dt.datetime:
        asked.append(span)
        return store.channels.reserve("email", span, now)

    rate = Rate(600, reserve, clock, lapsing=True)
    starts = [rate.take(1)[0] - clock.now.timestamp() for _ in range(20)]
    assert asked == [SECOND, SECOND]
    assert [round(later - before, 3) for before, later in pairwise(starts)] == [0.1] * 19


def test_what_is_reserved_far_ahead_was_so_by_a_wrong_clock(store: Store, clock: Clock) -> None:
    store.channels.reserve("email", SECOND, clock.now + dt.timedelta(days=1))
    rate = Rate(60, lambda span, now: store.channels.reserve("email", span, now), clock, lapsing=True)
    assert rate.take(1)[0] == clock.now.timestamp()


def test_connections_are_divided_among_the_engines_at_work(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    made = [engine(email=a_channel(bag, threads=3)) for _ in range(2)]
    for _ in range(3):
        for each in made:
            each.beat()
        clock.forward(seconds=31)
    shares = [each._pools["email"]._carriers for each in made]
    assert sorted(shares) == [1, 2]
    made[0].stop()
    clock.forward(seconds=31)
    for _ in range(2):
        made[1].beat()
    assert made[1]._pools["email"]._carriers == 3


def test_an_engine_begins_with_its_share_of_the_connections_and_the_other_soon_gives_them_up(
    store: Store, engine: MakeEngine, bag: Mailbag
) -> None:
    first = engine(email=a_channel(bag, threads=3))
    first.beat()
    assert first._pools["email"]._carriers == 3
    second = engine(email=a_channel(bag, threads=3))
    second.beat()
    assert second._pools["email"]._carriers < 3

    def divided() -> bool:
        first.beat()
        return first._pools["email"]._carriers + second._pools["email"]._carriers == 3

    expect(divided, step=0.2)


# -- the day, and who waits -----------------------------------------------------------------------


def limited(
    bag: Mailbag, script: Callable[[RenderedMessage], Outcome | None] = arrives, **limits: object
) -> ChannelSetup:
    profile = ProviderProfile("small", "a small mailbox", SendingLimits(**limits))  # type: ignore[arg-type]
    return ChannelSetup(lambda: FakeChannel("email", bag, script, arrives), known=lambda: profile)


class Weeks:
    """One engine on a clock that waits for the rate move on, from Monday 09:00 UTC."""

    def __init__(self, store: Store, bag: Mailbag, people: int, plan: Plan = PLAN, **limits: object) -> None:
        self.store, self.plan, self.limits = store, plan, SendingLimits(**limits)  # type: ignore[arg-type]
        self.people = [someone(n, time_zone="UTC") for n in range(people)]
        run(store, self.people, plan)
        self.clock = TimeLapse(utc("2027-01-11 09:00"))
        setup = replace(limited(bag, **limits), lapse=self.clock.move_to)
        self.engine = Engine(
            store, {"email": setup}, Scribe, workspace=Workspace(), clock=self.clock.now, sleep=self.clock.sleep,
            interval=60.0, morning_mail=lambda _: self.mornings.append(self.clock.now()),
        )  # fmt: skip
        self.mornings: list[dt.datetime] = []
        self.seen: list[list[dict[str, object]]] = []

    def play(self, until: dt.datetime = UNTIL) -> list[dt.datetime]:
        """When what was sent has left, in order."""

        def tick() -> None:
            self.engine.tick()
            self.seen.append(today(self.store, self.engine.decisions, Scribe, self.clock.now())["channels"])  # type: ignore[arg-type]

        with self.engine, Diary() as diary:
            play(self.clock, until, diary, self.store.loading.next_wake, tick)
        return sorted(row.sent_at for row in self.store.touches.list("crm") if row.sent_at)

    def foreseen(self) -> list[dt.datetime]:
        due = utc("2027-01-11 09:00")
        queue = [
            Waiting(person.id, "email", due, UNTIL, Hours(self.plan, person), due + dt.timedelta(days=90))
            for person in self.people
        ]
        return sorted(at for at in departures(queue, {"email": self.limits}, {}).values() if at)


def reasons(store: Store) -> set[str]:
    return {row.reason for row in store.touches.list("crm") if row.state == "skipped"}


def test_who_waits_for_a_slow_channel_is_never_late_and_leaves_when_it_was_foreseen(store: Store, bag: Mailbag) -> None:
    """0.2 a minute are 90 in the seven and a half hours of Monday, far beyond the hour after which they were late."""
    weeks = Weeks(store, bag, 120, per_minute=0.2)
    left = weeks.play()
    assert (len(left), reasons(store)) == (120, set())
    assert [abs(at - then) <= dt.timedelta(minutes=5) for at, then in zip(left, weeks.foreseen(), strict=True)] == [
        True
    ] * 120
    assert sum(at.day == 11 for at in left) in range(88, 91)


def test_a_full_day_is_a_planned_rest_and_each_leaves_when_it_was_foreseen(store: Store, bag: Mailbag) -> None:
    weeks = Weeks(store, bag, 50, per_day=20)
    left = weeks.play()
    assert (len(left), reasons(store)) == (50, set())
    assert [at.day for at in left] == [11] * 20 + [12] * 20 + [13] * 10
    assert [abs(at - then) <= dt.timedelta(minutes=5) for at, then in zip(left, weeks.foreseen(), strict=True)] == [
        True
    ] * 50
    (rest,) = weeks.seen[0]
    assert (rest["waiting"], rest["fault"]) == (30, "quota")
    assert rest["because"] == ("20 messages have left in the last 24 hours, as many as allowed (a small mailbox)")


def test_at_night_those_who_wait_for_the_next_window_are_counted(store: Store, bag: Mailbag) -> None:
    weeks = Weeks(store, bag, 50, per_day=20)
    weeks.play(utc("2027-01-12 01:00"))
    assert weeks.seen[-1][0]["waiting"] == 30


def test_of_two_touches_of_one_message_that_wait_for_a_full_channel_the_newer_leaves(
    store: Store, bag: Mailbag
) -> None:
    twice = a_message(ask="nothing", cadence={"every": "24h", "times": "2"})
    weeks = Weeks(store, bag, 30, a_plan(twice, send=PLAN.send.model_dump(mode="json")), per_day=20)
    weeks.play(utc("2027-01-12 10:00"))
    rows = [(row.person_id, row.state, row.reason, row.due_at.day) for row in store.touches.list("crm")]
    superseded = {person for person, *about in rows if about == ["skipped", "superseded", 11]}
    assert len(superseded) == 10
    assert {reason for *_, reason, _ in rows} <= {"", "superseded"}


def test_the_brake_does_not_hold_for_what_waited_for_a_planned_rest(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(150)])
    first = engine(email=limited(bag, per_day=20))
    first.tick()
    first.stop()
    clock.forward(hours=23.5)  # the window is open, and the day not over yet
    assert engine(email=limited(bag, per_day=20)).tick().hold == ""
    clock.forward(days=6, hours=1)
    assert "more than 100 messages fell due" in engine(email=limited(bag, per_day=20)).tick().hold


def test_what_the_mail_server_greets_with_counts_from_the_next_beat_on(
    store: Store, engine: MakeEngine, bag: Mailbag
) -> None:
    run(store, [someone(n) for n in range(12)])
    known = [ProviderProfile("", "", SendingLimits())]
    channel = replace(a_channel(bag), known=lambda: known[0])
    running = engine(email=channel)
    known[0] = ProviderProfile("small", "a small mailbox", SendingLimits(connections=4, per_day=5))
    running.tick()
    assert (len(bag.to), running._pools["email"]._carriers) == (5, 4)
    assert list(running.shut_channels()) == ["email"]


def test_while_a_slow_channel_sends_for_hours_the_morning_mail_is_not_forgotten(store: Store, bag: Mailbag) -> None:
    weeks = Weeks(store, bag, 60, per_minute=0.5)
    with weeks.engine:
        assert weeks.engine.tick().sent == 60
    assert max(later - before for before, later in pairwise(weeks.mornings)) <= dt.timedelta(minutes=30)
    assert len(weeks.mornings) >= 5
