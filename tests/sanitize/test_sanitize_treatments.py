"""What becomes of a finding, treatment by treatment."""

import base64
import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sanitize_samples import Finds, clean, key, policy, rules
from stdnum import luhn

from cipherset.core.errors import IntegrityError, UsageError
from cipherset.core.text.invisible import without_invisible
from cipherset.pipeline.sanitize import (
    SanitizeRules,
    default_policy,
    restored,
    rules_of,
    sanitize_texts,
)
from cipherset.pipeline.sanitize.treat import Rule, Treating, Treatment, Treatments
from cipherset.pipeline.sanitize.treat.surrogate import Digits, surrogate, surrogate_form
from cipherset.pipeline.sanitize.treat.treatment import MADE_UP, allowed
from cipherset.pipeline.sanitize.treat.value import normalized

TEXT = "write to jo@x.com or call (212) 555-0123, card 4111 1111 1111 1111"
VALUES = [
    "jo@x.com",
    "https://x.com/a?b=1",
    "192.168.0.1",
    "2001:db8::8a2e:370:7334",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
    "(212) 555-0123",
    "AKIA" + "IOSFODNN7EXAMPLE",
]
KINDS = ("EMAIL", "URL", "IP", "CARD", "IBAN", "PHONE")
PIECES = st.sampled_from([*VALUES, *"0123456789@.:/-+()[]* \n", "www.", " a ", "é", "🙂", "ש", "x"])


def of(treatment):
    """Rules that treat all kinds thus, as far as there is a form."""
    if treatment in {"surrogate", "generalize"}:
        return rules({kind: treatment for kind in KINDS if treatment in allowed(kind)})
    return rules(treatment=treatment)


def test_remove():
    assert clean(TEXT, of("remove")) == "write to  or call , card "


def test_keep_finds_and_leaves():
    assert clean(TEXT, of("keep")) == TEXT


def test_mask_keeps_the_shape_and_what_the_rule_says():
    made = rules(
        {
            "CARD": {"treatment": "mask", "keep_last": 4},
            "PHONE": {"treatment": "mask", "keep_last": 2},
            "EMAIL": "mask",
        }
    )
    expected = "write to **@*.*** or call (***) ***-**23, card **** **** **** 1111"
    assert clean(TEXT, made) == expected


def test_a_short_value_is_masked_whole():
    made = SanitizeRules(
        (Finds({"AB12": "TAX_ID", "Zoë Ñ": "PERSON", "🙂é": "X"}),),
        Treating(Treatments({}, Rule(Treatment.MASK, 2))),
    )
    assert sanitize_texts(["AB12; Zoë Ñ; 🙂é"], made).texts == ["****; *** *; **"]


@pytest.mark.parametrize(
    ("entity", "value", "expected"),
    [
        ("DATE_OF_BIRTH", "12 May 1984", "[DATE_OF_BIRTH: May 1984]"),
        ("DATE_OF_BIRTH", "born 1984-05-12", "[DATE_OF_BIRTH: May 1984]"),
        ("DATE_OF_BIRTH", "DOB: May 12th, 1984", "[DATE_OF_BIRTH: May 1984]"),
        ("DATE_OF_BIRTH", "in spring", "[DATE_OF_BIRTH]"),
        ("DATE_OF_BIRTH", "99/99/9999", "[DATE_OF_BIRTH]"),
        ("AMOUNT", "$1,234.56", "[AMOUNT: $1,000 to 2,000]"),
        ("AMOUNT", "1.234,56 EUR", "[AMOUNT: EUR 1,000 to 2,000]"),
        ("AMOUNT", "€9", "[AMOUNT: €9 to 10]"),
        ("AMOUNT", "£0.50", "[AMOUNT: £0 to 1]"),
        ("AMOUNT", "a fortune", "[AMOUNT]"),
        ("AMOUNT", "9" * 30, "[AMOUNT]"),
        ("AGE", "37 years old", "[AGE: 30 to 39]"),
        ("AGE", "old", "[AGE]"),
        ("IP", "10.20.30.40", "[IP: 10.20.0.0/16]"),
        ("IP", "2001:db8:1::1", "[IP: 2001:db8::/32]"),
        ("IP", "somewhere", "[IP]"),
        ("PHONE", "+49 30 123456", "[PHONE: +49]"),
        ("PHONE", "none", "[PHONE]"),
        ("COORDINATES", "52.5200, -13.4050", "[COORDINATES: 52.5, -13.4]"),
        ("COORDINATES", "52.5", "[COORDINATES]"),
        ("LOCATION", "Boston, Massachusetts", "[LOCATION: Massachusetts]"),
        ("LOCATION", "Boston", "[LOCATION]"),
        (
            "STREET_ADDRESS",
            "12 Main St., Apt 4, Boston, MA 02139",
            "[STREET_ADDRESS: Boston, MA]",
        ),
        ("STREET_ADDRESS", "12 Main Street", "[STREET_ADDRESS]"),
        ("SECRET", "hunter2", "[SECRET]"),
    ],
)
def test_generalize(entity, value, expected):
    made = Treating(Treatments({entity: Rule(Treatment.GENERALIZE)}))
    assert made.instead(entity, value) == expected
    if entity in {"SECRET"}:
        return
    assert made.forms([entity]).fullmatch(expected)


