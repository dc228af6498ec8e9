"""A lead's own words made a message, and who would get it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.plan import Notice
from commsengine.campaigns.notices import Words, for_today, reach
from commsengine.content.shipped import shipped_folder
from commsengine.content.templates import load_templates
from commsengine.errors import InputError
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from tests.builders import a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag

TEMPLATES = load_templates(shipped_folder(), None)
TUESDAY = utc("2027-01-12 10:00")
TEXT = "The CRM is down until noon. Please use paper.\n\nThank you."


@pytest.fixture
def record(store: Store) -> CampaignRecord:
    run(store, [someone(1), someone(2, attributes={"depot": "North"})], a_plan())
    found = store.campaigns.get("crm")
    assert found
    return found


def made(record: CampaignRecord, text: str = TEXT, **words: Any) -> Notice:
    return for_today(record, Words(text, **words), TEMPLATES, ["email", "depot"], TUESDAY)


def test_without_a_subject_the_first_sentence_stands_above_the_others(record: CampaignRecord) -> None:
    notice = made(record)
    assert (notice.key_point, notice.text) == ("The CRM is down until noon.", ("Please use paper.\n\nThank you.",))
    named = made(record, subject="CRM down")
    assert (named.key_point, named.text) == ("CRM down", (TEXT,))
    long = made(record, "word " * 60)
    assert (long.key_point[-1], long.text) == ("…", (("word " * 60).strip(),))


def test_it_asks_for_nothing_and_chases_nobody(record: CampaignRecord) -> None:
    notice = made(record)
    assert (notice.id, notice.ask, notice.said_at, notice.urgent) == ("now-2027-01-12-1", "nothing", TUESDAY, False)
    assert record.plan.ladder(made(record, ask="acknowledge")) == ()


def test_each_has_an_id_of_its_own(record: CampaignRecord, store: Store) -> None:
    assert store.notices.add("crm", made(record), by="dana", now=TUESDAY)
    assert not store.notices.add("crm", made(record), by="dana", now=TUESDAY)
    newest = store.campaigns.get("crm")
    assert newest
    assert made(newest).id == "now-2027-01-12-2"


def test_the_day_is_that_of_the_plan(record: CampaignRecord) -> None:
    seoul = replace(record, plan=a_plan(send={"channels": ["email"], "time_zone": "Asia/Seoul"}))
    assert for_today(seoul, Words(TEXT), TEMPLATES, [], utc("2027-01-12 23:30")).id == "now-2027-01-13-1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"text": "  "}, "--text: error: The message is empty."),
        ({"text": "x" * 8001}, "at most 8,000 fit"),
        ({"text": "Hi", "subject": "a\nb"}, "--subject: error: It has several lines"),
        ({"text": "[See](http://x.example.com)."}, "--text:1:1: error: The link to 'http://x.example.com'"),
        ({"text": "Hello.\n\nGo to {{ person.dept }}."}, "'person.dept' is not defined"),
        ({"text": "Hi {{ nobody }}"}, "'nobody' is not defined"),
        ({"text": "A {% for x in y %}"}, "--text:1:1"),
        ({"text": "Hi", "to": ["saless"]}, "no role 'saless'"),
        ({"text": "Use xoxb-123456789012-abcdef"}, "looks like a Slack token"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_words_is_told_with_its_place(
    record: CampaignRecord, words: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as told:
        made(record, **words)
    assert said in f"{told.value}"


def test_names_of_the_plan_and_columns_may_be_used(record: CampaignRecord) -> None:
    assert made(
        record, "Hello {{ person.first_name }} of {{ person.depot | default('us') }}. It is {{ milestones.go_live }}."
    )


def test_it_is_known_who_gets_it_before_it_is_kept(
    record: CampaignRecord, store: Store, engine: MakeEngine, clock: Clock
) -> None:
    clock.now = utc("2027-01-11 09:00")
    running = engine()
    running.tick()  # the day's place is taken
    clock.now = utc("2027-01-11 10:00")
    words = Words(TEXT)
    none = reach(store, running.decisions, record, for_today(record, words, TEMPLATES, [], clock.now), clock.now)
    assert (none.people, none.now, none.later, sum(none.never.values())) == (2, 0, 0, 2)
    pushed = for_today(record, replace(words, urgent=True, because="An outage."), TEMPLATES, [], clock.now)
    all_ = reach(store, running.decisions, record, pushed, clock.now)
    assert (all_.people, all_.now, all_.never) == (2, 2, {})


def test_the_running_engine_sends_it_with_its_own_words(
    record: CampaignRecord, store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    clock.now = utc("2027-01-11 09:00")
    running = engine()
    running.tick()
    clock.now = utc("2027-01-11 20:00")
    notice = for_today(record, Words(TEXT, urgent=True, because="x"), TEMPLATES, [], clock.now)
    store.notices.add("crm", notice, by="dana", now=clock.now)
    running.tick()
    rows = [row for row in store.touches.list("crm") if row.message == notice.id]
    assert [(row.state, row.sent_at) for row in rows] == [("sent", clock.now)] * 2
