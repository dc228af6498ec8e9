"""The parts that URLs of mail servers share: port, options and log-in, each refused with the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from commsengine.errors import InputError
from commsengine.translation import N_, _

BY_TOKEN = "xoauth2"  # noqa: S105 - a way to log in
"""What ``auth`` says where an access token comes in place of a password."""


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

    def options(self, parts: SplitResult, known: dict[str, str]) -> dict[str, str]:
        """What stands after the ``?``. ``known`` has the remedy for each option. Raises ``InputError``."""
        given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if given.keys() - known.keys():
            fix = _("What may follow the ?: {options}.", options=", ".join(known.values()))
            raise self.wrong(_("has an option that is not known"), fix)
        if given.get("auth", BY_TOKEN) != BY_TOKEN:
            raise self.wrong(_("asks for a log-in that is not known"), _("Write auth=xoauth2, or leave auth out."))
        return given

    def user_of_token(self, parts: SplitResult) -> str:
        """The mailbox that a token opens. Raises ``InputError``."""
        user, password = self.log_in(parts)
        if password:
            fix = _("Leave the password out: who logs in by token has none.")
            raise self.wrong(_("says auth=xoauth2 and has a password"), fix)
        if not user:
            fix = _("Write the mailbox before the host: change%40example.com@…")
            raise self.wrong(_("says auth=xoauth2 and has no user"), fix)
        return user

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
