"""Whether a host is this very machine: there, neither encryption nor a proxy is needed."""

from __future__ import annotations

import ipaddress

NAMES = ("127.0.0.1", "::1", "localhost")
"""The hosts of this machine that are written in a list, such as ``no_proxy``."""


def is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host in NAMES
