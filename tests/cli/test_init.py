"""``init``: what a new workspace holds, and that it works as it lies there."""

from __future__ import annotations

import datetime as dt
import json
import re
import stat
from pathlib import Path

import pytest

from tests.cli.terminal import Said, Terminal

FILES = [
    ".env", ".gitignore", "message_templates/README", "people.csv", "plan.schema.json", "schedules/crm-rollout.yaml",
    "slack-manifest.json", "workspace.yaml",
]  # fmt: skip


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A new workspace whose settings are its own ``.env``."""
    monkeypatch.delenv("COMMSENGINE_SECRET_KEY")
    folder = tmp_path / "crm-rollout"
    assert made(folder).status == 0
    return Terminal(folder)


def made(folder: Path) -> Said:
    return Terminal(folder.parent).run("init", str(folder))


def test_it_writes_every_file_and_says_the_next_command(tmp_path: Path) -> None:
    said = made(tmp_path / "crm-rollout")
    found = sorted(str(f.relative_to(tmp_path / "crm-rollout")) for f in tmp_path.rglob("*") if f.is_file())
    assert found == FILES
    assert "commsengine people import people.csv" in said.out


def test_the_plan_passes_check_without_advice(fresh: Terminal) -> None:
    said = fresh.run("check", fresh.path("schedules/crm-rollout.yaml"))
    assert (said.status, said.out) == (0, "")


def test_the_plan_is_commented_and_opens_today(fresh: Terminal) -> None:
    text = (fresh.folder / "schedules/crm-rollout.yaml").read_text(encoding="utf-8")
    assert text.count("#") > 12
    assert f"kickoff: {dt.datetime.now(dt.UTC).date()}" in text
    assert "$" not in text.replace("$schema", "")


def test_the_first_ten_minutes(fresh: Terminal) -> None:
    plan = fresh.path("schedules/crm-rollout.yaml")
    assert fresh.run("people", "import", fresh.path("people.csv")).out.endswith(
        "6 rows: 6 new, 0 changed, 0 unchanged.\nImported.\n"
    )
    assert "what-must-stay" in fresh.run("preview", plan, "--as", "ana.kim@example.com").out
    assert (
        fresh.json("simulate", plan)["summary"]["reached"] == 5
    )  # the sponsor is in the file, and not in the audience
    assert fresh.run("apply", plan, "--yes").status == 0


def test_the_key_is_fresh_and_only_the_owner_can_read_it(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        made(tmp_path / name)
        file = tmp_path / name / ".env"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        keys |= set(re.findall(r"^COMMSENGINE_SECRET_KEY=([0-9a-f]{64})$", file.read_text(encoding="utf-8"), re.M))
    assert len(keys) == 2


def test_slack_is_asked_for_the_least(fresh: Terminal) -> None:
    manifest = json.loads((fresh.folder / "slack-manifest.json").read_text(encoding="utf-8"))
    scopes = manifest["oauth_config"]["scopes"]
    assert scopes == {"bot": ["chat:write", "im:write", "users:read", "users:read.email", "im:history"]}


def test_people_can_write_to_the_slack_app_and_it_hears_of_it(fresh: Terminal) -> None:
    manifest = json.loads((fresh.folder / "slack-manifest.json").read_text(encoding="utf-8"))
    assert manifest["features"] == {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "bot_user": {"display_name": "Change messages", "always_online": False},
    }
    assert manifest["settings"]["event_subscriptions"] == {"bot_events": ["message.im", "app_home_opened"]}
    assert manifest["settings"]["socket_mode_enabled"]  # which needs no request_url


def test_what_is_there_already_is_kept(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email\nmine@example.com\n", encoding="utf-8")
    said = made(tmp_path)
    assert "kept" in said.err
    assert (tmp_path / "people.csv").read_text(encoding="utf-8") == "email\nmine@example.com\n"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert made(tmp_path / "file").status == 2
    assert made(tmp_path / "file" / "below").status == 2


def test_a_workspace_inside_of_another_is_refused(fresh: Terminal) -> None:
    said = made(fresh.folder / "second")
    assert (said.status, "would be inside the workspace" in said.err) == (2, True)
    assert not (fresh.folder / "second").exists()
    assert made(fresh.folder).status == 0
