"""Asks the mail log of our own Postfix whether an uncertain message reached its queue.

It arrived, if a transaction that bears its Message-ID is in the queue. It did not, if all of this holds:
1. The log reaches back beyond the send, and nothing was rotated away while it was read.
2. Around the time of the send one transaction was cut before the final dot, or refused, and it is the message's own, or
   one that had not got as far as a Message-ID. A log without it is not the log of the relay that was spoken to.
3. No transaction of that time is still under way without a name: it might become the message's.
4. No other transaction of the message has an end that is not known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import structlog

from commsengine.channels.mail_log import UNREADABLE, MailLog
from commsengine.channels.postfix_transactions import (
    LOST,
    OPEN,
    OVER,
    QUEUED,
    REFUSED,
    TAKEN,
    Transaction,
    Transactions,
)
from commsengine.channels.resolver import CLOCK_SLACK, Sending, Sighting

log = structlog.get_logger(__name__)


class PostfixLog:
    """``settle`` is in seconds; it is short, for the log itself tells whether Postfix is done with a message."""

    name = "postfix-log"

    def __init__(self, source: MailLog, *, settle: float = 5.0) -> None:
        self._source, self.settle = source, settle

    def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
        if not sendings:
            return {}
        told = Transactions({sending.key for sending in sendings})
        covered = self._read(told, min(sending.since for sending in sendings) - CLOCK_SLACK)
        judged = {sending.key: _judged(sending, told, covered) for sending in sendings}
        return {key: sighting for key, sighting in judged.items() if sighting}

    def close(self) -> None:
        """Nothing stays open between two looks."""

    def newest(self) -> dt.datetime | None:
        """When Postfix last wrote a line. Raises ``OSError`` and its like when the log cannot be read."""
        written = [stamps.read(line) for stamps, line in self._source.last_lines() if b"/" in line and b"[" in line]
        return max((stamp for stamp in written if stamp), default=None)

    def _read(self, told: Transactions, since: dt.datetime) -> bool:
        """Feed what the log holds from then on; whether an absence from it could be believed."""
        try:
            extract = self._source.since(since)
            for stamps, line in extract.lines():
                told.feed(stamps, line)
            return extract.covers and extract.whole() and not told.incomplete
        except UNREADABLE as error:
            log.warning(
                "mail log unreadable", error=type(error).__name__, reason=getattr(error, "strerror", None) or ""
            )
            return False


def _judged(sending: Sending, told: Transactions, covered: bool) -> Sighting | None:
    own = [transaction for transaction in told if transaction.key == sending.key]
    arrived = next((transaction for transaction in own if transaction.fate in (QUEUED, TAKEN)), None)
    if arrived:
        what = "took it into its queue" if arrived.fate == QUEUED else "took it, and holds or discarded it"
        return Sighting(True, f"Postfix {what} as {arrived.queue_id}", arrived.queue_id)
    if not covered or any(transaction.fate in (OPEN, OVER) for transaction in own):
        return None
    if any(_may_become_it(transaction, sending) for transaction in told):
        return None
    gone = [transaction for transaction in told if _was_it(transaction, sending)]
    if not gone:
        return None
    proof = min(gone, key=lambda one: (one.key == "", abs((one.opened or sending.since) - sending.since)))
    ended = "was refused at its end" if proof.fate == REFUSED else "was cut before the final dot"
    whose = "" if proof.key else ", still without a name,"
    return Sighting(False, f"Postfix did not queue it: transaction {proof.queue_id}{whose} {ended}")


def _may_become_it(transaction: Transaction, sending: Sending) -> bool:
    begun = transaction.opened is None or transaction.opened <= sending.since + CLOCK_SLACK
    return transaction.fate == OPEN and not transaction.named and begun


def _was_it(transaction: Transaction, sending: Sending) -> bool:
    if transaction.fate not in (LOST, REFUSED) or transaction.opened is None:
        return False
    mine = transaction.key == sending.key or not transaction.named
    return mine and abs(transaction.opened - sending.since) <= CLOCK_SLACK
