"""E-mail addresses as people type them: made one form, or refused with what to write instead."""

from __future__ import annotations

import re
from functools import lru_cache

from commsengine.text import BREAKS, JOINERS, UNSEEN, cut_short, mail_address

_PUBLIC = re.compile(r".+@(?:.+\.[a-z](?:[a-z0-9-]*[a-z0-9])?|localhost)")
_UNSEEN = re.compile(f"[{UNSEEN}{BREAKS}{JOINERS}]")
EXAMPLE = "Write it like ana@example.com."


class AddressError(ValueError):
    """An address that cannot be used. ``fix`` says what to write instead."""

    def __init__(self, message: str, fix: str = EXAMPLE) -> None:
        super().__init__(message)
        self.fix = fix


@lru_cache(maxsize=4096)
def clean_address(written: str) -> str:
    """The address in small letters, its domain in ASCII (IDNA). Raises ``AddressError``."""
    text = written.strip().lower()
    if not text:
        raise AddressError("the e-mail address is empty")
    if _UNSEEN.search(text):
        raise AddressError("the e-mail address holds a line break or another unseen character", "Type it anew.")
    if "=?" in text:
        raise AddressError("the e-mail address holds '=?', which mail programs decode", "Type it anew.")
    return _cleaned(text)


def _cleaned(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or "@" in local:
        raise AddressError(f"'{cut_short(text)}' is not an e-mail address")
    if "<" in text or " " in text:
        raise AddressError(
            f"'{cut_short(text)}' is more than an e-mail address", "Write the address alone, without a name."
        )
    if not local.isascii():
        fix = "Use the person's address in plain letters; few mail servers accept others before the @."
        raise AddressError(f"'{cut_short(text)}' has letters beyond a-z before the @", fix)
    try:
        address = mail_address(text)
    except UnicodeError:
        raise AddressError(f"'{cut_short(text)}' has a domain that does not exist") from None
    if not _PUBLIC.fullmatch(address):
        raise AddressError(f"'{cut_short(text)}' is not an e-mail address")
    return address
