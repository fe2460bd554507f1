"""Text that plays a role it has not got: marks of chat templates, and headings of other speakers.

A server that turns messages into one text may read ``<|im_start|>system`` in a user's words as the
beginning of a system message. Here such marks are broken so that people still read them and no
tokenizer takes them for its own. They are changed, not taken out, for what is taken out can bring
together what was apart.
"""

import re
from typing import Final

from cipherset.guard.prompts.conversation import TRUSTED, UNTRUSTED, Role

_BAR: Final = "¦"
_SPECIAL: Final = re.compile(
    # ChatML, Llama 3, Phi, GPT: <|name|>; others write full-width bars
    r"<[|｜]([^<>|｜\n]{1,40})[|｜]>"
    # Llama 2, Mistral; and the turns of Gemma
    r"|(\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"
    r"|<(?:start|end)_of_turn>|</?s>|<(?:bos|eos|pad|unk)>)",
    re.IGNORECASE,
)
_HEADING: Final = re.compile(
    r"^([ \t>#*_`\[(<]{0,8})(system|developer|assistant|user|human|ai|tool)"
    r"((?: (?:prompt|message|instructions?|note|override|update))?[\])*_`>]{0,4}(?:\(#\w{1,20}\))?)"
    r"([ \t]{0,3}:)",
    re.IGNORECASE | re.MULTILINE,
)
_ROUND: Final = str.maketrans("[]<>", "()‹›")


def without_roles(text: str, role: Role) -> tuple[str, int]:
    """``text`` of ``role`` without marks of another role, and how many there were.

    Whoever sets the rules may write what they like. Marks of templates are broken in all other
    texts (``<¦im_start¦>``), headings (``system: …``) only in those of tools and searches: a user
    may have a "System: Windows" to report.
    """
    if role in TRUSTED:
        return text, 0
    text, n_marks = _SPECIAL.subn(_broken, text)
    n_headings = 0
    if role in UNTRUSTED:
        text, n_headings = _HEADING.subn(r"\1“\2\3”\4", text)
    return text, n_marks + n_headings


def _broken(match: re.Match[str]) -> str:
    if match[1] is not None:
        return f"<{_BAR}{match[1]}{_BAR}>"
    return match[0].translate(_ROUND)
