"""Whatever happens in whatever order: nothing is lost, nothing comes twice without its flag, nobody is pestered.

A model of faults. Hypothesis plays out what engines, people, administrators and the world may do to the real store and
the real parts of the engine, one step at a time. After every step the invariants are looked at; ``world.py`` has them.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from commsengine.engine.heartbeat import finish_what_is_over
from commsengine.errors import CommsError
from tests import fresh
from tests.faults.world import OUTCOMES, PEOPLE, PLACE, Flight, LittleEngine, World, a_campaign, a_template
from tests.replies import answered

WHAT = {
    "tick": 5, "one step": 16, "all the way": 3, "think": 1, "claim": 1, "die": 2, "start": 3, "reconcile": 2,
    "resolve": 2, "policy": 1, "operator": 1, "word": 3, "say": 4, "directory": 3, "decree": 4, "service mail": 1,
    "clock": 6, "snapshot": 1, "restore": 1,
}  # fmt: skip
"""What may happen, and how often beside the rest. What cannot happen now is one step of a message instead."""

GOES = ["arrives"] * 4 + ["silence", "silence after all"] * 2 + sorted(OUTCOMES)
SAYS = [
    "acknowledged", "acknowledged", "take back", "take back", "ask", "answer", "answer", "snooze", "heard_enough",
    "objects", "objects", "understood", "away",
]  # fmt: skip
CHANGES = [
    "suppress", "unsuppress", "unsuppress", "reachable", "reachable", "reachable", "leaves", "is back", "is back",
    "is back", "moves", "new address", "erase",
]  # fmt: skip
DECREES = [
    "pause", "resume", "resume", "resume", "hold", "release", "release", "release", "edit", "edit", "sweep", "cancel",
    "another campaign", "another campaign",
]  # fmt: skip
CLOCK = [1, 5, 12, 25, 60, 240, 1440, 1440, 1440, 1440, 2880, -5, -180]
MOODS = ["truth", "truth", "nothing", "wrong"]
DEATHS = ["at once", "at once", "before its claim", "after a claim", "after a mark"]
MOST_CAMPAIGNS = 3


class Faults(RuleBasedStateMachine):
    """The world, and everything that may be done to it."""

    steps: ClassVar[Counter[str]] = Counter()
    moves: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=PLACE, prefix="model-"))
        self.world = World(self.folder, a_template(fresh.kind()))
        self.saved: bytes | None = None
        self.mail = 0
        self.which = self.detail = 0
        self.outcome = "arrives"
        self.possible: dict[str, Callable[[], bool]] = {
            "tick": self.tick, "one step": self.one_step, "all the way": self.all_the_way, "think": self.think,
            "claim": self.claim, "die": self.die, "start": self.start, "reconcile": self.reconcile,
            "resolve": self.resolve, "policy": self.policy, "operator": self.operator, "word": self.word,
            "say": self.say,
            "directory": self.directory, "decree": self.decree, "service mail": self.service_mail,
            "clock": self.clock, "snapshot": self.snapshot, "restore": self.restore,
        }  # fmt: skip

    def teardown(self) -> None:
        wrong = self.world.balance()
        type(self).moves.update(self.world.moves)
        type(self).steps["(runs)"] += 1
        self.world.close()
        shutil.rmtree(self.folder)
        assert not wrong, wrong

    @invariant()
    def all_is_well(self) -> None:
        wrong = self.world.look()
        assert not wrong, wrong

    @rule(
        what=st.sampled_from([what for what, often in WHAT.items() for _ in range(often)]),
        which=st.integers(0, 7),
        detail=st.integers(0, 77),
        outcome=st.sampled_from(GOES),
    )
    def next(self, what: str, which: int, detail: int, outcome: str) -> None:
        self.which, self.detail, self.outcome = which, detail, outcome
        if not self.possible[what]():
            assert self.one_step() or self.later() or self.start()

    def doing(self, what: str) -> World:
        type(self).steps[what] += 1
        self.world.doing = what
        return self.world

    def one_of(self, words: list[Any]) -> Any:
        return words[self.detail % len(words)]

    def engine(self) -> LittleEngine | None:
        engines = self.world.engines
        return engines[self.which % len(engines)] if engines else None

    def key(self, state: str) -> str | None:
        fitting = sorted(key for key, row in self.world.rows.items() if row.state == state)
        return fitting[self.which % len(fitting)] if fitting else None

    @property
    def backlog(self) -> str:
        return ("latest", "all", "none")[self.which % 3]

    # -- engines: each says whether it was possible -----------------------------------------------

    def tick(self) -> bool:
        engine = self.engine()
        if engine is not None:
            self.doing("tick")
            engine.tick()
        return engine is not None

    def later(self) -> bool:
        """Nothing is under way: the time goes by."""
        self.world.now += dt.timedelta(hours=6 * self.which)
        return self.tick()

    def think(self) -> bool:
        engine = self.engine()
        if engine is not None:
            self.doing("think")
            engine.think()
        return engine is not None

    def claim(self) -> bool:
        """Of what was thought of in another step: by now it may be old."""
        engine = next((engine for engine in self.world.engines if engine.thought is not None), None)
        if engine is not None:
            self.doing("claim")
            engine.claim()
        return engine is not None

    def one_step(self) -> bool:
        """One message goes on: it is marked, then it gets to the other side or does not, then its receipt is kept."""
        flights = [(engine, flight) for engine in self.world.engines for flight in engine.flights.values()]
        if flights:
            self._goes_on(*flights[self.which % len(flights)])
        return bool(flights)

    def _goes_on(self, engine: LittleEngine, flight: Flight) -> None:
        if flight.stage == "claimed" and self.outcome != "permanent":
            self.doing("mark")
            engine.mark(flight)
        elif flight.stage == "marked" and self.outcome in ("arrives", "silence after all"):
            self.doing("hand over")
            engine.hand_over(flight)
        else:
            self.doing("told")
            engine.told(flight, "silence" if self.outcome == "silence after all" else self.outcome)

    def all_the_way(self) -> bool:
        engine = self.engine()
        if engine is None or not engine.flights:
            return False
        self.doing("go")
        engine.go(self.outcome)
        return True

    def die(self) -> bool:
        engine = self.engine()
        if engine is None:
            return False
        self.doing("die")
        how = self.one_of(DEATHS)
        if how == "before its claim":
            engine.announced()
        elif how == "after a claim":
            engine.tick()
        claimed = [flight for flight in engine.flights.values() if flight.stage == "claimed"]
        if how == "after a mark" and claimed:
            engine.mark(claimed[0], dies=True)  # before the journal has it
        else:
            engine.die()
        return True

    def start(self) -> bool:
        if len(self.world.engines) >= 2:
            return False
        self.doing("start")
        poison = self.key("claimed") if self.detail % 4 == 0 else None
        self.world.start_engine(("one", "two")[self.which % 2], [poison] if poison else [])
        return True

    def reconcile(self) -> bool:
        engine = self.engine()
        if engine is None or not ({"claimed", "sending"} & {row.state for row in self.world.rows.values()}):
            return False
        self.doing("reconcile")
        engine.look_around()
        return True

    def resolve(self) -> bool:
        engine = self.engine()
        if engine is None or self.key("uncertain") is None:
            return False
        self.doing("resolve").resolver.mood = self.one_of(MOODS)
        engine.resolution.settle(self.world.now)
        return True

    def policy(self) -> bool:
        if self.key("uncertain") is None:
            return False
        self.doing("policy").store.recovery.settle_uncertain(self.world.now)
        return True

    def operator(self) -> bool:
        key = self.key("uncertain")
        if key is None:
            return False
        world, verdict = self.doing("operator"), self.one_of(["sent", "resend", "resend"])
        world.store.recovery.resolve(key, verdict, by="dana", now=world.now)
        return True

    def word(self) -> bool:
        """The lead's word about what the servers refused; or one of the touches that it holds is tried again."""
        refusals = self.world.store.refusals.open()
        if not refusals:
            return False
        world, one = self.doing("word"), refusals[self.which % len(refusals)]
        word = self.one_of(["person", "us", "message", "again", "resend"])
        held = sorted(row.key for row in world.store.touches.open_rows(states=("retry",)) if row.held)
        if word == "resend" and held:
            world.store.recovery.resolve(held[0], "resend", by="dana", now=world.now)
        elif word != "resend":
            world.store.refusals.settle(one.id, word, by="dana", now=world.now)
        return True

    # -- people -----------------------------------------------------------------------------------

    @property
    def person(self) -> str | None:
        found = self.world.store.people.by_id(PEOPLE[self.which % len(PEOPLE)].id)
        return found.id if found else None

    def say(self) -> bool:
        person, what = self.person, self.one_of(SAYS)
        if person is None:
            return False
        world, message = self.doing(what), ("one-record", "one-list")[self.which // 4]
        answers, questions = world.store.answers, world.store.questions
        campaign, now = world.campaign_id, world.now
        if what in ("acknowledged", "heard_enough"):
            answers.record(person, campaign, message, "", what, evidence="link", by=person, now=now)
        elif what == "take back":
            for answer in answers.of_person(person):
                answers.withdraw(answer.id, now)
        elif what == "ask":
            questions.ask(person, campaign, message, "", "Why?", evidence="link", now=now)
        elif what == "answer":
            for question in questions.all():
                answered(world.store, question.id, "So.", now=now)
        elif what == "snooze":
            answers.snooze(person, campaign, message, now.date() + dt.timedelta(days=1), now=now)
        else:
            answers.outcome(person, campaign, [message], what, by="mia", now=now)
        return True

    def directory(self) -> bool:
        change, person = self.one_of(CHANGES), PEOPLE[self.which % len(PEOPLE)]
        world = self.doing(change)
        store, now = world.store, world.now
        if change == "erase":
            if self.person is not None:
                store.people.erase(self.person, by="dana", now=now)
        elif change == "suppress":
            store.reachability.suppress(person.email, "asked for it", by="dana", now=now)
        elif change == "unsuppress":
            store.reachability.unsuppress(person.email, by="dana", now=now)
        elif change == "reachable":
            store.reachability.mark_reachable(person.id, "email", by="dana", now=now)
        else:
            changed: dict[str, Any] = {
                "leaves": {"left": now.date() - dt.timedelta(days=1)},
                "is back": {},
                "moves": {"time_zone": "America/Sao_Paulo"},
                "new address": {"email": f"{person.id}.new@example.com"},
            }[change]
            store.people.save([replace(person, **changed)], by="hr", now=now)
        return True

    # -- administrators ---------------------------------------------------------------------------

    def decree(self) -> bool:
        what = self.one_of(DECREES)
        try:
            self._decree(self.doing(what), what)
        except CommsError:
            return True  # what is over cannot go on
        return True

    def _decree(self, world: World, what: str) -> None:
        store, campaign, now = world.store, world.campaign_id, world.now
        if what == "pause":
            store.campaigns.pause(campaign, by="dana", now=now)
            if self.which % 2:  # the command gives back what has not begun; its death may fall in between
                store.outbox.release(now=now, campaign=campaign)
        elif what == "resume":
            store.campaigns.resume(campaign, backlog=self.backlog, by="dana", now=now)
        elif what == "cancel":
            store.campaigns.cancel(campaign, by="dana", now=now)
            store.outbox.release(now=now, campaign=campaign)
        elif what == "another campaign" and world.campaign < MOST_CAMPAIGNS:
            world.campaign += 1
            world.new_campaign()
        elif what == "hold":
            store.engine.hold("a look at it", by="dana", now=now)
        elif what == "release":
            store.engine.release(self.backlog, by="dana", now=now)
        elif what == "edit":
            once = "hold" if self.which % 2 else "once"
            plan = a_campaign(
                world.campaign, on_uncertain=once, messages=1 + (self.which > 2), reminders=self.which < 6
            )
            world.apply(plan)
        elif what == "sweep":
            store.loading.wipe_bookmarks(now)
            finish_what_is_over(store, now)

    def service_mail(self) -> bool:
        world, category = self.doing("service mail"), self.one_of(["digest", "alert", "answer"])
        self.mail += 1
        world.store.service_mail.add(
            f"mail-{self.mail}", category=category, channel="email", payload={}, now=world.now,
            person_id=self.person if category == "answer" else None,
            campaign="" if category == "alert" else world.campaign_id,
        )  # fmt: skip
        return True

    # -- the world --------------------------------------------------------------------------------

    def clock(self) -> bool:
        self.doing("clock").now += dt.timedelta(minutes=self.one_of(CLOCK))
        return True

    def snapshot(self) -> bool:
        self.saved = self.doing("snapshot").snapshot()
        return True

    def restore(self) -> bool:
        if self.saved is None:
            return False
        world = self.doing("restore")
        world.restore(self.saved)
        self.all_is_well()
        self.doing("release").store.engine.release(self.backlog, by="dana", now=world.now)
        return True


def play(runs: int, steps: int, *, derandomize: bool, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    """Raises ``AssertionError`` with the way there, if an invariant can be broken."""
    how = settings(
        max_examples=runs, stateful_step_count=steps, derandomize=derandomize, phases=phases, database=None,
        deadline=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Faults, settings=how)  # type: ignore[no-untyped-call]


@pytest.mark.both_databases
def test_nothing_breaks_an_invariant() -> None:
    play(30 if fresh.kind() == "sqlite" else 6, 30, derandomize=True, phases=(Phase.generate,))
