"""The state folder: what an engine keeps outside its database, so that a restored or copied database can be recognised.

STOP                        while this file exists, nothing leaves (for one database: in its own folder)
place.json                  which place this is: a random id, and the machine it was made on
<database>/instance.json    where that database lay, how far it was, and when it last beat
<database>/sent-….jsonl     the sent-journal
<database>/writing          the message that is being written just now
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from commsengine.engine import json_file
from commsengine.engine.crash_suspects import Suspects
from commsengine.engine.journal import Journal
from commsengine.errors import DiskError
from commsengine.translation import N_, _

STOPPED = N_("There is a file STOP: nothing is sent until it is removed.")

MACHINE_ID = Path("/etc/machine-id")


@dataclass(frozen=True, slots=True)
class Note:
    """What was noted of a database at its last beat: ``path`` is its file, empty on a server; ``epochs`` counts
    decisions on campaigns."""

    path: str
    fence: int
    beat_at: dt.datetime | None
    epochs: int = 0


def stop_is_there(root: Path, database: str) -> bool:
    return any(map(_is_there, _stops(root, database)))


def _stops(root: Path, database: str) -> tuple[str, str]:
    return str(root / "STOP"), str(root / database / "STOP")


def _is_there(path: str) -> bool:
    # an ``OSError`` is raised on: without a look at ``STOP`` the engine must not go on as if there were none
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


class StateFolder:
    """That of one database. Raises ``DiskError`` when it cannot be made."""

    def __init__(self, root: Path, database: str, *, durable: bool = True) -> None:
        self.root, self.folder = root, root / database
        self._stops = _stops(root, database)
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.mkdir(exist_ok=True, mode=0o700)
            self.place = _place(root)
            self.suspects = Suspects(self.folder)
        except OSError as error:
            raise DiskError(
                _("The state folder {root} cannot be written: {why}.", root=root, why=error.strerror),
                _("Set COMMSENGINE_STATE_DIR to a folder that this user may write and that is kept after a restart."),
            ) from None
        self.journal = Journal(self.folder, durable=durable)

    def stopped(self) -> bool:
        # the switch that works when the database does not
        return any(map(_is_there, self._stops))  # asked three times a message

    def noted(self) -> Note | None:
        """The note of the last beat; ``None`` if this database was never sent from here."""
        found = json_file.read(self.folder / "instance.json")
        try:
            beat_at = dt.datetime.fromisoformat(found["beat_at"]) if found["beat_at"] else None
            return Note(str(found["path"]), int(found["fence"]), beat_at, int(found.get("epochs", 0)))
        except (KeyError, ValueError, TypeError):
            return None

    def note(self, note: Note) -> None:
        # a note that cannot be kept is an older note, and no reason to stop
        beat_at = note.beat_at.isoformat() if note.beat_at else None
        kept = {"path": note.path, "fence": note.fence, "beat_at": beat_at, "epochs": note.epochs}
        try:
            json_file.write(self.folder / "instance.json", kept)
        except OSError:
            return

    def kin(self, former: Collection[str], path: Path | None) -> list[Journal]:
        found = []
        for folder in self.root.iterdir():
            noted = json_file.read(folder / "instance.json")
            here = path is not None and noted.get("path") == str(path)
            if folder != self.folder and folder.is_dir() and (here or folder.name in former):
                found.append(Journal(folder))
        return found

    def close(self) -> None:
        self.journal.close()
        self.suspects.close()


def _place(root: Path) -> str:
    # a folder that was copied to another machine with everything else is another place
    file = root / "place.json"
    machine = MACHINE_ID.read_text(encoding="ascii").strip() if MACHINE_ID.exists() else ""
    found = json_file.read(file)
    known = str(found.get("machine", ""))
    if "place" in found and (not machine or not known or machine == known):
        return str(found["place"])
    place = str(uuid.uuid4())
    json_file.write(file, {"place": place, "machine": machine})
    return place
