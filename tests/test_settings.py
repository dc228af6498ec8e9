"""Settings: where they come from, what is refused, and that a secret is never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from commsengine.environment import load_settings, names_set, odd_variables, spare_proxies
from commsengine.errors import InputError
from commsengine.settings import PREFIX, Settings
from commsengine.store.store import Store
from tests.channels.test_mime import NO_SENDERS, SENDERS
from tests.pseudo import in_pseudo, untranslated

KEY = "a-key-of-enough-letters"
ODD_FOLDERS = (
    "What changes?", "100% done", "a%20b", "50%3F", "a#b", "C++ (new)", "Ä ö;x:y@z", " Straße 5 ", "two\nlines",
    "it's \"so\"", "$HOME", "${x}", "~", "file:x?mode=ro", ":memory:",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        for full in (PREFIX + name.upper(), f"{PREFIX}{name.upper()}_FILE"):
            monkeypatch.delenv(full, raising=False)


def dotenv(folder: Path, *lines: str, mode: int = 0o600) -> Path:
    file = folder / ".env"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file.chmod(mode)
    return folder


def refusal(folder: Path, *lines: str, mode: int = 0o600) -> str:
    with pytest.raises(InputError) as refused:
        load_settings(dotenv(folder, *lines, mode=mode))
    return str(refused.value)


def test_without_any_setting_the_database_lies_in_the_workspace(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/commsengine.db"
    assert settings.database_file == tmp_path / "commsengine.db"
    assert settings.links_base == "http://127.0.0.1:8080"
    assert settings.credentials == frozenset()


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMSENGINE_MAIL_FROM", "env@example.com")
    settings = load_settings(dotenv(tmp_path, "COMMSENGINE_MAIL_FROM=file@example.com", "COMMSENGINE_SLACK_RATE=60"))
    assert (settings.mail_from, settings.slack_rate) == ("env@example.com", 60)


@pytest.mark.parametrize("name", ["COMMSENGINE_MAIL_FROM", "COMMSENGINE_ADMIN_EMAIL"])
@pytest.mark.parametrize("written", SENDERS)
def test_an_address_may_be_written_in_many_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, written: str
) -> None:
    monkeypatch.setenv(name, written)
    assert getattr(load_settings(tmp_path), name.removeprefix(PREFIX).lower()) == "change@example.com"


@pytest.mark.parametrize("name", ["COMMSENGINE_MAIL_FROM", "COMMSENGINE_ADMIN_EMAIL"])
@pytest.mark.parametrize("written", NO_SENDERS)
def test_an_address_that_no_mail_can_bear_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, written: str
) -> None:
    monkeypatch.setenv(name, written)
    with pytest.raises(InputError, match=f"^environment: error: {name} {NO_SENDERS[written]}"):
        load_settings(tmp_path)


def test_a_line_of_env_that_says_nothing_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, "just a note", 'COMMSENGINE_MAIL_FROM="Change Team, HQ" <change@example.com>')
    assert said.startswith(f"{tmp_path}/.env:2:1: error: COMMSENGINE_MAIL_FROM cannot be read from this line.")
    assert said.count("\n") == 0
    quoted = "COMMSENGINE_MAIL_FROM='\"Change Team, HQ\" <change@example.com>'"
    assert load_settings(dotenv(tmp_path, quoted)).mail_from == "change@example.com"


@pytest.mark.parametrize("password", ["pa${x}ss", "$HOME", "a${HOME:-b}c"])
def test_a_dollar_in_a_value_is_a_dollar(tmp_path: Path, password: str) -> None:
    line = f"COMMSENGINE_SMTP_URL=smtp://ana:{password}@mail.example.com"
    assert load_settings(dotenv(tmp_path, line)).smtp == line.partition("=")[2]


@pytest.mark.parametrize(
    ("encoding", "cause"),
    [
        ("utf-16-le", "The file is saved as UTF-16. Save it as UTF-8."),
        ("latin-1", "is not UTF-8; the file was probably saved as Latin-1. Save it as UTF-8."),
    ],
)
def test_an_env_file_in_another_encoding_is_named(tmp_path: Path, encoding: str, cause: str) -> None:
    (tmp_path / ".env").write_bytes("# Müller\r\nCOMMSENGINE_SLACK_RATE=60\r\n".encode(encoding))
    with pytest.raises(InputError) as refused:
        load_settings(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path}/.env:1:")
    assert cause in str(refused.value)


def test_an_env_file_of_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("COMMSENGINE_SLACK_RATE=60\r\n".encode("utf-8-sig"))
    assert load_settings(tmp_path).slack_rate == 60


def test_an_env_file_of_powershell_is_read(tmp_path: Path) -> None:
    """Its ``>`` writes UTF-16 with a mark of the byte order."""
    (tmp_path / ".env").write_bytes("# Müller → uns\r\nCOMMSENGINE_SLACK_RATE=60\r\n".encode("utf-16"))
    assert load_settings(tmp_path).slack_rate == 60
    (tmp_path / ".env").write_bytes("# Müller\r\nCOMMSENGINE_SLACK_RATE=none\r\n".encode("utf-16"))
    with pytest.raises(InputError, match=rf"^{tmp_path}/\.env:2:1: error: COMMSENGINE_SLACK_RATE is not a whole"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("export COMMSENGINE_GOOGLE_CREDENTIALS=key.json", "key.json"),
        ("COMMSENGINE_GOOGLE_CREDENTIALS=key.json   ", "key.json"),
        ("COMMSENGINE_GOOGLE_CREDENTIALS = key.json # of the service account", "key.json"),
        ("COMMSENGINE_GOOGLE_CREDENTIALS=key#1.json", "key#1.json"),
        ("COMMSENGINE_GOOGLE_CREDENTIALS='key #1.json '", "key #1.json "),
        ('COMMSENGINE_GOOGLE_CREDENTIALS="key.json"', "key.json"),
        ("COMMSENGINE_GOOGLE_CREDENTIALS=pa$x${y}$(z)`w`", "pa$x${y}$(z)`w`"),
    ],
)
def test_a_value_is_as_it_is_written(tmp_path: Path, line: str, meant: str) -> None:
    assert load_settings(dotenv(tmp_path, line)).google_credentials == meant


@pytest.mark.parametrize("odd", ["\0", "\x1b", "\x7f"])
def test_what_no_editor_shows_is_named(tmp_path: Path, odd: str) -> None:
    said = refusal(tmp_path, f"COMMSENGINE_GOOGLE_CREDENTIALS=key{odd}.json")
    assert said.startswith(f"{tmp_path}/.env:1:1: error: COMMSENGINE_GOOGLE_CREDENTIALS contains ")
    assert said.endswith("which no editor shows. Type it again.")


@pytest.mark.parametrize("kept", ['"{}"', "'{}'", "{}\r", '"{}"\r\n'])
def test_quotes_that_a_tool_kept_are_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    monkeypatch.setenv("COMMSENGINE_SMTP_URL", kept.format("smtp://ana:secret@127.0.0.1:2525"))
    assert load_settings(tmp_path).smtp == "smtp://ana:secret@127.0.0.1:2525"
    (odd,) = odd_variables()
    assert "COMMSENGINE_SMTP_URL has quotes or a line's end around its value; they are left out." in str(odd)
    assert "secret" not in str(odd)


@pytest.mark.parametrize("kept", ['"Change Team" <change@example.com>', "change@example.com"])
def test_quotes_that_belong_to_the_value_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    monkeypatch.setenv("COMMSENGINE_MAIL_FROM", kept)
    assert load_settings(tmp_path).mail_from == "change@example.com"
    assert odd_variables() == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("COMMSENGINE_SMPT_URL", "COMMSENGINE_SMTP_URL"),
        ("COMSENGINE_SMTP_URL", "COMMSENGINE_SMTP_URL"),
        ("commsengine_secretkey", "COMMSENGINE_SECRET_KEY"),
        ("COMMSENGINE_SECRETS_KEY_FILE", "COMMSENGINE_SECRET_KEY_FILE"),
    ],
)
def test_a_misspelt_variable_of_the_environment_is_told(monkeypatch: pytest.MonkeyPatch, name: str, near: str) -> None:
    monkeypatch.setenv(name, "smtp://127.0.0.1")
    (odd,) = odd_variables()
    assert str(odd) == f"environment: error: there is no setting {name}. Did you mean {near}?"
    assert "127.0.0.1" not in str(odd)


def test_the_variables_of_others_are_no_affair_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COMMON_URL", "ENGINE_URL", "COMMUNITY_KEY", "_COMMSENGINE_COMPLETE", "COMMSENGINE_DEBUG"):
        monkeypatch.setenv(name, "1")
    assert odd_variables() == []


def test_an_account_without_a_home_is_told_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_STATE_HOME", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "~")  # a home that leads nowhere, as that of an account without one
    with pytest.raises(InputError, match=r"^This account has no home folder.*Set COMMSENGINE_STATE_DIR"):
        load_settings(tmp_path)
    settings = load_settings(dotenv(tmp_path, "COMMSENGINE_STATE_DIR=/var/lib/commsengine"))
    assert settings.state_dir == Path("/var/lib/commsengine")


def test_an_env_file_that_this_account_cannot_read_is_named(open_folder: Path, as_stranger: Callable[[], None]) -> None:
    dotenv(open_folder, f"COMMSENGINE_SECRET_KEY={KEY}", mode=0)
    as_stranger()
    with pytest.raises(InputError, match=rf"^{open_folder}/\.env: this account may not read the file\."):
        load_settings(open_folder)


def test_an_env_file_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(InputError, match=r"/\.env: the file cannot be read"):
        load_settings(tmp_path)


def test_several_keys_newest_first(tmp_path: Path) -> None:
    settings = load_settings(dotenv(tmp_path, f"COMMSENGINE_SECRET_KEY={KEY}-new, {KEY}-old"))
    assert settings.keys == (f"{KEY}-new", f"{KEY}-old")


def test_a_missing_key_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"COMMSENGINE_SECRET_KEY is not set.*commsengine init"):
        _ = load_settings(tmp_path).keys


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_secret_is_read_from_the_file_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    secret = tmp_path / "key"
    secret.write_text(f"{KEY}\n", encoding="utf-8")
    secret.chmod(0o400)
    if where == "environment":
        monkeypatch.setenv("COMMSENGINE_SECRET_KEY_FILE", str(secret))
    else:
        dotenv(tmp_path, f"COMMSENGINE_SECRET_KEY_FILE={secret}")
    assert load_settings(tmp_path).keys == (KEY,)


def test_a_secret_file_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(KEY, encoding="utf-8")
    secret.chmod(0o644)
    assert f"chmod 600 {secret}" in refusal(tmp_path, f"COMMSENGINE_SECRET_KEY_FILE={secret}")


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"COMMSENGINE_SMTP_URL_FILE={tmp_path}/nowhere")
    assert said.startswith(
        f"{tmp_path}/.env:1:1: error: COMMSENGINE_SMTP_URL_FILE names {tmp_path}/nowhere, which cannot"
    )


def test_an_open_env_file_with_a_secret_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"COMMSENGINE_SECRET_KEY={KEY}", mode=0o644)
    assert "mode 0644" in said
    assert f"chmod 600 {tmp_path}/.env" in said


def test_an_open_env_file_without_a_secret_is_fine(tmp_path: Path) -> None:
    assert load_settings(dotenv(tmp_path, "COMMSENGINE_SLACK_RATE=60", mode=0o644)).slack_rate == 60


BAD = [
    ("COMMSENGINE_SLACK_BOT_TOKEN=xoxp-123456789", "starts with 'xoxp-…', but a bot token starts with 'xoxb-'"),
    ("COMMSENGINE_SLACK_APP_TOKEN=xoxb-123456789", "an app-level token starts with 'xapp-'"),
    ("COMMSENGINE_SLACK_APP_TOKEN=xapp-123456789", "without COMMSENGINE_SLACK_BOT_TOKEN"),
    ("COMMSENGINE_BASE_URL=http://comms.example.com", "https://comms.example.com"),
    ("COMMSENGINE_BASE_URL=https://comms.example.com/app", "Write only https://comms.example.com"),
    ('COMMSENGINE_BASE_URL="https://comms.example.com "', "space at an end"),
    ("COMMSENGINE_BASE_URL=comms.example.com", "is not a web address"),
    ("COMMSENGINE_BASE_URL=https://comms.example.com:99999", "has a port or an address that is not valid"),
    ("COMMSENGINE_BASE_URL=https://comms.example.com:0", "has a port or an address that is not valid"),
    ("COMMSENGINE_HTTP_BIND=8080", "is not HOST:PORT"),
    ("COMMSENGINE_HTTP_BIND=127.0.0.1:99999", "is not HOST:PORT"),
    ("COMMSENGINE_HTTP_BIND=0.0.0.0:8080", "COMMSENGINE_BASE_URL must say"),
    ("COMMSENGINE_SECRET_KEY=short", "shorter than 16"),
    ("COMMSENGINE_SLACK_RATE=fast", "not a whole number"),
    ("COMMSENGINE_SMTP_RATE=0", "out of range"),
    ("COMMSENGINE_SMTP_DAILY=0", "out of range. Write a number of messages a day from 1 to 100000000."),
    ("COMMSENGINE_SMTP_CONNECTIONS=0", "out of range. Write a number of connections from 1 to 100."),
    ("COMMSENGINE_SMTP_CONNECTIONS=some", "not a whole number. Write a number of connections, for example 3."),
    ("COMMSENGINE_DATABASE_URL=mysql://db/x", "sqlite:///commsengine.db"),
    ("COMMSENGINE_DATABASE_URL=sqlite:////srv/What changes?/comms.db", "holds a '?'"),
    ("COMMSENGINE_ADMIN_EMAIL=nobody", "is not an e-mail address"),
    ("COMMSENGINE_HEARTBEAT_URL=ftp://x.example.com", "is not a web address"),
    ("COMMSENGINE_LOG_LEVEL=loud", "COMMSENGINE_LOG_LEVEL is not a log level. Write debug, info, warning or error."),
    ("COMMSENGINE_DATABASE_URL=postgresql://u:p@ss/w@host/db", "holds an '@' in its user or password"),
    ("COMMSENGINE_STATE_DIR=~nobodyofthatname/x", "begins with the home folder of an account that has none"),
    ("COMMSENGINE_SMPT_URL=smtp://localhost", "Did you mean COMMSENGINE_SMTP_URL?"),
    ("COMMSENGINE_SMTP_URL=smtp://", "COMMSENGINE_SMTP_URL names no host"),
    ("COMMSENGINE_SMTP_URL=smtp://localhost:99999", "COMMSENGINE_SMTP_URL has no usable port"),
    ("COMMSENGINE_IMAP_URL=imap://a:b@mail.example.com", "COMMSENGINE_IMAP_URL uses imap://"),
    ("COMMSENGINE_POSTFIX_LOG=mail.log", "COMMSENGINE_POSTFIX_LOG is not a full path"),
    ("COMMSENGINE_SMTP_EHLO=my machine", "COMMSENGINE_SMTP_EHLO is not a host name"),
    ("COMMSENGINE_SMTP_URL=smtp://a@x.example.com?auth=xoauth2", "nothing gives an access token. Set COMMSENGINE_"),
    ("COMMSENGINE_IMAP_URL=imaps://a@x.example.com?auth=xoauth2", "nothing gives an access token. Set COMMSENGINE_"),
    ("COMMSENGINE_MICROSOFT_TENANT=a/b", "contains a character that cannot be in it"),
    ("COMMSENGINE_MICROSOFT_TENANT=example.com", "is set without COMMSENGINE_MICROSOFT_CLIENT_ID"),
    ("COMMSENGINE_MICROSOFT_CLIENT_SECRET=geheim", "is set without COMMSENGINE_MICROSOFT_TENANT"),
    ("COMMSENGINE_MICROSOFT_AUTHORITY=http://comms.example.com", "Write https://comms.example.com"),
    ("COMMSENGINE_GOOGLE_SUBJECT=ana@example.com", "is set without COMMSENGINE_GOOGLE_CREDENTIALS"),
    ("COMMSENGINE_GOOGLE_SUBJECT=ana", "is not an e-mail address"),
]
"""A line of .env, and what is said of it."""
NAMES = re.compile(r"COMMSENGINE_|'?x[a-z]{3}-|(https://)?comms\.example\.com|SMTP|IMAP|journal")


@pytest.mark.parametrize(("line", "cause"), BAD)
def test_a_bad_setting_is_refused_at_its_line(tmp_path: Path, line: str, cause: str) -> None:
    said = refusal(tmp_path, "# a comment", line)
    assert cause in said
    assert line.partition("=")[0] in said
    if not re.search("without|must say|nothing gives", cause):  # what is wrong about two together has no line
        assert said.startswith(f"{tmp_path}/.env:2:1: error: ")


@pytest.mark.parametrize("line", [line for line, _cause in BAD] + ["COMMSENGINE_MAIL_FROM '", "COMMSENGINE_X=1"])
def test_all_that_is_said_of_a_setting_is_in_the_catalog(tmp_path: Path, line: str) -> None:
    with in_pseudo(values_outside=True), pytest.raises(InputError) as refused:
        load_settings(dotenv(tmp_path, line))
    said = [untranslated(f"{problem.message} {problem.fix}") for problem in refused.value.problems]
    assert [word for words in said for word in words if not NAMES.match(word)] == []


def test_all_that_is_said_of_a_secret_is_in_the_catalog(tmp_path: Path) -> None:
    open_to_all, key = tmp_path / "open", f"COMMSENGINE_SECRET_KEY={KEY}"
    open_to_all.write_text(KEY)
    open_to_all.chmod(0o644)
    (tmp_path / "empty").touch(mode=0o600)
    with in_pseudo():
        for name in ("open", "empty", "none"):
            said = refusal(tmp_path, f"COMMSENGINE_SECRET_KEY_FILE={tmp_path}/{name}")
            assert untranslated(said.partition("error: ")[2]) == []
        assert untranslated(refusal(tmp_path, key, mode=0o644).partition("error: ")[2]) == []


TOKEN_URL = "COMMSENGINE_SMTP_URL=smtp://ana%40example.com@mail.example.com?auth=xoauth2"
COMMAND = "COMMSENGINE_OAUTH_TOKEN_COMMAND=token.sh --password canary"
APP = ("COMMSENGINE_MICROSOFT_TENANT=example.com", "COMMSENGINE_MICROSOFT_CLIENT_ID=1234")
SECRET, CERTIFICATE = "COMMSENGINE_MICROSOFT_CLIENT_SECRET=canary", "COMMSENGINE_MICROSOFT_CERTIFICATE=app.pem"
GOOGLE = "COMMSENGINE_GOOGLE_CREDENTIALS=google.json"


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (
            (COMMAND, GOOGLE),
            "COMMSENGINE_OAUTH_TOKEN_COMMAND and COMMSENGINE_GOOGLE_CREDENTIALS would both give access",
        ),
        ((*APP, SECRET, GOOGLE), "COMMSENGINE_MICROSOFT_TENANT and COMMSENGINE_GOOGLE_CREDENTIALS would both give"),
        (APP, "COMMSENGINE_MICROSOFT_TENANT is set without COMMSENGINE_MICROSOFT_CLIENT_SECRET"),
        ((APP[1], SECRET), "COMMSENGINE_MICROSOFT_CLIENT_ID is set without COMMSENGINE_MICROSOFT_TENANT"),
        ((*APP, SECRET, CERTIFICATE), "CLIENT_SECRET and COMMSENGINE_MICROSOFT_CERTIFICATE are both set"),
    ],
)
def test_what_gives_tokens_is_one_thing_and_whole(tmp_path: Path, lines: tuple[str, ...], cause: str) -> None:
    assert cause in refusal(tmp_path, TOKEN_URL, *lines)


@pytest.mark.parametrize(
    ("lines", "source"),
    [
        ((TOKEN_URL, COMMAND), "command"),
        ((TOKEN_URL, *APP, SECRET), "microsoft"),
        ((TOKEN_URL, *APP, CERTIFICATE), "microsoft"),
        ((TOKEN_URL, GOOGLE), "google"),
        (("COMMSENGINE_IMAP_URL=imaps://a@mail.example.com?auth=xoauth2", GOOGLE), "google"),
        ((COMMAND,), ""),
        ((), ""),
    ],
)
def test_tokens_come_from_where_the_settings_say(tmp_path: Path, lines: tuple[str, ...], source: str) -> None:
    settings = load_settings(dotenv(tmp_path, *lines))
    assert settings.tokens_from == source
    assert "canary" not in f"{settings!r}"


def test_a_service_account_acts_for_the_mailbox_that_logs_in_unless_another_is_named(tmp_path: Path) -> None:
    assert load_settings(dotenv(tmp_path, TOKEN_URL, GOOGLE)).google_user == "ana@example.com"
    other = "COMMSENGINE_GOOGLE_SUBJECT=change@example.com"
    assert load_settings(dotenv(tmp_path, TOKEN_URL, GOOGLE, other)).google_user == "change@example.com"


def test_every_bad_setting_is_told_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, "COMMSENGINE_SLACK_RATE=fast", "COMMSENGINE_ADMIN_EMAIL=nobody")
    assert len(said.splitlines()) == 2


def test_a_bad_setting_of_the_environment_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMSENGINE_SLACK_RATE", "fast")
    with pytest.raises(InputError, match=r"^environment: error: COMMSENGINE_SLACK_RATE is not a whole number"):
        load_settings(tmp_path)


def test_a_refused_secret_is_not_repeated(tmp_path: Path) -> None:
    assert "123456789" not in refusal(tmp_path, "COMMSENGINE_SLACK_BOT_TOKEN=xoxp-123456789")


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    settings = load_settings(
        dotenv(
            tmp_path,
            f"COMMSENGINE_SECRET_KEY={KEY}",
            "COMMSENGINE_SLACK_BOT_TOKEN=xoxb-canary",
            "COMMSENGINE_IMAP_URL=imaps://a:canary@mail.example.com",
        )
    )
    assert "canary" not in f"{settings!r}"
    assert KEY not in f"{settings!r}"
    assert names_set(settings) == [PREFIX + name for name in ("IMAP_URL", "SECRET_KEY", "SLACK_BOT_TOKEN")]


def test_postgres_urls_name_the_driver(tmp_path: Path) -> None:
    settings = load_settings(dotenv(tmp_path, "COMMSENGINE_DATABASE_URL=postgres://u:p@db/name"))
    assert settings.database == "postgresql+psycopg://u:p@db/name"
    assert settings.database_file is None


@pytest.mark.parametrize("folder", ODD_FOLDERS)
def test_the_database_lies_in_the_workspace_whatever_it_is_called(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    settings = load_settings(tmp_path / folder)
    assert settings.database_file == tmp_path / folder / "commsengine.db"
    with Store.create(settings.database) as store:
        assert store.path == settings.database_file
    assert [path.name for path in tmp_path.iterdir()] == [folder]


def test_a_path_in_a_database_url_is_written_as_in_a_url(tmp_path: Path) -> None:
    line = "COMMSENGINE_DATABASE_URL=sqlite:///what%3F/100%25.db"
    assert load_settings(dotenv(tmp_path, line)).database_file == tmp_path / "what?" / "100%.db"


def test_what_can_be_sent_follows_from_the_credentials(tmp_path: Path) -> None:
    settings = load_settings(dotenv(tmp_path, "COMMSENGINE_SLACK_BOT_TOKEN=xoxb-1"))
    assert settings.credentials == {"slack"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "127.0.0.1,::1,localhost"),
        ("intranet.example.com, localhost", "intranet.example.com,localhost,127.0.0.1,::1"),
        ("*", "*"),
    ],
)
def test_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    monkeypatch.setenv("no_proxy", before)
    monkeypatch.delenv("NO_PROXY", raising=False)
    spare_proxies()
    assert os.environ["no_proxy"] == after
