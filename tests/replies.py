"""Replies to questions, as short as a test wants them."""

from __future__ import annotations

import datetime as dt

from commsengine.answers.inbox import AnswerInbox
from commsengine.answers.replying import Given, Replying, Wording
from commsengine.store.records import AskId, NewReply
from commsengine.store.store import Store


def answered(store: Store, number: int, text: str, *, by: str = "dana", now: dt.datetime) -> int:
    """On record alone: no letter brings it."""
    question = store.questions.get(number)
    assert question is not None
    return store.replies.give([question.ask], NewReply(question.campaign, question.message, text), by=by, now=now)


def answer_question(store: Store, inbox: AnswerInbox, number: int, text: str, by: str, now: dt.datetime) -> Given:
    """As the command does, without those who asked alike."""
    replying = Replying(store, inbox)
    return replying.reply(replying.asks([AskId("question", number)]), Wording(text), by=by, now=now)
