"""Detector of places to the house: street addresses, and coordinates on the globe.

A town alone is not here. Each pattern begins at a house number or a word for a street.
"""

import re
from collections.abc import Iterator
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.reading.text import (
    Reading,
    TextDetector,
    has_any,
)
from cipherset.pipeline.sanitize.spans import Span

_NAME: Final = r"[^\W\d_][\w'\u2019.-]{0,30}"  # one word of a street or a town
_CAPITAL: Final = r"(?:[A-Z\u00c0-\u00de][\w'\u2019.-]{0,30}|[0-9]{1,3}(?:st|nd|rd|th))"
_STREET: Final = (
    "street|avenue|road|boulevard|lane|drive|court|terrace|place|square|parkway|highway|crescent"
    "|close"
    "|circle|trail|alley|gardens|grove|mews|plaza|turnpike|expressway|freeway"
)
_STREET_SHORT: Final = "st|ave|rd|blvd|ln|dr|ct|ter|pl|sq|pkwy|hwy|cres|cir|trl"
_STREET_CAPITAL: Final = (
    "Way|WAY|Row|ROW|Walk|WALK|Loop|LOOP|Run|RUN|Pike|PIKE|Path|PATH|Cl|Hill|HILL|Rise|View|Park"
)
_SIDE: Final = r"(?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.?\s)?"
_UNIT: Final = (
    r"(?:,?\s(?:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|bldg|building|#"
    r"|no)\.?\s?#?[\w-]{1,8}"
    r"|,?\s#\s?[\w-]{1,8})?"
)
_ZIP: Final = (
    r"(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z]"
    r" ?[0-9][A-Z][0-9]|[0-9]{4})"
)
_TOWN: Final = (
    rf"(?:,?\s{_CAPITAL}(?:\s{_CAPITAL}){{0,2}},?\s(?:[A-Z]{{2,3}},?\s)?{_ZIP}(?!\w)"
    rf"|,\s{_CAPITAL}(?:\s{_CAPITAL}){{0,2}},\s[A-Z]{{2}}(?!\w))?"
)
_ENGLISH: Final = re.compile(
    rf"[0-9](?<![\w.$#/-].)[0-9]{{0,5}}(?:-?[A-Za-z](?![\w])|[-/][0-9]{{1,5}})?,?\s{_SIDE}"
    rf"(?:{_CAPITAL}\s){{1,4}}(?:(?i:{_STREET}|{_STREET_SHORT})"
    rf"|{_STREET_CAPITAL})\b\.?(?:\s(?:NE|NW|SE|SW|N|S|E|W)\b\.?)?(?i:{_UNIT}){_TOWN}"
)
# A street that is not called one, where town, state and code follow: "100 Broadway, ..."
_ENGLISH_WHOLE: Final = re.compile(
    rf"[0-9](?<![\w.$#/-].)[0-9]{{0,5}}\s{_SIDE}{_CAPITAL}(?:\s{_CAPITAL}){{0,3}}(?i:{_UNIT}),\s"
    rf"{_CAPITAL}(?:\s{_CAPITAL}){{0,2}},?\s[A-Z]{{2}},?\s[0-9]{{5}}(?:-[0-9]{{4}})?(?!\w)"
)
_ENGLISH_SMALL: Final = re.compile(
    rf"[0-9](?<![\w.$#/-].)[0-9]{{0,5}}\s(?!(?:hour|minute|min|mile|km|kms|day|star|way|lane|and"
    rf"|of|the|more|other|km)\b)"
    rf"[a-z]{{3,20}}(?:\s[a-z]{{3,20}})?\s(?:street|avenue|road|boulevard|lane|drive|st|ave|rd"
    rf"|blvd)\b{_UNIT}",
    re.IGNORECASE,
)
_BOX: Final = re.compile(
    r"\b(?:P\.?\s?O\.?\s?Box|Post Office Box|Postfach|Apartado(?: de Correos)?|Bo\u00eete"
    r" Postale|Casella Postale|Caixa Postal|Postbus)"
    rf"\s?(?:No\.?\s?)?[0-9]{{1,6}}{_TOWN}",
    re.IGNORECASE,
)
_NUMBER: Final = (
    r"[0-9]{1,5}(?:\s?[-/]\s?[0-9]{1,4}(?![0-9.]{0,3}[\u00ba\u00aa\u00b0]))?(?:[\s-]?[a-zA-Z](?![\w]))?"
    r"(?:[\s-](?:bis|ter|hs|huis|I{1,3}|[0-9])(?!\w))?"
)
# The stair, the floor and the door: "2\u00ba izq.", "1.\u00ba Dto", "piso 3", "bajo".
_DOOR: Final = (
    r"(?:(?:,|\s-)?\s(?:[0-9]{1,2}\.?[\u00ba\u00aa\u00b0](?:\s?-?\s?(?:[A-Z]|(?:izq|dcha|der|ext|int|esq"
    r"|dto|dir|fte|frt)\.?"
    r"|izquierda|derecha|esquerdo|direito|[0-9]{1,2}[\u00ba\u00aa]?)(?!\w))?"
    r"|(?:piso|planta|puerta|pta\.?|esc\.?|escalera|portal|andar|apto\.?|bloco|bloque|local"
    r"|bus|appartement|app?t?\.|\u00e9tage|int\.|interno|scala|top|t\u00fcr)\s?[\w-]{1,4}"
    r"|bajo|entresuelo|\u00e1tico|r/c|s/n)(?!\w)){0,3}"
)
_ZIP_TOWN: Final = (
    r"(?:[A-Z]{1,2}-)?(?:[0-9]{4}\s?[A-Z]{2}(?!\w)|[0-9]{5}-[0-9]{3}|[0-9]{4}-[0-9]{3}"
    r"|[0-9]{2}-[0-9]{3}"
    r"|[0-9]{3}\s[0-9]{2}|[0-9]{4,5})(?!\w)"
    rf"\s(?:(?:d[eoa]s?|el|la|los|las|den|am|an der|sur|sous|en|op)\s)?{_CAPITAL}"
    rf"(?:[\s-](?:(?:d[eoa]s?|del|la|am|an der|bei|aan den|sur|upon|a/d)\s)?{_CAPITAL}){{0,3}}"
)
_TOWN_ZIP: Final = (  # Brazil's, after town and state
    rf"{_CAPITAL}(?:\s(?:d[eoa]s?\s)?{_CAPITAL}){{0,3}}(?:\s?[-,/]\s?[A-Z]{{2}}(?!\w))?(?:,"
    rf"|\s-)?\s(?:CEP:?\s)?[0-9]{{5}}-[0-9]{{3}}(?!\w)"
)
_TOWN_AFTER_ZIP: Final = rf"(?i:{_DOOR})(?:(?:,|\s-)?\s(?:{_ZIP_TOWN}|{_TOWN_ZIP}))?"
_GERMANIC: Final = re.compile(
    r"(?<!\w)(?:[A-Z\u00c4\u00d6\u00dc][\w-]{1,40}(?:stra\u00dfe|strasse|str\.|weg|platz|allee"
    r"|gasse|damm|ufer"
    r"|straat|laan|plein|gracht|wal|steeg|dreef|hof|pad|weide|markt|haven"
    r"|kade|dijk|singel|gata|gatan|vej|vejen|gade|gaten|veien|v\u00e4gen|katu|tie)"
    r"|(?:[A-Z\u00c4\u00d6\u00dc][\w.-]{1,30}\s){1,2}(?:Stra\u00dfe|Strasse|Str\.|Weg|Platz"
    r"|Allee|Gasse|Damm|Ufer|Ring))"
    rf"\s{_NUMBER}{_TOWN_AFTER_ZIP}"
)
# A street that is not called one, where code and town follow: "Lange Voorhout 34, 2514 EE Delft".
_BEFORE_CODE: Final = re.compile(
    r"[A-Z\u00c0-\u00de](?<!\w.)[\w.'\u2019-]{1,30}"
    rf"(?:\s(?:(?:de[nr]?|van|von|dem|am|zum|zur|ul\.|al\."
    rf"|os\.)\s){{0,2}}{_CAPITAL}){{0,3}}\s{_NUMBER},?\s{_ZIP_TOWN}"
)
_OF: Final = (
    r"(?:(?:de la|de los|de las|de l'|de|du|des|del|della|dei|delle|di|do|da|dos|das|la|le"
    r"|les|el)\s"
    r"|[ld]['\u2019])"
)
_ROMANCE_NAME: Final = (
    rf"\s?(?<=[\s/]){_OF}{{0,2}}{_CAPITAL}(?:\s(?:{_OF}|y\s|e\s|et\s)?{_CAPITAL}){{0,3}}"
)
_NUMBER_FIRST: Final = re.compile(
    r"[0-9](?<![\w.$#/-].)[0-9]{0,3}(?:\s?(?:bis|ter|[A-Z])(?!\w))?,?\s"
    r"(?i:rue|avenue|av\.|boulevard|bd|place|chemin|impasse|all\u00e9e|quai|route|cours|square"
    r"|passage)" + _ROMANCE_NAME + _TOWN_AFTER_ZIP
)
_NUMBER_LAST: Final = re.compile(
    r"(?<!\w)(?:(?i:rue|calle|avenida|avda\.?|av\.|boulevard|viale|piazza|piazzale|vicolo|rua"
    r"|travessa|pra\u00e7a"
    r"|alameda|paseo|pza\.|plza\.|ctra\.|camino|carrer|rodovia|strada)|C/|R\.|Trav\.|Via|Corso"
    r"|Largo|Plaza|Estrada|Carrera|Ronda|Rambla)"
    + _ROMANCE_NAME
    + rf",?\s(?:(?i:n)[\u00ba\u00b0o.]{{1,2}}\s?)?{_NUMBER}{_TOWN_AFTER_ZIP}"
)
_ROMANCE_HINT: Final = (
    *(
        "rue",
        "calle",
        "avenid",
        "av.",
        "avda",
        "c/",
        "boulevard",
        "viale",
        "piazza",
        "vicolo",
        "rua",
    ),
    *(
        "trav",
        "pra\u00e7a",
        "alameda",
        "paseo",
        "via ",
        "corso",
        "largo",
        "plaza",
        "estrada",
        "carrer",
    ),
    *("ronda", "rambla", "pza", "plza", "ctra", "camino", "rodovia", "strada", "r. "),
)
_GERMANIC_HINT: Final = (
    *("stra\u00dfe", "strasse", "str.", "weg", "platz", "allee", "gasse", "damm", "ufer", "ring"),
    *("straat", "laan", "plein", "gracht", "kade", "dijk", "singel", "gat", "vej", "gade", "wal"),
    *(
        "steeg",
        "dreef",
        "hof",
        "pad",
        "weide",
        "markt",
        "haven",
        "veien",
        "v\u00e4gen",
        "katu",
        "tie",
    ),
)

