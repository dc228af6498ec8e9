from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.exc import IntegrityError

from commsengine.cadence.plan import Workspace
from commsengine.channels.channel import UNCERTAIN, Outcome
from commsengine.engine.decisions import Decisions
from commsengine.errors import InputError
from commsengine.reports.followups import FollowUp, followups, record_outcome
from commsengine.reports.status import status
from commsengine.reports.today import today
from commsengine.reports.why import why
from commsengine.store.campaign_facts.deeds import NewDeed
from commsengine.store.store import Store
from tests.builders import MIA, a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, Scribe, a_channel

STAY = [{"after": "2 touches", "do": "personal", "by": "manager"}, {"after": "5 working days", "do": "sponsor"}]


def live(store: Store, engine: MakeEngine, clock: Clock, until: str) -> None:
    """The engine ticks at every wake before that day."""
    running = engine()
    running.tick()
    while (wake := store.loading.next_wake()) and wake < utc(until):
        clock.now = max(wake, clock.now)
        running.tick()
    clock.now = utc(until)


def listed(store: Store, clock: Clock, per_day: int = 5) -> list[FollowUp]:
    decisions = Decisions(store, Workspace(follow_ups_per_day=per_day))
    return followups(store, decisions, Scribe, clock.now)


def test_who_does_not_answer_needs_a_person_with_everything_to_hand(
    store: Store, engine: MakeEngine, clock: Clock
) -> None:
    run(store, [someone(1, phone="+49 1"), MIA], a_plan(a_message(to=["sales"]), follow_up=STAY))
    store.answers.record(
        "mia", "crm", "one-record", "k", "acknowledged", evidence="link", by="mia", now=utc("2027-01-11")
    )
    live(store, engine, clock, "2027-01-16")
    (one,) = listed(store, clock)
    shown = one.as_json()
    assert {name: shown[name] for name in ("person", "name", "campaign", "messages", "rung", "phone", "carrier")} == {
        "person": "p00001@example.com", "name": "Person 1", "campaign": "crm", "messages": ["one-record"], "rung": 1,
        "phone": "+49 1", "carrier": "mia@example.com",
    }  # fmt: skip
    assert shown["reason"] == "No answer after 2 messages."
    assert shown["tried"] == ["e-mail on 11 January", "e-mail on 13 January"]
    assert shown["talking_points"] == "Ask Person about one-record."
    (untold,) = followups(store, Decisions(store, Workspace()), Scribe, clock.now, talk=False)
    assert untold.as_json() == {**shown, "talking_points": ""}


def test_an_outcome_closes_it_and_understood_counts_as_acknowledged(
    store: Store, engine: MakeEngine, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(follow_up=STAY))
    live(store, engine, clock, "2027-01-16")
    record_outcome(store, listed(store, clock)[0].id, "understood", note="now clear", by="mia", now=clock.now)
    assert listed(store, clock) == []
    (answer,) = store.answers.of_person(someone(1).id)
    assert (answer.kind, answer.evidence, answer.by) == ("acknowledged", "manager", "mia")
    assert status(store, clock.now)["campaigns"][0]["acknowledged"] == 1


def test_an_outcome_and_its_acknowledgement_are_kept_together_or_not_at_all(
    store: Store, engine: MakeEngine, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(follow_up=STAY))
    live(store, engine, clock, "2027-01-16")
    (one,) = listed(store, clock)
    with store.database.write() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON answer BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(IntegrityError):
        record_outcome(store, one.id, "understood", by="mia", now=clock.now)
    assert store.loading.histories([someone(1).id])[someone(1).id].history.outcomes == ()
    assert [each.id for each in listed(store, clock)] == [one.id]


def test_an_answer_given_meanwhile_closes_it(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(follow_up=STAY))
    live(store, engine, clock, "2027-01-16")
    store.answers.record(
        someone(1).id, "crm", "one-record", "k", "acknowledged", evidence="link", by=someone(1).id, now=clock.now
    )
    assert listed(store, clock) == []


