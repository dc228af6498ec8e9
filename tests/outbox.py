"""Marks and receipts, one kind at a time, as a test of them wants it; the recorder writes both in one commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from commsengine.store.records import Commit, Lease, Receipt, ToRecord
from commsengine.store.store import Store

NO_DATES: Mapping[str, str] = {}


def record(
    store: Store,
    keys: Sequence[str],
    receipts: Sequence[Receipt],
    lease: Lease,
    now: dt.datetime,
    named: Mapping[str, str] = NO_DATES,
) -> Commit:
    """Both of one claim, in one commit."""
    return store.outbox.record({lease: ToRecord(keys, receipts, named)}, now)[lease]


def mark(store: Store, keys: Sequence[str], lease: Lease, now: dt.datetime) -> set[str]:
    """Makes claims ``sending``; only the keys that come back may leave."""
    return {each.key for each in record(store, keys, (), lease, now).marked}


def settle(store: Store, receipts: Sequence[Receipt], lease: Lease, now: dt.datetime) -> set[str]:
    """Writes receipts; the keys that come back were still this owner's to settle."""
    return set(record(store, (), receipts, lease, now).settled)
