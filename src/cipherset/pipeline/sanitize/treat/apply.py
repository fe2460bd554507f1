"""The treatments of a run: what stands where a finding was, and what was put there before."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cipherset.core.errors import UsageError
from cipherset.core.protocols import Pseudonymizer
from cipherset.pipeline.sanitize.spans import Span, merged, placeholder
from cipherset.pipeline.sanitize.treat.generalize import GRAMMAR, generalized
from cipherset.pipeline.sanitize.treat.mask import mask_form, masked
from cipherset.pipeline.sanitize.treat.surrogate import surrogate, surrogate_form
from cipherset.pipeline.sanitize.treat.token import SEALED_FORM, TOKEN_FORM, sealed_token, token
from cipherset.pipeline.sanitize.treat.treatment import Rule, Treatment, Treatments
from cipherset.pipeline.sanitize.treat.value import normalized

_DEFAULTS: Final = Treatments()


@dataclass(frozen=True, slots=True)
class Treating:
    """Treatments, and the key of those that need one.

    A treatment that has no form for a value, such as the month of a date that cannot be read, is
    a placeholder.
    """

    treatments: Treatments = _DEFAULTS
    key: Pseudonymizer | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse keyed treatments without a key.

        Raises:
            UsageError: ``rules_need_key``.
        """
        keyed = self.treatments.keyed
        if keyed and self.key is None:
            raise UsageError(
                f"the rules ask for {' and '.join(keyed)}: that takes a key",
                code="rules_need_key",
                hint="name one: --key NAME (cipherset key create NAME makes it)",
            )

    def chosen(self, spans: Iterable[Span]) -> list[Span]:
        """Disjoint spans that cover what is to be treated, each of the strictest kind in it."""
        treated = [
            span
            for span in spans
            if self.treatments.of(span.entity).treatment is not Treatment.KEEP
        ]
        return merged(treated, self._strictness)

    def replaced(self, text: str, spans: Sequence[Span]) -> tuple[str, list[Span]]:
        """``text`` with the disjoint, ordered ``spans`` treated, and those that changed it."""
        pieces: list[str] = []
        changed: list[Span] = []
        position = 0
        for span in spans:
            value = text[span.start : span.end]
            instead = self.instead(span.entity, value, is_glued=_is_glued(text, span))
            pieces += [text[position : span.start], instead]
            position = span.end
            if instead != value:
                changed.append(span)
        pieces.append(text[position:])
        return "".join(pieces), changed

    def instead(self, entity: str, value: str, *, is_glued: bool = False) -> str:
        """What stands where ``value`` was.

        ``is_glued``: it touches other letters, so a surrogate could not be told from them.
        """
        rule, region = self.treatments.of(entity), self.treatments.region
        match rule.treatment:
            case Treatment.REMOVE:
                return ""
            case Treatment.MASK:
                return masked(value, rule.keep_last)
            case Treatment.GENERALIZE:
                return generalized(entity, value, region) or placeholder(entity)
            case Treatment.SURROGATE if is_glued:
                return placeholder(entity)
            case _ if self.key is not None:
                return self._keyed(self.key, rule, entity, value)
        return placeholder(entity)

    def forms(self, entities: Iterable[str]) -> re.Pattern[str]:
        """What was put in place of ``entities`` looks like, in a text that was treated before."""
        names = "|".join(sorted(map(re.escape, entities)))
        forms = [rf"\[(?:{names})(?:{TOKEN_FORM}|{SEALED_FORM})?\]"]
        by_entity = self.treatments.by_entity.items()
        for entity, rule in sorted(by_entity, key=lambda item: item[0]):
            if rule.treatment is Treatment.GENERALIZE:
                forms.append(rf"\[{entity}: {GRAMMAR[entity]}\]")
            if rule.treatment is Treatment.SURROGATE:
                forms.append(f"(?:{surrogate_form(entity)})")
        kept = [rule.keep_last for rule in self._rules() if rule.treatment is Treatment.MASK]
        if kept:
            forms.append(mask_form(max(kept)))
        return re.compile("|".join(forms))

    def _rules(self) -> list[Rule]:
        return [self.treatments.default, *self.treatments.by_entity.values()]

    def _strictness(self, entity: str) -> int:
        return self.treatments.of(entity).strictness

    def _keyed(self, key: Pseudonymizer, rule: Rule, entity: str, value: str) -> str:
        match rule.treatment:
            case Treatment.SEALED:
                return sealed_token(entity, key.version, key.seal(entity, value))
            case Treatment.TOKEN:
                return token(entity, key.token(entity, self._normalized(entity, value)))
            case Treatment.SURROGATE:
                digest = key.surrogate(entity, self._normalized(entity, value))
                return surrogate(entity, value, digest)
        return placeholder(entity)

    def _normalized(self, entity: str, value: str) -> str:
        return normalized(entity, value, self.treatments.region)


def _is_glued(text: str, span: Span) -> bool:
    around = text[span.start - 1 : span.start] + text[span.end : span.end + 1]
    return any(character.isalnum() or character == "@" for character in around)
