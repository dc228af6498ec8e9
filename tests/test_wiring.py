"""The wiring: which parts the settings bring about."""

from __future__ import annotations

from pathlib import Path

import pytest

from commsengine.settings import PREFIX, Settings
from commsengine.wiring import Wiring
from tests.builders import BEN, a_message, a_plan
from tests.content.desk import CAST, CHECK, SHIPPED, a_touch

SMTP = "COMMSENGINE_SMTP_URL=smtp://127.0.0.1:9"
LOG = "COMMSENGINE_POSTFIX_LOG=/var/log/mail.log"
ARCHIVE = "COMMSENGINE_IMAP_URL=imaps://bot:secret@mail.example.com/Archive"
SLACK = "COMMSENGINE_SLACK_BOT_TOKEN=xoxb-1"


@pytest.mark.parametrize(
    ("lines", "mail", "slack"),
    [
        ([], [], []),
        ([SMTP], [], []),
        ([SMTP, LOG], ["postfix-log"], []),
        ([SMTP, "COMMSENGINE_POSTFIX_LOG=journal", ARCHIVE, SLACK], ["postfix-log", "imap-archive"], ["slack-history"]),
        ([LOG, ARCHIVE, SLACK], [], ["slack-history"]),
    ],
)
def test_who_is_asked_about_uncertain_sends_follows_from_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], mail: list[str], slack: list[str]
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    env = tmp_path / ".env"
    env.write_text("\n".join(lines))
    env.chmod(0o600)
    with Wiring(tmp_path) as wiring:
        asked = {channel: [one.name for one in resolvers] for channel, resolvers in wiring.resolvers.items()}
        settle = [one.settle for resolvers in wiring.resolvers.values() for one in resolvers]
    assert asked == {"email": mail, "slack": slack}
    assert all(
        seconds == (600 if name == "imap-archive" else 5) for name, seconds in zip(mail + slack, settle, strict=True)
    )


def test_a_plan_applied_before_a_template_existed_gets_the_one_that_came_with_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMSENGINE_SECRET_KEY", "a-key-of-enough-letters")
    frozen = {**SHIPPED, "wiifm": "# Ours\n\n{{ key_point }}"}
    del frozen["one_question"]
    with Wiring(tmp_path) as wiring:
        renderer = wiring.renderer(a_plan(a_message(checks=[CHECK])), frozen)
        told, asked = (renderer.touch(a_touch(number=number), BEN, CAST).text for number in (1, 2))
    assert "Ours\n" in told
    assert "One quick question" in asked


@pytest.mark.parametrize(
    ("lines", "banner", "expected"),
    [
        ([], "", ("", (1, None, None))),
        (["COMMSENGINE_SMTP_RATE=30"], "", ("", (1, 30, None))),
        (["COMMSENGINE_SMTP_URL=smtp://u:p@smtp.office365.com"], "", ("Microsoft 365 mailbox", (3, 30, 10_000))),
        (["COMMSENGINE_SMTP_URL=smtp://u:p@smtp.office365.com", "COMMSENGINE_SMTP_CONNECTIONS=2",
          "COMMSENGINE_SMTP_RATE=60", "COMMSENGINE_SMTP_DAILY=5000"], "", ("Microsoft 365 mailbox", (2, 60, 5000))),
        ([SMTP], "", ("A mail server without a profile", (3, None, None))),
        ([SMTP], "mx.example.com ESMTP Postfix", ("Postfix", (8, None, None))),
        ([SMTP], "mx.example.com ESMTP Exim", ("Ours", (5, 6, 7))),
    ],
)  # fmt: skip
def test_what_the_mail_server_allows_comes_of_its_host_or_greeting_and_settings_override_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], banner: str, expected: object
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    ours = "title: Ours, banners: [Exim], connections: 5, per_minute: 6, per_day: 7"
    (tmp_path / "providers.yaml").write_text(f"profiles: {{ours: {{{ours}}}}}\n")
    env = tmp_path / ".env"
    env.write_text("\n".join(lines))
    env.chmod(0o600)

    def found() -> object:
        with Wiring(tmp_path) as wiring:
            profile = wiring.profiles["email"]
            return profile.title, (profile.limits.connections, profile.limits.per_minute, profile.limits.per_day)

    if banner:
        with Wiring(tmp_path) as wiring:
            assert wiring.store.people.count() == 0
            before = wiring.mail_profile
            wiring.heard_greeting(banner)
            assert wiring.mail_profile != before
    assert found() == expected
