"""A share that was counted, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z = 1.959964
"""Standard normal quantile for 95 %."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many ``of`` so many.

    The interval is Wilson's (1927, J. Am. Stat. Assoc. 22, 209-212), for 95 %: the shares under which this count would
    not be surprising. It holds for small counts too and never leaves 0 to 1.
    """

    count: int
    of: int

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0

    @property
    def low(self) -> float:
        return self._bounds()[0]

    @property
    def high(self) -> float:
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.share
        middle = p + Z**2 / (2 * n)
        spread = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        low, high = ((middle + sign * spread) / (1 + Z**2 / n) for sign in (-1, 1))
        return (0.0 if self.count == 0 else low), (1.0 if self.count == n else high)
