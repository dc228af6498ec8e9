"""``people list``: who is in the directory, by role, department or name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from commsengine.cli.arguments import CAMPAIGN
from commsengine.cli.output import json_option, note, show_json_rows, table
from commsengine.cli.workspace import with_workspace
from commsengine.errors import InputError
from commsengine.text import like, near_or, no_such
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.cadence.people import Person
    from commsengine.store.records import CampaignRecord
    from commsengine.store.store import Store
    from commsengine.wiring import Wiring


@click.command("list")
@click.option(
    "--campaign", type=CAMPAIGN, default="", metavar="CAMPAIGN", help=N_("Only its audience, with their roles.")
)
@click.option("--role", default="", metavar="ROLE", help=N_("Only this role of the campaign."))
@click.option("--department", default="", metavar="NAME", help=N_("Only this department."))
@click.option("--left", is_flag=True, help=N_("Those who have left, instead of those who are here."))
@click.option("--search", default="", metavar="TEXT", help=N_("Only those whose name or address holds this."))
@json_option
@with_workspace
def list_(wiring: Wiring, campaign: str, role: str, department: str, left: bool, search: str, as_json: bool) -> None:
    """List people: all of them, or those of a role, a department or a name.

    Example: commsengine people list --search leon
    """
    record = _campaign(wiring.store, campaign, role)
    role_in = _roles(wiring.store, record) if record else None
    today = wiring.clock().date()
    found = (
        (person, own)
        for person in wiring.store.people.all()
        if person.has_left(today) == left
        and (not department or like(department) == like(person.department))
        and (not search or like(search) in like(f"{person.name}\n{person.email}"))
        and ((own := role_in(person) if role_in else None) is not None or record is None)
        and role in ("", own)
    )
    if as_json:
        show_json_rows("people", (_as_json(person, own) for person, own in found))
        return
    named = wiring.store.people.columns_in_use(left_by=today, left=left)
    columns = [each for each, name in SHOWN.items() if name in named]
    shown = _show(columns, found, record)
    if department and not shown:
        _refuse_department(wiring.store, department)
    note(counted(shown, "person", "people") + ".")


def _campaign(store: Store, campaign: str, role: str) -> CampaignRecord | None:
    going_on = [record for record in store.campaigns.all() if record.state in ("running", "paused")]
    if role and not campaign and len(going_on) == 1:
        campaign = going_on[0].id
    if role and not campaign:
        raise InputError(_("A role belongs to a campaign."), _("Add --campaign CAMPAIGN."))
    if not campaign:
        return None
    record = store.campaigns.get(campaign)
    if record is None:
        raise InputError(no_such(N_("campaign"), campaign, [each.id for each in store.campaigns.all()]))
    if role and role not in record.plan.audience.roles:
        raise InputError(no_such(N_("role"), role, record.plan.audience.roles))
    return record


def _roles(store: Store, record: CampaignRecord) -> Callable[[Person], str | None]:
    """Tells the role of a person in the audience; that of one who has left, too."""
    from commsengine.cadence.audience import role_of

    roster = store.people.roster(record.id) if record.plan.audience.people else None
    return lambda person: role_of(record.plan, person) if roster is None or person.id in roster else None


def _refuse_department(store: Store, department: str) -> None:
    """Raises ``InputError`` with the near ones, where there is none of that name."""
    known = sorted({each.department for each in store.people.all()} - {""})
    if like(department) not in {like(each) for each in known}:
        instead = _("There is: {names}.", names=", ".join(known[:20]))
        raise InputError(
            _("There is no person in the department '{name}'.", name=department), near_or(department, known, instead)
        )


SHOWN: Mapping[str, str] = {
    N_("name"): "name", N_("address"): "email", N_("department"): "department", N_("job"): "job",
    N_("manager"): "manager", N_("country"): "country", N_("left on"): "left",
}  # fmt: skip


def _show(columns: list[str], people: Iterator[tuple[Person, str | None]], record: CampaignRecord | None) -> int:
    """Returns how many there were."""

    def cells(person: Person, role: str | None) -> Iterator[str]:
        yield from (str(getattr(person, SHOWN[column]) or "") for column in columns)
        if record and role:
            yield record.plan.audience.title(role)

    rows = ([*cells(person, role)] for person, role in people)
    return table([*columns, *([N_("role")] if record else [])], rows, whole=[N_("address")])


def _as_json(person: Person, role: str | None) -> dict[str, Any]:
    plain = ("id", "email", "name", "department", "job", "manager", "is_manager", "country", "region", "time_zone")
    more = {"language": person.language, "left": person.left, "role": role}
    return {**{name: getattr(person, name) for name in plain}, **more}
