"""The directory: imports, wishes, rosters, erasure."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from commsengine.cadence.people import Person
from commsengine.errors import InputError
from commsengine.store.records import ImportCounts, Receipt
from commsengine.store.store import Store
from tests import outbox
from tests.builders import ANA, BEN, MIA, someone, utc
from tests.replies import answered
from tests.store.scene import LATER, NOW, a_touch, claim, deliver, idle, lease, mark, running, seq, settle

TEAM = (ANA, BEN, MIA)


def save(store: Store, *people: object, now: dt.datetime = NOW, **changes: object) -> ImportCounts:
    return store.people.save(people, by="dana", now=now, **changes)  # type: ignore[arg-type]


def test_columns_that_are_not_named_stay_as_they_are(store: Store) -> None:
    left = dt.date(2027, 1, 1)
    save(store, replace(ANA, left=left, leave=((left, left),), attributes={"site": "B", "grade": "7"}))
    bare = Person(id=ANA.email, email=ANA.email, phone="1", attributes={"grade": "8"})
    assert save(store, bare, now=LATER, columns=("email", "phone", "grade")) == ImportCounts(0, 1, 0)
    ana = store.people.by_id("ana")
    assert ana == replace(
        ANA, left=left, leave=((left, left),), phone="1", attributes={"site": "B", "grade": "8"}, since=LATER
    )
    assert save(store, bare, now=LATER, columns=("email", "phone", "grade")) == ImportCounts(0, 0, 1)


def test_a_named_column_that_is_empty_is_emptied(store: Store) -> None:
    save(store, replace(ANA, attributes={"site": "B"}))
    save(store, Person(id="ana", email=ANA.email), columns=("id", "email", "manager", "site"))
    assert store.people.by_id("ana") == replace(ANA, manager="", since=NOW)


def test_of_a_new_person_everything_is_taken(store: Store) -> None:
    save(store, ANA, columns=("email",))
    assert store.people.by_id("ana") == replace(ANA, since=NOW)


def test_a_person_comes_back_as_they_were_written(store: Store) -> None:
    full = replace(
        ANA, days=frozenset({0, 2, 4}), leave=((dt.date(2027, 2, 8), dt.date(2027, 2, 12)),), left=dt.date(2027, 6, 30),
        language="ko", region="11", slack_id="U1", channel="slack", attributes={"office": "Séoul", "grade": "0123"},
    )  # fmt: skip
    save(store, full)
    assert store.people.by_id("ana") == replace(full, since=NOW)


def test_an_import_counts_what_it_changed(store: Store) -> None:
    assert save(store, *TEAM) == ImportCounts(added=3, updated=0, unchanged=0)
    moved = replace(BEN, phone="+1 212 9999")
    assert save(store, ANA, moved, someone(1)) == ImportCounts(added=1, updated=1, unchanged=1)
    assert store.people.count() == 4


def test_people_are_found_by_address_in_any_case(store: Store) -> None:
    save(store, *TEAM)
    found = store.people.by_email(" BEN@Example.com ")
    assert found is not None
    assert found.id == "ben"
    assert set(store.people.by_emails(["Ana@example.com", "no@example.com"])) == {"ana@example.com"}
    assert store.people.by_email("nobody@example.com") is None


def test_near_names_the_address_that_was_meant(store: Store) -> None:
    save(store, *TEAM)
    assert store.people.near("bne@example.com") == ["ben@example.com"]


def test_everybody_is_read_page_by_page(store: Store) -> None:
    save(store, *TEAM)
    for at_a_time in (1, 2, 3, 1000):
        assert [person.id for person in store.people.population().pages(at_a_time)] == ["ana", "ben", "mia"]


def test_a_new_person_is_due_at_once(store: Store) -> None:
    save(store, ANA)
    assert store.loading.due(NOW) == ["ana"]


def test_an_unchanged_person_is_not_made_due(store: Store) -> None:
    save(store, ANA)
    known = seq(idle(store))
    save(store, ANA, now=LATER)
    assert (store.loading.due(LATER), seq(store)) == ([], known)


def test_a_changed_person_is_due_and_has_news(store: Store) -> None:
    save(store, ANA)
    known = seq(idle(store))
    save(store, replace(ANA, phone="1"), now=LATER)
    assert (store.loading.due(LATER), seq(store)) == (["ana"], known + 1)


@pytest.mark.parametrize(
    ("change", "anew"),
    [({"department": "Sales"}, True), ({"job": "Lead"}, True), ({"attributes": {"site": "B"}}, True),
     ({"country": "DE"}, True), ({"phone": "1"}, False), ({"name": "Ana K."}, False), ({"language": "en"}, False)],
)  # fmt: skip
def test_the_clock_starts_anew_for_who_becomes_somebody_else(
    store: Store, change: dict[str, object], anew: bool
) -> None:
    save(store, ANA)
    save(store, replace(ANA, **change), now=LATER)  # type: ignore[arg-type]
    assert store.people.by_id("ana").since == (LATER if anew else NOW)  # type: ignore[union-attr]


def test_a_new_address_keeps_the_history(store: Store) -> None:
    running(store)
    deliver(store, a_touch())
    save(store, replace(ANA, email="ana.kim@example.com"))
    loaded = store.loading.histories(["ana"])["ana"]
    assert (loaded.person.email, len(loaded.history.rows)) == ("ana.kim@example.com", 1)


def test_a_file_without_ids_finds_people_by_address(store: Store) -> None:
    save(store, ANA)
    assert save(store, replace(ANA, id="ana@example.com", phone="1")) == ImportCounts(0, 1, 0)
    assert [person.id for person in store.people.all()] == ["ana"]


def test_two_people_may_swap_addresses_in_one_import(store: Store) -> None:
    save(store, ANA, BEN)
    save(store, replace(ANA, email=BEN.email), replace(BEN, email=ANA.email))
    assert [person.email for person in store.people.all()] == [BEN.email, ANA.email]


def test_an_address_is_not_taken_from_somebody_silently(store: Store) -> None:
    save(store, *TEAM)
    with pytest.raises(InputError, match="belongs to the person with the id 'ben'"):
        save(store, replace(ANA, email="BEN@example.com"), someone(1))
    assert store.people.count() == 3


def test_the_same_person_twice_in_a_file_changes_nothing(store: Store) -> None:
    with pytest.raises(InputError, match="twice"):
        save(store, ANA, replace(BEN, email="ANA@example.com"))
    assert store.people.count() == 0


def test_a_manager_is_whoever_is_somebodys_manager(store: Store) -> None:
    save(store, *(replace(person, is_manager=False) for person in TEAM))
    assert {person.id: person.is_manager for person in store.people.all()} == {"ana": False, "ben": False, "mia": True}
    save(store, replace(ANA, manager="BEN@example.com"), replace(BEN, manager=""), now=LATER)
    assert {person.id: person.is_manager for person in store.people.all()} == {"ana": False, "ben": True, "mia": False}
    assert store.people.by_id("mia").since == LATER  # type: ignore[union-attr]


def test_only_complete_marks_leavers(store: Store) -> None:
    everybody = [someone(number) for number in range(40)]
    save(store, *everybody)
    assert save(store, *everybody[1:], now=LATER).left == 0
    assert save(store, *everybody[1:], now=LATER, complete=True).left == 1
    gone = store.people.by_id("p00000")
    assert gone is not None
    assert gone.left == LATER.date()


def test_whoever_is_present_in_a_rejected_row_is_no_leaver(store: Store) -> None:
    everybody = [someone(number) for number in range(40)]
    save(store, *everybody)
    assert save(store, *everybody[1:], complete=True, present=["p00000"]).left == 0


def test_a_leaver_who_returns_starts_anew(store: Store) -> None:
    save(store, replace(ANA, left=dt.date(2027, 1, 1)))
    save(store, ANA, now=LATER)
    assert store.people.by_id("ana") == replace(ANA, since=LATER)


def test_a_persons_own_wishes_survive_an_import(store: Store) -> None:
    save(store, replace(ANA, channel="email"))
    store.people.set_preferences("ana", channel="slack", quiet=(600, 720), now=NOW)
    save(store, replace(ANA, channel="email", phone="1"))
    found = store.people.by_id("ana")
    assert found is not None
    assert (found.preferred_channel, found.channel, found.quiet) == ("slack", "email", (600, 720))


def test_a_wish_can_be_taken_back(store: Store) -> None:
    save(store, replace(ANA, channel="email"))
    store.people.set_preferences("ana", channel="slack", quiet=(600, 720), now=NOW)
    store.people.set_preferences("ana", channel="", quiet=None, now=NOW)
    found = store.people.by_id("ana")
    assert found is not None
    assert (found.preferred_channel, found.quiet) == ("email", None)


def test_a_new_address_is_tried_again(store: Store) -> None:
    save(store, ANA)
    store.reachability.mark_unreachable("ana", "email", "no such mailbox", now=NOW)
    save(store, replace(ANA, email="ana.kim@example.com"))
    assert store.loading.histories(["ana"])["ana"].history.unreachable == {}


def test_a_roster_says_since_when(store: Store) -> None:
    save(store, *TEAM)
    store.people.set_roster("crm", ["ana", "ben"], NOW)
    store.people.set_roster("crm", ["ben", "MIA@example.com".lower()], LATER)
    loaded = store.loading.histories(["ana", "ben", "mia"])
    assert {each: dict(loaded[each].history.rosters) for each in loaded} == {
        "ana": {}, "ben": {"crm": NOW}, "mia": {"crm": LATER},
    }  # fmt: skip


def test_a_roster_makes_due_only_who_came_or_went(store: Store) -> None:
    save(store, *TEAM)
    store.people.set_roster("crm", ["ana", "ben"], NOW)
    idle(store).people.set_roster("crm", ["ben", "mia"], LATER)
    assert sorted(store.loading.due(LATER)) == ["ana", "mia"]


def test_a_stranger_in_a_roster_is_named(store: Store) -> None:
    save(store, ANA)
    with pytest.raises(InputError, match="'zoe' of the roster"):
        store.people.set_roster("crm", ["ana", "zoe"], NOW)


def test_an_erased_person_is_gone_and_the_counts_stay(store: Store) -> None:
    running(store)
    deliver(store, a_touch())
    store.answers.record("ana", "crm", "one-record", "k", "acknowledged", evidence="link", by="ana", now=NOW)
    before = store.counts.status(NOW)[0]
    pseudonym = store.people.erase("ana", by="dana", now=NOW)
    after = store.counts.status(NOW)[0]
    assert (after.touches, after.acknowledged) == (before.touches, before.acknowledged)
    assert after.audience == before.audience - 1
    assert store.people.by_email("ana@example.com") is None
    assert store.people.by_id(pseudonym) is None
    assert pseudonym not in store.loading.due(utc("2030-01-01"))
    assert store.touches.row(a_touch().key).person_id == pseudonym  # type: ignore[union-attr]


def test_erasing_a_stranger_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="'zoe' is not in the directory"):
        store.people.erase("zoe", by="dana", now=NOW)


def test_nothing_personal_is_left_in_the_files(sqlite_template: Path, tmp_path: Path) -> None:
    """Names, addresses, phone, words: none of it in the database, its log or its index after erasing."""
    path = tmp_path / "store.db"
    path.write_bytes(sqlite_template.read_bytes())
    zoe = replace(
        ANA, id="zoe.zimmer@example.com", email="zoe.zimmer@example.com", name="Zoe Zimmer", phone="+82 555 0199",
        slack_id="UZOEZIMMER", attributes={"badge": "B-77123"},
    )  # fmt: skip
    with Store.open(f"sqlite:///{path}") as store:
        say_everything(running(store, [zoe, replace(BEN, manager=zoe.email)]), zoe.id)
        store.people.erase(zoe.id, by="dana", now=NOW)
        left = b"".join(file.read_bytes() for file in tmp_path.iterdir()).lower()
    secrets = (b"zoe", b"zimmer", b"0199", b"77123", b"parrot")
    assert [secret for secret in secrets if secret in left] == []


def say_everything(store: Store, person: str) -> None:
    said = {"evidence": "link", "now": NOW}
    store.answers.record(
        person, "crm", "m", "k", "input", value="parrot", detail={"agent": "parrot"}, by=person, **said
    )  # type: ignore[arg-type]
    number = store.questions.ask(person, "crm", "m", "k", "Why the parrot?", **said)  # type: ignore[arg-type]
    answered(store, number, "No parrot.", by=person, now=NOW)
    store.answers.snooze(person, "crm", "m", NOW.date(), now=NOW)
    store.answers.outcome(person, "crm", ["m"], "away", note="parrot", by=person, now=NOW)
    store.reachability.suppress(person, "parrot", by=person, now=NOW)
    store.reachability.mark_unreachable(person, "slack", "no parrot", now=NOW)
    store.slack_ids.put(person, "UZOEZIMMER", "D1")
    store.service_mail.add("s", category="answer", channel="email", payload={"to": person}, person_id=person, now=NOW)
    for category in ("digest", "manager_list"):  # to others, about them
        store.service_mail.add(category, category=category, channel="email", payload={"says": "parrot"}, now=NOW)
        store.service_mail.claim([category], lease(), NOW)
        outbox.mark(store, [category], lease(), NOW)
        outbox.settle(store, [Receipt(category, "sent", NOW)], lease(), NOW)
    touch = a_touch(person)
    claim(store, touch)
    mark(store, touch)
    settle(store, touch, "failed", reply=f"550 {person}")


def test_a_suppression_outlives_the_erasure(store: Store) -> None:
    save(store, ANA)
    store.reachability.suppress("ana@example.com", "asked", by="dana", now=NOW)
    store.people.erase("ana", by="dana", now=NOW)
    save(store, replace(ANA, id="ana-again"))
    assert "email" in store.loading.histories(["ana-again"])["ana-again"].history.unreachable


def test_the_columns_in_use_are_those_of_the_people_shown(store: Store) -> None:
    day = NOW.date()
    gone = someone(1, left=day, phone="+49 1", attributes={"site": "North"})
    store.people.save([someone(2, job="Clerk", attributes={"shift": "early"}), gone], by="dana", now=NOW)
    here, left = (store.people.columns_in_use(left_by=day, left=left) for left in (False, True))
    assert ("job" in here, "phone" in here, "left" in here) == (True, False, False)
    assert ("job" in left, "phone" in left, "left" in left) == (False, True, True)
    assert store.people.attributes_in_use() == ["shift", "site"]
