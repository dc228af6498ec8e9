"""Why somebody gets what they get: their standing, what comes next and the reasons, message by message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from commsengine.cadence.history import Decision, TouchRow
from commsengine.engine.decisions import Decided, Decisions
from commsengine.errors import InputError
from commsengine.store.store import Store


def why(store: Store, decisions: Decisions, email: str, now: dt.datetime) -> dict[str, Any]:
    """Everything about one person over all running campaigns. Raises ``InputError`` with the near addresses."""
    person = store.people.by_email(email) or store.people.by_id(email)
    if person is None:
        near = ", ".join(store.people.near(email))
        raise InputError(f"Nobody here has the address {email}.", f"There is: {near}." if near else "")
    campaigns = decisions.campaigns()
    one = decisions.of([person.id], campaigns, now)[0]
    return {
        "person": person.email,
        "name": person.name,
        "unreachable": dict(one.history.unreachable),
        "campaigns": [
            {
                "campaign": campaign.id,
                "title": campaign.plan.title,
                "messages": [_message(one, campaign.id, message.id) for message in campaign.plan.messages],
            }
            for campaign in campaigns.running
        ],
    }


def _message(one: Decided, campaign: str, message: str) -> dict[str, Any]:
    mine = (campaign, message)
    touches = [row for row in one.history.rows if (row.campaign, row.message) == mine]
    return {
        "message": message,
        "standing": one.decision.standings.get(mine, "not for them"),
        "next_at": _next_at(one.decision, campaign, message),
        "reasons": _reasons(one.decision, campaign, message),
        "touches": [touch_json(row) for row in touches],
    }


def _next_at(decision: Decision, campaign: str, message: str) -> str | None:
    nexts = [r.next_at for r in decision.reasons if (r.campaign, r.message) == (campaign, message) and r.next_at]
    due = [t.due_at for t in decision.touches if (t.campaign, t.message, t.skip) == (campaign, message, "")]
    return iso(min([*nexts, *due], default=None))


def _reasons(decision: Decision, campaign: str, message: str) -> list[dict[str, Any]]:
    said: Iterable[dict[str, Any]] = (
        {"code": r.code, "text": r.text, "next_at": iso(r.next_at), "waits_for": r.waits_for}
        for r in decision.reasons
        if (r.campaign, r.message) == (campaign, message)
    )
    due: Iterable[dict[str, Any]] = (
        {"code": "now", "text": "The engine's next beat sends it.", "next_at": iso(t.due_at), "waits_for": ""}
        for t in decision.touches
        if (t.campaign, t.message, t.skip) == (campaign, message, "")
    )
    return [*due, *said]


def touch_json(row: TouchRow) -> dict[str, Any]:
    return {
        "key": row.key, "message": row.message, "rung": row.rung, "kind": row.kind, "channel": row.channel,
        "state": row.state, "at": iso(row.due_at), "sent_at": iso(row.sent_at), "attempts": row.attempts,
        "possible_duplicate": row.possible_duplicate, "reason": row.reason,
    }  # fmt: skip


def iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None
