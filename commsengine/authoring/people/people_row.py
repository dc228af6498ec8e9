"""One row of people.csv to one person: each cell in the form of its column, or refused with what to write instead."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

from commsengine.authoring.addresses import AddressError, clean_address
from commsengine.authoring.people.columns import Columns
from commsengine.authoring.people.countries import country_fix, country_of, language_of, region_fix, region_of
from commsengine.authoring.people.employment import Employment, employment_of
from commsengine.authoring.people.no_values import FAMILY_NAME, no_value
from commsengine.authoring.people.person_names import NameForm, joined, person_name
from commsengine.authoring.people.time_zones import zone_fix, zone_of
from commsengine.authoring.people.written_dates import DateError, Order, written_date
from commsengine.cadence.kinds_and_states import CHANNELS
from commsengine.cadence.people import COLUMNS, KNOWN, Person, updated
from commsengine.cadence.population import Population
from commsengine.cadence.time_notation import WEEKDAYS, weekdays_in
from commsengine.text import UNSEEN_IN_LINES, listed, near_or
from commsengine.translation import N_, _

MOST_CHARACTERS = 500

_SUSPECT = re.compile(UNSEEN_IN_LINES.pattern + r"|[\r\n]|=\?")
_GUARDED = re.compile(r"'(?=[=+\-@\t\r＝＋－＠])")
_INSIDE = re.compile(r"[<(]\s*([^<>()\s]+@[^<>()\s]+)\s*[>)]")
_OTHER_WEEKS = (
    "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "mo di mi do fr sa so",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "lun mar mer jeu ven sam dim",
    "lunes martes miércoles jueves viernes sábado domingo",
    "lun mar mié jue vie sáb dom",
)
_WEEKDAY_NAMES = {day: index for week in _OTHER_WEEKS for index, day in enumerate(week.split())} | WEEKDAYS


class CellError(ValueError):
    """A cell that cannot be used: its column, why, and what to write instead."""

    def __init__(self, column: str, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.column, self.code, self.message, self.fix = column, code, message, fix


class Directory:
    """The people known already. Those whom some rows may be about are looked up together, before the rows are read."""

    def __init__(self, people: Population) -> None:
        self.people = people
        self.is_empty = len(people) == 0
        self._by_id: Mapping[str, Person] = {}
        self._by_email: Mapping[str, Person] = {}

    def look_up(self, rows: Iterable[Sequence[str]], columns: Columns) -> None:
        if self.is_empty:
            return
        keys = [_key_cells(row, columns) for row in rows]
        found = list(self.people.named({key for key, _email in keys if key}, {email for _key, email in keys if email}))
        self._by_id = {person.id: person for person in found}
        self._by_email = {person.email.lower(): person for person in found}

    def find(self, person_id: str, email: str) -> Person | None:
        # Where a file has no id, the id is the address.
        return self._by_id.get(person_id) or (self._by_email.get(email) if person_id == email else None)


def _key_cells(row: Sequence[str], columns: Columns) -> tuple[str, str]:
    """Id and address, as far as they can be read."""
    key, email = (_first_filled(row, columns.places.get(name, ())) for name in ("id", "email"))
    try:
        email = clean_address(email)
    except AddressError:
        email = ""
    return key or email, email


def _first_filled(row: Sequence[str], places: Sequence[int]) -> str:
    texts = (unguarded(row[place]) for place in places if place < len(row))
    return next((text for text in texts if text and not no_value(text)), "")


@dataclass(frozen=True, slots=True)
class ReadPerson:
    """The person as they will be, as the directory has them, and what is wrong with the row: a fault for each cell.

    ``managers`` are the cells that name the manager, best first. ``status`` is a word for who works here that we do
    not know, ``renamed`` the name as it was written where it was put in order.
    """

    person: Person
    known: Person | None
    faults: list[CellError]
    employment: Employment = "active"
    managers: tuple[str, ...] = ()
    status: str = ""
    renamed: str = ""
    unknown_region: str = ""


@dataclass(frozen=True)
class RowRules:
    """How the rows of a file are read: its columns, and what the whole of them says about dates and names."""

    columns: Columns
    own: tuple[str, ...]
    directory: Directory
    orders: Mapping[str, Order]
    names: NameForm
    strict_region: bool
    today: dt.date | None
    emptied: Counter[str]

    @cached_property
    def fields(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Where each field stands, but for the manager."""
        return tuple(each for each in self.columns.places.items() if each[0] != "manager")

    @cached_property
    def readers(self) -> tuple[tuple[str, Callable[[str], object]], ...]:
        """How the columns are read that have a form of their own, but for the zone, which goes by the country."""
        dated = {name: partial(reader, order=self.orders.get(name, "")) for name, reader in _DATED.items()}
        every: Mapping[str, Callable[[str], object]] = {**_READERS, **dated}
        return tuple((name, reader) for name, reader in every.items() if name in self.columns.places)

    @cached_property
    def plain(self) -> tuple[str, ...]:
        return tuple(column for column in self.own if column in COLUMNS and column != "manager")


