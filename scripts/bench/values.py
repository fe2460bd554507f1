"""Values that are valid by their checksum and belong to nobody, by kind; all drawn from one seed.

``make_kinds`` says which entity a kind is, None where it is of no person. A kind that is not listed
here has a list of words of its own in words.txt.
"""

import hashlib
import string
from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np
import phonenumbers
from shapes import DATES, MONEY, OTHER, TOKENS, VALID
from stdnum import iban as iban_check

Make = Callable[[np.random.Generator], str]
DIGITS, LETTERS = string.digits, string.ascii_uppercase
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
ALPHANUMERIC = string.ascii_letters + DIGITS
TRIES = 100_000


def drawn(rng: np.random.Generator, letters: str, n: int) -> str:
    return "".join(letters[i] for i in rng.integers(len(letters), size=n))


def one_of(rng: np.random.Generator, *choices: str) -> str:
    return choices[rng.integers(len(choices))]


def shaped(rng: np.random.Generator, shape: str) -> str:
    """``shape`` with its signs filled in; any other sign stands.

    ``9`` a digit, ``8`` one that is not 0, ``A`` a capital, ``B`` a consonant, ``a`` a small
    letter, ``h`` a hexadecimal digit, ``*`` a capital or a digit, and two digits each for ``y`` a
    year, ``m`` a month, ``d`` a day.
    """
    pools = {"9": DIGITS, "A": LETTERS, "a": LETTERS.lower(), "h": "0123456789abcdef"}
    pools |= {
        "*": LETTERS + DIGITS,
        "B": "BCDFGHJKLMNPRSTVWXYZ",
        "8": "123456789",
    }
    ranges = {"y": (45, 100), "m": (1, 13), "d": (1, 29)}
    out = []
    for sign in shape:
        if sign in pools:
            out.append(drawn(rng, pools[sign], 1))
        elif sign in ranges:
            out.append(f"{rng.integers(*ranges[sign]):02d}")
        else:
            out.append(sign)
    return "".join(out)


def numbered(rng: np.random.Generator, words: str) -> str:
    """``words`` with a digit for each ``9``."""
    return "".join(drawn(rng, DIGITS, 1) if sign == "9" else sign for sign in words)


def literal(rng: np.random.Generator, *shapes: str) -> str:
    return shaped(rng, one_of(rng, *shapes))


def valid(rng: np.random.Generator, module: str, shape: str, cut: str = "") -> str:
    """The first draw of ``shape`` that ``stdnum.module`` accepts, cut as ``cut`` says."""
    check = import_module(f"stdnum.{module}")
    for _ in range(TRIES):
        number = shaped(rng, shape)
        if check.is_valid(number):
            return punctuated(number, cut) if cut else number
    raise SystemExit(f"no valid {module} of shape {shape}")


def punctuated(number: str, cut: str) -> str:
    """``number`` with the signs of ``cut`` between its own, which are ``#`` there."""
    rest = iter(number)
    return "".join(next(rest) if sign == "#" else sign for sign in cut)


def luhn(payload: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(payload)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return payload + str(-total % 10)


CARDS = (
    ("4", 16), ("51", 16), ("55", 16), ("2223", 16), ("6011", 16), ("34", 15), ("37", 15),
    ("36", 14), ("3530", 16), ("65", 16),
)  # fmt: skip


def card(rng: np.random.Generator, sign: str = "", *, wrong: int = 0) -> str:
    start, length = CARDS[rng.integers(len(CARDS) if wrong == 0 else 5)]
    number = luhn(start + drawn(rng, DIGITS, length - 1 - len(start)))
    number = number[:-1] + str((int(number[-1]) + wrong) % 10)
    cuts = {16: (4, 8, 12), 15: (4, 10), 14: (4, 10)}[length]
    return sign.join(number[a:b] for a, b in zip((0, *cuts), (*cuts, length), strict=True))


# Country and, after two check digits that are left out, the rest.
IBANS = (
    "DE999999999999999999 FR99999999999999999999999 GBAAAA99999999999999 NLAAAA9999999999 "
    "ITA9999999999999999999999 ES99999999999999999999 AT9999999999999999 CH99999999999999999 "
    "PL999999999999999999999999 SE99999999999999999999 DK99999999999999 PT999999999999999999999 "
    "IEAAAA99999999999999 LU9999999999999999 SA99999999999999999999 AE9999999999999999999 "
    "TR9999909999999999999999 FI99999999999999 CZ99999999999999999999 GR99999999999999999999999 "
    "NO99999999999 BE999999999999 ROAAAA9999999999999999 HR99999999999999999"
)


def iban(rng: np.random.Generator, *, spaced: bool = False, wrong: bool = False) -> str:
    for _ in range(TRIES):
        shape = one_of(rng, *IBANS.split())
        country, account = shape[:2], shaped(rng, shape[2:])
        value = int("".join(str(int(sign, 36)) for sign in f"{account}{country}00"))
        check = 98 - value % 97
        if iban_check.is_valid(f"{country}{check:02d}{account}"):
            number = f"{country}{(check + 7 * wrong) % 90 + 2 if wrong else check:02d}{account}"
            if wrong == iban_check.is_valid(number):
                continue
            parts = [number[i : i + 4] for i in range(0, len(number), 4)]
            return " ".join(parts) if spaced else number
    raise SystemExit("no valid IBAN")


FORMATS = {
    "international": phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    "national": phonenumbers.PhoneNumberFormat.NATIONAL,
    "e164": phonenumbers.PhoneNumberFormat.E164,
}


def phone(rng: np.random.Generator, region: str, form: str) -> str:
    kind = phonenumbers.PhoneNumberType.MOBILE
    example = phonenumbers.example_number_for_type(region, kind)
    for _ in range(TRIES):
        n = int(rng.integers(10**6)) + example.national_number // 10**6 * 10**6
        number = phonenumbers.PhoneNumber(example.country_code, n)
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, FORMATS[form])
    raise SystemExit(f"no valid number in {region}")


