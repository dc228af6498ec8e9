"""Whether the mail server takes mail from us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from commsengine.cli.doctor.finding import TIMEOUT, Finding, note, ok, problem
from commsengine.cli.doctor.log_in import access_token, login_remedy
from commsengine.cli.output import n_people, n_time
from commsengine.translation import N_, _, counted

if TYPE_CHECKING:
    from commsengine.channels.channel import DeliveryError
    from commsengine.channels.smtp import SmtpServer
    from commsengine.wiring import Wiring


def mail(wiring: Wiring) -> Iterator[Finding]:
    if not wiring.settings.smtp:
        yield note(_("Not set up: no e-mail is sent."))
        return
    from commsengine.channels.channel import DeliveryError
    from commsengine.channels.smtp import SmtpConnection, parse_smtp_url

    server = parse_smtp_url(wiring.settings.smtp)
    place = f"{server.host}:{server.port}"
    if tokens := wiring.access_tokens if server.by_token else None:
        found = list(access_token(wiring, tokens))
        yield from found
        if any(finding.state == "problem" for finding in found):
            return
    relay = SmtpConnection(server, wiring.mail_from, hello=wiring.hello, tokens=tokens, connect=TIMEOUT, reply=TIMEOUT)
    try:
        relay.connect()
        wiring.heard_greeting(relay.banner)
        relay.command("mail", "NOOP", 250)
    except DeliveryError as error:
        said = error.reply if server.host in error.reply else f"{place}: {error.reply}"
        yield problem(f"{said.rstrip('.')}.", _remedy(wiring, server, error))
        return
    finally:
        relay.quit()
    secured = _("without TLS") if server.tls == "off" else _("over verified TLS")
    logged_in = _(", logged in") if server.user else ""
    text = N_("{server} answers {secured}{logged_in}; from {sender}.")
    yield ok(_(text, server=place, secured=secured, logged_in=logged_in, sender=wiring.mail_from))
    yield from _limits(wiring, server.host)


def _limits(wiring: Wiring, host: str) -> Iterator[Finding]:
    """What the server is taken to allow, and whether the audience of what runs has room in a day."""
    profile, now = wiring.mail_profile, wiring.clock()
    limits = profile.limits
    bounds = [counted(limits.connections, "connection", "connections")]
    if limits.per_minute is not None:
        bounds.append(_("{number:,.6g} messages a minute", number=limits.per_minute))
    sent = wiring.store.channels.sent("email", now - limits.day) if wiring.has_database else 0
    if limits.per_day is not None:
        bounds.append(_("{number:,} in {time}", number=limits.per_day, time=n_time(limits.day)))
    known = {"server": host, "limits": ", ".join(bounds), "sent": sent, "time": n_time(limits.day)}
    if profile.whose:
        text = N_("{server} appears to be {profile}; {limits}; {sent:,} were sent in the last {time}.")
        told = _(text, **known, profile=profile.whose)
    else:
        text = N_("No limits of {server} are known, so it gets {limits}; {sent:,} were sent in the last {time}.")
        told = _(text, **known)
    running = wiring.store.campaigns.all() if wiring.has_database else []
    sizes = [wiring.store.audience.sizes(each, wiring.clock().date()) for each in running if each.state == "running"]
    reached = sum(sum(by_role.values()) for by_role in sizes)
    if limits.per_day is None or reached <= limits.per_day:
        yield ok(told)
        return
    fix = N_(
        "Running campaigns are for {people}: they do not all get it on one day, but all get it. For more, "
        "send by Microsoft 365 High Volume Email, a Google Workspace relay or a relay of your own, or set "
        "COMMSENGINE_SMTP_DAILY if more is allowed. To see what is sent when: commsengine simulate PLAN"
    )
    yield note(told, _(fix, people=n_people(reached)))


def _remedy(wiring: Wiring, server: SmtpServer, error: DeliveryError) -> str:
    from commsengine.channels.smtp import AUTH, HELLO

    if error.phase == AUTH:
        token = wiring.access_tokens.current() if server.by_token and wiring.access_tokens else None
        return login_remedy(error.reply, "SMTP", server.user, server.host, token)
    if error.phase == HELLO:
        text = N_(
            "What the server says comes after the code. Ask those who run it whether this machine may send; it says "
            "EHLO {name}, and COMMSENGINE_SMTP_EHLO sets another name."
        )
        return _(text, name=wiring.hello or _("with its address"))
    if error.fault == "quota" or error.narrow:
        return _("Nothing is lost: sending goes on when the server takes more again.")
    return connection_remedy(error.reply, "COMMSENGINE_SMTP_URL")


UNCONNECTED = (  # the first whose sign our words hold
    ("certificate", N_(
        "The host in {setting} must be the name on the certificate; the certificate of an authority of your own goes "
        "into SSL_CERT_FILE."
    )),
    ("encrypted connection", N_("Another kind of TLS may be wanted: ?tls=tls for port 465, ?tls=starttls for 587.")),
    ("does not offer", N_(
        "Check port and kind of TLS in {setting}: port 587 with ?tls=starttls, or 465 with ?tls=tls; leave "
        "user and password out where the server asks for none."
    )),
    ("cannot be found", N_("Check the host in {setting}, and whether this machine finds other names.")),
    ("answer in time", N_("Check host and port in {setting}; a firewall may block it, most often port 25.")),
    ("refuses the connection", N_("Check whether the mail server runs, and host and port in {setting}.")),
    ("turns us away", N_("What it says comes after the code. Ask those who run it whether this machine may send.")),
)  # fmt: skip


def connection_remedy(said: str, setting: str) -> str:
    fits = (fix for sign, fix in UNCONNECTED if sign in said)
    return _(next(fits, N_("Check whether the mail server runs, and host and port in {setting}.")), setting=setting)


def rest_remedy(wiring: Wiring, because: str) -> str:
    """Where the log-in is fine and the mail is refused all the same; empty where there is nothing to do."""
    if not re.search(r"SendAs|5\.7\.60|5\.2\.252|send as this sender", because, re.IGNORECASE):
        return ""
    from commsengine.channels.smtp import parse_smtp_url

    user = parse_smtp_url(wiring.settings.smtp).user if wiring.settings.smtp else ""
    text = N_(
        "COMMSENGINE_MAIL_FROM ({sender}) must be an address of the mailbox that logs in ({user}), or that mailbox "
        "must be allowed to send as it. In Exchange Online PowerShell: Connect-ExchangeOnline; "
        "Add-RecipientPermission {sender} -Trustee {user} -AccessRights SendAs"
    )
    return _(text, sender=wiring.mail_from, user=user or _("no user"))
