"""Links that work once, as they are on record."""

from __future__ import annotations

import datetime as dt
from threading import Barrier, Thread

from sqlalchemy import select

from commsengine.store.records import FreshLink
from commsengine.store.store import Store
from commsengine.store.tables import fresh_link
from tests.builders import ANA, BEN
from tests.store.scene import LATER, NOW, running

WEEK = dt.timedelta(days=7)


def a_link(recipient: str = ANA.id, *, by_itself: bool = False) -> FreshLink:
    return FreshLink("mine", recipient, recipient, "crm", NOW, NOW + WEEK, by_itself)


def test_a_link_is_used_once(store: Store) -> None:
    store.link_tokens.add("secret", a_link())
    assert store.link_tokens.find("secret") == a_link()
    used = store.link_tokens.use("secret", LATER)
    assert (used and used.used_at, store.link_tokens.use("secret", LATER)) == (LATER, None)


def test_the_token_itself_is_nowhere(store: Store) -> None:
    store.link_tokens.add("secret", a_link())
    with store.database.read() as connection:
        (row,) = connection.execute(select(fresh_link)).all()
    assert "secret" not in repr(row)


def test_an_old_or_unknown_link_is_not_used(store: Store) -> None:
    store.link_tokens.add("secret", a_link())
    assert store.link_tokens.use("secret", NOW + WEEK) is None
    assert store.link_tokens.use("forged", NOW) is None
    assert store.link_tokens.find("forged") is None


def test_of_many_at_one_time_one_gets_it(store: Store) -> None:
    store.link_tokens.add("secret", a_link())
    start, got = Barrier(8), []

    def press() -> None:
        start.wait()
        got.append(store.link_tokens.use("secret", LATER))

    threads = [Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(link is not None for link in got) == 1


def test_how_many_one_person_has_asked_for(store: Store) -> None:
    for token in ("one", "two"):
        store.link_tokens.add(token, a_link(by_itself=True))
    store.link_tokens.add("three", a_link(BEN.id, by_itself=True))
    store.link_tokens.add("four", a_link())
    assert store.link_tokens.asked_since(ANA.id, NOW - WEEK) == 2
    assert store.link_tokens.asked_since(ANA.id, NOW) == 0


def test_revoking_closes_what_a_person_was_sent_so_far(store: Store) -> None:
    running(store)
    for token, to in (("one", ANA.id), ("two", ANA.email), ("three", BEN.id)):
        store.link_tokens.add(token, a_link(to))
    store.people.revoke_links(ANA.id, by="dana", now=NOW)
    assert [store.link_tokens.use(token, NOW) is None for token in ("one", "two", "three")] == [True, True, False]
    known = store.people.by_id(ANA.id)
    assert (known and known.revoked, store.loading.due_count(NOW)) == (1, 3)


def test_erasing_a_person_takes_their_links(store: Store) -> None:
    running(store)
    for token, to in (("one", ANA.id), ("two", ANA.email), ("three", BEN.id)):
        store.link_tokens.add(token, a_link(to))
    store.people.erase(ANA.id, by="dana", now=LATER)
    assert [store.link_tokens.find(token) is None for token in ("one", "two", "three")] == [True, True, False]
