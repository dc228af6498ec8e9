"""Access tokens: one for all, renewed in time; from a real command, from stand-ins of Microsoft and Google."""

from __future__ import annotations

import base64
import datetime as dt
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from commsengine.channels.access_tokens import AccessToken, AccessTokens, TokenError, by_command, claims, in_one_line
from commsengine.channels.token_providers import by_google, by_microsoft, library
from tests.servers import HttpOddity, a_certificate, http_json
from tests.waiting import PATIENCE, expect

NOW = dt.datetime(2027, 1, 11, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
APP = "00000000-1111-2222-3333-444444444444"


def a_jwt(**claims: object) -> str:
    head, body = ({"alg": "none"}, claims)
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, body)]
    return ".".join([*parts, "c2lnbmF0dXJl"])


class Source:
    """Gives its tokens one after the other, each for ``life``; a ``TokenError`` among them is raised."""

    def __init__(self, *tokens: str | TokenError, life: dt.timedelta | None = HOUR) -> None:
        self.tokens, self.life, self.now, self.asked = list(tokens), life, NOW, 0
        self.all = AccessTokens(self.fetch, lambda: self.now)

    def fetch(self, now: dt.datetime) -> AccessToken:
        self.asked += 1
        given = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        if isinstance(given, TokenError):
            raise given
        return AccessToken.of(given, now + self.life if self.life else None, now)

    def at(self, seconds: float) -> str:
        self.now = NOW + dt.timedelta(seconds=seconds)
        return self.all.current().text


@pytest.mark.parametrize(("life", "renewed_at"), [(3600, 3300), (600, 540), (10, 9)])
def test_a_token_is_renewed_five_minutes_or_a_tenth_of_its_life_before_its_end(life: float, renewed_at: float) -> None:
    source = Source("t1", "t2", life=dt.timedelta(seconds=life))
    assert [source.at(0), source.at(renewed_at - 0.1), source.at(renewed_at)] == ["t1", "t1", "t2"]
    assert source.asked == 2


def test_a_connection_logs_in_again_when_there_is_a_newer_token() -> None:
    source = Source("t1", "t2")
    token = source.all.current()
    assert not source.all.has_replaced(token)
    source.now += HOUR
    assert source.all.has_replaced(token)


def test_a_source_that_gives_the_same_token_again_is_not_asked_all_the_time() -> None:
    source = Source("t1", life=dt.timedelta(seconds=3600))
    token = source.all.current()
    for second in range(3000, 3600):
        source.life = dt.timedelta(seconds=3600 - second)
        source.now = NOW + dt.timedelta(seconds=second)
        assert not source.all.has_replaced(token)
    assert source.asked < 30


def test_a_token_holds_until_its_end_while_there_is_no_newer_one() -> None:
    source = Source("t1", TokenError("away", "later"))
    assert [source.at(0), source.at(3300), source.at(3599)] == ["t1", "t1", "t1"]
    with pytest.raises(TokenError, match="away"):
        source.at(3600)
    assert source.all.has_replaced(AccessToken.of("t1", None, NOW))


def test_a_failure_is_not_asked_for_again_by_each_connection() -> None:
    source = Source(TokenError("no", "us", "AADSTS7000222"), "t1")
    for second in (0, 1, 9):
        with pytest.raises(TokenError) as failed:
            source.at(second)
        assert (failed.value.because, failed.value.fault, failed.value.code) == ("no", "us", "AADSTS7000222")
    assert source.asked == 1
    assert source.at(10) == "t1"


def test_a_refused_token_is_renewed_once_for_all_connections() -> None:
    source = Source("t1", "t2", "t3")
    refused = source.all.current()
    assert [source.all.another_than(refused).text for _ in range(3)] == ["t2", "t2", "t2"]
    assert source.asked == 2


