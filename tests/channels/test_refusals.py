"""What real replies are about: the wording is the servers', addresses and hosts are ours."""

from __future__ import annotations

import pytest

from commsengine.channels.refusals import judge

CONNECTIONS, BUSY, DOWN, FULL, LATER = "later connections", "later busy", "later down", "later full", "later"
GONE, PERSON, QUOTA, US, MESSAGE, UNCLEAR = "person gone", "person", "quota", "us", "message", "unknown"

REPLIES = [
    # Microsoft 365
    ("reply", 554, "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process", QUOTA),
    ("rcpt", 550, "5.1.90 Your message can't be sent because you've exceeded the recipient rate limit", QUOTA),
    ("reply", 554, "5.2.252 SendAsDenied; bot@example.com not allowed to send as change@example.com", US),
    ("reply", 550, "5.7.60 SMTP; Client does not have permissions to send as this sender", US),
    ("mail", 530, "5.7.57 Client not authenticated to send mail", US),
    ("rcpt", 550, "5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization", US),
    ("reply", 550, "5.7.705 Access denied, tenant has exceeded threshold", US),
    ("reply", 550, "5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", US),
    ("connect", 535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant", US),
    ("connect", 550, "5.7.30 Basic authentication is not supported for Client Submission", US),
    ("reply", 432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", CONNECTIONS),
    ("connect", 432, "4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent", CONNECTIONS),
    ("rcpt", 550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)", GONE),
    ("rcpt", 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", GONE),
    # Google
    ("mail", 550, "5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits", QUOTA),
    ("reply", 550, "5.7.1 Daily SMTP relay limit exceeded for user", QUOTA),
    ("rcpt", 450, "4.2.1 The user you are trying to contact is receiving mail too quickly", FULL),
    ("rcpt", 550, "5.2.1 The user you are trying to contact is receiving mail at a rate that prevents", FULL),
    ("rcpt", 452, "4.2.2 The email account that you tried to reach is over quota", FULL),
    ("rcpt", 552, "5.2.2 The email account that you tried to reach is over quota", FULL),
    ("reply", 552, "5.3.4 Your message exceeded Google's message size limits", MESSAGE),
    ("connect", 421, "4.7.0 Too many connections", CONNECTIONS),
    ("connect", 454, "4.7.0 Too many login attempts, please try again later", LATER),
    # SES, Sendgrid
    ("reply", 454, "4.7.0 Throttling failure: Daily message quota exceeded.", QUOTA),
    ("reply", 454, "4.7.0 Throttling failure: Maximum sending rate exceeded.", BUSY),
    ("connect", 451, "Authentication failed: Maximum credits exceeded", QUOTA),
    ("reply", 554, "Message rejected: Email address is not verified.", UNCLEAR),
    # Postfix, Exim, Sendmail, Exchange
    ("connect", 421, "4.7.0 mail.example.com Error: too many connections from 192.0.2.7", CONNECTIONS),
    ("connect", 421, "Too many concurrent SMTP connections; please try again later.", CONNECTIONS),
    ("connect", 421, "4.3.2 The maximum number of concurrent server connections has exceeded a limit", CONNECTIONS),
    ("connect", 421, "4.7.0 Connection rate limit exceeded.", CONNECTIONS),
    ("mail", 421, "4.7.0 too many messages in this connection", BUSY),
    ("mail", 450, "4.7.1 Error: too much mail from 192.0.2.7", BUSY),
    ("mail", 452, "4.3.1 Insufficient system storage", DOWN),
    ("mail", 451, "4.3.0 Error: queue file write error", DOWN),
    ("rcpt", 450, "4.7.1 Client host rejected: cannot find your hostname, [192.0.2.7]", DOWN),
    ("rcpt", 554, "5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied", US),
    ("rcpt", 553, "5.7.1 <change@example.com>: Sender address rejected: not owned by user bot", US),
    ("rcpt", 554, "5.7.1 <ana@example.com>: Relay access denied", UNCLEAR),
    ("rcpt", 450, "4.7.1 <ana@example.com>: Recipient address rejected: Greylisted", LATER),
    ("rcpt", 550, "5.1.1 <ana@example.com>: Recipient address rejected: User unknown in local recipient table", GONE),
    ("rcpt", 550, "Unrouteable address: no such user here", GONE),
    ("rcpt", 550, "Requested action not taken: mailbox unavailable", GONE),
    ("rcpt", 501, "Invalid RCPT TO address provided", PERSON),
    ("rcpt", 552, "Mailbox quota exceeded", FULL),
    ("reply", 554, "5.7.1 Message rejected as spam by content filtering", UNCLEAR),
    ("rcpt", 550, "Administrative prohibition", UNCLEAR),
    ("reply", 451, "4.3.0 queue is full", LATER),
    # an address in a host name is no enhanced code
    ("rcpt", 550, "blocked, see https://example.com/?ip=15.1.1.1", UNCLEAR),
]  # fmt: skip


@pytest.mark.parametrize(("phase", "code", "words", "what"), REPLIES)
def test_what_a_reply_is_about(phase: str, code: int, words: str, what: str) -> None:
    judged = judge("email", phase, code, words)
    assert f"{judged.fault} {judged.kind}".strip() == what