_PLACE: Final = re.compile(
    r"[-+]?[0-9](?<![\w.].)(?<![\w.][-+].)[0-9]{0,2}\.[0-9]{2,12}\u00b0?\s?[NS]?\s?[,;/ ]\s?"
    r"[-+]?[0-9]{1,3}\.[0-9]{2,12}(?:\u00b0?\s?[EW]\b|\u00b0)?(?![0-9]|\s?[,;]\s?[-+]?[0-9])"
)
_DEGREES: Final = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{1,8})?\s?\u00b0\s?(?:[0-9]{1,2}(?:\.[0-9]{1,6})?\s?['\u2032\u2019]\s?)?"
    r"(?:[0-9]{1,2}(?:\.[0-9]{1,4})?\s?(?:\"|\u2033|\u201d|'')\s?)?[NSOEW](?!\w)"
    r"(?:[,;\s]{0,3}[0-9]{1,3}(?:\.[0-9]{1,8})?\s?\u00b0\s?(?:[0-9]{1,2}(?:\.[0-9]{1,6})?\s?['\u2032\u2019]\s?)?"
    r"(?:[0-9]{1,2}(?:\.[0-9]{1,4})?\s?(?:\"|\u2033|\u201d|'')\s?)?[NSOEW](?!\w))?"
)
_PAIR: Final = re.compile(
    r"\blat(?:itude)?[\"']?\s?(?:[:=]"
    r"|is)?\s?[\"']?([-+]?[0-9]{1,2}(?:\.[0-9]{1,15})?)[\"']?\s?[,;/&]?\s?(?:and\s)?"
    r"[\"']?\b(?:lon|lng|long|longitude)[\"']?\s?(?:[:=]"
    r"|is)?\s?[\"']?([-+]?[0-9]{1,3}(?:\.[0-9]{1,15})?)(?![0-9])",
    re.IGNORECASE,
)
_GLOBE: Final = re.compile(
    r"(?:gps|coord\w{0,10}|location|located|position|lat ?/ ?lon?n?g?|latlng|lat,lon"
    r"|ubicaci\u00f3n|standort|posici\u00f3n"
    r"|koordinat\w{0,4}|geo|pin|point|localiza\w{0,6})\W{0,4}(?:is|are|at|ist|:|=)?\W{0,4}\Z",
    re.IGNORECASE,
)
_GLOBE_REACH: Final = 32
_GLOBE_HINTS: Final = ("lat", "lon", "lng")
_LABELED: Final = re.compile(
    r"\b(?:lat|latitude|lon|lng|long|longitude)[\"']?\s?(?:[:=]"
    r"|is)?\s?[\"']?([-+]?[0-9]{1,3}\.[0-9]{2,15})(?![0-9])",
    re.IGNORECASE,
)
_DECIMALS: Final = 4  # of a degree, eleven meters: fewer are measures of other things


class AddressDetector(TextDetector):
    """``STREET_ADDRESS``: a house, with its town where that follows; ``COORDINATES``."""

    name = "addresses"
    version = "2"
    entities = frozenset({"STREET_ADDRESS", "COORDINATES"})
    n_digits = 1

    def spans(self, reading: Reading) -> Iterator[Span]:
        text = reading.text
        for match in _streets(text, reading.small):
            end = match.start() + len(match.group().rstrip(" ,.-"))
            yield Span(match.start(), end, "STREET_ADDRESS")
        if reading.n_digits >= _POINT_DIGITS and "." in text:
            yield from _points(text, reading.small)
        if "\u00b0" in text:
            for match in _DEGREES.finditer(text):
                yield Span(match.start(), match.end(), "COORDINATES")


_HOUSE: Final = re.compile(
    r"[0-9](?<![\w.$#/-].)[0-9]{0,5}(?:\s?(?:bis|ter|[A-Za-z])(?!\w)"
    r"|[-/][0-9]{1,5})?,?\s(?=[\w\"'(])"
)
# A street before its number.
_NUMBERED: Final = re.compile(
    r"[A-Z\u00c0-\u00de](?<!\w.)[\w.'\u2019-]{0,40},?\s(?:[nN][\u00ba\u00b0o.]{1,2}\s?)?[0-9]"
)
_CODE: Final = re.compile(r"[0-9]{2,5}[ -]?(?:[A-Z]{2}|[0-9]{2,3})? [A-Z\u00c0-\u00de]")
_POINT_DIGITS: Final = 4  # of a latitude and a longitude


def _streets(text: str, small: str) -> Iterator[re.Match[str]]:
    """Each pattern is tried only where there is what it begins with, or a word of it."""
    for house in _HOUSE.finditer(text):
        yield from _at_house(text, house.start())
    if "box" in small or "post" in small or "apartado" in small:
        yield from _BOX.finditer(text)
    if _NUMBERED.search(text) is None:
        return
    if has_any(small, _ROMANCE_HINT):
        yield from _NUMBER_LAST.finditer(text)
    if has_any(small, _GERMANIC_HINT):
        yield from _GERMANIC.finditer(text)
    if _CODE.search(text) is not None:
        yield from _BEFORE_CODE.finditer(text)


def _at_house(text: str, start: int) -> Iterator[re.Match[str]]:
    for pattern in (_ENGLISH, _ENGLISH_WHOLE, _ENGLISH_SMALL, _NUMBER_FIRST):
        match = pattern.match(text, start)
        if match is not None:
            yield match


def _points(text: str, small: str) -> Iterator[Span]:
    for match in _PLACE.finditer(text) if text.count(".") > 1 else ():
        listed = _LISTED.search(text[max(0, match.start() - 3) : match.start()])
        before = text[max(0, match.start() - _GLOBE_REACH) : match.start()]
        if not listed and _is_point(match.group(), called=_GLOBE.search(before) is not None):
            yield Span(match.start(), match.end(), "COORDINATES")
    if not has_any(small, _GLOBE_HINTS):
        return
    for match in _PAIR.finditer(text):
        yield Span(*match.span(1), "COORDINATES")
        yield Span(*match.span(2), "COORDINATES")
    for match in _LABELED.finditer(text):
        yield Span(match.start(1), match.end(1), "COORDINATES")


def _is_point(pair: str, *, called: bool) -> bool:
    """A latitude and a longitude: said so by a sign or a letter, or too precise for measures."""
    numbers = _FLOAT.findall(pair)
    latitude, longitude = (abs(float(number)) for number in numbers)
    short = any(len(number.partition(".")[2]) < _MEASURE_DECIMALS for number in numbers)
    signed = "-" in pair and min(latitude, longitude) >= _SMALL and "," in pair
    said = called or signed or (not short and (pair[-1].isalpha() or "\u00b0" in pair))
    precise = all(len(number.partition(".")[2]) >= _DECIMALS for number in numbers)
    far = max(latitude, longitude) >= _SMALL  # almost all land is
    return latitude <= 90 and longitude <= 180 and (said or (precise and far))


_MEASURE_DECIMALS: Final = 3
_SMALL: Final = 10  # degrees from where equator and meridian meet
_LISTED: Final = re.compile(r"[0-9]\s?[,;]\s?\Z")
_FLOAT: Final = re.compile(r"[-+]?[0-9]{1,3}\.[0-9]{1,16}")
