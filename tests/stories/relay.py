"""A mail server for stories: it takes its time after each message, does not know everybody and puts some off."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from aiosmtpd.smtp import SMTP

from commsengine.sandbox.mailbox import Mailbox

NEVER = 1_000_000


class Relay(Mailbox):
    """``pause`` is in seconds: a message has arrived, and its sender knows it only that much later.

    From ``silent_from`` messages on, no sender hears that one has arrived, until that number is raised.
    """

    def __init__(self, pause: float = 0.0) -> None:
        super().__init__()
        self.pause, self.silent_from = pause, NEVER
        self.unknown: set[str] = set()
        self.put_off: set[str] = set()

    @property
    def copies(self) -> Counter[str]:
        """How many mails each address has."""
        return Counter(mail.recipients[0] for mail in list(self.arrived))

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 5.1.1 no such user here"
        if address in self.put_off:
            return "450 4.2.0 mailbox busy, try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's hook
        reply = await super().handle_DATA(server, session, envelope)
        if self.pause:
            await asyncio.sleep(self.pause)
        while len(self.arrived) >= self.silent_from:
            await asyncio.sleep(0.01)
        return reply
