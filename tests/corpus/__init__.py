"""Real replies of mail servers and of Slack, each with the verdict that a person gave it.

``replies.csv``: by whom, in which phase, the reply, its verdict (fault and kind), and whether it was written before
the table of refusals knew it or after.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple


class Reply(NamedTuple):
    """One row."""

    by: str
    phase: str
    says: str
    verdict: str
    written: str

    @property
    def channel(self) -> str:
        return "slack" if self.by == "Slack" else "email"

    @property
    def code(self) -> int:
        return int(self.says[:3]) if self.channel == "email" else 200

    @property
    def words(self) -> str:
        return self.says[4:] if self.channel == "email" else self.says

    @property
    def fault(self) -> str:
        return self.verdict.partition(" ")[0]


def _read() -> tuple[Reply, ...]:
    with Path(__file__).with_name("replies.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Reply(*row) for row in list(csv.reader(file))[1:])


REPLIES = _read()
