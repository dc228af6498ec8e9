"""What one person said about a message, and what came of talks with them, for whoever asks why.

Right or wrong is nobody's business but theirs: an answered check is answered, and stands like any other answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from commsengine.cadence.history import History

WORDS = {
    "acknowledged": "got it",
    "input": "gave an answer",
    "commit": "said they will",
    "check": "answered the question",
    "heard_enough": "heard enough",
    "not_for_me": "not for them, they say",
}
WAYS = {"link": "by link", "slack": "in Slack", "reply": "by reply", "manager": "as told in a talk"}


def shown(standing: str) -> str:
    """The standing as others may see it."""
    return "acknowledged" if standing in ("recalled", "not recalled") else standing


def said(history: History, campaign: str, message: str) -> list[dict[str, str]]:
    """``at`` (ISO) and ``text`` of each, in order."""
    told = sorted(_told(history, campaign, message))
    return [{"at": at.isoformat(), "text": text} for at, text in told]


def _told(history: History, campaign: str, message: str) -> Iterator[tuple[dt.datetime, str]]:
    for answer in history.answers:
        if answer.campaign == campaign and (answer.message == message or answer.whole_campaign):
            yield answer.at, f"{WORDS[answer.kind]}, {WAYS.get(answer.evidence, answer.evidence)}"
    for question in history.questions:
        if (question.campaign, question.message) == (campaign, message):
            yield question.asked_at, "asked a question" + ("" if question.answered_at else "; it is open")
    for snooze in history.snoozes:
        if (snooze.campaign, snooze.message) == (campaign, message):
            yield snooze.at, f"not before {snooze.until:%d %b}, they asked"
    for outcome in history.outcomes:
        if (outcome.campaign, outcome.message) == (campaign, message):
            yield outcome.at, f"talked to in person: {outcome.outcome}"
