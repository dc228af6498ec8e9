"""What helps when a mail server, or who gives the access tokens, does not let us in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from commsengine.cli.doctor.finding import Finding, ok, problem
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.channels.access_tokens import AccessToken, AccessTokens, TokenError
    from commsengine.wiring import Wiring

Protocol = Literal["SMTP", "IMAP"]
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
"""The id by which Microsoft's tokens name Exchange Online."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """Names in Entra: for an application, and for a user who has agreed."""

    application: str
    delegated: str


PERMISSIONS: Mapping[Protocol, Permissions] = {
    "SMTP": Permissions("SMTP.SendAsApp", "SMTP.Send"),
    "IMAP": Permissions("IMAP.AccessAsApp", "IMAP.AccessAsUser.All"),
}

TOKEN_REMEDIES = {
    "library": N_("Install it into the environment of commsengine."),
    "command": N_("Run the command by hand, as the account of the engine and in the workspace."),
    "output": N_("It must print the token alone, or JSON with access_token and expires_in."),
    "file": N_("Check COMMSENGINE_MICROSOFT_CERTIFICATE or COMMSENGINE_GOOGLE_CREDENTIALS."),
    "unreachable": N_("Check whether this machine reaches it: a firewall, or a proxy (HTTPS_PROXY)."),
    "AADSTS7000215": N_(
        "The secret is wrong. In Entra, App registrations > Certificates & secrets: "
        "COMMSENGINE_MICROSOFT_CLIENT_SECRET is the Value, not the Secret ID; a Value that was not "
        "copied cannot be seen again, so make a new one."
    ),
    "AADSTS7000222": N_(
        "The secret has expired. Make a new one in Entra, App registrations > Certificates & secrets, and put its "
        "Value into COMMSENGINE_MICROSOFT_CLIENT_SECRET."
    ),
    "AADSTS700016": N_(
        "This tenant does not know the application. COMMSENGINE_MICROSOFT_CLIENT_ID is the Application (client) ID, "
        "and COMMSENGINE_MICROSOFT_TENANT the Directory (tenant) ID of the same overview."
    ),
    "AADSTS700027": N_(
        "The application does not know this certificate. Upload its public part in Entra, App registrations > "
        "Certificates & secrets > Certificates."
    ),
    "AADSTS7000112": N_("The application is disabled. Enable it in Entra, Enterprise applications > Properties."),
    "AADSTS90002": N_(
        "There is no such tenant. COMMSENGINE_MICROSOFT_TENANT is the Directory (tenant) ID, or a domain of the tenant."
    ),
    "AADSTS900023": N_(
        "This is not a tenant. COMMSENGINE_MICROSOFT_TENANT is the Directory (tenant) ID, or a domain of the tenant."
    ),
    "AADSTS65001": N_(
        "The permissions have no consent yet. In Entra, App registrations > API permissions: Grant admin consent."
    ),
    "AADSTS500011": N_(
        "The tenant has no Office 365 Exchange Online under that name. In Entra, App registrations > API permissions > "
        "APIs my organization uses > Office 365 Exchange Online: add the permission, and grant admin consent."
    ),
    "AADSTS53003": N_("A Conditional Access policy blocks the application. Ask who keeps the policies."),
    "invalid_grant": N_(
        "COMMSENGINE_GOOGLE_SUBJECT must be a user of the domain, the key must still exist, and the clock "
        "of this machine must be right; a refresh token that was revoked, or not used for six months, must "
        "be made again."
    ),
    "invalid_client": N_("The client id or its secret is wrong. Download the JSON file again."),
}
"""By the code of a ``TokenError``."""


class RefusedLogin(NamedTuple):
    """``words`` is a regular expression; ``by_token`` is ``None`` for both ways."""

    words: str
    by_token: bool | None
    remedy: str


REFUSED_LOGINS = (
    RefusedLogin(
        r"5\.7\.144\b|5\.7\.240\b",  # High Volume Email knows its applications by name
        True,
        N_(
            "High Volume Email asks for the application permission Mail.Send of Office 365 Exchange Online, with admin "
            "consent, and for the application: Add-HVEAppAccess -Identity {user} -AppIds APPLICATION_ID"
        ),
    ),
    RefusedLogin(
        r"SmtpClientAuthentication is disabled for the Mailbox",
        None,
        N_(
            "In Exchange Online PowerShell: Connect-ExchangeOnline; "
            "Set-CASMailbox -Identity {user} -SmtpClientAuthenticationDisabled $false"
        ),
    ),
    RefusedLogin(
        r"SmtpClientAuthentication is disabled",
        None,
        N_(
            "For this mailbox, in Exchange Online PowerShell: Connect-ExchangeOnline; "
            "Set-CASMailbox -Identity {user} -SmtpClientAuthenticationDisabled $false. For the whole tenant: "
            "Set-TransportConfig -SmtpClientAuthenticationDisabled $false"
        ),
    ),
    RefusedLogin(
        r"basic authentication is disabled|5\.7\.30\b",
        False,
        N_(
            "A password is no longer taken here. Log in by token: smtp://{login}@{host}:587?auth=xoauth2, with an "
            "application in Entra (docs/mail.md)."
        ),
    ),
    RefusedLogin(
        r"did not meet the criteria|security defaults|Conditional Access",
        False,
        N_("The tenant forbids passwords (security defaults, Conditional Access). Log in by token (docs/mail.md)."),
    ),
    RefusedLogin(
        r"5\.7\.9\b|application-specific password",
        False,
        N_(
            "Google wants an app password (myaccount.google.com/apppasswords; the user needs 2-Step Verification), or "
            "a token: ?auth=xoauth2 (docs/mail.md)."
        ),
    ),
)