def test_a_token_is_of_its_kind_and_the_same_for_each_spelling():
    made = rules({"EMAIL": "token", "PHONE": "token", "CARD": "token"})
    first = clean("jo@x.com, (212) 555-0123, 4111 1111 1111 1111", made)
    assert re.fullmatch(
        r"\[EMAIL:[a-z2-7]{16}\], \[PHONE:[a-z2-7]{16}\], \[CARD:[a-z2-7]{16}\]", first
    )
    second = clean("JO@X.COM, +1 212-555-0123, 4111-1111-1111-1111", made)
    third = clean("jo@x.com, ２１２-５５５-０１２３, ４１１１１１１１１１１１１１１１", made)
    assert first == second == third


@pytest.mark.parametrize(
    ("entity", "spellings"),
    [
        ("EMAIL", ["Jo@X.com", "jo at x dot com", "jo (at) x (dot) com", "mailto:jo@x.com"]),
        ("IBAN", ["DE89 3704 0044 0532 0130 00", "de89370400440532013000"]),
        ("IP", ["2001:DB8:0:0::1", "2001:db8::1"]),
        ("URL", ["HTTPS://X.com/A", "https://x.com/A/"]),
        ("PERSON", ["Zoë  Keller", "zoe\u0308 keller", "ZOË\tKELLER"]),
        ("DATE_OF_BIRTH", ["12 May 1984", "1984-05-12", "born: May 12, 1984"]),
        ("PHONE", ["(212) 555-0123", "+1 212 555 0123", "٢١٢٥٥٥٠١٢٣"]),
        ("PHONE", ["unlisted 12", "UNLISTED-12"]),
        ("IP", ["not one", "NOT  one"]),
    ],
)
def test_spellings_of_one_value_are_one(entity, spellings):
    assert len({normalized(entity, spelling, "US") for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("entity", "one", "other"),
    [
        ("SECRET", "Hunter2", "hunter2"),
        ("URL", "https://x.com/A", "https://x.com/a"),
        ("URL", "https://[x", "https://[y"),
        ("DATE_OF_BIRTH", "12 May", "13 May"),
        ("PERSON", "Jo Keller", "Jo Kellner"),
    ],
)
def test_values_that_differ_stay_apart(entity, one, other):
    assert normalized(entity, one, "US") != normalized(entity, other, "US")


def test_tokens_of_another_key_are_others():
    one, other = (clean(TEXT, rules(treatment="token", number=n)) for n in (1, 2))
    parts = [set(re.findall("[a-z2-7]{16}", text)) for text in (one, other)]
    assert len(parts[0]) == len(parts[1]) == 3
    assert not parts[0] & parts[1]


def test_a_dictionary_of_all_values_does_not_open_tokens_without_the_key():
    """Whoever knows every possible value and hashes each in every usual way finds none."""
    made = rules({"PHONE": "token"}, number=1)
    token = re.search("[a-z2-7]{16}", clean("call (212) 555-0123", made)).group()
    guesses = [f"+1212555{n:04}" for n in range(10_000)]
    assert normalized("PHONE", "(212) 555-0123", "US") in guesses
    stranger = key(9)
    for guess in guesses:
        for text in (guess, f"PHONE\0{guess}", f"PHONE:{guess}"):
            assert _written(hashlib.sha256(text.encode()).digest()[:10]) != token
        assert _written(stranger.token("PHONE", guess)[:10]) != token
    assert any(_written(key(1).token("PHONE", guess)[:10]) == token for guess in guesses)


@given(st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join))
def test_sealed_tokens_open_to_the_very_text(text):
    text, _ = without_invisible(text)
    done = sanitize_texts([text], of("sealed"))
    if not done.withheld:
        assert restored(done.texts[0], lambda version: key(version))[0] == text


