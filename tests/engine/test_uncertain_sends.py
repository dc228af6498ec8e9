from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import update

from commsengine.cadence.plan import Workspace
from commsengine.channels.channel import UNCERTAIN, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.engine import Engine
from commsengine.engine.uncertain_sends import PATIENCE, Resolution
from commsengine.resolvers.resolver import Sending, Sighting
from commsengine.store.store import Store
from commsengine.store.tables import touch
from tests import waiting
from tests.builders import a_plan, someone
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, Scribe, a_channel


@dataclass
class Witness:
    """A relay's log: it has what arrived, and can be away."""

    name: str = "postfix-log"
    settle: float = 5.0
    arrived: set[str] = field(default_factory=set)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
        self.asked += [each.key for each in sendings]
        if self.away:
            return {}
        return {each.key: Sighting(each.key in self.arrived, "looked", "q1") for each in sendings}

    def close(self) -> None:
        """Nothing is held open."""


@dataclass
class Slow(Witness):
    """Its look ends when ``answer`` is called."""

    asked_to: threading.Event = field(default_factory=threading.Event)

    def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
        self.asked_to.wait(waiting.PATIENCE)
        return super().look(sendings)

    def answer(self) -> None:
        self.asked_to.set()
        for looking in threading.enumerate():
            if looking.name == self.name:
                looking.join(waiting.PATIENCE)


def doubtful(store: Store, engine: MakeEngine, bag: Mailbag, people: int = 2, on_uncertain: str = "once") -> list[str]:
    """An engine without resolvers has sent to these people and heard nothing; each key, by person."""
    run(store, [someone(n) for n in range(people)], a_plan(on_uncertain=on_uncertain))
    lost = a_channel(bag, lambda m: Outcome(m.key, UNCERTAIN, "reply", "no answer"))
    made = engine(email=lost)
    made.beat()
    made._pools["email"].wait(waiting.PATIENCE)
    made.stop()
    rows = list(store.touches.list("crm"))
    assert {row.state for row in rows} == {"uncertain"}
    return [row.key for row in rows]


def state(store: Store, key: str) -> str:
    row = store.touches.row(key)
    assert row is not None
    return row.state


def test_who_can_look_is_asked_after_the_settle_time_and_not_before(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    there, gone = doubtful(store, engine, bag)
    witness = Witness(arrived={there})
    resolution = Resolution(store, {"email": [witness]}, waiting.PATIENCE)
    assert resolution.settle(clock.now) == clock.now + dt.timedelta(seconds=5)
    assert witness.asked == []
    clock.forward(seconds=5)
    assert resolution.settle(clock.now) is None
    assert (state(store, there), state(store, gone)) == ("sent", "retry")


def test_with_nobody_to_ask_the_plan_decides_at_once(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    first, second = doubtful(store, engine, bag, on_uncertain="hold")
    assert Resolution(store, {"slack": [Witness()]}, waiting.PATIENCE).settle(clock.now) is None
    rows = store.touches.rows([first, second]).values()
    assert {(row.state, row.held) for row in rows} == {("uncertain", True)}


def test_who_cannot_say_is_asked_each_minute_until_the_patience_is_over(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    [key] = doubtful(store, engine, bag, people=1)
    witness = Witness(away=True)
    resolution = Resolution(store, {"email": [witness]}, waiting.PATIENCE)
    while state(store, key) == "uncertain":
        clock.forward(seconds=30)
        resolution.settle(clock.now)
    assert len(witness.asked) == 6
    assert state(store, key) == "retry"


def test_the_second_resolver_is_asked_what_the_first_cannot_say(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    [key] = doubtful(store, engine, bag, people=1)
    archive = Witness("imap-archive", arrived={key})
    clock.forward(seconds=6)
    Resolution(store, {"email": [Witness(away=True), archive]}, waiting.PATIENCE).settle(clock.now)
    assert state(store, key) == "sent"
    with store.database.read() as connection:
        audited = connection.exec_driver_sql("SELECT by, subject, detail FROM audit WHERE action = 'resolve'").all()
    assert [(row[0], row[1]) for row in audited] == [("imap-archive", key)]


def test_a_resolver_that_comes_back_in_time_is_heard(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    [key] = doubtful(store, engine, bag, people=1)
    witness = Witness(away=True, arrived={key})
    resolution = Resolution(store, {"email": [witness]}, waiting.PATIENCE)
    clock.forward(seconds=6)
    resolution.settle(clock.now)
    witness.away = False
    clock.now += PATIENCE - dt.timedelta(seconds=30)
    resolution.settle(clock.now)
    assert state(store, key) == "sent"


def test_an_archive_that_does_not_answer_keeps_nobody_from_going_on_and_is_heard_when_it_does(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    [key] = doubtful(store, engine, bag, people=1)
    slow = Slow(arrived={key})
    resolution = Resolution(store, {"email": [slow]}, 0.1)
    clock.forward(seconds=6)
    assert resolution.settle(clock.now) is not None
    assert state(store, key) == "uncertain"
    slow.answer()
    resolution.settle(clock.now)
    assert state(store, key) == "sent"


def test_an_absence_of_before_says_nothing_of_a_send_since(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    [key] = doubtful(store, engine, bag, people=1)
    slow = Slow()
    resolution = Resolution(store, {"email": [slow]}, 0.1)
    clock.forward(seconds=6)
    resolution.settle(clock.now)
    clock.forward(seconds=6)
    with store.database.write() as connection:
        connection.execute(update(touch).values(uncertain_at=clock.now))
    slow.answer()
    resolution.settle(clock.now)
    assert state(store, key) == "uncertain"


def test_a_resolver_with_a_defect_is_as_good_as_none(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    [key] = doubtful(store, engine, bag, people=1)

    class Broken(Witness):
        def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
            raise KeyError(sendings[0].key)

    resolution = Resolution(store, {"email": [Broken()]}, waiting.PATIENCE)
    clock.forward(minutes=6)
    resolution.settle(clock.now)
    assert state(store, key) == "retry"


def test_one_tick_waits_out_the_settle_time_and_sends_what_was_lost_once(
    store: Store, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(3)])
    broke: list[str] = []

    def breaks_once(message: RenderedMessage) -> Outcome | None:
        """The first breaks after it has arrived, the second before; the third goes well."""
        if len(broke) == 2 or message.key in broke:
            return None
        broke.append(message.key)
        if len(broke) == 1:
            bag.arrived.append(message)
            witness.arrived.add(message.key)
        return Outcome(message.key, UNCERTAIN, "reply", "no answer")

    witness = Witness()
    engine = Engine(
        store, {"email": a_channel(bag, breaks_once)}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep,
        resolution=Resolution(store, {"email": [witness]}, waiting.PATIENCE),
    )  # fmt: skip
    with engine:
        assert engine.tick().hold == ""
    assert bag.to == [someone(n).email for n in range(3)]
    rows = {row.key: (row.state, row.possible_duplicate) for row in store.touches.list("crm")}
    assert rows == {
        broke[0]: ("sent", False), broke[1]: ("sent", True), **{k: ("sent", False) for k in rows if k not in broke},
    }  # fmt: skip
