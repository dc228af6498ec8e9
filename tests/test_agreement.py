"""What ``simulate`` shows is what ``run`` does: touch by touch and instant by instant, over generated campaigns.

The forecast asks ``decide`` from wake to wake in memory. The engine ticks on SQLite, with claims, sender threads and
receipts. Both get the same suppositions about answers. Nothing but the touches they make is compared.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.cadence.forecast import (
    Fact,
    Supposition,
    all_answer,
    doing,
    forecast,
    forecast_together,
    messages_of,
    no_answers,
    typical,
)
from commsengine.cadence.history import (
    Answer,
    Campaign,
    Campaigns,
    Deed,
    History,
    ManagerHold,
    OutreachOutcome,
    Standstill,
    Touch,
)
from commsengine.cadence.kinds_and_states import CARRIED
from commsengine.cadence.managers_first import by_manager
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Notice, Plan, Workspace
from commsengine.campaigns.moved_dates import notice_of
from commsengine.channels.channel import SENT, Mark
from commsengine.channels.channel import Outcome as Delivered
from commsengine.content.message import RenderedMessage, WrittenBody
from commsengine.content.talking_points import TalkingPoints
from commsengine.engine.engine import Engine
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.errors import CommsError
from commsengine.reports.followups import open_followups, record_outcome
from commsengine.sandbox.time_lapse import Diary, TimeLapse, play
from commsengine.store.campaign_facts.deeds import NewDeed
from tests import fresh
from tests.builders import a_message, a_plan, someone, utc

IMPORTED, STARTED, UNTIL = utc("2026-12-01"), utc("2027-01-04 09:30"), utc("2027-03-29")

Made = tuple[str, str, int, str, str, dt.datetime, str]
Content = tuple[int | None, str]
"""The check that a touch explains again, and what its own is for."""


class Postbox:
    """A channel that carries everything at once and remembers what it carried."""

    name = "email"

    def __init__(self, carried: list[str]) -> None:
        self._carried = carried

    def deliver(self, messages: Sequence[RenderedMessage], mark: Mark) -> Iterator[OutreachOutcome]:
        for key in mark([message.key for message in messages]):
            self._carried.append(key)
            yield Delivered(key, SENT)

    def close(self) -> None: ...


class PlainRenderer:
    """Writes nothing: texts are not what is compared here. It notes which points are made again, and what is asked.

    Each text of ``dated`` names the date of go-live.
    """

    def __init__(self, again: dict[str, Content], plan: Plan) -> None:
        self._again, self._plan = again, plan

    def touch(self, touch: Touch, person: Person, cast: object, replies: object = ()) -> RenderedMessage:
        self._again[touch.key] = (touch.unclear, touch.asks or "")
        return RenderedMessage(
            key=touch.key, campaign=touch.campaign, campaign_title="", channel=touch.channel, to_email=person.email,
            to_name=person.name, subject="", body=WrittenBody(""), date=touch.due_at,
            named=dated(self._plan, touch.message),
        )  # fmt: skip

    def talking_points(self, *_given: object) -> TalkingPoints:
        raise CommsError("Leads and managers get no mail here.")


def dated(plan: Plan, message: str) -> str:
    named = message == "dated" or message.startswith("moved")
    return f"go_live={plan.milestones['go_live'].date}" if named else ""


class Run:
    """One engine run on a database of its own, on a time-lapse clock, with people who answer as supposed."""

    def __init__(self, folder: Path, plans: Sequence[Plan], people: Sequence[Person], rules: Workspace) -> None:
        self.store = fresh.a_store(folder / "run.db")
        self.store.people.save(people, by="test", now=IMPORTED)
        for plan in plans:
            self.store.campaigns.save_version(plan, {}, "", introduced={}, by="test", now=IMPORTED)
            self.store.campaigns.start(plan.campaign, by="test", now=STARTED)
        self.plans, self.clock, self.diary = plans, TimeLapse(STARTED), Diary()
        self.carried: list[str] = []
        self.seen: set[str] = set()
        self.again: dict[str, Content] = {}
        channels = {name: ChannelSetup(lambda: Postbox(self.carried)) for name in ("email", "slack")}
        self.engine = Engine(
            self.store, channels, lambda plan, templates: PlainRenderer(self.again, plan),
            workspace=rules, clock=self.clock.now, sleep=self.clock.sleep, interval=60,
        )  # fmt: skip

    def opens_gates(self, words: Words) -> None:
        """The lead gives these words, each at its instant."""
        for (campaign, phase), at in words.items():
            self.diary.note(
                at,
                lambda campaign=campaign, phase=phase, at=at: self.store.gates.open(  # type: ignore[misc]
                    campaign, phase, because="", by="dana", now=at
                ),
            )

    def holds(self, plans: Sequence[Plan], hold: ManagerHold) -> None:
        """The manager holds the message in each of these campaigns, and perhaps lets it go early."""
        (email,) = hold.managers
        manager = self.store.people.by_email(email)
        assert manager
        for plan in plans:
            about = (plan.campaign, hold.message, manager.id)
            words = self.store.manager_words
            self.diary.note(hold.at, partial(words.hold, *about, hold.until, by=email, now=hold.at))
            if hold.lifted_at:
                self.diary.note(hold.lifted_at, partial(words.lift, *about, by=email, now=hold.lifted_at))

    def play(self, suppose: Supposition, *, wipe: bool = False) -> list[Made]:
        def tick() -> None:
            if wipe:
                self.store.loading.wipe_bookmarks(self.clock.now())
            self.engine.tick()
            self.note_answers(suppose)

        with self.engine, self.diary:
            play(self.clock, UNTIL, self.diary, self.store.loading.next_wake, tick)
        made = [record for plan in self.plans for record in self.store.touches.list(plan.campaign)]
        self.store.close()
        return sorted(
            (
                r.person_id or "",
                r.message,
                r.rung or 0,
                r.kind,
                r.channel,
                r.due_at,
                r.reason if r.state == "skipped" else "",
            )
            for r in made
        )

    def note_answers(self, suppose: Supposition) -> None:
        by_hand = [rung.key for rung in self.store.counts.open_rungs()]
        for key in [*self.carried, *by_hand]:
            if key not in self.seen:
                self.seen.add(key)
                for fact in suppose(self.touch(key)):
                    self.diary.note(fact.at, lambda key=key, fact=fact: self.act(key, fact))  # type: ignore[misc]
        self.carried.clear()

    def touch(self, key: str) -> Touch:
        r = self.store.touches.row(key)
        assert r is not None
        assert r.local_date is not None
        return Touch(
            r.campaign, r.message, r.person_id or "", r.role, r.rung or 0, r.kind, r.channel, r.local_date, r.due_at,
            r.due_at, r.number, asks=r.asks,
        )  # fmt: skip

    def act(self, key: str, fact: Fact) -> None:
        person, now = self.touch(key).person, self.clock.now()
        if isinstance(fact, Answer):
            self.answer(person, key, fact, now)
            return
        if isinstance(fact, Deed):
            self.store.deeds.record(
                fact.campaign, [NewDeed(person, fact.outcome, now)], source="system", by="x", now=now
            )
            return
        for one in open_followups(self.store, now, fact.campaign):
            if one.person.id == person and one.kind == "personal" and fact.message in one.messages:
                record_outcome(self.store, one.id, fact.outcome, by="mia", now=now)

    def answer(self, person: str, key: str, fact: Answer, now: dt.datetime) -> None:
        self.store.answers.record(
            person, fact.campaign, fact.message, key, fact.kind,
            right=fact.right, evidence=fact.evidence, measures=fact.measures, by=person, now=now,
        )  # fmt: skip


Words = Mapping[tuple[str, str], dt.datetime]
"""When the gate of a phase is opened, by campaign and phase."""

NO_WORDS: Words = {}


def foreseen(
    plans: Sequence[Plan],
    people: Sequence[Person],
    rules: Workspace,
    suppose: Supposition,
    words: Words = NO_WORDS,
    holds: Sequence[ManagerHold] = (),
) -> list[Made]:
    return made_of(touches_foreseen(plans, people, rules, suppose, words, holds))


def touches_foreseen(
    plans: Sequence[Plan],
    people: Sequence[Person],
    rules: Workspace,
    suppose: Supposition,
    words: Words = NO_WORDS,
    holds: Sequence[ManagerHold] = (),
) -> list[Touch]:
    opened = {
        plan.campaign: {p: at for (campaign, p), at in words.items() if campaign == plan.campaign} for plan in plans
    }
    running = (Campaign(plan, STARTED, opened=opened[plan.campaign], manager_holds=tuple(holds)) for plan in plans)
    campaigns = Campaigns(tuple(running), rules)
    found = forecast_together(campaigns, pasts(people), STARTED, UNTIL, suppose)
    return [touch for one in found for touch in one.touches]


def foreseen_alone(plans: Sequence[Plan], people: Sequence[Person], suppose: Supposition) -> list[Made]:
    """As if nobody's answers taught anything."""
    campaigns = Campaigns(tuple(Campaign(plan, STARTED) for plan in plans), Workspace())
    found = (forecast(campaigns, person, past, STARTED, UNTIL, suppose) for person, past in pasts(people))
    return made_of(touch for one in found for touch in one.touches)


