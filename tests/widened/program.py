"""A copy of the program to which a developer has added a channel, ``pager``, and a kind of answer, ``will_teach``.

The edits are those that docs/add-a-channel.md asks of every channel; the channel itself is the example on that page.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import commsengine
from commsengine.settings import PREFIX

SOURCE = Path(commsengine.__file__).parent
ROOT = SOURCE.parent
PAGE = (ROOT / "docs/add-a-channel.md").read_text(encoding="utf-8")

PAGER = '''

class Pager:
    """Writes into a file what it pages."""

    def __init__(self, file: str) -> None:
        self._file = open(file, "a", encoding="utf-8")

    def page(self, address: str, text: str) -> str:
        self._file.write(f"{address}: {text}\\n")
        return "1"

    def hang_up(self) -> None:
        self._file.close()
'''

CHANNEL = '    "pager": ChannelTerms(N_("Pager"), N_("Sent by pager"), N_("pager"), evidence="pager"),'
KIND = '    "will_teach": AnswerWords(N_("You said you will teach it"), N_("will teach it")),'

OPENED = """
    def _pager(self) -> ChannelSetup:
        from commsengine.channels.pager import Pager, PagerChannel
        from commsengine.engine.sending.senders import ChannelSetup

        return ChannelSetup(lambda: PagerChannel(Pager(self.settings.pager_file)), 1, None)

    @cached_property
    def resolvers("""

EDITS: dict[str, tuple[tuple[str, str], ...]] = {
    "cadence/kinds_and_states.py": (
        ('ChannelName = Literal["slack", ', 'ChannelName = Literal["slack", "pager", '),
        ('EvidenceKind = Literal["slack", ', 'EvidenceKind = Literal["slack", "pager", '),
        ('AnswerKind = Literal["acknowledged", ', 'AnswerKind = Literal["acknowledged", "will_teach", '),
        ('    "email": ChannelTerms(', f"{CHANNEL}\n    \"email\": ChannelTerms("),
        ('    "link": N_("link"),', '    "pager": N_("by pager"),\n    "link": N_("link"),'),
        ('    "input": AnswerWords(', f"{KIND}\n    \"input\": AnswerWords("),
    ),
    "settings.py": (
        ("    smtp_rate: Rate | None = None\n", '    smtp_rate: Rate | None = None\n    pager_file: str = ""\n'),
        ('{"email": self.smtp, ', '{"email": self.smtp, "pager": self.pager_file, '),
        ('{"email": self.smtp_rate, ', '{"email": self.smtp_rate, "pager": 1, '),
    ),
    "wiring.py": (
        ('{"email": self._email, ', '{"email": self._email, "pager": self._pager, '),
        ("\n    @cached_property\n    def resolvers(", OPENED),
    ),
}  # fmt: skip


def write(folder: Path) -> None:
    shutil.copytree(SOURCE, folder / "commsengine")  # with what is compiled: it holds for each file that stays as it is
    shutil.copytree(ROOT / "message_templates", folder / "message_templates")
    example = PAGE.split("## The smallest one", 1)[1].split("```python\n", 1)[1].split("```", 1)[0]
    (folder / "commsengine/channels/pager.py").write_text(example + PAGER, encoding="utf-8")
    for name, edits in EDITS.items():
        file = folder / "commsengine" / name
        text = file.read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1, f"{name}: {old}"
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")


def told(folder: Path) -> dict[str, Any]:
    """What ``tests.widened.story`` saw, run with the program in ``folder``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = {
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "COMMSENGINE_SECRET_KEY": "a-key-of-enough-letters",
        "COMMSENGINE_PAGER_FILE": str(folder / "paged.txt"),
        "COMMSENGINE_STATE_DIR": str(folder / "state"),
    }
    command = [sys.executable, "-m", "tests.widened.story", str(folder / "workspace")]
    said = subprocess.run(command, check=False, cwd=folder, env={**kept, **given}, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    return {**json.loads(said.stdout), "paged": (folder / "paged.txt").read_text(encoding="utf-8")}
