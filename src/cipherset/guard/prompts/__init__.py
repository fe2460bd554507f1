"""What goes to a model: parts kept apart, values tokenized, attacks found in layers."""

from cipherset.guard.prompts.conversation import (
    Conversation,
    Form,
    Limits,
    Part,
    Role,
    check_limits,
)
from cipherset.guard.prompts.fence import Spotlight, fenced
from cipherset.guard.prompts.guarding import Finding, Guarded, guard_prompt
from cipherset.guard.prompts.roles import without_roles
from cipherset.guard.prompts.rules import (
    Action,
    PromptRules,
    Tokens,
    default_rules,
    read_rules,
    rules_over,
)
from cipherset.guard.prompts.vault import StreamRestorer, Vault
from cipherset.guard.prompts.visible import visible

__all__ = [
    "Action",
    "Conversation",
    "Finding",
    "Form",
    "Guarded",
    "Limits",
    "Part",
    "PromptRules",
    "Role",
    "Spotlight",
    "StreamRestorer",
    "Tokens",
    "Vault",
    "check_limits",
    "default_rules",
    "fenced",
    "guard_prompt",
    "read_rules",
    "rules_over",
    "visible",
    "without_roles",
]
