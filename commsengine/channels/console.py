"""Messages on a screen: who would read what, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from commsengine.channels.channel import RELEASED, SENT, Mark, Outcome
from commsengine.content.message import RenderedMessage


class ConsoleChannel:
    """Writes each message to ``stream``, its text indented so that it cannot pass for another message's head."""

    name = "console"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def deliver(self, messages: Sequence[RenderedMessage], mark: Mark) -> Iterator[Outcome]:
        for message in messages:
            if message.key in set(mark([message.key])):
                self._stream.write(_page(message))
                yield Outcome(message.key, SENT, "reply", "ok")
            else:
                yield Outcome(message.key, RELEASED, begun=False)

    def close(self) -> None:
        self._stream.flush()


def _page(message: RenderedMessage) -> str:
    head = f"To: {_line(message.to_name or message.to_email)} · {_line(message.subject)} · {message.key}"
    text = "\n".join(f"  {_line(line)}" for line in message.text.splitlines())
    return f"{head}\n{text}\n\n"


def _line(text: str) -> str:
    """Without control characters: a terminal obeys them."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
