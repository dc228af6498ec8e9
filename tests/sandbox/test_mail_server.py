"""The mail server for trying things out, as the compose file starts it."""

from __future__ import annotations

import signal
import smtplib
import subprocess

from tests.deployment import command, services
from tests.fork_server import python
from tests.stories.conftest import free_port
from tests.waiting import PATIENCE


def test_it_takes_mail_at_its_address_and_says_how_much() -> None:
    port = free_port()
    bind = [word.replace("0.0.0.0:2525", f"127.0.0.1:{port}") for word in command("relay")]
    process = python(services()["relay"]["entrypoint"][1:] + bind, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().endswith("has taken 0 messages\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.sendmail("a@example.com", ["b@example.com"], b"Subject: one\r\n\r\nhere\r\n")
    assert process.stdout.readline().endswith("has taken 1 messages\n")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    process.stdout.close()
