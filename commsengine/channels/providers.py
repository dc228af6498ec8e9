"""What mail providers allow: connections, messages a minute and a day. Shipped in ``providers.yaml``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

A_DAY = dt.timedelta(days=1)
SHIPPED = Path(__file__).with_name("providers.yaml")
UNKNOWN = "unknown"
"""The profile of a server that none fits; the shipped table ends with it."""


@dataclass(frozen=True, slots=True)
class SendingLimits:
    """How much may leave by a channel; ``None`` is no limit.

    ``per_day`` counts messages in any span of ``day``: each sending makes room again when it is so old.
    """

    connections: int = 1
    per_minute: float | None = None
    per_day: int | None = None
    day: dt.timedelta = A_DAY
    per_connection: int | None = None

    def overridden(self, connections: int | None, per_minute: float | None, per_day: int | None) -> SendingLimits:
        return replace(
            self,
            connections=connections or self.connections,
            per_minute=per_minute or self.per_minute,
            per_day=per_day or self.per_day,
        )


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """A provider by its ``name`` in the table. ``banners`` are regular expressions."""

    name: str
    title: str
    limits: SendingLimits
    hosts: tuple[str, ...] = ()
    banners: tuple[str, ...] = ()

    @property
    def whose(self) -> str:
        """The title of a provider that is known; empty otherwise."""
        return "" if self.name == UNKNOWN else self.title

    def has_host(self, host: str) -> bool:
        return any(fnmatchcase(host.lower().rstrip("."), pattern) for pattern in self.hosts)

    def has_banner(self, banner: str) -> bool:
        return any(re.search(words, banner) for words in self.banners)


NO_SERVER = ProviderProfile("", "", SendingLimits())
"""Where no mail server is set up."""


def profile_of(host: str, banner: str, profiles: Iterable[ProviderProfile]) -> ProviderProfile:
    """The first profile with this host, else the first with this banner."""
    known = list(profiles)
    named = [each for each in known if each.has_host(host) and "*" not in each.hosts]
    greeted = [each for each in known if banner and each.has_banner(banner)]
    return next(iter([*named, *greeted, *(each for each in known if each.name == UNKNOWN)]))
