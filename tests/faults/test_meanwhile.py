"""A new rule that comes while a touch is on its way: it wins if it is on record before the touch is marked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from commsengine.cadence.history import Campaigns
from commsengine.cadence.plan import Workspace
from commsengine.channels.channel import RETRY, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.decisions import Decided, Decisions
from commsengine.engine.engine import Engine
from commsengine.store.store import Store
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel
from tests.faults.stepping import play

ANN, BOB = someone(1), someone(2)
UNTIL_ANSWERED = a_plan(a_message(repeat_until="acknowledged", cadence={"every": "24h", "times": "2"}))
NEXT_WEEK = a_plan(
    a_message(repeat_until="acknowledged", cadence={"every": "24h", "times": "2"}, **{"from": "2027-01-18"})
)
PUT_RIGHT = a_plan(
    *UNTIL_ANSWERED.model_dump(mode="json", by_alias=True)["messages"],
    a_message(id="put-right", corrects="one-record", **{"from": "2027-01-18"}),
)
NOW = utc("2027-01-11 09:00")

Deed = Callable[[Store], None]


def leaves(store: Store) -> None:
    store.people.save([replace(ANN, left=dt.date(2027, 1, 8))], by="hr", now=NOW)


def says_got_it(store: Store) -> None:
    store.answers.record(ANN.id, "crm", "one-record", "", "acknowledged", evidence="link", by=ANN.id, now=NOW)


def bounces(store: Store) -> None:
    store.reachability.suppress(ANN.email, "bounced", by="relay", now=NOW)


def is_put_off(store: Store) -> None:
    store.campaigns.save_version(NEXT_WEEK, {}, "", introduced={}, by="dana", now=NOW)


def is_corrected(store: Store) -> None:
    store.campaigns.save_version(PUT_RIGHT, {}, "", introduced={}, by="dana", now=NOW)


class Meanwhile(Decisions):
    """Decides as ever, and lets something happen before anybody acts on it; once."""

    def __init__(self, store: Store, deed: Deed) -> None:
        super().__init__(store, Workspace(), frozenset({"email"}))
        self._deed: Deed | None = deed
        self.store = store

    def of(self, ids: Sequence[str], campaigns: Campaigns, now: dt.datetime) -> list[Decided]:
        decided = super().of(ids, campaigns, now)
        deed, self._deed = self._deed, None
        if deed:
            deed(self.store)
        return decided


@dataclass
class Once:
    """A deed before the mark of Ann's message, the first time that it gets there."""

    store: Store
    deed: Deed | None

    def __call__(self, message: RenderedMessage) -> None:
        deed, self.deed = (self.deed, None) if message.to_email == ANN.email else (None, self.deed)
        if deed:
            deed(self.store)


def on_its_way(moment: str, deed: Deed, store: Store, engine: MakeEngine, bag: Mailbag) -> Engine:
    """An engine in which the deed is done at that moment of Ann's touch."""
    if moment == "before the claim":
        running = engine()
        running.decisions = Meanwhile(store, deed)
        return running
    return engine(email=a_channel(bag, before_mark=Once(store, deed)))


MOMENTS = ("before the claim", "before the mark")
NEW_RULES = (leaves, says_got_it, bounces, is_put_off, is_corrected)


def carried(store: Store, person: str) -> list[tuple[str, str, str]]:
    return [(row.state, row.reason, row.channel) for row in store.touches.of_person(person)]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("deed", NEW_RULES)
def test_f36_a_new_rule_that_is_on_record_before_the_mark_wins(
    store: Store, engine: MakeEngine, bag: Mailbag, moment: str, deed: Deed
) -> None:
    run(store, [ANN, BOB], UNTIL_ANSWERED)
    on_its_way(moment, deed, store, engine, bag).tick()
    assert bag.to == ([] if deed in (is_put_off, is_corrected) else [BOB.email])
    assert carried(store, ANN.id) == ([("sent", "", "personal")] if deed is bounces else [])


@pytest.mark.parametrize(
    ("deed", "moment", "reason"),
    [
        (leaves, "before the mark", "left"),
        (says_got_it, "before the claim", "answered"),
        (bounces, "before the mark", "unreachable"),
        (is_put_off, "before the mark", "superseded"),
        (is_corrected, "before the claim", "corrected"),
        (is_corrected, "before the mark", "corrected"),
    ],
)
def test_f36_another_attempt_is_given_up_when_the_new_rule_wants_it_no_more(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag, deed: Deed, moment: str, reason: str
) -> None:
    """The first attempt was refused for now. The books keep the row and say why nothing came of it."""
    run(store, [ANN], UNTIL_ANSWERED)
    engine(email=a_channel(bag, lambda m: Outcome(m.key, RETRY, "rcpt", "451 try later"))).tick()
    clock.now = NOW + dt.timedelta(minutes=3)
    on_its_way(moment, deed, store, engine, bag).tick()
    assert (len(bag.tried), bag.arrived) == (1, [])
    assert [row[:2] for row in carried(store, ANN.id) if row[2] == "email"] == [("skipped", reason)]


@pytest.mark.parametrize(
    ("moment", "refused"), [("before the claim", False), ("before the mark", True)], ids=["new", "refused before"]
)
def test_f36_what_was_put_off_comes_once_and_then(
    store: Store, engine: MakeEngine, clock: Clock, bag: Mailbag, moment: str, refused: bool
) -> None:
    run(store, [ANN], UNTIL_ANSWERED)
    if refused:
        engine(email=a_channel(bag, lambda m: Outcome(m.key, RETRY, "rcpt", "451 try later"))).tick()
        clock.now = NOW + dt.timedelta(minutes=3)
    play(on_its_way(moment, is_put_off, store, engine, bag), store, clock, "2027-01-19 08:00")
    sent = [row for row in store.touches.list("crm") if row.state == "sent"]
    assert [(row.local_date, row.number, row.version) for row in sent] == [(dt.date(2027, 1, 18), 1, 2)]
    assert bag.to == [ANN.email]


@pytest.mark.parametrize("deed", [bounces, is_put_off])
def test_f36_what_is_marked_leaves_under_the_old_rule_and_is_on_record(
    store: Store, engine: MakeEngine, bag: Mailbag, deed: Deed
) -> None:
    run(store, [ANN], UNTIL_ANSWERED)
    running = engine(email=a_channel(bag, lambda message: deed(store)))
    running.tick()
    assert bag.to == [ANN.email]
    assert ("sent", "", "email") in carried(store, ANN.id)
    assert len([row for row in carried(store, ANN.id) if row[2] == "email"]) == 1
