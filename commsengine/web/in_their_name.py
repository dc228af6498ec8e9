"""The forms about what goes out in a manager's name, on their page and on that of a briefing."""

from __future__ import annotations

import datetime as dt

from starlette.exceptions import HTTPException

from commsengine.cadence.people import Person
from commsengine.reports.manager_desk import ManagerDesk
from commsengine.translation import N_
from commsengine.web.link_page import Form

SAID = {
    "held": N_("Held. It is sent on the day that you chose."),
    "let_go": N_("It is sent from now on."),
    "line": N_("Your line is in the messages sent from now on."),
    "no_line": N_("Your line is removed from messages sent from now on."),
}
"""What the page says after a form, by the word in its address."""


def act_in_their_name(desk: ManagerDesk, manager: Person, form: Form, now: dt.datetime, *, only: str = "") -> str:
    """Does what the hidden field ``do`` says and returns the word for it. ``only`` is the message that may be meant, if
    it is one. Raises ``InputError`` with a sentence for the manager.
    """
    about = (form.get("campaign", ""), form.get("message", ""))
    if only not in ("", about[1]):
        raise HTTPException(400)
    match form.get("do"):
        case "hold":
            desk.hold(manager, *about, form.get("until", ""), now)
            return "held"
        case "let_go":
            desk.let_go(manager, *about, now)
            return "let_go"
        case "line":
            return "line" if desk.add_line(manager, *about, form.get("text", ""), now).line else "no_line"
    raise HTTPException(400)
