"""Messages that are in no plan file."""

from __future__ import annotations

from commsengine.cadence.plan import Notice
from commsengine.store.store import Store
from tests.builders import a_message, a_plan
from tests.store.scene import LATER, NOW, running

TODAY = Notice.model_validate(
    a_message(id="now-1", key_point="The system is down until noon.", cadence={"every": "24h", "times": "1"})
    | {"urgent": True, "because": "An outage."}
)


def test_a_notice_stands_behind_the_messages_of_every_version(store: Store) -> None:
    running(store)
    store.notices.add("crm", TODAY, by="dana", now=NOW)
    first = store.campaigns.get("crm")
    assert first is not None
    assert ([message.id for message in first.plan.messages], first.plan.notices) == (["one-record", "now-1"], (TODAY,))
    assert [message.id for message in first.plan.written] == ["one-record"]
    store.campaigns.save_version(a_plan(title="Two"), {}, "", introduced={}, by="dana", now=LATER)
    for found in (store.campaigns.version("crm", 1), store.campaigns.get("crm"), *store.campaigns.all()):
        assert found is not None
        assert found.plan.notices == (TODAY,)


def test_the_plan_is_the_same_object_until_a_notice_comes(store: Store) -> None:
    running(store)

    def plan() -> object:
        found = store.campaigns.get("crm")
        return found and found.plan

    before = plan()
    assert plan() is before
    store.notices.add("crm", TODAY, by="dana", now=NOW)
    assert plan() is not before
    assert plan() is plan()


def test_a_notice_makes_all_people_due_once(store: Store) -> None:
    running(store)
    store.notices.add("crm", TODAY, by="dana", now=NOW)
    assert store.loading.due_count(NOW) == 3
    store.notices.add("crm", TODAY.model_copy(update={"key_point": "Other."}), by="dana", now=LATER)
    found = store.campaigns.get("crm")
    assert found is not None
    assert found.plan.notices == (TODAY,)
