"""Resume, pause, restore and lateness: threads in which going on meant starting over, or sending whatever was late.

Our rule: a pause changes only what may be claimed. What fell due long ago is skipped or waits for a person's word;
a clock, a zone or a file that somebody edits never sends anything.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from commsengine.content.message import RenderedMessage
from commsengine.sandbox.mailbox import Mailbox
from commsengine.store.store import Store
from tests.builders import utc
from tests.cli.conftest import _no_settings_of_this_machine, mailbox, terminal
from tests.cli.terminal import Terminal
from tests.engine.conftest import MakeEngine, run
from tests.fakes import Clock, Mailbag, a_channel
from tests.faults.threads.engines import an_engine, crowd, once, over_smtp, per_person, states
from tests.servers import SmtpSink

__all__ = ["_no_settings_of_this_machine", "mailbox", "terminal"]


def test_listmonk_2070_resume_sent_again(store: Store, engine: MakeEngine, bag: Mailbag, clock: Clock) -> None:
    """They: a paused campaign was resumed, and wrote again to the people who had the message already.

    Here: whoever has it keeps their row, and a row that exists is never sent again.
    """
    run(store, crowd(30))
    paused_at = [10, 20]

    def pause_twice(message: RenderedMessage) -> None:
        if paused_at and len(bag.arrived) == paused_at[0]:
            paused_at.pop(0)
            store.campaigns.pause("crm", by="dana", now=clock.now)

    running = engine(email=a_channel(bag, before_mark=pause_twice))
    for _ in range(3):
        running.tick()
        store.campaigns.resume("crm", backlog="all", by="dana", now=clock.now)
    assert (len(bag.arrived), per_person(bag.to)) == (30, {1})


def test_listmonk_2313_the_relay_hung_up_and_each_resume_began_with_a(
    store: Store, engine: MakeEngine, relay: SmtpSink, clock: Clock
) -> None:
    """They: the relay closed the connection every so often; each resume began with the letter A, and a third got none.

    Here: a new connection goes on where the old one was closed; everybody has one copy.
    """
    run(store, crowd(30))

    def hang_up(data: bytes) -> None:
        if len(relay.messages) % 7 == 0:
            relay.fail("mail", "421 4.7.0 enough for one connection")

    relay.on_message = hang_up
    running = engine(email=over_smtp(relay))
    for _ in range(3):
        running.tick()
        store.campaigns.pause("crm", by="dana", now=clock.now)
        store.campaigns.resume("crm", backlog="latest", by="dana", now=clock.now)
    assert (len(relay.recipients), per_person(relay.recipients), relay.connections > 3) == (30, {1}, True)


@pytest.mark.parametrize(
    ("people", "at", "becomes", "held"), [(20, "13:00", {"skipped": 20}, False), (102, "11:00", {}, True)]
)
def test_listmonk_1801_a_snapshot_restored_at_one_sent_the_eight_o_clock_mail_again(
    store: Store, bag: Mailbag, clock: Clock, database: Path, people: int, at: str, becomes: dict[str, int], held: bool
) -> None:
    """They: sent at 8:00; at 13:00 a snapshot from before came up as a second server, and sent everything again.

    Here: what is hours late is skipped and not sent; where over a hundred messages are overdue, the engine asks first.
    """
    run(store, crowd(people), once())
    clock.now = utc("2027-01-11 07:55")
    with an_engine(store, clock, a_channel(bag)) as running:
        running.tick()
        snapshot = database.with_name("snapshot.db")
        with sqlite3.connect(database) as source, sqlite3.connect(snapshot) as target:
            source.backup(target)
        clock.now = utc("2027-01-11 08:00")
        running.tick()
    assert len(bag.arrived) == people
    clock.now = utc(f"2027-01-11 {at}")
    with Store.open(f"sqlite:///{snapshot}") as restored, an_engine(restored, clock, a_channel(bag)) as running:
        assert (bool(running.tick().hold), states(restored)) == (held, becomes)
    assert len(bag.arrived) == people


def test_listmonk_516_scheduled_but_not_saved_and_it_left_at_once(terminal: Terminal, mailbox: Mailbox) -> None:
    """They: a date was typed and not saved; the campaign was started as if it had none, and everything left at once.

    Here: apply says when the first message would leave; a plan that was edited and not applied changes nothing.
    """
    file, start = terminal.path("schedules/crm.yaml"), dt.datetime.now(dt.UTC).date() + dt.timedelta(days=19)
    at_once = Path(file).read_text(encoding="utf-8")
    terminal.write(file, at_once.replace("from: kickoff", "from: kickoff + 20d"))
    terminal.run("people", "import", terminal.path("people.csv"))
    first = dt.datetime.combine(start, dt.time(), ZoneInfo("Asia/Seoul")).astimezone(dt.UTC)  # Ana's own midnight
    assert f"the first {first:%a} {first.day} {first:%b} {first:%H:%M}" in terminal.run("apply", file, "--yes").out
    assert terminal.run("start", "crm", "--yes").status == 0
    terminal.write(file, at_once)
    assert terminal.run("tick").status == 0
    assert mailbox.arrived == []


@pytest.mark.usefixtures("machine_in_kolkata")
def test_listmonk_58_the_clock_of_the_database_sent_it_at_once(
    on_postgres: Store, postgres_url: str, bag: Mailbag, clock: Clock
) -> None:
    """They: a campaign that was planned for later left at once: the hour was judged by the database.

    Here: instants are in UTC, made of the person's zone and judged by the engine's clock, whatever the database has.
    """
    with on_postgres.database.write() as connection:
        connection.exec_driver_sql("ALTER DATABASE postgres SET timezone TO 'Asia/Kolkata'")
    with Store.open(postgres_url) as store:
        run(store, crowd(3), once())
        with an_engine(store, clock, a_channel(bag)) as running:
            for moment, sent in (("2027-01-11 02:30", 0), ("2027-01-11 07:59", 0), ("2027-01-11 08:00", 3)):
                clock.now = utc(moment)  # 8:00, 13:29 and 13:30 in Kolkata
                running.tick()
                assert len(bag.arrived) == sent
