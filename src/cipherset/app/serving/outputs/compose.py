"""The filter of replies, put together from what the owner keeps: indexes, canaries, detectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cipherset.app.gate import About, Action
from cipherset.app.training.kept import (
    CANARIES,
    SHINGLES,
    KeptOfDataset,
    folder_of,
    newest_version,
)
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.labels import Tag
from cipherset.core.protocols import Detector
from cipherset.core.values import Span
from cipherset.custody.keys import KeyedHashes, KeyUse
from cipherset.custody.policy import Kind
from cipherset.guard.outputs import (
    UNREADABLE,
    CanaryHashes,
    Finders,
    OutputFilter,
    OutputRules,
    Rows,
)
from cipherset.pipeline.sanitize import Policy, default_policy, detectors_of, look
from cipherset.pipeline.sanitize.detectors.content.terms import TermsDetector
from cipherset.pipeline.sanitize.detectors.prose import topic_detectors
from cipherset.pipeline.sanitize.label.kinds import KINDS

_SECRETS: Final = frozenset(entity for entity, kind in KINDS.items() if Tag.SECRET in kind.tags)


@dataclass(frozen=True, slots=True)
class Guarded:
    """A data set whose rows are not to be repeated, and the key that its index is under."""

    dataset: str
    key: str


@dataclass(frozen=True, slots=True)
class CheckedDetector:
    """A detector that may throw: then the whole text is found, and what it threw is nowhere."""

    inner: Detector

    @property
    def name(self) -> str:
        """As the detector within."""
        return self.inner.name

    @property
    def version(self) -> str:
        """As the detector within."""
        return self.inner.version

    @property
    def entities(self) -> frozenset[str]:
        """Those of the detector within, and ``UNREADABLE``."""
        return self.inner.entities | {UNREADABLE}

    def detect(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text."""
        looked = look([self.inner], texts)
        for place in looked.faults:
            looked.spans[place] = [Span(0, len(texts[place]), UNREADABLE)]
        return looked.spans


def open_filter(
    session: Session,
    rules: OutputRules,
    guarded: Sequence[Guarded] = (),
    policy: Policy | None = None,
) -> OutputFilter:
    """The filter under ``rules`` that knows the data sets ``guarded``, for a process to keep.

    Of a data set without canaries none are looked for; without an index it is refused. ``policy``
    says which detectors look, as for ``sanitize``.

    Raises:
        IntegrityError: ``sealed_missing``: there is no index of a data set, or it was changed.
        KeyAccessError: its key is not here.
        InputError: ``terms_file``: a term has neither letter nor digit.
    """
    rows, canaries = [], []
    with open_workspace(session) as workspace:
        for one in guarded:
            about = About(Kind.DATASET, canonical.digest({"training": one.dataset}), one.dataset)
            with workspace.gate.act(Action.ASSESS, one.dataset, {"guard": "outputs"}, about=about):
                rows.append(_rows(workspace, one, rules))
                canaries += _canaries(workspace, one)
    own_terms = (
        TermsDetector(f"terms of {topic}", terms, topic)
        for topic, terms in rules.topics.terms.items()
    )
    finders = Finders(
        rows=tuple(rows),
        canaries=tuple(canaries),
        detectors=tuple(map(CheckedDetector, detectors_of(policy or default_policy()))),
        topics=tuple(map(CheckedDetector, (*topic_detectors(), *own_terms))),
        secret_entities=_SECRETS,
    )
    return OutputFilter(finders, rules)


def _rows(workspace: Workspace, one: Guarded, rules: OutputRules) -> Rows:
    kept, _ = _kept(workspace, one, SHINGLES)
    bits = kept.open_rarity().bits if rules.copies.least_bits else None
    return Rows(one.dataset, kept.open_index(), bits)


def _canaries(workspace: Workspace, one: Guarded) -> list[CanaryHashes]:
    """Hashes of what was planted; the secrets themselves are dropped again."""
    if not any(folder_of(workspace.home, one.dataset).glob(f"{CANARIES}.*")):
        return []
    kept, hashes = _kept(workspace, one, CANARIES)
    planted = kept.canaries()
    return [CanaryHashes.of(one.dataset, planted.format.alphabet, planted.secrets, hashes)]


def _kept(workspace: Workspace, one: Guarded, what: str) -> tuple[KeptOfDataset, KeyedHashes]:
    version = newest_version(workspace.home, one.dataset, what)
    key = workspace.ring.open(one.key, version, purpose=KeyUse.MEASURE)
    return KeptOfDataset.of(workspace.home, one.dataset, key), KeyedHashes(key, what)
