"""A plan's own people file: what is understood of it, and the file held where nobody says that it is right."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from commsengine.cli.output import note
from commsengine.cli.people.agreement import agreed, tell_reasons
from commsengine.cli.people.importing import tell_leavers, tell_understood
from commsengine.errors import InputError
from commsengine.translation import _

if TYPE_CHECKING:
    from commsengine.authoring.people.people_file import PeopleFile
    from commsengine.cadence.plan import Plan
    from commsengine.store.people_files.difference import FileReason
    from commsengine.store.people_files.held import ArrivedFile
    from commsengine.wiring import Wiring


def tell_roster(roster: PeopleFile | None) -> None:
    if roster is None:
        return
    for problem in roster.advice:
        note(str(problem))
    tell_understood(roster)
    tell_leavers(roster)


def tell_what_is_asked(wiring: Wiring, path: Path, roster: PeopleFile | None) -> Sequence[FileReason]:
    """What of the plan's own people file a person is asked about."""
    if roster is None:
        return ()
    reasons = wiring.store.people.difference(roster.people, columns=roster.columns).reasons
    tell_reasons(reasons)
    if reasons:
        note(_("If it is right: {command} --yes --because TEXT", command=_command(path)))
    return reasons


def roster_agreed(
    wiring: Wiring, plan: Plan, path: Path, folder: Path, reasons: Sequence[FileReason], *, yes: bool, because: str
) -> str:
    """Why the plan's own people file is right; empty where nobody has to be asked.

    ``path`` is what ``apply`` was given, ``folder`` that of the plan, to which the name of the people file is relative.
    Without a word the file is held for somebody to decide about, and ``InputError`` says so: nothing is applied.
    """
    try:
        return agreed(reasons, _command(path), yes=yes, because=because)
    except InputError:
        wiring.store.held_files.hold(_arrived(plan, path, folder), reasons, now=wiring.clock())
        note(_("{file} is held: commsengine today says so until it is settled.", file=plan.audience.people))
        raise


def save_roster(wiring: Wiring, plan: Plan, path: Path, folder: Path, roster: PeopleFile, *, because: str) -> None:
    file, by, now = _arrived(plan, path, folder), wiring.operator, wiring.clock()
    source = {"file": file.name, "sha256": file.digest, **({"because": because} if because else {})}
    wiring.store.people.save(roster.people, by=by, now=now, columns=roster.columns, source=source)
    wiring.store.held_files.settle_campaign(plan.campaign, by=by, now=now, because=because)


def _arrived(plan: Plan, path: Path, folder: Path) -> ArrivedFile:
    from commsengine.people_feed import digest_of
    from commsengine.store.people_files.held import ArrivedFile

    file = str(plan.audience.people)
    return ArrivedFile(file, digest_of(folder / file), "roster", plan.campaign, command=_command(path))


def _command(path: Path) -> str:
    return shlex.join(["commsengine", "apply", str(path)])