def pasts(people: Sequence[Person]) -> list[tuple[Person, History]]:
    managers = {person.manager for person in people}
    known = [replace(person, since=IMPORTED, is_manager=person.email in managers) for person in people]
    led = by_manager(known, {})
    return [(person, History(reports=led.get(person.id, ()))) for person in known]


def made_of(touches: Iterable[Touch]) -> list[Made]:
    return sorted((t.person, t.message, t.rung, t.kind, t.channel, t.due_at, t.skip) for t in touches)


def content_of(touches: Iterable[Touch]) -> dict[str, Content]:
    return {t.key: (t.unclear, t.asks or "") for t in touches if not t.skip and t.kind in CARRIED}


def supposing(plans: Sequence[Plan]) -> Supposition:
    """As is typical; a third of the people do what is asked."""
    campaigns = Campaigns(tuple(Campaign(plan, STARTED) for plan in plans))
    return doing(campaigns, 0.3, typical(messages_of(campaigns)))


# -- generated campaigns --------------------------------------------------------------------------

FIRST_CALL = {"first_call": {"title": "The first call is logged", "by": "go_live + 14d"}}
ANSWERS = ["The customer record", "My notebook", "The shared inbox"]
CHECK = {"question": "Where do you log a call?", "answers": ANSWERS, "right": ANSWERS[0], "because": "One place."}
BEFORE, LATER = (CHECK | {"question": f"And {kind}?", kind: "true"} for kind in ("baseline", "transfer"))
ZONES = ("Asia/Seoul", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "")

