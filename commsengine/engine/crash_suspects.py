"""Which message the engine was writing when it died: the one row that kills it fails alone, the others go on.

Each sender thread notes the key it is about to render in a small mapped file: no system call, and what is there
survives the process (not a power cut, for which no message is to blame). A start counts what it finds there. From
then on a suspect is rendered while no other suspect is, so that no neighbour is blamed with it; the third death
names it.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commsengine.engine import json_file
from commsengine.errors import CommsError
from commsengine.store.recovery import POISON

MOST_DEATHS = 3
SLOTS, SLOT = 64, 32
"""More slots than there are sender threads; a key is 24 letters."""


class Suspects:
    """``folder`` is where its two files lie. ``poison`` is asked once, at a start; ``writing`` is around a message."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._counts = folder / "suspects.json"
        self._deaths: dict[str, int] = json_file.read(self._counts)
        self._alone = threading.Lock()
        self._free = list(range(SLOTS))
        file = os.open(folder / "writing", os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(file, SLOTS * SLOT)
        self._map = mmap.mmap(file, SLOTS * SLOT)
        os.close(file)

    def poison(self) -> frozenset[str]:
        """Counts the messages that were being written when the last engine died; the keys at which it died too
        often."""
        died_at = [self._map[n * SLOT : (n + 1) * SLOT].rstrip(b"\0").decode("ascii", "replace") for n in range(SLOTS)]
        if any(died_at):
            for key in filter(None, died_at):
                self._deaths[key] = self._deaths.get(key, 0) + 1
            json_file.write(self._counts, self._deaths)
            self._map[:] = bytes(SLOTS * SLOT)
        return frozenset(key for key, deaths in self._deaths.items() if deaths >= MOST_DEATHS)

    def forget(self, key: str) -> None:
        # it has been written, or it has failed: no suspect any more
        if self._deaths.pop(key, None) is not None:
            json_file.write(self._counts, self._deaths)

    @contextmanager
    def writing(self, key: str) -> Iterator[None]:
        """Around the rendering of one message. A suspect waits until it is alone among the suspects.

        Raises ``CommsError`` for a message at which the engine died too often.
        """
        suspect = key in self._deaths
        if self._deaths.get(key, 0) >= MOST_DEATHS:
            raise CommsError(POISON)
        if suspect:
            self._alone.acquire()
        slot = self._free.pop()
        begin = slot * SLOT
        self._map[begin : begin + SLOT] = key.encode("ascii", "replace")[:SLOT].ljust(SLOT, b"\0")
        try:
            yield
        finally:
            self._map[begin : begin + SLOT] = bytes(SLOT)
            self._free.append(slot)
            if suspect:
                self.forget(key)
                self._alone.release()

    def close(self) -> None:
        self._map.close()
