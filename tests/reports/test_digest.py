from __future__ import annotations

import datetime as dt
from dataclasses import replace

from commsengine.answers.fresh_links import FreshLinks
from commsengine.answers.own_mail import OwnMail
from commsengine.channels.channel import PERMANENT, RETRY, Outcome
from commsengine.content.message import RenderedMessage
from commsengine.engine.engine import Engine
from commsengine.reports.morning.digest import Digests
from commsengine.reports.morning.morning_time import MakeLink, MorningBasis
from commsengine.reports.status import status
from commsengine.store.people_files.difference import FileReason
from commsengine.store.people_files.held import ArrivedFile
from commsengine.store.records import NewReply
from commsengine.store.store import Store
from tests.builders import MIA, a_message, a_plan, someone, utc
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, Scribe, a_channel
from tests.reports.test_followups import live

DANA = "dana@example.com"
BERLIN = {"channels": ["email"], "holidays": "false", "time_zone": "Europe/Berlin"}


def asked(store: Store, now: str = "2027-01-11 08:00") -> None:
    """Person 1 has a question, so that there is something to do."""
    run(store, [someone(1)], a_plan(send=BERLIN))
    store.questions.ask(someone(1).id, "crm", "one-record", "k", "Does it work offline?", evidence="link", now=utc(now))


def digests(bag: Mailbag) -> list[str]:
    return [message.subject for message in bag.arrived if message.to_email == DANA]


