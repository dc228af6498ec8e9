"""Who manages whom: a cell that names a manager by address, id, distinguished name or name becomes an address."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from commsengine.authoring.people.person_names import name_words
from commsengine.cadence.people import Person
from commsengine.cadence.population import Population
from commsengine.spool import Spool
from commsengine.text import near_or
from commsengine.translation import N_, _

MOST_PROPOSED = 5000
MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Claim:
    """A person, the line they stand in, and the cells that name their manager.

    ``known_manager`` is the manager that the directory has, ``None`` for a new person; ``works`` whether it has them as
    one who has not left.
    """

    line: int
    person: Person
    named: tuple[str, ...]
    known_manager: str | None = None
    works: bool = False

    def __reduce__(self) -> tuple[type[Claim], tuple[object, ...]]:
        return Claim, (self.line, self.person, self.named, self.known_manager, self.works)  # quicker, as for a person

    def under(self, manager: str) -> Claim:
        return self if self.person.manager == manager else replace(self, person=replace(self.person, manager=manager))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A claim that leads to nobody, or to several: why, and what to write instead."""

    claim: Claim
    code: str
    cause: str
    fix: str


@dataclass(frozen=True)
class Somebody:
    """Whom a manager's cell may mean; ``line`` is 0 for people of the directory."""

    email: str
    name: str = ""
    id: str = ""
    line: int = 0
    left: bool = False
    dn: str = ""


@dataclass
class Staff:
    """Everybody whom a manager's cell may mean: the ``rows`` of the file, rejected ones too, then the directory.

    A file that names managers by their address is held against ``addresses``, those of its rows, and the directory:
    only ids and names are looked for among everybody.
    """

    rows: Callable[[], Iterator[Somebody]]
    addresses: Callable[[str], bool]
    directory: Population
    _known: dict[str, bool] = field(default_factory=dict)

    def everybody(self) -> Iterator[Somebody]:
        """The rows come first: a name means the person of the file before one of the directory."""
        yield from self.rows()
        for person in self.directory:
            if not self.addresses(person.email):
                yield Somebody(person.email, person.name, person.id, 0, person.left is not None)

    def _knows(self, email: str) -> bool:
        if email not in self._known:
            self._known[email] = self.addresses(email) or self.directory.find(email) is not None
        return self._known[email]

    @cached_property
    def _by_id(self) -> Mapping[str, Somebody]:
        found: dict[str, Somebody] = {}
        for each in self.everybody():
            for key in (each.id.casefold(), each.id.lstrip("0").casefold()) if each.email else ():
                found.setdefault(key, each)
        return found

    @cached_property
    def _by_dn(self) -> Mapping[str, Somebody]:
        return {each.dn.casefold(): each for each in self.rows() if each.dn}

    @cached_property
    def _by_name(self) -> Mapping[str, list[Somebody]]:
        found: dict[str, list[Somebody]] = defaultdict(list)
        for each in self.everybody():
            if each.name and each.email not in {other.email for other in found.get(name_words(each.name), ())}:
                found[name_words(each.name)].append(each)
        return found

    def meant(self, named: str) -> list[Somebody]:
        """Everybody who may be meant; those who work here before those who left."""
        if "@" in named:
            return [Somebody(named)] if self._knows(named) else []
        if named.casefold() in self._by_dn:
            return [self._by_dn[named.casefold()]]
        if common := re.match(r"(?i)cn=((?:\\.|[^,\\])+)", named):
            return self._called(re.sub(r"\\(.)", r"\1", common[1]))
        inside = re.search(r"[(\[]\s*#?([\w-]+)\s*[)\]]\s*$", named)
        for key in (named, inside[1] if inside else ""):
            if found := self._by_id.get(key.casefold()) or self._by_id.get(
                key.lstrip("0").casefold() if key.isdigit() else ""
            ):
                return [found]
        return self._called(named)

    def _called(self, name: str) -> list[Somebody]:
        found = self._by_name.get(name_words(name) or name, [])
        here = [each for each in found if each.line] or found  # a file means its own people
        return [each for each in here if not each.left] or here

    @cached_property
    def _few(self) -> Sequence[Somebody]:
        found = list(islice(self.everybody(), MOST_PROPOSED + 1))
        return found if len(found) <= MOST_PROPOSED else ()

    @property
    def proposed(self) -> Iterable[str]:
        return {each.email for each in self._few if each.email}

    @property
    def names(self) -> Iterable[str]:
        return {each.name for each in self._few if each.name}


@dataclass(frozen=True)
class Managed:
    """Each person with the address of their manager, the claims that lead nowhere, and who is their own manager.

    ``above`` are the addresses of each person and of their manager. ``useless`` says that none of many claims leads to
    anybody: the column is of another world.
    """

    people: Spool[Claim]
    above: Spool[tuple[str, str]]
    refused: list[Refusal]
    own: list[Claim]
    useless: bool = False


def with_managers(claims: Sequence[Claim], staff: Staff) -> Managed:
    people, above, refused, own = Spool[Claim](), Spool[tuple[str, str]](), list[Refusal](), list[Claim]()
    found = 0
    for claim in claims:
        meant = next(filter(None, map(staff.meant, claim.named)), [])
        found += bool(meant)
        if len(meant) == 1 and meant[0].email == claim.person.email:
            own.append(claim)
        if len(meant) == 1:
            manager = "" if claim in own[-1:] else meant[0].email
        elif not claim.named or claim.person.left:
            manager = ""
        else:
            refused.append(_severally(claim, meant) if meant else _unknown(claim, staff))
            continue
        people.append(claim.under(manager))
        above.append((claim.person.email, manager))
    useless = found == 0 and len(refused) > max(2, len(claims) // 2) and "@" not in refused[0].claim.named[0]
    return Managed(people, above, refused, own, useless)


def _severally(claim: Claim, meant: Sequence[Somebody]) -> Refusal:
    some = ", ".join(map(_placed, meant[:MOST_NAMED])) + ("…" if len(meant) > MOST_NAMED else "")
    text = N_("{count} people are called '{name}': {people}.")
    cause = _(text, count=len(meant), name=claim.named[0], people=some)
    return Refusal(claim, "ambiguous_manager", cause, _("Write the manager's address or id."))


def _placed(somebody: Somebody) -> str:
    line = _("{email} (line {line})", email=somebody.email, line=somebody.line)
    return line if somebody.line else somebody.email


def _unknown(claim: Claim, staff: Staff) -> Refusal:
    named = claim.named[0]
    instead = (
        N_("Add the manager's row, or correct the address.")
        if "@" in named
        else N_("Add the manager's row, or write the address.")
    )
    fix = near_or(named, staff.proposed if "@" in named else staff.names, _(instead))
    cause = _("The manager '{manager}' is neither in this file nor in the directory.", manager=named)
    return Refusal(claim, "unknown_manager", cause, fix)


def circles_among(above: Sequence[tuple[str, str]]) -> dict[str, str]:
    """As ``circles``; only who leads somebody can be in one."""
    leading = {manager for _email, manager in above}
    return circles({email: manager for email, manager in above if email in leading})


def circles(above: Mapping[str, str]) -> dict[str, str]:
    """The address of each person in a circle of managers, with the circle written out."""
    done, found = set[str](), dict[str, str]()
    for start in above:
        way: dict[str, None] = {}
        at = start
        while at in above and at not in done and at not in way:
            way[at] = None
            at = above[at]
        if at in way:
            ring = list(way)[list(way).index(at) :]
            found |= dict.fromkeys(ring, " → ".join([*ring[:5], *(["…"] if len(ring) > 5 else []), ring[0]]))
        done.update(way)
    return found
