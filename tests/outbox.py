"""Marks and receipts, one kind at a time, as a test of them wants it; the recorder writes both in one commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from commsengine.store.records import Lease, Receipt
from commsengine.store.store import Store


def mark(store: Store, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]:
    """Makes claims ``sending``; only the keys that come back may leave."""
    return {each.key for each in store.outbox.record(keys, (), lease, now).marked}


def settle(store: Store, receipts: Sequence[Receipt], lease: Lease, now: dt.datetime) -> set[str]:
    """Writes receipts; the keys that come back were still this owner's to settle."""
    return set(store.outbox.record((), receipts, lease, now).settled)
