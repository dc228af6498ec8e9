"""Whether this database knows all that has left: a restored or copied one honestly believes that it has not.

Looked at before anything else of a start
1. What the sent-journal knows and the database does not is put back on record: what arrived is ``sent``, what had
   begun is ``uncertain``. The person of a key follows from the directory.
2. A database that knew less, that beat earlier than was noted here, that lies beside the one it was copied from, or
   that was last sent from another place, puts the engine on hold until a person releases it.
3. Fences go on after the last one of the journal: none is ever given out for the second time.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from pathlib import Path

import structlog

from commsengine.cadence.history import touch_key
from commsengine.cadence.kinds_and_states import ReceiptState
from commsengine.content.kept_words import kept
from commsengine.engine.journal import Entry
from commsengine.engine.state_folder import Note, StateFolder
from commsengine.store.records import Marked, Reborn, TouchRecord
from commsengine.store.store import Store
from commsengine.translation import N_

BEHIND = dt.timedelta(minutes=15)
"""How much older than noted here a database's last beat may be: a beat is noted a moment after it is kept."""

UNDER_WAY = 50
"""Claims of several engines are under way at once, so the journal is read from so many fences before the oldest."""

DOUBTFUL = ("sending", "uncertain")
"""What the last line about a try may say when it is unknown whether it arrived."""

UNDER_WAY_STATES = ("claimed", "sending")
"""States in which a row has not counted the try of its own fence yet."""

log = structlog.get_logger(__name__)


def look_back(store: Store, state: StateFolder, now: dt.datetime) -> str:
    """Puts back on record what is missing; returns why the engine must hold, empty if all is well."""
    missing = unknown(store, state, store.path)
    put_back, strangers = put_on_record(store, missing, now) if missing else (0, 0)
    beside = _made_from(store, state)
    reason = beside or _elsewhere(store, state) or _restored(store, state, put_back, strangers, now)
    if reason:
        store.engine.hold(reason, now=now)
        log.error("held", reason="restored or copied", put_back=put_back, strangers=strangers)
    if beside:  # the folder stays that of the database it was made from
        store.engine.become(str(uuid.uuid4()))
    else:
        catch_up(store, state, store.path)
    return reason


def catch_up(store: Store, state: StateFolder, path: Path | None) -> None:
    # from here on the next start finds nothing new
    noted, last = state.noted(), store.engine.heartbeat()
    store.engine.be_at(state.place)
    store.engine.raise_fence(max(state.journal.last_fence(), noted.fence if noted else 0))
    beat_at = last.beat_at if last else None
    state.note(Note(str(path or ""), store.engine.fence(), beat_at, store.engine.epochs()))


def unknown(store: Store, state: StateFolder, path: Path | None) -> dict[str, Entry]:
    """By key, what the journals know of touches and this database, which lies or will lie at ``path``, does not."""
    floor = min(store.engine.fence() + 1, store.recovery.oldest_open_fence() or store.engine.fence() + 1) - UNDER_WAY
    known = state.journal.since(max(1, floor))
    for journal in state.kin(store.engine.former_ids(), path):
        for key, entry in journal.since(max(1, floor)).items():
            if key not in known or known[key].at < entry.at:
                known[key] = entry
    rows = store.touches.rows(list(known))
    return {key: entry for key, entry in known.items() if _is_news(entry, rows.get(key))}


def _is_news(entry: Entry, row: TouchRecord | None) -> bool:
    # The database is written first, so in life it is never behind. What was never marked has never left.
    if entry.state == "released" or entry.marked is None:
        return False
    if row is None or row.fence < entry.fence:
        return True
    if row.fence > entry.fence:
        return False
    return row.state == "claimed" or (row.state == "sending" and entry.state != "sending")


def put_on_record(store: Store, missing: Mapping[str, Entry], now: dt.datetime) -> tuple[int, int]:
    """Writes these rows again; returns how many, and how many of them are of people unknown to this database.

    A row without a person stays until the person is back: the first claim of its key finds it there.
    """
    rows = store.touches.rows(list(missing))
    owners = {key: row.person_id for key, row in rows.items()}
    owners |= _whose(store, {key: entry for key, entry in missing.items() if key not in rows})
    reborn = [
        _reborn(entry, entry.marked, owners.get(key), rows.get(key)) for key, entry in missing.items() if entry.marked
    ]
    store.recovery.put_back(reborn, now=now)
    strangers = sum(each.person_id is None and each.marked.kind != "service" for each in reborn)
    return len(reborn), strangers


def _reborn(entry: Entry, marked: Marked, person: str | None, row: TouchRecord | None) -> Reborn:
    counted = 0 if row is None else row.fence - (row.state in UNDER_WAY_STATES)
    news = [state for fence, state in entry.tries if fence > counted]
    state: ReceiptState = "uncertain" if entry.state == "sending" else entry.state
    doubts = sum(each in DOUBTFUL for each in news)
    possible_duplicate = any(each in DOUBTFUL for _, each in entry.tries[:-1])
    return Reborn(marked, person, state, entry.fence, entry.at, len(news), doubts, possible_duplicate)


def _whose(store: Store, missing: Mapping[str, Entry]) -> dict[str, str | None]:
    # a key is made of campaign, message, person, date and rung; all but the person is in the journal
    kinds = {
        (each.campaign, each.message, each.local_date, each.rung)
        for entry in missing.values()
        if (each := entry.marked) and each.local_date is not None and each.rung is not None
    }
    return {
        key: person.id
        for person in (store.people.all() if kinds else ())
        for campaign, message, date, rung in kinds
        if (key := touch_key(campaign, message, person.id, date, rung)) in missing
    }


def _restored(store: Store, state: StateFolder, put_back: int, strangers: int, now: dt.datetime) -> str:
    noted, last = state.noted(), store.engine.heartbeat()
    beat_at = noted.beat_at if noted else None
    if put_back or strangers:
        gone = f" Of {strangers} it does not even know the person: import the people again." if strangers else ""
        return (
            f"The database looks restored: {put_back} messages that it did not know of had left; "
            f"they are on record again.{gone}"
        )
    if noted is None and store.engine.place() == state.place and store.engine.fence():
        return kept("journal gone", folder=state.root)
    if noted and (store.engine.fence() < noted.fence or store.engine.epochs() < noted.epochs):
        return N_("The database looks restored: it is older than the last message sent from here.")
    if beat_at and beat_at <= now and (last is None or last.beat_at < beat_at - BEHIND):  # else the clock was wrong
        return kept("restored", since=f"{beat_at:%Y-%m-%d %H:%M}")
    return ""


def _made_from(store: Store, state: StateFolder) -> str:
    # a copy beside the file it was made from: from now on it is another database, with a folder of its own
    noted = state.noted()
    if store.path is None or noted is None or noted.path == str(store.path) or not _is_there(store, noted.path):
        return ""
    return f"The database looks like a copy: {noted.path}, which it was made from, is still there."


def _elsewhere(store: Store, state: StateFolder) -> str:
    # of a file only: a server of databases is reached from many places
    place = store.engine.place()
    if store.path is None or place in ("", state.place):
        return ""
    return (
        "The database looks like a copy: it was last sent from another machine, or with another state folder than "
        f"{state.root}."
    )


def _is_there(store: Store, path: str) -> bool:
    # another file, whatever its name: a link to this one is no copy
    other = Path(path)
    if not path or store.path is None or not other.exists() or other.samefile(store.path):
        return False
    return store.is_the_same_as(other)
