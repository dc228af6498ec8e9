"""SQL is compiled once in a process, not once for each database of each test: a fifth of the time of such a test."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

_DIALECTS: dict[type[DefaultDialect], DefaultDialect] = {}
_COMPILED: dict[Any, Any] = {}


def share_compiled_sql() -> None:
    # SQLAlchemy calls this hook of its own with every engine that it makes.
    DefaultDialect.engine_created = staticmethod(_share)  # type: ignore[method-assign]


def _share(engine: Engine) -> None:
    own = engine.dialect
    assert isinstance(own, DefaultDialect)
    # What is compiled is found again under the dialect that it was compiled for.
    engine.dialect = _DIALECTS.get(type(own), own)
    engine.update_execution_options(compiled_cache=_COMPILED)
    # A dialect is ready for others after its first connection: then it has asked the database for its version.
    event.listen(engine, "connect", lambda *_: _DIALECTS.setdefault(type(own), own))
