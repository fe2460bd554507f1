"""Codes that open something once, told from those of areas, errors and discounts."""

import re
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.logins.words import listed

_CODE_BEFORE: Final = re.compile(
    r"(?:\b(?:your|my|the|verification|login|log-in|security|sms|auth|mfa|2fa|otp|one-time|ihr"
    r"|dein|mein|der|su|tu|mi|el|votre"
    r"|mon|le|il|tuo|suo|seu|o|meu|uw|je|de)(?:\s[\w-]{1,16})?|[?&;,{(\"'\n>]|\A)\W{0,2}\Z"
)
_CODE_KINDS: Final = listed(
    """
    area zip post postal country sort error exit status promo discount coupon voucher product
    qr bar source dress color morse return response http item currency tax bank swift
    branch iata airport building fault reason
    """
)


def is_code(small: str, start: int, link: str) -> bool:
    """Whether "code" is one that opens: yours, or alone with a sign; not an area's or error's."""
    before = small[max(0, start - 40) : start]
    words = before.split()
    if words and words[-1].strip("'\"_-") in _CODE_KINDS:
        return False
    if link.strip() == "":
        return words[-1:] in (["use"], ["enter"], ["type"])
    return _CODE_BEFORE.search(before) is not None


_OTP_FORM: Final = re.compile(r"(?:[A-Z]-)?[0-9]{4,8}|[0-9]{3}[ -][0-9]{3}")


def is_otp(value: str) -> bool:
    """Whether ``value`` looks like a code that is sent: four to eight digits, "G-482913"."""
    return _OTP_FORM.fullmatch(value) is not None
