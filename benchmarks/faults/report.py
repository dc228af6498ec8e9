"""What a long run ends with: a table of figures, and every promise that broke."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.killer import Verdict


@dataclass
class Report:
    """Figures in the order they were added; ``broken`` are promises in words."""

    title: str
    figures: list[tuple[str, object]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def add(self, name: str, value: object) -> None:
        self.figures.append((name, value))

    def promise(self, kept: bool, text: str) -> None:
        if not kept:
            self.broken.append(text)

    def judge(self, verdict: Verdict, where: str = "") -> None:
        """Every promise of a verdict, each with the place it was about."""
        self.broken += [f"{where}{text}" for text in verdict.broken]

    @property
    def status(self) -> int:
        return 1 if self.broken else 0

    def table(self) -> str:
        rows: Sequence[tuple[str, object]] = [*self.figures, ("seconds", round(time.monotonic() - self.began))]
        width = max(len(name) for name, _ in rows)
        lines = [self.title, *(f"  {name.ljust(width)}  {_shown(value)}" for name, value in rows)]
        lines += [f"BROKEN: {text}" for text in self.broken] or ["every promise kept"]
        return "\n".join(lines)


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def say(text: str) -> None:
    """Progress, for whoever watches; results go to standard output."""
    print(text, file=sys.stderr, flush=True)
