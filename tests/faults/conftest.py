"""The engine on a real database, with channels that are fakes and a clock to set."""

from __future__ import annotations

from tests.engine.conftest import bag, clock, engine, store

__all__ = ["bag", "clock", "engine", "store"]
