"""Bad inputs 38 to 44: settings, the database, and names given to commands."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.faults.bad_inputs.case import Attempt, BadInput, Error

CHECK = (("check", "schedules/crm.yaml"),)
DOCTOR = (("doctor",),)
RELAY = {"COMMSENGINE_SMTP_URL": "smtp://127.0.0.1:1"}
"""Nobody listens there."""


def setting(name: str, value: str, cause: str, fix: str) -> tuple[Attempt, Attempt]:
    """A setting that is wrong, once in the environment and once in the second line of .env."""
    whole = f"COMMSENGINE_{name} {cause}"
    written = f"# What differs here\nCOMMSENGINE_{name}='{value}'\n"
    return (
        Attempt(DOCTOR, (Error("environment", whole, fix),), settings={f"COMMSENGINE_{name}": value}),
        Attempt(CHECK, (Error(".env:2:1", whole, fix),), {".env": written}),
    )


def _mode(name: str, content: str) -> Callable[[Path], None]:
    def arrange(folder: Path) -> None:
        (folder / name).write_text(content)
        (folder / name).chmod(0o644)

    return arrange


def _newer(folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / "commsengine.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")


def _read_only(folder: Path) -> None:
    for file in folder.glob("commsengine.db*"):
        file.chmod(0o444)
    folder.chmod(0o555)


def _other_file(folder: Path) -> None:
    for file in folder.glob("commsengine.db*"):
        file.unlink()
    (folder / "commsengine.db").write_bytes(b"certainly not a database" * 100)


_HOST = "Write only https://comms.example.com"

OPERATION = (
    BadInput(38, "SMTP host empty, port 99999, connection refused (exit 1)", (
        *setting("SMTP_URL", "smtp://", "names no host", "Write it as smtp://user:password@host:587"),
        *setting("SMTP_URL", "smtp://mail.example.com:99999", "has no usable port",
                "A port is a number from 1 to 65535"),
        Attempt(DOCTOR, settings=RELAY, status=1, says=(
            "PROBLEM mail      127.0.0.1:1 refuses the connection.\n",
                    "Check whether the mail server runs, and host and port",
        )),
        Attempt((("send-test", "schedules/crm.yaml", "--to", "ana@example.com"),), settings=RELAY, status=1,
                says=("It was not sent: 127.0.0.1:1 refuses the connection. Run: commsengine doctor",)),
    )),
    BadInput(39, "Slack token of the wrong kind", (
        *setting("SLACK_BOT_TOKEN", "xoxp-12345-67890", "starts with 'xoxp-…', but a bot token starts with 'xoxb-'",
                 "Copy it from your Slack app"),
    )),
    BadInput(40, "secret that everybody may read", (
        Attempt(DOCTOR, (Error(
            ".env:2:1", "this file contains COMMSENGINE_SECRET_KEY, but everybody on this machine can read it",
            "Run: chmod 600",
        ),), arrange=_mode(".env", "# Keys\nCOMMSENGINE_SECRET_KEY=another-key-of-enough-letters\n")),
        Attempt(DOCTOR, (Error(
            "environment",
                    "COMMSENGINE_SMTP_URL_FILE names relay, which everybody on this machine can read (mode 0644)",
            "Run: chmod 600 relay",
        ),), settings={"COMMSENGINE_SMTP_URL_FILE": "relay"}, arrange=_mode("relay", "smtp://mail.example.com")),
    )),
    BadInput(41, "base URL", (
        *setting("BASE_URL", "http://comms.example.com", "uses http, which anybody on the way can read",
                 "Write https://comms.example.com"),
        *setting("BASE_URL", "https://comms.example.com/path", "contains more than a host", _HOST),
        *setting("BASE_URL", "https://comms.example.com/#", "contains more than a host", _HOST),
        *setting("BASE_URL", "https://comms.example.com ", "has a space at an end", "Remove it"),
        *setting("BASE_URL", "https://comms example.com", "contains a space or an invisible", "Write one such as"),
        *setting("BASE_URL", "https://comms.example.com:99999", "has a port or an address that is not valid",
                 "Write one such as"),
        *setting("BASE_URL", "comms.example.com", "is not a web address", "Write one such as"),
    )),
    BadInput(42, "database read-only, of a newer version, no database at all", (
        Attempt((("pause", "crm"),), arrange=_read_only, alone=True,
                says=("The database", "is read-only.", "Give this user the right to write the file and its folder.")),
        Attempt((("pause", "crm"),), arrange=_newer, says=(
            "The database is of a newer version (schema 0999, this program knows", "Install the newer commsengine.",
        )),
        Attempt((("pause", "crm"),), arrange=_other_file, says=(
            "commsengine.db is not a database of commsengine.", "Name another file, or restore a backup.",
        )),
    )),
    BadInput(43, "pause of a campaign that does not exist", (
        Attempt((("pause", "cmr"),), says=("There is no campaign 'cmr'. There is: crm.",)),
    )),
    BadInput(44, "resume of a campaign that is not paused (exit 0)", (
        Attempt((("start", "crm", "--yes"), ("resume", "crm")), settings=RELAY, status=0, done=True,
                says=("crm is not paused; it is running.",)),
    )),
)  # fmt: skip
