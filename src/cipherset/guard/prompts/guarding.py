"""One look at a conversation before it goes to a model: structure, characters, attacks, values.

The order matters. Attacks are looked for in the texts as they came, invisible characters and all.
Then what nobody sees is taken out, so that it hides no value from a detector; marks of roles are
broken; values become tokens; and at last what is not trusted is fenced, so that nothing before can
touch the fence.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cipherset.core.errors import PolicyError
from cipherset.core.protocols import Detector
from cipherset.core.text.look import look
from cipherset.core.values import Span
from cipherset.guard.prompts.conversation import (
    Conversation,
    Form,
    Part,
    Role,
    check_limits,
)
from cipherset.guard.prompts.fence import fenced
from cipherset.guard.prompts.injection.classifier import InjectionClassifier
from cipherset.guard.prompts.injection.judge import judge
from cipherset.guard.prompts.injection.kinds import Kind, Verdict
from cipherset.guard.prompts.leaves import leaves, with_leaves
from cipherset.guard.prompts.roles import without_roles
from cipherset.guard.prompts.rules import UNREAD, Action, PromptRules, Tokens
from cipherset.guard.prompts.vault import Vault, everywhere
from cipherset.guard.prompts.visible import visible

WITHHELD: Final = "[WITHHELD]"
_OF_TOKENS: Final = (
    "Words in brackets with a number, such as [PERSON_1], stand for values that you are not shown. "
    "The same word stands for the same value. Where you mean the value, write the word exactly so."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found ``count`` times in part number ``part``, by what, and what was done.

    ``kind`` is that of a verdict or of an entity; never the text.
    """

    part: int
    role: Role
    kind: str
    by: str
    action: Action
    count: int = 1
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Guarded:
    """What may go to the model, the vault that restores its reply, and what was found.

    ``notice`` goes before all else, as instructions: what fences and tokens are. ``passed`` has a
    part for each that there was; if one is blocked, none.
    """

    passed: Conversation = field(repr=False)
    notice: str = field(repr=False)
    vault: Vault
    findings: tuple[Finding, ...]

    @property
    def is_blocked(self) -> bool:
        """Whether it goes nowhere."""
        return any(finding.action is Action.BLOCK for finding in self.findings)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What whoever asked is told."""
        return tuple(finding for finding in self.findings if finding.action is Action.WARN)

    @property
    def conversation(self) -> Conversation:
        """What may go to the model.

        Raises:
            PolicyError: ``prompt_blocked``: nothing may.
        """
        for finding in self.findings:
            if finding.action is Action.BLOCK:
                raise PolicyError(
                    f"part {finding.part} ({finding.role}) of the conversation is blocked: "
                    f"{finding.kind}, found by {finding.by}",
                    code="prompt_blocked",
                    hint="say it in other words, or ask the owner of the rules",
                )
        return self.passed


def guard_prompt(
    conversation: Conversation,
    detectors: Sequence[Detector],
    classifier: InjectionClassifier | None,
    rules: PromptRules,
    vault: Vault | None = None,
) -> Guarded:
    """``conversation`` made fit to leave by ``rules``; with ``vault``, that of its earlier turns.

    A detector that fails at a text has it blocked. Without a classifier, its layer is missing.

    Raises:
        InputError: ``prompt_parts``, ``prompt_length`` or ``prompt_depth``.
    """
    check_limits(conversation, rules.limits)
    if vault is None:
        kinds = {entity for detector in detectors for entity in detector.entities}
        vault = Vault.tagged(kinds) if rules.tokens is Tokens.TAGGED else Vault(kinds)
    work = [_Work(place, part, rules) for place, part in enumerate(conversation.parts)]
    read = [Part(each.part.role, "\n".join(each.texts)) for each in work]
    for each, verdicts in zip(work, judge(read, classifier, rules.thresholds), strict=True):
        each.judged(verdicts)
        each.cleaned()
    _find_values(work, detectors, vault.known())
    tokenized = Conversation(tuple(each.done(vault) for each in work))
    passed, of_fences = fenced(tokenized, rules.spotlight)
    findings = tuple(finding for each in work for finding in each.findings)
    if any(finding.action is Action.BLOCK for finding in findings):
        passed = Conversation(())
    notice = "\n".join(filter(None, (of_fences, _OF_TOKENS if len(vault) else "")))
    return Guarded(passed, notice, vault, findings)


class _Work:
    """One part on its way: its texts (of JSON, all strings), and what was found in it."""

    def __init__(self, place: int, part: Part, rules: PromptRules) -> None:
        self.part = part
        self.findings: list[Finding] = []
        found = leaves(part.text) if part.form is Form.JSON else None
        self._is_json = found is not None
        self.texts = [part.text] if found is None else found
        self.spans: list[list[Span]] = [[] for _ in self.texts]
        self._place = place
        self._rules = rules
        self._is_withheld = False

    def judged(self, verdicts: Iterable[Verdict]) -> None:
        """Note what was found wrong with the whole of it."""
        for verdict in verdicts:
            self._note(verdict.kind, verdict.layer, score=verdict.score)

    def cleaned(self) -> None:
        """Take out what nobody sees, and break the marks of other roles."""
        marks = 0
        for n, text in enumerate(self.texts):
            self.texts[n], count = without_roles(visible(text), self.part.role)
            marks += count
        if marks:
            self._note(Kind.ROLE_SMUGGLING, "marks", count=marks)

    def failed(self, detector: str) -> None:
        """Note that a detector could not read it."""
        self._note(UNREAD, detector)

    def action(self, entity: str) -> Action:
        """What is done about ``entity`` here."""
        return self._rules.on_entity(entity, self.part.role)

    def done(self, vault: Vault) -> Part:
        """The part as it may leave."""
        counts = Counter(span.entity for spans in self.spans for span in spans)
        actions = {entity: self.action(entity) for entity in counts}
        self.findings += [
            Finding(self._place, self.part.role, entity, "detectors", action, counts[entity])
            for entity, action in sorted(actions.items())
        ]
        if self._is_withheld:
            return Part(self.part.role, "{}" if self._is_json else WITHHELD, self.part.form)
        lost = {entity for entity, action in actions.items() if action is Action.REDACT}
        replaced = lost | {e for e, action in actions.items() if action is Action.TOKENIZE}
        texts = [
            vault.tokenize(text, [span for span in spans if span.entity in replaced], redacted=lost)
            for text, spans in zip(self.texts, self.spans, strict=True)
        ]
        if self._is_json:
            return Part(self.part.role, with_leaves(self.part.text, texts), Form.JSON)
        return Part(self.part.role, texts[0])

    def _note(self, kind: str, by: str, *, count: int = 1, score: float = 1.0) -> None:
        action = self._rules.on_finding(kind, self.part.role)
        self._is_withheld = self._is_withheld or action in (Action.REDACT, Action.BLOCK)
        self.findings.append(
            Finding(self._place, self.part.role, str(kind), str(by), action, count, score)
        )


def _find_values(
    work: Sequence[_Work], detectors: Sequence[Detector], known: Mapping[str, str]
) -> None:
    """Fill in the spans of all parts, those of a value that was found elsewhere among them."""
    places = [(each, n) for each in work for n in range(len(each.texts))]
    looked = look(detectors, [each.texts[n] for each, n in places])
    for position, fault in looked.faults.items():
        places[position][0].failed(fault.detector)
    values = dict(known)
    for (each, n), spans in zip(places, looked.spans, strict=True):
        each.spans[n] = list(spans)
        values |= {
            each.texts[n][span.start : span.end]: span.entity
            for span in spans
            if each.action(span.entity) in (Action.TOKENIZE, Action.REDACT)
        }
    for each, n in places:
        missed = everywhere(each.texts[n], values)
        each.spans[n] += [span for span in missed if span not in each.spans[n]]
