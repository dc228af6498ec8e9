"""One row of people.csv to one person: each cell in the form of its column, or refused with what to write instead."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from commsengine.authoring.addresses import AddressError, clean_address
from commsengine.authoring.people.zones_and_countries import country_fix, region_fix, zone_fix
from commsengine.cadence.kinds_and_states import CHANNELS
from commsengine.cadence.people import COLUMNS, KNOWN, Person, updated
from commsengine.cadence.time_notation import parse_date
from commsengine.text import UNSEEN_IN_LINES, listed, near_or
from commsengine.translation import N_, _

MOST_CHARACTERS = 500

_SUSPECT = re.compile(UNSEEN_IN_LINES.pattern + r"|[\r\n]|=\?")
_GUARDED = re.compile(r"'(?=[=+\-@\t\r＝＋－＠])")
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_NAMES = {written: index for index, name in enumerate(_WEEK) for written in (name, name[:3])}


class CellError(ValueError):
    """A cell that cannot be used: its column, why, and what to write instead."""

    def __init__(self, column: str, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.column, self.code, self.message, self.fix = column, code, message, fix


class Directory:
    """The people known already, by id and by address."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = people
        self.by_id = {person.id: person for person in people}
        self.by_email = {person.email.lower(): person for person in people}

    def find(self, person_id: str, email: str) -> Person | None:
        # Where a file has no id, the id is the address.
        return self.by_id.get(person_id) or (self.by_email.get(email) if person_id == email else None)


@dataclass(frozen=True, slots=True)
class ReadPerson:
    """The person as they will be, as the directory has them, and what is wrong with the row: a fault for each cell."""

    person: Person
    known: Person | None
    faults: list[CellError]


def person_of(
    row: Sequence[str], own: Mapping[str, int], attributes: Mapping[str, int], directory: Directory
) -> ReadPerson:
    """The person in a row: what it has no column for is as in the directory.

    ``own`` says in which cell each of our columns stands, ``attributes`` likewise for the company's own.
    """
    faults: list[CellError] = []
    values = {column: unguarded(row[index]) for column, index in own.items()}
    extra = {name: unguarded(row[index]) for name, index in attributes.items()}
    everything = "|".join([*values.values(), *extra.values()])
    if len(everything) > MOST_CHARACTERS or _SUSPECT.search(everything):
        _seen(values | extra, faults)

    def read(column: str, reader: Callable[[str], object]) -> object:
        try:
            return reader(values[column])
        except CellError as fault:
            faults.append(fault)
            return ""

    typed = {column: read(column, reader) for column, reader in _READERS.items() if values.get(column)}
    email = str(read("email", partial(_address, "email")))
    known = directory.find(values.get("id") or email, email)
    if "name" in own and not values["name"] and (known is None or known.name):
        fix = _("Write the name, or take the whole column out.")
        faults.append(CellError("name", "empty_name", _("The name is empty."), fix))
    if not any(fault.column == "country" for fault in faults):
        faults += _region_faults({**values, **typed}, known)
    plain = {column: values[column] for column in own if column in COLUMNS}
    filled = {name: value for name, value in extra.items() if value}
    person = Person(**{**plain, **typed, "email": email, "id": values.get("id") or email, "attributes": filled})  # type: ignore[arg-type]
    if known is not None:
        person = updated(known, person, {**own, **attributes})
    first: dict[str, CellError] = {}
    for fault in faults:
        first.setdefault(fault.column, fault)  # what is wrong with a cell besides follows from it as a rule
    return ReadPerson(person, known, list(first.values()))


def unguarded(text: str) -> str:
    """Without the spaces around it and the apostrophe that guards a formula."""
    text = text.strip(" \t\r\n\xa0")
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text


