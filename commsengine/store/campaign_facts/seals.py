"""How an experiment is judged, sealed before the first message leaves: what the plan says of it stands from then on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, or_, select

from commsengine.cadence.analysis import CHOSEN, analysis, changed, digest_of
from commsengine.cadence.plan import Plan
from commsengine.errors import InputError
from commsengine.store.database import Database, columns_of
from commsengine.store.tables import seal, touch
from commsengine.translation import N_, _


@dataclass(frozen=True, slots=True)
class Seal:
    """An analysis and its ``digest``, as they were written down."""

    analysis: Mapping[str, Any]
    digest: str
    at: dt.datetime

    @property
    def whole(self) -> bool:
        return digest_of(self.analysis) == self.digest


_SEAL = select(*columns_of(seal, Seal))


class Seals:
    """The seals, by campaign."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, campaign: str) -> Seal | None:
        row = self._database.first(_SEAL.where(seal.c.campaign == campaign))
        return Seal(*row) if row else None

    def allow(self, plan: Plan) -> None:
        """Raises ``InputError`` for a plan that judges an experiment in another way than it was begun with."""
        with self._database.read() as connection:
            _allow(connection, plan)


def write(connection: Connection, plan: Plan, *, by: str, now: dt.datetime) -> None:
    """Seals the plan's analysis as long as nothing has left; raises ``InputError`` as ``Seals.allow``."""
    _allow(connection, plan)
    if _begun(connection, plan.campaign):
        return
    connection.execute(delete(seal).where(seal.c.campaign == plan.campaign))
    wanted = analysis(plan)
    if wanted is not None:
        row = {"campaign": plan.campaign, "analysis": dict(wanted), "digest": digest_of(wanted), "at": now, "by": by}
        connection.execute(seal.insert(), row)


def _begun(connection: Connection, campaign: str) -> bool:
    left = or_(touch.c.sending_at.is_not(None), touch.c.sent_at.is_not(None))
    return (
        connection.execute(
            select(touch.c.key).where(touch.c.campaign == campaign, touch.c.kind != "service", left).limit(1)
        ).first()
        is not None
    )


def _allow(connection: Connection, plan: Plan) -> None:
    wanted = analysis(plan)
    if wanted is None or not _begun(connection, plan.campaign):
        return
    row = connection.execute(_SEAL.where(seal.c.campaign == plan.campaign)).first()
    if row is None:
        cause = _("The experiment got its outcome after the first message had been sent.")
        raise InputError(
            cause, _("Take 'outcome' and 'day' out of 'experiment': a result chosen afterwards proves nothing.")
        )
    sealed = Seal(*row)
    moved = [key for key in changed(sealed.analysis, wanted) if key in CHOSEN]
    if moved:
        text = N_("'{key}' of the experiment was sealed on {day:%Y-%m-%d}, before the first message, as {before}.")
        cause = _(text, key=moved[0], day=sealed.at, before=sealed.analysis[moved[0]])
        raise InputError(cause, _("Leave it as it was: what is judged is not chosen while the answers come in."))
