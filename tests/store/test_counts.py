"""The books balance."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from commsengine.cadence.audience import role_of
from commsengine.cadence.kinds_and_states import STATES
from commsengine.reports.status import status
from commsengine.store.store import Store
from tests.builders import ANA, BEN, MIA, someone, utc
from tests.statements import statements
from tests.store.scene import HOUR, LATER, NOW, a_touch, claim, deliver, mark, running, settle


def every_state(store: Store) -> Store:
    """One touch in each state, by another person each; and service mail, which is in no count."""
    people = [someone(number) for number in range(8)]
    running(store, people)
    ids = [person.id for person in people]
    deliver(store, a_touch(ids[0]))
    deliver(store, a_touch(ids[1]), "failed", reason="550")
    deliver(store, a_touch(ids[2]), "retry", retry_at=LATER)
    deliver(store, a_touch(ids[3]), "uncertain")
    claim(store, a_touch(ids[4]), a_touch(ids[5]))
    mark(store, a_touch(ids[5]))
    claim(
        store, a_touch(ids[6], skip="late"), a_touch(ids[7], skip="merged"), a_touch(ids[0], message="n", skip="late")
    )
    store.service_mail.add("d1", category="digest", channel="email", payload={}, campaign="crm", now=NOW)
    return store


def test_touches_ever_made_are_the_sum_of_their_states(store: Store) -> None:
    [books] = every_state(store).counts.status(NOW)
    assert books.touches == {**dict.fromkeys(STATES, 1), "skipped": 3}
    assert books.skipped == {"late": 2, "merged": 1}
    assert sum(books.touches.values()) == len(list(store.touches.list("crm"))) == 9


def test_an_empty_campaign_has_empty_books(store: Store) -> None:
    [books] = running(store).counts.status(NOW)
    assert (books.campaign, books.state, books.audience, books.acknowledged) == ("crm", "running", 3, 0)
    assert books.touches == dict.fromkeys(STATES, 0)


@pytest.mark.parametrize(
    ("audience", "count"),
    [
        ({"roles": {"all": {"rest": True}}}, 3),
        ({"roles": {"sales": {"department": ["Sales"]}}}, 2),
        ({"roles": {"heads": {"is_manager": True}}}, 1),
        ({"people": "few.csv", "roles": {"all": {"rest": True}}}, 2),
        ({"people": "few.csv", "roles": {"sales": {"department": ["Sales"]}}}, 1),
    ],
)
def test_the_audience_is_who_has_a_role(store: Store, audience: dict[str, object], count: int) -> None:
    gone, ana = someone(1, left=NOW.date()), replace(ANA, left=NOW.date() + dt.timedelta(days=1))
    running(store, [ana, BEN, MIA, gone], audience=audience)
    store.people.set_roster("crm", ["ana", "ben", gone.id], NOW)
    assert store.counts.status(NOW)[0].audience == count


MIXED = [
    someone(
        n, department=("Sales", "sales", "", "Zürich")[n % 4], job=("Engineer", "Head", "")[n % 3],
        channel=("", "slack", "email")[n % 3], country=("DE", "KR")[n % 2],
        left=NOW.date() + dt.timedelta(days=n % 2) if n % 11 == 0 else None,
        manager=someone(n % 5).email, attributes={
            **({"site": ("Berlin", "", "O'Brien \"HQ\" \\ 1")[n % 3]} if n % 2 else {}),
            **({'odd "name".$[0]': "yes"} if n % 5 else {}), **({"7": "seven"} if n % 7 == 0 else {}),
        },
    )
    for n in range(120)
]  # fmt: skip
ROLES = [
    {"sales": {"department": ["Sales"]}, "none": {"department": [""]}, "all": {"rest": True}},
    {"both": {"department": ["Sales", "Zürich"], "job": ["Head"]}, "heads": {"is_manager": True, "country": ["DE"]}},
    {"staff": {"is_manager": False, "channel": ["slack"]}, "by mail": {"channel": ["email", ""]}},
    {"site": {"site": ['O\'Brien "HQ" \\ 1']}, "no site": {"site": [""]}, "seven": {"7": ["seven"]}},
    {"odd": {'odd "name".$[0]': ["yes"]}, "unheard-of": {"leave": ["", "x"]}},
    {"nobody": {"department": ["None"]}},
]


@pytest.mark.parametrize("roles", ROLES)
@pytest.mark.parametrize("people", [None, "few.csv"])
def test_the_database_counts_the_people_whom_the_rules_find_one_by_one(
    store: Store, roles: dict[str, dict[str, object]], people: str | None
) -> None:
    roles = {name.replace(" ", "-"): role for name, role in roles.items()}
    wiifm = {role: {"why": "So.", "your_job": "This."} for role in roles}
    audience = {"roles": roles, **({"people": people} if people else {})}
    running(store, MIXED, audience=audience, wiifm=wiifm, sponsor=MIXED[6].email.upper())
    store.people.set_roster("crm", [person.id for person in MIXED[::2]], NOW)
    for n in (3, 4, 5):
        store.people.set_preferences(MIXED[n].id, channel="email", quiet=None, now=NOW)
    record = store.campaigns.get("crm")
    assert record
    listed = store.people.roster("crm") if people else {person.id for person in MIXED}
    found: dict[str, list[str]] = {role: [] for role in record.plan.audience.roles}
    for person in store.people.all():
        role = role_of(record.plan, person)
        if role is not None and not person.has_left(NOW.date()) and person.id in listed:
            found[role].append(person.id)
    sizes = store.audience.sizes(record, NOW.date())
    assert sizes == {role: len(ids) for role, ids in found.items() if ids}
    assert store.counts.status(NOW)[0].audience == sum(sizes.values())
    drawn = store.audience.drawn(record, 7, NOW.date())
    assert {role: one.people for role, one in drawn.items()} == {role: len(ids) for role, ids in found.items()}
    spread = {role: ids[:: -(-len(ids) // 7) or 1] for role, ids in found.items()}
    assert {role: list(one.ids) for role, one in drawn.items()} == spread


def test_status_asks_as_little_of_many_people_as_of_few(store: Store) -> None:
    audience = {"people": "all.csv", "roles": {"sales": {"department": ["Sales"]}, "heads": {"is_manager": True}}}
    running(store, [someone(n) for n in range(20)], audience=audience, wiifm={})
    asked = []
    for many in (20, 2200):
        people = [someone(n) for n in range(many)]
        store.people.save(people, by="dana", now=NOW)
        store.people.set_roster("crm", [person.id for person in people], NOW)
        with statements(store.database) as seen:
            [campaign] = status(store, NOW, recall=True)["campaigns"]
        assert (campaign["audience"], campaign["recall"][0]["people"]) == (many, many)
        asked.append(len(seen))
    assert asked[0] == asked[1]


def test_acknowledged_counts_pairs_of_person_and_message(store: Store) -> None:
    running(store)
    for person, message, key in (("ana", "m", "1"), ("ana", "m", "2"), ("ana", "n", "3"), ("ben", "m", "4")):
        store.answers.record(person, "crm", message, key, "acknowledged", evidence="link", by=person, now=NOW)
    taken_back = store.answers.record("mia", "crm", "m", "5", "acknowledged", evidence="link", by="mia", now=NOW)
    store.answers.withdraw(taken_back.id, NOW)
    assert store.counts.status(NOW)[0].acknowledged == 3


@pytest.mark.parametrize(("kind", "counted"), [("input", 1), ("commit", 1), ("check", 1), ("heard_enough", 0)])
def test_giving_what_a_message_asks_for_acknowledges_it(store: Store, kind: str, counted: int) -> None:
    running(store)
    store.answers.record("ana", "crm", "m", "1", kind, evidence="link", by="ana", now=NOW)
    assert store.counts.status(NOW)[0].acknowledged == counted


def outreach(store: Store, person: str = "ana", message: str = "one-record") -> None:
    claim(running(store) if not store.campaigns.get("crm") else store,
          a_touch(person, message=message, rung=2, kind="personal", channel="personal"))  # fmt: skip


def test_an_outreach_is_open_until_something_comes_of_it(store: Store) -> None:
    outreach(store)
    [rung] = store.counts.open_rungs("crm")
    assert (rung.person_id, rung.message, rung.kind, rung.rung, rung.since) == ("ana", "one-record", "personal", 2, NOW)
    store.answers.outcome("ana", "crm", ["one-record"], "understood", by="mia", now=LATER)
    assert store.counts.open_rungs() == []


def test_an_answer_given_meanwhile_closes_an_outreach(store: Store) -> None:
    outreach(store)
    answer = store.answers.record("ana", "crm", "one-record", "k", "acknowledged", evidence="link", by="ana", now=LATER)
    assert store.counts.open_rungs("crm") == []
    store.answers.withdraw(answer.id, LATER)
    assert len(store.counts.open_rungs("crm")) == 1


def test_what_was_said_before_closes_nothing(store: Store) -> None:
    store_before = running(store)
    store.answers.outcome("ana", "crm", ["one-record"], "away", by="mia", now=NOW - HOUR)
    outreach(store_before)
    assert len(store.counts.open_rungs("crm")) == 1


def test_follow_ups_are_counted_one_per_person(store: Store) -> None:
    for person, message in (("ana", "one-record"), ("ana", "other"), ("ben", "other")):
        outreach(store, person, message)
    assert len(store.counts.open_rungs("crm")) == 3
    assert store.counts.status(NOW)[0].follow_ups_open == 2


def test_who_has_left_needs_no_outreach(store: Store) -> None:
    outreach(store)
    store.people.save([replace(ANA, left=LATER.date() + dt.timedelta(days=1))], by="dana", now=LATER)
    [rung] = store.counts.open_rungs("crm")
    assert rung.open_at(LATER)
    assert not rung.open_at(LATER + dt.timedelta(days=1))


def test_failed_receipts_are_counted_where_they_ended(store: Store) -> None:
    touch = a_touch()
    claim(running(store), touch)
    settle(store, touch, "failed", reason="550 no such mailbox")
    [books] = store.counts.status(NOW)
    assert (books.touches["failed"], books.skipped) == (1, {})


def test_who_was_away_is_open_again_after_five_of_their_working_days(store: Store) -> None:
    outreach(store)
    store.answers.outcome("ana", "crm", ["one-record"], "away", by="mia", now=LATER)
    [rung] = store.counts.open_rungs("crm")
    back = utc("2027-01-17 15:00")  # Monday in Seoul, and it was Monday when they were called
    assert (rung.since, rung.call_again, rung.open_at(LATER), rung.open_at(back)) == (NOW, back, False, True)
    assert [store.counts.status(now)[0].follow_ups_open for now in (LATER, back)] == [0, 1]


def test_another_outcome_after_away_closes_for_good(store: Store) -> None:
    outreach(store)
    for what, now in (("away", LATER), ("objects", LATER + HOUR)):
        store.answers.outcome("ana", "crm", ["one-record"], what, by="mia", now=now)
    assert store.counts.open_rungs("crm") == []
