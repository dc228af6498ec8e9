"""What we heard, what we did: the replies of a campaign as all of its audience may read them.

No one is named and no one is quoted: the words for a question are the lead's own. How many asked is shown from ten up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commsengine.answers.touch_view import Card
from commsengine.answers.wording import spoken
from commsengine.content.phrases import ending_text
from commsengine.recall.small_groups import enough
from commsengine.store.records import ReplyRecord
from commsengine.store.store import Store
from commsengine.translation import N_, _


@dataclass(frozen=True, slots=True)
class Heard:
    """One reply. ``who`` says who asked; ``asked`` is empty where the lead gave no words for it,
    ``ending`` where a question has a plain answer."""

    who: str
    asked: str
    said: str
    ending: str
    at: dt.datetime
    when: str


def heard(store: Store, card: Card, key_points: Mapping[str, str], language: str) -> tuple[Heard, ...]:
    """The newest first. ``key_points`` are those of the messages, in words for the person."""
    found = [each for each in store.replies.of_campaign(card.plan.campaign) if each.public and not each.replaced_at]
    found = _once(found)
    return tuple(
        Heard(
            _who(each, key_points.get(each.message, "")),
            each.asked,
            each.said,
            ending_text(each.ending, each.day, language) if _put_in(each) or each.ending != "done" else "",
            each.at,
            spoken(each.at, card.zone, card.now),
        )
        for each in reversed(found)
    )


def _once(replies: Sequence[ReplyRecord]) -> list[ReplyRecord]:
    """What was said twice in the same words to the same question stands there once, at its newest."""
    last = {(each.asked, each.said, each.ending, each.day) if each.asked else each.id: each for each in replies}
    return [each for each in replies if each in last.values()]


def _put_in(reply: ReplyRecord) -> bool:
    return any(ask.kind == "input" for ask in reply.asks)


def _who(reply: ReplyRecord, key_point: str) -> str:
    put_in = _put_in(reply)
    if reply.asked or not key_point:
        text = N_("{people} of you said:") if put_in else N_("{people} of you asked:")
    else:
        text = N_("{people} of you answered to “{about}”.") if put_in else N_("{people} of you asked about “{about}”.")
    people = f"{reply.people:,}" if enough(reply.people) else _("Some")
    return _(text, people=people, about=key_point.rstrip("."))