def test_sealed_tokens_name_the_version_and_refuse_another():
    made = SanitizeRules(
        rules().detectors, Treating(of("sealed").treating.treatments, key(1, version=3))
    )
    text = clean("jo@x.com and jo@x.com", made)
    asked = []

    def opened(version):
        asked.append(version)
        return key(1, version=version)

    assert restored(text, opened) == ("jo@x.com and jo@x.com", 2)
    assert asked == [3, 3]
    with pytest.raises(IntegrityError):
        restored(text.replace("~3~", "~2~"), opened)
    with pytest.raises(IntegrityError):
        restored("[EMAIL~1~" + "a" * 53 + "]", opened)


def test_a_sealed_token_within_another_opens_too():
    inner = clean("jo@x.com", of("sealed"))
    outer = f"[URL~1~{_written(key().seal('URL', f'see {inner}'))}]"
    assert restored(outer, lambda version: key(version)) == ("see jo@x.com", 2)


def _written(raw):
    return base64.b32encode(raw).decode().rstrip("=").lower()


@pytest.mark.parametrize("entity", sorted(MADE_UP))
def test_surrogates_are_of_their_form_the_same_for_one_value_and_nobodys(entity):
    made = Treating(Treatments({entity: Rule(Treatment.SURROGATE)}), key())
    values = [f"Value {n}" for n in range(200)]
    surrogates = [made.instead(entity, value) for value in values]
    assert surrogates == [made.instead(entity, value.upper()) for value in values] or entity in {
        "URL",
        "CRYPTO_WALLET",
    }
    assert len(set(surrogates)) > 190
    form = made.forms([entity])
    assert all(form.fullmatch(each) for each in surrogates)
    other = Treating(Treatments({entity: Rule(Treatment.SURROGATE)}), key(2))
    assert len(set(surrogates) & {other.instead(entity, value) for value in values}) < 10


def test_surrogates_by_kind():
    digest = bytes(range(32))
    assert surrogate("PERSON", "Jo Keller", digest).count(" ") == 1
    assert surrogate("PERSON", "Keller", digest).count(" ") == 0
    assert surrogate("IP", "2001:db8::1", digest).startswith("2001:db8:")
    assert surrogate("IP", "1.2.3.4", digest).startswith("198.1")
    assert re.fullmatch(surrogate_form("TAX_ID"), surrogate("TAX_ID", "x", digest))


@given(st.binary(min_size=32, max_size=32))
def test_made_up_cards_fail_the_check_of_cards(digest):
    number = surrogate("CARD", "4111111111111111", digest).replace(" ", "")
    assert len(number) == 16
    assert not luhn.is_valid(number)


def test_digits_of_a_digest_are_its_digits():
    number = int.from_bytes(bytes(range(32)), "big")
    digits = Digits(bytes(range(32)))
    assert [digits.below(10) for _ in range(5)] == [int(c) for c in str(number)[:-6:-1]]


def test_a_surrogate_that_would_touch_letters_is_a_placeholder():
    made = SanitizeRules(
        (Finds({"Jo Keller": "PERSON"}),),
        Treating(Treatments({"PERSON": Rule(Treatment.SURROGATE)}), key()),
    )
    assert sanitize_texts(["xJo Keller", "Jo Keller's"], made).texts[0] == "x[PERSON]"
    assert sanitize_texts(["Jo Keller's"], made).texts[0].endswith("'s")


def test_two_mentions_of_a_person_are_one_person():
    found = Finds({"Jo Keller": "PERSON", "JO KELLER": "PERSON", "Ann Li": "PERSON"})
    made = SanitizeRules(
        (found,), Treating(Treatments({"PERSON": Rule(Treatment.SURROGATE)}), key())
    )
    first, second, third = sanitize_texts(["Jo Keller", "JO KELLER", "Ann Li"], made).texts
    assert first == second != third


