"""A rehearsal as if by a certain provider: which one carries the messages, and what must be set for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from commsengine.cadence.kinds_and_states import ChannelName
from commsengine.channels.providers import ProviderProfile
from commsengine.errors import InputError
from commsengine.sandbox.rehearsal_people import STOOD_IN_FOR
from commsengine.translation import N_, _

SLACK_COLD = "slack-cold"
"""Slack with its published limits, for an app that has not read the address book yet."""

TO_SET: Mapping[str, tuple[str, ...]] = {
    "microsoft365": (
        N_(
            "Log in by OAuth (?auth=xoauth2 in COMMSENGINE_SMTP_URL): from the end of December 2026 a mailbox takes "
            "passwords only where an administrator has allowed them again."
        ),
        N_("COMMSENGINE_MAIL_FROM is the mailbox that logs in, or one that it has Send As for."),
    ),
    "hve": (
        N_("Log in as the High Volume Email account, best by OAuth; COMMSENGINE_MAIL_FROM is its address."),
        N_("The server is smtp.hve.mx.microsoft, port 587."),
    ),
    "gmail": (
        N_("Log in by OAuth (?auth=xoauth2 in COMMSENGINE_SMTP_URL) or with an app password."),
        N_("COMMSENGINE_MAIL_FROM is the mailbox that logs in, or one of its aliases."),
    ),
    "google-relay": (
        N_("An administrator allows this machine's address, or log-in, for the SMTP relay service of Gmail."),
    ),
    "ses": (
        N_(
            "Verify the domain of COMMSENGINE_MAIL_FROM, and ask for production access: without it 200 a "
            "day can be sent."
        ),
        N_("Your own quota is in the SES console: set COMMSENGINE_SMTP_RATE and COMMSENGINE_SMTP_DAILY to it."),
    ),
    "postfix": (N_("Ask who runs it whether it limits this machine, and set COMMSENGINE_SMTP_RATE below that limit."),),
    SLACK_COLD: (
        N_("The app has its Messages tab, and the scopes users:read and users:read.email, as in the shipped manifest."),
    ),
}
"""What must be set before the start, by name of the profile."""


@dataclass(frozen=True, slots=True)
class AsIf:
    """A mail provider, a Slack that is new to the app, or both; none is the plain sandbox with both channels."""

    mail: ProviderProfile | None = None
    slack_cold: bool = False

    def __bool__(self) -> bool:
        return self.mail is not None or self.slack_cold

    @property
    def channels(self) -> frozenset[ChannelName]:
        by_mail, others = self.mail is not None, self.slack_cold
        return frozenset(name for name in STOOD_IN_FOR if not self or (by_mail if name == "email" else others))

    @property
    def to_set(self) -> list[str]:
        names = [*([self.mail.name] if self.mail else []), *([SLACK_COLD] if self.slack_cold else [])]
        return [_(text) for name in names for text in TO_SET.get(name, ())]


PLAIN = AsIf()


def as_if(names: Iterable[str], profiles: Sequence[ProviderProfile]) -> AsIf:
    """Raises ``InputError`` for a name that no profile has, and for two mail servers."""
    known = {profile.name: profile for profile in reversed(profiles)}  # the workspace's own come first in ``profiles``
    wanted = dict.fromkeys(names)
    for name in wanted:
        if name not in known and name != SLACK_COLD:
            fix = _("Write one of: {names}.", names=", ".join([*dict.fromkeys(p.name for p in profiles), SLACK_COLD]))
            raise InputError(_("--as-if: no provider is named '{name}'.", name=name), fix)
    mail = [known[name] for name in wanted if name != SLACK_COLD]
    if len(mail) > 1:
        two = " and ".join(profile.name for profile in mail)
        raise InputError(
            _("--as-if: mail is sent by one server, not by {servers}.", servers=two), _("Name one of them.")
        )
    return AsIf(mail[0] if mail else None, SLACK_COLD in wanted)