def person_of(row: Sequence[str], rules: RowRules) -> ReadPerson:
    """The person in a row: what it has no column for is as in the directory."""
    faults: list[CellError] = []
    cells = _cells(row, rules)
    extra = {name: _filled(row[place], rules.emptied) for name, place in rules.columns.attributes.items()}
    values = _ours(cells, rules)
    everything = "|".join([*cells.values(), *extra.values()])
    if len(everything) > MOST_CHARACTERS or _SUSPECT.search(everything):
        raw = {name: text for name, text in cells.items() if name in KNOWN}
        _seen(values | raw | extra, faults)
    typed = _typed(values, rules, faults)
    email = str(_read(partial(_address, "email"), values.get("email", ""), faults))
    known = rules.directory.find(values.get("id") or email, email)
    managers = _managers_named(row, rules, faults)
    if "name" in rules.own and not values["name"] and (known is None or known.name):
        fix = _("Write the name, or take the whole column out.")
        faults.append(CellError("name", "empty_name", _("The name is empty."), fix))
    lost = _placed(values, typed, known, rules, faults)
    employment, status = employment_of(cells) if rules.columns.says_employment else ("active", "")
    given = {column: values[column] for column in rules.plain}
    if "manager" in rules.own:
        given["manager"] = managers[0] if managers and "@" in managers[0] else ""
    if rules.columns.says_who_left:
        typed["left"] = _last_day(typed.get("left") or None, known, employment, rules)
    given |= {"email": email, "id": values.get("id") or email}
    filled = {name: value for name, value in extra.items() if value}
    person = Person(**{**given, **typed}, attributes=filled)  # type: ignore[arg-type]
    if known is not None:
        person = updated(known, person, {*rules.own, *rules.columns.attributes})
    renamed = (
        cells.get("name", "") if "first_name" not in cells and cells.get("name", person.name) != person.name else ""
    )
    first: dict[str, CellError] = {}
    for fault in faults:
        first.setdefault(fault.column, fault)  # what is wrong with a cell besides follows from it as a rule
    return ReadPerson(person, known, list(first.values()), employment, managers, status, renamed, lost)


def _cells(row: Sequence[str], rules: RowRules) -> dict[str, str]:
    """The first filled cell of each field; ``login`` is the address of a guest of another company."""
    found: dict[str, str] = {}
    for name, places in rules.fields:
        found[name] = ""
        for place in places:
            if row[place] and not found[name]:
                found[name] = _filled(row[place], rules.emptied, name)
        if len(places) > 1 and name == "email" and any("#EXT#" in row[place].upper() for place in places):
            found["login"] = "#EXT#"
    return found


def _filled(cell: str, emptied: Counter[str], name: str = "") -> str:
    text, says_nothing = _written(cell)
    if says_nothing and not (name == "last_name" and text == FAMILY_NAME):
        emptied[text] += 1
        return ""
    return text


@lru_cache(maxsize=4096)
def _written(cell: str) -> tuple[str, bool]:
    """What a cell holds, and whether that says that there is no value."""
    text = unguarded(cell)
    return text, bool(text) and no_value(text)


def _ours(cells: Mapping[str, str], rules: RowRules) -> dict[str, str]:
    """The cells by our columns, a name from its parts and a department from its path."""
    values = {name: text for name, text in cells.items() if name in KNOWN}
    if "name" in rules.own:
        values["name"] = _name(cells, rules.names)
    if values.get("department", "").startswith("/"):
        values["department"] = values["department"].strip("/")
    return values


