"""From claims to the senders: each claimed touch with how to render it, given to the pool of its channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from commsengine.cadence.history import Campaign, Campaigns, Touch
from commsengine.cadence.plan import Plan
from commsengine.content.message import Message
from commsengine.content.render import Renderer
from commsengine.engine.casting import Casting
from commsengine.engine.decisions import Decided
from commsengine.engine.deliver import Pool
from commsengine.engine.service_mail import message_of
from commsengine.engine.trip import Claimed
from commsengine.store.records import TouchRecord
from commsengine.store.store import Store

RendererFor = Callable[[Plan, Mapping[str, str]], Renderer]
"""Makes the renderer of a plan version from the plan and its frozen templates."""


class Handover:
    """Keeps one renderer per campaign: that of the version claimed last."""

    def __init__(self, store: Store, renderer: RendererFor, pools: Mapping[str, Pool]) -> None:
        self._store, self._make, self._pools = store, renderer, pools
        self._renderers: dict[str, tuple[int, Renderer]] = {}

    def touches(self, touches: Iterable[Touch], people: Iterable[Decided], campaigns: Campaigns, fence: int) -> None:
        by_id = {one.person.id: one for one in people}
        running = {campaign.id: campaign for campaign in campaigns.running}
        casting = Casting(self._store, _appearing(by_id.values(), campaigns))
        batches: dict[str, list[Claimed]] = {}
        for touch in touches:
            campaign, one = running[touch.campaign], by_id[touch.person]
            render = _rendering(self._renderer_of(campaign), touch, one, casting, campaign.plan)
            claimed = Claimed(
                touch.key, touch.campaign, touch.message, fence, render, touch.not_after, one.attempts(touch.key),
                touch.rung, touch.person,
            )  # fmt: skip
            batches.setdefault(touch.channel, []).append(claimed)
        for channel, batch in batches.items():
            self._pools[channel].put(batch)

    def service(self, records: Sequence[TouchRecord], fence: int) -> None:
        for record in records:
            claimed = Claimed(
                record.key, record.campaign, "", fence, _reading(record), None, record.attempts,
                person=record.person_id or "",
            )  # fmt: skip
            self._pools[record.channel].put([claimed])

    def _renderer_of(self, campaign: Campaign) -> Renderer:
        kept = self._renderers.get(campaign.id)
        if kept is None or kept[0] != campaign.version:
            record = self._store.plans.version(campaign.id, campaign.version)
            assert record is not None, "a running campaign has its version on record"  # noqa: S101 - a defect of ours
            kept = self._renderers[campaign.id] = (campaign.version, self._make(record.plan, record.templates))
        return kept[1]


def _appearing(people: Iterable[Decided], campaigns: Campaigns) -> set[str]:
    """Everybody who may sign a message: owners, sponsors and these people's managers."""
    plans = [campaign.plan for campaign in campaigns.running]
    signing = {email for plan in plans for email in (plan.owner[0], plan.sponsor) if email}
    return signing | {one.person.manager for one in people if one.decision.touches}


def _rendering(renderer: Renderer, touch: Touch, one: Decided, casting: Casting, plan: Plan) -> Callable[[], Message]:
    return lambda: renderer.touch(touch, one.person, casting.of(one.person, plan))


def _reading(record: TouchRecord) -> Callable[[], Message]:
    return lambda: message_of(record.payload or {})
