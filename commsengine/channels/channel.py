"""What a channel is: one verb, ``deliver``, and an honest outcome for every message.

Rules of delivery
1. ``deliver`` makes one attempt per message; there is no retry inside a channel.
2. Right before the point of no return (the final dot, the HTTP call) it calls ``mark(keys)``. Only the keys that come
   back may leave; for the others the outcome is ``released``.
3. It yields the outcome of each message as soon as it is known, in any order, exactly one per message.
4. What happened before the mark is safe to repeat; a break after it, without an answer, is ``uncertain``.
"""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import NamedTuple, Protocol, runtime_checkable

from commsengine.cadence.kinds_and_states import Fault, Verdict
from commsengine.content.message import RenderedMessage

SENT: Verdict = "sent"
PERMANENT: Verdict = "permanent"
RETRY: Verdict = "retry"
UNCERTAIN: Verdict = "uncertain"
RELEASED: Verdict = "released"

Mark = Callable[[Sequence[str]], Iterable[str]]
"""Makes these touches ``sending``, durably, and returns the keys that may leave."""


class Outcome(NamedTuple):
    """What became of one attempt.

    ``begun`` is false when nothing was offered to the other side (connection refused, 429): no attempt is counted.
    ``retry_after`` is in seconds. ``unreachable`` says why this person can never be reached here ("not on Slack", "no
    such mailbox"): a fact that outlives the touch. ``channel_down`` says why this channel reaches no one at present,
    ``narrow`` that only this connection is one too many.
    ``fault`` says what a refusal is about, and ``alike`` what makes it equal to another. ``own``: a mailbox that takes
    nothing for now is the person's own, and given up after so many attempts.
    ``remote_id`` is the other side's name for it: queue id, or Slack channel and ts.
    """

    key: str
    verdict: Verdict
    phase: str = ""
    reply: str = ""
    begun: bool = True
    retry_after: float | None = None
    remote_id: str = ""
    unreachable: str = ""
    channel_down: str = ""
    fault: Fault = ""
    narrow: bool = False
    alike: str = ""
    own: bool = False


@dataclass(eq=False)
class DeliveryError(Exception):
    """A failed attempt inside a channel, carrying what the engine must decide on: the finished outcome's fields."""

    verdict: Verdict
    phase: str
    reply: str
    _: KW_ONLY
    begun: bool = True
    retry_after: float | None = None
    unreachable: str = ""
    channel_down: str = ""
    fault: Fault = ""
    narrow: bool = False
    alike: str = ""
    own: bool = False

    def __str__(self) -> str:
        return self.reply

    def outcome(self, key: str) -> Outcome:
        return Outcome(key, **{field.name: getattr(self, field.name) for field in fields(self)})


class Channel(Protocol):
    """One outside thing that carries messages. An instance belongs to one sender."""

    name: str

    def deliver(self, messages: Sequence[RenderedMessage], mark: Mark) -> Iterator[Outcome]: ...

    def close(self) -> None: ...


class Letter(NamedTuple):
    """A message laid out: ``body`` ends with CRLF, no line of it begins with a dot, and the final dot is not in it."""

    key: str
    recipient: str
    body: bytes


class BeforeTheEnd(NamedTuple):
    """The other side waits for this message: its end goes once it is marked."""

    key: str


class Again(NamedTuple):
    """The connection ended before anything of this letter was heard: it may be offered on a new one."""

    letter: Letter


SendingEvent = Outcome | BeforeTheEnd | Again


@runtime_checkable
class InterleavedChannel(Channel, Protocol):
    """One of many connections that one thread drives: nothing here waits but ``ready`` and ``close``.

    After ``offer``, ``begin_body`` and ``end`` comes ``send``; ``send`` again when the socket takes more, ``receive``
    when there is something to read, ``silent`` when the other side takes longer than ``patience`` (seconds).
    """

    @property
    def at_hand(self) -> bool: ...

    @property
    def socket(self) -> socket.socket | None: ...

    @property
    def sends(self) -> bool: ...

    @property
    def patience(self) -> float | None: ...

    def lay_out(self, message: RenderedMessage, date: dt.datetime) -> Letter: ...

    def ready(self) -> None: ...

    def offer(self, letter: Letter) -> None: ...

    def begin_body(self) -> None: ...

    def end(self) -> list[SendingEvent]: ...

    def send(self) -> list[SendingEvent]: ...

    def receive(self) -> list[SendingEvent]: ...

    def silent(self) -> list[SendingEvent]: ...

    def drop(self) -> None: ...
