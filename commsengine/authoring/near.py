"""Near names: what somebody probably meant when they wrote a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near_names(written: str, known: Iterable[str], most: int = 3, likeness: float = 0.6) -> list[str]:
    """The known names most like the written one, best first, whatever their capitals."""
    by_small = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(written.casefold(), list(by_small), n=most, cutoff=likeness)
    return [by_small[small] for small in found]


def listed(names: Iterable[str], word: str = "or") -> str:
    """``'a', 'b' or 'c'``"""
    quoted = [f"'{name}'" for name in names]
    return f" {word} ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def meant(written: str, known: Iterable[str], what: str) -> str:
    """The remedy for an unknown name: the near names, else the known ones, else how to make one."""
    names = list(known)
    if near := near_names(written, names):
        return f"Did you mean {listed(near)}?"
    if not names:
        return f"There is no {what} yet; add it, or take the name out."
    more = f" (and {len(names) - 20} more)" if len(names) > 24 else ""
    return f"Write a known {what}: {listed(names[:20] if more else names)}{more}."