AREAS = "212 303 312 404 415 503 512 617 702 713 808 907 206 213 305 614"
ABROAD = "GB DE FR ES IT NL PL SE CH AT IN BR JP KR AU ZA MX TR IL EG NG CN SG NZ PT FI"
NATIONAL = "GB DE FR ES IT NL PL SE BR JP IN TR RU IL CN KR PT FI GR CZ HU UA DK"
WORDS = "Falcon winter Paprika mango7 Lisbon TIGER copper Marble quartz Violet"


def us_phone(rng: np.random.Generator, cut: str) -> str:
    area = one_of(rng, *AREAS.split())
    return punctuated(area + shaped(rng, "899") + shaped(rng, "9999"), cut)


def any_phone(rng: np.random.Generator, form: str) -> str:
    return phone(rng, one_of(rng, *ABROAD.split()), form)


VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
VIN_VALUES = dict(zip(VIN_LETTERS + DIGITS, "12345678123457923456789" + DIGITS, strict=True))
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin(rng: np.random.Generator) -> str:
    start = one_of(rng, "1HG", "WBA", "WDB", "JTD", "1FT", "3VW", "KMH", "5YJ", "SAL", "VF1")
    body = start + drawn(rng, VIN_LETTERS + DIGITS, 5) + "0" + drawn(rng, "GHJKLMNPR", 1)
    body += drawn(rng, VIN_LETTERS, 1) + drawn(rng, DIGITS, 6)
    total = sum(w * int(VIN_VALUES[sign]) for w, sign in zip(VIN_WEIGHTS, body, strict=True))
    return body[:8] + "0123456789X"[total % 11] + body[9:]


