"""The database and the engine that the tests of the engine use."""

from tests.engine.conftest import bag, clock, engine, store

__all__ = ["bag", "clock", "engine", "store"]
