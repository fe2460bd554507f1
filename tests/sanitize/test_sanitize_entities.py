"""What each detector finds, and what it leaves."""

import pyarrow as pa
import pytest

from cipherset.core.errors import UsageError
from cipherset.core.values import Records
from cipherset.pipeline.sanitize import default_rules, sanitize


def clean(text, *, region="US"):
    records = Records([text], pa.table({"row": [0]}))
    return sanitize(records, default_rules(phone_region=region)).texts[0]


# Tokens are put together here, or scanners of this repository would find them.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp" + "_" + "a1B2" * 9
MODEL = "sk" + "-proj-" + "x9Y8" * 6
SLACK = "xoxb" + "-123456789012-abcdefABCDEF"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + "s5H-x_7z" * 4
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA " + "PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to jo@x.com.", "write to [EMAIL]."),
        ("<john.o'neil+tag@mail.x.co.uk>", "<[EMAIL]>"),
        ("'jo@x.com'", "'[EMAIL]'"),
        ("mailto:JO_1@X-Y.COM,", "mailto:[EMAIL],"),
        ("jürgen@müller.de", "[EMAIL]"),
        ("jose\u0301@x.com", "[EMAIL]"),
        ("иван@пример.рф", "[EMAIL]"),
        ("请联系john@x.com吧", "请联系[EMAIL]"),
        ("用户@例子.广告", "[EMAIL]"),
        ("a@b.co a@b.co", "[EMAIL] [EMAIL]"),
        ("a@b.co@c.de", "[EMAIL]@c.de"),
        ("jo@xn--bcher-kva.xn--p1ai", "[EMAIL]"),
        ("see you @ 5.30, @jo and a@b", "see you @ 5.30, @jo and a@b"),
        ("@x.com", "@x.com"),
    ],
)
def test_email(text, expected):
    if text.startswith("请"):  # a domain may be Chinese too: what follows without a blank goes
        assert clean(text).startswith(expected)
    else:
        assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://x.com/a?b=1#c.", "see [URL]."),
        ("(http://jo:pw@x.com:8080/a)", "([URL])"),
        ("HTTPS://X.COM and www.x.com!", "[URL] and [URL]!"),
        ("s3://bucket/key, ssh://git@x.com/r.git", "[URL], [URL]"),
        ("“https://x.com/ü”", "“[URL]”"),
        ("http:// nothing www. http://...", "http:// nothing www. http://..."),
        ("awww.that is", "awww.that is"),
    ],
)
def test_url(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 10.0.0.1.", "from [IP]."),
        ("10.0.0.1:8080, (192.168.1.255)", "[IP]:8080, ([IP])"),
        ("at 2001:db8::8a2e:370:7334, ok", "at [IP], ok"),
        ("fe80::1ff:fe23:4567:890a: down", "[IP]: down"),
        ("::1 and ::ffff:192.0.2.1", "[IP] and [IP]"),
        ("1:2:3:4:5:6:7:8.", "[IP]."),
        ("v1.2.3.4 and version 1.2.3.4", "v1.2.3.4 and version 1.2.3.4"),
        ("1.2.3 1.2.3.4.5 256.1.1.1 1.2.3.4a", "1.2.3 1.2.3.4.5 256.1.1.1 1.2.3.4a"),
        ("12:30:45 std::vector a:b::1:2:3:g ::", "12:30:45 std::vector a:b::1:2:3:g ::"),
    ],
)
def test_ip(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "5500.0000.0000.0004",
        "3782 822463 10005",
        "6011000990139424",
        "2223003122003222",
        "30569309025904",
        "٤١١١١١١١١١١١١١١١",
        "４１１１１１１１１１１１１１１１",
    ],
)
def test_card(number):
    assert clean(f"pay {number}, soon") == "pay [CARD], soon"


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # Luhn
        "41111111111111111111111111",  # longer than any card, whatever its end says
        "0000000000000000",
        "9111111111111113",  # no network begins with 9
        "7992739871 3",
        "on 20240102-000123",
        "3.141592653589793",
        "1.2.3 1.2.3.4.5 256.1.1.1 1.2.3.4a",
    ],
)
def test_not_a_card(text):
    assert clean(text) == text


