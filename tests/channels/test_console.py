"""Messages on a screen."""

from __future__ import annotations

import io

from commsengine.channels.channel import RELEASED, SENT
from commsengine.channels.console import ConsoleChannel
from tests.servers import a_mail


def test_a_message_is_shown_whole_and_cannot_command_the_terminal() -> None:
    screen = io.StringIO()
    channel = ConsoleChannel(screen)
    (outcome,) = channel.deliver([a_mail(text="Hello\n\x1b[2Jbye")], lambda keys: keys)
    channel.close()
    assert outcome.verdict == SENT
    assert screen.getvalue() == "To: Ana Kim · One list for all of us · k1\n  Hello\n   [2Jbye\n\n"


def test_what_is_not_marked_is_not_shown() -> None:
    screen = io.StringIO()
    (outcome,) = ConsoleChannel(screen).deliver([a_mail()], lambda keys: ())
    assert (outcome.verdict, outcome.begun, screen.getvalue()) == (RELEASED, False, "")
