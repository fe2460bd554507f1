"""Detector of passwords and user names: they have no form, only words around them.

``password=X`` is one whatever X is. "The password is X" is one if X looks like it, not like the
rest of a sentence: "the password is wrong".
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cipherset.pipeline.sanitize.detectors.structured.logins.codes import is_code, is_otp
from cipherset.pipeline.sanitize.detectors.structured.logins.logs import HINTS, logged
from cipherset.pipeline.sanitize.detectors.structured.logins.words import is_common
from cipherset.pipeline.sanitize.detectors.structured.reading.text import (
    Reading,
    TextDetector,
    has_any,
)
from cipherset.pipeline.sanitize.spans import Span

_CUES: Final = {
    "password": (
        "password|passwords|passwd|passwrd|passphrase|pass phrase|seed phrase|recovery phrase"
        "|passwort|has\u0142o|haslo|l\u00f6senord|adgangskode|passord|salasana"
        "|\u043f\u0430\u0440\u043e\u043b\u044c|\u30d1\u30b9\u30ef\u30fc\u30c9|\u5bc6\u7801"
        "|\u0161ifre|\u015fifre"
        "|kennwort|mot de passe"
        "|contrase\u00f1a"
        "|contrasena|wachtwoord|palavra-passe|palavra passe|parola d'ordine|passcode|pwd|psw|mdp"
        "|senha|pass|pw"
    ),
    "token": (
        "api key|api-key|api_key|apikey|access key|access-key|access_key|accesskey|secret key"
        "|secret-key|secret_key|secretkey|private key|private_key|privatekey|encryption key"
        "|license key|recovery key|account key|accountkey|client secret|client_secret|clientsecret"
        "|app secret|shared secret|auth token|auth_token|authtoken|access token|access_token"
        "|accesstoken|refresh token|refresh_token|session token|session id|session_id|sessionid"
        "|credential|credentials|secret|token"
    ),
    "pin": (
        "pin code|pin number|pin-code|pin|puk|cvv2|cvv|cvc|security code|verification code"
        "|one-time code|one time code|one-time password|otp|2fa code|auth code"
        "|authentication code|access code|login code|sms code|activation code|reset code"
        "|backup code|code|door code|gate code|alarm code|geheimzahl"
    ),
    "user": (
        "username|user name|user-name|user_name|userid|user id|user_id|login name|login id"
        "|screen name|screenname"
        "|login|nickname|handle|benutzername|nom d'utilisateur|nombre de usuario|nome utente"
        "|nome de usu\u00e1rio|gebruikersnaam|uid|acct name|account name|user handle|gamertag"
        "|gamer tag|usr"
        "|utilisateur|anv\u00e4ndarnamn|brugernavn|brukernavn|nazwa u\u017cytkownika"
        "|\u043b\u043e\u0433\u0438\u043d|usuario|identifiant|skype|user"
    ),
}
# These name other things too: it takes a sign, and a value that is no word.
_USERS_OFTEN: Final = frozenset(
    {
        "uid",
        "login",
        "nickname",
        "handle",
        "usuario",
        "utilisateur",
        "identifiant",
        "skype",
        "user",
        "usr",
    }
)
_KINDS: Final = {cue: kind for kind, cues in _CUES.items() for cue in cues.split("|")}


def _any_of(phrases: Iterable[str]) -> str:
    """A pattern of ``phrases`` that branches at each letter once: a flat one tries them all."""
    rests: dict[str, list[str]] = {}
    for phrase in phrases:
        rests.setdefault(phrase[:1], []).append(phrase[1:])
    ends = rests.pop("", None) is not None
    branches = [re.escape(letter) + _any_of(rest) for letter, rest in rests.items()]
    return f"(?:{'|'.join(branches)}){'?' if ends else ''}" if branches else ""


# A word of its own, or a part of one in the way of code: DB_PASSWORD. Begun by what is no letter,
# a pattern is found fast; a line break is put before the text.
_CUE: Final = re.compile(rf"[^a-z0-9]{_any_of([*_KINDS, *sorted(HINTS - set(_KINDS))])}(?![a-z])")
_CAMEL: Final = re.compile(  # dbPassword
    "(?:Password|Passwd|Passphrase|Pass|Pwd|Secret|Token|ApiKey|AccessKey|UserName|Username|User"
    "|Login)"
    "(?![A-Za-z])"
)
_SIGN: Final = r"[\"'`\])>*]{0,3}\s{0,2}(?:\(\w{1,20}\)\s?)?(?::=|=>|->|=|:|\s[-\u2014]\s)\s{0,3}"
_NOW: Final = r"(?:\s(?:now|currently|actually|still|jetzt|ahora))?"
_FOR: Final = r"(?:\s(?:for|of|to|on|f\u00fcr|pour|para|per|voor)(?:\s[\w.'@-]{1,40}){1,5}?)?"
_VERB: Final = (
    r"(?:'s|\s(?:is|was|are|will be|should be|lautet|ist|war|est|es|\u00e8|\u00e9|e'|changed"
    r" to|set to|to|used to be|as))"
)
_LINK: Final = re.compile(rf"{_SIGN}|{_FOR}{_VERB}{_NOW}:?\s{{1,2}}|[ \t]{{1,2}}")
_VALUE: Final = re.compile(
    r"(?P<quote>[\"'`\u201c\u2018])?(?P<value>[^\s\"`\u201c\u201d<>]{1,200})"
)
_QUOTES: Final = "\"'`\u201d\u2019"
_VALUE_TAIL: Final = ".,;:!?)]}'\u2019"
_BLANK: Final = re.compile(
    r"[*x\u2022.#_-]{1,99}|none|null|nil|true|false|undefined|required|optional|redacted|hidden"
    r"|changeme"
    r"|string|str|\W.{0,99}[\]}>)]|\$.{0,99}|%[\w(].{0,99}|os\.\w.{0,99}|process\.env.{0,99}"
    r"|[\w.]{1,40}\(.{0,99}|\[.{0,99}|<.{0,99}",
    re.IGNORECASE,
)
_BEFORE: Final = re.compile(
    r"(?<!\S)[\"'`]?(\S{4,64}?)[\"'`]?\s(?:is|was|as)\s(?:my|the|our|your|his|her"
    r"|their)\s(?:\w{1,12}\s)?\Z"
)
_BEFORE_REACH: Final = 100
_USER: Final = re.compile(r"@?[^\W_][\w.@+-]{1,39}")
_ENDS: Final = re.compile(r"[.!,;)\"']*(?:\Z|\n|\s(?:and|but|und|et|y|e|en)\b)|[.!;](?:\s|\Z)")
_ORDINARY: Final = re.compile(
    r"(?:\w{1,24}(?:ed|ing|able|ible|ful|less|ly|ous|ive|ion|ment)|not|too|very|wrong|invalid"
    r"|weak|strong"
    r"|safe|secure|correct|incorrect|right|different|missing|taken|unknown|known|public|private"
    r"|empty"
    r"|there|here|case|what|that|this|these|those|never|always|already|still|only|your|their"
    r"|being|been|gone"
    r"|well|great|nice|cool|awesome|funny|gold|perfect|amazing|caught|lost|stolen|broken"
    r"|compromised|working|unique|common|same|fine|good|okay|free|available|short"
    r"|please|above|below|sent|kept|shown|given|written|wrong|falsch|richtig|nicht|incorrecta"
    r"|incorrecto"
    r"|perdu|oubli\u00e9|incorrect|errada|sbagliata|verkeerd|necessary|mandatory|email|address"
    r"|password"
    r"|username|number|mine|yours|easy|hard|simple|complex|similar|default|important|default"
    r"|active)",
    re.IGNORECASE,
)
_LETTERS_LEAST: Final = 6  # of a password of letters alone
_TOKEN_LEAST: Final = 8
_PIN: Final = re.compile(r"[0-9](?:[ -]?[0-9]){2,7}")


class SaidDetector(TextDetector):
    """``SECRET``: passwords, PINs and keys by name; ``USERNAME``: names to log in with."""

    name = "said"
    version = "2"
    entities = frozenset({"SECRET", "USERNAME"})

    def spans(self, reading: Reading) -> Iterator[Span]:
        text, small = reading.text, reading.small
        cues = _cues(text, small)
        words = {said for _, _, said in cues}
        if words or has_any(text, _LOGGED_MARKS):
            yield from logged(reading, words)
        for start, end, said in (cue for cue in cues if cue[2] in _KINDS):
            span = _value_after(text, small, end, said) or _value_before(text, start, said)
            if span is not None:
                yield span
                if _KINDS[said] == "password":
                    yield from _second(text, span.end)
        for pair in _PAIR.finditer(text) if "/" in text else ():
            yield Span(*pair.span(1), "USERNAME")
            yield Span(*pair.span(2), "SECRET")


_LOGGED_MARKS: Final = ("@", "[", " / ", "-u ")


def _cues(text: str, small: str) -> list[tuple[int, int, str]]:
    """Where each cue begins and ends, and what it is in small letters."""
    cues = [(cue.start(), cue.end() - 1, cue.group()[1:]) for cue in _CUE.finditer("\n" + small)]
    if "=" in text or ":" in text:
        for cue in _CAMEL.finditer(text):
            if text[cue.start() - 1 : cue.start()].isalnum():
                cues.append((cue.start(), cue.end(), cue.group().lower()))
    return cues


# As in "credentials: jo / hunter2".
_PAIR: Final = re.compile(
    r"(?i:credentials|creds|login(?: details)?)\s?[:=]\s?([\w.@-]{2,40})\s?/\s?"
    r"([^\s/]{4,63}[^\s/:])(?!\S)"
)


@dataclass(frozen=True, slots=True, repr=False)
class _Said:
    """A value, and how it was said."""

    cue: str
    link: str
    value: str
    quoted: bool
    ends: bool
    tied: bool = False
    """The cue is a part of a longer name, as in DB_USER."""

    @property
    def assigned(self) -> bool:
        """Said as code and forms say it, with no sentence around."""
        tight = self.link[-1:] in {":", "="}
        return self.signed and (self.quoted or "=" in self.link or tight)

    @property
    def signed(self) -> bool:
        """A colon, an equals sign or an arrow stands between."""
        return any(sign in self.link for sign in (":", "=", "->"))


_OR: Final = re.compile(
    r"[^\n]{0,60}?\b(?:try|tried|then try|then use|or|else"
    r"|otherwise|oder|sonst|probier\w{0,2}|o|ou|sinon"
    r"|essayez|prueba|prova|anders)[ :]"
    r"{1,2}[\"'`]?([^\s\"'`<>]{4,64})",
    re.IGNORECASE,
)


def _second(text: str, position: int) -> Iterator[Span]:
    """As in "the password is X; if not, try Y"."""
    other = _OR.match(text, position)
    value = _trimmed(other.group(1)) if other is not None else ""
    if other is not None and _looks_secret(value) and not value.isalpha():
        yield Span(other.start(1), other.start(1) + len(value), "SECRET")


_PHRASES: Final = frozenset({"passphrase", "pass phrase", "seed phrase", "recovery phrase"})
_PHRASE: Final = re.compile(
    r"[\"'`\u201c]?([^\W\d_]{2,16}(?:[ -][^\W\d_]{2,16}){1,24})(?=[\"'`\u201d]?(?:[.,;\n)]|\s?\Z))"
)
_QUOTED: Final = re.compile(r"([\"`\u201c'])([^\"`\u201c\u201d\n]{4,64}?)[\"`\u201d'](?![^\W_])")


def _phrase_after(text: str, link: re.Match[str], cue: str) -> Span | None:
    """A passphrase of several words, or what is quoted after a sign or a verb."""
    bare = link.group().strip() == ""
    if _KINDS[cue] != "password" or (bare and cue not in _PHRASES):
        return None
    pattern = _PHRASE if cue in _PHRASES else _QUOTED
    found = _QUOTED.match(text, link.end())
    if found is None and not bare:
        found = pattern.match(text, link.end())
    if found is None:
        return None
    group = found.re.groups
    words = found.group(group)
    if " " not in words.strip() or _BLANK.fullmatch(words):
        return None
    return Span(*found.span(group), "SECRET")


def _value_after(text: str, small: str, position: int, cue: str) -> Span | None:
    link = _LINK.match(small, position)
    if link is not None and (phrase := _phrase_after(text, link, cue)) is not None:
        return phrase
    found = _VALUE.match(text, link.end()) if link is not None else None
    if link is None or found is None:
        return None
    value = found.group("value")
    quoted = found.group("quote") is not None
    if quoted:
        value = re.split(f"[{_QUOTES}]", value, maxsplit=1)[0]
    elif "=" in link.group():
        value = re.split("[;&,]", value, maxsplit=1)[0]
    value = value if quoted else _trimmed(value)
    start = found.start("value")
    end = start + len(value)
    kind = _KINDS[cue]
    ends = _ENDS.match(text, end) is not None
    before = text[position - len(cue) - 1 : position - len(cue)]
    tied = before.isalnum() or before in {"_", "."}
    if cue == "code" and not is_code(small, position - len(cue), link.group()):
        return None
    if value and _CHECKS[kind](_Said(cue, link.group(), value, quoted, ends, tied)):
        return Span(start, end, _entity(cue))
    return None


def _trimmed(value: str) -> str:
    """Without the sentence's own marks; what is no word may end with one of its own."""
    shorter = value.rstrip(_VALUE_TAIL)
    if len(shorter) < len(value) and value[len(shorter)] in "!?" and not shorter.isalpha():
        return value[: len(shorter) + 1]
    return shorter


