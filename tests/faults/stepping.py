"""A running engine in steps: from one instant at which somebody is due to the next."""

from __future__ import annotations

from commsengine.engine.engine import Engine
from commsengine.store.store import Store
from tests.builders import utc
from tests.fakes import Clock


def play(running: Engine, store: Store, clock: Clock, until: str) -> None:
    """Ticks whenever somebody is due; at the end it is ``until``."""
    while True:
        running.tick()
        following = store.loading.next_wake()
        if following is None or following >= utc(until):
            clock.now = utc(until)
            return
        clock.now = max(clock.now, following)
