"""The rules of a run: from a file or the shipped ones, with the key that some of them take."""

from pathlib import Path

from cipherset.core.secret import KeyHandle
from cipherset.custody.keys import Pseudonyms
from cipherset.pipeline.sanitize import (
    Policy,
    SanitizeRules,
    default_policy,
    policy_of,
    read_policy,
    rules_of,
)


def asked_policy(path: Path | None) -> Policy:
    """What the file says, or the shipped rules.

    Raises:
        InputError: ``rules_file``.
    """
    return default_policy() if path is None else read_policy(path)


def keyed_rules(policy: Policy, key: KeyHandle | None) -> SanitizeRules:
    """The rules, with stand-ins under ``key``.

    Raises:
        UsageError: ``rules_need_key``.
        BackendError: the package of an extra detector is missing.
    """
    return rules_of(policy, None if key is None else Pseudonyms(key))


def sealed_rules(text: str, key: KeyHandle) -> SanitizeRules:
    """The rules that an export was made with, as its sealed state has them."""
    return keyed_rules(policy_of(text), key)