def _value_before(text: str, end: int, cue: str) -> Span | None:
    """As in "hunter2 is my password"."""
    low = max(0, end - _BEFORE_REACH)
    found = _BEFORE.search(text[low:end])
    if found is None:
        return None
    fits = is_otp if _KINDS[cue] == "pin" else _looks_secret
    if not fits(found.group(1)):
        return None
    return Span(low + found.start(1), low + found.end(1), _entity(cue))


def _entity(cue: str) -> str:
    return "USERNAME" if _KINDS[cue] == "user" else "SECRET"


def _is_password(said: _Said) -> bool:
    value = said.value
    if _BLANK.fullmatch(value):
        return False
    if said.assigned or _looks_secret(value):
        strong = any(map(str.isdigit, value)) and _MARK.search(value) is not None
        return said.link.strip() != "" or said.cue != "pass" or strong
    if said.link.strip() == "":
        return False
    if said.quoted or (value.isdecimal() and len(value) >= _DIGITS_LEAST):
        return True
    plain = value.isalpha() and len(value) >= _LETTERS_LEAST
    return plain and said.ends and not _ORDINARY.fullmatch(value)


def _is_token(said: _Said) -> bool:
    if _BLANK.fullmatch(said.value) or len(said.value) < _TOKEN_LEAST:
        return False
    return said.assigned or (_looks_secret(said.value) and any(map(str.isdigit, said.value)))


