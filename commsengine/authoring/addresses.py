"""E-mail addresses as people type them: made one form, or refused with what to write instead."""

from __future__ import annotations

import re
from functools import lru_cache

from commsengine.text import BREAKS, JOINERS, UNSEEN, cut_short, mail_address
from commsengine.translation import _

_PUBLIC = re.compile(r".+@(?:.+\.[a-z](?:[a-z0-9-]*[a-z0-9])?|localhost)")
_UNSEEN = re.compile(f"[{UNSEEN}{BREAKS}{JOINERS}]")


class AddressError(ValueError):
    """An address that cannot be used. ``fix`` says what to write instead."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix or _("Write it like ana@example.com.")


@lru_cache(maxsize=4096)
def clean_address(written: str) -> str:
    """The address in small letters, its domain in ASCII (IDNA). Raises ``AddressError``."""
    text = written.strip().lower()
    if not text:
        raise AddressError(_("the e-mail address is empty"))
    if _UNSEEN.search(text):
        raise AddressError(_("the e-mail address contains a line break or an invisible character"), _("Type it again."))
    if "=?" in text:
        raise AddressError(_("the e-mail address contains '=?', which mail programs decode"), _("Type it again."))
    return _cleaned(text)


def _cleaned(text: str) -> str:
    local, at, domain = text.rpartition("@")
    written = cut_short(text)
    if not at or not local or not domain or "@" in local:
        raise AddressError(_("'{written}' is not an e-mail address", written=written))
    if "<" in text or " " in text:
        cause = _("'{written}' is more than an e-mail address", written=written)
        raise AddressError(cause, _("Write the address alone, without a name."))
    if not local.isascii():
        cause = _("'{written}' has letters beyond a-z before the @", written=written)
        fix = _("Use the person's address in plain letters; few mail servers accept others before the @.")
        raise AddressError(cause, fix)
    try:
        address = mail_address(text)
    except UnicodeError:
        raise AddressError(_("'{written}' has a domain that does not exist", written=written)) from None
    if not _PUBLIC.fullmatch(address):
        raise AddressError(_("'{written}' is not an e-mail address", written=written))
    return address
