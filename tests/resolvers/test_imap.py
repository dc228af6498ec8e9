"""An archive of sent mail asked over IMAP, against a small server on a real socket."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator, Mapping

import pytest
from structlog.testing import capture_logs

from commsengine.channels.access_tokens import AccessToken, AccessTokens, TokenError
from commsengine.errors import InputError
from commsengine.resolvers.imap import ArchiveError, ImapArchive, parse_imap_url
from commsengine.resolvers.imap import ImapServer as Account
from commsengine.resolvers.resolver import Sending, Sighting
from tests.imap_server import ImapServer
from tests.waiting import PATIENCE

NOW = dt.datetime(2026, 11, 25, 22, 41, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with ImapServer() as one:
        yield one


def account(server: ImapServer, **changes: object) -> Account:
    given = {"user": server.user, "password": server.password, "folder": server.folder, "tls": False, **changes}
    return Account("localhost", server.port, **given)  # type: ignore[arg-type]


def asked(key: str, since: dt.datetime = NOW) -> Sending:
    return Sending(key, "ana@example.com", "", since)


def look(server: ImapServer, *sendings: Sending) -> Mapping[str, Sighting]:
    archive = ImapArchive(account(server), timeout=PATIENCE)
    try:
        return archive.look(sendings)
    finally:
        archive.close()


def known(server: ImapServer, *keys: str) -> dict[str, bool]:
    return {key: sighting.found for key, sighting in look(server, *(asked(key) for key in keys)).items()}


def test_what_arrived_is_found_and_what_did_not_is_missing(server: ImapServer) -> None:
    server.keep("k1", NOW)
    server.keep("k11", LATER)
    found = look(server, asked("k1"), asked("k2"), asked("1"))
    assert found["k1"] == Sighting(True, "the archive holds it as message 100")
    assert found["k2"] == Sighting(False, "the archive does not hold it, but mail of 2026-11-25 22:46:00 UTC")
    assert not found["1"].found  # it is part of another key, but no key of its own


def test_the_folder_is_only_read(server: ImapServer) -> None:
    server.keep("k1", LATER)
    look(server, asked("k1"), asked("k2"))
    assert {command.removeprefix("UID ").partition(" ")[0] for command in server.commands} == {
        "CAPABILITY", "LOGIN", "EXAMINE", "SEARCH", "FETCH", "LOGOUT",
    }  # fmt: skip
    assert all("PEEK" in command for command in server.commands if "BODY" in command)


def test_an_archive_that_got_nothing_since_proves_nothing_missing(server: ImapServer) -> None:
    server.keep("k1", NOW)
    assert known(server, "k1", "k2") == {"k1": True}


def test_an_archive_without_any_message_of_ours_proves_nothing_missing(server: ImapServer) -> None:
    server.keep("spam", LATER, ours=False)
    assert known(server, "k2") == {}


@pytest.mark.parametrize("header", ["Message-ID", "X-Commsengine-Touch"])
def test_an_archive_that_cannot_be_searched_proves_nothing_missing(server: ImapServer, header: str) -> None:
    server.keep("k1", NOW)
    server.keep("k3", LATER)
    server.deaf_to = header
    assert False not in known(server, "k1", "k2").values()


def test_an_empty_archive_proves_nothing_missing(server: ImapServer) -> None:
    assert known(server, "k2") == {}


def test_a_copy_that_the_server_dates_a_day_earlier_is_found(server: ImapServer) -> None:
    zone = dt.timezone(dt.timedelta(hours=-11))
    server.keep("k1", NOW.replace(hour=1).astimezone(zone))
    assert known(server, "k1") == {"k1": True}


def test_a_search_that_is_taken_loosely_finds_nobody_else(server: ImapServer) -> None:
    """As with servers that search for words."""
    server.keep("k1", LATER)
    server.instead["UID SEARCH SINCE"] = b"* SEARCH 100\r\n{tag} OK done\r\n"
    assert known(server, "k1", "k2") == {"k1": True, "k2": False}


def test_a_key_that_could_break_out_of_the_search_is_not_asked_for(server: ImapServer) -> None:
    server.keep("k1", LATER)
    assert known(server, 'k2" DELETED', "k2\r\nx LOGOUT", "") == {}
    assert not any("DELETED" in command for command in server.commands)


def test_nobody_is_asked_about_nothing(server: ImapServer) -> None:
    assert (look(server), server.commands) == ({}, [])


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("GREETING", b""),
        ("GREETING", b"* BYE not now\r\n"),
        ("GREETING", b"220 mail.example.com ESMTP\r\n"),
        ("LOGIN", b"{tag} NO wrong\r\n"),
        ("LOGIN", None),
        ("EXAMINE", b"{tag} NO no such folder\r\n"),
        ("EXAMINE", b"* many EXISTS\r\n{tag} OK done\r\n"),
        ("EXAMINE", b"{tag} OK done\r\n"),
        ("UID SEARCH", None),
        ("UID SEARCH", b"{tag} NO later\r\n"),
        ("UID SEARCH", b"* SEARCH x\xff y\r\n{tag} OK done\r\n"),
        ("UID SEARCH", b"* 7 \xff\r\n" * 3),
        ("FETCH", b"* 1 FETCH (INTERNALDATE nonsense)\r\n{tag} OK done\r\n"),
        ("FETCH", b'* 1 FETCH (INTERNALDATE "99-Foo-2026 22:22:22 +0000")\r\n{tag} OK done\r\n'),
        ("UID FETCH", b"{tag} OK done\r\n"),
        ("UID FETCH", b"* 1 FETCH (BODY {9999}\r\n"),
    ],
)
def test_a_server_that_fails_says_nothing_of_what_it_did_not_tell(
    server: ImapServer, command: str, answer: bytes | None
) -> None:
    server.keep("k1", LATER)
    server.instead[command] = answer
    archive = ImapArchive(account(server), timeout=1.0)
    with capture_logs() as logged:
        found = archive.look([asked("k2")])
    assert found == {}
    assert len(logged) <= 1
    assert not any(secret in str(logged) for secret in (server.user, server.password, "ana@"))


def test_what_was_found_before_a_break_is_told(server: ImapServer) -> None:
    server.keep("k1", LATER)
    server.instead["UID SEARCH 1:*"] = None
    with capture_logs() as logged:
        assert known(server, "k1", "k2") == {"k1": True}
    assert [(entry["event"], entry["error"]) for entry in logged] == [
        ("archive unreadable", "the IMAP server closed the connection (abort)")
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong"}, "refuses the log-in"),
        ({"folder": "Elsewhere"}, "has no such folder"),
    ],
)
def test_the_doctor_is_told_what_is_wrong(server: ImapServer, changes: dict[str, object], said: str) -> None:
    with pytest.raises(ArchiveError, match=said) as failed:
        ImapArchive(account(server, **changes), timeout=PATIENCE).examined()
    assert server.user not in str(failed.value)


def test_the_doctor_is_told_whether_an_absence_could_be_believed(server: ImapServer) -> None:
    archive = ImapArchive(account(server), timeout=PATIENCE)
    server.keep("spam", NOW, ours=False)
    assert archive.examined() == (1, False)
    server.keep("k1", NOW)
    assert archive.examined() == (2, True)


def test_a_server_that_is_away_is_told_so(server: ImapServer) -> None:
    server.close()
    with pytest.raises(ArchiveError, match="cannot be reached"):
        ImapArchive(account(server), timeout=PATIENCE).examined()


def test_tls_is_verified(trust: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with ImapServer(trust[0]) as server:
        server.keep("k1", LATER)
        secure = account(server, tls=True)
        assert ImapArchive(secure, context=trust[1], timeout=PATIENCE).look([asked("k1")])["k1"].found
        with pytest.raises(ArchiveError, match=r"cannot be reached \(SSLCertVerificationError\)"):
            ImapArchive(secure, timeout=PATIENCE).examined()


def test_a_url_names_an_account_and_its_folder() -> None:
    assert parse_imap_url("imaps://bot:p%40ss@mail.example.com/Sent%20copies") == Account(
        "mail.example.com", 993, "bot", "p@ss", "Sent copies"
    )
    assert parse_imap_url("imap://bot:x@127.0.0.1:1143") == Account("127.0.0.1", 1143, "bot", "x", tls=False)
    assert "p@ss" not in repr(parse_imap_url("imaps://bot:p%40ss@mail.example.com/"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://bot:secret@mail.example.com", "does not start with imaps://"),
        ("imap://bot:secret@mail.example.com", "anybody on the way can read"),
        ("imaps://bot@mail.example.com", "no password"),
        ("imaps://bot:secret@", "names no host"),
        ("imaps://bot:secret@mail.example.com:0", "port 0"),
        ("imaps://bot:secret@mail.example.com:99999", "no usable port"),
        ("imaps://bot:secret#@mail.example.com", "no usable port|holds"),
        ("imaps://bot:secret@mail.example.com/Sent?tls=off", "an option that is not known"),
        ("imaps://bot:secret@mail.example.com?auth=xoauth2", "says auth=xoauth2 and has a password"),
        ("imaps://mail.example.com?auth=xoauth2", "says auth=xoauth2 and has no user"),
        ("imaps://bot:secret@mail.example.com?auth=plain", "a log-in that is not known"),
        ("imaps://bot:secr%C3%A9t@mail.example.com", "plain ASCII"),
        ("imaps://bot:secret@mail.example.com/Archiv%C3%A9", "plain ASCII"),
        ("imaps://bot:secret@mail.example.com/a%0D%0Ab", "plain ASCII"),
    ],
)
def test_a_wrong_url_is_told_with_its_remedy_and_without_its_password(url: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        parse_imap_url(url)
    assert "secr" not in str(refused.value)
    assert refused.value.fix


# -- by access token ------------------------------------------------------------------------------


class Tokens:
    """Gives t1, t2, …, or fails."""

    def __init__(self) -> None:
        self.given, self.failure = 0, ""
        self.all = AccessTokens(self._fetch, lambda: NOW)

    def _fetch(self, now: dt.datetime) -> AccessToken:
        if self.failure:
            raise TokenError(self.failure)
        self.given += 1
        return AccessToken.of(f"t{self.given}", now + dt.timedelta(hours=1), now)


def by_token(server: ImapServer, tokens: Tokens, **changes: object) -> ImapArchive:
    given = {"user": "change@example.com", "password": "", "by_token": True, **changes}
    return ImapArchive(account(server, **given), tokens=tokens.all, timeout=PATIENCE)


def test_sent_items_are_read_with_a_token(server: ImapServer) -> None:
    server.tokens = {"t1"}
    server.keep("k1", LATER)
    server.folder = "Gesendete Elemente"
    found = by_token(server, Tokens(), folder="").look([asked("k1"), asked("k2")])
    assert {key: sighting.found for key, sighting in found.items()} == {"k1": True, "k2": False}
    assert server.logins == [("change@example.com", "t1")]
    assert 'EXAMINE "Gesendete Elemente"' in server.commands


def test_a_refused_token_is_renewed_once(server: ImapServer) -> None:
    server.tokens, tokens = {"t2"}, Tokens()
    server.keep("k1", LATER)
    assert by_token(server, tokens).examined() == (1, True)
    server.tokens = set()
    with pytest.raises(ArchiveError, match=r"refuses the log-in \(AUTHENTICATE failed\)") as refused:
        by_token(server, tokens).examined()
    assert (refused.value.phase, tokens.given) == ("login", 3)
    assert not any(secret in str(refused.value) for secret in ("t2", "change@"))


def test_without_a_token_the_archive_says_why(server: ImapServer) -> None:
    tokens = Tokens()
    tokens.failure = "Google gives no token: invalid_grant"
    with pytest.raises(ArchiveError, match="Google gives no token: invalid_grant") as refused:
        by_token(server, tokens).examined()
    assert (refused.value.phase, server.logins) == ("token", [])


@pytest.mark.parametrize(
    ("listed", "folder"),
    [
        (b'* LIST (\\Sent \\HasNoChildren) "/" "Sent Items"\r\n', '"Sent Items"'),
        (b"* LIST (\\sent) NIL Sent\r\n", '"Sent"'),
        (b'* LIST (\\HasNoChildren) "/" INBOX\r\n* LIST (\\Sent) "/" {8}\r\nEnvoy "s\r\n', r'"Envoy \"s"'),
        (b'* LIST (\\Sent) "/" "[Gmail]/Gesendet \\"x\\""\r\n', r'"[Gmail]/Gesendet \"x\""'),
    ],
)
def test_the_folder_of_sent_mail_is_found_by_its_mark(server: ImapServer, listed: bytes, folder: str) -> None:
    server.tokens, server.instead["LIST"] = {"t1"}, listed + b"{tag} OK done\r\n"
    server.instead["EXAMINE"] = b"* 0 EXISTS\r\n{tag} OK [READ-ONLY]\r\n"
    by_token(server, Tokens(), folder="").examined()
    assert f"EXAMINE {folder}" in server.commands


def test_a_server_that_marks_no_folder_is_told(server: ImapServer) -> None:
    server.tokens, server.instead["LIST"] = {"t1"}, b'* LIST (\\Drafts) "/" "Sent"\r\n{tag} OK done\r\n'
    with pytest.raises(ArchiveError, match="no folder is marked as that of sent mail"):
        by_token(server, Tokens(), folder="").examined()


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("imaps://a%40example.com@outlook.office365.com?auth=xoauth2",
         Account("outlook.office365.com", 993, "a@example.com", "", "", by_token=True)),
        ("imaps://a%40example.com@imap.gmail.com/[Gmail]/Sent%20Mail?auth=xoauth2",
         Account("imap.gmail.com", 993, "a@example.com", "", "[Gmail]/Sent Mail", by_token=True)),
        ("imaps://a%40example.com:app@imap.gmail.com", Account("imap.gmail.com", 993, "a@example.com", "app", "")),
    ],
)  # fmt: skip
def test_a_url_may_ask_for_a_token_and_leave_the_folder_to_the_server(url: str, account: Account) -> None:
    assert parse_imap_url(url) == account
