"""People files of which nothing is taken before somebody decides, why, and the command that decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from commsengine.cadence.kinds_and_states import FILE_REASONS
from commsengine.store.people_files.difference import FileReason
from commsengine.store.people_files.held import ArrivedFile
from commsengine.store.store import Store
from commsengine.translation import N_, _


def held_files(store: Store) -> list[dict[str, Any]]:
    """The oldest first. ``command`` settles it; it shows first what it would change."""
    return [
        {
            "file": held.file.name,
            "source": held.file.source,
            "campaign": held.file.campaign,
            "reasons": [reason_json(reason) for reason in held.reasons],
            "held_at": held.held_at.isoformat(),
            "command": command_of(held.file, held.reasons),
        }
        for held in store.held_files.open()
    ]


def held_text(held: Mapping[str, Any]) -> str:
    """In one or two sentences, with the command."""
    reasons = "; ".join(reason["text"] for reason in held["reasons"])
    if not held["command"]:
        return _("People files are looked for at {file}: {reasons}.", file=held["file"], reasons=reasons)
    text = N_("The people file {file} is held, and nothing of it is taken: {reasons}. If it is right: {command}")
    if held["command"].endswith("--dry-run"):
        text = N_("The people file {file} is held, and nothing of it is taken: {reasons}. See what is wrong: {command}")
    return _(text, file=Path(held["file"]).name, reasons=reasons, command=held["command"])


def reason_json(reason: FileReason) -> dict[str, Any]:
    return {"kind": reason.kind, "people": reason.people, "of": reason.of, "text": reason_text(reason)}


def reason_text(reason: FileReason) -> str:
    """``another manager than so far: 12 of 160 people``"""
    return _(FILE_REASONS[reason.kind], people=reason.people, of=reason.of)


def command_of(file: ArrivedFile, reasons: Sequence[FileReason]) -> str:
    """Empty where a command does not help, for the file cannot be read."""
    if not file.command:
        return ""
    wrong = any(reason.kind in ("rows", "unusable") for reason in reasons)
    return f"{file.command} --dry-run" if wrong else f"{file.command} --yes --because TEXT"
