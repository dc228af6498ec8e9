"""The parts that URLs of mail servers share: port and log-in, each refused with the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from commsengine.errors import InputError
from commsengine.translation import N_, _


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """A URL of this protocol (``SMTP``, ``IMAP``). ``form`` is the remedy where nothing else is said."""

    protocol: str
    url: str
    form: str

    def split(self) -> tuple[SplitResult, int | None]:
        """The parts, and the port among them. Raises ``InputError``."""
        try:
            parts = urlsplit(self.url)
            return parts, parts.port
        except ValueError:
            fix = _("A port is a number from 1 to 65535; write /, ?, # and @ in a password as %2F, %3F, %23, %40.")
            raise self.wrong(_("has no usable port"), fix) from None

    def log_in(self, parts: SplitResult) -> tuple[str, str]:
        """User and password, each empty if it is not there. Raises ``InputError``."""
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if not (user + password).isascii() or not (user + password).isprintable():
            letter = N_("holds a letter that {protocol} log-in cannot send in its user name or password")
            cause = _(letter, protocol=self.protocol)
            raise self.wrong(cause, _("Use letters, digits and signs of plain ASCII only."))
        return user, password

    def wrong(self, what: str, fix: str = "") -> InputError:
        return InputError(_("The {protocol} URL {what}.", protocol=self.protocol, what=what), fix or self.form)
