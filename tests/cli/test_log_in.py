"""Log-in by access token through the real commands: what tick sends, and what doctor says is missing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from commsengine.cli.doctor.mail import connection_remedy
from tests.channels.test_access_tokens import a_jwt
from tests.cli.terminal import Terminal
from tests.imap_server import ImapServer
from tests.servers import HttpOddity, SmtpSink, http_json

APP, PRINCIPAL = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
MICROSOFT = {"iss": "https://sts.windows.net/tenant/", "aud": "https://outlook.office365.com", "appid": APP}
EXCHANGE = f"{PRINCIPAL} -AccessRights FullAccess"
COMMAND = "COMMSENGINE_OAUTH_TOKEN_COMMAND"


class TokenCommand:
    """A program that prints the next of its tokens each time, and keeps count."""

    def __init__(self, folder: Path) -> None:
        self._tokens, self._calls, self._script = (folder / name for name in ("tokens", "calls", "token.sh"))
        self._script.write_text(f'echo x >> {self._calls}\nsed -n "$(wc -l < {self._calls})p" {self._tokens}\n')

    def gives(self, *printed: str) -> None:
        self._tokens.write_text("".join(f"{each}\n" for each in printed))

    @property
    def line(self) -> str:
        return f"sh {self._script}"

    @property
    def calls(self) -> int:
        return len(self._calls.read_text().splitlines()) if self._calls.exists() else 0


@pytest.fixture
def command(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> TokenCommand:
    command = TokenCommand(tmp_path_factory.mktemp("command"))
    monkeypatch.setenv(COMMAND, command.line)
    return command


@pytest.fixture
def relay(started: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpSink]:
    del started
    with SmtpSink(tokens=["t1", "t2"]) as relay:
        url = f"smtp://change%40example.com@127.0.0.1:{relay.port}?tls=off&auth=xoauth2"
        monkeypatch.setenv("COMMSENGINE_SMTP_URL", url)
        monkeypatch.setenv("COMMSENGINE_SMTP_CONNECTIONS", "1")
        yield relay


def finding(terminal: Terminal, about: str, state: str = "problem") -> tuple[str, str]:
    found = json.loads(terminal.run("doctor", "--json").out)["findings"]
    (one,) = [each for each in found if (each["about"], each["state"]) == (about, state)]
    return one["text"], one["fix"]


def test_a_token_that_ends_in_mid_run_is_followed_by_the_next(
    started: Terminal, relay: SmtpSink, command: TokenCommand
) -> None:
    command.gives("t1", "t2")

    def end_it(_: bytes) -> None:
        if len(relay.messages) == 2:
            relay.tokens = {"t2"}

    relay.on_message = end_it
    said = started.run("tick", "--json")
    assert (said.status, said.data["sent"], said.data["failed"]) == (0, 4, 0)
    assert ([token for _, token in relay.logins], command.calls) == (["t1", "t1", "t2"], 2)
    assert started.json("touches", "crm")["touches"][0]["attempts"] == 1
    assert not {"t1", "t2"} & {*said.err.split(), *said.out.split()}


def test_a_refused_token_needs_a_person_and_fails_no_message(
    started: Terminal, relay: SmtpSink, command: TokenCommand
) -> None:
    command.gives(*["geheim"] * 9)
    said = started.run("tick", "--json")
    assert (said.status, said.data["sent"], said.data["failed"], said.data["refused"]) == (1, 0, 0, ["email"])
    assert "535 5.7.3 Authentication unsuccessful" in said.err
    assert "geheim" not in said.out + said.err + started.run("status").out + started.run("doctor").out


def test_a_command_that_fails_is_told_by_tick_and_doctor(
    started: Terminal, relay: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COMMAND, "sh -c 'echo vault is sealed >&2; exit 4'")
    said = started.run("tick")
    told = "COMMSENGINE_OAUTH_TOKEN_COMMAND failed with status 4: vault is sealed"
    assert (said.status, told in said.err, relay.logins) == (1, True, [])
    assert finding(started, "mail") == (
        f"{told}.", "Run the command by hand, as the account of the engine and in the workspace.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("claims", "fix"),
    [
        ({"roles": ["IMAP.AccessAsApp"]}, "The token lacks the permission SMTP.SendAsApp."),
        ({}, "The token lacks the permission SMTP.SendAsApp."),
        ({"scp": "IMAP.AccessAsUser.All offline_access"}, "The token lacks the permission SMTP.Send."),
        ({"scp": "SMTP.Send"}, "is it a token of change@example.com, or of somebody with full access?"),
        ({"aud": "https://graph.microsoft.com", "roles": ["Mail.Send"]}, "The token is for https://graph.microsoft.com"),
        ({"roles": ["SMTP.SendAsApp"], "oid": PRINCIPAL},
         f"New-ServicePrincipal -AppId {APP} -ObjectId {PRINCIPAL}; "
         f'Add-MailboxPermission -Identity "change@example.com" -User {EXCHANGE}'),
        ({"iss": "https://accounts.example.com"}, "The token must be for the mailbox change@example.com"),
    ],
)  # fmt: skip
def test_the_doctor_names_the_permission_that_is_missing(
    started: Terminal, relay: SmtpSink, command: TokenCommand, claims: dict[str, object], fix: str
) -> None:
    token = a_jwt(**{**MICROSOFT, **claims})
    command.gives(token, token)
    text, said = finding(started, "mail")
    assert text.endswith("refuses our log-in: 535 5.7.3 Authentication unsuccessful [relay.example.com].")
    assert fix in said
    assert token not in started.run("doctor").out


@pytest.mark.parametrize(
    ("reply", "fix"),
    [
        ("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit x",
         "Set-CASMailbox -Identity change@example.com -SmtpClientAuthenticationDisabled $false. For the whole tenant:"),
        ("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit x",
         "ExchangeOnline; Set-CASMailbox -Identity change@example.com -SmtpClientAuthenticationDisabled $false"),
        ("535 5.7.144 XOAUTH2 authentication failed. Invalid API permissions.",
         "Mail.Send of Office 365 Exchange Online, with admin consent, and for the application: Add-HVEAppAccess "),
    ],
)  # fmt: skip
def test_the_doctor_says_how_smtp_is_switched_on(
    started: Terminal, relay: SmtpSink, command: TokenCommand, reply: str, fix: str
) -> None:
    command.gives("t1", "t2")
    relay.fail("auth", reply, times=2)
    text, said = finding(started, "mail")
    assert (reply[:60] in text, fix in said) == (True, True)


@pytest.mark.parametrize(
    ("reply", "fix"),
    [
        ("550 5.7.30 Basic authentication is not supported for Client Submission.", "Log in by token: smtp://bot@127."),
        ("535 5.7.139 Authentication unsuccessful, the request did not meet the criteria", "tenant forbids passwords"),
        ("534 5.7.9 Application-specific password required", "Google wants an app password"),
        ("535 5.7.8 wrong", "Check user and password in COMMSENGINE_SMTP_URL"),
    ],
)  # fmt: skip
def test_the_doctor_says_what_helps_a_password(
    started: Terminal, monkeypatch: pytest.MonkeyPatch, reply: str, fix: str
) -> None:
    with SmtpSink(password="secret") as sink:
        sink.fail("auth", reply)
        monkeypatch.setenv("COMMSENGINE_SMTP_URL", f"smtp://bot:secret@127.0.0.1:{sink.port}?tls=off")
        text, said = finding(started, "mail")
    assert (reply[:30] in text, fix in said, "secret" not in said) == (True, True, True)


def test_the_doctor_says_when_the_token_ends(started: Terminal, relay: SmtpSink, command: TokenCommand) -> None:
    command.gives('{"access_token": "t1", "expires_at": "2031-05-06T07:08:09Z"}')
    found = json.loads(started.run("doctor", "--json").out)["findings"]
    assert [(each["state"], each["text"]) for each in found if each["about"] == "mail"][:2] == [
        ("ok", "There is an access token; it ends at 2031-05-06 07:08 UTC."),
        ("ok", f"127.0.0.1:{relay.port} answers without TLS, logged in; from dana@example.com."),
    ]


def test_the_doctor_names_what_google_wants(
    started: Terminal, relay: SmtpSink, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    body = '{"error": "unauthorized_client", "error_description": "Client is unauthorized"}'
    with HttpOddity(lambda _: http_json(body, "401 Unauthorized")) as google:
        given = {"type": "authorized_user", "client_id": "107", "client_secret": "s", "refresh_token": "r"}
        file = tmp_path / "google.json"
        file.write_text(json.dumps({**given, "token_uri": f"http://127.0.0.1:{google.port}/token"}))
        monkeypatch.setenv("COMMSENGINE_GOOGLE_CREDENTIALS", str(file))
        text, fix = finding(started, "mail")
    assert text == "Google gives no token: unauthorized_client: Client is unauthorized."
    assert "may not act for change@example.com yet" in fix
    assert "client ID 107, scope https://mail.google.com/" in fix


def test_the_archive_is_read_with_the_same_token(
    started: Terminal, relay: SmtpSink, command: TokenCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = a_jwt(**MICROSOFT, roles=["SMTP.SendAsApp"])
    relay.tokens = {token}
    command.gives(*[token] * 4)
    with ImapServer() as archive:
        archive.tokens = {token}
        monkeypatch.setenv("COMMSENGINE_IMAP_URL", f"imap://change%40example.com@127.0.0.1:{archive.port}?auth=xoauth2")
        assert finding(started, "uncertain", "note")[0].startswith("The archive can be read, but none of our messages")
        assert command.calls == 1
        archive.tokens = set()
        text, fix = finding(started, "uncertain")
        assert text == "The archive: the IMAP server refuses the log-in (AUTHENTICATE failed)."
        assert "The token lacks the permission IMAP.AccessAsApp." in fix


def test_ehlo_says_what_is_set(started: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case c26."""
    with SmtpSink() as sink:
        monkeypatch.setenv("COMMSENGINE_SMTP_URL", f"smtp://127.0.0.1:{sink.port}?tls=off")
        monkeypatch.setenv("COMMSENGINE_SMTP_EHLO", "comms.example.com")
        started.run("tick")
        assert {line for line in sink.lines if line.upper().startswith(b"EHLO")} == {b"ehlo comms.example.com\r\n"}
        sink.fail("ehlo", "550 5.7.1 <comms.example.com>: Helo command rejected: You are not me", times=2)
        text, fix = finding(started, "mail")
    assert text.endswith("turns us away: 550 5.7.1 <comms.example.com>: Helo command rejected: You are not me.")
    assert "it says EHLO comms.example.com, and COMMSENGINE_SMTP_EHLO sets another name" in fix


