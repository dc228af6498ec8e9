"""HTTP to pages on this machine. The certificates are loaded once: that takes as long as ten requests."""

from __future__ import annotations

import ssl

import httpx

from tests.waiting import PATIENCE

TRUST = ssl.create_default_context()
WEB = httpx.Client(verify=TRUST, trust_env=False, timeout=PATIENCE, limits=httpx.Limits(max_keepalive_connections=0))
"""It keeps no connection open and no cookie apart; each request stands alone."""