messages = st.builds(
    lambda number, every, times, opens, length, ask, priority, until, checks, more, first, sender: a_message(
        id=f"m{number}",
        **{"from": f"2027-01-08 + {opens}d", "until": f"2027-01-08 + {opens + length}d"},
        cadence={"every": f"{every}h", **({"times": str(times)} if times else {})},
        ask=ask,
        **({"commit": {"text": "I will.", "by": f"2027-01-09 + {opens + length // 2}d"}} if ask == "commit" else {}),
        priority=priority,
        repeat_until=until,
        to=["sales"] if number == 1 else [],
        managers_first=first,
        sender=sender,
        checks=[CHECK | {"question": f"Question {n}?"} for n in range(max(checks, ask == "check"))] + more,
    ),
    st.integers(0, 2), st.sampled_from([24, 36, 48, 72]), st.integers(0, 4), st.integers(0, 23), st.integers(3, 25),
    st.sampled_from(["acknowledge", "nothing", "commit", "check"]), st.sampled_from(["high", "normal", "low"]),
    st.sampled_from(["end", "acknowledged", "recalled", "done"]), st.integers(0, 3),
    st.sampled_from([[], [], [BEFORE], [LATER], [BEFORE, LATER]]),
    st.sampled_from([None, "2 working days", "5 working days"]), st.sampled_from(["lead", "manager"]),
)  # fmt: skip

