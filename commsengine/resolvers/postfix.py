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
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from commsengine.resolvers.mail_log import UNREADABLE, MailLog, Stamps
from commsengine.resolvers.resolver import CLOCK_SLACK, Sending, Sighting

log = structlog.get_logger(__name__)

OPEN, QUEUED, TAKEN, LOST, REFUSED, OVER = "open", "queued", "taken", "lost", "refused", "over"
"""What became of it: nothing yet; in the queue; held or discarded; cut before the dot; refused; ended, and no more is
known."""

_LINE = re.compile(
    rb"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-][\d:]+)) (?P<host>\S+) "
    rb"(?P<instance>[\w.-]+)(?:/[\w.-]+)*/(?P<program>[\w-]+)\[(?P<pid>\d+)\]: (?P<text>.*)",
    re.DOTALL,
)
_ID = rb"(?P<id>[0-9A-Za-z]{6,40}|NOQUEUE): "
_CLIENT = re.compile(_ID + rb"client=")
_NAMED = re.compile(_ID + rb"message-id=\s*<?(?P<local>[^@>\s]*)")
_ACTIVE = re.compile(_ID + rb"from=<.*\(queue active\)")
_DELIVERY = re.compile(_ID + rb"to=<.*\bstatus=[a-z]+ \(")
_REFUSED = re.compile(_ID + rb"(?:milter-)?reject: ")
_AT_THE_END = re.compile(_ID + rb"(?:milter-)?reject: END-OF-MESSAGE ")
_ASIDE = re.compile(_ID + rb"(?:milter-)?(?:hold|discard): ")
_FILE_TROUBLE = re.compile(rb"warning: " + _ID + rb"queue file ")
_CUT = re.compile(rb"[a-z ]+ after (?:DATA|BDAT) \(")
_MOVED_ON = re.compile(rb"(?:connect|disconnect) from |[a-z ]+ after [A-Z]|proxy-(?:accept|reject): |fatal: |panic: ")
_DIED = re.compile(rb"warning: process \S+ pid (?P<pid>\d+) (?:killed by|exit status)")
_NONE_TAKEN = re.compile(rb"disconnect from .* data=0/\d|proxy-reject: ")


class PostfixLog:
    """``settle`` is in seconds; it is short, for the log itself tells whether Postfix is done with a message."""

    name = "postfix-log"

    def __init__(self, source: MailLog, *, settle: float = 5.0) -> None:
        self._source, self.settle = source, settle

    def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
        if not sendings:
            return {}
        transactions = Transactions({sending.key for sending in sendings})
        covered = self._read(transactions, min(sending.since for sending in sendings) - CLOCK_SLACK)
        judged = {sending.key: _judged(sending, transactions, covered) for sending in sendings}
        return {key: sighting for key, sighting in judged.items() if sighting}

    def close(self) -> None:
        """Nothing stays open between two looks."""

    def newest(self) -> dt.datetime | None:
        """When Postfix last wrote a line. Raises ``OSError`` and its like when the log cannot be read."""
        written = [stamps.read(line) for stamps, line in self._source.last_lines() if b"/" in line and b"[" in line]
        return max((stamp for stamp in written if stamp), default=None)

    def _read(self, transactions: Transactions, since: dt.datetime) -> bool:
        """Feed the log from ``since`` on; true if an absence from it can be believed."""
        try:
            extract = self._source.since(since)
            for stamps, line in extract.lines:
                transactions.feed(stamps, line)
            return extract.covers and extract.whole() and not transactions.incomplete
        except UNREADABLE as error:
            reason = getattr(error, "strerror", None) or ""
            log.warning("mail log unreadable", error=type(error).__name__, reason=reason)
            return False


def _judged(sending: Sending, transactions: Transactions, covered: bool) -> Sighting | None:
    own = [transaction for transaction in transactions if transaction.key == sending.key]
    arrived = next((transaction for transaction in own if transaction.fate in (QUEUED, TAKEN)), None)
    if arrived:
        what = "took it into its queue" if arrived.fate == QUEUED else "took it, and holds or discarded it"
        return Sighting(True, f"Postfix {what} as {arrived.queue_id}", arrived.queue_id)
    if not covered or any(transaction.fate in (OPEN, OVER) for transaction in own):
        return None
    if any(_may_become_it(transaction, sending) for transaction in transactions):
        return None
    gone = [transaction for transaction in transactions if _was_it(transaction, sending)]
    if not gone:
        return None
    proof = min(gone, key=lambda one: (one.key == "", abs((one.opened or sending.since) - sending.since)))
    ended = "was refused at its end" if proof.fate == REFUSED else "was cut before the final dot"
    nameless = "" if proof.key else ", still without a name,"
    return Sighting(False, f"Postfix did not queue it: transaction {proof.queue_id}{nameless} {ended}")


def _may_become_it(transaction: Transaction, sending: Sending) -> bool:
    begun = transaction.opened is None or transaction.opened <= sending.since + CLOCK_SLACK
    return transaction.fate == OPEN and not transaction.named and begun


def _was_it(transaction: Transaction, sending: Sending) -> bool:
    if transaction.fate not in (LOST, REFUSED) or transaction.opened is None:
        return False
    mine = transaction.key == sending.key or not transaction.named
    return mine and abs(transaction.opened - sending.since) <= CLOCK_SLACK


