"""``POST /facts/CAMPAIGN``: another system tells who did it, signed, each call once.

The signature is HMAC-SHA256, with the secret both sides know, over the timestamp, a dot and the body. It holds for five
minutes, and a call that was taken in is not taken in again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from commsengine.authoring.facts_file import ToldFact
from commsengine.campaigns.outcome_facts import Judged, campaign_of_facts, judge
from commsengine.errors import InputError
from commsengine.store.campaign_facts.deeds import ReplayedCallError
from commsengine.store.store import Store
from commsengine.translation import _
from commsengine.web.requests import LIMIT, read_body

HOLDS = dt.timedelta(minutes=5)
TIMESTAMP, SIGNATURE = "x-commsengine-timestamp", "x-commsengine-signature"
LONGEST = 320
"""Characters of a field: as long as an address may be."""

FIELDS = ("person", "outcome", "at", "id")

log = structlog.get_logger(__name__)


class FactsWebhook:
    """Takes in facts that are signed with ``secret``."""

    def __init__(self, store: Store, secret: str, clock: Callable[[], dt.datetime]) -> None:
        self._store, self._secret, self._clock = store, secret.encode(), clock

    def route(self) -> Route:
        return Route("/facts/{campaign}", self._take, methods=["POST"])

    async def _take(self, request: Request) -> Response:
        body = await read_body(request, LIMIT)
        stamp, signature = request.headers.get(TIMESTAMP, ""), request.headers.get(SIGNATURE, "")
        if not self._genuine(stamp, signature, body):
            return _refused(401, _("The signature does not fit, or is older than five minutes."))
        return await run_in_threadpool(self._record, request.path_params["campaign"], signature, body)

    def _genuine(self, stamp: str, signature: str, body: bytes) -> bool:
        fits = hmac.compare_digest(signed(self._secret, stamp, body).encode(), signature.encode())
        if not fits or not stamp.isascii() or not stamp.isdecimal() or len(stamp) > len("1800000000"):
            return False
        return abs(self._clock().timestamp() - int(stamp)) <= HOLDS.total_seconds()

    def _record(self, campaign: str, signature: str, body: bytes) -> Response:
        now = self._clock()
        try:
            record = campaign_of_facts(self._store, campaign)
        except InputError as error:
            return _refused(404, error.message)
        try:
            told = _told(body)
        except ValueError as error:
            return _refused(422, str(error))
        found = judge(self._store, record.plan, told, now)
        if found.wrong and not found.sound:
            return JSONResponse(_answer(found, 0), 422)
        try:
            new = self._store.deeds.record(
                record.id, found.sound, source="system", by="webhook", now=now, signature=signature
            )
        except ReplayedCallError as error:
            return _refused(409, _(error.message))
        log.info("facts_told", campaign=record.id, recorded=new, refused=len(found.wrong))
        return JSONResponse(_answer(found, new))


def signed(secret: bytes, stamp: str, body: bytes) -> str:
    """``v1=`` and 64 hexadecimal digits."""
    return "v1=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _told(body: bytes) -> list[ToldFact]:
    """Raises ``ValueError`` for anything but a list of facts."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError(_("The body is not JSON.")) from None
    if not isinstance(given, list):
        raise ValueError(_("The body is not a list of facts."))
    return [_fact(number, item) for number, item in enumerate(given)]


def _fact(number: int, item: object) -> ToldFact:
    if not isinstance(item, dict) or not all(_is_text(item.get(name, "")) for name in FIELDS):
        text = _("Item {number} is not an object with the texts person, outcome, at and id.", number=number)
        raise ValueError(text)
    person, outcome, at, ref = (item.get(name, "").strip() for name in FIELDS)
    return ToldFact(number, person, outcome, at, ref)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= LONGEST


def _answer(found: Judged, new: int) -> dict[str, Any]:
    errors = [
        {"index": one.place, "person": one.person, "error": f"{one.cause} {one.fix}".strip()} for one in found.wrong
    ]
    return {"recorded": new, "known": len(found.sound) - new, "unknown": found.unknown, "errors": errors}


def _refused(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why}, status)