def _is_pin(said: _Said) -> bool:
    if said.cue == "code":
        digits = sum(map(str.isdigit, said.value))
        alone = said.assigned and digits == _OTP_DIGITS
        if said.link == "=" and _CODE.fullmatch(said.value.upper()):
            return digits > 1 or digits == len(said.value)
        if said.link.strip() == "" and digits != _OTP_DIGITS:
            return False
        return is_otp(said.value) and (alone or not said.assigned or digits == _OTP_DIGITS)
    return _PIN.fullmatch(said.value) is not None or (
        said.link.strip() != "" and _CODE.fullmatch(said.value) is not None
    )


def _is_user(said: _Said) -> bool:
    value = said.value
    if value.isdecimal() or _USER.fullmatch(value) is None or _BLANK.fullmatch(value):
        return False
    if said.link.strip(" \"'") == "=" or (said.tied and said.signed):
        return True
    if _ORDINARY.fullmatch(value):
        return False
    if said.cue == "handle" and value.startswith("@"):
        return True
    marked = any(letter.isdigit() or letter in "_.@" for letter in value[1:])
    if said.cue not in _USERS_ONLY:
        named = value[0].isalpha() and any(map(str.isdigit, value)) and len(value) > 4
        said_so = said.signed or (said.link.strip() != "" and said.ends and said.cue != "user")
        alone = said.signed and said.ends and value.islower() and said.cue in {"login", "handle"}
        told = said_so and not said.signed and not is_common(value)
        return (
            (said.signed and (marked or "=" in said.link))
            or (alone and not is_common(value))
            or told
            or (said.cue == "user" and named)
        )
    return marked or said.signed or (said.link.strip() != "" and said.ends)


_CHECKS: Final = {"password": _is_password, "token": _is_token, "pin": _is_pin, "user": _is_user}
_DIGITS_LEAST: Final = 4
_OTP_DIGITS: Final = 6
_CODE: Final = re.compile(r"(?=[A-Z0-9-]{0,11}[0-9])[A-Z0-9][A-Z0-9-]{3,11}")
_USERS_ONLY: Final = frozenset(_KINDS) - {
    cue for cue, kind in _KINDS.items() if kind != "user" or cue in _USERS_OFTEN
}
_SECRET_LEAST: Final = 5
_MARK: Final = re.compile(r"[^\s][!@#$%^&*_+=~?|\\][^\s]|[!@#$%^&*]\Z")


def _looks_secret(value: str) -> bool:
    """Unlike a word: digits among letters, marks, or capitals inside."""
    if len(value) < _SECRET_LEAST or not any(map(str.isalpha, value)):
        return False
    return (
        any(map(str.isdigit, value))
        or _MARK.search(value) is not None
        or (any(map(str.isupper, value[1:])) and any(map(str.islower, value)))
    )
