"""The garbage collector of an engine at work: what start-up made stays, and is not walked through again and again."""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 20, 20)
"""Objects made before it looks at the youngest; measured by ``benchmarks/sending.py``."""


def keep_what_is_there() -> None:
    """Called once, when everything is loaded and before the first tick."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
