"""The log-in, line by line: what is said to what the server says."""

from __future__ import annotations

import base64

import pytest

from commsengine.channels.smtp_login import Dialogue, LoginRefusedError, NoWayInError, by_password, by_token, offered

ALL = b"mail.example.com\nSIZE 1000\nAUTH LOGIN PLAIN CRAM-MD5 XOAUTH2\n8BITMIME"


def spoken(dialogue: Dialogue, *replies: tuple[int, bytes]) -> list[bytes]:
    """What we say to these replies. Raises what the dialogue raises; it must end with the last reply."""
    lines = [next(dialogue)]
    for reply in replies:
        try:
            lines.append(dialogue.send(reply))
        except StopIteration:
            return lines
    raise AssertionError(f"it goes on: {lines}")


def b64(text: str) -> bytes:
    return base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("features", "ways"),
    [
        (ALL, ("LOGIN", "PLAIN", "CRAM-MD5", "XOAUTH2")),
        (b"host\r\nauth=login plain\r\nAUTH LOGIN XOAUTH2\r\n", ("LOGIN", "PLAIN", "XOAUTH2")),
        (b"host\nAUTHORS welcome\nPIPELINING", ()),
        (b"", ()),
    ],
)
def test_the_ways_to_log_in_are_read_from_ehlo(features: bytes, ways: tuple[str, ...]) -> None:
    assert offered(features) == ways


def test_a_password_goes_by_the_safest_way_that_is_offered() -> None:
    assert next(by_password(ALL, "bot", "secret")) == b"AUTH CRAM-MD5"
    said = spoken(by_password(b"AUTH LOGIN PLAIN", "bot", "pa:ss"), (235, b"ok"))
    assert said == [b"AUTH PLAIN " + b64("\0bot\0pa:ss")]


def test_cram_md5_is_as_the_standard_shows_it() -> None:
    """RFC 2195, section 2."""
    challenge = base64.b64encode(b"<1896.697170952@postoffice.reston.mci.net>")
    said = spoken(by_password(b"AUTH CRAM-MD5", "tim", "tanstaaftanstaaf"), (334, challenge), (235, b"ok"))
    assert said == [b"AUTH CRAM-MD5", b64("tim b913a602c7eda7a495b4e6e7334d3890")]


@pytest.mark.parametrize("asks_for_the_user_again", [False, True])
def test_login_answers_what_it_is_asked_for(asks_for_the_user_again: bool) -> None:
    again = [(334, b64("Username:"))] if asks_for_the_user_again else []
    said = spoken(by_password(b"AUTH LOGIN", "bot", "secret"), *again, (334, b64("Password:")), (235, b"ok"))
    assert said == [b"AUTH LOGIN " + b64("bot"), *([b64("bot")] if again else []), b64("secret")]


def test_a_server_that_asks_for_ever_is_left() -> None:
    with pytest.raises(LoginRefusedError):
        spoken(by_password(b"AUTH LOGIN", "bot", "secret"), *[(334, b"not base64!")] * 10)


def test_a_way_that_is_refused_is_followed_by_the_next_and_the_last_words_are_kept() -> None:
    dialogue = by_password(b"AUTH PLAIN LOGIN", "bot", "secret")
    assert next(dialogue).startswith(b"AUTH PLAIN")
    assert dialogue.send((504, b"5.7.4 not this")).startswith(b"AUTH LOGIN")
    with pytest.raises(LoginRefusedError) as refused:
        dialogue.send((535, b"5.7.8 wrong"))
    assert (refused.value.code, refused.value.reply) == (535, b"5.7.8 wrong")
    assert "secret" not in repr(refused.value)


def test_what_is_refused_for_now_is_not_tried_by_another_way() -> None:
    with pytest.raises(LoginRefusedError) as refused:
        spoken(by_password(b"AUTH PLAIN LOGIN", "bot", "secret"), (454, b"4.7.0 Too many login attempts"))
    assert refused.value.code == 454


def test_a_token_goes_by_xoauth2() -> None:
    """The example of Microsoft's and Google's documentation."""
    response = b64("user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01")
    token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    assert response.startswith(b"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52")
    assert spoken(by_token(ALL, "someuser@example.com", token), (235, b"ok")) == [b"AUTH XOAUTH2 " + response]
    asked = spoken(by_token(ALL, "someuser@example.com", token), (334, b""), (235, b"ok"))
    assert asked == [b"AUTH XOAUTH2 " + response, response]


def test_a_refused_token_is_refused_after_an_empty_line() -> None:
    dialogue = by_token(ALL, "change@example.com", "t0ken")
    next(dialogue)
    assert dialogue.send((334, b64('{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}'))) == b""
    with pytest.raises(LoginRefusedError) as refused:
        dialogue.send((535, b"5.7.8 Username and Password not accepted"))
    assert (refused.value.code, refused.value.reply) == (535, b"5.7.8 Username and Password not accepted")


def test_a_server_without_our_way_says_which_it_has() -> None:
    with pytest.raises(NoWayInError, match=r"no log-in by an access token \(XOAUTH2\), only by LOGIN, PLAIN"):
        next(by_token(b"host\nAUTH LOGIN PLAIN", "bot", "t"))
    with pytest.raises(NoWayInError, match="no log-in by a password, only by GSSAPI, NTLM"):
        next(by_password(b"host\nAUTH GSSAPI NTLM", "bot", "t"))
    with pytest.raises(NoWayInError, match=r"no log-in by a password$"):
        next(by_password(b"host\nSIZE", "bot", "t"))
