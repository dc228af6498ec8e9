"""A manager who is to call somebody hears whom, why and what to say, by the channel that reaches them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan, Workspace
from commsengine.channels.channel import PERMANENT, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.decisions import Decisions
from commsengine.engine.engine import Engine
from commsengine.reports.followups import followups, record_outcome
from commsengine.reports.status import status
from commsengine.store.store import Store
from tests.builders import MIA, a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, Scribe, a_channel
from tests.reports.test_followups import live

CALLED = [{"after": "2 touches", "do": "personal", "by": "manager"}]
SEND = {"channels": ["email"], "holidays": "false", "time_zone": "Europe/Berlin"}
SLACK_FIRST = {**SEND, "channels": ["slack", "email"]}
BOSS = replace(MIA, department="Board")
"""Nothing of the campaign is for her."""

EIGHT = "2027-01-18 07:00"
"""Monday, eight in Berlin, where Mia is."""


def waiting(
    store: Store, engine: MakeEngine, clock: Clock, *people: Person, plan: Plan | None = None, **channels: Any
) -> Engine:
    """Two messages each have brought no answer; by Saturday somebody is to be called."""
    plan = plan or a_plan(a_message(to=["sales"]), follow_up=CALLED, send=SEND)
    run(store, [*(people or [someone(1, phone="+49 1")]), BOSS], plan)
    live(store, lambda: engine(**channels), clock, "2027-01-16")
    return engine(**channels)


def at(engine: Engine, clock: Clock, *moments: str) -> None:
    for moment in moments:
        clock.now = utc(moment)
        engine.tick()


def told(bag: Mailbag, email: str = BOSS.email) -> list[RenderedMessage]:
    return [message for message in bag.arrived if message.to_email == email and message.subject.startswith("for ")]


def test_at_eight_the_manager_hears_once_whom_to_call(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    running = waiting(store, engine, clock)
    at(running, clock, "2027-01-16 08:00", "2027-01-18 06:59")
    assert told(bag) == []
    at(running, clock, EIGHT, "2027-01-18 07:30", "2027-01-18 09:00")
    (one,) = told(bag)
    assert one.subject == "for dana@example.com: Person 1"
    for said in ("+49 1", "No answer after", "e-mail on 11 January", "Ask Person about one-record.", "lead='dana@"):
        assert said in one.text
    at(running, clock, "2027-01-19 07:00")
    assert len(told(bag)) == 2


def test_another_engine_does_not_tell_again(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    waiting(store, engine, clock)
    for _ in range(2):
        at(engine(), clock, EIGHT)
    assert len(told(bag)) == 1


def test_it_lists_their_own_people_and_no_more_than_are_for_today(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    boss = someone(9, id="boss", name="Boss", email="boss@example.com", department="Board")
    people = [someone(n) for n in range(1, 8)] + [someone(8, manager="boss@example.com"), boss]
    at(waiting(store, engine, clock, *people), clock, EIGHT)
    assert [one.subject for one in told(bag)] == [
        "for dana@example.com: Person 1, Person 2, Person 3, Person 4, Person 5"
    ]
    assert [one.subject for one in told(bag, "boss@example.com")] == ["for dana@example.com: Person 8"]


def test_with_an_answer_or_an_outcome_the_list_is_empty_and_nothing_is_sent(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    running = waiting(store, engine, clock, someone(1), someone(2))
    store.answers.record(
        someone(1).id, "crm", "one-record", "k", "acknowledged", evidence="link", by="p", now=clock.now
    )
    (other,) = followups(store, Decisions(store, Workspace()), Scribe, clock.now)
    record_outcome(store, other.id, "objects", by="mia", now=clock.now)
    at(running, clock, EIGHT)
    assert told(bag) == []


@pytest.mark.parametrize(("preferred", "way"), [("", "slack"), ("email", "email"), ("slack", "slack")])
def test_it_comes_by_the_channel_that_reaches_them_first(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock, preferred: str, way: str
) -> None:
    channels = {name: a_channel(bag, name=name) for name in ("email", "slack")}
    plan = a_plan(a_message(to=["sales"]), follow_up=CALLED, send=SLACK_FIRST)
    running = waiting(store, engine, clock, plan=plan, **channels)
    store.people.set_preferences(BOSS.id, channel=preferred, quiet=None, now=clock.now)
    at(running, clock, EIGHT)
    assert [one.channel for one in told(bag)] == [way]


def test_who_is_not_on_slack_gets_the_same_mornings_list_by_mail(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    def not_mia(message: RenderedMessage) -> Outcome | None:
        absent = Outcome(message.key, PERMANENT, "connect", "users_not_found", unreachable="not on Slack")
        return absent if message.to_email == BOSS.email else None

    channels = {"slack": a_channel(bag, not_mia, name="slack"), "email": a_channel(bag)}
    plan = a_plan(a_message(to=["sales"]), follow_up=CALLED, send=SLACK_FIRST)
    running = waiting(store, engine, clock, plan=plan, **channels)
    at(running, clock, EIGHT, "2027-01-18 07:05", "2027-01-18 07:15", "2027-01-18 07:30", "2027-01-18 08:30")
    assert [one.channel for one in told(bag)] == ["email"]


def test_a_manager_whom_no_channel_reaches_is_told_of_in_the_leads_digest(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    running = waiting(store, engine, clock)
    store.reachability.mark_unreachable(BOSS.id, "email", "no such mailbox", now=clock.now)
    at(running, clock, EIGHT)
    assert told(bag) == []
    (digest,) = [message for message in bag.arrived if message.to_email == "dana@example.com"]
    assert "Mia Wolf should call, but no channel reaches them. Please tell them, or call yourself." in digest.text
    assert "Ask Person about one-record." in digest.text


def test_a_manager_who_leads_the_campaign_finds_it_in_the_digest_only(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    plan = a_plan(a_message(to=["sales"]), follow_up=CALLED, send=SEND, owner=["dana@example.com", "Mia@Example.com"])
    at(waiting(store, engine, clock, plan=plan), clock, EIGHT)
    assert told(bag) == []
    digests = [
        message for message in bag.arrived if message.to_email.lower() == BOSS.email and message not in told(bag)
    ]
    assert "Ask Person about one-record." in digests[-1].text


def test_the_sponsor_is_asked_by_a_human_also_as_a_manager(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    plan = a_plan(a_message(to=["sales"]), follow_up=CALLED, send=SEND, sponsor="Mia@example.com")
    at(waiting(store, engine, clock, plan=plan), clock, EIGHT)
    assert told(bag) == []
    (digest,) = [message for message in bag.arrived if message.to_email == "dana@example.com"]
    assert "Mia Wolf should call, but the sponsor gets no mail from us." in digest.text


def test_after_a_manager_has_left_the_next_one_up_hears(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    boss = someone(8, id="boss", email="boss@example.com", department="Board", manager="")
    gone = someone(9, email="gone@example.com", manager="boss@example.com", left=dt.date(2027, 1, 2))
    at(waiting(store, engine, clock, someone(1, manager="gone@example.com"), boss, gone), clock, EIGHT)
    assert (told(bag, "gone@example.com"), len(told(bag, "boss@example.com"))) == ([], 1)


def test_on_leave_they_are_left_in_peace(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    running = waiting(store, engine, clock)
    leave = (dt.date(2027, 1, 18), dt.date(2027, 1, 18))
    store.people.save([replace(BOSS, leave=(leave,))], by="dana", now=clock.now)
    at(running, clock, EIGHT)
    assert told(bag) == []
    at(running, clock, "2027-01-19 07:00")
    assert len(told(bag)) == 1


def test_people_of_two_campaigns_stand_on_one_list(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    two = a_plan(
        a_message(to=["sales"]), campaign="two", title="New time sheets", owner=["tom@example.com"],
        follow_up=CALLED, send={**SEND, "at_most": {"per_day": "2", "per_week": "9"}},
    )  # fmt: skip
    store.people.save([someone(1), BOSS], by="dana", now=utc("2027-01-04"))
    store.campaigns.save_version(two, {}, "", introduced={}, by="dana", now=utc("2027-01-04"))
    store.campaigns.start("two", by="dana", now=utc("2027-01-04"))
    one = a_plan(a_message(to=["sales"]), follow_up=CALLED, send={**SEND, "at_most": {"per_day": "2", "per_week": "9"}})
    running = waiting(store, engine, clock, plan=one)
    at(running, clock, EIGHT)
    (mine,) = told(bag)
    assert all(said in mine.text for said in ("One customer record", "New time sheets", "lead='tom@example.com'"))


def test_of_a_paused_campaign_nothing_is_told_not_even_when_it_goes_on(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    running = waiting(store, engine, clock)
    store.campaigns.pause("crm", by="dana", now=clock.now)
    at(running, clock, EIGHT, "2027-01-18 08:00")
    clock.now = utc("2027-01-18 14:00")
    store.campaigns.resume("crm", backlog="none", by="dana", now=clock.now)
    at(running, clock, "2027-01-18 14:01")
    assert told(bag) == []


def test_a_paused_campaign_takes_no_place_from_one_that_runs(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    first = a_plan(a_message(to=["sales"]), campaign="aaa", follow_up=CALLED, send=SEND)
    store.people.save([someone(n) for n in range(6)], by="dana", now=utc("2027-01-04"))
    store.campaigns.save_version(first, {}, "", introduced={}, by="dana", now=utc("2027-01-04"))
    store.campaigns.start("aaa", by="dana", now=utc("2027-01-04"))
    send = {**SEND, "at_most": {"per_day": "2", "per_week": "9"}}
    plan = a_plan(a_message(to=["others"]), follow_up=CALLED, send=send)
    running = waiting(store, engine, clock, someone(9, department="Support"), plan=plan)
    store.campaigns.pause("aaa", by="dana", now=clock.now)
    at(running, clock, EIGHT)
    assert [one.subject for one in told(bag)] == ["for dana@example.com: Person 9"]


def test_a_list_counts_nowhere(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    running = waiting(store, engine, clock)
    before = status(store, clock.now)["campaigns"][0]["touches"]
    rows = len(list(store.touches.list("crm")))
    clock.now = utc("2027-01-18 06:59")
    store.questions.ask(
        someone(1).id, "crm", "one-record", "k", "Why?", evidence="link", now=clock.now
    )  # no more touches
    at(running, clock, EIGHT)
    assert len(told(bag)) == 1
    assert status(store, clock.now)["campaigns"][0]["touches"] == before
    assert len(list(store.touches.list("crm"))) == rows
    assert store.loading.histories([BOSS.id])[BOSS.id].history.rows == ()


def test_one_text_that_cannot_be_written_does_not_take_the_list_away(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    running = waiting(store, engine, clock, someone(1), someone(2, name="Unspeakable Two"))
    at(running, clock, EIGHT)
    (one,) = told(bag)
    assert "Ask Person about one-record." in one.text
    assert "The text cannot be written: no such column" in one.text
