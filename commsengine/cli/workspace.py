"""Gives a command its workspace, put together and closed again when the command is done."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from commsengine.cli.output import note, when_where
from commsengine.translation import _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring

P = ParamSpec("P")
R = TypeVar("R")


def with_workspace(command: Callable[Concatenate[Wiring, P], R]) -> Callable[P, R]:
    """The first parameter of ``command`` is the workspace it works on."""

    @functools.wraps(command)
    def opened(*args: P.args, **options: P.kwargs) -> R:
        from commsengine.cli.logs import WARNING, configure_logs
        from commsengine.environment import odd_variables
        from commsengine.wiring import Wiring

        configure_logs(WARNING)
        with Wiring(click.get_current_context().find_root().obj) as wiring:
            for odd in odd_variables():
                note(f"{odd.message} {odd.fix}")
            if wiring.as_of is not None:
                as_of = when_where(zone_of(wiring), wiring.as_of)
                note(_("As of {instant}, the clock of this rehearsal.", instant=as_of))
            return command(wiring, *args, **options)

    return opened


def zone_of(wiring: Wiring, campaign: str = "") -> str:
    """The time zone to show times in: that of the campaign's plan; without a campaign, that of most which go on."""
    records = [record for record in wiring.store.campaigns.all() if campaign in ("", record.id)]
    going_on = [record for record in records if record.state in ("running", "paused")]
    zones = Counter(record.plan.send.time_zone for record in going_on or records)
    return zones.most_common(1)[0][0] if zones else "UTC"
