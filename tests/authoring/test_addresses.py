from __future__ import annotations

import pytest

from commsengine.authoring.addresses import AddressError, clean_address


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        (" Ana.Kim@Example.com ", "ana.kim@example.com"),
        ("o'neil+crm@example.co.uk", "o'neil+crm@example.co.uk"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@localhost", "ana@localhost"),
        ("ana@example.c", "ana@example.c"),
    ],
)
def test_an_address_gets_one_form(written: str, clean: str) -> None:
    assert clean_address(written) == clean


@pytest.mark.parametrize(
    "written",
    [
        "", "ana", "@example.com", "ana@", "a@b@example.com", "ana@example", "ana@example.com-", "ana@-example.com",
        f"ana@{'a' * 64}.com", ".ana@example.com", "ana..kim@example.com", "ana.@example.com", "Ana <ana@example.com>",
        "ana\u200b@example.com", "a=?b@example.com", "añá@example.com", f"{'a' * 65}@example.com",
    ],
)  # fmt: skip
def test_what_mail_cannot_be_sent_to_is_refused(written: str) -> None:
    """A domain that ends with a hyphen or has a label of 64 letters is none, whichever way it comes in."""
    with pytest.raises(AddressError):
        clean_address(written)
