"""A small world around the real store and the real parts of the engine, gone through one step at a time.

Nothing here has a thread: an engine decides, claims, marks, hands over and writes its receipts in single steps, so that
anything may happen between any two of them: another engine, a decree, an answer, a death, a restored database. The
``witness`` is the other side. It keeps every message that reached it, and no fault ever makes it forget.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from commsengine.cadence.history import Touch
from commsengine.cadence.plan import Plan, Workspace
from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, UNCERTAIN, Outcome
from commsengine.engine.decisions import Decided, Decisions
from commsengine.engine.heartbeat import LEASE
from commsengine.engine.owner_lock import Owner
from commsengine.engine.restored_database import look_back, unknown
from commsengine.engine.sending.attempt import MOST_ATTEMPTS, receipt_of, render_failed
from commsengine.engine.startup import reconcile
from commsengine.engine.state_folder import Note, StateFolder
from commsengine.engine.uncertain_sends import Resolution
from commsengine.errors import RenderError
from commsengine.resolvers.resolver import Sending, Sighting
from commsengine.store import moves
from commsengine.store.database import Database
from commsengine.store.moves import FINAL, MOVES, Move
from commsengine.store.person_rows import suppression_key
from commsengine.store.records import Commit, Lease, Receipt
from tests import fresh, outbox
from tests.builders import ANA, BEN, MIA, a_message, a_plan, utc
from tests.postgres import MEMORY
from tests.waiting import PATIENCE

PEOPLE = (ANA, BEN, MIA)
NOW = utc("2027-01-11 09:00")
ALL_DAY = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00"}
MESSAGES = (
    a_message(cadence={"every": "24h", "times": "3"}),
    a_message(id="one-list", cadence={"every": "24h", "times": "2"}, repeat_until="acknowledged"),
)
LADDER = [
    {"after": "1 touches", "do": "remind"},
    {"after": "1 touches", "do": "personal", "by": "manager"},
    {"after": "1 working days", "do": "sponsor"},
]

OUTCOMES = {
    "permanent": {"verdict": PERMANENT, "reply": "550 no", "fault": "person"},
    "unknown": {"verdict": PERMANENT, "reply": "550 why", "fault": "unknown", "alike": "550 why"},
    "message": {"verdict": PERMANENT, "reply": "554 text", "fault": "message", "alike": "554 text"},
    "later": {"verdict": RETRY, "reply": "451 later"},
    "rate limited": {"verdict": RETRY, "reply": "429", "begun": False, "retry_after": 30.0},
    "nothing offered": {"verdict": RELEASED, "begun": False},
    "unreachable": {"verdict": PERMANENT, "reply": "550 no such mailbox", "unreachable": "no such mailbox"},
    "silence": {"verdict": UNCERTAIN, "reply": "no answer"},
}
"""What may become of a message that did not reach the other side."""

_MOVED = "CREATE TABLE moved (n {}, key TEXT, old TEXT, new TEXT, kind TEXT, reason TEXT, tried INTEGER)"
_NOTE = "INSERT INTO moved (key, old, new, kind, reason, tried) VALUES"
_WATCH = {
    "sqlite": (
        _MOVED.format("INTEGER PRIMARY KEY"),
        f"""CREATE TRIGGER born AFTER INSERT ON touch BEGIN
        {_NOTE} (NEW.key, NULL, NEW.state, NEW.kind, NEW.reason, NEW.attempts); END""",
        f"""CREATE TRIGGER moves AFTER UPDATE OF state ON touch BEGIN
        {_NOTE} (NEW.key, OLD.state, NEW.state, NEW.kind, NEW.reason, NEW.attempts - OLD.attempts); END""",
        f"""CREATE TRIGGER gone AFTER DELETE ON touch BEGIN
        {_NOTE} (OLD.key, OLD.state, NULL, OLD.kind, '', 0); END""",
    ),
    "postgresql": (
        _MOVED.format("SERIAL PRIMARY KEY"),
        f"""CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        {_NOTE} (
          coalesce(NEW.key, OLD.key), OLD.state, NEW.state, coalesce(NEW.kind, OLD.kind), coalesce(NEW.reason, ''),
          CASE TG_OP WHEN 'DELETE' THEN 0 ELSE NEW.attempts - coalesce(OLD.attempts, 0) END
        ); RETURN NULL; END $$""",
        """CREATE TRIGGER moves AFTER INSERT OR DELETE OR UPDATE OF state ON touch
        FOR EACH ROW EXECUTE FUNCTION note()""",
    ),
}
"""The database itself writes down every change of state, whoever makes it."""


@cache
def a_template(kind: str) -> bytes:
    """An empty database of this kind that writes down its moves, to be copied for each world."""
    path = Path(tempfile.mkdtemp(dir=PLACE, prefix="model-template-")) / "template.db"
    with fresh.a_store(path) as store:
        with store.database.write() as connection:
            for statement in _WATCH[kind]:
                connection.exec_driver_sql(statement)
        store.database.checkpoint()
    return fresh.kept(path)


def a_campaign(number: int, *, on_uncertain: str = "once", messages: int = 2, reminders: bool = True) -> Plan:
    return a_plan(
        *MESSAGES[:messages],
        campaign=f"crm-{number}",
        on_uncertain=on_uncertain,
        follow_up=LADDER if reminders else LADDER[1:],
        send={
            "channels": ["email", "slack"], "holidays": "false", "window": ALL_DAY,
            "at_most": {"per_day": 10, "per_week": 50}, "max_late": "72h",
        },
    )  # fmt: skip


PLACE = str(MEMORY) if MEMORY.is_dir() else None
"""Where the folders of worlds are."""

ALIVE: set[str] = set()
"""The names of the engine processes that run."""


class HostOwner(Owner):
    """An engine process on one of several hosts; whether another one of its host is dead, is known here."""

    def proves_dead(self, name: str) -> bool:
        other = Owner.parse(name)
        return other is not None and other.host == self.host and name not in ALIVE


@dataclass
class Flight:
    """One message on its way. ``stage`` is claimed, marked or arrived."""

    key: str
    lease: Lease
    attempts: int
    stage: str = "claimed"
    touch: Touch | None = None
    epoch: int = 0  # of its campaign, when it was decided


class LittleEngine:
    """One engine process, that does what ``Engine``, ``Writer`` and ``Trip`` do, but one step at a time."""

    def __init__(self, world: World, host: str, number: int) -> None:
        self.world, self.store = world, world.store
        self.owner = HostOwner(host, number, "boot", str(number))
        ALIVE.add(self.owner.name)
        self.decisions = Decisions(self.store, Workspace(), frozenset({"email", "slack"}))
        self.state = StateFolder(world.folder / "state", self.store.engine.database_id(), durable=False)
        self.resolution = Resolution(self.store, {"email": [world.resolver]}, PATIENCE)
        self.flights: dict[str, Flight] = {}
        self.thought: tuple[list[Decided], dict[str, int], dict[str, int]] | None = None

    def start(self, poison: Sequence[str] = ()) -> str:
        reason = look_back(self.store, self.state, self.world.now)
        reconcile(self.store, self.owner, self.world.now, frozenset(poison))
        self.keep_beat()
        return reason

    def keep_beat(self) -> None:
        now, owner = self.world.now, self.owner
        self.store.engine.beat(owner.name, pid=owner.pid, host=owner.host, boot_id="boot", interval=10.0, now=now)
        if self.flights:
            self.store.outbox.renew(owner.name, now + LEASE, now)
        self.state.note(Note(str(self.store.path), self.store.engine.fence(), now))

    def think(self) -> None:
        """Decide; the claim comes later, and what is known may have changed by then."""
        campaigns = self.decisions.campaigns(self.world.now)
        decided = self.decisions.of(self.store.loading.due(self.world.now), campaigns, self.world.now)
        epochs = {each.id: each.epoch for each in campaigns.running}
        self.thought = decided, epochs, {each.id: each.version for each in campaigns.running}

    def announced(self) -> Lease:
        fence = self.store.engine.next_fence()
        self.state.journal.announce(fence, self.world.now)
        return Lease(self.owner.name, fence, self.world.now + LEASE)

    def claim(self) -> None:
        if self.thought is None:
            return
        (decided, epochs, versions), self.thought, now = self.thought, None, self.world.now
        lease = self.announced()
        claimed = self.store.outbox.claim(
            [(one.decision, one.facts_seq) for one in decided], lease, epochs=epochs, versions=versions, now=now
        )
        by_id = {one.person.id: one for one in decided}
        for touch in claimed:
            attempts = by_id[touch.person].attempts(touch.key)
            self.flights[touch.key] = Flight(touch.key, lease, attempts, touch=touch, epoch=epochs[touch.campaign])

    def claim_service(self) -> None:
        now = self.world.now
        keys = [record.key for record in self.store.service_mail.due(now)]
        if keys:
            lease = self.announced()
            for record in self.store.service_mail.claim(keys, lease, now):
                self.flights[record.key] = Flight(record.key, lease, record.attempts)

    def tick(self) -> None:
        self.keep_beat()
        self.claim_service()
        self.think()
        self.claim()

    def mark(self, flight: Flight, *, dies: bool = False) -> None:
        """The durable mark, then the journal. ``dies``: the process ends between the two."""
        now = self.world.now
        in_time = flight.touch is None or now < flight.touch.not_after
        keys = [flight.key] if in_time else []
        granted = outbox.record(self.store, keys, (), flight.lease, now)
        if dies:
            self.die()
            return
        self.state.journal.write({flight.lease.fence: granted}, now)
        if granted.marked:
            self.world.granted(flight)
            flight.stage = "marked"
        else:
            self.settle(flight, Outcome(flight.key, RELEASED, begun=False))

    def hand_over(self, flight: Flight) -> None:
        self.world.witness[flight.key] += 1
        flight.stage = "arrived"

    def told(self, flight: Flight, outcome: str) -> None:
        """What a message comes to: one that has arrived is ``sent``, unless the answer is lost."""
        if flight.stage == "claimed":  # it cannot even be written
            failure = ValueError("a defect of ours") if outcome == "later" else RenderError("no such name")
            self._write(flight, render_failed(flight.key, failure, flight.attempts, self.world.now))
        elif flight.stage == "arrived":
            verdict = UNCERTAIN if outcome == "silence" else SENT
            self.settle(flight, Outcome(flight.key, verdict, "reply", "250 ok", remote_id="q1"))
        else:
            self.settle(flight, Outcome(flight.key, **OUTCOMES[outcome]))

    def settle(self, flight: Flight, outcome: Outcome) -> None:
        self._write(flight, receipt_of(outcome, flight.attempts, self.world.now))

    def _write(self, flight: Flight, receipt: Receipt) -> None:
        now, world = self.world.now, self.world
        whose = next(iter(world.committed("SELECT owner, fence FROM touch WHERE key = ?", flight.key)), None)
        taken_back = receipt.state == "released"
        if taken_back and flight.stage == "marked":
            self.state.journal.write({flight.lease.fence: Commit(settled={receipt.key: receipt.state})}, now)
        commit = outbox.record(self.store, (), [receipt], flight.lease, now)
        settled = commit.settled
        if settled and not taken_back:
            self.state.journal.write({flight.lease.fence: commit}, now)
        world.given_back.update(each.receipt.key for each in commit.judged if not each.receipt.counted)
        if settled:
            world.expect(
                whose == (self.owner.name, flight.lease.fence), f"a receipt settles a claim of another: {flight.key}"
            )
        if settled and receipt.state == "released" and flight.stage == "marked":
            world.given_back[flight.key] += 1
        if settled and receipt.unreachable:
            world.unreached[flight.key] += 1
        del self.flights[flight.key]

    def go(self, outcome: str = "arrives") -> None:
        """All that is under way gets to its end, if it may."""
        for flight in list(self.flights.values()):
            if flight.stage == "claimed":
                self.mark(flight)
            if flight.stage == "marked" and outcome in ("arrives", "silence after all"):
                self.hand_over(flight)
            if flight.key in self.flights:
                self.told(flight, "silence" if outcome == "silence after all" else outcome)

    def look_around(self) -> None:
        """What a beat does now and then: free what silent engines have left."""
        reconcile(self.store, self.owner, self.world.now)

    def die(self) -> None:
        ALIVE.discard(self.owner.name)
        self.flights.clear()
        self.state.close()
        self.world.engines.remove(self)


class Resolver:
    """Somebody to ask about e-mail, who says the truth, nothing, or wrongly that nothing is there."""

    name, settle = "postfix-log", 5.0

    def __init__(self, witness: Mapping[str, int]) -> None:
        self.witness, self.mood = witness, "truth"
        self.absent: set[str] = set()

    def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
        if self.mood == "nothing":
            return {}
        arrived = {each.key: self.mood == "truth" and self.witness.get(each.key, 0) > 0 for each in sendings}
        self.absent |= {key for key, there in arrived.items() if not there}
        return {key: Sighting(there, "looked", "q1") for key, there in arrived.items()}

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class Row:
    """What the invariants need of a row."""

    key: str
    state: str
    fence: int
    attempts: int
    possible_duplicate: int
    kind: str
    campaign: str
    message: str
    person_id: str | None
    local_date: str
    rung: int
    on_record: int

    @property
    def slot(self) -> tuple[str, str, str | None, str, int]:
        return self.campaign, self.message, self.person_id, self.local_date, self.rung


_ROWS = """
SELECT key, state, fence, attempts, possible_duplicate, kind, campaign, message, person_id, local_date, rung,
       (SELECT count(*) FROM attempt WHERE attempt.key = touch.key)
