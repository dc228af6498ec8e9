"""A network for one host that can be cut: packets sent meanwhile are lost, and neither side gets an error."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class Network:
    """A network namespace and a pair of interfaces. ``address`` is ours; by it the host reaches what listens there.

    ``within`` is the command that starts a process on that host.
    """

    def __init__(self) -> None:
        self._name = f"cut{os.getpid()}"
        self._ours, self._theirs = f"{self._name}a", f"{self._name}b"
        self._block = f"10.213.{os.getpid() % 256}"
        self.address = f"{self._block}.1"
        self.url = f"postgresql://postgres@{self.address}/postgres"
        self.within: Sequence[str] = ("ip", "netns", "exec", self._name)

    def cut(self) -> None:
        self._there("link set", self._theirs, "down")

    def mend(self) -> None:
        self._there("link set", self._theirs, "up")

    def __enter__(self) -> Self:
        _ip("netns add", self._name)
        _ip("link add", self._ours, "type veth peer name", self._theirs, "netns", self._name)
        _ip("address add", f"{self.address}/30 dev", self._ours)
        _ip("link set", self._ours, "up")
        self._there("address add", f"{self._block}.2/30 dev", self._theirs)
        self._there("link set lo up")
        self.mend()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        _ip("netns delete", self._name)

    def _there(self, *words: str) -> None:
        _ip("-netns", self._name, *words)


@contextmanager
def network() -> Iterator[Network | None]:
    """``None`` where none can be made: it takes Linux, ``ip`` and root."""
    if os.geteuid() or not shutil.which("ip"):
        yield None
        return
    with Network() as found:
        yield found


def _ip(*words: str) -> None:
    subprocess.run(["ip", *" ".join(words).split()], check=True, capture_output=True)
