"""A campaign by the id that somebody typed."""

from __future__ import annotations

from commsengine.errors import InputError
from commsengine.store.records import CampaignRecord
from commsengine.store.store import Store
from commsengine.translation import _


def known(store: Store, campaign: str) -> CampaignRecord:
    """The campaign of that id, or ``InputError`` with the names that are near."""
    record = store.campaigns.get(campaign)
    if record is None:
        near = ", ".join(store.campaigns.near(campaign))
        fix = _("There is: {near}.", near=near) if near else _("Apply a plan first.")
        raise InputError(_("There is no campaign '{campaign}'.", campaign=campaign), fix)
    return record
