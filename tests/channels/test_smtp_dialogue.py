"""The machine of SMTP transactions: fed in any pieces, refused at any place of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsengine.channels.channel import Letter
from commsengine.channels.smtp_dialogue import Answered, Event, Refused, SmtpDialogue, Standing

FIRST, SECOND = (Letter(key, f"{key}@example.com", f"Hello {key}\r\n".encode()) for key in ("k1", "k2"))
MAIL = b"MAIL FROM:<change@example.com>\r\n"
ENVELOPE = b"%bRCPT TO:<%b@example.com>\r\nDATA\r\n"
TAKEN = b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n"


def dialogue(*, pipelining: bool = True) -> SmtpDialogue:
    return SmtpDialogue("change@example.com", pipelining=pipelining)


def written(talk: SmtpDialogue) -> bytes:
    said = bytes(talk.out)
    talk.sent(len(said))
    return said


def standing(*, pipelining: bool = True) -> SmtpDialogue:
    """The first letter stands before its body."""
    talk = dialogue(pipelining=pipelining)
    talk.offer(FIRST)
    for reply in TAKEN.splitlines(keepends=True):
        talk.receive(reply)
    written(talk)
    return talk


def behind_a_dot() -> SmtpDialogue:
    """The second letter is offered behind the dot of the first."""
    talk = standing()
    talk.end()
    talk.offer(SECOND)
    assert written(talk) == FIRST.body + b".\r\n" + ENVELOPE % (MAIL, b"k2")
    return talk


def test_in_a_pipeline_an_envelope_is_one_write() -> None:
    talk = dialogue()
    talk.offer(FIRST)
    assert (written(talk), talk.awaits, talk.takes_next) == (ENVELOPE % (MAIL, b"k1"), "mail", False)
    assert talk.receive(TAKEN) == [Standing("k1")]
    assert (written(talk), talk.awaits, talk.takes_next) == (b"", "", False)


def test_without_pipelines_each_command_waits_for_the_reply_before_it() -> None:
    talk = dialogue(pipelining=False)
    talk.offer(FIRST)
    said = [written(talk)]
    events: list[Event] = []
    for reply in TAKEN.splitlines(keepends=True):
        events += talk.receive(reply)
        said.append(written(talk))
    assert (said, events) == ([MAIL, b"RCPT TO:<k1@example.com>\r\n", b"DATA\r\n", b""], [Standing("k1")])
    talk.end()
    assert (written(talk), talk.takes_next) == (FIRST.body + b".\r\n", False)
    assert talk.receive(b"250 2.0.0 queued as Q1\r\n") == [Answered("k1", 250, b"2.0.0 queued as Q1")]
    assert talk.takes_next


def test_the_next_letter_follows_the_dot() -> None:
    talk = behind_a_dot()
    assert talk.receive(b"250 ok\r\n" + TAKEN) == [Answered("k1", 250, b"ok"), Standing("k2")]
    talk.end()
    assert written(talk) == SECOND.body + b".\r\n"


def refused(letter: Letter, phase: str, code: int, reply: bytes, *, behind: bool = False) -> Refused:
    return Refused(letter, phase, code, reply, behind)


@pytest.mark.parametrize(
    ("replies", "phase", "code"),
    [
        ("451 later|503 first MAIL|503 first RCPT", "mail", 451),
        ("250 ok|550 no|503 no recipient", "rcpt", 550),
        ("250 ok|450 grey|554 no recipient", "rcpt", 450),
        ("250 ok|250 ok|452 full", "data", 452),
    ],
)
def test_a_refusal_is_reported_when_the_pipeline_is_empty(replies: str, phase: str, code: int) -> None:
    talk = dialogue()
    talk.offer(FIRST)
    written(talk)
    *first, last = [f"{reply}\r\n".encode() for reply in replies.split("|")]
    assert [event for reply in first for event in talk.receive(reply)] == []
    (event,) = talk.receive(last)
    assert isinstance(event, Refused)
    assert (event.letter, event.phase, event.code, event.behind) == (FIRST, phase, code, False)
    if code >= 400:
        assert (talk.over, written(talk), talk.receive(b"250 reset\r\n"), talk.over) == (False, b"RSET\r\n", [], False)
        talk.offer(SECOND)
        assert talk.receive(TAKEN) == [Standing("k2")]


@pytest.mark.parametrize("replies", ["450 later|250 ok|354 go on", "250 ok|550 no|354 go on", "250 ok|550 no|250 ok"])
def test_a_body_that_is_asked_for_in_vain_ends_the_connection_without_a_dot(replies: str) -> None:
    talk = dialogue()
    talk.offer(FIRST)
    written(talk)
    (event,) = talk.receive("".join(f"{reply}\r\n" for reply in replies.split("|")).encode())
    assert isinstance(event, Refused)
    assert (talk.over, written(talk), talk.takes_next) == (True, b"", False)


@pytest.mark.parametrize("at", range(5))
def test_421_ends_the_connection_wherever_it_comes(at: int) -> None:
    talk = behind_a_dot()
    replies = [b"250 ok\r\n", *TAKEN.splitlines(keepends=True)]
    replies[at:] = [b"421 4.3.2 shutting down\r\n", b"250 not heard\r\n"]
    events = talk.receive(b"".join(replies))
    assert (talk.over, talk.takes_next) == (True, False)
    left = talk.unfinished()
    if at == 0:
        assert events == [Answered("k1", 421, b"4.3.2 shutting down")]
        assert (left.ended, left.letter, left.phase) == ("", SECOND, "mail")
    elif at < 4:
        phase = ("mail", "rcpt", "data")[at - 1]
        assert events[1:] == [refused(SECOND, phase, 421, b"4.3.2 shutting down")]
        assert left.letter is None
    else:
        assert (events[1:], left.letter, left.phase) == ([Standing("k2")], SECOND, "data")


def test_behind_a_refused_dot_a_refused_mail_is_no_word_about_the_sender() -> None:
    talk = behind_a_dot()
    events = talk.receive(b"554 spam\r\n503 nested MAIL\r\n503 no\r\n503 no\r\n")
    assert events == [Answered("k1", 554, b"spam"), refused(SECOND, "mail", 503, b"nested MAIL", behind=True)]


def test_a_refused_dot_with_nothing_behind_it_is_followed_by_rset() -> None:
    talk = standing()
    talk.end()
    written(talk)
    assert talk.receive(b"451 later\r\n") == [Answered("k1", 451, b"later")]
    assert (written(talk), talk.receive(b"502 what\r\n"), talk.over) == (b"RSET\r\n", [], True)


@pytest.mark.parametrize(
    "reply", [b"hello\r\n", b"250\r\n250 twice\r\n", b"1xx no\r\n", b"x" * 9000, b"250-more\r\n" * 600]
)
def test_what_is_no_reply_or_answers_nothing_ends_the_connection(reply: bytes) -> None:
    talk = standing()
    talk.end()
    talk.receive(reply)
    assert talk.over


def test_what_a_broken_connection_leaves_is_known() -> None:
    talk = behind_a_dot()
    assert talk.unfinished() == ("k1", "", SECOND, "mail")
    talk.receive(b"250 ok\r\n250 ok\r\n")
    assert talk.unfinished() == ("", "", SECOND, "rcpt")
    assert standing().unfinished() == ("", "", FIRST, "data")


def test_the_body_may_go_before_its_dot() -> None:
    talk = standing()
    talk.begin_body()
    assert (written(talk), talk.unfinished()) == (FIRST.body, ("", "", FIRST, "data"))
    talk.end()
    assert written(talk) == b".\r\n"


def test_a_letter_is_cut_until_the_first_byte_of_its_dot_has_gone() -> None:
    talk = standing()
    talk.end()
    talk.offer(SECOND)
    talk.sent(len(FIRST.body))
    assert talk.unfinished() == ("", "k1", SECOND, "mail")
    talk.sent(1)
    assert talk.unfinished() == ("k1", "", SECOND, "mail")


CONVERSATION = b"250-one\r\n250 two\r\n250 ok\r\n354 go\r\n"


@settings(max_examples=30)
@given(st.lists(st.integers(0, len(CONVERSATION)), max_size=8).map(sorted), st.booleans())
def test_replies_may_come_in_any_pieces(cuts: Sequence[int], pipelining: bool) -> None:
    talk = dialogue(pipelining=pipelining)
    talk.offer(FIRST)
    pieces = [CONVERSATION[a:b] for a, b in zip([0, *cuts], [*cuts, len(CONVERSATION)], strict=True)]
    assert [event for piece in pieces for event in talk.receive(piece)] == [Standing("k1")]
    talk.end()
    events = [event for byte in b"550-no\r\n550 spam\r\n" for event in talk.receive(bytes([byte]))]
    assert events == [Answered("k1", 550, b"no\nspam")]
