"""The values of one person for one touch, looked up by the names that templates use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from commsengine.cadence.people import COLUMNS, Person
from commsengine.content.grammar import SIGNERS, VARYING
from commsengine.content.slots import Slot, clean
from commsengine.errors import RenderError
from commsengine.translation import _

Required = tuple[tuple[str, str, int], ...]
"""Columns that texts cannot do without: each name with the place and line that need it."""


@dataclass(frozen=True, slots=True)
class Signers:
    """Who stands behind a message: the lead, and the person's manager and the sponsor where there are any.

    ``lines`` are what the manager adds to the messages that go out in their name, by message.
    """

    lead: Person
    manager: Person | None = None
    sponsor: Person | None = None
    lines: Mapping[str, str] = field(default_factory=dict)
    _values: dict[str, SignerValues] = field(default_factory=dict, init=False, compare=False, repr=False)

    def sender(self, who: str) -> Person:
        # The lead signs where the person that the message names is missing.
        return {"manager": self.manager, "sponsor": self.sponsor}.get(who) or self.lead

    def values(self, sender: str = "lead") -> SignerValues:
        """What templates say of them where ``sender`` sends; kept, for they sign for thousands."""
        if sender not in self._values:
            self._values[sender] = SignerValues(self, self.sender(sender))
        return self._values[sender]


class SignerValues(dict[str, str]):
    """Dotted name to clean value, each looked up once; empty for a signer that is missing."""

    def __init__(self, signers: Signers, sender: Person) -> None:
        super().__init__()
        self.sender, self.lead = sender, signers.lead
        self._signers = {"lead": signers.lead, "manager": signers.manager, "sponsor": signers.sponsor, "sender": sender}

    def __missing__(self, name: str) -> str:
        root, _dot, column = name.partition(".")
        member = self._signers[root]
        value = self[name] = clean(_member(member, column)) if member else ""
        return value


class TextValues(dict[str, str]):
    """Dotted name to clean value, each looked up once; a column that the person does not have is empty.

    ``dates`` are those of milestones, by the same names. ``link`` signs the person's link for a purpose, and ``again``
    writes when the message comes again, when a text has it.
    """

    def __init__(
        self,
        person: Person,
        signers: SignerValues,
        dates: Mapping[str, str],
        given: Mapping[str, str],
        link: Callable[[str], str],
        again: Callable[[], str],
    ) -> None:
        super().__init__(given)
        self.person, self.signers = person, signers
        self._dates, self._link, self._again = dates, link, again

    def __missing__(self, name: str) -> str:
        root, _dot, rest = name.partition(".")
        if root == "links":
            value = self._link(rest)
        elif root == "person":
            value = clean(_column(self.person, rest) or "")
        elif root in SIGNERS:
            value = self.signers[name]
        else:
            value = self._again() if name == "again" else self._dates.get(name, "")
        self[name] = value
        return value

    def refuse_missing(self, required: Required) -> None:
        """Raises ``RenderError`` for the first column that this person does not have."""
        for name, where, line in required:
            if _column(self.person, name.partition(".")[2]) is None:
                known = ", ".join(f"person.{column}" for column in sorted(self.person.attributes))
                cause = _("'{name}' is not defined for this person.", name=name)
                fix = _("Their own columns are: {columns}.", columns=known or _("none"))
                raise RenderError(cause, fix, where=where, line=line)

    def slots(self, names: Iterable[str]) -> dict[str, Any]:
        """Every varying name as a slot that knows its value."""
        roots: dict[str, dict[str, Slot]] = {root: {} for root in VARYING}
        for name in names:
            root, _dot, field = name.partition(".")
            if root in roots and field:
                roots[root][field] = Slot(name, self[name])
        return {**roots, "again": Slot("again", self["again"])}


def _column(person: Person, field: str) -> str | None:
    if field == "first_name":
        return person.first_name
    return person.column(field) if field in COLUMNS else person.attributes.get(field)


def _member(member: Person, field: str) -> str:
    if field == "name":
        return member.name or member.email
    return member.first_name if field == "first_name" else member.column(field)