@pytest.mark.parametrize(
    ("treatments", "expected"),
    [
        ({"A": "remove", "B": "mask"}, "  "),
        ({"A": "mask", "B": "placeholder"}, " [B] "),
        ({"A": "keep", "B": "mask"}, "ab** "),
        ({"A": "mask", "B": "mask"}, " **** "),
    ],
)
def test_where_findings_overlap_the_strictest_treatment_takes_all(treatments, expected):
    found = Finds({"abc": "A", "cd": "B"})
    by_entity = {entity: Rule(Treatment(name)) for entity, name in treatments.items()}
    made = SanitizeRules((found,), Treating(Treatments(by_entity)))
    text = expected.replace("ab** ", "abcd") if treatments["A"] == "keep" else " abcd "
    assert sanitize_texts([text], made).texts[0].strip() == expected.strip()


def test_what_is_kept_does_not_widen_what_is_treated():
    found = Finds({"12 Main Street, Boston": "LOCATION", "12 Main Street": "STREET_ADDRESS"})
    by_entity = {"LOCATION": Rule(Treatment.KEEP)}
    made = SanitizeRules((found,), Treating(Treatments(by_entity)))
    done = sanitize_texts(["at 12 Main Street, Boston"], made)
    assert done.texts == ["at [STREET_ADDRESS], Boston"]
    assert dict(done.found) == {"STREET_ADDRESS": 1}


@pytest.mark.parametrize(
    "treatment",
    ["remove", "placeholder", "token", "surrogate", "sealed", "generalize", "mask"],
)
@settings(max_examples=60)
@given(text=st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
def test_twice_is_once_by_every_treatment(treatment, text):
    clean(text, of(treatment))


@pytest.mark.parametrize("treatment", ["placeholder", "token", "surrogate", "sealed", "mask"])
@settings(max_examples=40)
@given(data=st.data())
def test_what_stands_between_stays_and_nothing_found_is_left(treatment, data):
    plain = st.text("abcdé שלום🙂👧 ", max_size=8)
    words = data.draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=4))
    between = [data.draw(plain) for _ in range(len(words) + 1)]
    text = between[0] + "".join(f" | {w} | {b}" for w, b in zip(words, between[1:], strict=True))
    cleaned = clean(text, of(treatment))
    parts = cleaned.split(" | ")
    assert "".join(parts[0::2]) == "".join(between).replace(" | ", "")
    for word in words:
        assert word not in cleaned


def test_keyed_treatments_without_a_key_are_refused():
    with pytest.raises(UsageError, match="token and sealed") as refused:
        rules_of(policy(entities={"EMAIL": "token", "PHONE": "sealed"}))
    assert refused.value.code == "rules_need_key"


NAMES = ["John Smith", "Maria García", "Mr. Bob Jones", "Smith", "WILLIAM JOHNSON", "O'Neil"]
FRAMES = [
    "My name is {}.",
    "Dear {}, thank you",
    "Patient: {}, DOB: 12 May 1984",
    "From: {} <jo@x.com>",
    "{} lives at 12 Main Street, Boston, MA 02139",
    "I work at Acme Inc in London with {}",
    "Best regards,\n{}",
    "{}'s salary is $54,000, SSN 123-45-6789, card 4111111111111111",
]


@pytest.mark.parametrize(
    "treatment",
    ["remove", "placeholder", "token", "surrogate", "sealed", "generalize", "mask"],
)
@settings(max_examples=25)
@given(data=st.data())
def test_people_are_taken_out_once_and_what_stands_for_them_is_let_alone(treatment, data):
    treated = {
        kind: treatment if treatment in allowed(kind) else "placeholder"
        for kind in default_policy().entities
    }
    frames = data.draw(st.lists(st.sampled_from(FRAMES), min_size=1, max_size=3))
    text = " | ".join(frame.format(data.draw(st.sampled_from(NAMES))) for frame in frames)
    cleaned = clean(text, rules(treated))
    assert "WITHHELD" not in cleaned
    assert "John Smith" not in cleaned
