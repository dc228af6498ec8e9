"""Settings: where they come from, what is refused, and that a secret is never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commsengine.errors import InputError
from commsengine.settings import PREFIX, SECRETS, Settings, load_settings, shown, spare_proxies

KEY = "a-key-of-enough-letters"


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


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("COMMSENGINE_SLACK_BOT_TOKEN=xoxp-123456789", "starts with 'xoxp-…', but a bot token starts with 'xoxb-'"),
        ("COMMSENGINE_SLACK_APP_TOKEN=xoxb-123456789", "an app-level token starts with 'xapp-'"),
        ("COMMSENGINE_SLACK_APP_TOKEN=xapp-123456789", "without COMMSENGINE_SLACK_BOT_TOKEN"),
        ("COMMSENGINE_BASE_URL=http://comms.example.com", "https://comms.example.com"),
        ("COMMSENGINE_BASE_URL=https://comms.example.com/app", "Write only https://comms.example.com"),
        ('COMMSENGINE_BASE_URL="https://comms.example.com "', "space at an end"),
        ("COMMSENGINE_BASE_URL=comms.example.com", "is not a web address"),
        ("COMMSENGINE_HTTP_BIND=8080", "is not HOST:PORT"),
        ("COMMSENGINE_HTTP_BIND=127.0.0.1:99999", "is not HOST:PORT"),
        ("COMMSENGINE_HTTP_BIND=0.0.0.0:8080", "COMMSENGINE_BASE_URL must say"),
        ("COMMSENGINE_SECRET_KEY=short", "shorter than 16"),
        ("COMMSENGINE_SLACK_RATE=fast", "not a whole number"),
        ("COMMSENGINE_SMTP_RATE=0", "out of range"),
        ("COMMSENGINE_SMTP_CONNECTIONS=0", "out of range. Write a number of connections from 1 to 100."),
        ("COMMSENGINE_SMTP_CONNECTIONS=some", "not a whole number. Write a number of connections, for example 3."),
        ("COMMSENGINE_DATABASE_URL=mysql://db/x", "sqlite:///commsengine.db"),
        ("COMMSENGINE_ADMIN_EMAIL=nobody", "is not an e-mail address"),
        ("COMMSENGINE_HEARTBEAT_URL=ftp://x.example.com", "is not a web address"),
        ("COMMSENGINE_SMPT_URL=smtp://localhost", "Did you mean COMMSENGINE_SMTP_URL?"),
        ("COMMSENGINE_SMTP_URL=smtp://", "COMMSENGINE_SMTP_URL names no host"),
        ("COMMSENGINE_SMTP_URL=smtp://localhost:99999", "COMMSENGINE_SMTP_URL has no usable port"),
        ("COMMSENGINE_IMAP_URL=imap://a:b@mail.example.com", "COMMSENGINE_IMAP_URL uses imap://"),
        ("COMMSENGINE_POSTFIX_LOG=mail.log", "COMMSENGINE_POSTFIX_LOG is no full path"),
    ],
)
def test_a_bad_setting_is_refused_at_its_line(tmp_path: Path, line: str, cause: str) -> None:
    said = refusal(tmp_path, "# a comment", line)
    assert cause in said
    assert line.partition("=")[0] in said
    if "without" not in cause and "must say" not in cause:
        assert said.startswith(f"{tmp_path}/.env:2:1: error: ")


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
    assert "canary" not in f"{settings!r}{shown(settings)}"
    assert KEY not in f"{settings!r}{shown(settings)}"
    assert {shown(settings)[PREFIX + name] for name in SECRETS} == {"***", "not set"}


def test_postgres_urls_name_the_driver(tmp_path: Path) -> None:
    settings = load_settings(dotenv(tmp_path, "COMMSENGINE_DATABASE_URL=postgres://u:p@db/name"))
    assert settings.database == "postgresql+psycopg://u:p@db/name"
    assert settings.database_file is None


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
