"""One row of the table of refusals."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from commsengine.cadence.kinds_and_states import ChannelName, Fault, RefusalKind


class RefusalRule(NamedTuple):
    """``fault`` and ``kind`` are the answer, the rest says to what; empty stands for anything.

    ``code``, ``enhanced`` and ``words`` are regular expressions. ``word`` lists whole replies, between blanks: the
    errors of Slack. ``remedy`` is a sentence for the administrator, without its full stop.
    """

    fault: Fault
    kind: RefusalKind = ""
    channel: ChannelName | Literal[""] = ""
    phase: str = ""
    code: str = ""
    enhanced: str = ""
    words: str = ""
    word: str = ""
    remedy: str = ""

    def fits(self, channel: ChannelName, phase: str, code: int, enhanced: str, words: str) -> bool:
        return (
            self.channel in ("", channel)
            and self.phase in ("", phase)
            and (not self.code or re.fullmatch(self.code, str(code)) is not None)
            and (not self.enhanced or re.fullmatch(self.enhanced, enhanced) is not None)
            and (not self.words or re.search(self.words, words, re.IGNORECASE) is not None)
            and (not self.word or words in self.word.split())
        )
