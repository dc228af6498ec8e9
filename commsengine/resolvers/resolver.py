"""What a resolver is: one outside thing that can be asked, after a break, whether an uncertain send arrived.

Rules of resolving
1. ``look`` only reads. It sends nothing, changes nothing, and may be repeated at will.
2. What arrived is ``found``. "Not found" is said only with proof: the thing that was asked covers the time of the send,
   is known to record such sends, and is done with it. A send taken for absent by mistake reaches a person twice.
3. Without proof either way the key is missing from the answer, and may be asked for again later.
4. An outside that is away raises nothing: one warning is logged, and what is known is returned.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

CLOCK_SLACK = dt.timedelta(seconds=60)
"""How far the clocks of two machines may be apart."""


@dataclass(frozen=True, slots=True)
class Sending:
    """An uncertain send as its resolver looks for it.

    ``since`` is when it was marked, right before the point of no return; aware, UTC. ``slack_id`` is the person's own,
    as their people file gives it, and may be empty.
    """

    key: str
    to_email: str
    slack_id: str
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a resolver knows: it arrived (``found``), or it provably did not.

    ``evidence`` is one line for the audit, without addresses or texts. ``remote_id`` is the other side's name for what
    arrived: a queue id, or Slack's ``channel:ts``; empty where there is none.
    """

    found: bool
    evidence: str
    remote_id: str = ""


class Resolver(Protocol):
    """One outside thing to ask. ``settle``: seconds after the break before an absence may be believed."""

    name: str  # "postfix-log", "slack-history", "imap-archive"
    settle: float

    def look(self, sendings: Sequence[Sending]) -> Mapping[str, Sighting]:
        """By key, what is known of these sends; of keys that are missing nothing can be said now."""

    def close(self) -> None: ...
