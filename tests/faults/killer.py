"""Kills the program while messages leave, starts it again, and in the end holds its books against what the witness has.

It knows no channel: it needs a program, a witness that gives ``arrivals``, and the name of a campaign.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.arrivals import Witness
from tests.stories.program import Program
from tests.waiting import PATIENCE, wait_until

DATABASE = "commsengine.db"
LAST_WAIT = 600.0
"""Seconds for what is still open to find its end: an uncertain one may first have to settle."""

START = 120.0
"""Seconds for a start and a few messages, on a machine that has much else to do."""

EARLY = 2.0
"""Seconds within which a program that has just been started is about to send."""


@dataclass(frozen=True)
class Blow:
    """One kill: how many messages had arrived by then, and how many were just leaving."""

    arrived: int
    sending: int


@dataclass(frozen=True)
class Verdict:
    """What came of it. ``bound`` is the number of touches that were ``sending`` at the kills, taken together;
    ``doubts`` is the number of attempts of which nobody could know the end.
    """

    expected: int
    kills: int
    arrived: int
    bound: int
    doubts: int
    lost: tuple[str, ...]
    """People without the message whose row does not say that it is open, failed or skipped."""
    extra: int
    most: int
    unflagged: tuple[str, ...]
    """Touches that arrived more than once and do not say so."""
    uncertain: int
    unexplained: tuple[str, ...]
    """Touches that arrived more often than there are attempts on record."""
    unbalanced: str
    damage: str
    states: tuple[tuple[str, int], ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """Every promise that was not kept, in words."""
        promises = {
            f"{len(self.lost)} lost: {self.lost[:5]}": not self.lost,
            f"{self.extra} extra copies, but only {self.doubts} uncertain attempts": self.extra <= self.doubts,
            f"{len(self.unflagged)} duplicates without a flag: {self.unflagged[:5]}": not self.unflagged,
            f"{len(self.unexplained)} arrived without an attempt: {self.unexplained[:5]}": not self.unexplained,
            f"the books do not balance: {self.unbalanced}": not self.unbalanced,
            f"the database is damaged: {self.damage}": not self.damage,
        }
        return tuple(text for text, kept in promises.items() if not kept)


@dataclass
class Killer:
    """``kill`` as often as wanted, then ``finish``, then read the ``verdict``."""

    program: Program
    witness: Witness
    campaign: str
    people: Sequence[str]
    """Everybody who is to have the message: their addresses, as the books name them."""
    messages: int = 1
    blows: list[Blow] = field(default_factory=list)
    after_each: Callable[[int], object] = lambda number: None

    @property
    def database(self) -> Path:
        return self.program.folder / DATABASE

    @property
    def wal(self) -> Path:
        return self.program.folder / f"{DATABASE}-wal"

    def kill(self, command: str, arrivals: int, wait: float = 0.0) -> Blow:
        """Start ``command`` and end it by SIGKILL, ``wait`` seconds after so many more messages have arrived.

        If it comes to its end before that, so be it: then there was nothing left to kill.
        """
        target = len(self.witness.arrivals()) + arrivals
        with self.program.running(command) as process:
            wait_until(lambda: len(self.witness.arrivals()) >= target or process.poll() is not None, START, 0.002)
            time.sleep(wait)
            process.kill()
            process.wait()
        return self.struck()

    def struck(self) -> Blow:
        """Take down what was open when the program died, however it died."""
        self.blows.append(Blow(len(self.witness.arrivals()), self.count("sending")))
        return self.blows[-1]

    def storm(self, kills: int, seed: int, command: str = "run", jitter: float = 0.1, reach: float = 0.9) -> None:
        """So many kills in mid-send at random instants, spread over the first ``reach`` of all messages.

        One start in ten is killed earlier, before anything has arrived; those come on top. The instants come from
        ``seed``; how far the program has got by then is up to the machine.
        """
        dice = random.Random(seed)  # noqa: S311 - where to strike
        everything = int(len(self.people) * self.messages * reach)
        for left in range(kills, 0, -1):
            if dice.random() < 0.1:
                self.kill(command, 0, dice.uniform(0, EARLY))
            rest = max(1, everything - len(self.witness.arrivals()))
            self.kill(command, dice.randint(1, min(rest, 1 + 2 * rest // left)), dice.uniform(0, jitter))
            self.after_each(len(self.blows))

    def finish(self, timeout: float = LAST_WAIT) -> None:
        """Plain ticks until nothing is open that does not wait for a person."""
        until = time.monotonic() + timeout
        while True:
            with self.program.running("tick") as process:
                _, told = process.communicate(timeout=timeout)
            assert process.returncode == 0, told
            if not self.is_open() or time.monotonic() > until:
                return
            time.sleep(0.5)

    def verdict(self) -> Verdict:
        books = self.program.look("touches", self.campaign)["touches"]
        arrivals = self.witness.arrivals()
        copies, attempts = Counter(each.key for each in arrivals), self._attempts()
        rows = {row["key"]: row for row in books}
        known = {
            row["person"] for row in books if copies[row["key"]] or row["state"] in ("uncertain", "failed", "skipped")
        }
        missing = sorted(row["key"] for row in books if row["state"] == "sent" and not copies[row["key"]])
        twice = [key for key, count in copies.items() if count > 1]
        return Verdict(
            expected=len(self.people) * self.messages,
            kills=len(self.blows),
            arrived=len(arrivals),
            bound=sum(blow.sending for blow in self.blows),
            doubts=self._doubts(),
            lost=(*sorted(set(self.people) - known), *missing),
            extra=len(arrivals) - len(copies),
            most=max(copies.values(), default=0),
            unflagged=tuple(key for key in twice if not rows.get(key, {}).get("possible_duplicate")),
            uncertain=sum(row["state"] == "uncertain" for row in books),
            unexplained=tuple(key for key, count in copies.items() if count > attempts[key]),
            unbalanced=self._unbalanced(),
            damage=self.damage(),
            states=tuple(sorted(Counter(str(row["state"]) for row in books).items())),
        )

    # -- the books, read beside the program -------------------------------------------------------

    def count(self, *states: str) -> int:
        with self._reading() as database:
            marks = ",".join("?" * len(states))
            asked = f"SELECT count(*) FROM touch WHERE kind != 'service' AND state IN ({marks})"  # noqa: S608
            return int(database.execute(asked, states).fetchone()[0])

    def is_open(self) -> bool:
        """Whether anything is under way, to be tried again, or not yet settled."""
        with self._reading() as database:
            asked = (
                "SELECT count(*) FROM touch WHERE kind != 'service' AND channel != 'personal' AND "
                "(state IN ('claimed', 'sending', 'retry') OR (state = 'uncertain' AND NOT held))"
            )
            return bool(database.execute(asked).fetchone()[0])

    def damage(self) -> str:
        """What SQLite finds wrong with the file; empty if it is sound."""
        with self._reading() as database:
            found = [row[0] for row in database.execute("PRAGMA integrity_check")]
        return "" if found == ["ok"] else "; ".join(found[:3])

    def _attempts(self) -> Counter[str]:
        with self._reading() as database:
            return Counter(row[0] for row in database.execute("SELECT key FROM attempt"))

    def _doubts(self) -> int:
        with self._reading() as database:
            return int(database.execute("SELECT count(*) FROM attempt WHERE verdict = 'uncertain'").fetchone()[0])

    def _unbalanced(self) -> str:
        try:
            self.program.books(self.campaign)
        except AssertionError as found:
            return str(found) or "counts and rows differ"
        return ""

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Read-only: a reader that might write would tidy up what the crash left, before the program has to."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=PATIENCE)) as database:
            yield database