def _name(cells: Mapping[str, str], form: NameForm) -> str:
    first, last = cells.get("first_name", ""), cells.get("last_name", "")
    preferred = cells.get("preferred_name", "")
    whole = cells.get("name", "")
    if (first and last) or not whole:
        return joined(first, last, cells.get("second_last_name", ""), preferred, form)
    return person_name(whole, form)


def _managers_named(row: Sequence[str], rules: RowRules, faults: list[CellError]) -> tuple[str, ...]:
    places = rules.columns.places.get("manager", ())
    found = [text for place in places if (text := _filled(row[place], rules.emptied))]
    for text in found:
        if len(text) > MOST_CHARACTERS or _SUSPECT.search(text):
            _seen({"manager": text}, faults)
    parts = rules.columns.manager_parts
    if name := " ".join(unguarded(row[place]) for place in parts).strip():
        found.append(name)
    return tuple(_addressed(text, faults) for text in found)


def _addressed(text: str, faults: list[CellError]) -> str:
    """A manager's address as we write it, also out of ``Mia Wolf <mia@example.com>``; other words as they are."""
    if "@" not in text:
        return text
    inside = _INSIDE.search(text) if "<" in text or "(" in text else None
    return str(_read(partial(_address, "manager"), inside[1] if inside else text, faults))


def _read(reader: Callable[[str], object], text: str, faults: list[CellError]) -> object:
    try:
        return reader(text)
    except CellError as fault:
        faults.append(fault)
        return ""


def _typed(values: Mapping[str, str], rules: RowRules, faults: list[CellError]) -> dict[str, object]:
    return {name: _read(reader, values[name], faults) for name, reader in rules.readers if values.get(name)}


def _placed(
    values: dict[str, str], typed: dict[str, object], known: Person | None, rules: RowRules, faults: list[CellError]
) -> str:
    """Reads region and zone, which go by the country; a word for a region that is none comes back."""
    wrong = any(fault.column == "country" for fault in faults)
    country = str(typed.get("country", values.get("country", known.country if known else "")))
    lost = ""
    if values.get("region") and country and not wrong:
        code = region_of(country, values["region"])
        lost = values["region"] if not code and not rules.strict_region else ""
        values["region"] = "" if lost else code or values["region"]
    if values.get("region") and not country and not rules.strict_region:
        lost, values["region"] = values["region"], ""
    if not wrong and (known or values.get("region")):
        faults += _region_faults({**values, **typed}, known)
    if values.get("time_zone"):
        typed["time_zone"] = _read(partial(_zone, country=country), values["time_zone"], faults)
    return lost


def _last_day(given: object, known: Person | None, employment: Employment, rules: RowRules) -> dt.date | None:
    """The last day: as given, else as known, else today for somebody who is switched off."""
    before = known.left if known else None
    if isinstance(given, dt.date):
        return given
    if employment == "left":
        return before or rules.today
    # 'active' does not take back a last day that is still to come
    still = (
        before is not None and rules.today is not None and before > rules.today and "left" not in rules.columns.places
    )
    return before if still else None


def unguarded(text: str) -> str:
    """Without the spaces around it and the apostrophe that guards a formula."""
    text = text.strip(" \t\r\n\xa0")
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text


def _seen(values: Mapping[str, str], faults: list[CellError]) -> None:
    for column, value in values.items():
        if column == "email":
            continue
        if UNSEEN_IN_LINES.search(value) or (column in KNOWN and ("\n" in value or "\r" in value)):
            cause = _("The {column} contains a line break or an invisible character.", column=column)
            faults.append(CellError(column, "control_character", cause, _("Type it again.")))
        if "=?" in value and column in KNOWN:
            cause = _("The {column} contains '=?', which mail programs decode.", column=column)
            faults.append(CellError(column, "encoded_word", cause, _("Write it in plain letters.")))
        if len(value) > MOST_CHARACTERS and column in KNOWN:
            own, most = len(value), MOST_CHARACTERS
            cause = _("The {column} has {own:,} characters; at most {most} fit.", column=column, own=own, most=most)
            faults.append(CellError(column, "too_long", cause, _("Shorten it.")))


def _address(column: str, text: str) -> str:
    try:
        return clean_address(text)
    except AddressError as error:
        cause = str(error) if column == "email" else _("the {column}: {error}", column=column, error=error)
        raise CellError(column, "bad_address", cause[0].upper() + cause[1:] + ".", error.fix) from None


