"""Every error of Slack's documentation, with what it is about: ``tests/corpus/slack.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse, WebClient

from commsengine.channels.channel import DeliveryError
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.channels.slack import refused
from commsengine.channels.slack_refusals import KNOWN, SLACK_REFUSALS

CORPUS: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).parents[1] / "corpus" / "slack.yaml")


def told(error: str, *own: RefusalRule, marked: bool = True, status: int = 200) -> DeliveryError:
    said = {"ok": False, "error": error}
    answer = SlackResponse(
        client=WebClient(), http_verb="POST", api_url="", req_args={}, data=said, headers={}, status_code=status
    )
    return refused(SlackApiError("refused", answer), marked=marked, own=own)


@pytest.mark.parametrize("said", CORPUS, ids=lambda said: str(said["error"]))
def test_each_error_is_about_what_the_corpus_says(said: dict[str, Any]) -> None:
    row = KNOWN[said["error"]]
    assert row.fault == said["fault"]
    outcome = told(said["error"])
    assert (outcome.verdict == "permanent") == (said["fault"] in ("person", "message"))
    assert bool(outcome.unreachable) == (said["fault"] == "person")
    assert bool(outcome.channel_down) == (said["fault"] in ("us", "quota") or row.kind == "down")
    if outcome.channel_down:
        assert (outcome.begun, outcome.channel_down) == (False, f"Slack refuses us: {said['error']}. {row.remedy}")


def test_the_table_has_the_corpus_and_each_error_once() -> None:
    errors = [error for row in SLACK_REFUSALS for error in row.word.split()]
    assert sorted(errors) == sorted(set(errors)) == sorted(said["error"] for said in CORPUS)
    assert len(CORPUS) >= 120
    assert all(bool(row.remedy) == (row.fault in ("us", "quota") or row.kind == "down") for row in SLACK_REFUSALS)


def test_a_word_that_is_new_to_us_fails_nobody() -> None:
    for marked in (True, False):
        new = told("something_new", marked=marked)
        assert (new.verdict, new.fault, new.alike, new.unreachable) == ("retry", "unknown", "something_new", "")


def test_a_workspace_may_know_better() -> None:
    known = told("app_access_restricted", RefusalRule("person", channel="slack", word="app_access_restricted"))
    assert (known.verdict, known.fault, known.unreachable) == ("permanent", "person", "")


def test_a_quota_is_a_quota_and_a_limit_is_waited_out() -> None:
    assert told("message_limit_exceeded").fault == "quota"
    limited = told("ratelimited", status=429)
    assert (limited.fault, limited.begun, limited.retry_after) == ("later", False, 30.0)
