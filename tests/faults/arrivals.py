"""What a witness has accepted: one line of JSON per message, written before its sender hears of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Arrival:
    """One message as the outside has it. ``at`` is the wall clock in seconds, ``more`` is what the channel adds."""

    at: float
    key: str
    to: str
    more: Mapping[str, object] = field(default_factory=dict)


class Witness(Protocol):
    """A process that is never killed. ``settings`` let the program find it; ``arrivals`` are in their order."""

    @property
    def settings(self) -> Mapping[str, str]: ...

    def arrivals(self) -> Sequence[Arrival]: ...


class ArrivalLog:
    """The writing side: each line goes out in one write, so that whoever reads never waits for a buffer."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, arrival: Arrival) -> None:
        os.write(self._file, (json.dumps(asdict(arrival)) + "\n").encode())


class Arrivals:
    """The reading side: it reads on from where it was, so that asking often costs little."""

    def __init__(self, file: Path) -> None:
        self._file, self._offset, self._known = file, 0, list[Arrival]()

    def all(self) -> Sequence[Arrival]:
        if self._file.exists() and self._file.stat().st_size > self._offset:
            with self._file.open("rb") as lines:
                lines.seek(self._offset)
                whole = lines.read().rpartition(b"\n")[0]
            self._known += [Arrival(**json.loads(line)) for line in whole.splitlines()]
            self._offset += len(whole) + bool(whole)
        return self._known
