"""User names and passwords where machines and their keepers write them.

Logs ("Failed password for invalid user X"), access logs, shells, SQL, ``user:password`` pairs, and
``@name`` as people write to each other.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.logins.words import is_common, phrases
from cipherset.pipeline.sanitize.detectors.structured.reading.text import Reading, has_any
from cipherset.pipeline.sanitize.spans import Span

_NAME: Final = r"[\"'`]?([^\W\d_][\w.+-]{1,38}[^\W_]|[\w-]{2,20})"
# After these it is a user's name, whatever it is.
_LOGGED: Final = re.compile(
    r"\b(?:(?:(?:failed|invalid|rejected|denied|accepted|successful|unsuccessful|new)\s)?"
    r"(?:login|logon|log-in|sign-in|signin|password|publickey|authentication|auth"
    r"|keyboard-interactive/pam)"
    r"\s(?:(?:failed|failure|denied|succeeded|attempts?|error)\s)?(?:for|by|from)"
    r"|session\s(?:opened|closed)\sfor|(?:access|permission)\sdenied\s(?:for|to)|locked\sout"
    r"|(?:invalid|unknown)(?=\suser\s))"
    r"\s(?:(?:invalid|illegal|unknown|the)\s)?(?:(?:user|account|username)[\s:=]{1,2})?" + _NAME,
    re.IGNORECASE,
)
_USER_DID: Final = re.compile(
    r"\b(?:user|username|account)\s[\"'`]?([\w.@+-]{2,40})[\"'`]?\s(?:does\snot\sexist|not\sfound"
    r"|logged\s(?:in|out|on|off)"
    r"|(?:was|has\sbeen|is)\s(?:locked|disabled|created|deleted|removed|added|authenticated"
    r"|suspended)"
    r"|authenticated|connected|disconnected|signed\s(?:in|out)|failed\sto|from\s[0-9])",
    re.IGNORECASE,
)
_AS: Final = re.compile(
    r"\b(?:log(?:s|ged|ging)?[ -]?(?:back\s)?(?:in|on|into\s\S{1,30})|login|sign(?:s|ed"
    r"|ing)?[ -]?in|connect(?:s|ed|ing)?"
    r"|authenticat(?:e|ed|ing)|registered|eingeloggt|angemeldet|conectado|connect\u00e9e?)"
    r"\s(?:as|als|como|en\stant\sque)\s(?:user\s)?" + _NAME,
    re.IGNORECASE,
)
_BY_USER: Final = re.compile(r"\b(?:by|for|as|of)\suser\s" + _NAME, re.IGNORECASE)
_CALLED: Final = re.compile(
    r"\b(?:handle|nick(?:name)?|gamer ?tag|alias|acct\sname|account\sname|user ?name|user\sid"
    r"|login(?:\sname)?"
    r"|insta(?:gram)?|twitter|tiktok|snapchat|snap|telegram|discord|github|skype|psn|steam)"
    r"\s(?:on\s\w{2,20}\s|there\s|here\s)?(?:is|was|'s|:|=|ist|lautet)\s" + _NAME,
    re.IGNORECASE,
)
_ACCESS_LOG: Final = re.compile(r"\s([\w.@-]{1,40})\s\[[0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}[: ]")
_SHELL: Final = re.compile(
    r"(?<![\w-])(?:useradd|adduser|usermod|userdel|deluser|chpasswd|su\s-l?|sudo\s-u|ssh\s-l"
    r"|--user(?:name)?)[ =]"
    r"(?:-[A-Za-z]{1,2}\s){0,3}([A-Za-z_][\w.-]{1,31})(?![\w=/])"
    r"|(?<![\w-])(?:ssh|scp|sftp|rsync"
    r"|mosh)\s(?:-[\w]{1,3}\s(?:[\w./~-]{1,40}\s)?){0,3}([A-Za-z_][\w.-]{0,31})@"
)
_SQL: Final = re.compile(
    r"\b(?:create|alter|drop)\s(?:user|role"
    r"|login)\s(?:if\s(?:not\s)?exists\s)?[\"'`\[]?([\w.-]{2,40})",
    re.IGNORECASE,
)
_SQL_PASSWORD: Final = re.compile(
    r"\b(?:identified\s(?:with\s[\w\"'`]{1,40}\s)?by"
    r"|(?:encrypted\s)?password)(?:\sas)?\s?=?\s?(?:password\s)?N?([\"'`])([^\"'`\n]{1,80})\1",
    re.IGNORECASE,
)
_PAIRED: Final = re.compile(
    r"(?<![\w-])(?:creds?|credentials|login|logins|account|user|auth|-u|--user|userpwd|combo"
    r"|access)\s?[:=]?\s?"
    r"[\"'`]?([A-Za-z][\w.@-]{1,40}):([^\s:/\"'`@]{4,64})(?![^\s\"'`,.;)])",
    re.IGNORECASE,
)
_BESIDE: Final = re.compile(r"(?<![^\s(\"'])([A-Za-z][\w.-]{2,30})\s/\s([^\s/]{6,40})(?!\S)")
_NOBODY: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "my",
        "our",
        "your",
        "his",
        "her",
        "their",
        "its",
        "this",
        "that",
        "these",
        "those",
        "user",
        "users",
        "account",
        "me",
        "you",
        "him",
        "us",
        "them",
        "any",
        "some",
        "all",
        "each",
        "every",
        "usual",
        "soon",
        "well",
        "normal",
        "if",
        "when",
        "before",
        "above",
        "below",
        "described",
        "instructed",
        "expected",
        "long",
        "always",
        "being",
        "another",
        "different",
        "same",
        "one",
        "two",
        "three",
        "unknown",
        "invalid",
        "not",
        "no",
        "and",
        "or",
        "in",
        "on",
        "at",
        "by",
        "to",
        "of",
        "for",
        "with",
        "from",
        "is",
        "was",
        "are",
        "it",
        "as",
        "der",
        "die",
        "das",
        "ein",
        "eine",
        "mein",
        "usual",
        "un",
        "una",
        "le",
        "la",
        "el",
        "il",
        "o",
    ]
)


def logged(reading: Reading, words: Iterable[str]) -> Iterator[Span]:
    """``USERNAME`` and ``SECRET`` in logs, shells, SQL, pairs and mentions.

    ``words``: the cue words of the text, of which one in ``HINTS`` is in all but mentions.
    """
    text, small = reading.text, reading.small
    if "[" in text and "/" in text:
        yield from _each(_ACCESS_LOG, text)
    if not HINTS.isdisjoint(words) or " / " in text or "-u " in text:
        yield from _by_hint(text, small)
        if reading.n_digits and (":" in text or " / " in text):
            yield from _pairs(text)


def _by_hint(text: str, small: str) -> Iterator[Span]:
    for pattern, hints in _BY_HINT:
        if has_any(small, hints):
            yield from _each(pattern, text)
    for pattern, hints in _UNCOMMON_BY_HINT:
        if has_any(small, hints):
            yield from _uncommon(pattern, text)
    if "identified" in small or "password" in small:
        for match in _SQL_PASSWORD.finditer(text):
            yield Span(*match.span(2), "SECRET")


_LOGGED_BY: Final = (
    "login ",
    "logon",
    "log-in",
    "sign-in",
    "signin",
    "publickey",
    "auth",
    "password for",
)
# Each pattern is tried where a part of what it begins with or needs is.
_ByHint = tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]
_BY_HINT: Final[_ByHint] = (
    (_LOGGED, (*_LOGGED_BY, "session ", "denied ", "locked out", " user ")),
    (_USER_DID, ("user ", "username ", "account ")),
    (_SHELL, ("user", "su -", "sudo -u", "ssh ", "scp ", "sftp ", "rsync ", "mosh ", "chpasswd")),
    (_SQL, ("create ", "alter ", "drop ")),
)
_UNCOMMON_BY_HINT: Final[_ByHint] = (
    (_AS, (" as ", " als ", " como ", " que ")),
    (_BY_USER, (" user ",)),
    (_CALLED, (" is ", " was ", "'s ", " : ", " = ", " ist ", " lautet ")),
)
HINTS: Final = phrases(
    """
    login, logins, logon, log-in, log in, log on, logs in, logged, logging, signed,
    signing, signs in, sign in, signin, sign-in, session, auth, authentication,
    authenticated, authenticate, denied, ssh, scp, rsync, sftp, mosh, sudo, su, useradd,
    adduser, usermod, userdel, deluser, chpasswd, invalid, unknown, locked, acct name,
    account name, nick, nickname, handle, gamertag, gamer tag, alias, insta, instagram,
    twitter, tiktok, snapchat, snap, telegram, discord, github, skype, psn, steam, cred,
    creds, credentials, identified, password, publickey, connect, connects, connected,
    connecting, combo, registered, eingeloggt, angemeldet, conectado, username, user name,
    user id, user, usr, role, userpwd, access, account
    """
)


def _each(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    for match in pattern.finditer(text):
        group = match.lastindex or 1
        value = match.group(group).rstrip(".")
        if value.lower() not in _NOBODY and value != "-" and not value.isdecimal():
            yield Span(match.start(group), match.start(group) + len(value), "USERNAME")


def _uncommon(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    """Those that are no words, or are written as a name: in quotes or after an at sign."""
    for span in _each(pattern, text):
        if text[span.start - 1] in "\"'`@" or not is_common(text[span.start : span.end]):
            yield span


def _pairs(text: str) -> Iterator[Span]:
    for pattern in (_PAIRED, _BESIDE):
        for match in pattern.finditer(text):
            secret = match.group(2).rstrip(".,;)")
            if _is_strong(secret):
                yield Span(*match.span(1), "USERNAME")
                yield Span(match.start(2), match.start(2) + len(secret), "SECRET")


def _is_strong(secret: str) -> bool:
    """Letters and digits, with a capital or a mark among them."""
    digits = any(map(str.isdigit, secret))
    letters = any(map(str.isalpha, secret))
    marks = any(letter in "!@#$%^&*?_+=~" or letter.isupper() for letter in secret)
    return len(secret) >= _SECRET_LEAST and letters and digits and marks


_SECRET_LEAST: Final = 6