def test_who_was_away_is_back_on_the_list_after_five_of_their_working_days(
    store: Store, engine: MakeEngine, clock: Clock
) -> None:
    leave = ((dt.date(2027, 1, 18), dt.date(2027, 1, 20)),)
    run(store, [someone(1, leave=leave)], a_plan(a_message(until="kickoff + 7d"), follow_up=STAY))
    live(store, engine, clock, "2027-01-16")
    record_outcome(store, listed(store, clock)[0].id, "away", by="mia", now=clock.now)
    clock.now = utc("2027-01-26 22:59")
    assert listed(store, clock) == []
    clock.now = utc("2027-01-26 23:00")
    (one,) = listed(store, clock)
    assert (one.since, one.overdue, "call: Not reached on 16 January" in one.tried) == (clock.now, False, True)
    record_outcome(store, one.id, "objects", by="mia", now=clock.now)
    assert listed(store, clock) == []


def test_the_sponsor_is_proposed_to_the_lead_only_after_an_outreach_that_did_not_help(
    store: Store,
    engine: MakeEngine,
    clock: Clock,
) -> None:
    run(
        store,
        [someone(1), MIA],
        a_plan(a_message(to=["sales"], cadence={"every": "48h", "times": "2"}), follow_up=STAY),
    )
    live(store, engine, clock, "2027-01-16")
    assert {one.kind for one in listed(store, clock)} == {"personal"}
    for one in listed(store, clock):
        record_outcome(store, one.id, "objects", unclear="why", by="mia", now=clock.now)
    live(store, engine, clock, "2027-01-27")
    one = next(one for one in listed(store, clock) if one.person.id == someone(1).id)
    assert (one.kind, one.carrier) == ("sponsor", "dana@example.com")
    assert one.reason == ("The call did not help (Has an objection, 16 January). Ask the sponsor, sam@example.com?")
    assert "call: Has an objection on 16 January" in one.tried


def test_an_outreach_nobody_recorded_comes_back_to_the_lead(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(
        store,
        [someone(1), MIA],
        a_plan(a_message(to=["sales"], cadence={"every": "48h", "times": "2"}), follow_up=STAY),
    )
    live(store, engine, clock, "2027-01-16")
    clock.now = utc("2027-01-25 09:00")
    one = next(one for one in listed(store, clock) if one.person.id == someone(1).id)
    assert (one.overdue, one.carrier) == (True, "dana@example.com")
    assert one.reason.endswith("No result has been recorded for more than 5 working days.")


def test_a_manager_gets_only_so_many_a_day(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(n) for n in range(4)] + [MIA], a_plan(a_message(to=["sales"]), follow_up=STAY))
    live(store, engine, clock, "2027-01-16")
    own = [one for one in listed(store, clock, per_day=3) if one.carrier == "mia@example.com"]
    assert [one.today for one in own] == [True, True, True, False]


def test_several_messages_make_one_follow_up(store: Store, engine: MakeEngine, clock: Clock) -> None:
    send = {"channels": ["email"], "holidays": "false", "at_most": {"per_day": "2", "per_week": "9"}}
    run(store, [someone(1)], a_plan(a_message(id="b"), a_message(id="a"), follow_up=STAY, send=send))
    live(store, engine, clock, "2027-01-23")
    assert [one.messages for one in listed(store, clock)] == [("b", "a")]


def test_whom_no_channel_reaches_is_called_at_once(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(follow_up=STAY))
    store.reachability.mark_unreachable(someone(1).id, "email", "no such mailbox", now=clock.now)
    engine().tick()
    assert [one.reason for one in listed(store, clock)] == ["No channel reaches them: e-mail (no such mailbox)."]


def test_a_channel_without_credentials_reaches_nobody_either(store: Store, engine: MakeEngine, clock: Clock) -> None:
    send = {"channels": ["slack", "email"], "holidays": "false"}
    run(store, [someone(1)], a_plan(follow_up=STAY, send=send))
    store.reachability.mark_unreachable(someone(1).id, "email", "no such mailbox", now=clock.now)
    engine().tick()
    assert [one.reason for one in listed(store, clock)] == ["No channel reaches them: e-mail (no such mailbox)."]


def test_the_messages_of_another_campaign_are_not_counted(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(follow_up=STAY))
    run(store, [someone(1)], a_plan(campaign="other", follow_up=[]))
    live(store, engine, clock, "2027-01-20")
    (one,) = [one for one in listed(store, clock) if one.campaign == "crm"]
    assert (one.reason, len(one.tried)) == ("No answer after 3 messages.", 3)


