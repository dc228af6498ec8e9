"""A relay that answers anything it ever was heard to answer, at random, and what must come of that.

The conversation is real, the clock is set. What is said to whom in which phase follows from the seed: the order of the
threads changes nothing of it.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from sqlalchemy import select

from commsengine.cadence.plan import Workspace
from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from commsengine.engine.engine import Engine
from commsengine.engine.sending.senders import ChannelSetup
from commsengine.store.store import Store
from commsengine.store.tables import attempt, refusal, touch
from tests.builders import a_message, a_plan, someone, utc
from tests.corpus import REPLIES, Reply
from tests.engine.conftest import KICKOFF_MORNING, run
from tests.fakes import Clock, Scribe
from tests.faults.threads.engines import ALL_DAY
from tests.servers import SmtpSink

TO_SOMEBODY = ("rcpt", "data", "reply")
PHASES = {"dot": "reply"}
"""The names of the corpus for those of the sink."""

A_STEP = 2.0  # minutes
PASSWORD = "secret"


class AnyReplyRelay(SmtpSink):
    """Until ``accept`` any mail reply of the corpus at its phase: to one recipient in so many, to one connection or
    sender in so many."""

    def __init__(self, seed: int, *, to_people: float, to_all: float) -> None:
        self._seed, self._to_people, self._to_all = seed, to_people, to_all
        self._visits: Counter[tuple[str, str]] = Counter()
        self._counting = threading.Lock()
        self._accepts = False
        self.said: dict[str, list[Reply]] = {}
        self.said_to_all: Counter[str] = Counter()
        self._at: dict[str, list[Reply]] = {}
        for each in REPLIES:
            if each.channel == "email":
                self._at.setdefault(each.phase, []).append(each)
        super().__init__(password=PASSWORD)

    def accept(self) -> None:
        self._accepts = True
        super().accept()

    def _stands(self, phase: str) -> str:
        name = PHASES.get(phase, phase)
        if self._accepts or name not in self._at:
            return ""
        to = getattr(self._said, "to", "") if name in TO_SOMEBODY else ""
        with self._counting:
            self._visits[name, to] += 1
            lot = Random(f"{self._seed} {name} {to} {self._visits[name, to]}")  # noqa: S311 - a lot, no secret
            if lot.random() >= (self._to_people if to else self._to_all):
                return ""
            reply = lot.choice(self._at[name])
            self.said.setdefault(to, []).append(reply)
            self.said_to_all[reply.fault] += not to
        return reply.says


@dataclass
class AnyReplyResult:
    """``broken`` are promises in words."""

    people: int
    said: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    held_at_most: int = 0
    words: int = 0
    twice_alike: int = 0
    broken: list[str] = field(default_factory=list)

    def promise(self, kept: bool, text: str) -> None:
        if not kept:
            self.broken.append(text)


def play(
    store: Store, people: int, *, seed: int, to_people: float = 0.25, to_all: float = 0.05, steps: int = 400
) -> AnyReplyResult:
    """A campaign of one message; for ``steps`` of two minutes at most anything is answered, then all is accepted."""
    clock, result = Clock(utc(KICKOFF_MORNING)), AnyReplyResult(people)
    once = a_message(ask="nothing", cadence={"every": "24h", "times": "1"}, until="2027-04-30")
    send = {"channels": ["email"], "holidays": "false", "window": ALL_DAY, "max_late": "24h"}
    run(store, [someone(number) for number in range(people)], a_plan(once, send=send))
    with AnyReplyRelay(seed, to_people=to_people, to_all=to_all) as relay:
        server = SmtpServer("127.0.0.1", relay.port, tls="off", user="bot", password=PASSWORD)
        setup = ChannelSetup(lambda: EmailChannel(server, "dana@example.com"), 3)
        with Engine(
            store, {"email": setup}, Scribe, workspace=Workspace(), clock=clock, sleep=clock.sleep, interval=10.0
        ) as engine:
            _live(engine, store, clock, result, steps)
            relay.accept()
            _live(engine, store, clock, result, 400, word="again")
        _judge(store, relay, result)
    return result


def _live(engine: Engine, store: Store, clock: Clock, result: AnyReplyResult, steps: int, word: str = "") -> None:
    for step in range(steps):
        engine.tick()
        states = _states(store)
        result.held_at_most = max(result.held_at_most, store.refusals.people_waiting())
        for record in store.campaigns.all():
            if record.state == "paused":  # too many addresses are wrong: the lead looks, and goes on
                store.campaigns.resume(record.id, backlog="all", by="dana", now=clock.now)
        if word:  # a text that is held waits for the lead
            for each in store.refusals.open():
                if each.holds:
                    result.words += 1
                    store.refusals.settle(each.id, "again", by="dana", now=clock.now)
        if sum(states.values()) >= result.people and not set(states) & {"retry", "claimed", "sending"}:
            return
        clock.forward(minutes=A_STEP if step < steps // 2 else 5 * A_STEP)


def _states(store: Store) -> Counter[str]:
    (books,) = store.counts.status(utc(KICKOFF_MORNING))
    return Counter({state: number for state, number in books.touches.items() if number})


def _judge(store: Store, relay: AnyReplyRelay, result: AnyReplyResult) -> None:
    rows = list(store.touches.list("crm"))
    result.states = Counter(row.state for row in rows)
    result.promise(result.states == _states(store), f"the books say {_states(store)}, there are {result.states}")
    result.said = Counter(each.verdict for told in relay.said.values() for each in told)
    settled = {row.id for row in store.database.rows(select(refusal.c.id).where(refusal.c.fault == "person"))}
    arrived, excused = Counter(relay.recipients), {row.person_id for row in rows if row.state != "sent"}
    last = _last_attempts(store)
    emails = {person.id: person.email for person in store.people.all()}
    for row in rows:
        told = relay.said.get(emails[row.person_id or ""], [])
        fault, number = last.get(row.key, ("", None))
        if row.state == "failed":
            theirs = any(each.fault == "person" for each in told)
            full = sum(each.verdict == "later full" for each in told) > 0
            result.twice_alike += number in settled
            result.promise(fault == "person", f"{row.key} failed of {fault or 'nothing'}: {row.reason}")
            result.promise(theirs or full or number in settled, f"{row.key} failed, and was told {told}")
        elif row.reason == "unreachable":
            no_mailbox = any(each.verdict == "person gone" for each in told)
            result.promise(row.state == "skipped" and no_mailbox, f"{row.key} is not reachable, and was told {told}")
        else:
            result.promise(row.state == "sent", f"{row.key} is {row.state} {row.reason} in the end")
    for person, email in emails.items():
        reached = arrived[email] == 1
        result.promise(reached or person in excused, f"{person} is not reached, and was told {relay.said.get(email)}")
        result.promise(arrived[email] < 2, f"{person} got it {arrived[email]} times")


def _last_attempts(store: Store) -> dict[str, tuple[str, int | None]]:
    """By key, the fault of the last attempt, and its refusal."""
    lost = select(touch.c.key).where(touch.c.state == "failed")
    tried = select(attempt.c.key, attempt.c.fault, attempt.c.refusal_id).where(attempt.c.key.in_(lost))
    return {row[0]: (row[1], row[2]) for row in store.database.rows(tried.order_by(attempt.c.key, attempt.c.n))}
