"""The workspace of the command line's tests."""

from tests.cli.conftest import _no_settings_of_this_machine, mailbox, terminal

__all__ = ["_no_settings_of_this_machine", "mailbox", "terminal"]
