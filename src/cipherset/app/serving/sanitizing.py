"""Texts in, texts out, with what must not leave taken out of them: by the workspace's own rules.

The rules are those of ``rules.toml`` in the workspace, or the shipped ones. What was asked is kept
as a keyed digest, lengths and counts: whoever holds the texts can find the event, nobody else can
read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cipherset.app.gate import Action, Fact
from cipherset.app.gate.about import About, about_key, about_key_named
from cipherset.app.sanitizing.rules import asked_policy, keyed_rules
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.custody.keys import KeyUse
from cipherset.custody.keys.identity import source_identity
from cipherset.custody.policy import Kind
from cipherset.pipeline.sanitize import Policy, SanitizeRules, sanitize_texts

RULES_FILE: Final = "rules.toml"
_END: Final = b"\0"


@dataclass(frozen=True, slots=True)
class Sanitized:
    """The texts, what was treated in each by kind, and which were withheld whole, and why."""

    texts: list[str] = field(repr=False)
    found: list[dict[str, int]]
    withheld: dict[int, str]
    rules: str


class Sanitizer:
    """The rules of a workspace, made ready once; ``reload`` reads them again."""

    def __init__(self, home: Path) -> None:
        """Read the rules.

        Raises:
            InputError: ``rules_file``.
        """
        self._path = home / RULES_FILE
        self.reload()

    def reload(self) -> None:
        """Take the rules as they are now; where they cannot be read, go on with the ones so far.

        Raises:
            InputError: ``rules_file``.
        """
        self._policy = asked_policy(self._path if self._path.is_file() else None)

    def sanitize(self, session: Session, texts: Sequence[str], key: str | None) -> Sanitized:
        """The texts without what must not leave; ``key`` names the key of tokens and surrogates.

        Leaks: what no detector finds; of a token or a surrogate, which values are equal.

        Raises:
            PolicyError: ``not_allowed``.
            UsageError: ``rules_need_key``.
            KeyAccessError: there is no such key, or it cannot be used.
        """
        policy = self._policy
        with open_workspace(session) as workspace:
            about = _about(workspace, texts, key)
            facts: dict[str, Fact] = {
                "rules": policy.digest,
                "key": key,
                "texts": len(texts),
                "characters": sum(map(len, texts)),
            }
            with workspace.gate.act(Action.SANITIZE, about.name, facts, about=about) as act:
                done = sanitize_texts(texts, _rules(workspace, policy, key))
                told = sorted(done.found.items())
                act.facts["entities"] = " ".join(f"{name}={n}" for name, n in told)
                act.facts["withheld"] = len(done.withheld)
        return Sanitized(
            done.texts,
            [dict(sorted(done.counts.get(i, {}).items())) for i in range(len(texts))],
            {i: fault.error for i, fault in done.withheld.items()},
            policy.digest,
        )


def _about(workspace: Workspace, texts: Sequence[str], key: str | None) -> About:
    """The texts and the key; what would stand for it where there is none of that name.

    One file is read whether that key is there, so that the time it takes does not say.
    """
    chunks = (text.encode() + _END for text in texts)
    digest = source_identity(workspace.ring.signer(), chunks)
    about = About(Kind.DATASET, digest, "texts")
    if key is None:
        return about
    known = workspace.ring.find(key)
    also = about_key_named(key) if known is None else about_key(known)
    return replace(about, also=also.bound())


def _rules(workspace: Workspace, policy: Policy, key: str | None) -> SanitizeRules:
    handle = None if key is None else workspace.ring.open(key, purpose=KeyUse.EXPORT)
    return keyed_rules(policy, handle)
