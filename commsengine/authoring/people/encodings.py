"""Bytes of a text file to letters: its encoding by mark, by form, or by which one gives words of people's languages.

Short files fool every detector, so what was found is named with words as they were read, and what is doubtful is said.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice

from commsengine.translation import _

MOST_SAMPLED = 20_000
"""Bytes of words with letters beyond a-z that are looked at."""

MOST_WORDS = 3
MOST_LOOKED_AT = 200_000
"""Letters from the top among which words are found that show the encoding."""

NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "mac_roman": "Mac Roman",
    "cp1250": "Windows-1250",
    "iso8859-2": "ISO 8859-2",
    "cp1251": "Windows-1251",
    "cp1254": "Windows-1254",
    "cp1253": "Windows-1253",
    "iso8859-15": "ISO 8859-15",
    "koi8-r": "KOI8-R",
    "mac_latin2": "Mac Latin 2",
    "cp850": "DOS 850",
    "cp852": "DOS 852",
    "cp437": "DOS 437",
    "cp932": "Shift JIS",
    "gb2312": "GB 2312",
    "big5": "Big5",
    "euc_kr": "EUC-KR",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp874": "Windows-874",
    "iso8859-1": "ISO 8859-1",
}
"""Every encoding that is looked for, by Python's name for it, with the name that people know; likely ones first."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = tuple(name for name in NAMES if not name.startswith("utf") and name != "iso8859-1")
_FAR_EAST = ("cp932", "gb2312", "big5", "euc_kr")
_WORD = re.compile(rb"[\x80-\xff'\-A-Za-z]{0,40}[\x80-\xff][\x80-\xff'\-A-Za-z]{0,40}")
_COMMON = {
    **dict.fromkeys("äöüßéèáíóñç", 3.0),
    **dict.fromkeys("ÄÖÜÉÁÓÇåøæêôàãúïë", 2.0),
    **dict.fromkeys("άέήίόύώς", 3.0),
    **dict.fromkeys("ąćęłńśźżčďěňřšťůžýőűășțşğıİŁŚŻŽŠČŘÅØÆÍÚÑïîâûùìòõœÿ", 1.0),
}
"""How usual a letter is in names; others count less. A reading is good when its letters are usual ones."""

_BY_SCRIPT = {
    "LATIN": 0.2,
    "CYRILLIC": 1.5,
    "GREEK": 1.2,
    "CJK": 2.0,
    "HANGUL": 2.0,
    "HEBREW": 1.7,
    "ARABIC": 1.7,
    "THAI": 1.7,
}
_LETTERS = (
    "äöüßé àâæçéèêëîïôœùûüÿ áéíñóúüç àáâãçéêíóôõúü àèéìíîòóùú æøåäöéü áðéíóúýþæö ëïéèóöüê ąćęłńóśźż "
    "áčďéěíňóřšťúůýžľĺŕäô áéíóöőúüű ăâîșțşţ çğıi̇öşüâ čćđšž āčēģīķļņšūž ąčęėįšųūž äöõüšž "
    "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўјљњћђџ αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋ "
    "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
)
"""The letters beyond a-z of a language each; a word has those of one."""

_ALPHABETS = tuple(map(frozenset, _LETTERS.split()))
_CROWD = re.compile(r"(?<=[^\x00-\x7f]{2})[^\x00-\x7f\W]+")


@dataclass(frozen=True)
class Decoded:
    """The text, Python's name of its encoding, words that show it, and another reading that is as good, if any.

    ``repaired`` is a word that was encoded twice, before and after; ``strays`` counts bytes that are not of the
    encoding and were read as Windows-1252.
    """

    text: str
    encoding: str
    words: tuple[str, ...] = ()
    other: tuple[str, str] | None = None
    repaired: tuple[str, ...] = ()
    strays: int = 0

    @property
    def name(self) -> str:
        return NAMES.get(self.encoding, self.encoding)


class EncodingError(ValueError):
    """Bytes that are no text of the encoding: the offset, the cause and what to do."""

    def __init__(self, offset: int, cause: str) -> None:
        super().__init__(cause)
        self.offset, self.cause, self.fix = offset, cause, _("Save the file as 'CSV UTF-8'.")


def known_encoding(written: str) -> str:
    """Python's name of an encoding as people write it (``Mac Roman``, ``latin1``); empty where there is none."""
    named = {_bare(name): encoding for encoding, name in NAMES.items()}
    if found := named.get(_bare(written)):
        return found
    try:
        return codecs.lookup(written.strip().replace(" ", "_")).name if "\0".encode(written.strip()) else ""
    except (LookupError, ValueError, TypeError):
        return ""


def decoded(data: bytes, encoding: str = "") -> Decoded:
    """The text of ``data``, in ``encoding`` where one is given. Raises ``EncodingError``."""
    found = _given(data, encoding) if encoding else _marked(data) or _unmarked(data)
    return found if found.encoding.startswith(_FAR_EAST) else _repaired(found)