def test_threads_share_one_token() -> None:
    source, gate, got = Source("t1", "t2"), threading.Barrier(8), []

    def connect() -> None:
        gate.wait(PATIENCE)
        got.append(source.all.current().text)

    threads = [threading.Thread(target=connect) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (got, source.asked) == (["t1"] * 8, 1)


def test_a_token_without_an_end_says_it_itself_or_is_asked_for_again_after_ten_minutes() -> None:
    end = NOW + HOUR
    assert AccessToken.of(a_jwt(exp=end.timestamp()), None, NOW).ends_at == end
    opaque = AccessToken.of("ya29.opaque", None, NOW)
    assert (opaque.ends_at, opaque.renew_at) == (None, NOW + dt.timedelta(minutes=10))
    over = AccessToken.of("t", NOW - HOUR, NOW)
    assert over.renew_at == NOW + dt.timedelta(minutes=10)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.!!!.c", f"a.{'x' * 5}.c", a_jwt().replace("e30", "W10")])
def test_what_is_no_jwt_says_nothing_of_itself(token: str) -> None:
    assert claims(token) == {}


def test_a_token_is_not_shown() -> None:
    assert "geheim" not in repr(AccessToken.of("geheim", None, NOW))


# -- a command ------------------------------------------------------------------------------------

Script = Callable[[str], str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    def written(text: str) -> str:
        (tmp_path / "a token.sh").write_text(text)
        return "sh 'a token.sh'"

    return written


@pytest.mark.parametrize(
    ("printed", "seconds"),
    [
        ("geheim", None),
        ('{"access_token": "geheim", "expires_in": 3599, "token_type": "Bearer"}', 3599),
        ('{"access_token": "geheim", "expires_in": "3599"}', 3599),
        (f'{{"accessToken": "geheim", "expiresOn": "x", "expires_on": {(NOW + HOUR).timestamp():.0f}}}', 3600),
        ('{"access_token": "geheim", "expires_at": "2027-01-11T10:00:00Z"}', 3600),
        ('{"access_token": "geheim", "expires_at": "2027-01-11 12:00:00+02:00"}', 3600),
    ],
)
def test_a_command_prints_the_token_alone_or_json(
    script: Script, tmp_path: Path, printed: str, seconds: float | None
) -> None:
    token = by_command(script(f"cat <<'E'\n{printed}\nE\n"), tmp_path)(NOW)
    assert token.text == "geheim"
    assert token.ends_at == (NOW + dt.timedelta(seconds=seconds) if seconds else None)


@pytest.mark.parametrize(
    ("text", "told", "code"),
    [
        ("echo 'no network, says ana@example.com' >&2; echo more >&2; exit 3",
         "COMMSENGINE_OAUTH_TOKEN_COMMAND failed with status 3: no network, says (address)", "command"),
        ("echo eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJ4IjoxfQ >&2; exit 1", "failed with status 1: …", "command"),
        ("exit 1", "COMMSENGINE_OAUTH_TOKEN_COMMAND failed with status 1", "command"),
        ("kill -9 $$", "COMMSENGINE_OAUTH_TOKEN_COMMAND failed with status -9", "command"),
        ("", "COMMSENGINE_OAUTH_TOKEN_COMMAND prints no token", "output"),
        ("echo please log in first", "prints no token", "output"),
        ("echo '{\"error\": \"x\"}'", "prints no token", "output"),
        ("echo '{\"access_token\": '", "prints JSON that cannot be read", "output"),
        ("echo '{\"access_token\": \"t\", \"expires_in\": \"soon\"}'",
         "prints an end of the token that is no time", "output"),
    ],
)  # fmt: skip
def test_a_command_that_gives_no_token_is_told_in_one_sentence(
    script: Script, tmp_path: Path, text: str, told: str, code: str
) -> None:
    with pytest.raises(TokenError) as failed:
        by_command(script(text), tmp_path)(NOW)
    assert failed.value.because.endswith(told)
    assert (failed.value.fault, failed.value.code) == ("us", code)


def test_a_command_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    for command, told in (("no-such-program x", "No such file"), ("sh 'half", "No closing quotation")):
        with pytest.raises(TokenError, match=f"COMMSENGINE_OAUTH_TOKEN_COMMAND cannot be run: {told}"):
            by_command(command, tmp_path)(NOW)


def test_a_command_that_hangs_is_ended_with_all_that_it_started(script: Script, tmp_path: Path) -> None:
    hangs = script(f"sleep {2 * PATIENCE} & echo $! > started; wait")
    with pytest.raises(TokenError, match=r"did not end within 0\.5 seconds") as failed:
        by_command(hangs, tmp_path, seconds=0.5)(NOW)
    assert failed.value.fault == "us"
    started = tmp_path / "started"
    if started.exists() and (pid := started.read_text().strip()):
        expect(lambda: not runs(pid))


def runs(pid: str) -> bool:
    # What has ended, and is not waited for, has no command line.
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def test_a_command_has_no_shell(tmp_path: Path) -> None:
    token = by_command("echo $HOME;touch${IFS}here", tmp_path)(NOW)
    assert (token.text, list(tmp_path.iterdir())) == ("$HOME;touch${IFS}here", [])


def test_the_words_of_others_hold_no_secret() -> None:
    said = f"AADSTS700016: {APP}\r\nab~8Q~aBcDeFgHiJkLmNoPqRsTuVwXyZ012345 for ana@example.com."
    assert in_one_line(said) == f"AADSTS700016: {APP} … for (address)"


# -- Microsoft ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    folder = tmp_path_factory.mktemp("microsoft")
    return a_certificate(folder)[0], folder


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with app.key and app.pem."""
    a_certificate(folder := tmp_path_factory.mktemp("rsa"), "app", rsa=True)
    return folder


class Microsoft:
    """What an Entra tenant answers."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.tenant_there, self.answer, self.status = True, {"access_token": "t1", "expires_in": 3599}, "200 OK"
        self.server = HttpOddity(self._answer, tls)
        self.url = f"https://localhost:{self.server.port}"

    def _answer(self, path: str) -> bytes:
        if path.endswith("/token"):
            return http_json(json.dumps(self.answer), self.status)
        if not self.tenant_there:
            body = {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant 'x' not found. Trace ID: 1"}
            return http_json(json.dumps(body), "400 Bad Request")
        ends = ("authorization", "token")
        return http_json(json.dumps({f"{end}_endpoint": f"{self.url}/tenant/oauth2/v2.0/{end}" for end in ends}))

    def asked(self) -> dict[str, list[str]]:
        return parse_qs(self.server.bodies[-1].decode())


@pytest.fixture
def microsoft(tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Microsoft]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls[1] / "localhost.pem"))
    stand_in = Microsoft(tls[0])
    with stand_in.server:
        yield stand_in


def of_microsoft(microsoft: Microsoft, credential: str | Path = "geheim") -> AccessToken:
    return by_microsoft("tenant", APP, credential, microsoft.url)(NOW)


def test_an_application_gets_a_token_by_its_secret(microsoft: Microsoft) -> None:
    token = of_microsoft(microsoft)
    assert (token.text, token.ends_at) == ("t1", NOW + dt.timedelta(seconds=3599))
    asked = microsoft.asked()
    assert (asked["grant_type"], asked["client_id"], asked["client_secret"]) == (
        ["client_credentials"], [APP], ["geheim"],
    )  # fmt: skip
    assert asked["scope"] == ["https://outlook.office365.com/.default"]
    of_microsoft(microsoft)
    assert len([path for path in microsoft.server.requests if path.endswith("/token")]) == 2, "a cache answered"


def test_an_application_gets_a_token_by_its_certificate(microsoft: Microsoft, rsa: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text((rsa / "app.key").read_text() + (rsa / "app.pem").read_text())
    assert of_microsoft(microsoft, both).text == "t1"
    (assertion,) = microsoft.asked()["client_assertion"]
    assert claims(assertion)["iss"] == APP
    for half in ("app.pem", "app.key"):
        with pytest.raises(TokenError, match="must hold both the certificate and its private key"):
            of_microsoft(microsoft, rsa / half)
    with pytest.raises(TokenError, match="cannot be read: No such file"):
        of_microsoft(microsoft, tmp_path / "none.pem")


def test_what_microsoft_says_is_told_without_its_trace(microsoft: Microsoft) -> None:
    microsoft.status = "401 Unauthorized"
    microsoft.answer = {
        "error": "invalid_client",
        "error_description": f"AADSTS7000222: The client secret keys for app '{APP}' are expired.\r\nTrace ID: 7",
    }
    with pytest.raises(TokenError) as failed:
        of_microsoft(microsoft)
    told = f"Microsoft gives no token: AADSTS7000222: The client secret keys for app '{APP}' are expired"
    assert (failed.value.because, failed.value.fault, failed.value.code) == (told, "us", "AADSTS7000222")
    microsoft.tenant_there = False
    with pytest.raises(TokenError) as failed:
        of_microsoft(microsoft)
    assert failed.value.because == "Microsoft gives no token: AADSTS90002: Tenant 'x' not found"
    assert failed.value.code == "AADSTS90002"


def test_a_microsoft_that_is_away_is_a_matter_of_time(microsoft: Microsoft) -> None:
    microsoft.server.close()
    with pytest.raises(TokenError, match=r"Microsoft's log-in cannot be reached") as failed:
        of_microsoft(microsoft)
    assert failed.value.fault == "later"


# -- Google ---------------------------------------------------------------------------------------


def a_json(folder: Path, **fields: object) -> Path:
    file = folder / "google.json"
    file.write_text(json.dumps(fields))
    return file


def a_service_account(folder: Path, rsa: Path, port: int) -> Path:
    key = (rsa / "app.key").read_text()
    uri = f"http://127.0.0.1:{port}/token"
    named = {"client_email": "engine@project.iam.gserviceaccount.com", "client_id": "1234567", "private_key": key}
    return a_json(folder, type="service_account", token_uri=uri, **named)


def google(*answers: tuple[str, str]) -> HttpOddity:
    said = list(answers)
    return HttpOddity(lambda _path: http_json(*(said.pop(0) if len(said) > 1 else said[0])))


GRANTED = ('{"access_token": "ya29.t1", "expires_in": 3599, "token_type": "Bearer"}', "200 OK")


def test_a_service_account_acts_for_a_user(tmp_path: Path, rsa: Path) -> None:
    with google(GRANTED) as server:
        token = by_google(a_service_account(tmp_path, rsa, server.port), "change@example.com")(NOW)
        asked = parse_qs(server.bodies[-1].decode())
    assert token.text == "ya29.t1"
    assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    said = claims(asked["assertion"][0])
    assert (said["sub"], said["scope"]) == ("change@example.com", "https://mail.google.com/")


def test_a_user_has_a_refresh_token(tmp_path: Path) -> None:
    with google(GRANTED) as server:
        uri = f"http://127.0.0.1:{server.port}/token"
        named = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
        assert by_google(a_json(tmp_path, token_uri=uri, **named), "")(NOW).text == "ya29.t1"
        asked = parse_qs(server.bodies[-1].decode())
    assert (asked["grant_type"], asked["refresh_token"]) == (["refresh_token"], ["r"])


@pytest.mark.parametrize(
    ("error", "described"),
    [("unauthorized_client", "Client is unauthorized to retrieve access tokens"), ("invalid_grant", "Invalid email")],
)
def test_what_google_says_is_told(tmp_path: Path, rsa: Path, error: str, described: str) -> None:
    body = json.dumps({"error": error, "error_description": described})
    with google((body, "401 Unauthorized")) as server, pytest.raises(TokenError) as failed:
        by_google(a_service_account(tmp_path, rsa, server.port), "change@example.com")(NOW)
    assert failed.value.because == f"Google gives no token: {error}: {described}"
    assert (failed.value.fault, failed.value.code) == ("us", error)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"installed": {"client_id": "x"}}, "is neither the key of a service account nor an authorized user"),
        ({"type": "service_account"}, "google.json cannot be used: "),
        ({"refresh_token": "r"}, "google.json cannot be used: "),
    ],
)
def test_a_file_that_google_does_not_give_is_told(tmp_path: Path, fields: dict[str, object], told: str) -> None:
    with pytest.raises(TokenError) as failed:
        by_google(a_json(tmp_path, **fields), "change@example.com")(NOW)
    assert told in failed.value.because
    assert failed.value.code == "file"


def test_a_google_that_is_away_is_a_matter_of_time(tmp_path: Path, rsa: Path) -> None:
    with google(GRANTED) as server:
        file = a_service_account(tmp_path, rsa, server.port)
    with pytest.raises(TokenError, match="Google's log-in cannot be reached") as failed:
        by_google(file, "change@example.com")(NOW)
    assert failed.value.fault == "later"


def test_a_library_that_is_missing_is_named() -> None:
    with pytest.raises(TokenError, match=r"pip install 'commsengine\[google\]'"):
        library("google.no_such_module", "google")
