"""Countries by their names in people's languages, their codes of two, three letters or digits; regions; languages.

The names are those of CLDR, which Babel carries, and the forms that systems have besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from commsengine.authoring.people.headings import bare
from commsengine.text import listed, near_names, near_or
from commsengine.translation import _, cached

_NOT_ISO = ("EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "DG", "EA", "IC", "TA", "CQ")
_LANGUAGES = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "sv",
    "da",
    "nb",
    "fi",
    "cs",
    "hu",
    "tr",
    "ja",
    "ko",
    "zh",
    "ru",
)
_MORE_LANGUAGES = "ro el uk bg hr sk sl et lv lt he ar hi th vi ca id"
_FORMS = {
    "GB": "UK|U.K.|Great Britain|England|Scotland|Wales|Northern Ireland|Britain|"
    "United Kingdom of Great Britain and Northern Ireland|GB-UKM",
    "US": "USA|U.S.A.|U.S.|United States of America|Vereinigte Staaten von Amerika|Etats-Unis d'Amérique|"
    "Estados Unidos de América|EEUU|EE.UU.",
    "KR": "Korea|South Korea|Republic of Korea|Korea, Republic of|Korea (South)|Korea, South|Korea Republic",
    "KP": "North Korea|Korea, Democratic People's Republic of|Democratic People's Republic of Korea|"
    "Korea (North)|Korea, North",
    "CZ": "Czech Republic|Czechia|Tschechien|Tschechische Republik|République tchèque|República Checa",
    "NL": "Holland|The Netherlands|Netherlands, The|Kingdom of the Netherlands",
    "AE": "UAE|U.A.E.|Emirates|VAE",
    "IE": "Ireland, Republic of|Republic of Ireland|Eire|Ireland (Republic)|Ireland {Republic}|Irish Republic",
    "RU": "Russian Federation|Russland|Russische Föderation",
    "TR": "Turkey|Türkei|Turquie|Turquía|Türkiye",
    "CH": "Switzerland (CH)|Swiss Confederation|Suisse",
    "MK": "Macedonia|FYROM|Macedonia, the former Yugoslav Republic of",
    "VN": "Viet Nam|Vietnam",
    "LA": "Lao People's Democratic Republic|Laos",
    "SY": "Syrian Arab Republic|Syria",
    "IR": "Iran, Islamic Republic of|Islamic Republic of Iran",
    "MD": "Moldova, Republic of|Republic of Moldova",
    "BO": "Bolivia, Plurinational State of|Bolivia (Plurinational State of)",
    "TZ": "Tanzania, United Republic of|United Republic of Tanzania",
    "VE": "Venezuela, Bolivarian Republic of|Venezuela (Bolivarian Republic of)",
    "TW": "Taiwan, Province of China|Taiwan, Republic of China|Chinese Taipei|Taiwan (Province of China)",
    "HK": "Hong Kong|Hongkong|Hong Kong SAR",
    "MO": "Macau|Macao|Macao SAR",
    "BN": "Brunei Darussalam",
    "CI": "Ivory Coast|Elfenbeinküste",
    "CV": "Cape Verde|Kapverden",
    "SZ": "Swaziland|Swasiland",
    "MM": "Burma|Birma",
    "TL": "East Timor|Osttimor",
    "PS": "Palestine|Palestine, State of|State of Palestine",
    "CD": "Democratic Republic of the Congo|Congo, Democratic Republic of the|DR Congo|DRC|"
    "Congo, The Democratic Republic of the",
    "CG": "Republic of the Congo|Congo, Republic of the",
    "CN": "People's Republic of China|PRC|Mainland China|China, People's Republic of",
    "SK": "Slovak Republic|Slowakische Republik|República Eslovaca",
    "BY": "Weißrussland|Belorussia",
    "XK": "Kosovo, Republic of",
    "FM": "Micronesia, Federated States of",
    "VA": "Holy See|Holy See (Vatican City State)",
    "BA": "Bosnia|Bosnia-Herzegovina",
    "TT": "Trinidad",
}
"""Forms that stand beside the names of CLDR."""

LIKE_A_COUNTRY = 0.84

_REGIONS = {
    "DE": "bavaria=BY|saxony=SN|lower saxony=NI|north rhine-westphalia=NW|rhineland-palatinate=RP|hesse=HE|"
    "thuringia=TH|saxony-anhalt=ST|nrw=NW|bavière=BY|baviera=BY|hamburg (hanseatic city)=HH|"
    "brandenburg region=BB",
    "AT": "vienna=9|tyrol=7|carinthia=2|styria=6|lower austria=3|upper austria=4",
    "CH": "zurich=ZH|geneva=GE|genf=GE|lucerne=LU|basel-city=BS|grisons=GR|waadt=VD|tessin=TI|neuenburg=NE|"
    "st. gallen=SG",
    "ES": "catalonia=CT|andalusia=AN|basque country=PV|euskadi=PV|comunidad de madrid=MD|canary islands=CN|"
    "balearic islands=IB|valencia=VC|comunidad valenciana=VC|comunitat valenciana=VC|navarre=NC|"
    "comunidad foral de navarra=NC|región de murcia=MC|principado de asturias=AS|castile and leon=CL|"
    "castilla la mancha=CM",
    "US": "washington dc=DC|washington, d.c.=DC",
    "GB": "ulster=NIR",
}
"""Names of regions in other languages than those that the calendars of holidays have."""


@cache
def countries() -> Mapping[str, str]:
    """Every country's code of two letters with its English name."""
    from babel import Locale  # noqa: PLC0415 - it is large, and few commands need it

    named = Locale("en").territories
    return {code: name for code, name in named.items() if re.fullmatch("[A-Z]{2}", code) and code not in _NOT_ISO}


