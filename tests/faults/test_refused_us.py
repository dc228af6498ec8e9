"""A relay that refuses us and not the person: nobody fails, the rest waits, and all is sent once it takes us again.

A real relay on a socket and the engine with a clock that is set. The replies are those of the providers.
"""

from __future__ import annotations

import datetime as dt
import email
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from commsengine.cadence.plan import Workspace
from commsengine.campaigns.apply import apply, compare
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.engine.engine import Engine
from commsengine.engine.sending.senders import LARGEST_BATCH, ChannelSetup
from commsengine.reports.today import today
from commsengine.store.store import Store
from commsengine.store.tables import refusal, touch
from tests import fresh
from tests.builders import a_message, a_plan, someone, utc
from tests.engine.conftest import KICKOFF_MORNING, run
from tests.fakes import Clock, Scribe
from tests.faults.threads.engines import ALL_DAY
from tests.servers import SmtpSink

ADMIN = "admin@example.com"
EVERYBODY = 8
QUOTAS = [
    ("mail", "550 5.4.5 Daily user sending limit exceeded. For more information go to https://support.example.com"),
    ("rcpt", "550 5.4.5 Daily user sending limit exceeded"),
    ("rcpt", "550 5.1.90 Your message can't be sent because you exceeded the recipient rate limit"),
    ("dot", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message"),
    ("dot", "454 4.7.0 Throttling failure: Daily message quota exceeded."),
    ("dot", "550 5.7.1 Email quota exceeded"),
    ("rcpt", "451 Authentication failed: Maximum credits exceeded"),
]
US = [
    ("dot", "554 5.2.252 SendAsDenied; change@example.com not allowed to send as dana@example.com"),
    ("mail", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    ("dot", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    ("dot", "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP"),
    ("dot", "550 5.1.8 Access denied, bad outbound sender AS(42004)"),
    ("rcpt", "553 5.7.1 <dana@example.com>: Sender address rejected: not owned by user bot"),
    ("rcpt", "554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied"),
    ("rcpt", "530 5.7.57 Client not authenticated to send mail"),
    ("dot", "554 5.7.509 Access denied, sending domain does not pass DMARC verification"),
    ("dot", "554 Message rejected: Email address is not verified."),
]
SEEN_BY_THE_THIRD = [
    ("rcpt", "554 5.7.1 <p1@example.com>: Relay access denied"),
    ("rcpt", "550 Administrative prohibition"),
    ("rcpt", "550 No"),
    ("data", "550 5.7.1 Command rejected"),
    ("dot", "554 5.7.1 Message rejected by policy"),
]
A_TEXT = "554 5.7.1 Message rejected as spam by Content Filtering."


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh.a_store(tmp_path / "engine.db") as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock(utc(KICKOFF_MORNING))


@pytest.fixture
def relay() -> Iterator[SmtpSink]:
    with SmtpSink() as relay:
        yield relay


MakeEngine = Callable[..., Engine]


@pytest.fixture
def engine(store: Store, clock: Clock, relay: SmtpSink) -> Iterator[MakeEngine]:
    """One with so many connections; another one takes the place of the one before, as with cron."""
    made: list[Engine] = []

    def make(threads: int = 3, interval: float | None = 10.0) -> Engine:
        for before in made:
            before.stop()
        server = SmtpServer("127.0.0.1", relay.port, tls="off")
        email = ChannelSetup(lambda: EmailChannel(server, "dana@example.com"), threads)
        made[:] = [Engine(
            store, {"email": email}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=interval,
            admin=ADMIN,
        )]  # fmt: skip
        made[0].start()
        return made[0]

    yield make
    for each in made:
        each.stop()


def begin(store: Store, people: int = EVERYBODY) -> None:
    once = a_message(ask="nothing", cadence={"every": "24h", "times": "1"})
    send = {"channels": ["email"], "holidays": "false", "window": ALL_DAY, "max_late": "24h"}
    run(store, [someone(number) for number in range(people)], a_plan(once, send=send))


def states(store: Store) -> dict[str, int]:
    """The books, after seeing that they balance."""
    counts = store.counts.status(utc(KICKOFF_MORNING))[0].touches
    rows = [row.state for row in store.touches.list("crm")]
    assert counts == {state: rows.count(state) for state in counts}
    return {state: number for state, number in counts.items() if number}


def attempts(store: Store) -> set[int]:
    """How many count."""
    return {row.attempts - row.uncounted for row in store.touches.list("crm")}


def faults(store: Store) -> list[str]:
    """Whose refusals it was, of every touch that has failed."""
    lost = [row.key for row in store.touches.list("crm") if row.state == "failed"]
    return [store.touches.attempts(key)[-1].fault for key in lost]


def what_waits(engine: Engine, store: Store, clock: Clock) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = today(store, engine.decisions, Scribe, clock.now)  # type: ignore[arg-type]
    return found


def told(relay: SmtpSink) -> list[str]:
    letters = [email.message_from_bytes(data) for data in relay.messages]
    return [letter.as_string() for letter in letters if letter["To"] == ADMIN]


def offered(relay: SmtpSink) -> int:
    """How many messages of the campaign; alerts go to others."""
    return sum(line.startswith(b"RCPT TO:<p0") for line in relay.lines)


def until_sent(engine: Engine, store: Store, clock: Clock, people: int = EVERYBODY, minutes: int = 25) -> None:
    for _ in range(minutes * 6):
        engine.tick()
        if states(store) == {"sent": people}:
            return
        clock.forward(seconds=10)
    raise AssertionError(states(store))


@pytest.mark.parametrize(
    ("phase", "reply", "after"), [(*one, 3 * (number % 2)) for number, one in enumerate(QUOTAS + US)]
)
def test_f37_a_refusal_of_us_fails_nobody_and_counts_no_attempt(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine, phase: str, reply: str, after: int
) -> None:
    begin(store)
    relay.refuse(phase, reply, after=after)
    running = engine(threads=1)
    for _ in range(5):
        report = running.tick()
        assert (report.failed, states(store)) == (0, {"sent": after} if after else {})
        clock.forward(minutes=11)
    relay.accept()
    until_sent(running, store, clock)
    assert attempts(store) == {1}
    assert sorted(set(relay.recipients) - {ADMIN}) == [someone(number).email for number in range(EVERYBODY)]


@pytest.mark.parametrize(
    ("phase", "reply", "threads"),
    [(*one, 1 + 2 * (number % 2)) for number, one in enumerate(SEEN_BY_THE_THIRD)],
)
def test_f37_what_no_table_knows_is_about_us_from_the_third_equal_refusal_on(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine, phase: str, reply: str, threads: int
) -> None:
    begin(store)
    relay.refuse(phase, reply)
    running = engine(threads)
    for _ in range(5):
        report = running.tick()
        assert (report.refused, report.failed, report.waits_for_a_word) == (("email",), 0, 0)
        assert set(states(store)) == {"retry"}
        clock.forward(minutes=11)
    relay.accept()
    until_sent(running, store, clock)
    assert attempts(store) == {1}


@pytest.mark.parametrize(("phase", "reply"), [*QUOTAS[:1], *US[:1], *SEEN_BY_THE_THIRD[:1]])
def test_f37_today_and_the_administrator_hear_the_servers_words_and_how_many_wait(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine, phase: str, reply: str
) -> None:
    begin(store)
    relay.refuse(phase, reply)
    running = engine()
    running.tick()
    (rest,) = what_waits(running, store, clock)["channels"]
    assert (rest["channel"], rest["waiting"]) == ("email", EVERYBODY)
    assert rest["until"] == running.shut_channels()["email"][0].isoformat()
    assert reply[:9] in str(rest["because"])
    assert "@" not in str(rest["because"]).replace("dana@example.com", "")  # our own sender
    relay.accept()
    until_sent(running, store, clock)
    (letter,) = told(relay)
    assert reply[:9] in letter
    assert f"{EVERYBODY} messages wait" in letter
    assert what_waits(running, store, clock)["channels"] == []


def test_f37_a_quota_needs_no_person_and_a_refused_sender_does(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store)
    for (phase, reply), refused in ((QUOTAS[0], ()), (US[0], ("email",))):
        relay.refuse(phase, reply)
        assert engine().tick().refused == refused
        relay.accept()
        clock.forward(minutes=1)


@pytest.mark.slow
def test_f37_in_cron_each_tick_is_another_process_and_nobody_fails_either(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store)
    relay.refuse("dot", "554 5.7.1 Message rejected by policy")
    for _ in range(12):
        running = engine(interval=None)
        assert running.tick().failed == 0
        assert what_waits(running, store, clock)["channels"][0]["channel"] == "email"
        clock.forward(minutes=5)
        (rest,) = what_waits(running, store, clock)["channels"]
        assert int(str(rest["waiting"])) + states(store).get("retry", 0) >= EVERYBODY
    relay.accept()
    running = engine(interval=None)
    until_sent(running, store, clock)
    assert what_waits(running, store, clock)["channels"] == []


def test_f37_refusals_of_many_short_ticks_add_up(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    """One person falls due a day; another process meets each."""
    begin(store, 0)
    relay.refuse("rcpt", "550 Administrative prohibition")
    for number in range(3):
        store.people.save([someone(number)], by="dana", now=clock.now)
        report = engine(interval=None).tick()
        assert (report.held, report.refused) == ((1, ()) if number < 2 else (0, ("email",)))
        clock.forward(minutes=20)
    assert [each.fault for each in store.database.rows(select(refusal.c.fault))] == ["us"]
    assert faults(store) == []


@pytest.mark.parametrize("phase", ["rcpt", "data", "dot"])
def test_f37_one_refusal_is_held_and_tried_again_by_itself(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine, phase: str
) -> None:
    begin(store, 4)
    relay.refuse(phase, "554 5.7.1 Message rejected by policy", to=someone(0).email)
    running = engine(threads=1)
    report = running.tick()
    assert (report.sent, report.failed, report.held, report.needs_a_person) == (3, 0, 1, True)
    found = what_waits(running, store, clock)
    (held,), (one,) = found["held"], found["refusals"]
    assert (held["person"], held["reason"]) == (someone(0).email, "554 5.7.1 Message rejected by policy")
    assert (one["words"], one["people"], one["campaigns"]) == (held["reason"], 1, ["crm"])
    for minutes in (55, 4 * 60, 4 * 60):  # refused after an hour, and after four
        clock.forward(minutes=minutes)
        assert running.tick().failed == 0
        clock.forward(minutes=10)
        running.tick()
    assert (states(store), attempts(store)) == ({"sent": 3, "retry": 1}, {0, 1})
    assert len(store.touches.attempts(str(held["key"]))) == 4
    relay.accept()
    clock.forward(minutes=4 * 60)
    assert running.tick().sent == 1
    assert (states(store), attempts(store)) == ({"sent": 4}, {1})
    calm = {"channels": [], "numbers": []}  # what is told of every day
    assert what_waits(running, store, clock) | calm == {name: [] for name in found}


def test_f37_the_leads_word_settles_a_refusal_and_the_equal_ones_after_it(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store, 4)
    reply = "550 Administrative prohibition - envelope blocked"
    relay.refuse("rcpt", reply, to=someone(0).email)
    running = engine(threads=1)
    running.tick()
    (one,) = store.refusals.open()
    assert store.refusals.settle(one.id, "person", by="dana", now=clock.now) == 1
    assert (states(store), faults(store)) == ({"sent": 3, "failed": 1}, ["person"])
    (lost,) = what_waits(running, store, clock)["failed"]
    assert (lost["person"], lost["reason"]) == (someone(0).email, reply)
    relay.refuse("rcpt", reply, to=someone(9).email)
    store.people.save([someone(9)], by="dana", now=clock.now)
    assert running.tick().failed == 1
    assert faults(store) == ["person"] * 2
    assert store.refusals.open() == []


def test_f37_three_people_refused_alike_twice_while_others_get_it_fail(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store, 6)
    for number in (0, 2, 4):
        relay.refuse("rcpt", "550 5.7.1 we do not want this", to=someone(number).email)
    running = engine(threads=1)
    running.tick()
    assert states(store) == {"sent": 3, "retry": 3}
    store.people.save([someone(7), someone(8)], by="dana", now=clock.now + dt.timedelta(minutes=30))
    for _ in range(9):
        clock.forward(minutes=10)
        running.tick()
    assert (states(store), faults(store)) == ({"sent": 5, "failed": 3}, ["person"] * 3)
    assert running.shut_channels() == {}


def test_f37_one_address_that_refuses_us_again_and_again_shuts_nothing(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store, 1)
    relay.refuse("dot", "554 5.7.1 Message rejected by policy")
    running = engine()
    for _ in range(45):
        running.tick()
        assert running.shut_channels() == {}
        clock.forward(minutes=20)
    assert (states(store), attempts(store)) == ({"retry": 1}, {0})
    assert len([line for line in relay.lines if line.startswith(b"RCPT")]) < 10


@pytest.mark.parametrize("cron", [False, True])
def test_f37_three_bad_addresses_in_a_row_do_not_keep_the_others_waiting_for_long(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine, cron: bool
) -> None:
    begin(store, 20)
    for number in range(3):
        relay.refuse("rcpt", "550 5.7.1 we do not want this", to=someone(number).email)
    running = engine(threads=1, interval=None if cron else 10.0)
    for _ in range(9):
        running.tick()
        clock.forward(seconds=300 if cron else 10)
        running = engine(threads=1, interval=None) if cron else running
    assert (states(store), set(faults(store))) == ({"sent": 17, "retry": 3}, set())


@pytest.mark.parametrize(("threads", "ends"), [(1, "word"), (3, "text")])
def test_f37_a_text_that_is_refused_to_three_people_in_a_row_holds_its_message(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine, threads: int, ends: str
) -> None:
    people = 200
    begin(store, people)
    relay.refuse("dot", A_TEXT)
    running = engine(threads)
    report = running.tick()
    asked = offered(relay)
    assert (report.failed, report.sent, report.refused, report.needs_a_person) == (0, 0, (), True)
    assert 3 <= states(store)["retry"] < 3 * LARGEST_BATCH
    found = what_waits(running, store, clock)
    (one,) = found["refusals"]
    assert (one["words"], one["message"], one["holds"]) == (A_TEXT, "one-record", True)
    decided = running.decisions.of(["p00150"], running.decisions.campaigns(clock.now), clock.now)
    assert {(reason.code, reason.waits_for) for each in decided for reason in each.decision.reasons} == {
        ("held", "the lead's word, or another text")
    }
    for _ in range(5):
        clock.forward(hours=5)
        running.tick()
    assert (offered(relay), running.shut_channels()) == (asked, {})
    relay.accept()
    alerts = [row.payload for row in store.database.rows(select(touch.c.payload).where(touch.c.message == "alert"))]
    assert {each["to_email"] for each in alerts if A_TEXT in each["text"]} == {"dana@example.com", ADMIN}
    if ends == "word":
        store.refusals.settle(int(str(one["id"])), "again", by="dana", now=clock.now)
    else:
        record = store.campaigns.get("crm")
        assert record
        changed = record.plan.messages[0].model_copy(update={"text": ("Another text.",)})
        plan = record.plan.model_copy(update={"messages": (changed,)})
        diff = compare(store, running.decisions, plan, store.people.population(), clock.now)
        apply(store, plan, record.templates, "", diff=diff, by="dana", now=clock.now)
    until_sent(running, store, clock, people)
    assert store.refusals.open() == []


def test_f37_a_text_that_is_refused_to_one_person_holds_that_one(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store, 20)
    for number in (3, 7, 12):
        relay.refuse("dot", A_TEXT, to=someone(number).email)
    running = engine(threads=1)
    assert running.tick().held == 3
    assert states(store) == {"sent": 17, "retry": 3}
    (one,) = store.refusals.open()
    assert (one.fault, one.people, one.holds) == ("message", 3, False)
    relay.accept()
    key = next(row.key for row in store.touches.list("crm") if row.held)
    store.recovery.resolve(key, "resend", by="dana", now=clock.now)
    assert running.tick().sent == 1
    clock.forward(minutes=70)
    until_sent(running, store, clock, 20)


def test_f37_a_mailbox_that_is_not_there_stays_that_persons(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    """Exchange Online says 5.4.1 for it."""
    run(store, [someone(number) for number in range(5)], a_plan(send={"channels": ["email"], "holidays": "false"}))
    relay.refuse("rcpt", "550 5.1.1 <p1@example.com>: user unknown", to=someone(1).email)
    relay.refuse("rcpt", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", to=someone(2).email)
    assert engine().tick().failed == 0
    rows = [(row.person_id, row.channel, row.state) for row in store.touches.list("crm")]
    assert {(who, channel) for who, channel, state in rows if state == "sent"} == {
        ("p00000", "email"), ("p00001", "personal"), ("p00002", "personal"), ("p00003", "email"), ("p00004", "email"),
    }  # fmt: skip
    found = store.loading.histories(["p00001", "p00002"])
    assert [dict(one.history.unreachable) for one in found.values()] == [{"email": "no such mailbox"}] * 2


def test_f37_a_relay_that_is_out_of_order_before_anybody_is_named_fails_nobody(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store)
    relay.refuse("mail", "451 4.3.0 Error: queue file write error")
    running = engine()
    for _ in range(12):
        running.tick()
        assert states(store) == {}
        clock.forward(minutes=11)
    relay.accept()
    until_sent(running, store, clock)
    assert attempts(store) == {1}


@pytest.mark.parametrize("most", [1, 3])
def test_f38_a_relay_that_takes_few_connections_gets_no_more_and_everybody_is_reached(
    store: Store, clock: Clock, engine: MakeEngine, relay: SmtpSink, most: int
) -> None:
    people = 60
    begin(store, people)
    relay.at_once = most
    running = engine(threads=8)
    running.tick()
    assert states(store) == {"sent": people}
    assert relay.turned_away == 8 - most
    assert running.shut_channels() == {}
    assert (attempts(store), clock.now) == ({1}, utc(KICKOFF_MORNING))


def test_f38_the_next_engine_begins_with_as_many_connections_as_the_relay_took(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store, 30)
    relay.at_once = 2
    engine(threads=5, interval=None).tick()
    assert (states(store), relay.turned_away) == ({"sent": 30}, 3)
    store.people.save([someone(100 + n) for n in range(30)], by="dana", now=clock.now)
    clock.forward(minutes=1)
    engine(threads=5, interval=None).tick()
    assert (states(store), relay.turned_away) == ({"sent": 60}, 3)
    relay.at_once = 0
    for number in range(2, 5):
        clock.forward(minutes=6)
        store.people.save([someone(number * 100 + n) for n in range(30)], by="dana", now=clock.now)
        engine(threads=5, interval=None).tick()
    assert (states(store)["sent"], relay.turned_away, store.channels.narrowed("email")) == (150, 3, None)


@pytest.mark.parametrize(
    ("phase", "reply"),
    [
        ("mail", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"),
        ("dot", "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending"),
        ("connect", "421 4.3.2 The maximum number of concurrent server connections has exceeded a limit"),
        ("connect", "421 Too many concurrent SMTP connections; please try again later."),
        ("connect", "421 4.7.0 Too many from your address"),
    ],
)
def test_f38_one_connection_too_many_is_given_up_wherever_the_relay_says_so(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine, phase: str, reply: str
) -> None:
    begin(store, 60)
    relay.fail(phase, reply, times=2)
    running = engine(threads=3)
    running.tick()
    assert (states(store), attempts(store), running.shut_channels()) == ({"sent": 60}, {1}, {})


def test_f38_the_last_connection_is_kept_and_the_channel_rests(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store, 20)
    relay.refuse("connect", SmtpSink.TOO_MANY)
    running = engine(threads=3)
    running.tick()
    assert "too many connections" in running.shut_channels()["email"][1]
    relay.accept()
    until_sent(running, store, clock, 20)


def test_f38_after_a_while_one_connection_more_is_tried(
    store: Store, clock: Clock, relay: SmtpSink, engine: MakeEngine
) -> None:
    begin(store, 40)
    relay.at_once = 1
    running = engine(threads=3)
    running.tick()
    relay.at_once = 0
    seen = []
    for number in range(100, 103):
        clock.forward(minutes=6)
        store.people.save([someone(number * 100 + n) for n in range(60)], by="dana", now=clock.now)
        running.tick()
        seen.append(relay.open_now)
    assert states(store) == {"sent": 220}
    assert seen[-1] == 3
