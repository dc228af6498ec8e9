"""Names of things in words: what somebody probably meant, and which message another one corrects."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping


def no_such(kind: str, given: str, known: Iterable[str]) -> str:
    """One sentence that a name is unknown, and the near names; without a near one, the first few there are."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=3, cutoff=0.5)
    if near:
        return f"There is no {kind} '{given}'. Did you mean {' or '.join(near)}?"
    if not names:
        return f"There is no {kind} '{given}'; there is none yet."
    more = ", …" if len(names) > 8 else ""
    return f"There is no {kind} '{given}'. There is: {', '.join(names[:8])}{more}."


def told_corrected(corrected: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each message that is corrected by another."""
    return (
        f"'{wrong}' is corrected by '{right}': it is sent to nobody any more." for wrong, right in corrected.items()
    )
