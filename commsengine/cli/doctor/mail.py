"""Whether the mail server takes mail from us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from commsengine.cli.doctor.finding import TIMEOUT, Finding, note, ok, problem
from commsengine.translation import N_, _

if TYPE_CHECKING:
    from commsengine.wiring import Wiring


def mail(wiring: Wiring) -> Iterator[Finding]:
    if not wiring.settings.smtp:
        yield note(_("Not set up: no e-mail is sent."))
        return
    from commsengine.channels.channel import DeliveryError
    from commsengine.channels.smtp import AUTH, HELLO, SmtpConnection, parse_smtp_url

    server = parse_smtp_url(wiring.settings.smtp)
    place = f"{server.host}:{server.port}"
    domain = wiring.mail_from.rstrip(">").rpartition("@")[2]
    relay = SmtpConnection(server, domain, None, connect=TIMEOUT, reply=TIMEOUT)
    try:
        relay.connect()
        relay.command("mail", "NOOP", 250)
    except DeliveryError as error:
        said = error.reply if server.host in error.reply else f"{place}: {error.reply}"
        fix = {
            AUTH: _(
                "What the server says comes after the code. Look at user and password in COMMSENGINE_SMTP_URL, and "
                "whether this account may log in and send by SMTP."
            ),
            HELLO: _("What the server says comes after the code. Ask those who run it whether this machine may send."),
        }.get(error.phase, _("Look whether the relay runs, and at host and port in COMMSENGINE_SMTP_URL."))
        yield problem(f"{said.rstrip('.')}.", fix)
        return
    finally:
        relay.quit()
    secured = _("without TLS") if server.tls == "off" else _("over verified TLS")
    logged_in = _(", logged in") if server.user else ""
    text = N_("{server} answers {secured}{logged_in}; from {sender}.")
    yield ok(_(text, server=place, secured=secured, logged_in=logged_in, sender=wiring.mail_from))
