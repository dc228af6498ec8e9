"""The bytes of a message: what the standard parser reads back is what was meant, whatever the values."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsengine.channels.mime import HeaderError, address, check_head, message_bytes, sender_address
from tests.servers import a_mail

HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "X-Commsengine-Touch", "Auto-Submitted", "List-Id", "MIME-Version",
    "Reply-To", "Content-Type",
]  # fmt: skip


def read(**changes: Any) -> EmailMessage:
    data = message_bytes(a_mail(**changes), "change@example.com")
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_message_bears_exactly_these_headers() -> None:
    message = read(key="abc123")
    assert message.keys() == HEADERS
    assert message["From"] == '"Mia Wolf (One customer record)" <change@example.com>'
    assert (message["To"], message["Reply-To"]) == ("Ana Kim <ana@example.com>", "mia@example.com")
    assert message["Message-ID"] == "<abc123@example.com>"
    assert message["Date"] == "Mon, 11 Jan 2027 09:00:00 +0000"
    assert (message["X-Commsengine-Touch"], message["List-Id"]) == ("abc123", "<crm.example.com>")
    assert message["Auto-Submitted"] == "auto-generated"


def test_every_attempt_has_the_same_bytes() -> None:
    assert message_bytes(a_mail(), "a@b.example") == message_bytes(a_mail(), "a@b.example")


def test_only_an_optional_campaign_can_be_unsubscribed() -> None:
    assert read()["List-Unsubscribe"] is None
    assert read(unsubscribe_url="https://x.example/u/t")["List-Unsubscribe"] == "<https://x.example/u/t>"


def test_one_click_is_offered_where_the_link_is_https() -> None:
    offered = read(unsubscribe_url="https://x.example/u/t")
    assert offered["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    on_this_machine = read(unsubscribe_url="http://127.0.0.1:8080/u/t")
    assert on_this_machine["List-Unsubscribe"] == "<http://127.0.0.1:8080/u/t>"
    assert read()["List-Unsubscribe-Post"] is on_this_machine["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize("name", ["", "dana.reyes@example.com", "Dana <dana.reyes@example.com>"])
def test_the_name_of_the_sender_is_never_another_address(name: str) -> None:
    assert read(sender_name=name)["From"] == "One customer record <change@example.com>"


def test_without_html_there_is_one_part() -> None:
    assert [part.get_content_type() for part in read(html="").iter_parts()] == ["text/plain"]


AWKWARD = [
    "", ".", "..\n.", ".leading\n.dots", "a = b =\n=", "100 % =3D =?utf-8?q?x?=", "<b>&amp;</b>",
    "顧客記録を一つに。\n漢字",
    "trailing \nspace\t\n", "x" * 300, "é" * 300, "a\r\nb\rc\n", "From here on", "--=_k1--", "\n\n\n", "tab\tinside",
    "🎉 ok",
    " leading", "\x00\x07",
]  # fmt: skip


@pytest.mark.parametrize("value", AWKWARD)
def test_awkward_bodies_come_back_letter_by_letter(value: str) -> None:
    message = read(text=value, html=f"<p>{value}</p>")
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    assert body(message, "plain") == lines.rstrip("\n") + "\n"
    assert body(message, "html") == f"<p>{lines}</p>\n"


@pytest.mark.parametrize(
    "value",
    [
        "Wolf, Mia", 'Mia "the" Wolf', "Mia\\Wolf", "Zoë Ångström", "漢字" * 40, "=?utf-8?q?hi=0D=0ABcc=3A_evil=40x?=",
        "evil@example.com, x", "<evil@example.com>", "(comment", "a" * 300, "Mia: team;", "🎉" * 60,
    ],
)  # fmt: skip
def test_awkward_names_stay_names(value: str) -> None:
    message = read(sender_name="", campaign_title=value, to_name=value, subject=value)
    assert message.keys() == HEADERS
    (sender,), (to,) = message["From"].addresses, message["To"].addresses
    assert (sender.addr_spec, to.addr_spec) == ("change@example.com", "ana@example.com")
    raw = email.message_from_bytes(message_bytes(a_mail(subject=value, to_name=value), "change@example.com"))
    assert shown(raw["Subject"]) == value
    # the parser puts a space between two encoded words of a name (fixed in later Pythons): compare without
    assert to.display_name.replace(" ", "") == value.replace(" ", "") or "=?" in value


def shown(header: str) -> str:
    """A header as a mail program shows it."""
    from email.header import decode_header, make_header  # noqa: PLC0415 - only here

    return str(make_header(decode_header(header)))


HOSTILE = [
    "a\rb",
    "a\nb",
    "a\r\n b",
    "a\x00b",
    "a\x0bb",
    "a\x0cb",
    "a\x1cb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "a\ud800b",
]


@pytest.mark.parametrize(
    "field", ["subject", "to_name", "sender_name", "campaign_title", "key", "campaign", "reply_to"]
)
@pytest.mark.parametrize("value", HOSTILE)
def test_control_characters_and_line_separators_never_reach_a_header(field: str, value: str) -> None:
    with pytest.raises(HeaderError) as caught:
        message_bytes(a_mail(**{field: value}), "change@example.com")
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x.example/>\r\nBcc: e", "https://x.example/a b", "mailto:a@b"]
)
def test_an_unsubscribe_link_is_a_web_address(url: str) -> None:
    with pytest.raises(HeaderError, match="web address"):
        message_bytes(a_mail(unsubscribe_url=url), "change@example.com")


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=60))
def test_whatever_the_texts_the_headers_are_ours_and_the_lines_end_well(text: str, subject: str, name: str) -> None:
    try:
        data = message_bytes(a_mail(text=text, html=text, subject=subject, to_name=name), "change@example.com")
    except HeaderError:
        return
    assert email.message_from_bytes(data).keys() == HEADERS
    assert data.replace(b"\r\n", b"").isascii()
    assert not {b"\r", b"\n"} & {bytes([byte]) for byte in data.replace(b"\r\n", b"")}
    assert max(map(len, data.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "head",
    [
        b"A: 1\r\nB: 2\r\nBcc: x",
        b"A: 1\r\nA: 2",
        b"A: 1",
        b"B: 2\r\nA: 1",
        b"A: 1\r\nB: 2\r\nfree text",
        b"A: 1\r\nB: 2\nC: 3",
    ],
)
def test_the_finished_headers_are_read_back_and_any_other_header_is_refused(head: bytes) -> None:
    with pytest.raises(HeaderError):
        check_head(head + b"\r\n", ("A", "B"))


class Sly(str):
    """Passes the first check as one text and turns into another."""

    def strip(self, chars: str | None = None) -> str:
        return "fine\r\nBcc: evil@example.com"


def test_what_slips_past_the_first_check_is_caught_in_the_finished_bytes() -> None:
    with pytest.raises(HeaderError, match="other headers than intended"):
        message_bytes(a_mail(subject=Sly("fine")), "change@example.com")


@pytest.mark.parametrize("text", [b"bare\nline", b"bare\rreturn", b"nul\x00", b"eight\xff", b"crossed\n\r\n"])
def test_bytes_that_a_header_must_not_have_are_refused(text: bytes) -> None:
    check_head(b"A: 1\r\nB: 2\r\n folded\r\n", ("A", "B"))
    with pytest.raises(HeaderError):
        check_head(b"A: 1\r\nB: " + text + b"\r\n", ("A", "B"))


@pytest.mark.parametrize(
    "value",
    ["", "ana", "ana@", "@example.com", "a b@example.com", "ana@exa mple.com", "ana@-x.com", "ana@x..com", "a..b@x.com",
     "ana@example.com\r\nRCPT TO:<x@y>", "ana@example.com>", "ána@example.com", '"a b"@example.com', "ana@[127.0.0.1]",
     "a@b@c.com", "x" * 65 + "@example.com", "ana@" + "ü" * 70 + ".com"],
)  # fmt: skip
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(HeaderError):
        address(value, "the recipient")


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        ("ana.kim+x@example.com", "ana.kim+x@example.com"),
        ("o'neil@x.co", "o'neil@x.co"),
        ("ana@büro.example", "ana@xn--bro-hoa.example"),
    ],
)
def test_addresses_are_made_ready_for_the_wire(value: str, bare: str) -> None:
    assert address(value, "the recipient") == bare


SENDERS = [
    "change@example.com", " change@example.com ", "<change@example.com>", "Change Team <change@example.com>",
    "Change Team, HQ <change@example.com>", '"Change Team, HQ" <change@example.com>',
    "Zoë Ångström <change@example.com>",
    '"change @ work" <change@example.com>', "change@example.com <change@example.com>", "'change@example.com'",
    '"change@example.com"', "'Change Team, HQ <change@example.com>'", "Change<change@example.com>",
    '"\\"Change Team, HQ\\" <change@example.com>"', "=?utf-8?b?Q2hhbmdl?= <change@example.com>",
]  # fmt: skip
"""The same sender as people and their tools write it."""

NO_SENDERS = {
    "change@example.com, dana@example.com": "names more than one address",
    "change@example.com,dana@example.com": "names more than one address",
    "Change <change@example.com>, Dana <dana@example.com>": "names more than one address",
    "dana@example.com <change@example.com>": "names more than one address",
    "change@example.com\r\nBcc: evil@example.com": "holds a control character",
    "Change\nBcc: x <change@example.com>": "holds a control character",
    "Change Team": "is not an e-mail address",
    "Change <change at example.com>": "is not an e-mail address",
    "Change <change@example.com": "is not an e-mail address",
    "chänge@example.com": "is not an e-mail address",
    "<>": "is not an e-mail address",
    "'": "is not an e-mail address",
}


@pytest.mark.parametrize("written", SENDERS)
def test_the_sender_may_be_written_in_many_ways(written: str) -> None:
    assert sender_address(written) == "change@example.com"


@pytest.mark.parametrize("written", NO_SENDERS)
def test_what_is_no_sender_is_named(written: str) -> None:
    with pytest.raises(HeaderError, match=NO_SENDERS[written]):
        sender_address(written)
