"""What Postfix's log says became of each message that was handed to it, read line by line.

A message that arrives over SMTP is one transaction. Its lines, by the process that writes them
1. ``smtpd[7]: ID: client=…`` opens it: a recipient was accepted. Its Message-ID and end are still to come.
2. ``cleanup: ID: message-id=<…>`` names it, as soon as that header is read: this says nothing about the final dot, and
   may stand after the line that tells of the end.
3. ``qmgr: ID: … (queue active)``: it is in the queue. Only this is arrival; the 250 itself is not logged.
4. ``smtpd[7]: lost connection after DATA (…)``, ``timeout after DATA (…)``: the final dot never came. A client that
   vanished right after its dot leaves only ``disconnect``, and a slow check at the end of the message can put seconds
   between the dot and line 2: as long as process 7 has not moved on, nothing is known.
5. ``smtpd: ID: reject: END-OF-MESSAGE``, ``cleanup: ID: milter-reject: …``, ``cleanup: ID: reject: header …``: refused.
   ``hold`` and ``discard`` are answered with 250, but the queue manager does not hear of them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from commsengine.channels.mail_log import Stamps

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
        """Its process has moved on. What was known before stays."""
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
        """A process that died, or all of them at a restart, leaves without a word of its own."""
        if died := _DIED.match(text):
            self._cut(host, died["pid"])
        elif text.startswith(b"daemon started"):
            for process, transaction in list(self._at_work.items()):
                if process[0] == host and transaction.instance == instance:
                    self._cut(*process)

    def _cut(self, host: bytes, pid: bytes) -> None:
        """Without a name it cannot have reached the queue; with one it may have, and be waiting there."""
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
        """A queue id is given out again once its file is gone."""
        if (old := self._by_id.pop(place, None)) and (old.key or not old.named):
            self._past.append(old)
        self._by_id[place] = new

    def _forget_if_done(self, host: bytes, queue_id: bytes) -> None:
        """Other people's messages do not fill the memory."""
        found = self._by_id.get((host, queue_id))
        if found and found.named and not found.key and found.fate != OPEN:
            del self._by_id[host, queue_id]
