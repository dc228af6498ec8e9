"""Many at once: of all who claim the same touches, exactly one carries each."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from commsengine.cadence.history import Decision
from commsengine.store.store import Store
from tests import outbox
from tests.builders import someone
from tests.fork_server import python
from tests.store.scene import LATER, NOW, a_touch, epochs, lease, running
from tests.waiting import PATIENCE

PEOPLE = 60
ROUNDS = 5


def claim_all(store: Store, owner: str, known: dict[str, int]) -> list[str]:
    """Claims every person's touch of five days, in batches of another order for each owner."""
    won: list[str] = []
    for day in range(ROUNDS):
        date = NOW.date().replace(day=1 + day)
        people = [f"p{number:05d}" for number in range(PEOPLE)]
        if owner[-1] in "13":
            people.reverse()
        decisions = [(Decision(each, (a_touch(each, local_date=date),), LATER), 1) for each in people]
        claimed = store.outbox.claim(decisions, lease(owner), epochs=known, versions={"crm": 1}, now=NOW)
        won += [touch.key for touch in claimed]
    return won


def test_four_threads_share_the_touches_without_a_double(store: Store) -> None:
    known = epochs(running(store, [someone(number) for number in range(PEOPLE)]))
    won: list[str] = []
    threads = [
        threading.Thread(target=lambda owner=owner: won.extend(claim_all(store, owner, known)))  # type: ignore[misc]
        for owner in ("e1", "e2", "e3", "e4")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(won) == Counter({row.key: 1 for row in store.touches.list("crm")})
    assert len(won) == PEOPLE * ROUNDS


def test_two_processes_share_the_touches_without_a_double(url: str) -> None:
    with Store.open(url) as store:
        running(store, [someone(number) for number in range(PEOPLE)])
    claimers = [
        python(
            ["-m", "tests.store.test_races", url, owner],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        )
        for owner in ("e1", "e2")
    ]  # fmt: skip
    won = [line for claimer in claimers for line in claimer.communicate(timeout=PATIENCE)[0].split()]
    assert [claimer.returncode for claimer in claimers] == [0, 0]
    assert (len(won), len(set(won))) == (PEOPLE * ROUNDS, PEOPLE * ROUNDS)


@pytest.mark.parametrize("attempt", range(3))
def test_a_pause_stands_between_every_mark_and_its_return(store: Store, attempt: int) -> None:
    """After ``pause`` has returned, nothing more becomes ``sending``."""
    known = epochs(running(store, [someone(number) for number in range(PEOPLE)]))
    keys = claim_all(store, "e1", known)
    marked: list[str] = []
    paused = threading.Event()
    after: list[str] = []

    def mark_one_by_one() -> None:
        for key in keys:
            begun_after = paused.is_set()
            gone = outbox.mark(store, [key], lease(), NOW)
            marked.extend(gone)
            after.extend(gone if begun_after else ())
            time.sleep(0.002)  # as a relay would take, so that the pause comes in the middle

    marker = threading.Thread(target=mark_one_by_one)
    marker.start()
    while len(marked) < 5 + attempt * 10:
        time.sleep(0.001)
    store.campaigns.pause("crm", by="dana", now=NOW)
    sending = {row.key for row in store.touches.open_rows("crm", ["sending"])}
    paused.set()
    marker.join()
    assert after == []
    assert set(marked) == sending
    assert 0 < len(sending) < len(keys)


if __name__ == "__main__":
    with Store.open(sys.argv[1]) as opened:
        print("\n".join(claim_all(opened, sys.argv[2], epochs(opened))))