def plain_utf8(blocks: Iterable[bytes]) -> Iterator[str]:
    """The text of UTF-8 in which no letter is doubtful, whole lines at a time.

    Raises ``EncodingError`` where it is anything else: ``decoded`` says what.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    left = ""
    for block in blocks:
        left += _surely(decoder, block)
        if ends := max(left.rfind("\n"), left.rfind("\r", 0, -1)) + 1:
            yield _undoubted(left[:ends])
            left = left[ends:]
    yield _undoubted(left + _surely(decoder, b"", final=True))


def _surely(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> str:
    try:
        return decoder.decode(block, final)
    except UnicodeDecodeError as error:
        raise EncodingError(error.start, "") from None


def _undoubted(text: str) -> str:
    # UTF-16 without a mark has NULs in it
    if any(sign in text for sign in "\0\ufeff\ufffd") or _repaired(Decoded(text, "utf-8")).repaired:
        raise EncodingError(0, "")
    return text


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _given(data: bytes, encoding: str) -> Decoded:
    for mark, _name in _MARKS:
        data = data.removeprefix(mark) if encoding.startswith("utf") else data
    text = _strictly(data, encoding)
    return Decoded(text, encoding, shown(text))


def _marked(data: bytes) -> Decoded | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            body = data if encoding == "utf-32" else data[len(mark) :]
            return Decoded(text := _strictly(body, encoding).removeprefix("\ufeff"), encoding, shown(text))
    start = data[:400]
    if start.count(0) > len(start) // 4:
        encoding = "utf-16-le" if start[1:2] == b"\x00" else "utf-16-be"
        return Decoded(text := _strictly(data, encoding), encoding, shown(text))
    return None


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        byte, name = data[error.start], NAMES.get(encoding, encoding)
        cause = _("The byte 0x{byte:02X} is not a letter in {encoding}.", byte=byte, encoding=name)
        raise EncodingError(error.start, cause) from None


def _unmarked(data: bytes) -> Decoded:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _mostly_utf8(data) or _likeliest(data)
    return Decoded(text, "utf-8", shown(text) if not text.isascii() else ())


def _mostly_utf8(data: bytes) -> Decoded | None:
    # Two files put together: letters of one are UTF-8, a few of the other are not.
    text = data.decode("utf-8", "surrogateescape")
    strays, whole = len(_STRAY.findall(text)), len(_WHOLE.findall(text))
    if strays * 3 > whole:
        return None
    text = _STRAY.sub(lambda found: bytes([ord(found[0]) - 0xDC00]).decode("cp1252", "replace"), text)
    return Decoded(text, "utf-8", shown(text), strays=strays)


_STRAY = re.compile("[\udc80-\udcff]")
_WHOLE = re.compile("[^\x00-\x7f\udc80-\udcff]")


def _likeliest(data: bytes) -> Decoded:
    sample = b" ".join(_words_beyond_ascii(data))
    for score, encoding, read in (readings := sorted(_readings(sample), key=lambda reading: -reading[0])):
        if score <= 0:
            break
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        least = score - _DOUBT * len(_WHOLE.findall(read))
        near = next((each for each in readings if each[2] != read and each[0] > least), None)
        return Decoded(text, encoding, shown(text), (near[1], _differs(near[2], read)) if near else None)
    return _guessed(data, sample)


def _differs(other: str, read: str) -> str:
    return next(one for one, same in zip(other.split(), read.split(), strict=False) if one != same)


def _guessed(data: bytes, sample: bytes) -> Decoded:
    # Scripts that we have no alphabet of are left to the library, which knows many and needs long texts.
    from charset_normalizer import from_bytes  # noqa: PLC0415 - hardly a file needs it

    found = from_bytes(sample).best()
    encoding = found.encoding if found else "cp1252"
    text = data.decode(encoding, "replace")
    return Decoded(text, encoding, shown(text), (encoding, next(iter(shown(text)), "")))


_DOUBT = 0.5
"""Two readings are both possible if their scores differ by no more than this."""


def _words_beyond_ascii(data: bytes) -> Iterator[bytes]:
    seen, size = set[bytes](), 0
    for found in islice(_WORD.finditer(data), MOST_SAMPLED):
        if found[0] not in seen and size < MOST_SAMPLED:
            seen.add(found[0])
            size += len(found[0])
            yield found[0]


def _readings(sample: bytes) -> Iterator[tuple[float, str, str]]:
    for place, encoding in enumerate(_UNMARKED):
        try:
            read = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        letters = {sign.lower() for sign in read if not sign.isascii() and sign.isalpha()}
        one_language = any(letters <= alphabet for alphabet in _ALPHABETS)
        words = read.split()
        bonus = (2.0 + len(words) / 2) * one_language
        yield sum(map(_score, words)) + bonus - place * 0.05, encoding, read


@lru_cache(maxsize=4096)
def _score(word: str) -> float:
    """How likely a word is: usual letters count for it; signs, capitals and two scripts inside it against it."""
    letters = {sign.lower() for sign in word if not sign.isascii() and sign.isalpha()}
    one_script = len({_script(sign) for sign in word if sign.isalpha()}) <= 1
    fits = 1.0 if not letters or any(letters <= alphabet for alphabet in _ALPHABETS) else -1.5
    crowded = sum(map(len, _CROWD.findall(word))) if _script(word[0]) == "LATIN" else 0
    signs = zip(f" {word}"[:-1], word, f"{word[1:]} ", strict=True)
    return sum(_of_a_sign(*three) for three in signs) + fits - 2.0 * crowded - (0.0 if one_script else 4.0)


def _of_a_sign(before: str, sign: str, after: str) -> float:
    if sign.isascii() or sign in "’‘":
        return 0.0
    if not sign.isalpha():
        if unicodedata.category(sign) in ("Cc", "Co", "Cn"):
            return -6.0
        return -4.0 if before != " " and after != " " else 0.0 if sign in "–—“”„…" else -1.0
    if sign.isupper() and before.islower():
        return -3.0
    if sign.islower() and (before.isupper() or before == " ") and (after.isupper() or after == " "):
        return -2.0
    return _COMMON.get(sign, _BY_SCRIPT.get(_script(sign), -0.5)) - (0.5 if before == " " and sign.islower() else 0.0)


@lru_cache(maxsize=4096)
def _script(sign: str) -> str:
    name = unicodedata.name(sign, "?").partition(" ")[0]
    return {"HIRAGANA": "CJK", "KATAKANA": "CJK"}.get(name, name)


def _letters_of(encoding: str, first: int, last: int) -> dict[str, int]:
    """The letters that bytes of UTF-8 become when a program takes them for ``encoding``.

    Programs that say Windows-1252 and mean ISO 8859-1 leave control characters, which stand for their bytes too.
    """
    read = {bytes([byte]).decode(encoding, "ignore"): byte for byte in range(first, last + 1)}
    controls = {chr(byte): byte for byte in range(first, last + 1)} if encoding == "cp1252" else {}
    return {sign: byte for sign, byte in (controls | read).items() if sign}


@lru_cache
def _taken_for(encoding: str) -> tuple[re.Pattern[str], re.Pattern[str], dict[str, int]]:
    ranges = {"two": (0xC3, 0xDF), "three": (0xE1, 0xEF), "next": (0x80, 0xBF)}
    signs = {name: f"[{re.escape(''.join(_letters_of(encoding, *ends)))}]" for name, ends in ranges.items()}
    pattern = "{two}{next}|{three}{next}{next}".format(**signs)
    leads = re.compile("{two}|{three}".format(**signs))
    return leads, re.compile(pattern), _letters_of(encoding, 0x80, 0xFF)


def _repaired(found: Decoded) -> Decoded:
    """UTF-8 that a program took for Windows-1252 or Mac Roman and encoded again: ``Ã¼`` is ``ü``."""
    for encoding in () if found.text.isascii() else ("cp1252", "mac_roman"):
        leads, pattern, bytes_of = _taken_for(encoding)
        first = leads.search(found.text) and pattern.search(found.text)
        if first and (text := pattern.sub(partial(_once, bytes_of), found.text)) != found.text:
            before = word_at(found.text, first.start())
            after = pattern.sub(partial(_once, bytes_of), before)
            text = text.removeprefix("\ufeff")
            return replace(found, text=text, words=shown(text), repaired=(before, after.strip("\ufeff")))
    return found


def _once(bytes_of: Mapping[str, int], run: re.Match[str]) -> str:
    letter = bytes(bytes_of[sign] for sign in run[0]).decode("utf-8", "ignore")
    return letter if letter and (letter.isalpha() or letter in _SIGNS) else run[0]


_SIGNS = "’‘–—“”„…€\ufeff"


def word_at(text: str, offset: int) -> str:
    """The word of a cell around an offset."""
    begins = re.search(r"[^\s,;|\t\"]*$", text[max(0, offset - 40) : offset])
    ends = re.match(r"[^\s,;|\t\"]*", text[offset : offset + 40])
    return (begins[0] if begins else "") + (ends[0] if ends else "")


def shown(text: str) -> tuple[str, ...]:
    """The first words with letters beyond a-z."""
    words: dict[str, None] = {}
    for found in islice(re.finditer(r"[^\x00-\x7f]+", text[:MOST_LOOKED_AT]), MOST_SAMPLED):
        words.setdefault(word_at(text, found.start()))
        if len(words) == MOST_WORDS:
            break
    return tuple(words)
