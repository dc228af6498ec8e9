"""Any reply of the corpus at random: no one fails for a reason that is not their own. The long form is a benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import fresh
from tests.corpus import REPLIES
from tests.faults.any_reply import play


@pytest.mark.slow
def test_f40_any_reply_at_random_fails_nobody_but_for_their_own_sake(tmp_path: Path) -> None:
    with fresh.a_store(tmp_path / "any.db") as store:
        result = play(store, 120, seed=1, to_people=0.3, to_all=0.01)
    assert result.broken == []
    assert {"us", "quota", "message", "unknown", "person", "person gone", "later full"} <= set(result.said)
    assert result.held_at_most > 0


@pytest.mark.parametrize("channel", ["email", "slack"])
def test_the_corpus_is_large_and_half_of_it_was_written_before(channel: str) -> None:
    some = [reply for reply in REPLIES if reply.channel == channel]
    assert len({reply.says for reply in some}) >= {"email": 150, "slack": 30}[channel]
    before = sum(reply.written == "before" for reply in REPLIES)
    assert before >= len(REPLIES) // 2 - 1