def _seen(values: Mapping[str, str], faults: list[CellError]) -> None:
    for column, value in values.items():
        if column == "email":
            continue
        if UNSEEN_IN_LINES.search(value) or (column in KNOWN and ("\n" in value or "\r" in value)):
            cause = _("The {column} holds a line break or another unseen character.", column=column)
            faults.append(CellError(column, "control_character", cause, _("Type it anew.")))
        if "=?" in value and column in KNOWN:
            cause = _("The {column} holds '=?', which mail programs decode.", column=column)
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


def _zone(text: str) -> str:
    if fix := zone_fix(text):
        raise CellError("time_zone", "unknown_time_zone", _("'{written}' is not a time zone.", written=text), fix)
    return text


def _country(text: str) -> str:
    code = text.upper() if len(text) == 2 else text
    if fix := country_fix(code):
        raise CellError("country", "unknown_country", _("'{written}' is not a country code.", written=text), fix)
    return code


def _region_faults(values: Mapping[str, object], known: Person | None) -> list[CellError]:
    # A file that has only one of the two columns is held against what the directory has in the other.
    region = str(values.get("region", known.region if known else ""))
    country = str(values.get("country", known.country if known else ""))
    if not region or not values.keys() & {"region", "country"}:
        return []
    if "region" not in values and (not country or region_fix(country, region)):
        cause = _("The region '{region}' that the directory has stands without a country.", region=region)
        if country:
            elsewhere = N_("The region '{region}' that the directory has is not a region of {country}.")
            cause = _(elsewhere, region=region, country=country)
        return [CellError("country", "unknown_region", cause, _("Add a column 'region'; its cell may be empty."))]
    if not country:
        cause = _("The region '{region}' stands without a country.", region=region)
        return [CellError("region", "region_without_country", cause, _("Write the country beside it."))]
    fix = region_fix(country, region) or ""
    cause = _("'{region}' is not a region of {country}.", region=region, country=country)
    return [CellError("region", "unknown_region", cause, fix)] if fix else []


@lru_cache(maxsize=4096)
def _days(text: str) -> frozenset[int]:
    days = set[int]()
    for part in re.split(r"[,;/\s]+", text.lower().strip()):
        first, dash, last = part.partition("-")
        if first not in _WEEKDAY_NAMES or (dash and last not in _WEEKDAY_NAMES):
            fix = _("Write the days worked, such as 'mon tue wed' or 'mon-thu'.")
            raise CellError("days", "bad_days", _("'{part}' is not a weekday.", part=part or text), fix)
        start, end = _WEEKDAY_NAMES[first], _WEEKDAY_NAMES[last or first]
        days |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return frozenset(days)


@lru_cache(maxsize=4096)
def _leave(text: str) -> tuple[tuple[dt.date, dt.date], ...]:
    return tuple(_stretch(part.strip()) for part in text.split(";") if part.strip())


def _stretch(text: str) -> tuple[dt.date, dt.date]:
    first, _dots, last = text.partition("..")
    begins, ends = _date("leave", first), _date("leave", last or first)
    if ends < begins:
        fix = _("Write the first day, two dots, the last day.")
        raise CellError("leave", "ends_before_start", _("The leave '{words}' ends before it begins.", words=text), fix)
    return begins, ends


@lru_cache(maxsize=4096)
def _date(column: str, text: str) -> dt.date:
    try:
        return parse_date(text.strip())
    except ValueError as error:
        cause, _, fix = str(error).partition("; ")
        raise CellError(column, "bad_date", f"{cause}.", f"{fix[0].upper()}{fix[1:]}.") from None


def _language(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", text):
        fix = _("Write its code, such as 'en' or 'pt-BR'.")
        raise CellError("language", "bad_language", _("'{written}' is not a language.", written=text), fix)
    return text.replace("_", "-")


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
    "manager": partial(_address, "manager"),
    "time_zone": _zone,
    "country": _country,
    "days": _days,
    "leave": _leave,
    "left": partial(_date, "left"),
    "language": _language,
    "channel": _channel,
    "slack_id": _slack_id,
}
