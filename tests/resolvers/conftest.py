"""The small real servers of the channels' tests."""

from tests.channels.conftest import channel_to, sink, trust

__all__ = ["channel_to", "sink", "trust"]
