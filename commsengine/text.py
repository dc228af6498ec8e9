"""Names and characters as people meet them: near names, unseen characters, places in a text, the key of a message."""

from __future__ import annotations

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

from commsengine.translation import N_, _

LIKE_A_NAME = 0.6
# Addresses of one house share their domain, so that more of them must agree.
LIKE_AN_ADDRESS = 0.7

MOST_LISTED = 20
_JOINED: Mapping[Literal["or", "and"], str] = {"or": N_("{names} or {last}"), "and": N_("{names} and {last}")}

# Parts of a pattern, to stand inside its brackets. Tab and line ends are in none but BREAKS.
CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
BREAKS = "\t\n\r"
TURNS = "\u202a-\u202e\u2066-\u2069"
# Joiners (Persian, Hindi, emoji), the word break of Khmer and the plain marks U+200E, U+200F are left to those who
# need them: none of them turns the direction of letters.
UNSEEN = f"{CONTROLS}{TURNS}\ufeff\ufffe\uffff"
# Where no script has a use for them, as in an address.
JOINERS = "\u200b-\u200f"

UNSEEN_IN_LINES = re.compile(f"[{UNSEEN}]")
UNSEEN_IN_A_LINE = re.compile(f"[{UNSEEN}{BREAKS}]")
_TURNS = re.compile(f"[{TURNS}]")

ANY_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")

# Before and after the @ of an address that mail can be sent to, in ASCII.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def near_names(written: str, known: Iterable[str], most: int = 3, likeness: float = LIKE_A_NAME) -> list[str]:
    """The known names most like the written one, best first, whatever their capitals."""
    by_small = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(written.casefold(), list(by_small), n=most, cutoff=likeness)
    return [by_small[small] for small in found]


def like(text: str) -> str:
    """What two spellings of a name have in common: no capitals, no accents, single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())


def near_or(written: str, known: Iterable[str], instead: str, most: int = 3) -> str:
    """The remedy for a wrong name: the near ones, else ``instead``."""
    near = near_names(written, known, most)
    return _("Did you mean {names}?", names=listed(near)) if near else instead


def listed(names: Iterable[str], word: Literal["or", "and"] = "or") -> str:
    """``'a', 'b' or 'c'``"""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return _(_JOINED[word], names=", ".join(quoted[:-1]), last=quoted[-1])


def either(names: Iterable[str]) -> str:
    """``a or b or c``"""
    return _(" or ").join(names)


def meant(written: str, known: Iterable[str], what: str) -> str:
    """The remedy for an unknown name: the near names, else the known ones, else how to make one.

    ``what`` it names is a text of the catalog, as in ``no_such``.
    """
    names, noun = list(known), _(what)
    if near := near_names(written, names):
        return _("Did you mean {names}?", names=listed(near))
    if not names:
        return _("There is no {noun} yet; add it, or take the name out.", noun=noun)
    # A list that is cut leaves out at least five names.
    more = len(names) - MOST_LISTED
    if more < 5:
        return _("Write a known {noun}: {names}.", noun=noun, names=listed(names))
    some = listed(names[:MOST_LISTED])
    return _("Write a known {noun}: {names} (and {more} more).", noun=noun, names=some, more=more)


def no_such(what: str, given: str, known: Iterable[str]) -> str:
    """One sentence that a name is unknown, with the near names, else the first few there are."""
    names, noun = sorted(known), _(what)
    if near := near_names(given, names):
        return _("There is no {noun} '{given}'. Did you mean {names}?", noun=noun, given=given, names=either(near))
    if not names:
        return _("There is no {noun} '{given}'; there is none yet.", noun=noun, given=given)
    some = ", ".join([*names[:8], *(["…"] if len(names) > 8 else [])])
    return _("There is no {noun} '{given}'. There is: {names}.", noun=noun, given=given, names=some)


def mail_address(written: str) -> str:
    """The address with its domain in ASCII (IDNA); empty where no mail can be sent to it (RFC 5321, 4.5.3.1).

    Raises ``UnicodeError`` for a domain that cannot be.
    """
    local, _at, domain = written.rpartition("@")
    domain = _domain(domain)
    fits = len(local) <= 64 and len(local) + len(domain) < 254
    return f"{local}@{domain}" if domain and fits and _LOCAL_PART.fullmatch(local) else ""


@lru_cache(maxsize=64)
def _domain(written: str) -> str:
    domain = written if written.isascii() else written.encode("idna").decode()
    return domain if _DOMAIN.fullmatch(domain) else ""


def without_addresses(text: str) -> str:
    """What a log may show of a server's words."""
    return ANY_ADDRESS.sub("(address)", text)


def name_in(address: str) -> str:
    """``Dana Reyes`` of dana.reyes@example.com; empty where the address does not look like a name."""
    parts = re.split(r"[._]", address.partition("@")[0])
    named = 2 <= len(parts) <= 3 and all(part.isalpha() and len(part) > 1 for part in parts)
    return " ".join(part.capitalize() for part in parts) if named else ""


def unseen_in(text: str) -> str:
    """The first unseen character of a text of several lines, in words; empty where there is none."""
    found = UNSEEN_IN_LINES.search(text)
    if not found:
        return ""
    if found[0] == "\x00":
        return _("a NUL")
    turns = _TURNS.match(found[0])
    name = N_("the direction mark U+{code:04X}") if turns else N_("the control character U+{code:04X}")
    return _(name, code=ord(found[0]))


def shown_unseen(text: str) -> str:
    """Each unseen character of a text of several lines becomes U+FFFD."""
    return UNSEEN_IN_LINES.sub("\ufffd", text)


def place_of(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset into a text."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def cut_short(text: str) -> str:
    """What a sentence can quote of it: 58 characters at most of a long one."""
    return text if len(text) <= 60 else text[:57] + "…"


def one_line(text: str) -> str:
    """The text with all that a terminal would obey or not show written out: a quoted value must not act."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)


def digest(*parts: str) -> bytes:
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def message_key(*parts: str) -> str:
    """The name of a message, the same for every attempt: 24 hexadecimal digits."""
    return digest(*parts)[:12].hex()
