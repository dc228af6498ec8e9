"""Cells that say that there is no value: errors of spreadsheets, NULL of databases, placeholders of people."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split(", "))


_ERRORS = re.compile(
    r"#(N/?A|NV|REF|BEZUG|NAME|VALUE|WERT|NULL|DIV/0|NUM|ZAHL|CALC|SPILL|FIELD|UNKNOWN|GETTING_DATA)[!?]?"
)
_EXACT = _words(
    "NULL, null, [NULL], [null], <null>, (null), \\N, nan, NaN, NAN, None, NONE, Null, none, (none), (None), "
    "undefined, nil, NIL, (blank), (Blank), (blanks), (empty), <empty>, [empty], (leer), (Leer), (vide), "
    "(vacío), TBD, tbd, T.B.D., TBC, tbc, TBA, tba, tbd., unknown, Unknown, UNKNOWN, unbekannt, Unbekannt, "
    "inconnu, Inconnu, desconocido, Desconocido, not available, Not available, Not Available, not applicable, "
    "Not applicable, Not Applicable, not set, Not set, missing, xxx, XXX, "
)
_SPACED = _words("n/a, n.a., na., k.a., ka., s.o., n.v., n.b., n.n., o.a., s/o, n/d, n.d., s/d, s.d., k/a")
_ONLY_SIGNS = re.compile(r"[-–—−_?*/ ]+|[.…]{2,}|…")
_NO_DAY = re.compile(
    r"0000-00-00( 00:00:00)?|0?0[./]0?0[./]0000|9999-12-31.*|31[./]12[./]9999|12/31/9999"
    r"|1900-01-0[01].*|1899-12-3[01].*"
)


FAMILY_NAME = "Null"
"""Also the name of families; databases write it in capitals or small letters."""


def no_value(cell: str) -> bool:
    """Whether a cell that is not empty says that there is nothing to say."""
    if cell in _EXACT:
        return True
    if cell[0].isalpha():
        return len(cell) <= 6 and cell.casefold().replace(" ", "") in _SPACED
    return len(cell) <= 30 and bool(
        _ONLY_SIGNS.fullmatch(cell) or _ERRORS.fullmatch(cell.upper()) or _NO_DAY.fullmatch(cell)
    )
