"""What ``deploy/`` starts is what the program knows; the suite starts the same (tests/faults/test_machines.py)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commsengine.cli.commands import ENTRIES, commsengine
from commsengine.settings import PREFIX, SECRETS, Settings
from tests.deployment import DEPLOY, SETTINGS, services

UNITS = ("commsengine.service", "commsengine-worker@.service")
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields} | {f"{PREFIX}{name}_FILE" for name in SECRETS}


def knows(words: list[str]) -> bool:
    """Whether the program has this command with these options."""
    command = commsengine.get_command(None, words[0]) if words[0] in ENTRIES else None  # type: ignore[attr-defined]
    options = {text for each in command.params for text in each.opts} if command else set()
    return command is not None and {word for word in words[1:] if word.startswith("--")} <= options


def test_the_compose_file_starts_what_the_program_knows() -> None:
    ours = {name: each for name, each in services().items() if each.get("image") == "commsengine" and name != "relay"}
    assert sorted(ours) == ["scheduler", "worker-1", "worker-2"]
    assert all(knows(list(each["command"])) for each in ours.values())
    assert set(SETTINGS) <= KNOWN
    states = [volume for each in ours.values() for volume in each["volumes"] if "/var/lib/commsengine" in volume]
    assert len(set(states)) == 3, "each process keeps its sent-journal to itself"


@pytest.mark.parametrize("name", UNITS)
def test_the_units_start_what_the_program_knows_and_systemd_accepts_them(tmp_path: Path, name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    [started] = re.findall(r"^ExecStart=\S+/commsengine (.*)$", text, re.M)
    assert knows(started.split())
    assert set(re.findall(r"\bCOMMSENGINE_\w+", text)) <= KNOWN
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")
    here = text.replace("/opt/commsengine/bin/commsengine", sys.executable).replace("User=commsengine\n", "")
    file = tmp_path / name.replace("@", "@8081")
    file.write_text(here, encoding="utf-8")
    unit = name.partition(".")[0]
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit in line]) == (0, [])


def test_the_pages_show_the_unit_as_it_is() -> None:
    unit = (DEPLOY / "commsengine.service").read_text(encoding="utf-8")
    assert f"```ini\n{unit}```" in (DEPLOY.parent / "docs/operations.md").read_text(encoding="utf-8")
