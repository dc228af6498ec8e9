"""Chance that is the same each time: a number drawn from words alone."""

from __future__ import annotations

import hashlib


def drawn(*parts: str) -> float:
    """A number from 0 up to 1, fixed by the parts."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
