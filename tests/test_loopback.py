from __future__ import annotations

import pytest

from commsengine.errors import InputError
from commsengine.links import Links
from commsengine.loopback import NAMES, is_loopback


@pytest.mark.parametrize("host", [*NAMES, "127.0.0.2", "127.1.2.3"])
def test_this_machine(host: str) -> None:
    """All of 127.0.0.0/8 never leaves it, so that links may be plain http there too."""
    assert is_loopback(host)
    url = f"[{host}]" if ":" in host else host
    assert Links(f"http://{url}:8080", ["k" * 16]).base_url == f"http://{url}:8080"


@pytest.mark.parametrize("host", [None, "", "0.0.0.0", "10.0.0.1", "::", "localhost.example.com", "comms.example.com"])  # noqa: S104
def test_another_machine(host: str | None) -> None:
    assert not is_loopback(host)


def test_a_link_beyond_this_machine_is_encrypted() -> None:
    with pytest.raises(InputError):
        Links("http://comms.example.com", ["k" * 16])
