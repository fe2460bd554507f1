"""What guards the way there and back, made ready once for many requests."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.app.sanitizing.rules import asked_policy
from cipherset.app.serving.outputs.compose import Guarded, open_filter
from cipherset.app.serving.relay.rules import GuardRules, read_guard_rules
from cipherset.app.serving.sanitizing import RULES_FILE
from cipherset.app.workspace import Session
from cipherset.core.protocols import Detector
from cipherset.guard.outputs import OutputFilter
from cipherset.guard.prompts import Part, Role
from cipherset.guard.prompts.injection import InjectionClassifier, judge
from cipherset.pipeline.sanitize.rules import every_detector


@dataclass(frozen=True, slots=True)
class Guards:
    """Detectors, a classifier where one was asked for, the rules, and the filter of replies."""

    rules: GuardRules
    detectors: Sequence[Detector]
    classifier: InjectionClassifier | None
    outputs: OutputFilter = field(repr=False)

    def speaks(self, texts: Sequence[str]) -> list[bool]:
        """Of each retrieved text, whether it speaks to the model."""
        parts = [Part(Role.RETRIEVED, text) for text in texts]
        found = judge(parts, self.classifier, self.rules.prompts.thresholds)
        return [bool(each) for each in found]


class KeptGuards:
    """The guards of a workspace: read when first needed, and anew when told to."""

    def __init__(self, session: Session) -> None:
        """``session`` is the owner's, who keeps the indexes of the rows.

        Raises:
            InputError: the rules cannot be read.
        """
        self._session = session
        self._lock = threading.Lock()
        self._rules = read_guard_rules(session.home)
        self._ready: Guards | None = None

    @property
    def rules(self) -> GuardRules:
        """As they were last read."""
        return self._rules

    def reload(self) -> None:
        """Take the rules as they are now; where they cannot be read, go on with the ones so far.

        Raises:
            InputError: the rules cannot be read.
            IntegrityError, KeyAccessError: an index is not there, or does not open.
        """
        with self._lock:
            rules = read_guard_rules(self._session.home)
            if self._ready is not None:
                self._ready = self._made(rules)
            self._rules = rules

    def get(self) -> Guards:
        """Ready to guard.

        Raises:
            IntegrityError, KeyAccessError: an index is not there, or does not open.
            BackendError: the weights of the classifier's encoder are not there.
        """
        with self._lock:
            if self._ready is None:
                self._ready = self._made(self._rules)
            return self._ready

    def _made(self, rules: GuardRules) -> Guards:
        path = self._session.home / RULES_FILE
        policy = asked_policy(path if path.is_file() else None)
        classifier = None
        if rules.has_classifier:
            classifier = InjectionClassifier(open_encoder(DEFAULT_ENCODER, self._session.cache))
        guarded = [Guarded(dataset, key) for dataset, key in sorted(rules.rows.items())]
        outputs = open_filter(self._session, rules.outputs, guarded, policy)
        return Guards(rules, every_detector(policy), classifier, outputs)
