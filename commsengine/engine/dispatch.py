"""From claims to the senders: each claimed touch with how to render it, given to the pool of its channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from commsengine.cadence.dialogue import opening
from commsengine.cadence.history import Campaign, Campaigns, PublicReply, Touch
from commsengine.cadence.kinds_and_states import Carrier
from commsengine.cadence.people import Person
from commsengine.cadence.plan import Plan
from commsengine.content.message import RenderedMessage, message_of, payload_of
from commsengine.content.person_values import Signers
from commsengine.content.render import Renderer, RendererFor
from commsengine.engine.decisions import Decided
from commsengine.engine.directory import SignerLookup
from commsengine.engine.sending.attempt import Claimed
from commsengine.engine.sending.senders import SenderPool
from commsengine.store.records import Lease, TouchRecord
from commsengine.store.store import Store


class Dispatch:
    """Keeps one renderer per campaign: that of the version claimed last, as long as no notice comes to it."""

    def __init__(self, store: Store, renderer: RendererFor, pools: Mapping[Carrier, SenderPool]) -> None:
        self._store, self._make, self._pools = store, renderer, pools
        self._renderers: dict[str, tuple[Plan, Renderer]] = {}

    def touches(
        self,
        touches: Iterable[Touch],
        people: Iterable[Decided],
        campaigns: Campaigns,
        lease: Lease,
        now: dt.datetime,
    ) -> None:
        by_id = {one.person.id: one for one in people}
        running = {campaign.id: campaign for campaign in campaigns.running}
        signer_lookup = SignerLookup(self._store, _appearing(by_id.values(), campaigns))
        signers = partial(signer_lookup.of, day=now.date())
        batches: dict[Carrier, list[Claimed]] = {}
        for touch in touches:
            campaign, one = running[touch.campaign], by_id[touch.person]
            render = _rendering(self._renderer_of(campaign), touch, one, signers, campaign)
            about = (key := touch.key, touch.campaign, touch.message)
            claimed = Claimed(*about, lease, render, touch.not_after, one.attempts(key), touch.rung, touch.person)
            batches.setdefault(touch.channel, []).append(claimed)
        for channel, batch in batches.items():
            self._pools[channel].put(batch)

    def service(self, records: Sequence[TouchRecord], lease: Lease) -> None:
        for record in records:
            render, person = partial(message_of, record.payload or {}), record.person_id or ""
            claimed = Claimed(record.key, record.campaign, "", lease, render, attempts=record.attempts, person=person)
            self._pools[record.channel].put([claimed])

    def _renderer_of(self, campaign: Campaign) -> Renderer:
        kept = self._renderers.get(campaign.id)
        if kept is None or kept[0] is not campaign.plan:
            record = self._store.campaigns.version(campaign.id, campaign.version)
            assert record is not None, "a running campaign has its version on record"  # noqa: S101 - a defect of ours
            kept = self._renderers[campaign.id] = (campaign.plan, self._make(campaign.plan, record.templates))
        return kept[1]


def _appearing(people: Iterable[Decided], campaigns: Campaigns) -> set[str]:
    plans = [campaign.plan for campaign in campaigns.running]
    signing = {email for plan in plans for email in (plan.owner[0], plan.sponsor_email) if email}
    return signing | {one.person.manager for one in people if one.decision.touches}


def _rendering(
    renderer: Renderer, touch: Touch, one: Decided, signers: Callable[[Person, Plan], Signers], campaign: Campaign
) -> Callable[[], RenderedMessage]:
    replies = _opening(campaign, touch, one)
    return lambda: renderer.touch(touch, one.person, signers(one.person, campaign.plan), replies)


def _opening(campaign: Campaign, touch: Touch, one: Decided) -> tuple[PublicReply, ...]:
    if not campaign.replies:
        return ()
    history = one.history
    for beside in one.decision.touches:
        history = history.with_touch(beside, beside.due_at)
    return opening(campaign.replies, touch, history.rows)


def add_service_mail(
    store: Store, mail: RenderedMessage, *, category: str, person_id: str | None, due_at: dt.datetime, now: dt.datetime
) -> bool:
    """Keeps a message for sending; ``False`` when one of its key is on record already: it is not sent twice."""
    return store.service_mail.add(
        mail.key,
        category=category,
        channel=mail.channel,
        payload=payload_of(mail),
        now=now,
        campaign=mail.campaign,
        person_id=person_id,
        due_at=due_at,
    )
