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
        text = renderer.touch(a_touch(number=2), BEN, CAST).text
    assert all(words in text for words in ("Ours\n", "First, one quick question"))