@dataclass(slots=True)
class Transaction:
    """One message on its way in. ``key`` is ours if its Message-ID is; ``named`` if it had one at all."""

    queue_id: str
    instance: bytes
    opened: dt.datetime | None
    key: str = ""
    named: bool = False
    fate: str = OPEN
    aside: bool = False

    def end(self, fate: str) -> None:
        # What was known before stays.
        if self.fate == OPEN:
            self.fate = TAKEN if self.aside and fate == OVER else fate


class Transactions:
    """Feed it the lines in their order. ``keys`` are those looked for; of other messages only the nameless are kept."""

    def __init__(self, keys: Collection[str]) -> None:
        self._keys = frozenset(keys)
        self._by_id: dict[tuple[bytes, bytes], Transaction] = {}
        self._at_work: dict[tuple[bytes, bytes], Transaction] = {}  # by host and process
        self._past: list[Transaction] = []
        self.incomplete = False

    def __iter__(self) -> Iterator[Transaction]:
        yield from self._past
        yield from self._by_id.values()

    def feed(self, stamps: Stamps, line: bytes) -> None:
        if b"messages lost due to rate-limiting" in line:
            self.incomplete = True
        found = _LINE.match(line)
        if found is None:
            return
        host, program, text = found["host"], found["program"], found["text"]
        if program == b"smtpd":
            self._smtpd(found, stamps.read(line) if b": client=" in text else None)
        elif program == b"cleanup":
            self._cleanup(host, found["instance"], text)
        elif program == b"qmgr":
            self._queued(host, _ACTIVE.match(text))
        elif program == b"master":
            self._master(host, found["instance"], text)
        else:
            self._queued(host, _DELIVERY.match(text))

    def _smtpd(self, line: re.Match[bytes], stamp: dt.datetime | None) -> None:
        host, text = line["host"], line["text"]
        process = (host, line["pid"])
        if opened := _CLIENT.match(text):
            self._end(process, OVER)
            new = Transaction(opened["id"].decode("ascii"), line["instance"], stamp)
            self._at_work[process] = new
            self._replace((host, opened["id"] if opened["id"] != b"NOQUEUE" else b"/" + line["pid"]), new)
        elif refused := _AT_THE_END.match(text) or _FILE_TROUBLE.match(text):
            self._set(host, refused["id"], REFUSED)
        elif _CUT.match(text):
            self._end(process, LOST)
        elif _MOVED_ON.match(text):
            self._end(process, REFUSED if _NONE_TAKEN.match(text) else OVER)

    def _cleanup(self, host: bytes, instance: bytes, text: bytes) -> None:
        if named := _NAMED.match(text):
            found = self._by_id.get((host, named["id"]))
            if found is None:  # its beginning is not in what was read
                found = Transaction(named["id"].decode("ascii"), instance, None)
                self._replace((host, named["id"]), found)
            found.named = True
            local = named["local"].decode("ascii", "replace")
            found.key = local if local in self._keys else ""
            self._forget_if_done(host, named["id"])
        elif refused := _REFUSED.match(text):
            self._set(host, refused["id"], REFUSED)
        elif (aside := _ASIDE.match(text)) and (held := self._by_id.get((host, aside["id"]))):
            held.aside = True

    def _queued(self, host: bytes, found: re.Match[bytes] | None) -> None:
        if found and (transaction := self._by_id.get((host, found["id"]))):
            transaction.fate = QUEUED
            self._forget_if_done(host, found["id"])

    def _master(self, host: bytes, instance: bytes, text: bytes) -> None:
        # A process that died, or all of them at a restart, leaves without a word of its own.
        if died := _DIED.match(text):
            self._cut(host, died["pid"])
        elif text.startswith(b"daemon started"):
            for process, transaction in list(self._at_work.items()):
                if process[0] == host and transaction.instance == instance:
                    self._cut(*process)

    def _cut(self, host: bytes, pid: bytes) -> None:
        # Without a name it cannot have reached the queue; with one it may have, and be waiting there.
        transaction = self._at_work.get((host, pid))
        if transaction:
            self._end((host, pid), OVER if transaction.named else LOST)

    def _set(self, host: bytes, queue_id: bytes, fate: str) -> None:
        if transaction := self._by_id.get((host, queue_id)):
            transaction.end(fate)

    def _end(self, process: tuple[bytes, bytes], fate: str) -> None:
        if transaction := self._at_work.pop(process, None):
            transaction.end(fate)
            self._forget_if_done(process[0], transaction.queue_id.encode("ascii"))

    def _replace(self, place: tuple[bytes, bytes], new: Transaction) -> None:
        # Postfix gives a queue id out again once its file is gone.
        if (old := self._by_id.pop(place, None)) and (old.key or not old.named):
            self._past.append(old)
        self._by_id[place] = new

    def _forget_if_done(self, host: bytes, queue_id: bytes) -> None:
        # Other people's messages must not fill the memory.
        found = self._by_id.get((host, queue_id))
        if found and found.named and not found.key and found.fate != OPEN:
            del self._by_id[host, queue_id]
