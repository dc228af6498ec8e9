"""Mail to the admin when nothing goes on without a person: the engine holds, or a channel is refused for its own fault.

An alert is service mail that passes a hold. If mail itself is down, it leaves when mail is back.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection
from email.utils import parseaddr

import structlog

from commsengine.content.message import Message
from commsengine.engine.service_mail import payload_of
from commsengine.store.records import Hold
from commsengine.store.store import Store

NAME = "commsengine"

log = structlog.get_logger(__name__)


class Alerts:
    """One mail per event and day. Without an ``admin``, or without mail, there are none."""

    def __init__(self, store: Store, admin: str, channels: Collection[str]) -> None:
        self._store, self._admin = store, parseaddr(admin)[1] if "email" in channels else ""
        self._told: set[str] = set()

    def held(self, hold: Hold, now: dt.datetime) -> None:
        self._tell(
            f"held since {hold.since.isoformat()}",
            hold.since,
            "Nothing is sent: the engine is on hold",
            f"{hold.reason}\n\nIt sends nothing until you release it. See what waits:\n\n"
            "    commsengine status\n\nThen choose what becomes of it:\n\n"
            "    commsengine release --backlog latest|all|none",
            now,
        )

    def shut(self, channel: str, because: str, now: dt.datetime) -> None:
        self._tell(
            f"{channel} is shut",
            now,
            f"Nothing leaves by {channel}",
            f"{because}.\n\nThis does not pass by itself. What is due waits, and is tried again every ten minutes at "
            "least; the other channels go on. See what is wrong:\n\n    commsengine doctor",
            now,
        )

    def _tell(self, event: str, since: dt.datetime, subject: str, text: str, now: dt.datetime) -> None:
        key = hashlib.sha256("\x1f".join(("alert", event, since.date().isoformat())).encode()).hexdigest()[:24]
        if not self._admin or key in self._told:
            return
        self._told.add(key)
        message = Message(
            key=key, campaign=NAME, campaign_title=NAME, channel="email", to_email=self._admin, to_name="",
            slack_id="", sender_name="", reply_to="", subject=subject, text=f"{text}\n", html="", blocks=(), date=now,
        )  # fmt: skip
        if self._store.touches.add_service(
            key, category="alert", channel="email", payload=payload_of(message), now=now
        ):
            log.warning("admin_told", alert=event)
