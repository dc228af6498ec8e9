"""A channel and a kind of answer that stand in their tables appear wherever channels and kinds are listed.

The program is widened as docs/add-a-channel.md says (tests/widened), and then used.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.widened import program
from tests.widened.story import ANA, BEN


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("widened")
    program.write(folder)
    return program.told(folder)


def test_a_people_file_may_wish_for_it(told: dict[str, Any]) -> None:
    assert "'pagr' is not a channel. Did you mean 'pager'?" in told["wrong"]


def test_check_accepts_it(told: dict[str, Any]) -> None:
    assert "error" not in told["check"]


def test_preview_shows_a_message_as_it_will_carry_it(told: dict[str, Any]) -> None:
    assert f"one-record, message 1, to {ANA} (others) by pager\n" in told["preview"]
    assert f"to {ANA} (others) by email (it is sent by pager)" in told["preview"]
    named = [f"1-{name}.{end}" for name in ("email", "pager") for end in ("html", "txt")]
    assert set(told["files"]) >= {*named, "4-personal-talk.txt", "2-pager.txt"}


def test_simulate_foresees_it_and_keeps_its_rate(told: dict[str, Any]) -> None:
    carried = {touch["channel"] for touch in told["foreseen"]["touches"]}
    assert carried == {"pager", "personal"}
    assert "4 by pager at 1 a minute: the last is sent " in told["simulate"]


def test_the_engine_sends_by_it(told: dict[str, Any]) -> None:
    assert told["started"] == "crm: email has no credentials here, so it is left out; it uses pager.\n"
    assert f"{ANA}: Every customer conversation is logged in one record.\n" in told["paged"]
    assert f"{ANA}: Reminder: " in told["paged"]
    assert BEN not in told["paged"]


def test_followups_name_it(told: dict[str, Any]) -> None:
    reason, *tried = told["followups"][ANA]
    assert reason == "No answer after 3 messages."
    assert [how.partition(" on ")[0] for how in tried] == ["pager"] * 3
    closed = "pager (suppressed: asked us to), e-mail (suppressed: asked us to)"
    assert told["followups"][BEN][0].startswith(f"No channel reaches them: {closed}.")


def test_my_messages_offers_it_and_says_what_it_carried(told: dict[str, Any]) -> None:
    assert "Channel: Pager." in told["offered"]
    assert "<span>Sent by pager</span>" in told["offered"]
    assert "<span>Sent by pager as a reminder</span>" in told["offered"]


def test_a_person_may_wish_for_it_on_the_page(told: dict[str, Any]) -> None:
    assert "Saved." in told["chosen"]
    assert "wished channel: pager\n" in told["shown"]


def test_the_answer_to_a_question_goes_back_by_it(told: dict[str, Any]) -> None:
    assert told["reply"] == ["pager"]


def test_an_answer_of_the_kind_reads_well_to_the_person_and_to_the_lead(told: dict[str, Any]) -> None:
    assert "<span>You said you will teach it</span>" in told["offered"]
    assert "You said you will teach it" in told["answered"]
    said = [each["text"] for each in told["why"]["campaigns"][0]["messages"][0]["said"]]
    assert "will teach it (by pager)" in said


def test_a_rehearsal_never_carries_by_it(told: dict[str, Any]) -> None:
    assert told["rehearsed"] == 0
    assert told["paged in rehearsal"] is False