plans = st.builds(
    lambda name, some, channels, hours, per_week, holidays, sponsor, gate: a_plan(
        *some,
        campaign=name,
        sponsor=sponsor,
        outcomes=FIRST_CALL,
        phases={"listen": {"until": f"2027-01-08 + {gate}d", "gate": "true"}} if gate else {},
        send={
            "channels": channels,
            "window": {"days": ["mon", "tue", "wed", "thu", "fri"], "from": hours[0], "to": hours[1]},
            "at_most": {"per_day": "1", "per_week": str(per_week)},
            "holidays": holidays,
        },
    ),
    st.sampled_from(["one", "two"]),
    st.lists(messages, min_size=1, max_size=3, unique_by=lambda message: message["id"]),
    st.sampled_from([["email"], ["slack", "email"], ["email", "slack"]]),
    st.sampled_from([("09:00", "16:30"), ("00:00", "24:00"), ("13:00", "13:30")]),
    st.integers(1, 5),
    st.sampled_from(["true", "false"]),
    st.sampled_from(["sam@example.com", someone(0).email, {"email": someone(1).email, "in_audience": "true"}]),
    st.sampled_from([0, 4, 9, 16]),
)

people = st.lists(
    st.builds(
        lambda number, zone, days, leave, channel, country: someone(
            number,
            manager=someone(number // 2).email if number > 1 else "",
            time_zone=zone,
            days=days,
            leave=((dt.date(2027, 1, 18), dt.date(2027, 1, 18 + leave)),) if leave else (),
            channel=channel,
            country=country,
            department="Sales" if number % 2 else "Support",
        ),
        st.integers(0, 30),
        st.sampled_from(ZONES),
        st.sampled_from([None, frozenset({0, 2, 3}), frozenset({4})]),
        st.integers(0, 5),
        st.sampled_from(["", "slack", "email"]),
        st.sampled_from(["", "DE", "US", "KR", "SA"]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda person: person.id,
)

rules = st.builds(
    lambda per_week, gap, recall: Workspace.model_validate(
        {"at_most": {"per_day": "2", "per_week": str(per_week)}, "minimum_gap": f"{gap}h", "recall": recall}
    ),
    st.integers(2, 6),
    st.sampled_from([0, 0, 20]),
    st.sampled_from(["role", "role", "person", "off"]),
)


@settings(max_examples=max(1, settings.default.max_examples // 10))  # each is a campaign of months
@given(
    some_plans=st.lists(plans, min_size=1, max_size=2, unique_by=lambda p: p.campaign),
    some_people=people,
    r=rules,
    opens=st.sampled_from([None, 10, 24 * 6 + 3, 24 * 20 + 11]),
    held=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 24 * 16), st.integers(0, 9), st.sampled_from([0, 30])),
)
def test_the_engine_makes_the_touches_that_the_forecast_says(
    tmp_path_factory: pytest.TempPathFactory,
    some_plans: list[Plan],
    some_people: list[Person],
    r: Workspace,
    opens: int | None,
    held: tuple[int, int, int, int] | None,
) -> None:
    """Gates are opened so many hours after the start, or never. One of them may hold a message for some days."""
    words: Words = {}
    if opens is not None:
        at = STARTED + dt.timedelta(hours=opens)
        words = {(plan.campaign, phase): at for plan in some_plans for phase in plan.phases}
    run = Run(tmp_path_factory.mktemp("run"), some_plans, some_people, r)
    run.opens_gates(words)
    holds = [] if held is None else [a_hold(some_people, *held)]
    for hold in holds:
        run.holds(some_plans, hold)
    carried = touches_foreseen(some_plans, some_people, r, supposing(some_plans), words, holds)
    assert run.play(supposing(some_plans)) == made_of(carried)
    assert run.again == content_of(carried)


def a_hold(people: Sequence[Person], who: int, hours: int, days: int, lifted: int) -> ManagerHold:
    at, manager = STARTED + dt.timedelta(hours=hours), people[who % len(people)].email
    end = at + dt.timedelta(hours=lifted) if lifted else None
    return ManagerHold("m0", frozenset({manager}), at.date() + dt.timedelta(days=days), at, end)


@pytest.mark.both_databases
def test_what_a_manager_holds_waits_in_both(tmp_path: Path) -> None:
    """Of the three people, two are those of the first; the message is held from its second day on."""
    plan = a_plan(a_message(id="m0", sender="manager", cadence={"every": "24h", "times": "4"}, follow_up=[]))
    some = [someone(0), *(someone(n, manager=someone(0).email) for n in (1, 2))]
    hold = a_hold(some, 0, 7 * 24 + 12, 6, 0)
    run = Run(tmp_path, [plan], some, Workspace())
    run.holds([plan], hold)
    made = run.play(no_answers)
    assert made == foreseen([plan], some, Workspace(), no_answers, holds=[hold])
    assert made != foreseen([plan], some, Workspace(), no_answers)
    days = {one[0]: [each[5].date() for each in made if each[0] == one[0]] for one in made}
    assert not any(hold.at.date() < day < hold.until for day in days[some[1].id])
    assert any(hold.at.date() < day < hold.until for day in days[some[0].id])


@pytest.mark.parametrize("mode", ["role", "person", "off"])
def test_what_is_asked_first_and_last_is_asked_in_both(tmp_path: Path, mode: str) -> None:
    plan = a_plan(
        a_message(checks=[CHECK, BEFORE, LATER], cadence={"every": "48h", "times": "5"}, check_every=2, follow_up=[])
    )
    some, workspace = [someone(n, time_zone=zone) for n, zone in enumerate(ZONES)], Workspace(recall=mode)
    run, suppose = (
        Run(tmp_path, [plan], some, workspace),
        all_answer(messages_of(Campaigns((Campaign(plan, STARTED),)))),
    )
    assert run.play(suppose) == foreseen([plan], some, workspace, suppose)
    content = content_of(touches_foreseen([plan], some, workspace, suppose))
    assert run.again == content
    asked = [asks for _, asks in content.values()]
    assert (asked[0], asked[4], Counter(asked)["baseline"], Counter(asked)["transfer"]) == (
        "baseline", "transfer", len(some), len(some),
    )  # fmt: skip


def test_a_point_that_was_not_clear_is_made_again_in_both(tmp_path: Path) -> None:
    """Everybody answers the check of each touch within the hour; the first and the fourth time they are wrong."""
    pool = [CHECK, CHECK | {"question": "Since when?"}]
    plan = a_plan(a_message(ask="check", checks=pool, cadence={"every": "48h", "times": "5"}))
    some = [someone(n, time_zone=zone) for n, zone in enumerate(ZONES[:3])]

    def suppose(touch: Touch) -> Sequence[Fact]:
        at, right = touch.due_at + dt.timedelta(hours=1), touch.number not in (1, 4)
        return (Answer(touch.campaign, touch.message, "check", at, "link", right, key=touch.key),)

    run = Run(tmp_path, [plan], some, Workspace())
    assert run.play(suppose) == foreseen([plan], some, Workspace(), suppose)
    again = content_of(touches_foreseen([plan], some, Workspace(), suppose))
    assert run.again == again
    assert list(again.values()) == [(unclear, "recall") for unclear in (None, 0, None, None, 1)] * len(some)


def test_wiping_every_bookmark_changes_nothing_that_is_sent(tmp_path: Path) -> None:
    plan, some = a_plan(a_message(cadence={"every": "48h", "times": "5"})), [someone(n) for n in range(3)]
    run = Run(tmp_path, [plan], some, Workspace())
    assert run.play(supposing([plan]), wipe=True) == foreseen([plan], some, Workspace(), supposing([plan]))


def test_who_was_away_is_part_of_a_later_talk_in_both(tmp_path: Path) -> None:
    """The second message's talk, eight days later, is about the first again, whose call found the person away."""
    ladder = [{"after": "1 touch", "do": "personal"}]
    plan = a_plan(
        a_message(id="first", repeat_until="acknowledged", cadence={"every": "48h", "times": "9"}, follow_up=ladder),
        a_message(id="second", **{"from": "kickoff + 8d"}, follow_up=ladder),
        send={"channels": ["email"], "at_most": {"per_day": "2", "per_week": "9"}},
    )

    def suppose(touch: Touch) -> Sequence[Fact]:
        what = {"first": "away", "second": "understood"}[touch.message]
        at = touch.due_at + dt.timedelta(hours=5)
        return (OutreachOutcome(touch.campaign, touch.message, what, at),) if touch.kind == "personal" else ()

    expected = foreseen([plan], [someone(1)], Workspace(), suppose)
    assert [made[1] for made in expected].count("first") < 9
    assert Run(tmp_path, [plan], [someone(1)], Workspace()).play(suppose) == expected


def test_a_commitment_is_asked_about_in_both(tmp_path: Path) -> None:
    """Who says "I will" and who does not, who says it late, and who says before the day that it is done."""
    plan = a_plan(
        a_message(ask="commit", commit={"text": "I log each call.", "by": "2027-01-20"}, follow_up=[]),
        a_message(id="other", **{"from": "2027-01-20"}, priority="low"),
    )
    some = [someone(n, time_zone=zone) for n, zone in enumerate(ZONES)]

    def suppose(touch: Touch) -> Sequence[Fact]:
        at = touch.due_at + dt.timedelta(hours=1)
        said = (touch.person[-1], touch.number, touch.message, touch.kind)
        commits = said[2:] == ("one-record", "message") and said[:2] in {("1", 1), ("2", 2), ("3", 1), ("4", 3)}
        found = [Answer(touch.campaign, touch.message, "commit", at, "link", key=touch.key)] if commits else []
        if said == ("3", 2, "one-record", "message"):
            found.append(Answer(touch.campaign, touch.message, "kept", at, "link", key=touch.key))
        return found

    run = Run(tmp_path, [plan], some, Workspace())
    made = run.play(suppose)
    assert made == foreseen([plan], some, Workspace(), suppose)
    assert [one[0][-1] for one in made if one[3] == "commitment"] == ["1", "2", "4"]


@pytest.mark.both_databases
def test_an_objection_stops_the_repeats_in_both(tmp_path: Path) -> None:
    ladder = [{"after": "1 touch", "do": "personal"}, {"after": "2 working days", "do": "sponsor"}]
    plan = a_plan(
        a_message(id="first", cadence={"every": "48h", "times": "9"}, follow_up=ladder),
        a_message(id="second", cadence={"every": "48h", "times": "9"}, follow_up=ladder),
        send={"channels": ["email"], "at_most": {"per_day": "2", "per_week": "9"}},
    )

    def suppose(touch: Touch) -> Sequence[Fact]:
        at = touch.due_at + dt.timedelta(hours=5)
        if touch.kind == "personal" and touch.message == "first":
            return (OutreachOutcome(touch.campaign, touch.message, "objects", at),)
        return ()

    expected = foreseen([plan], [someone(1)], Workspace(), suppose)
    assert Run(tmp_path, [plan], [someone(1)], Workspace()).play(suppose) == expected
    kinds = [(made[1], made[3]) for made in expected]
    assert kinds.count(("first", "message")) == kinds.count(("second", "message")) < 4
    assert kinds.count(("first", "sponsor")) == kinds.count(("second", "sponsor")) == 1


def test_a_message_that_is_corrected_comes_in_neither(tmp_path: Path) -> None:
    ladder = [{"after": "1 touch", "do": "remind"}, {"after": "1 touch", "do": "personal"}]
    plan = a_plan(a_message(follow_up=ladder), a_message(id="put-right", corrects="one-record", follow_up=ladder))
    expected = foreseen([plan], [someone(1)], Workspace(), supposing([plan]))
    assert {made[1] for made in expected} == {"put-right"}
    assert Run(tmp_path, [plan], [someone(1)], Workspace()).play(supposing([plan])) == expected


def then(people: Sequence[Person], first: Plan, second: Plan, at: dt.datetime) -> list[Made]:
    """What is foreseen of a plan until another version is applied, and of that from then on."""
    touches: list[Touch] = []
    before = Campaigns((Campaign(first, STARTED),))
    after = Campaigns((Campaign(second, STARTED, introduced=new(second, at)),))
    for person, past in pasts(people):
        seen = forecast(before, person, past, STARTED, at, no_answers)
        rows = tuple(replace(row, named=dated(first, row.message)) for row in seen.history.rows)
        to_come = forecast(after, person, replace(seen.history, rows=rows), at, UNTIL, no_answers)
        touches += [*seen.touches, *to_come.touches]
    return made_of(touches)


def new(plan: Plan, at: dt.datetime) -> dict[str, dt.datetime]:
    return {message.id: at for message in plan.messages if message.id == "right" or message in plan.notices}


@pytest.mark.parametrize("per_day", ["1", "2"])
def test_a_correction_and_a_moved_date_are_foreseen_as_they_come_about(tmp_path: Path, per_day: str) -> None:
    messages = [
        a_message(cadence={"every": "48h", "times": "5"}, follow_up=[]),
        a_message(id="dated", to=["sales"], cadence={"every": "48h", "times": "3"}, follow_up=[]),
    ]
    send = {"channels": ["email"], "at_most": {"per_day": per_day, "per_week": "4"}}
    first = a_plan(*messages, send=send)
    right = a_message(id="right", corrects="one-record", cadence={"every": "48h", "times": "2"}, follow_up=[])
    later = {"kickoff": "2027-01-11", "go_live": "2027-03-22"}
    second, at = a_plan(*messages, right, send=send, milestones=later), utc("2027-01-14 12:00")
    notice = notice_of(second, {"go_live": first.milestones["go_live"].date}, at)
    some = [someone(n, time_zone=zone, department="Sales" if n % 2 else "Support") for n, zone in enumerate(ZONES)]
    run = Run(tmp_path, [first], some, Workspace())

    def applied() -> None:
        run.store.notices.add("crm", notice, by="dana", now=at)
        run.store.campaigns.save_version(second, {}, "", introduced={"right": at}, by="dana", now=at)

    run.diary.note(at, applied)
    expected = then(some, first, second.with_notices([notice]), at)
    told = {person.id for person in some if person.department == "Sales"}
    assert {made[0] for made in expected if made[1] == notice.id} == told
    assert run.play(no_answers) == expected


def test_a_message_that_awaits_a_deed_goes_on_to_it_in_both(tmp_path: Path) -> None:
    """All confirm at once, and are still chased; some then do it, and hear no more."""
    ladder = [{"after": "1 touch", "do": "remind"}, {"after": "1 touch", "do": "personal"}]
    plan = a_plan(
        a_message(cadence={"every": "72h", "times": "9"}, repeat_until="done", follow_up=ladder),
        outcomes=FIRST_CALL,
    )
    some = [someone(n, time_zone=zone) for n, zone in enumerate(ZONES[:3])]
    campaigns = Campaigns((Campaign(plan, STARTED),))
    for share, longest in ((0.0, 9), (1.0, 3)):
        suppose = doing(campaigns, share, all_answer(messages_of(campaigns)))
        expected = foreseen([plan], some, Workspace(), suppose)
        assert {made[3] for made in expected} >= {"message", "remind"}
        assert max(Counter(made[0] for made in expected if made[4] == "email").values()) <= longest
        (tmp_path / str(share)).mkdir()
        assert Run(tmp_path / str(share), [plan], some, Workspace()).play(suppose) == expected


@pytest.mark.parametrize("backlog", ["latest", "all", "none"])
@pytest.mark.slow
def test_a_pause_is_foreseen_as_it_comes_about(tmp_path: Path, backlog: str) -> None:
    plan = a_plan(a_message(), a_message(id="second", **{"from": "kickoff + 1d"}))
    some = [someone(n, time_zone=zone) for n, zone in enumerate(ZONES)]
    pause = Standstill(utc("2027-01-12 03:00"), utc("2027-01-13 15:45"), backlog)
    run = Run(tmp_path, [plan], some, Workspace())
    run.diary.note(pause.since, lambda: run.store.campaigns.pause("crm", by="dana", now=pause.since) and None)
    run.diary.note(
        pause.until, lambda: run.store.campaigns.resume("crm", backlog=backlog, by="dana", now=pause.until) and None
    )
    campaigns = Campaigns((Campaign(plan, STARTED),))
    expected = [
        touch
        for person in some
        for touch in forecast(
            campaigns, replace(person, since=IMPORTED), History(), STARTED, UNTIL, no_answers, {"crm": [pause]}
        ).touches
    ]
    assert run.play(no_answers) == sorted(
        (t.person, t.message, t.rung, t.kind, t.channel, t.due_at, t.skip) for t in expected
    )


notices = st.builds(
    lambda hour, urgent, to, ask: Notice.model_validate(
        a_message(
            id="now-1",
            to=to,
            ask=ask,
            priority="high",
            follow_up=[],
            cadence={"every": "24h", "times": "1"},
            urgent=urgent,
            said_at=(at := utc("2027-01-09") + dt.timedelta(hours=hour)),
            **{"from": str(at.date()), "until": str(at.date() + dt.timedelta(days=1))},
        )
    ),
    st.integers(0, 24 * 9),
    st.booleans(),
    st.sampled_from([[], ["sales"]]),
    st.sampled_from(["nothing", "acknowledge"]),
)


@settings(max_examples=max(1, settings.default.max_examples // 10))
@given(plan=plans, some_people=people, r=rules, new=notices, answers=st.booleans())
def test_what_is_said_for_a_day_is_foreseen_as_it_comes_about(
    tmp_path_factory: pytest.TempPathFactory,
    plan: Plan,
    some_people: list[Person],
    r: Workspace,
    new: Notice,
    answers: bool,
) -> None:
    """The engine hears of it at that instant; the forecast knows it from the start.

    With ``answers`` it is the answer to what every second touch before it was asked about.
    """
    assert new.said_at
    if answers:
        before = [t.key for t in touches_foreseen([plan], some_people, r, supposing([plan])) if t.due_at < new.said_at]
        new = new.model_copy(update={"answers": frozenset(before[::2])})
    run, at = Run(tmp_path_factory.mktemp("run"), [plan], some_people, r), new.said_at
    run.diary.note(at, lambda: run.store.notices.add(plan.campaign, new, by="dana", now=at) and None)
    whole = plan.with_notices([new])
    assert run.play(supposing([whole])) == foreseen([whole], some_people, r, supposing([whole]))


# -- with recall, checks and learning -------------------------------------------------------------


def knowing(share: float) -> Supposition:
    """Half of the people answer what each second touch asks; so many of them know it. Fixed by their names."""

    def suppose(touch: Touch) -> Sequence[Fact]:
        draw = int(touch.key[:6], 16) / 16**6
        if touch.kind not in ("message", "remind") or draw >= 0.5:
            return ()
        at = touch.due_at + dt.timedelta(minutes=90 + int(draw * 900))
        kind, right = ("check", draw < share / 2) if touch.number % 2 == 0 else ("acknowledged", None)
        return (Answer(touch.campaign, touch.message, kind, at, "link", right),)

    return suppose


def by_recall(**changes: object) -> Plan:
    adaptive = {"recall_floor": "0.35", "target": "0.6", "by": "go_live"}
    return a_plan(
        a_message(cadence=adaptive, checks=[CHECK], **changes),
        a_message(id="steady", cadence={"every": "72h", "times": "4"}, checks=[CHECK]),
    )


@pytest.mark.slow
def test_what_a_role_learns_moves_its_touches_in_both_alike(tmp_path: Path) -> None:
    some = [someone(n, time_zone=zone) for n, zone in enumerate(ZONES * 2)][:10]
    plan, suppose = by_recall(), knowing(0.3)
    expected = foreseen([plan], some, Workspace(), suppose)
    assert expected != foreseen_alone([plan], some, suppose)  # what the others answered changed something
    assert Run(tmp_path, [plan], some, Workspace()).play(suppose) == expected


@settings(max_examples=max(1, settings.default.max_examples // 20))
@given(some_people=people, share=st.sampled_from([0.2, 0.6, 0.9]), r=rules, until=st.sampled_from(["end", "recalled"]))
def test_the_engine_makes_the_touches_that_the_forecast_says_by_recall(
    tmp_path_factory: pytest.TempPathFactory, some_people: list[Person], share: float, r: Workspace, until: str
) -> None:
    plan, suppose = by_recall(repeat_until=until), knowing(share)
    run = Run(tmp_path_factory.mktemp("run"), [plan], some_people, r)
    assert run.play(suppose) == foreseen([plan], some_people, r, suppose)


def test_an_answer_counted_when_nobody_waits_for_anything_is_counted_in_both(tmp_path: Path) -> None:
    """Everybody is remembered to the end; then one wrong answer teaches that the role forgets."""
    plan = by_recall(until="go_live + 28d")
    some = [someone(n) for n in range(3)]

    def suppose(touch: Touch) -> Sequence[Fact]:
        at, late = touch.due_at + dt.timedelta(hours=2), touch.due_at > utc("2027-03-10")
        right = not late if touch.number % 2 == 0 else None
        return (Answer(touch.campaign, touch.message, "acknowledged" if right is None else "check", at, "link", right),)

    assert Run(tmp_path, [plan], some, Workspace()).play(suppose) == foreseen([plan], some, Workspace(), suppose)
