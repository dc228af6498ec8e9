"""A batch on its way to a channel: each message gets the time of its attempt when the channel comes to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from commsengine.content.message import Message


class Dated(Sequence[Message]):
    """The time is read as late as possible: a slow relay may take minutes over the messages before this one."""

    def __init__(self, messages: Sequence[Message], clock: Callable[[], dt.datetime]) -> None:
        self._messages, self._clock = messages, clock

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Dated(self._messages[place], self._clock)
        return replace(self._messages[place], date=self._clock())