def test_the_reports_of_a_leaver_go_to_their_managers_manager(store: Store, engine: MakeEngine, clock: Clock) -> None:
    boss = someone(8, email="boss@example.com", manager="")
    gone = someone(9, email="gone@example.com", manager="boss@example.com", left=dt.date(2027, 1, 2))
    run(store, [someone(1, manager="gone@example.com"), boss, gone], a_plan(a_message(to=["sales"]), follow_up=STAY))
    live(store, engine, clock, "2027-01-16")
    assert next(one.carrier for one in listed(store, clock) if one.person.id == someone(1).id) == "boss@example.com"


def test_the_calls_of_a_manager_are_theirs_until_their_last_day(store: Store, engine: MakeEngine, clock: Clock) -> None:
    boss = someone(8, email="boss@example.com", manager="")
    going = someone(9, email="going@example.com", manager=boss.email, left=dt.date(2027, 1, 17))
    run(store, [someone(1, manager=going.email), boss, going], a_plan(a_message(to=["sales"]), follow_up=STAY))
    live(store, engine, clock, "2027-01-16 23:00")

    def carrier() -> str:
        return next(one.carrier for one in listed(store, clock) if one.person.id == someone(1).id)

    assert carrier() == going.email
    clock.now = utc("2027-01-17")
    assert carrier() == boss.email


def test_an_unknown_follow_up_says_where_to_look(store: Store, clock: Clock) -> None:
    with pytest.raises(InputError, match=r"There is no open follow-up 'x'. Run 'commsengine followups'"):
        record_outcome(store, "x", "understood", by="mia", now=clock.now)


def test_why_tells_standing_reasons_and_touches(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1)])
    engine().tick()
    told = why(store, Decisions(store, Workspace()), someone(1).email, clock.now)
    (message,) = told["campaigns"][0]["messages"]
    assert (message["standing"], message["next_at"]) == ("reached", "2027-01-13T08:00:00+00:00")
    assert [(touch["state"], touch["channel"]) for touch in message["touches"]] == [("sent", "email")]
    assert message["reasons"][0]["next_at"] == message["next_at"]


def test_why_tells_of_a_pause_and_of_what_is_over(store: Store, engine: MakeEngine, clock: Clock) -> None:
    for name in ("over", "paused", "never"):
        run(store, [someone(1)], a_plan(campaign=name))
    store.campaigns.cancel("never", by="dana", now=clock.now)
    engine().tick()
    store.campaigns.pause("paused", by="dana", now=clock.now)
    store.campaigns.finish("over", by="dana", now=clock.now)
    told = why(store, Decisions(store, Workspace()), someone(1).email, clock.now)["campaigns"]
    assert [(each["campaign"], each["state"], each["paused_since"]) for each in told] == [
        ("over", "finished", None), ("paused", "paused", "2027-01-11T09:00:00+00:00"),
    ]  # fmt: skip
    (message,) = told[1]["messages"]
    assert (message["standing"], message["next_at"], message["reasons"]) == ("not reached", None, [])
    assert [touch["state"] for touch in told[0]["messages"][0]["touches"]] == ["sent"]


def test_why_tells_what_was_said_in_order(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(follow_up=STAY))
    live(store, engine, clock, "2027-01-16")
    record_outcome(store, listed(store, clock)[0].id, "objects", by="mia", now=clock.now)
    store.answers.record(
        someone(1).id, "crm", "one-record", "k", "acknowledged", evidence="link", by="p1", now=utc("2027-01-17")
    )
    store.questions.ask(someone(1).id, "crm", "one-record", "k", "Why?", evidence="link", now=utc("2027-01-18"))
    (message,) = why(store, Decisions(store, Workspace()), someone(1).email, clock.now)["campaigns"][0]["messages"]
    assert [(each["at"][:10], each["text"]) for each in message["said"]] == [
        ("2027-01-16", "call: objects"),
        ("2027-01-16", "their objection is open"),
        ("2027-01-17", "got it (link)"),
        ("2027-01-18", "asked a question; it is open"),
    ]


