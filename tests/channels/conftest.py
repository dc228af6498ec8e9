"""Small real servers that the channels' tests share."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator

import pytest

from commsengine.channels.email import EmailChannel
from commsengine.channels.smtp import SmtpServer
from tests.servers import SmtpSink, a_certificate


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture(scope="session")
def trust(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for ``localhost`` and the client's context that trusts it."""
    return a_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def channel_to() -> Iterator[Callable[..., EmailChannel]]:
    """Opens a channel to a sink; what was opened is closed at the end."""
    opened: list[EmailChannel] = []

    def open_channel(sink: SmtpSink, *, tls: str = "off", password: str = "", **options: object) -> EmailChannel:
        server = SmtpServer("localhost", sink.port, tls, "bot" if password else "", password)
        opened.append(EmailChannel(server, "change@example.com", **{"reply_timeout": 5, **options}))  # type: ignore[arg-type]
        return opened[-1]

    yield open_channel
    for channel in opened:
        channel.close()
