"""The audit trail: who did what to what, when. Rows are only ever added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from commsengine.store import tables


def note(
    connection: Connection,
    action: str,
    subject: str,
    *,
    by: str,
    now: dt.datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Adds one row. ``subject`` is an id; ``detail`` never holds what a person wrote or where they can be reached."""
    row = {"at": now, "by": by, "action": action, "subject": subject, "detail": dict(detail or {})}
    connection.execute(tables.audit.insert(), row)
