"""Rules from tables, a key, and texts to sanitize."""

from cipherset.core import canonical
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import Pseudonyms
from cipherset.pipeline.sanitize import Span, policy_of, rules_of, sanitize_texts
from cipherset.pipeline.sanitize.policy.policy import SCHEMA


def key(number=1, *, version=1):
    return Pseudonyms(KeyHandle(f"key-{number:016x}", version, Secret(bytes([number]) * 32)))


def policy(**tables):
    return policy_of(canonical.encode({"schema": SCHEMA, **tables}).decode())


def rules(entities=None, *, treatment=None, number=1):
    tables = {"entities": entities or {}}
    if treatment:
        tables["defaults"] = {"treatment": treatment}
    return rules_of(policy(**tables), key(number))


def clean(text, made):
    """One text by made rules; a second time changes nothing and finds nothing."""
    once = sanitize_texts([text], made)
    again = sanitize_texts(once.texts, made)
    assert (again.texts, dict(again.found)) == (once.texts, {})
    return once.texts[0]


class Finds:
    """Finds words it was told of, as the kinds it was told."""

    version = "1"

    def __init__(self, words, name="finds"):
        self.name = name
        self.words = words
        self.entities = frozenset(words.values())

    def detect(self, texts):
        return [
            [
                Span(at, at + len(word), entity)
                for word, entity in self.words.items()
                for at in range(len(text))
                if text.startswith(word, at)
            ]
            for text in texts
        ]
