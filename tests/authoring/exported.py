"""People as ``people export`` writes them."""

from __future__ import annotations

from collections.abc import Sequence

from commsengine.authoring.people.people_file import export_people
from commsengine.cadence.people import Person


def exported(people: Sequence[Person]) -> str:
    return "".join(export_people(people, {name for person in people for name in person.attributes}))