_PASSWORD = N_(
    "What the server says comes after the code. Check user and password in COMMSENGINE_SMTP_URL, and "
    "whether this account may log in and send by SMTP."
)
_GOOGLE = N_(
    "The token must be for {user} (COMMSENGINE_GOOGLE_SUBJECT) and for the scope https://mail.google.com/, and the "
    "user must have Gmail switched on."
)
_TOKEN = N_("What the server says comes after the code. The token must be for the mailbox {user} and for this server.")


def access_token(wiring: Wiring, tokens: AccessTokens) -> Iterator[Finding]:
    from commsengine.channels.access_tokens import TokenError

    try:
        token = tokens.current()
    except TokenError as error:
        yield problem(f"{error.because}.", token_remedy(wiring, error))
        return
    until = f"{token.ends_at:%Y-%m-%d %H:%M} UTC" if token.ends_at else _("a time that it does not say")
    yield ok(_("There is an access token; it ends at {time}.", time=until))


def token_remedy(wiring: Wiring, error: TokenError) -> str:
    if error.code == "unauthorized_client":
        return _delegation(wiring)
    fallback = N_("What the provider says comes after the colon. See docs/mail.md.")
    return _(TOKEN_REMEDIES.get(error.code, fallback))


def login_remedy(said: str, protocol: Protocol, user: str, host: str, token: AccessToken | None) -> str:
    """``said`` are the server's words, ``token`` what we logged in with, if not with a password."""
    login = user.replace("@", "%40")
    for row in REFUSED_LOGINS:
        if row.by_token in (None, token is not None) and re.search(row.words, said, re.IGNORECASE):
            return _(row.remedy, user=user, login=login, host=host)
    if token is None:
        return _(_PASSWORD)
    return _microsoft(token, protocol, user) or _(
        _GOOGLE if host.endswith((".gmail.com", ".google.com")) else _TOKEN, user=user
    )


def _microsoft(token: AccessToken, protocol: Protocol, user: str) -> str:
    # What the token says of itself is advice here, nothing depends on it.
    from commsengine.channels.access_tokens import claims

    found = claims(token.text)
    if not re.search(r"//(?:sts\.windows\.net|login\.microsoftonline\.)", str(found.get("iss", ""))):
        return ""
    audience = str(found.get("aud", ""))
    if not (audience == EXCHANGE or "outlook.office" in audience):
        text = N_("The token is for {audience}, not for Exchange. Ask for it with the scope {scope}.")
        return _(text, audience=audience or "?", scope="https://outlook.office365.com/.default")
    delegated = "scp" in found
    wanted = PERMISSIONS[protocol]
    permission = wanted.delegated if delegated else wanted.application
    if permission not in (str(found["scp"]).split() if delegated else _listed(found.get("roles"))):
        text = N_(
            "The token lacks the permission {permission}. In Entra, App registrations > API permissions > Add a "
            "permission > APIs my organization uses > Office 365 Exchange Online > {kind} permissions: add it, then "
            "Grant admin consent. It can take an hour until tokens have it."
        )
        return _(text, permission=permission, kind="Delegated" if delegated else "Application")
    return _mailbox_not_given(found, permission, user, delegated)


def _mailbox_not_given(found: Mapping[str, Any], permission: str, user: str, delegated: bool) -> str:
    if delegated:
        text = N_(
            "The token has the permission {permission}, but is it a token of {user}, or of somebody with full access?"
        )
        return _(text, permission=permission, user=user)
    text = N_(
        "The token has the permission {permission}, so Exchange does not know the application yet, or has not given it "
        "the mailbox. In Exchange Online PowerShell: Connect-ExchangeOnline; "
        "New-ServicePrincipal -AppId {application} -ObjectId {principal}; "
        'Add-MailboxPermission -Identity "{user}" -User {principal} -AccessRights FullAccess'
    )
    application, principal = found.get("appid", "APPLICATION_ID"), found.get("oid", "OBJECT_ID")
    return _(text, permission=permission, application=application, principal=principal, user=user)


def _listed(given: object) -> list[object]:
    return given if isinstance(given, list) else []


def _delegation(wiring: Wiring) -> str:
    # The file has been read a moment ago.
    settings = wiring.settings
    try:
        client = json.loads((wiring.folder / settings.google_credentials).read_text(encoding="utf-8"))["client_id"]
    except (OSError, ValueError, LookupError, TypeError):
        client = _("the client_id of the JSON file")
    text = N_(
        "The service account may not act for {user} yet. In Google's Admin console, Security > Access and data control "
        "> API controls > Domain-wide delegation > Add new: client ID {client}, scope https://mail.google.com/. It can "
        "take some minutes."
    )
    return _(text, user=settings.google_user, client=client)
