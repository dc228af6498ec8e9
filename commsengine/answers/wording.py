"""What a person reads about their own answers: short sentences, with times in their own zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from commsengine.content.phrases import brief_day_text, moment_text, weekday_text
from commsengine.translation import _

WEEK = dt.timedelta(days=6)


def spoken(at: dt.datetime, zone: str, now: dt.datetime) -> str:
    """``Tue 10:14`` within the last days, ``Tue 12 Jan 10:14`` before, with the year when it is another."""
    here = ZoneInfo(zone)
    local, today = at.astimezone(here), now.astimezone(here)
    if dt.timedelta() <= now - at < WEEK:
        return moment_text(local, weekday_text(local, short=True))
    return moment_text(local, brief_day_text(local, year=local.year != today.year))


def read_by(lead: str, leads: int) -> str:
    if leads == 1:
        return _("{lead} reads every answer, with your name.", lead=lead)
    return _("{lead} and the others who lead this read every answer, with your name.", lead=lead)
