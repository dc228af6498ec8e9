"""Provider profiles from YAML: the shipped table, and a workspace's own ``providers.yaml`` before it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from commsengine.authoring.secrets_in_files import leaks, masked
from commsengine.authoring.validate import shape
from commsengine.authoring.yaml_parser import read_tree
from commsengine.cadence.kinds_and_states import ChannelName, RefusalKind
from commsengine.cadence.plan import Frozen, Identifier
from commsengine.channels.providers import SHIPPED, ProviderProfile, SendingLimits
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.errors import InputError
from commsengine.translation import N_, _

FILE = "providers.yaml"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _pattern(words: str) -> str:
    try:
        re.compile(words)
    except re.error:
        raise ValueError(_("is not a regular expression. Write plain words, for example ESMTP Postfix")) from None
    return words


def _span(written: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,5} ?[smhd]", written):
        raise ValueError(_("is not a span of time. Write for example 24h or 20s"))
    return written


Pattern = Annotated[str, AfterValidator(_pattern)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]


class WrittenProfile(Frozen):
    """One profile as it stands in the file."""

    title: str = ""
    hosts: tuple[str, ...] = ()
    banners: tuple[Annotated[str, AfterValidator(_pattern)], ...] = ()
    connections: Annotated[int, Field(ge=1, le=100)] = 3
    per_minute: Count | None = None
    per_day: Count | None = None
    day: Annotated[str, AfterValidator(_span)] = "24h"
    per_connection: Count | None = None

    def profile(self, name: str) -> ProviderProfile:
        day = dt.timedelta(seconds=int(self.day[:-1]) * _UNITS[self.day[-1]])
        limits = SendingLimits(self.connections, self.per_minute, self.per_day, day, self.per_connection)
        hosts = tuple(host.lower() for host in self.hosts)
        return ProviderProfile(name, self.title or name, limits, hosts, self.banners)


class WrittenRefusal(Frozen):
    """One row of the table of refusals as it stands in the file."""

    verdict: Literal["person", "message", "us", "quota", "later", "unknown"]
    kind: RefusalKind = ""
    channel: ChannelName | Literal[""] = ""
    phase: Literal["", "connect", "auth", "mail", "rcpt", "data", "reply"] = ""
    code: Pattern = ""
    enhanced: Pattern = ""
    words: Pattern = ""
    word: str = ""

    @model_validator(mode="after")
    def _says_to_what(self) -> WrittenRefusal:
        if not any((self.code, self.enhanced, self.words, self.word)):
            raise ValueError(N_("does not say which reply. Write at least one of code, enhanced, words and word"))
        return self

    def rule(self) -> RefusalRule:
        said = (self.code, self.enhanced, self.words, self.word)
        return RefusalRule(self.verdict, self.kind, self.channel, self.phase, *said)


class ProvidersFile(Frozen):
    """The whole file."""

    profiles: Mapping[Identifier, WrittenProfile] = {}
    refusals: tuple[WrittenRefusal, ...] = ()


def load_providers(own: Path) -> tuple[ProviderProfile, ...]:
    """The profiles of the workspace's file, if there is one, then the shipped ones.

    Raises ``InputError`` with every problem of the file.
    """
    mine = _profiles(_read(own)) if own.exists() else ()
    return (*mine, *_shipped())


def load_refusals(own: Path) -> tuple[RefusalRule, ...]:
    """The rows of the workspace's file that come before the shipped table of refusals.

    Raises ``InputError`` with every problem of the file.
    """
    return tuple(row.rule() for row in _read(own).refusals) if own.exists() else ()


@cache
def _shipped() -> tuple[ProviderProfile, ...]:
    return _profiles(_read(SHIPPED))


def _profiles(file: ProvidersFile) -> tuple[ProviderProfile, ...]:
    return tuple(written.profile(name) for name, written in file.profiles.items())


def _read(path: Path) -> ProvidersFile:
    tree = read_tree(path)
    shaped = shape(tree, ProvidersFile, {})
    problems = [*leaks(str(path), tree.source), *shaped.problems]
    if problems or shaped.value is None:
        raise InputError.of(list(dict.fromkeys(masked(problems))))
    return shaped.value
