"""What real replies are about: the wording is the servers', addresses and hosts are replaced."""

from __future__ import annotations

import pytest

from commsengine.channels.refusals import judge
from tests.corpus import REPLIES, Reply


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: reply.says[:60])
def test_what_a_reply_is_about(reply: Reply) -> None:
    judged = judge(reply.channel, reply.phase, reply.code, reply.words)
    assert f"{judged.fault} {judged.kind}".strip() == reply.verdict
