"""What an examination of ``doctor`` yields; what it is about is written once, in ``examine``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

TIMEOUT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Finding:
    """``state`` is ok, note or problem."""

    about: str
    state: Literal["ok", "note", "problem"]
    text: str
    fix: str = ""


ok = partial(Finding, "", "ok")
note = partial(Finding, "", "note")
problem = partial(Finding, "", "problem")
