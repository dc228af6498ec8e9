"""A campaign that a person pauses or cancels: what had begun is waited for, and what may still leave is listed."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from commsengine.cadence.kinds_and_states import CampaignState
from commsengine.campaigns.known_campaign import known
from commsengine.engine.owner_lock import Owner
from commsengine.engine.startup import reconcile
from commsengine.errors import CommsError, InputError
from commsengine.store.records import CampaignRecord, TouchRecord
from commsengine.store.store import Store
from commsengine.text import no_such
from commsengine.translation import N_, _

LOOK_AGAIN = 0.1  # seconds
PATIENCE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class StopReport:
    """A campaign that was paused or cancelled. ``clean``: not one more message of it leaves. Else some may: still open,
    or uncertain. ``given_back`` had been claimed and never left, ``just_left`` were leaving and have arrived.
    """

    campaign: str
    state: CampaignState
    given_back: int = 0
    just_left: int = 0
    open_rows: Sequence[TouchRecord] = field(default=())
    uncertain: Sequence[TouchRecord] = field(default=())

    @property
    def clean(self) -> bool:
        return not (self.open_rows or self.uncertain)


def stop(
    store: Store,
    campaigns: Sequence[str],
    *,
    for_good: bool = False,
    by: str,
    clock: Callable[[], dt.datetime],
    sleep: Callable[[float], None] = time.sleep,
    wait: float = PATIENCE,
) -> list[StopReport]:
    """Pauses these campaigns, or cancels them ``for_good``: all of them first. Then gives back what has not begun, and
    waits for what has, up to ``wait`` seconds in all.

    Works from any process: the pause is in the database, and every mark looks there. Rows of an engine that is proved
    dead are uncertain at once; there is nothing to wait for.
    """
    began, until = clock(), time.monotonic() + wait
    for campaign in campaigns:
        known(store, campaign)
        if for_good:
            store.campaigns.cancel(campaign, by=by, now=began)
        else:
            store.campaigns.pause(campaign, by=by, now=began)
    return [_stopped(store, campaign, began, until, clock, sleep) for campaign in campaigns]


def _stopped(
    store: Store,
    campaign: str,
    began: dt.datetime,
    until: float,
    clock: Callable[[], dt.datetime],
    sleep: Callable[[float], None],
) -> StopReport:
    given_back = store.outbox.release(now=began, campaign=campaign)
    leaving = {row.key for row in _sending(store, campaign)}
    while _sending(store, campaign):
        reconcile(store, Owner.this_process(), clock())
        if time.monotonic() >= until or not _sending(store, campaign):
            break
        sleep(LOOK_AGAIN)
    uncertain = store.touches.open_rows(campaign, states=("uncertain",))
    left = sum(row.state == "sent" for row in store.touches.rows(sorted(leaving)).values())
    return StopReport(campaign, known(store, campaign).state, given_back, left, _sending(store, campaign), uncertain)


def _sending(store: Store, campaign: str) -> Sequence[TouchRecord]:
    return store.touches.open_rows(campaign, states=("sending",))


def open_gate(store: Store, record: CampaignRecord, phase: str, *, because: str, by: str, now: dt.datetime) -> bool:
    """The lead's word that what follows a phase may begin; false where it was given before.

    Raises ``InputError`` for a phase without a gate, ``CommsError`` for a campaign that is over.
    """
    found = record.plan.phases.get(phase)
    if found is None:
        raise InputError(no_such(N_("phase"), phase, record.plan.phases))
    if not found.gate:
        cause = _("The phase '{phase}' has no gate.", phase=phase)
        raise InputError(cause, _("Write 'gate: true' into the plan, and apply it."))
    if record.state in ("cancelled", "finished"):
        raise CommsError(_("'{campaign}' is {state}.", campaign=record.id, state=record.state))
    return store.gates.open(record.id, phase, because=because, by=by, now=now)