def test_card_between_other_groups():
    assert clean("ref 77 4111 1111 1111 1111 99") == "ref 77 [CARD] 99"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DE89370400440532013000", "[IBAN]"),
        ("to DE89 3704 0044 0532 0130 00 please", "to [IBAN] please"),
        ("gb29nwbk60161331926819.", "[IBAN]."),
        ("NL91-ABNA-0417-1643-00", "[IBAN]"),
        ("NO93 8601 1117 947", "[IBAN]"),
        ("MT84 MALT 0110 0001 2345 MTLC AST0 01S", "[IBAN]"),
        ("DE88370400440532013000", "DE88370400440532013000"),
        ("xDE89370400440532013000", "xDE89370400440532013000"),
        ("QQ12 3456 7890 1234 5678", "QQ12 3456 7890 1234 5678"),
    ],
)
def test_iban(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("call (212) 555-0123 now", "US", "call [PHONE] now"),
        ("212.555.0123", "US", "[PHONE]"),
        ("+1 (212) 555-0123 x42", "US", "[PHONE]"),
        ("+44 20 7946 0958", "US", "[PHONE]"),
        ("020 7946 0958", "GB", "[PHONE]"),
        ("(030) 901820", "DE", "[PHONE]"),
        ("tel:+4930901820.", "US", "tel:[PHONE]."),
        ("２１２-５５５-０１２３", "US", "[PHONE]"),
        ("on 2024-01-02 at 10:30", "US", "on 2024-01-02 at 10:30"),
        ("about 1234567, 12 345 678 units", "US", "about 1234567, 12 345 678 units"),
        ("1999-2005", "US", "1999-2005"),
    ],
)
def test_phone(text, region, expected):
    assert clean(text, region=region) == expected


@pytest.mark.soak
def test_phone_behind_a_flood_of_tries():
    text = "12." * 70_000 + " call (212) 555-0123"
    assert clean(text).endswith("[PHONE]")


def test_phone_region_that_is_none():
    with pytest.raises(UsageError) as caught:
        default_rules(phone_region="us")
    assert caught.value.code == "phone_region"


@pytest.mark.parametrize("token", [AWS, GITHUB, MODEL, SLACK, JWT, PEM])
def test_secret(token):
    assert clean(f'key="{token}" ok') == 'key="[SECRET]" ok'
    assert clean(f"[{token}]") == "[[SECRET]]"


@pytest.mark.parametrize(
    "text", ["AKIA is a word", "sk-short", "eyJhbGci.x", "ghp_short", "risk-" + "a" * 30]
)
def test_not_a_secret(text):
    assert clean(text) == text


def test_private_key_without_its_end():
    assert clean("a " + PEM[:50]) == "a [SECRET]"
    assert clean(f"a {PEM} b {PEM} c") == "a [SECRET] b [SECRET] c"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pay\u200bment", "payment"),
        ("jo\u200bhn@x.\u2060com", "[EMAIL]"),
        ("4111\u00ad1111\ufeff11111111", "[CARD]"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("a\x00b\x07c\x7f\x9b", "abc"),
        ("x\U000e0041\U000e0042", "x"),
        ("smile 😀\ufe00\ufe01\U000e0101", "smile 😀"),
        ("pass\u200dword\u200c", "password"),
        ("é\u200d\u200c\u200dé", "éé"),
        ("❤\ufe0f\ufe0f\ufe0e", "❤\ufe0f"),
        ("é\u200b\u200dé", "éé"),
    ],
)
def test_invisible(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧 🏴‍☠️ 1️⃣ ❤️",
        "می‌خواهم",
        "क्‍ष",
        "שלום עולם",
        "tab\there\r\nand\x0cthere\x85 ",
        "e\u0301 ≠ é",
        "日本語",
    ],
)
def test_visible(text):
    assert clean(text) == text