def test_each_owner_hears_once_a_morning_what_waits(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    asked(store)
    running = engine()
    for time in ("06:59", "07:00", "07:30", "09:00"):  # Berlin is an hour ahead
        clock.now = utc(f"2027-01-12 {time}")
        running.tick()
        assert len(digests(bag)) == (time != "06:59")
    assert digests(bag) == ["Today: 1 question open"]


def test_another_engine_does_not_send_it_again(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    asked(store)
    clock.now = utc("2027-01-12 08:00")
    engine().tick()
    engine().tick()
    assert len(digests(bag)) == 1


def test_nothing_to_do_is_not_told(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    run(store, [someone(1)], a_plan(send=BERLIN))
    clock.now = utc("2027-01-12 08:00")
    engine().tick()
    assert digests(bag) == []


def test_weekends_and_afternoons_are_left_alone(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    asked(store)
    running = engine()
    for moment in ("2027-01-16 08:00", "2027-01-12 12:00"):
        clock.now = utc(moment)
        running.tick()
    assert digests(bag) == []


def test_a_digest_counts_nowhere(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    asked(store)
    clock.now = utc("2027-01-12 08:00")
    engine().tick()
    assert len(bag.arrived) == 1
    assert sum(status(store, clock.now)["campaigns"][0]["touches"][state] for state in ("sent", "retry")) == 0


def test_a_held_people_file_is_told_to_whom_it_concerns(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(send=BERLIN))
    clock.now = utc("2027-01-12 08:00")
    other = ArrivedFile("other.csv", "a", "roster", "hr", command="commsengine apply schedules/hr.yaml")
    store.held_files.hold(other, [FileReason("returning", 1, 9)], now=clock.now)
    engine().tick()
    assert digests(bag) == []
    feed = ArrivedFile("/srv/hr/january.csv", "b", "feed", command="commsengine people import /srv/hr/january.csv")
    store.held_files.hold(feed, [FileReason("leavers", 12, 160)], now=clock.now)
    clock.now = utc("2027-01-13 08:00")
    engine().tick()
    assert digests(bag) == ["Today: 1 problem"]
    assert "january.csv is held, and nothing of it is taken: marked as left by this file: 12 of 160" in texts(bag)[0]
    assert "commsengine people import /srv/hr/january.csv --yes --because TEXT" in texts(bag)[0]


def test_it_says_what_never_arrived_and_which_channel_rests(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    asked(store)
    store.people.save([someone(2, channel="slack"), someone(3)], by="dana", now=clock.now)
    refuses = a_channel(
        bag, lambda m: Outcome(m.key, PERMANENT, "rcpt", "501 bad") if m.to_email == someone(3).email else None
    )
    both = a_plan(send={**BERLIN, "channels": ["email", "slack"]})
    store.campaigns.save_version(both, {}, "", introduced={}, by="dana", now=clock.now)
    down = "Slack refuses us: invalid_auth"
    slack = a_channel(bag, lambda m: Outcome(m.key, RETRY, begun=False, channel_down=down, fault="us"), name="slack")
    running = engine(email=refuses, slack=slack)
    running.tick()
    basis = MorningBasis(store, running.decisions, Scribe, ["email", "slack"], no_links(store))
    record = store.campaigns.get("crm")
    assert record
    assert list(Digests(basis)._troubles(record, clock.now)) == [
        "1 message failed since yesterday. To see to whom, and why: commsengine today",
        "Nothing is sent by Slack until Mon 11 Jan 09:00 UTC (1 waiting): Slack refuses us: invalid_auth.",
    ]
    assert list(Digests(basis)._never_arrived("crm", clock.now)) == []
    clock.forward(days=3)
    assert list(Digests(basis)._never_arrived("crm", clock.now)) == [
        "1 message did not arrive. To see to whom, and why: commsengine today"
    ]
    assert not any("failed" in trouble for trouble in Digests(basis)._troubles(record, clock.now))


def no_links(store: Store) -> MakeLink:
    return FreshLinks(store, "https://comms.example.com", OwnMail(store, Scribe, ["email"])).make


def test_a_campaign_that_the_engine_paused_is_the_first_news(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(send=BERLIN))
    store.campaigns.pause("crm", by="engine", now=utc("2027-01-11 10:00"), reason="its text is refused.")
    morning(engine(), clock, TUESDAY)
    assert digests(bag) == ["Today: 1 problem"]
    assert texts(bag)[0].startswith("The engine paused the campaign: its text is refused. When this is solved: ")


def test_promises_whose_day_is_past_and_questions_that_are_alike(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    people = [someone(n) for n in range(5)]
    run(store, people, a_plan(send=BERLIN, follow_up=[]))
    for person, text in zip(people, ["Is there a form?", *["May I keep my notebook?"] * 3, "Why?"], strict=True):
        store.questions.ask(person.id, "crm", "one-record", "k", text, evidence="link", now=utc("2027-01-11 10:00"))
    first = store.questions.all()[0]
    promise = NewReply("crm", "one-record", "A shorter form comes.", "later", dt.date(2027, 1, 12))
    store.replies.give([first.ask], promise, by="dana", now=utc("2027-01-11 11:00"))
    morning(engine(), clock, "2027-01-14 07:00")
    assert digests(bag) == ["Today: 1 promise overdue, 4 questions open"]
    lines = texts(bag)[0].splitlines()
    assert (
        lines[0]
        == "A shorter form comes – promised to 1 person for 12 January. If it is done: commsengine question 1 --as done"
    )
    assert [("notebook" in line, "alike=2" in line) for line in lines[1:3]] == [(True, True), (False, False)]


def test_what_a_person_has_paused_is_silent_and_told_when_it_goes_on(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    asked(store)
    store.campaigns.pause("crm", by="dana", now=utc("2027-01-11 10:00"))
    running = engine()
    morning(running, clock, TUESDAY, WEDNESDAY)
    store.campaigns.resume("crm", backlog="none", by="dana", now=clock.now)
    morning(running, clock, "2027-01-14 07:00")
    assert digests(bag) == ["Today: 1 question open"]


def test_the_numbers_are_of_the_last_working_day_and_of_today(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """On Monday they go back to Friday; what falls due before midnight leaves today."""
    people = [someone(n) for n in range(4)]
    run(store, people, a_plan(ASKS, send=BERLIN, follow_up=[]))
    running = engine()
    morning(running, clock, "2027-01-15 08:30")
    answers(store, "Yes.", "2027-01-15 10:00")
    answers(store, "", "2027-01-16 10:00", kind="acknowledged")
    store.questions.ask(people[2].id, "crm", "asks", "k", "Why?", evidence="link", now=utc("2027-01-17 10:00"))
    morning(running, clock, "2027-01-18 07:00")
    assert "Since Friday: 4 messages sent, 1 confirmed, 1 answered, 1 question asked." in texts(bag)[-1]
    assert "Still to be sent today: 3 messages (3 by e-mail)." in texts(bag)[-1]
    morning(running, clock, "2027-01-18 08:30", "2027-01-19 07:00")
    assert "Yesterday: 3 messages sent, 0 confirmed, 0 answered." in texts(bag)[-1]


def test_what_others_recorded_is_told_with_note_and_what_was_unclear(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1), MIA], a_plan(send=BERLIN, follow_up=[]))
    about = (someone(1).id, "crm", ["one-record"])
    store.answers.outcome(
        *about, "objects", unclear="skill", note="a course", by=MIA.email, now=utc("2027-01-11 10:00")
    )
    store.answers.outcome(*about, "understood", by=DANA, now=utc("2027-01-11 11:00"))
    morning(engine(), clock, TUESDAY)
    assert "1 talk recorded" in digests(bag)[0]
    assert (
        "RecordedTalk(name='Person 1', by='Mia Wolf', came='Has an objection; unclear: whether they can do it', "
        "day='11 January', note='a course')"
    ) in texts(bag)[0]


ASKS = a_message(
    id="asks", ask="input", input={"question": "What must never get harder?"}, cadence={"every": "48h", "times": "9"}
)
TUESDAY, WEDNESDAY, FRIDAY = "2027-01-12 07:00", "2027-01-13 07:00", "2027-01-15 07:00"


def answers(
    store: Store, text: str, now: str, *, number: int = 1, key: str = "", kind: str = "input", message: str = "asks"
) -> int:
    person = someone(number)
    given = store.answers.record(
        person.id, "crm", message, key or now, kind, value=text, right=True if kind == "check" else None,
        evidence="link", by=person.id, now=utc(now),
    )  # fmt: skip
    return given.id


def morning(running: Engine, clock: Clock, *moments: str) -> None:
    for moment in moments:
        clock.now = utc(moment)
        running.tick()


def texts(bag: Mailbag) -> list[str]:
    return [message.text for message in bag.arrived if message.to_email == DANA]


def test_what_people_answered_is_read_the_next_morning_and_once(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(ASKS, send=BERLIN, follow_up=[]))
    running = engine()
    answers(store, "The phone number.", "2027-01-11 10:00")
    morning(running, clock, TUESDAY)
    assert digests(bag) == ["Today: 1 new answer"]
    assert "name='Person 1', about='asks', text='The phone number.', day='11 January'" in texts(bag)[0]
    assert "All answers so far: commsengine answers crm." in texts(bag)[0]
    morning(running, clock, WEDNESDAY, "2027-01-14 07:00")
    assert len(digests(bag)) == 1
    answers(store, "And the map.", "2027-01-14 08:00")
    morning(running, clock, FRIDAY)
    assert ("And the map." in texts(bag)[1], "The phone number." in texts(bag)[1]) == (True, False)


def test_a_broken_commitment_is_told_the_morning_after_and_is_no_reason_for_a_mail_every_day(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    promise = a_message(ask="commit", commit={"text": "I log each call.", "by": "2027-01-12"})
    run(store, [someone(n) for n in range(3)], a_plan(promise, send=BERLIN, follow_up=[]))
    running, who = engine(), [someone(n).id for n in range(3)]

    def says(person: str, kind: str, at: str) -> None:
        store.answers.record(person, "crm", "one-record", "k", kind, value="", evidence="link", by=person, now=utc(at))  # type: ignore[arg-type]

    for person in who:
        says(person, "commit", "2027-01-11 10:00")
    says(who[0], "kept", "2027-01-12 10:00")
    morning(running, clock, TUESDAY)
    assert digests(bag) == []
    morning(running, clock, WEDNESDAY)
    assert digests(bag) == ["Today: 2 commitments overdue"]
    assert "Person 1, 'one-record': no answer since that day" in texts(bag)[0]
    morning(running, clock, "2027-01-14 07:00")
    assert len(digests(bag)) == 1
    says(who[1], "not_kept", "2027-01-14 10:00")
    morning(running, clock, FRIDAY)
    assert digests(bag)[1:] == ["Today: 1 commitment overdue"]
    assert "Person 1, 'one-record': says it is not done yet" in texts(bag)[1]
    assert "Person 2, 'one-record': no answer since that day" in texts(bag)[1]


def test_a_gate_that_waits_for_the_lead_stands_in_each_digest(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    gated = {"listen": {"until": "2027-01-12", "gate": "true"}}
    run(store, [someone(1)], a_plan(a_message(id="later", **{"from": "2027-01-12"}), send=BERLIN, phases=gated))
    store.questions.ask(someone(1).id, "crm", "later", "k", "When?", evidence="link", now=utc("2027-01-11 08:00"))
    running = engine()
    shut = "The phase 'listen' has ended and its gate is closed. To open it: commsengine phases crm --open listen"
    morning(running, clock, "2027-01-11 08:30", TUESDAY)
    assert [shut in text for text in texts(bag) if "When?" in text] == [False, True]
    store.gates.open("crm", "listen", because="", by="dana", now=utc("2027-01-12 10:00"))
    morning(running, clock, WEDNESDAY)
    assert shut not in texts(bag)[-1]


def test_over_days_without_a_digest_nothing_is_lost(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    """An engine that stood still on Tuesday, a weekend, a minute between two digests."""
    run(store, [someone(1)], a_plan(ASKS, send=BERLIN, follow_up=[]))
    for text, at in (("a", "2027-01-11 10:00"), ("b", "2027-01-12 10:00"), ("c", "2027-01-13 06:59:30")):
        answers(store, text, at)
    running = engine()
    morning(running, clock, WEDNESDAY)
    for text, at in (("d", "2027-01-13 07:00"), ("e", "2027-01-16 10:00"), ("f", "2027-01-18 06:00")):
        answers(store, text, at)
    morning(running, clock, "2027-01-18 07:00")
    assert [[each for each in "abcdef" if f"text='{each}'" in text] for text in texts(bag)] == [
        ["a", "b"], ["c", "d", "e", "f"],
    ]  # fmt: skip


def test_what_a_digest_that_failed_would_have_told_stands_in_the_next(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(ASKS, send=BERLIN, follow_up=[]))
    refused = [1]

    def once(message: RenderedMessage) -> Outcome | None:
        bad = message.to_email == DANA and bool(refused) and refused.pop()
        return Outcome(message.key, PERMANENT, "dot", "554 no") if bad else None

    running = engine(email=a_channel(bag, once))
    answers(store, "The phone number.", "2027-01-11 10:00")
    morning(running, clock, TUESDAY, WEDNESDAY)
    assert digests(bag) == ["Today: 1 new answer"]


def test_many_answers_are_capped_and_the_rest_is_counted(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(n) for n in range(30)], a_plan(ASKS, send=BERLIN, follow_up=[]))
    for number in range(30):
        answers(store, f"said {number:02d}.", "2027-01-11 10:00", number=number)
    morning(engine(), clock, TUESDAY)
    assert digests(bag) == ["Today: 30 new answers"]
    assert (texts(bag)[0].count("said "), "10 more: commsengine answers crm." in texts(bag)[0]) == (20, True)


def test_what_is_alike_is_one_line_with_its_id_and_what_is_chosen_is_counted(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    ranks = a_message(id="ranks", ask="input", input={"question": "First?", "kind": "rank", "choices": ["A", "B"]})
    run(store, [someone(n) for n in range(4)], a_plan(ASKS, ranks, send=BERLIN, follow_up=[]))
    for number, order in enumerate(("A\nB", "A\nB", "B\nA", "A\nB")):
        answers(store, "The phone number.", "2027-01-11 10:00", number=number)
        answers(store, order, "2027-01-11 11:00", number=number, message="ranks")
    morning(engine(), clock, TUESDAY)
    assert digests(bag) == ["Today: 8 new answers"]
    assert texts(bag)[0].count("The phone number.") == 1
    assert "name='Person 0, Person 1, Person 2'" in texts(bag)[0]
    assert "id='a1', alike=1" in texts(bag)[0]
    assert '"ranks", 4 new; so far: A (points) 3, B (points) 1' in texts(bag)[0]


def test_checks_what_was_taken_back_and_bare_promises_are_not_told(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    run(store, [someone(1)], a_plan(ASKS, send=BERLIN, follow_up=[]))
    store.answers.withdraw(answers(store, "Oops.", "2027-01-11 10:00"), utc("2027-01-11 10:01"))
    answers(store, "The notebook", "2027-01-11 11:00", kind="check")
    answers(store, "", "2027-01-11 12:00", kind="commit")
    answers(store, "", "2027-01-11 12:00", kind="acknowledged")
    morning(engine(), clock, TUESDAY)
    assert digests(bag) == []


def test_each_owner_reads_what_is_new_to_them(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    """Tom is in New York: his morning comes six hours later, with what came in between."""
    tom = someone(7, id="tom", email="tom@example.com", time_zone="America/New_York", department="Change")
    run(store, [someone(1), tom], a_plan(ASKS, send=BERLIN, follow_up=[], owner=[DANA, tom.email]))
    running = engine()
    answers(store, "early", "2027-01-11 10:00")
    morning(running, clock, TUESDAY)
    answers(store, "late", "2027-01-12 10:00")
    morning(running, clock, "2027-01-12 13:00")
    theirs = [m.text for m in bag.arrived if m.to_email == tom.email and m.subject.startswith("Today")]
    assert [("early" in text, "late" in text) for text in (*texts(bag), *theirs)] == [(True, False), (True, True)]


def test_the_lead_gets_what_to_say_and_the_managers_call_one_line(
    store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock
) -> None:
    called = [{"after": "1 touches", "do": "personal", "by": "manager"}]
    boss = replace(MIA, department="Board")
    people = [someone(1, manager=""), someone(2), boss]
    run(store, people, a_plan(a_message(to=["sales"]), send=BERLIN, follow_up=called))
    live(store, engine, clock, "2027-01-16")
    morning(engine(), clock, "2027-01-18 07:00")
    own, theirs = texts(bag)[-1].splitlines()[:2]
    assert "Person 1" in own
    assert "Ask Person about one-record." in own
    assert ("by='Mia Wolf'" in theirs, "Ask Person" in theirs) == (True, False)
