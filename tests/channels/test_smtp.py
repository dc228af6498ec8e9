"""The SMTP URL: what it means, and a plain sentence for every way to get it wrong."""

from __future__ import annotations

import pytest

from commsengine.channels.smtp import SmtpServer, parse_smtp_url
from commsengine.errors import InputError
from commsengine.loopback import is_loopback


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 587, "starttls")),
        ("smtp://u:p@mail.example.com:2525?tls=starttls", SmtpServer("mail.example.com", 2525, "starttls", "u", "p")),
        ("smtps://u:p%40%2F%23%3A@mail.example.com", SmtpServer("mail.example.com", 465, "tls", "u", "p@/#:")),
        ("smtp://mail.example.com:465?tls=tls", SmtpServer("mail.example.com", 465, "tls")),
        ("smtp://relay.internal?tls=off", SmtpServer("relay.internal", 25, "off")),
        ("smtp://localhost", SmtpServer("localhost", 25, "off")),
        ("smtp://127.0.0.1:1025/", SmtpServer("127.0.0.1", 1025, "off")),
        ("smtp://[::1]:1025", SmtpServer("::1", 1025, "off")),
        ("smtp://localhost:587?tls=starttls", SmtpServer("localhost", 587, "starttls")),
        (
            "smtp://u%40example.com@smtp.office365.com:587?auth=xoauth2",
            SmtpServer("smtp.office365.com", 587, "starttls", "u@example.com", by_token=True),
        ),
        (
            "smtp://u%40example.com:p@mail.example.com",
            SmtpServer("mail.example.com", 587, "starttls", "u@example.com", "p"),
        ),
    ],
)
def test_a_url_names_a_server(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mail.example.com:587", "smtp://"),
        ("http://mail.example.com", "smtp://"),
        ("", "smtp://"),
        ("smtp://", "no host"),
        ("smtp://:587", "no host"),
        ("smtp://u:p@:587", "no host"),
        ("smtp://mail_example com", "a host that cannot be"),
        ("smtp://mail.example.com:0", "port 0"),
        ("smtp://mail.example.com:65536", "no usable port"),
        ("smtp://mail.example.com:smtp", "no usable port"),
        ("smtp://u:pa#ss@mail.example.com", "%23"),
        ("smtp://u:pa/ss@mail.example.com", "%2F"),
        ("smtp://mail.example.com/inbox", "%2F"),
        ("smtp://mail.example.com?tls=yes", "tls=starttls"),
        ("smtp://mail.example.com?tls=", "tls=starttls"),
        ("smtp://mail.example.com?ssl=true", "tls=off, auth=xoauth2"),
        ("smtps://mail.example.com?tls=off", "smtps://"),
        ("smtp://u@mail.example.com", "without a password"),
        ("smtp://u:p@mail.example.com?auth=xoauth2", "says auth=xoauth2 and has a password"),
        ("smtp://mail.example.com?auth=xoauth2", "says auth=xoauth2 and has no user"),
        ("smtp://u:p@mail.example.com?auth=login", "auth=xoauth2, or leave auth out"),
        ("smtp://:p@mail.example.com", "without a user"),
        ("smtp://u:a%0d%0ab@mail.example.com", "plain ASCII"),
        ("smtp://u:pässwort@mail.example.com", "plain ASCII"),
    ],
)
def test_a_wrong_url_is_told_with_its_remedy_and_without_its_password(url: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_smtp_url(url)
    assert told in str(caught.value)
    assert caught.value.fix
    assert "ss@" not in str(caught.value)


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(parse_smtp_url("smtp://u:hunter2@mail.example.com"))


@pytest.mark.parametrize(
    ("host", "is_it"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("10.0.0.1", False), ("localhost.evil.com", False)],
)
def test_loopback(host: str, is_it: bool) -> None:
    assert is_loopback(host) is is_it