def base58(rng: np.random.Generator) -> str:
    payload = bytes([int(rng.choice([0, 5]))]) + rng.bytes(20)
    whole = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, out = int.from_bytes(whole, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        out = BASE58[rest] + out
    return "1" * (len(whole) - len(whole.lstrip(b"\0"))) + out


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= g if top >> i & 1 else 0
    return check


def bech32(rng: np.random.Generator) -> str:
    """A version 0 witness program of 20 bytes (BIP 173)."""
    bits = "".join(f"{byte:08b}" for byte in rng.bytes(20))
    values = [0] + [int(bits[i : i + 5], 2) for i in range(0, 160, 5)]
    check = _polymod([3, 3, 0, 2, 3, *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return "bc1" + "".join(BECH32[value] for value in values)


MONTHS = "January February March April May June July August September October November December"


def date(rng: np.random.Generator, form: str, low: int = 1935, high: int = 2009) -> str:
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(low, high)
    name = MONTHS.split()[month - 1]
    return form.format(d=day, m=month, y=year, name=name, short=name[:3], yy=year % 100)


def ipv6(rng: np.random.Generator) -> str:
    groups = [f"{rng.integers(1, 2**16):x}" for _ in range(8)]
    if rng.integers(2):
        return "2001:db8::" + ":".join(groups[5:])
    return "2a02:" + ":".join(groups[1:])


def ipv4(rng: np.random.Generator) -> str:
    return ".".join(str(part) for part in [rng.integers(11, 223), *rng.integers(1, 254, size=3)])


def latitude(rng: np.random.Generator, cut: str = ", ") -> str:
    return f"{rng.uniform(-60, 70):.5f}{cut}{rng.uniform(-170, 170):.5f}"


def degrees(rng: np.random.Generator) -> str:
    a, b = rng.integers(1, 60), rng.integers(1, 170)
    m = rng.integers(0, 60, size=4)
    return f"{a}°{m[0]:02d}'{m[1]:02d}\"N {b}°{m[2]:02d}'{m[3]:02d}\"{one_of(rng, 'E', 'W')}"


def jwt(rng: np.random.Generator) -> str:
    return (
        "eyJhbGciOiJIUzI1NiJ9."
        + "eyJzdWIi"
        + drawn(rng, ALPHANUMERIC, 40)
        + "."
        + drawn(rng, ALPHANUMERIC + "-_", 43)
    )


def pem(rng: np.random.Generator) -> str:
    lines = "\n".join(drawn(rng, ALPHANUMERIC + "+/", 64) for _ in range(3))
    name = one_of(rng, "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY")
    return f"-----BEGIN {name}-----\n{lines}\n-----END {name}-----"


def password(rng: np.random.Generator) -> str:
    words = WORDS.split()
    return one_of(
        rng,
        f"{one_of(rng, *words)}{rng.integers(10, 999)}{one_of(rng, '!', '#', '$', '?')}",
        f"{one_of(rng, *words)}-{one_of(rng, *words)}-{rng.integers(10, 99)}",
        drawn(rng, ALPHANUMERIC, 10) + one_of(rng, "!", "%", "*", "&"),
    )


ALPHABETS = {
    "capital": LETTERS + "234567",
    "base64": ALPHANUMERIC + "+/",
    "mixed": ALPHANUMERIC,
    "hex": "0123456789abcdef",
    "digits": DIGITS,
}


def token(rng: np.random.Generator, starts: tuple[str, ...], letters: str, n: int) -> str:
    return one_of(rng, *starts) + drawn(rng, ALPHABETS[letters], n)


def connection(rng: np.random.Generator) -> str:
    scheme = one_of(rng, "postgres", "postgresql", "mysql", "mongodb+srv", "redis", "amqp")
    user = one_of(rng, "app", "svc_report", "root", "etl")
    host = one_of(rng, "db.internal", "10.2.3.4", "cluster0.example.net")
    return (
        f"{scheme}://{user}:{drawn(rng, ALPHANUMERIC, 12)}@{host}/{one_of(rng, 'prod', 'crm', '0')}"
    )


def isbn(rng: np.random.Generator) -> str:
    return valid(rng, "isbn", "9789999999999", "###-#-####-####-#")


def amount(rng: np.random.Generator, form: str) -> str:
    return form.format(n=rng.integers(3, 950), k=rng.integers(1, 99), c=rng.integers(0, 100))


def make_kinds() -> dict[str, tuple[str | None, Make]]:
    """Entity and maker, by kind."""
    kinds: dict[str, tuple[str | None, Make]] = {
        "card": ("CARD", card),
        "card_spaced": ("CARD", partial(card, sign=" ")),
        "card_dashed": ("CARD", partial(card, sign="-")),
        "card_nbsp": ("CARD", partial(card, sign="\u00a0")),
        "card_wrong": (None, partial(card, wrong=3)),
        "iban": ("IBAN", iban),
        "iban_spaced": ("IBAN", partial(iban, spaced=True)),
        "iban_wrong": (None, partial(iban, wrong=True)),
        "phone_us": ("PHONE", partial(us_phone, cut="(###) ###-####")),
        "phone_us_dots": ("PHONE", partial(us_phone, cut="###.###.####")),
        "phone_us_dashes": ("PHONE", partial(us_phone, cut="###-###-####")),
        "phone_us_one": ("PHONE", partial(us_phone, cut="+1 ###-###-####")),
        "phone_us_bare": ("PHONE", partial(us_phone, cut="##########")),
        "phone_abroad": ("PHONE", partial(any_phone, form="international")),
        "phone_e164": ("PHONE", partial(any_phone, form="e164")),
        "vin": ("VEHICLE", vin),
        "btc": ("CRYPTO_WALLET", base58),
        "btc_bech32": ("CRYPTO_WALLET", bech32),
        "eth": ("CRYPTO_WALLET", partial(shaped, shape="0x" + "h" * 40)),
        "ip": ("IP", ipv4),
        "ipv6": ("IP", ipv6),
        "coordinates": ("COORDINATES", latitude),
        "coordinates_comma": ("COORDINATES", partial(latitude, cut=",")),
        "coordinates_dms": ("COORDINATES", degrees),
        "jwt": ("SECRET", jwt),
        "pem": ("SECRET", pem),
        "password": ("SECRET", password),
        "connection": ("SECRET", connection),
        "isbn": (None, isbn),
    }
    for region in NATIONAL.split():
        kinds[f"phone_{region.lower()}"] = ("PHONE", partial(phone, region=region, form="national"))
    for name, starts, letters, n in TOKENS:
        kinds[name] = ("SECRET", partial(token, starts=starts, letters=letters, n=n))
    kinds |= {
        name: (entity, partial(valid, module=module, shape=shape, cut=cut))
        for name, entity, module, shape, cut in VALID
    }
    kinds |= {name: (entity, partial(_literal, shapes=s)) for name, entity, *s in OTHER}
    kinds |= {name: ("DATE_OF_BIRTH", partial(date, form=form)) for name, form in DATES}
    kinds |= {
        f"day_{name}": (None, partial(date, form=form, low=2015, high=2027)) for name, form in DATES
    }
    kinds |= {name: ("AMOUNT", partial(amount, form=form)) for name, form in MONEY}
    return kinds


def _literal(rng: np.random.Generator, shapes: list[str]) -> str:
    return literal(rng, *shapes)
