"""A share that was counted, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from commsengine.cadence.experiment import share_of


@dataclass(frozen=True, slots=True)
class Share:
    """So many ``of`` so many. ``low`` and ``high`` are the bounds of Wilson's interval, for 95 %."""

    count: int
    of: int

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0

    @property
    def low(self) -> float:
        return share_of(self.count, self.of).low if self.of else 0.0

    @property
    def high(self) -> float:
        return share_of(self.count, self.of).high if self.of else 1.0