@lru_cache(maxsize=4096)
def _zone(text: str, *, country: str = "") -> str:
    if zone := zone_of(text, country):
        return zone
    cause = _("'{written}' is not a time zone.", written=text)
    raise CellError("time_zone", "unknown_time_zone", cause, zone_fix(text) or "")


@lru_cache(maxsize=4096)
def _country(text: str) -> str:
    if code := country_of(text):
        return code
    cause = _("'{written}' is not a country.", written=text)
    raise CellError("country", "unknown_country", cause, country_fix(text) or "")


def _region_faults(values: Mapping[str, object], known: Person | None) -> list[CellError]:
    # A file that has only one of the two columns is held against what the directory has in the other.
    region = str(values.get("region", known.region if known else ""))
    country = str(values.get("country", known.country if known else ""))
    if not region or not values.keys() & {"region", "country"}:
        return []
    if "region" not in values and (not country or region_fix(country, region)):
        cause = _("The directory has the region '{region}' without a country.", region=region)
        if country:
            elsewhere = N_("The region '{region}' that the directory has is not a region of {country}.")
            cause = _(elsewhere, region=region, country=country)
        return [CellError("country", "unknown_region", cause, _("Add a column 'region'; its cell may be empty."))]
    if not country:
        cause = _("The region '{region}' has no country.", region=region)
        return [CellError("region", "region_without_country", cause, _("Write the country beside it."))]
    if not (fix := region_fix(country, region)):
        return []
    cause = _("'{region}' is not a region of {country}.", region=region, country=country)
    return [CellError("region", "unknown_region", cause, fix)]


@lru_cache(maxsize=4096)
def _days(text: str) -> frozenset[int]:
    try:
        return weekdays_in(text, _WEEKDAY_NAMES)
    except ValueError as error:
        cause, _mark, fix = str(error).partition("; ")
        raise CellError("days", "bad_days", f"{cause}.", f"{fix[0].upper()}{fix[1:]}.") from None


@lru_cache(maxsize=4096)
def _leave(text: str, order: Order) -> tuple[tuple[dt.date, dt.date], ...]:
    return tuple(_stretch(part.strip(), order) for part in text.split(";") if part.strip())


def _stretch(text: str, order: Order) -> tuple[dt.date, dt.date]:
    first, _dots, last = text.partition("..")
    begins, ends = _date("leave", first, order), _date("leave", last or first, order)
    if ends < begins:
        fix = _("Write the first day, two dots, the last day.")
        raise CellError("leave", "ends_before_start", _("The leave '{words}' ends before it begins.", words=text), fix)
    return begins, ends


def _last(text: str, order: Order) -> dt.date:
    return _date("left", text, order)


@lru_cache(maxsize=4096)
def _date(column: str, text: str, order: Order) -> dt.date:
    try:
        return written_date(text.strip(), order)
    except DateError as error:
        raise CellError(column, "bad_date", error.cause, error.fix) from None


@lru_cache(maxsize=4096)
def _language(text: str) -> str:
    if code := language_of(text):
        return code
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", text):
        fix = _("Write its code, such as 'en' or 'pt-BR'.")
        raise CellError("language", "bad_language", _("'{written}' is not a language.", written=text), fix)
    language, *rest = text.replace("_", "-").split("-")
    return "-".join([language.lower(), *rest])


def _channel(text: str) -> str:
    if text.lower() not in CHANNELS:
        fix = near_or(text, CHANNELS, _("Write {channels}, or leave the cell empty.", channels=listed(CHANNELS)), 1)
        raise CellError("channel", "unknown_channel", _("'{written}' is not a channel.", written=text), fix)
    return text.lower()


def _slack_id(text: str) -> str:
    if re.fullmatch(r"[UW][A-Z0-9]{1,30}", text):
        return text
    fix = _("Copy the member ID from the Slack profile, or leave the cell empty: people are found by their address.")
    raise CellError("slack_id", "bad_slack_id", _("'{written}' is not a Slack member ID.", written=text), fix)


_READERS: Mapping[str, Callable[[str], object]] = {
    "country": _country,
    "days": _days,
    "language": _language,
    "channel": _channel,
    "slack_id": _slack_id,
}
_DATED: Mapping[str, Callable[..., object]] = {"left": _last, "leave": _leave}
