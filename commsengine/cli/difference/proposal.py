"""What ``apply`` is asked to put in force: a plan file as it is now, or a difference that somebody saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commsengine.cli.output import when, write
from commsengine.errors import InputError
from commsengine.translation import _

if TYPE_CHECKING:
    from commsengine.authoring.people.people_file import PeopleFile
    from commsengine.cadence.plan import Plan
    from commsengine.cadence.population import Population
    from commsengine.campaigns.apply import Diff
    from commsengine.campaigns.saved_difference import KnownAudience, SavedDifference
    from commsengine.planning.plan_on_disk import CheckedPlan
    from commsengine.wiring import Wiring


@dataclass(frozen=True)
class Proposal:
    """``path`` is the file that was named, ``folder`` that of the plan file and ``source`` its text; ``saved`` where a
    saved difference was named.
    """

    path: Path
    folder: Path
    checked_plan: CheckedPlan
    templates: Mapping[str, str]
    source: str
    saved: SavedDifference | None = None

    @property
    def plan(self) -> Plan:
        return self.checked_plan.plan

    @property
    def roster(self) -> PeopleFile | None:
        return self.checked_plan.roster


def proposed(wiring: Wiring, path: Path) -> Proposal:
    """Raises ``InputError`` for a plan with errors, and for a saved difference that does not fit any more."""
    from commsengine.campaigns import saved_difference
    from commsengine.planning.plan_on_disk import checked

    text = _text(path)
    if saved_difference.is_saved(text):
        return _as_saved(wiring, path, saved_difference.read(text, wiring.settings.keys))
    found = checked(wiring.check(path))
    return Proposal(path, path.parent, found, wiring.templates, path.read_text(encoding="utf-8"))


def _text(path: Path) -> str:
    # What is no text is no saved difference: the reader of plans says what is wrong with it.
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _as_saved(wiring: Wiring, path: Path, saved: SavedDifference) -> Proposal:
    from commsengine.cadence.population import ListedPeople
    from commsengine.campaigns import saved_difference
    from commsengine.planning.plan_on_disk import CheckedPlan

    plan, roster = saved_difference.plan_of(saved), None
    if file := saved.audience.file:
        roster = wiring.read_people(wiring.folder / file)
    people = wiring.store.people.population() if roster is None else ListedPeople(tuple(roster.people))
    day = when(plan.send.time_zone, saved.saved_at)
    now = _audience(wiring, plan, people, saved.audience.file, saved.saved_at)
    saved_difference.refuse_moved(saved, wiring.store.campaigns.get(plan.campaign), now, day)
    source = saved.source.get(saved.plan_file, "")
    return Proposal(
        path,
        (wiring.folder / saved.plan_file).parent,
        CheckedPlan(plan, people, roster),
        saved.templates,
        source,
        saved,
    )


def save(wiring: Wiring, proposal: Proposal, diff: Diff, file: Path, lines: Sequence[str], *, correct: bool) -> None:
    """Raises ``InputError`` where the file cannot be written, or the plan is outside of the workspace."""
    from commsengine.campaigns.saved_difference import SavedDifference, written

    if proposal.saved is not None:
        raise InputError(
            _("{file} is a saved difference already.", file=proposal.path), _("Name its plan to save it again.")
        )
    now = wiring.clock()
    plan, plan_file = proposal.plan, _within(wiring, proposal.path)
    beside = sorted(proposal.path.parent.glob(f"{proposal.path.stem}.*{proposal.path.suffix}"))
    people_file = _within(wiring, proposal.folder / plan.audience.people) if plan.audience.people else ""
    saved = SavedDifference(
        campaign=plan.campaign,
        base_version=diff.version - 1,
        state=diff.state,
        saved_by=wiring.operator,
        saved_at=now,
        correct=correct,
        difference="\n".join(lines) + "\n",
        consequences=[asdict(each) for each in diff.consequences],
        audience=_audience(wiring, plan, proposal.checked_plan.people, people_file, now),
        plan_file=plan_file,
        source={plan_file: proposal.source, **{_within(wiring, each): _text(each) for each in beside}},
        templates=dict(proposal.templates),
        plan=plan.model_dump(mode="json"),
    )
    write(file, written(saved, wiring.settings.keys[0]), _("Name another file with --save."))


def _audience(wiring: Wiring, plan: Plan, people: Population, file: str, at: dt.datetime) -> KnownAudience:
    from commsengine.campaigns.saved_difference import known_audience

    return known_audience(plan, people, at.date(), file, (wiring.folder / file).read_bytes() if file else b"")


def _within(wiring: Wiring, file: Path) -> str:
    found, root = file.resolve(), wiring.folder.resolve()
    if not found.is_relative_to(root):
        fix = _("Put the plan into the workspace, best into its folder schedules.")
        raise InputError(_("{file} is outside the workspace.", file=file), fix)
    return found.relative_to(root).as_posix()
