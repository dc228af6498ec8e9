"""Who of a people file works here: active, left, a guest or no person at all, by the words of the systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from commsengine.authoring.people.headings import bare

Employment = Literal["active", "left", "guest", "machine"]


def _words(text: str) -> frozenset[str]:
    return frozenset(map(bare, text.split(", ")))


_LEFT = _words(
    "inactive, inaktiv, inactif, inactive employee, inactivo, inactiva, terminated, terminé, terminada, "
    "terminado, suspended, gesperrt, suspendu, suspendue, suspendido, suspendida, deactivated, "
    "deaktiviert, désactivé, désactivée, desactivado, desactivada, disabled, deprovisioned, left, "
    "ausgeschieden, ausgetreten, former, former employee, ehemalig, ehemalige, ehemaliger, ex-employee, "
    "sorti, sortie, parti, partie, ancien salarié, baja, de baja, dado de baja, cesado, cesada, "
    "archived, archiviert, archivé, archivado, resigned, dismissed, retired, rentner, deceased, "
    "verstorben, offboarded, separated, discharged, withdrawn, deleted, gelöscht, blocked, "
    "no longer employed, t"
)
_ACTIVE = _words(
    "active, aktiv, actif, active employee, activo, activa, enabled, aktiviert, activé, activée, member, "
    "admin, owner, primary owner, workspace owner, workspace admin, workspace primary owner, org owner, "
    "org admin, provisioned, password expired, recovery, locked out, staged, pending, invited, "
    "invited member, pending activation, on leave, leave, leave of absence, parental leave, elternzeit, "
    "mutterschutz, beurlaubt, en congé, congé parental, excedencia, permiso, probation, probezeit, "
    "période d'essai, onboarding, hired, current, employed, full-time, full time, part-time, part time, "
    "vollzeit, teilzeit, temps plein, temps partiel, permanent, temporary, regular, fixed term, "
    "befristet, unbefristet, cdi, cdd, intern, praktikant, werkstudent, contractor, a, trainee, "
    "apprentice, azubi, notice period, gekündigt, alta, indefinido, working, present, présent"
)
_GUEST = _words(
    "guest, gast, invité, invitado, multi-channel guest, single-channel guest, external guest, guestmailuser"
)
_MACHINE = _words(
    "bot, app, sharedmailbox, shared mailbox, roommailbox, room mailbox, room, equipmentmailbox, "
    "schedulingmailbox, service account, serviceaccount, system account, systemkonto, resource, "
    "ressource, linkedroommailbox, funktionspostfach, shared, boîte partagée, buzón compartido"
)
_YES = frozenset(("true", "yes", "y", "ja", "oui", "si", "sí", "1", "x", "wahr", "vrai", "verdadero", "j", "o"))
_NO = frozenset(("false", "no", "n", "nein", "non", "0", "falsch", "faux", "falso"))

_DISABLED = 0x2
"""The bit of Active Directory's ``userAccountControl``."""


def employment_of(cells: Mapping[str, str]) -> tuple[Employment, str]:
    """What the fields ``status``, ``enabled``, ``blocked`` and so on say, and a status that we do not know."""
    status, kind = cells.get("status", ""), bare(cells.get("user_type", ""))
    if _is(cells, "bot", _YES) or kind in _MACHINE or bare(status) in _MACHINE:
        return "machine", ""
    if (
        kind in _GUEST
        or bare(status) in _GUEST
        or _is(cells, "guest", _YES)
        or "#ext#" in cells.get("login", "").casefold()
    ):
        return "guest", ""
    off = _is(cells, "enabled", _NO) or _is(cells, "blocked", _YES) or _switched_off(cells.get("account_control", ""))
    off = off or _is(cells, "enabled", _LEFT) or _is(cells, "blocked", _LEFT)
    if off or bare(status) in _LEFT or _begins_left(status):
        return "left", ""
    return "active", "" if not status or bare(status) in _ACTIVE or status.casefold() in _YES else status


def is_status(cell: str) -> bool:
    return bare(cell) in _LEFT | _ACTIVE | _GUEST | _MACHINE


def _begins_left(status: str) -> bool:
    # 'Terminated - voluntary', 'Inaktiv (ausgetreten)'
    words = status.replace("(", " ").replace("-", " ").replace(":", " ").split()
    return bool(words) and len(bare(words[0])) > 3 and bare(words[0]) in _LEFT


def _is(cells: Mapping[str, str], field: str, words: frozenset[str]) -> bool:
    cell = cells.get(field, "")
    return bool(cell) and (cell.casefold() in words or bare(cell) in words)


def _switched_off(control: str) -> bool:
    return control.isdigit() and bool(int(control) & _DISABLED)


def says_yes_or_no(cell: str) -> bool:
    return cell.casefold() in _YES | _NO or is_status(cell)
