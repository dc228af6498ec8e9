"""How an experiment is judged is written down before the first message leaves, and stays."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from commsengine.cadence.analysis import analysis, changed, digest_of
from commsengine.cadence.plan import Plan
from commsengine.errors import InputError
from commsengine.store import tables
from commsengine.store.store import Store
from tests import outbox
from tests.builders import ANA, BEN, MIA, a_message, a_plan
from tests.store.scene import LATER, NOW, a_touch, claim, lease

FIRST_CALL = {"first_call": {"title": "The first call is logged", "by": "go_live + 14d"}}
TRIAL = {"arms": ["recall", {"every": "48h"}], "outcome": "first_call", "day": "go_live + 14d"}


def tried(experiment: dict[str, Any] | None = TRIAL, **changes: Any) -> Plan:
    by_recall = a_message(cadence={"recall_floor": "0.35"})
    return a_plan(by_recall, experiment=experiment, outcomes=FIRST_CALL, **changes)


def applied(store: Store, plan: Plan) -> None:
    store.people.save([ANA, BEN, MIA], by="test", now=NOW)
    store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=NOW)


def first_message_leaves(store: Store) -> None:
    store.campaigns.start("crm", by="dana", now=NOW)
    (touch,) = claim(store, a_touch())
    assert outbox.mark(store, [touch.key], lease(), NOW) == {touch.key}


def test_the_last_version_before_the_first_message_is_sealed(store: Store) -> None:
    applied(store, tried({**TRIAL, "seed": 3}))
    applied(store, tried())
    seal = store.seals.of("crm")
    assert seal is not None
    assert (seal.analysis, seal.digest, seal.whole) == (analysis(tried()), digest_of(analysis(tried()) or {}), True)
    assert seal.analysis["date"] == "2027-03-29"
    applied(store, tried(None))
    assert store.seals.of("crm") is None


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", 9), ("share", 0.5), ("day", "go_live + 15d"), ("arms", ["recall", {"every": "72h"}])],
)
def test_what_was_sealed_cannot_be_changed_once_a_message_left(store: Store, key: str, value: object) -> None:
    applied(store, tried())
    first_message_leaves(store)
    applied(store, tried(title="Another title"))
    with pytest.raises(InputError, match=f"'{key}' of the experiment was sealed on 2027-01-"):
        applied(store, tried({**TRIAL, key: value}))
    with pytest.raises(InputError, match="was sealed"):
        store.seals.allow(tried({**TRIAL, key: value}))
    found = store.campaigns.get("crm")
    assert found is not None
    assert found.version == 2


def test_an_outcome_that_comes_after_the_first_message_is_refused(store: Store) -> None:
    applied(store, tried({"arms": TRIAL["arms"]}))
    first_message_leaves(store)
    with pytest.raises(InputError, match="after the first message had been sent"):
        applied(store, tried())


def test_a_moved_day_an_ended_experiment_and_a_forged_seal_show(store: Store) -> None:
    applied(store, tried())
    first_message_leaves(store)
    applied(store, tried(milestones={"kickoff": "2027-01-11", "go_live": "2027-04-05"}))
    seal = store.seals.of("crm")
    assert seal is not None
    moved = tried(milestones={"kickoff": "2027-01-11", "go_live": "2027-04-05"})
    assert changed(seal.analysis, analysis(moved)) == ("date",)
    assert changed(seal.analysis, analysis(tried(None))) == ("experiment",)
    with store.database.write() as connection:
        connection.execute(update(tables.seal).values(analysis={**seal.analysis, "seed": 7}, at=LATER))
    forged = store.seals.of("crm")
    assert forged is not None
    assert not forged.whole
