"""From a channel's outcome to a receipt in the words of the record: what is tried again, when, and how often."""

from __future__ import annotations

import datetime as dt
import zlib

from commsengine.channels.channel import PERMANENT, RELEASED, RETRY, SENT, Outcome
from commsengine.errors import CommsError
from commsengine.store.records import Receipt

BACK_OFF = (1, 5, 15, 60)
"""Minutes from the n-th attempt to the next; after one more, nobody tries again."""

MOST_ATTEMPTS = len(BACK_OFF) + 1
LONGEST_REASON = 300  # characters


def receipt_of(outcome: Outcome, attempts: int, now: dt.datetime, *, service: bool = False) -> Receipt:
    """The receipt of one attempt; ``attempts`` counts those before it.

    Who cannot be reached on this channel is decided again at once, for the next one; ``service`` mail is not decided,
    and would be tried over and over.
    """
    number = attempts + 1
    if service and outcome.unreachable:
        return _receipt(outcome, "failed", now)
    if outcome.verdict == RELEASED or (not outcome.begun and (outcome.unreachable or outcome.verdict == RETRY)):
        later = None if outcome.retry_after is None else now + dt.timedelta(seconds=outcome.retry_after)
        return _receipt(outcome, "released", now, retry_at=later)
    if outcome.unreachable:
        return _receipt(outcome, "retry", now, retry_at=now)
    if outcome.verdict == RETRY and number >= MOST_ATTEMPTS:
        return _receipt(outcome, "failed", now, reason=f"given up after {number} attempts: {outcome.reply}")
    if outcome.verdict == RETRY:
        return _receipt(outcome, "retry", now, retry_at=retry_at(outcome, number, now))
    state = {SENT: "sent", PERMANENT: "failed"}.get(outcome.verdict, "uncertain")
    return _receipt(outcome, state, now)


def retry_at(outcome: Outcome, number: int, now: dt.datetime) -> dt.datetime:
    """When to try again after the ``number``-th attempt, not before the other side asked us to.

    The key adds up to a fifth, so that not all come at once; whom a relay turns away together least of all.
    """
    spread = zlib.crc32(outcome.key.encode()) / 0xFFFFFFFF / 5
    seconds = max(BACK_OFF[number - 1] * 60, outcome.retry_after or 0)
    return now + dt.timedelta(seconds=seconds * (1 + spread))


def render_failed(key: str, failure: Exception, attempts: int, now: dt.datetime) -> Receipt:
    """A message that could not be written: this row only. What its author must mend fails for good; a defect of ours
    may have been of the moment, so the message is tried again like one that was refused for now.
    """
    verdict = PERMANENT if isinstance(failure, CommsError) else RETRY
    return receipt_of(Outcome(key, verdict, "render", f"{type(failure).__name__}: {failure}"), attempts, now)


def _receipt(
    outcome: Outcome, state: str, now: dt.datetime, *, retry_at: dt.datetime | None = None, reason: str = ""
) -> Receipt:
    told = reason or outcome.unreachable or outcome.channel_down or ("" if state == "sent" else outcome.reply)
    return Receipt(
        outcome.key, state, now, outcome.phase, outcome.reply, retry_at,
        outcome.remote_id, outcome.unreachable, told[:LONGEST_REASON],
    )  # fmt: skip
