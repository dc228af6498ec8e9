"""What one decision costs per person and message, on one core, beside an anchor run in the same minute."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.rehearsal import anchor
from commsengine.cadence.decide import decide
from commsengine.cadence.forecast import forecast, nobody
from commsengine.cadence.history import History
from tests.builders import a_message, a_plan, running, someone, utc

ROUNDS = 2_000


def main() -> None:
    messages = [a_message(id=f"m{number}", **{"from": f"kickoff + {number * 7}d"}) for number in range(5)]
    campaigns, person = running(a_plan(*messages)), someone(1)
    start, now = utc("2027-01-04"), utc("2027-02-10 12:00")
    history = forecast(campaigns, person, History(), start, now, nobody).history
    decide(campaigns, person, history, now)
    began = time.perf_counter()
    for _ in range(ROUNDS):
        decide(campaigns, person, history, now)
    each = (time.perf_counter() - began) / ROUNDS / len(messages) * 1e6
    print(
        f"decide: {each:.0f} µs per person and message with {len(history.rows)} touches behind; anchor {anchor():.2f} s"
    )


if __name__ == "__main__":
    main()