@cache
def _by_name() -> Mapping[str, str]:
    """Codes by bare name; a name that means two countries in two languages is none, unless English has it."""
    from babel import Locale  # noqa: PLC0415 - it is large, and few commands need it

    english = {bare(name): code for code, name in countries().items()}
    english |= {bare(form): code for code, forms in _FORMS.items() for form in forms.split("|")}
    other: dict[str, set[str]] = {}
    for language in _LANGUAGES[1:]:
        for code, name in Locale(language).territories.items():
            if code in countries():
                other.setdefault(bare(name), set()).add(code)
    return {name: next(iter(codes)) for name, codes in other.items() if len(codes) == 1} | english


@cache
def _by_code() -> Mapping[str, str]:
    # CLDR lists codes of three letters and of three digits as other names of the code of two
    from babel.core import get_global  # noqa: PLC0415 - it is large, and few commands need it

    aliases = get_global("territory_aliases")
    return {code: to[0] for code, to in aliases.items() if len(code) == 3 and len(to) == 1 and to[0] in countries()}


@lru_cache(maxsize=4096)
def country_of(written: str) -> str:
    """The code of two letters; empty where the word is none that we know."""
    upper = written.strip().upper()
    if upper in countries():
        return upper
    code = upper.zfill(3) if upper.isdigit() else upper
    plain = re.sub(r"(?i)^(the|la|le|les|el|die|der) ", "", written.strip())
    return _by_code().get(code) or _by_name().get(bare(written)) or _by_name().get(bare(plain)) or _with_code(written)


_WITH_CODE = re.compile(
    r"(?P<name>[^()\[\]]+?) ?[(\[](?P<code>[A-Z]{2,3})[)\]]|(?P<first>[A-Z]{2,3}) ?[-–:|/] ?(?P<rest>[^()\[\]]+)"
)


def _with_code(written: str) -> str:
    # 'Germany (DE)', 'DE - Germany': the code counts unless the name is another country
    found = _WITH_CODE.fullmatch(written.strip())
    if not found:
        return ""
    code, name = country_of(found["code"] or found["first"]), country_of(found["name"] or found["rest"])
    return code if name in ("", code) else ""


@cached
def country_fix(written: str) -> str | None:
    """``None`` for a country that is known, else what may be meant."""
    if country_of(written):
        return None
    names = {name.casefold(): code for code, name in countries().items()}
    near = near_names(written, names, 1, LIKE_A_COUNTRY) if len(written) > 3 else []
    if near:
        code = names[near[0]]
        return _("Did you mean '{code}' ({name})?", code=code, name=countries()[code])
    return _("Write the country's name or the two letters of ISO 3166, such as 'DE', or leave the cell empty.")


@cache
def _subdivisions() -> dict[str, list[str]]:
    import holidays  # noqa: PLC0415 - it is large, and few commands need it

    return holidays.list_supported_countries(include_aliases=True)


@cache
def _regions_by_name(country: str) -> Mapping[str, str]:
    import holidays  # noqa: PLC0415 - it is large, and few commands need it

    named = getattr(type(holidays.country_holidays(country)), "subdivisions_aliases", {})
    known = {bare(code): code for code in _subdivisions().get(country, [])}
    pairs = (pair.split("=") for pair in _REGIONS.get(country, "").split("|") if pair)
    other = {bare(name): code for name, code in pairs}
    return {bare(name): code for name, code in named.items()} | other | known


@lru_cache(maxsize=4096)
def region_of(country: str, written: str) -> str:
    """The code of a region with holidays of its own; as written where the country has none; else empty."""
    known = _subdivisions().get(country, [])
    if not known or written in known:
        return written
    plain = re.sub(rf"^{country}[-_ ]", "", written.upper())
    return plain if plain in known else _regions_by_name(country).get(bare(written), "")


@cached
def region_fix(country: str, written: str) -> str | None:
    """``None`` for a region with known holidays, or a country without regional ones; else what to write."""
    if region_of(country, written):
        return None
    known = _subdivisions().get(country, [])
    some = listed(known[:3])
    instead = _("Write a region of {country}, such as {names}, or leave the cell empty.", country=country, names=some)
    return near_or(written, known, instead)


@cache
def _languages() -> Mapping[str, str]:
    from babel import Locale  # noqa: PLC0415 - it is large, and few commands need it

    found: dict[str, str] = {}
    for shown in _LANGUAGES:
        names = Locale(shown).languages
        for code in (*_LANGUAGES, *_MORE_LANGUAGES.split()):
            for each in (names.get(code, ""), Locale(code).languages.get(code, "")):
                if each:
                    found.setdefault(bare(each), code)
    return found


@lru_cache(maxsize=4096)
def language_of(written: str) -> str:
    """The code of a language that is written as ``German``, ``Deutsch`` or ``German (Germany)``; empty for others."""
    plain = re.sub(r" ?[\[(][\w -]*[\])]$", "", written)
    if not re.fullmatch(r"[\w -]+", plain):
        return ""
    return _languages().get(bare(written)) or _languages().get(bare(plain), "")
