"""The rules that stand beside the tables."""

from __future__ import annotations

from typing import get_args

import pytest

from commsengine.cadence.kinds_and_states import (
    ANSWERS,
    BY_HAND,
    CHANNELS,
    EVIDENCE,
    AnswerKind,
    Carrier,
    ChannelName,
    EvidenceKind,
    HandKind,
    channel_of,
    service_channel,
)


def test_every_word_of_a_list_stands_in_its_table() -> None:
    assert {*CHANNELS} == {*get_args(ChannelName)}
    assert {*ANSWERS} == {*get_args(AnswerKind)}
    assert {*EVIDENCE} == {*get_args(EvidenceKind)}
    assert {*BY_HAND} == {*get_args(HandKind)}


@pytest.mark.parametrize(("carrier", "channel"), [("slack", "slack"), ("email", "email"), ("personal", "email")])
def test_what_a_human_carries_is_written_as_mail(carrier: Carrier, channel: ChannelName) -> None:
    assert channel_of(carrier) == channel


def test_a_channel_that_is_gone_is_followed_by_mail() -> None:
    assert channel_of("console") == "email"  # type: ignore[arg-type]


def test_service_mail_goes_by_what_reaches_any_address() -> None:
    assert service_channel(["slack", "email"]) == "email"
    assert service_channel(["slack"]) == "slack"
