"""The layers together, over all parts of a conversation at once.

Characters that are not drawn, patterns, the same in what is decoded, and a classifier. Texts of
tools and searches are held to a stricter threshold: nothing in a document has to speak to a model.
Orders split over several messages are looked for in the messages joined.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cipherset.guard.prompts.conversation import TRUSTED, UNTRUSTED, Part, Role
from cipherset.guard.prompts.injection.classifier import InjectionClassifier
from cipherset.guard.prompts.injection.kinds import Kind, Layer, Verdict
from cipherset.guard.prompts.injection.patterns import ENOUGH, Hint, hints, is_hiding

# Sums of weights from which a text is refused.
THRESHOLDS: Final[Mapping[Role, float]] = MappingProxyType(
    {role: 0.7 if role in UNTRUSTED else ENOUGH for role in Role}
)
Verdicts = list[list[Verdict]]


def judge(
    parts: Sequence[Part],
    classifier: InjectionClassifier | None = None,
    thresholds: Mapping[Role, float] = THRESHOLDS,
) -> Verdicts:
    """For each of ``parts`` what the layers hold against it: nothing, or verdicts of 1 and more.

    Parts of ``system`` and ``developer`` are instructions by right, and not judged.
    """
    found: Verdicts = [[] for _ in parts]
    judged = [n for n, part in enumerate(parts) if part.role not in TRUSTED]
    seen = {n: hints(parts[n].text) for n in judged}
    for n in judged:
        text, enough = parts[n].text, thresholds.get(parts[n].role, ENOUGH)
        if not text.isascii() and is_hiding(text):
            found[n].append(Verdict(Kind.HIDDEN_TEXT, Layer.CHARACTERS, 1.0))
        found[n] += _by_patterns(seen[n], enough)
    for n, verdicts in _over_parts(parts, seen, thresholds):
        if not any(one.layer in (Layer.PATTERNS, Layer.DECODED) for one in found[n]):
            found[n] += verdicts
    if classifier is not None:
        _classified(parts, judged, classifier, found)
    return found


def _by_patterns(seen: Sequence[Hint], enough: float) -> list[Verdict]:
    """By the open ones alone if these do, else with those that were decoded.

    Marks of roles add to what else is found; alone they are somebody's question about templates,
    and broken in any case.
    """
    if all(hint.kind is Kind.ROLE_SMUGGLING for hint in seen):
        return []
    in_the_open = [hint for hint in seen if not hint.is_disguised]
    for layer, some in ((Layer.PATTERNS, in_the_open), (Layer.DECODED, seen)):
        total = sum(hint.weight for hint in some)
        if total >= enough:
            return [Verdict(_kind(some), layer, total / enough)]
    return []


def _kind(seen: Sequence[Hint]) -> Kind:
    """What weighs more."""
    signed = sum(hint.weight if hint.kind is Kind.JAILBREAK else -hint.weight for hint in seen)
    return Kind.JAILBREAK if signed > 0 else Kind.INJECTION


def _over_parts(
    parts: Sequence[Part], seen: Mapping[int, Sequence[Hint]], thresholds: Mapping[Role, float]
) -> list[tuple[int, list[Verdict]]]:
    """What shows only when the messages of one role are read on, held against the last of them.

    A pattern counts if it is in none of them alone: long talks are not summed up to an attack.
    """
    told = []
    for role in Role:
        places = [n for n in seen if parts[n].role is role and parts[n].text]
        if len(places) < 2:
            continue
        alone = {hint.pattern for n in places for hint in seen[n]}
        joined = hints("\n".join(parts[n].text for n in places))
        new = [hint for hint in joined if hint.pattern not in alone]
        verdicts = _by_patterns(new, thresholds.get(role, ENOUGH))
        if verdicts:
            told.append((places[-1], verdicts))
    return told


def _classified(
    parts: Sequence[Part], judged: Sequence[int], classifier: InjectionClassifier, found: Verdicts
) -> None:
    """Add what the classifier says of all that was not written by the model itself."""
    asked = [n for n in judged if parts[n].role is not Role.ASSISTANT]
    data = [n for n in asked if parts[n].role in UNTRUSTED]
    scores = dict(zip(asked, classifier.attack_scores([parts[n].text for n in asked]), strict=True))
    requests = classifier.request_scores([parts[n].text for n in data])
    for n, score in zip(data, requests, strict=True):
        scores[n] = max(scores[n], score)
    for n, score in scores.items():
        if score >= 1.0:
            kind = Kind.INJECTION if n in data else Kind.JAILBREAK
            found[n].append(Verdict(kind, Layer.CLASSIFIER, score))
