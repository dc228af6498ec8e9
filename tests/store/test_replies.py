"""Replies: one to all who asked alike, the newest stands, and what has ended stays so."""

from __future__ import annotations

import datetime as dt

import pytest

from commsengine.errors import InputError
from commsengine.store.records import Ask, AskId, NewReply
from commsengine.store.store import Store
from tests.store.scene import LATER, NOW, idle, running

DAY = dt.date(2027, 2, 1)
LATER_ON = LATER + dt.timedelta(hours=1)


def asked(store: Store, *people: str) -> list[Ask]:
    for person in people:
        store.questions.ask(person, "crm", "one-record", f"k-{person}", "Why?", evidence="link", now=NOW)
    return [each.ask for each in store.questions.all()]


def test_one_reply_ends_all_it_is_about_and_each_of_them_is_due(known: Store) -> None:
    asks = asked(known, "ana", "ben")
    idle(known)
    number = known.replies.give(asks, NewReply("crm", "one-record", "So.", roles=("sales",)), by="dana", now=LATER)
    (said,) = known.replies.of_campaign("crm")
    assert (said.id, said.asks, said.people, said.roles) == (number, tuple(ask.id for ask in asks), 2, ("sales",))
    assert known.questions.all() == []
    assert sorted(known.loading.due(LATER)) == ["ana", "ben"]


def test_what_has_ended_stays_so_and_nothing_of_the_second_is_kept(known: Store) -> None:
    first, second = asked(known, "ana", "ben")
    known.replies.give([first], NewReply("crm", "one-record", "So."), by="dana", now=LATER)
    with pytest.raises(InputError, match=r"was answered Mon .* by dana"):
        known.replies.give([second, first], NewReply("crm", "one-record", "No."), by="tom", now=LATER)
    assert [question.id for question in known.questions.all()] == [second.id.number]
    assert len(known.replies.of_campaign("crm")) == 1


def test_a_promise_is_replied_to_again_and_the_newest_stands(known: Store) -> None:
    asks = asked(known, "ana", "ben")
    promise = NewReply("crm", "one-record", "In May.", "later", DAY)
    known.replies.give(asks, promise, by="dana", now=LATER)
    known.replies.give(asks[:1], NewReply("crm", "one-record", "Done."), by="dana", now=LATER_ON)
    first, second = known.replies.of_campaign("crm")
    assert (first.replaced_at, second.replaced_at) == (None, None)  # Ben has but the promise
    standing = known.replies.standing("crm")
    assert [standing[ask.id].ending for ask in asks] == ["done", "later"]
    known.replies.give(asks[1:], NewReply("crm", "one-record", "No.", "no"), by="dana", now=LATER_ON)
    assert known.replies.of_campaign("crm")[0].replaced_at == LATER_ON
    assert [each.said for _ask, each in known.replies.to_person("ben")] == ["In May.", "No."]


def test_a_running_campaign_knows_what_all_may_read(store: Store) -> None:
    running(store)
    asks = asked(store, "ana", "ben")
    store.replies.give(asks[:1], NewReply("crm", "one-record", "So.", asked="Why?"), by="dana", now=LATER)
    store.replies.give(asks[1:], NewReply("crm", "one-record", "Because.", public=False), by="dana", now=LATER)
    (campaign,) = store.campaigns.running().running
    assert [(said.asked, said.said) for said in campaign.replies] == [("Why?", "So.")]


def test_what_was_said_to_one_person_alone_goes_with_them(known: Store) -> None:
    asks = asked(known, "ana", "ben")
    known.replies.give(asks, NewReply("crm", "one-record", "To both."), by="dana", now=LATER)
    alone = known.questions.ask("ana", "crm", "other", "k", "And I?", evidence="link", now=LATER)
    question = known.questions.get(alone)
    assert question
    known.replies.give([question.ask], NewReply("crm", "other", "To Ana.", asked="And she?"), by="dana", now=LATER)
    known.people.erase("ana", by="dana", now=LATER_ON)
    assert [(said.said, said.asked) for said in known.replies.of_campaign("crm")] == [("To both.", ""), ("", "")]
    assert [said.said for said in known.replies.read_by_all("crm")] == ["To both."]


def test_an_answer_without_its_page_is_kept_once_and_stands_nowhere(known: Store) -> None:
    for _ in range(2):
        known.answers.doubt("ana", "crm", "m", "k", "acknowledged", value="", detail={"suspect": "x"}, now=NOW)
    (kept,) = known.answers.suspects(campaign="crm")
    assert (kept.person_id, kept.kind, kept.at) == ("ana", "acknowledged", NOW)
    assert known.loading.histories(["ana"])["ana"].history.answers == ()
    assert known.answers.acknowledged("crm") == []


def test_ids_are_written_as_people_type_them() -> None:
    assert [str(AskId("question", 7)), str(AskId("input", 12))] == ["7", "a12"]
