"""E-mail addresses as people type them: made one form, or refused with what to write instead."""

from __future__ import annotations

import re
from functools import lru_cache

from commsengine.text import BREAKS, JOINERS, UNSEEN, cut_short, mail_address
from commsengine.translation import N_, _

_PUBLIC = re.compile(r".+@(?:.+\.[a-z](?:[a-z0-9-]*[a-z0-9])?|localhost)")
_UNSEEN = re.compile(f"[{UNSEEN}{BREAKS}{JOINERS}]")
EXAMPLE = N_("Write it like ana@example.com.")


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
        raise AddressError(_("the e-mail address is empty"))
    if _UNSEEN.search(text):
        raise AddressError(_("the e-mail address holds a line break or another unseen character"), _("Type it anew."))
    if "=?" in text:
        raise AddressError(_("the e-mail address holds '=?', which mail programs decode"), _("Type it anew."))
    return _cleaned(text)


def _cleaned(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or "@" in local:
        raise AddressError(_("'{cut_short}' is not an e-mail address", cut_short=cut_short(text)))
    if "<" in text or " " in text:
        raise AddressError(
            _("'{cut_short}' is more than an e-mail address", cut_short=cut_short(text)),
            _("Write the address alone, without a name."),
        )
    if not local.isascii():
        fix = _("Use the person's address in plain letters; few mail servers accept others before the @.")
        raise AddressError(_("'{cut_short}' has letters beyond a-z before the @", cut_short=cut_short(text)), fix)
    try:
        address = mail_address(text)
    except UnicodeError:
        raise AddressError(_("'{cut_short}' has a domain that does not exist", cut_short=cut_short(text))) from None
    if not _PUBLIC.fullmatch(address):
        raise AddressError(_("'{cut_short}' is not an e-mail address", cut_short=cut_short(text)))
    return address
