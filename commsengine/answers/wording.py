"""What a person reads about their own answers: short sentences, with times in their own zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from commsengine.translation import _

WEEK = dt.timedelta(days=6)


def spoken(at: dt.datetime, zone: str, now: dt.datetime) -> str:
    """``Tue 10:14`` within the last days, ``Tue 12 Jan 10:14`` before, with the year when it is another."""
    here = ZoneInfo(zone)
    local, today = at.astimezone(here), now.astimezone(here)
    if dt.timedelta() <= now - at < WEEK:
        return f"{local:%a %H:%M}"
    return (
        f"{local:%a} {local.day} {local:%b %Y %H:%M}"
        if local.year != today.year
        else f"{local:%a} {local.day} {local:%b %H:%M}"
    )


def short_name(name: str, email: str) -> str:
    # enough for Ana Kim to know it is hers, too little for a stranger to learn much
    first, *rest = name.split() or [email.partition("@")[0]]
    return f"{first} {rest[-1][0]}." if rest else first


def read_by(lead: str, leads: int) -> str:
    if leads == 1:
        return _("{lead} reads every answer, with your name.", lead=lead)
    return _("{lead} and the others who lead this read every answer, with your name.", lead=lead)