@pytest.mark.parametrize("right", [True, False])
def test_why_does_not_tell_right_from_wrong(store: Store, engine: MakeEngine, clock: Clock, right: bool) -> None:
    run(store, [someone(1)])
    engine().tick()
    store.answers.record(
        someone(1).id, "crm", "one-record", "k", "check", right=right, evidence="link", by="p1", now=clock.now
    )
    (message,) = why(store, Decisions(store, Workspace()), someone(1).email, clock.now)["campaigns"][0]["messages"]
    assert (message["standing"], message["said"][0]["text"]) == ("acknowledged", "answered the question (link)")


def test_why_of_a_stranger_names_the_near(store: Store, clock: Clock) -> None:
    run(store, [someone(1)])
    with pytest.raises(InputError, match=r"There is: p00001@example.com"):
        why(store, Decisions(store, Workspace()), "p0001@example.com", clock.now)


def test_the_books_balance_whatever_happened(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(n) for n in range(6)], a_plan(follow_up=STAY))
    live(store, engine, clock, "2027-01-16")
    books = status(store, clock.now)
    (campaign,) = books["campaigns"]
    counted = {state: n for state, n in campaign["touches"].items() if state != "skipped"}
    rows = list(store.touches.list("crm"))
    assert sum(counted.values()) + sum(campaign["touches"]["skipped"].values()) == len(rows) == 18
    assert (books["engine"]["state"], campaign["follow_ups_open"]) == ("stopped", 6)


def test_today_lists_questions_and_rows_that_wait_for_a_word(store: Store, engine: MakeEngine, clock: Clock) -> None:
    run(store, [someone(1), someone(2)], a_plan(on_uncertain="hold", follow_up=STAY))
    timed_out = lambda m: Outcome(m.key, UNCERTAIN, "dot", "timed out") if "00001" in m.to_email else None  # noqa: E731
    engine(email=a_channel(Mailbag(), timed_out)).tick()
    store.questions.ask(
        someone(2).id, "crm", "one-record", "k", "Does it work offline?", evidence="link", now=clock.now
    )
    clock.forward(days=4)
    waiting = today(store, Decisions(store, Workspace()), Scribe, clock.now)
    assert [row["person"] for row in waiting["held"]] == [someone(1).email]
    assert [(q["text"], q["overdue"]) for q in waiting["questions"]] == [("Does it work offline?", True)]


# -- until it is done -----------------------------------------------------------------------------

CALLS = {"first_call": {"title": "The first call is logged", "by": "go_live + 14d"}}


def awaiting(store: Store) -> None:
    ends = a_message(repeat_until="done", cadence={"every": "48h", "times": "6"})
    run(store, [someone(1), someone(2), someone(3)], a_plan(ends, follow_up=STAY, outcomes=CALLS))


def said(store: Store, number: int, kind: str, clock: Clock) -> None:
    right = True if kind == "check" else None
    person = someone(number).id
    store.answers.record(person, "crm", "one-record", "k", kind, right=right, evidence="link", by=person, now=clock.now)  # type: ignore[arg-type]


def test_who_confirmed_and_did_not_do_it_is_followed_up_for_that(
    store: Store, engine: MakeEngine, clock: Clock
) -> None:
    awaiting(store)
    live(store, engine, clock, "2027-01-12")
    said(store, 1, "acknowledged", clock)
    said(store, 2, "check", clock)
    live(store, engine, clock, "2027-01-16")
    reasons = {one.person.id: one.reason for one in listed(store, clock)}
    assert reasons == {
        someone(1).id: "Confirmed, but not done yet: The first call is logged.",
        someone(2).id: "No answer after 2 messages.",  # a check tells nothing here
        someone(3).id: "No answer after 2 messages.",
    }


def test_the_deed_closes_it_and_words_do_not(store: Store, engine: MakeEngine, clock: Clock) -> None:
    awaiting(store)
    live(store, engine, clock, "2027-01-16")
    said(store, 1, "acknowledged", clock)
    said(store, 3, "heard_enough", clock)
    store.deeds.record(
        "crm", [NewDeed(someone(2).id, "first_call", clock.now)], source="file", by="dana", now=clock.now
    )
    assert [one.person.id for one in listed(store, clock)] == [someone(1).id]
    record_outcome(store, listed(store, clock)[0].id, "understood", by="mia", now=clock.now)
    assert listed(store, clock) == []
    live(store, engine, clock, "2027-01-20")
    after = [row for row in store.touches.list("crm") if row.due_at > utc("2027-01-16")]
    assert {row.person_id for row in after} == {someone(1).id}