def test_a_token_is_never_in_base64_either(started: Terminal, relay: SmtpSink, command: TokenCommand) -> None:
    command.gives("geheim", "geheim")
    said = started.run("tick", "--json")
    response = base64.b64encode(b"user=change@example.com\x01auth=Bearer geheim\x01\x01").decode()
    assert response not in said.out + said.err


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        (
            "smtp://127.0.0.1:1?tls=off",
            "Check whether the mail server runs, and host and port in COMMSENGINE_SMTP_URL.",
        ),
        ("smtp://ana:secret@127.0.0.1:{port}?tls=off", "leave user and password out where the server asks for none."),
        (
            "smtps://127.0.0.1:{port}",
            "Another kind of TLS may be wanted: ?tls=tls for port 465, ?tls=starttls for 587.",
        ),
        ("smtp://no.such.host.invalid?tls=starttls", "Check the host in COMMSENGINE_SMTP_URL, and whether this"),
    ],
)
def test_the_doctor_says_what_helps_a_connection(
    applied: Terminal, monkeypatch: pytest.MonkeyPatch, url: str, remedy: str
) -> None:
    with SmtpSink() as sink:
        monkeypatch.setenv("COMMSENGINE_SMTP_URL", url.format(port=sink.port))
        _text, fix = finding(applied, "mail")
    assert remedy in fix


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("the certificate of mail:587 cannot be trusted: self-signed certificate", "The host in X must be the name on"),
        ("mail:25 does not answer in time", "a firewall may block it, most often port 25."),
        ("mail:25 refuses the connection", "Check whether the mail server runs, and host and port in X."),
        ("no connection to mail:25: No route to host", "Check whether the mail server runs, and host and port in X."),
    ],
)
def test_what_helps_fits_what_went_wrong(said: str, remedy: str) -> None:
    assert remedy in connection_remedy(said, "X")
