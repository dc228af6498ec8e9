"""E-mail over SMTP: one recipient per transaction, the connection kept, every phase kept apart.

One attempt
1. Lay the message out; a value that must not travel fails this message only, before anything is offered.
2. Connect (TLS verified, then AUTH) unless a connection is open; MAIL, RCPT, DATA, then the body without its final dot.
3. ``mark``: refused, the connection is dropped and the server forgets the message. Up to here all is safe to repeat.
4. The final dot, and up to ten minutes for its reply (RFC 5321, 4.5.3.2.6). Silence from here on is ``uncertain``.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence

from commsengine.channels import smtp
from commsengine.channels.access_tokens import AccessTokens
from commsengine.channels.channel import RELEASED, RETRY, SENT, UNCERTAIN, DeliveryError, Mark, Outcome
from commsengine.channels.mime import HeaderError, laid_out, sender_address
from commsengine.channels.refusal_rule import RefusalRule
from commsengine.channels.smtp import SmtpConnection, SmtpServer
from commsengine.content.message import RenderedMessage
from commsengine.errors import InputError
from commsengine.translation import N_, _


class EmailChannel:
    """One SMTP connection, opened when first needed and kept. ``mail_from`` may be ``Name <address>``.

    Times are in seconds. ``hello`` is the name in EHLO, ``tokens`` are for a server that wants one. ``context``
    verifies the server's certificate; the default trusts what the system trusts. After ``per_connection`` messages a
    new connection is opened. ``greeted`` hears what the server says first. ``refusals`` are a workspace's own rows of
    the table.
    Raises ``InputError`` when ``mail_from`` is no address.
    """

    name = "email"

    def __init__(
        self,
        server: SmtpServer,
        mail_from: str,
        *,
        hello: str = "",
        tokens: AccessTokens | None = None,
        context: ssl.SSLContext | None = None,
        connect_timeout: float = 30.0,
        reply_timeout: float = 300.0,
        dot_timeout: float = 600.0,
        per_connection: int | None = None,
        greeted: Callable[[str], object] = lambda _: None,
        refusals: Sequence[RefusalRule] = (),
    ) -> None:
        try:
            self._sender = sender_address(mail_from)
        except HeaderError as bad:
            cause = _("COMMSENGINE_MAIL_FROM {what}.", what=_(bad.what))
            raise InputError(cause, _("Write change@your-domain.")) from None
        times = {"connect": connect_timeout, "reply": reply_timeout}
        self._relay = SmtpConnection(
            server,
            self._sender,
            hello=hello,
            tokens=tokens,
            context=context,
            per_connection=per_connection,
            greeted=greeted,
            own=refusals,
            **times,
        )
        self._dot_timeout = dot_timeout

    def deliver(self, messages: Sequence[RenderedMessage], mark: Mark) -> Iterator[Outcome]:
        down: DeliveryError | None = None
        for message in messages:
            if down is not None:  # do not wait for a dead server once per person
                yield down.outcome(message.key)
                continue
            try:
                outcome = self._attempt(message, mark)
            except DeliveryError as error:
                outcome = error.outcome(message.key)
                down = error if error.channel_down else None
            yield outcome

    def close(self) -> None:
        self._relay.quit()

    def _attempt(self, message: RenderedMessage, mark: Mark) -> Outcome:
        recipient, body = laid_out(message, self._sender)
        self._relay.begin()
        self._relay.command("rcpt", f"RCPT TO:<{recipient}>", 250, 251)
        self._relay.command("data", "DATA", 354)
        self._relay.body(body)
        if not self._may_leave(message.key, mark):
            self._relay.drop()
            return Outcome(message.key, RELEASED, "data", begun=False)
        if not self._relay.still_open():  # it left while we marked: without the dot nothing has been handed over
            raise DeliveryError(
                RETRY, "data", N_("the mail server closed the connection before the end of the message")
            )
        return self._finish(message.key)

    def _may_leave(self, key: str, mark: Mark) -> bool:
        try:
            return key in set(mark([key]))
        except BaseException:
            self._relay.drop()  # whatever went wrong, the dot must not follow
            raise

    def _finish(self, key: str) -> Outcome:
        try:
            code, reply = self._relay.final_dot(self._dot_timeout)
        except OSError as error:
            self._relay.drop()
            return Outcome(key, UNCERTAIN, "reply", f"no answer to the final dot ({type(error).__name__})")
        if 200 <= code <= 299:
            return Outcome(key, SENT, "reply", smtp.shown(code, reply), remote_id=smtp.queue_id(reply))
        self._relay.reset(code)
        if not 400 <= code <= 599:
            return Outcome(key, UNCERTAIN, "reply", smtp.shown(code, reply))
        raise self._relay.refusal("reply", code, reply)
