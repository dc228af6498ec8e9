"""The CAMPAIGN argument: completed by the shell, and told with the near names when there is none of that name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from commsengine.errors import CommsError, InputError

if TYPE_CHECKING:
    from commsengine.cadence.people import Person
    from commsengine.wiring import Wiring


class CampaignType(click.ParamType[str]):
    """The id of an applied plan."""

    name = "campaign"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from commsengine.wiring import Wiring

        try:
            with Wiring(ctx.find_root().params.get("workspace") or ctx.find_root().obj) as wiring:
                known = [each.id for each in wiring.store.plans.all()] if wiring.has_database else []
        except CommsError:
            return []
        return [CompletionItem(name) for name in known if name.startswith(incomplete)]


CAMPAIGN = CampaignType()


def person_named(wiring: Wiring, email: str) -> Person:
    """The person with this address or id. Raises ``InputError`` with the near addresses."""
    people = wiring.store.people
    found = people.by_email(email) or people.by_id(email)
    if found is None:
        near = people.near(email)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Import them first: commsengine people import FILE"
        raise InputError(f"Nobody here has the address '{email}'.", hint)
    return found