FROM touch
"""


class World:
    """One database, its engines, its people, and everything that is known about what has really happened."""

    def __init__(self, folder: Path, template: bytes) -> None:
        self.folder, self.now = folder, NOW
        self.path = folder / "store.db"
        ALIVE.clear()
        self.witness: Counter[str] = Counter()
        self.resolver = Resolver(self.witness)
        self.engines: list[LittleEngine] = []
        self.entered: Counter[str] = Counter()  # how often each may have left
        self.given_back: Counter[str] = Counter()  # of these, when nothing was offered, or it was not for their sake
        self.freed: Counter[str] = Counter()  # how often none of the attempts before counts
        self.unreached: Counter[str] = Counter()  # of these, when a channel was found never to reach the person
        self.resent: Counter[tuple[str, str]] = Counter()  # by key and who said so
        self.moves: Counter[str] = Counter()
        self.doubted: set[str] = set()  # sent again since the last restore
        self.restored: set[str] = set()  # arrived, but a restored database knew no attempt of it
        self.restores = 0
        self.fences: set[int] = set()
        self.doing = ""
        self.started = 0
        self.campaign = 1
        self.rows: dict[str, Row] = {}
        self.fence = 0
        self.wrong: list[str] = []
        fresh.put(template, self.path)
        self._open()
        self.store.people.save(PEOPLE, by="dana", now=NOW)
        self.new_campaign()
        self.start_engine("one")
        self.look()

    def _open(self) -> None:
        self.store = fresh.opened(self.path)
        self._look_from_beside()

    def _look_from_beside(self) -> None:
        self._beside = Database(fresh.url(self.path))
        self._pooled = self._beside.engine.raw_connection()
        self._raw: Any = self._pooled.driver_connection
        if self._beside.path is None:
            self._raw.autocommit = True

    def _look_away(self) -> None:
        self._pooled.close()
        self._beside.close()

    def _close(self) -> None:
        self._look_away()
        self.store.close()

    def committed(self, sql: str, *values: object) -> Sequence[Any]:
        """What a query finds beside the engines, and outside their transactions."""
        found: Sequence[Any] = self._raw.execute(
            sql.replace("?", "%s" if self._beside.path is None else "?"), values
        ).fetchall()
        return found

    def close(self) -> None:
        for engine in list(self.engines):
            engine.die()
        self._close()

    # -- what may happen --------------------------------------------------------------------------

    def new_campaign(self) -> None:
        plan = a_campaign(self.campaign)
        self.apply(plan)
        self.store.campaigns.start(plan.campaign, by="dana", now=self.now)

    def apply(self, plan: Plan) -> None:
        self.store.campaigns.save_version(plan, {}, "", introduced={}, by="dana", now=self.now)

    @property
    def campaign_id(self) -> str:
        return f"crm-{self.campaign}"

    def start_engine(self, host: str, poison: Sequence[str] = ()) -> None:
        self.started += 1
        engine = LittleEngine(self, host, self.started)
        self.engines.append(engine)
        reason = engine.start(poison)
        self.expect(not reason, f"an engine holds without a restore: {reason}")

    def snapshot(self) -> bytes:
        """The database as it is now."""
        self.store.database.checkpoint()
        self._look_away()  # PostgreSQL copies what is not in use
        copy = fresh.kept(self.path)
        self._look_from_beside()
        return copy

    def restore(self, copy: bytes) -> None:
        """An older database in its place, and an engine that starts on it."""
        for engine in list(self.engines):
            engine.die()
        self._close()
        fresh.put(copy, self.path, renamed=False)
        self._open()
        self.restores += 1
        self.doubted.clear()
        self.rows = self._read()
        self.campaign = self.committed("SELECT count(*) FROM campaign")[0][0]
        self.restored |= {key for key in self.witness if key not in self.rows or not self.rows[key].on_record}
        self._reborn()

    def _reborn(self) -> None:
        before, self.fence = self.rows, self._counter()
        self.doing = "restore"
        self.started += 1
        engine = LittleEngine(self, "one", self.started)
        self.engines.append(engine)
        reason = look_back(self.store, engine.state, self.now)
        now = self._read()
        left = {key for key, count in self.witness.items() if count}
        if left - set(before):
            self.expect(bool(reason), "a database that does not know of what has left is not held")
        self.expect(left <= set(now), f"{left - set(now)} had left and are on record no more")
        self.expect(self._counter() >= max(self.fences, default=0), "a fence is given out for the second time")
        news = unknown(self.store, engine.state, None)
        self.expect(not news, "what the journal knows is not on record after a look back")
        self._note_moves()
        self.doing = "start"
        reconcile(self.store, engine.owner, self.now)
        engine.keep_beat()

    # -- what is seen -----------------------------------------------------------------------------

    def granted(self, flight: Flight) -> None:
        """A message may leave from now on: was that right, by everything that is committed?"""
        key, found = flight.key, self.committed
        self.entered[key] += 1
        [(kind, campaign, message, person, rung, channel)] = found(
            "SELECT kind, campaign, message, person_id, rung, channel FROM touch WHERE key = ?", key
        )
        self.fences.add(flight.lease.fence)
        state = next(iter(found("SELECT state, epoch FROM campaign WHERE id = ?", campaign)), None)
        held = found("SELECT 1 FROM standstill WHERE campaign = '' AND until IS NULL")
        if kind == "service":
            self.expect(message == "alert" or not held, f"I2: service mail {message} leaves on hold")
            stopped = message != "alert" and state is not None and state[0] in ("paused", "cancelled")
            self.expect(not stopped, f"I2: service mail of a campaign that is {state}")
            return
        assert state
        self.expect(state[0] == "running", f"I2: {key} leaves while its campaign is {state[0]}")
        self.expect(not held, f"I2: {key} leaves on hold")
        self.expect(state[1] == flight.epoch, f"I2: {key} leaves, decided before the last decree")
        about = (person, campaign, message)
        answers = found(
            "SELECT kind FROM answer WHERE person_id = ? AND campaign = ? AND (message = ? OR whole_campaign) "
            "AND withdrawn_at IS NULL",
            *about,
        )
        said = {row[0] for row in answers}
        self.expect(not (said and rung), f"I7: a reminder leaves after an answer: {key}")
        self.expect("heard_enough" not in said, f"I7: {key} leaves to somebody who has heard enough")
        asked = found(
            "SELECT 1 FROM question WHERE person_id = ? AND campaign = ? AND message = ? AND answered_at IS NULL",
            *about,
        )
        self.expect(not asked, f"I7: {key} leaves under an open question")
        self._may_be_written_to(key, person, channel)

    def _may_be_written_to(self, key: str, person: str, channel: str) -> None:
        [(address, left, erased)] = self.committed(
            'SELECT email_key, "left", erased_at FROM person WHERE id = ?', person
        )
        self.expect(erased is None, f"I8: {key} leaves to somebody who was erased")
        self.expect(
            left is None or str(left) > str(self.now.date()), f"I8: {key} leaves to somebody who left on {left}"
        )
        suppressed = self.committed(
            "SELECT 1 FROM suppression WHERE email_key IN (?, ?) AND channel IN ('', ?) AND withdrawn_at IS NULL",
            address,
            suppression_key(address),
            channel,
        )
        self.expect(not suppressed, f"I8: {key} leaves to a suppressed address")

    def look(self) -> list[str]:
        """Every invariant, after every step; what is wrong, empty if nothing is."""
        self._note_moves()
        before, self.rows = self.rows, self._read()
        fence = self._counter()
        self.expect(fence >= self.fence, f"I4: the counter of fences went from {self.fence} to {fence}")
        self.fence = fence
        slots = Counter(row.slot for row in self.rows.values() if row.kind != "service")
        self.expect(max(slots.values(), default=1) == 1, f"two rows of one touch: {slots.most_common(1)}")
        for key, row in self.rows.items():
            old = before.get(key)
            if old is not None:
                self.expect(row.fence >= old.fence, f"I4: the fence of {key} went from {old.fence} to {row.fence}")
                kept = old.state not in FINAL or row.state == old.state
                self.expect(kept, f"I3: {key} was {old.state} and is {row.state}")
                flagged = row.possible_duplicate >= old.possible_duplicate
                self.expect(flagged, f"I6: {key} is no possible duplicate any more")
            flagged = key not in self.doubted or bool(row.possible_duplicate)
            self.expect(flagged, f"I6: {key} is sent again after a doubt and carries no flag")
            allowed = MOST_ATTEMPTS * (1 + self.freed[key]) + self.unreached[key]
            allowed += sum(self.resent[key, who] for who in WHO)
            left = self.entered[key] - self.given_back[key]
            self.expect(left <= allowed, f"I1: {key} left {left} times, {allowed} are allowed")
            by_policy = 1 + self.resent[key, "resolver"] + self.restores
            self.expect(self.resent[key, "policy"] <= by_policy, f"I1: {key} is sent again and again by the policy")
        for key, copies in self.witness.items():
            self._of_witness(key, copies, self.rows.get(key))
        found, self.wrong = self.wrong, []
        return found

    def _of_witness(self, key: str, copies: int, row: Row | None) -> None:
        if row is None:
            self.expect(False, f"I5: {key} arrived and is not on record")
            return
        on_record = row.on_record or row.state in ("sending", "uncertain") or key in self.restored
        self.expect(bool(on_record), f"I5: {key} arrived, is {row.state}, and no attempt is on record")
        flagged = copies < 2 or row.possible_duplicate
        self.expect(bool(flagged), f"I6: {key} arrived {copies} times and carries no flag")

    def balance(self) -> list[str]:
        """The dearer looks, at the end: the books add up, and the journal knows nothing that the database does not."""
        touches = Counter(row.campaign for row in self.rows.values() if row.kind != "service")
        for books in self.store.counts.status(self.now):
            counted = sum(books.touches.values())
            same = counted == touches[books.campaign]
            self.expect(same, f"the books of {books.campaign} count {counted}, there are {touches[books.campaign]}")
            self.expect(sum(books.skipped.values()) == books.touches["skipped"], "the reasons of skipped do not add up")
        for engine in self.engines[:1]:
            self.expect(not unknown(self.store, engine.state, None), "the journal knows what the database does not")
        found, self.wrong = self.wrong, []
        return found

    def _read(self) -> dict[str, Row]:
        return {row[0]: Row(*row) for row in self.committed(_ROWS)}

    def _counter(self) -> int:
        found = self.committed("SELECT value FROM counter WHERE name = 'fence'")
        return int(found[0][0]) if found else 0

    def _note_moves(self) -> None:
        moved = self.committed("SELECT key, old, new, kind, reason, tried FROM moved ORDER BY n")
        if not moved:
            return
        self._raw.execute("DELETE FROM moved")
        for key, old, new, kind, reason, tried in moved:
            if self.doing == "restore":
                self.moves["(put back)"] += 1
                continue
            move = self._which(old, new, kind, reason, tried)
            known = move is not None and old in move.sources and new == move.target
            self.expect(known, f"{key} went from {old} to {new} while '{self.doing}', which no move does")
            if move is not None:
                self.moves[move.name] += 1
                self.freed[key] += move is moves.FREE
                if move is moves.SEND_AGAIN:
                    self.resent[key, self._who_resends(key)] += 1
                    self.doubted.add(key)
        self.resolver.absent.clear()

    def _who_resends(self, key: str) -> str:
        return "operator" if self.doing == "operator" else "resolver" if key in self.resolver.absent else "policy"

    def _which(self, old: str | None, new: str | None, kind: str, reason: str, tried: int) -> Move | None:
        """The move that this change of a row must have been."""
        fitting = [move for move in MOVES if old in move.sources and new == move.target]
        if len(fitting) < 2:
            return next(iter(fitting), None)
        unfit = set()
        unfit.add(moves.CLAIM if kind == "service" else moves.CLAIM_NOTE)
        unfit.add(moves.GIVE_BACK if tried else moves.PUT_OFF)
        unfit.add(moves.FORSAKE if self.doing in RECEIPTS else moves.DOUBT)
        unfit.add(moves.FAIL if reason.startswith("poison") else moves.POISON)
        unfit |= {moves.SKIP, moves.CLOSE, moves.ERASE} - {_SKIPS.get(reason, moves.SKIP)}
        return next((move for move in fitting if move not in unfit), None)

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)


WHO = ("policy", "operator", "resolver")
RECEIPTS = ("told", "go", "mark")
_SKIPS = {"erased": moves.ERASE, "cancelled": moves.CLOSE}
