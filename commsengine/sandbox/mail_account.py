"""The account that a rehearsal has at a stand-in for a mail provider: by access token where it takes them."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from urllib.parse import quote

from commsengine.channels.access_tokens import AccessToken, AccessTokens
from commsengine.channels.providers import ProviderProfile
from commsengine.sandbox.relay import RelayStandIn

TOKEN_LASTS = dt.timedelta(hours=1)
"""As long as those of Microsoft and Google."""


class MailAccount:
    """``address`` is the sender's; its domain is the company's. ``relay`` is to be opened before ``url`` is read."""

    def __init__(self, profile: ProviderProfile, address: str, clock: Callable[[], dt.datetime]) -> None:
        self._address, self._clock, self._password = address, clock, secrets.token_hex(8)
        company = frozenset({address.rpartition("@")[2].lower()})
        self.relay = RelayStandIn(profile, domains=company, clock=clock, answers_late=False)
        self.by_token = "XOAUTH2" in self.relay.ways_to_log_in
        if not self.by_token:
            self.relay.password = self._password

    @property
    def url(self) -> str:
        host, user = f"{self.relay.host}:{self.relay.port}", quote(self._address, safe="")
        if self.by_token:
            return f"smtp://{user}@{host}?auth=xoauth2"
        return f"smtp://{user}:{self._password}@{host}" if self.relay.ways_to_log_in else f"smtp://{host}"

    def tokens(self) -> AccessTokens:
        return AccessTokens(self._new_token, self._clock)

    def _new_token(self, now: dt.datetime) -> AccessToken:
        text = secrets.token_hex(16)
        self.relay.tokens[text] = now + TOKEN_LASTS
        return AccessToken.of(text, now + TOKEN_LASTS, now)
