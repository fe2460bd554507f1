"""Values of a file of rules, each checked where it is taken; errors name file and key."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from phonenumbers import SUPPORTED_REGIONS

from cipherset.core.errors import InputError
from cipherset.pipeline.sanitize.treat import Rule, Treatment
from cipherset.pipeline.sanitize.treat.treatment import MOST_KEPT, allowed

DEFAULT: Final = "default"
_ENTITY: Final = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_LANGUAGE: Final = re.compile(r"[a-z]{2}")
_LONGEST_SHOWN: Final = 40
# What every kind of entity has; the others have to be asked for by kind.
_FOR_ALL: Final = tuple(
    each for each in Treatment if each not in {Treatment.SURROGATE, Treatment.GENERALIZE}
)


class Checked:
    """A table of a document; ``where`` is its file and the path to it."""

    def __init__(self, where: str, table: Mapping[str, Any]) -> None:
        self._where = where
        self._table = table

    @property
    def keys(self) -> tuple[str, ...]:
        """What something is said of."""
        return tuple(self._table)

    def knowing(self, known: Iterable[str]) -> "Checked":
        """The same table, after a look that it has no key but those ``known``."""
        names = sorted(known)
        for key in self._table:
            if key not in names:
                close = get_close_matches(key, names, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are: {_list(names)}"
                raise self._refusal(key, "no such key", hint)
        return self

    def table(self, key: str) -> "Checked":
        """The table under ``key``; an empty one where nothing is said."""
        return self._as_table(key, self._table.get(key, {}))

    def tables(self, key: str) -> list["Checked"]:
        """The tables of an array."""
        value = self._table.get(key, [])
        if not isinstance(value, list):
            raise self._refusal(key, f"found {_kind(value)}", f"expected [[{key}]] tables")
        return [self._as_table(f"{key}[{at}]", each) for at, each in enumerate(value)]

    def names(self, key: str, known: Sequence[str]) -> tuple[str, ...] | None:
        """Some of the names ``known``; None where nothing is said."""
        found = self._strings(key)
        for name in found or ():
            if name not in known:
                raise self._refusal(
                    key, f"found {_shown(name)}", f"allowed are: {_list(known) or 'none here'}"
                )
        return found

    def words(self, key: str) -> tuple[str, ...]:
        """At least one word, none of them blank."""
        found = self._strings(key)
        if not found or not all(word.strip() for word in found):
            raise self._refusal(key, "no word, or a blank one", "give words, or a file of them")
        return found

    def languages(self, key: str) -> tuple[str, ...] | None:
        """ISO 639-1 codes."""
        found = self._strings(key)
        for code in found or ():
            if not _LANGUAGE.fullmatch(code):
                raise self._refusal(key, f"found {_shown(code)}", "expected codes such as en, de")
        return found

    def entity(self, key: str, default: str) -> str:
        """The name of a kind of entity, known or new."""
        found = self._table.get(key, default)
        if isinstance(found, str) and _ENTITY.fullmatch(found):
            return found
        raise self._refusal(key, f"found {_shown(found)}", "expected capitals, as in TRADE_SECRET")

    def region(self, key: str, default: str) -> str:
        """A region of phone numbers."""
        found = self._table.get(key, default)
        if isinstance(found, str) and found in SUPPORTED_REGIONS:
            return found
        hint = "expected two capital letters, such as US, DE or IN"
        raise self._refusal(key, f"found {_shown(found)}", hint)

    def text(self, key: str) -> str:
        """A string."""
        found = self._table[key]
        if isinstance(found, str):
            return found
        raise self._refusal(key, f"found {_kind(found)}", "expected a string")

    def default_rule(self, base: Rule) -> Rule:
        """The rule of this table, for all kinds of entity; ``base`` where it says nothing."""
        if "treatment" not in self._table and "keep_last" not in self._table:
            return base
        return self.asked_rule(_FOR_ALL, base.treatment)

    def rule(self, entity: str) -> Rule | None:
        """The rule of a kind of entity; None where the default is to hold."""
        said = self._table[entity]
        if isinstance(said, str):
            said = {"treatment": said}
        table = self._as_table(entity, said).knowing(("keep_last", "treatment"))
        if said == {"treatment": DEFAULT}:
            return None
        return table.asked_rule(allowed(entity), None)

    def asked_rule(self, treatments: Sequence[Treatment], base: Treatment | None) -> Rule:
        """The rule in the keys ``treatment`` (else ``base``) and ``keep_last`` of this table."""
        treatment = self._treatment(treatments, base)
        kept = self._table.get("keep_last", 0)
        if type(kept) is not int or not 0 <= kept <= MOST_KEPT:
            hint = f"expected a whole number from 0 to {MOST_KEPT}"
            raise self._refusal("keep_last", f"found {_shown(kept)}", hint)
        if kept and treatment is not Treatment.MASK:
            raise self._refusal("keep_last", f"with {treatment}", "it is for the treatment mask")
        return Rule(treatment, kept)

    def _treatment(self, treatments: Sequence[Treatment], base: Treatment | None) -> Treatment:
        said = self._table.get("treatment", base)
        if isinstance(said, str) and said in tuple(treatments):
            return Treatment(said)
        found = "nothing" if said is None else f"found {_shown(said)}"
        others = [] if base else [DEFAULT]
        raise self._refusal("treatment", found, f"allowed are: {_list([*others, *treatments])}")

    def _strings(self, key: str) -> tuple[str, ...] | None:
        found = self._table.get(key)
        if found is None:
            return None
        if isinstance(found, list) and all(isinstance(each, str) for each in found):
            return tuple(found)
        raise self._refusal(key, f"found {_kind(found)}", "expected an array of strings")

    def _as_table(self, key: str, value: object) -> "Checked":
        if isinstance(value, dict):
            return Checked(f"{self._where}, {key}", value)
        raise self._refusal(key, f"found {_kind(value)}", "expected a table")

    def _refusal(self, key: str, found: str, hint: str) -> InputError:
        return InputError(f"{self._where}, {key}: {found}", code="rules_file", hint=hint)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _shown(value: object) -> str:
    """A short string as it is; of anything else the kind, as it may be what is to be kept."""
    if isinstance(value, str) and len(value) <= _LONGEST_SHOWN:
        return repr(value)
    return str(value) if type(value) is int else _kind(value)


def _kind(value: object) -> str:
    kinds = {dict: "a table", list: "an array", str: "a string", bool: "true or false"}
    return kinds.get(type(value), f"a value of type {type(value).__name__}")
