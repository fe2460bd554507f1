"""Detector of what opens doors and has a form: private keys, tokens, connection strings.

Passwords have none; they are found by the words around them (``said``).
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.reading.text import Reading, TextDetector
from cipherset.pipeline.sanitize.spans import Span

_LONG: Final = re.compile(r"[A-Za-z0-9_+/=-]{20}")
_LONG_WORD: Final = re.compile(r"(?<!\S)\S{12,}")
_TOKEN: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}(?![A-Za-z0-9])"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}"  # GitHub
    r"|gl(?:pat|dt|ft|soat|rt|cbt|ptt|imt|agent|oas)-[A-Za-z0-9_-]{20,255}"  # GitLab
    r"|sk-[A-Za-z0-9_-]{20,255}"  # language model providers
    r"|[rsp]k_(?:live|test)_[A-Za-z0-9]{16,255}|whsec_[A-Za-z0-9+/=]{24,255}"  # Stripe
    r"|(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,255}"  # Slack
    r"|AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,64}|ya29\.[A-Za-z0-9_-]{20,255}"  # Google
    r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,255}|hf_[A-Za-z0-9]{30,255}"
    r"|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"  # SendGrid
    r"|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|do[opr]_v1_[a-f0-9]{64}|dapi[a-f0-9]{32}"
    r"|hv[sbr]\.[A-Za-z0-9_-]{20,255}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,64}|dp\.pt\.[A-Za-z0-9]{40,64}"
    r"|gl(?:sa|c)_[A-Za-z0-9+/=_]{20,255}|ATATT3[A-Za-z0-9_=-]{20,255}|lin_api_[A-Za-z0-9]{30,64}"
    r"|ntn_[A-Za-z0-9]{40,64}|secret_[A-Za-z0-9]{40,64}|NRAK-[A-Z0-9]{27}|sq0[a-z]{3}-[A-Za-z0-9_-]{20,64}"
    r"|AGE-SECRET-KEY-1[02-9A-Z]{58}|EAA[A-Za-z0-9]{40,255}|pscale_(?:tkn|pw|oauth)_[\w.=-]{32,64}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}"  # JWT, RFC 7519
    r")"
)
_AUTHORIZATION: Final = re.compile(
    r"\b(?:bearer|basic|token)[ :]\s?([A-Za-z0-9_.~+/-]{16,1024}={0,2})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PEM_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_LOGIN: Final = re.compile(r"://[^\s:/?#@]{0,64}:([^\s/@]{1,128})@[^\s<>\"'\u201d]{1,255}")
_SCHEME_BACKWARDS: Final = re.compile(r"[A-Za-z0-9+.-]{1,20}(?<=[A-Za-z])")
_SCHEME_LONGEST: Final = 20

# Those of detect-secrets that know what they look for, not its measures of disorder, which take
# English words for keys. Left out: npm's and OpenAI's,
# slow on hostile text; ours find the same and more.
_NAMED: Final = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "cloudant": "CloudantDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "ibm_cloud_iam": "IbmCloudIamDetector",
    "ibm_cos_hmac": "IbmCosHmacDetector",
    "mailchimp": "MailchimpDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "softlayer": "SoftlayerDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
_WINDOW: Final = 512  # its patterns may look at a window many times
_OVERLAP: Final = 256


class CredentialDetector(TextDetector):
    """``SECRET``: tokens by their form, private keys with or without their end, logins in URLs."""

    name = "credentials"
    version = "3"
    entities = frozenset({"SECRET"})

    def likely(self, reading: Reading) -> bool:
        return reading.has_long_word or "://" in reading.text or "-----BEGIN" in reading.text

    def spans(self, reading: Reading) -> Iterator[Span]:
        text = reading.text
        if "://" in text:
            yield from _logins(text)
        if "-----BEGIN" in text:
            yield from _keys(text)
        if not reading.has_long_word:
            return
        for word in _LONG_WORD.finditer(text):
            for match in _TOKEN.finditer(text, *word.span()):
                yield Span(match.start(), match.end(), "SECRET")
        if reading.n_digits:
            yield from _with_digits(text, reading.small)


def _with_digits(text: str, small: str) -> Iterator[Span]:
    likely = "bearer" in small or "basic" in small or "token" in small
    for match in _AUTHORIZATION.finditer(text) if likely else ():
        if any(map(str.isdigit, match.group(1))):
            yield Span(match.start(1), match.end(1), "SECRET")
    if _LONG.search(text):
        yield from _named(text)


def _logins(text: str) -> Iterator[Span]:
    """The whole connection string; of a web address, which is an address still, the password."""
    for match in _LOGIN.finditer(text):
        low = max(0, match.start() - _SCHEME_LONGEST)
        scheme = _SCHEME_BACKWARDS.match(text[low : match.start()][::-1])
        if scheme is None or scheme.group()[::-1].lower() in {"http", "https"}:
            yield Span(match.start(1), match.end(1), "SECRET")
        else:
            yield Span(match.start() - scheme.end(), match.end(), "SECRET")


def _keys(text: str) -> Iterator[Span]:
    position = 0
    while begin := _PEM_BEGIN.search(text, position):
        end = _PEM_END.search(text, begin.end())
        position = end.end() if end else len(text)
        yield Span(begin.start(), position, "SECRET")


def _named(text: str) -> Iterator[Span]:
    for low in range(0, max(1, len(text) - _OVERLAP), _WINDOW - _OVERLAP):
        window = text[low : low + _WINDOW]
        if _LONG.search(window) is None:
            continue
        for pattern in _patterns():
            for match in pattern.finditer(window):
                group = 1 if pattern.groups == 1 and match.group(1) else 0
                start, end = match.span(group)
                yield Span(low + start, low + end, "SECRET")


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """What detect-secrets looks for; it brings much with it, so it waits for a text to look at."""
    return tuple(
        pattern
        for module, name in _NAMED.items()
        for pattern in getattr(import_module(f"detect_secrets.plugins.{module}"), name).denylist
    )
