"""``predict`` for many callers: through the gate, from what is kept open, signed and recorded.

The order is: decide and debit, written down; the key may be used now; sanitize, encode (with the
texts of other requests), minimize, encrypt without noise; the model, confined and by itself;
whether somebody probes it; what the policy lets out; the answer's digests to the ledger; the
signature. If a step fails, what comes after it does not happen and the ledger says so.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, Self

from securesystemslib.signer import Signer

from cipherset.app.gate import Act, Action, Fact, Moment
from cipherset.app.serving.models.answer import (
    Answer,
    Precision,
    Predicted,
    Question,
    check_question,
)
from cipherset.app.serving.models.calls import Answered, call
from cipherset.app.serving.models.deployments import (
    Deployed,
    Deployments,
    Opened,
    about_nothing,
    no_model,
)
from cipherset.app.serving.models.plain import plain_vectors
from cipherset.app.serving.models.released import check_scores, released
from cipherset.app.serving.models.sandbox.process import Answers
from cipherset.app.serving.models.signed import Said, signed_statement
from cipherset.app.serving.pairs import pair_debits_in
from cipherset.app.serving.probing.caps import Asking, query_moment
from cipherset.app.serving.probing.watching import ProbingWatch
from cipherset.app.serving.webhooks.alarm import SPOOL, Alarms, Sender
from cipherset.app.serving.webhooks.rules import read_rules
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import (
    CiphersetError,
    InputError,
    IntegrityError,
    PolicyError,
)
from cipherset.core.values import Float32s
from cipherset.custody.keys import TextDigests
from cipherset.custody.ledger import Transaction

UTC_CLOCK: Final = partial(datetime.now, UTC)
_NONCE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class _Found:
    """What may be told, which inputs were answered, and all that the model said to them.

    ``vectors`` are the plain ones of the inputs that were answered, (n, dim).
    """

    told: tuple[Predicted, ...]
    answered: tuple[int, ...]
    vectors: Float32s = field(repr=False)
    answers: Answers | None


@dataclass(frozen=True, slots=True)
class ModelService:
    """The deployed models of a workspace, kept open; made by ``open_models``."""

    models: Deployments
    signer: Signer = field(repr=False)
    digests: TextDigests = field(repr=False)
    alarms: Alarms | None = None
    probing: ProbingWatch = field(default_factory=ProbingWatch, repr=False)
    clock: Callable[[], datetime] = UTC_CLOCK

    def predict(self, session: Session, name: str, question: Question) -> Answer:
        """What the model deployed as ``name`` answers, for the session's principal.

        Raises:
            UsageError: ``model_name``.
            InputError: ``no_inputs``, ``too_many_inputs``, ``model_unknown``, ``value_is_text``,
                ``value_is_vector``, ``value_is_image``, ``image_unreadable``, ``image_too_large``;
                DimensionError: vectors of another width.
            PolicyError: ``not_allowed``, ``budget``, ``not_assessed``, ``not_protective``,
                ``probing``; what a model is refused for (``model_output``, ``model_time``, …).
            KeyAccessError: the key may not be used, or is not here.
            BackendError: ``busy``, ``stopping``; the ledger cannot be written.
        """
        check_question(question)
        with open_workspace(session) as workspace:
            maybe = self._find(session, name)
            with self._asking(workspace, name, maybe, question) as (act, model):
                self._record_question(act, model, question)
                with self.models.using(session, workspace, model) as opened:
                    self.probing.admit(act, model, len(question), self.clock())
                    found = _predicted(opened, model, question, self.alarms)
                    self._watch(workspace, (model, opened), found)
                    answer = self._signed(model, opened, question, found.told)
                self._record_answer(act, answer)
                self._call(workspace, act, model, found)
        return answer

    def close(self) -> None:
        """End the workers and threads."""
        self.models.close()
        if self.alarms is not None:
            self.alarms.sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _find(self, session: Session, name: str) -> Deployed | CiphersetError:
        """The model, or why there is none: that is said within the act, to who may know."""
        try:
            return self.models.find(session.home, name) or no_model(name)
        except (InputError, IntegrityError) as fault:
            return fault

    @contextmanager
    def _asking(
        self,
        workspace: Workspace,
        name: str,
        found: Deployed | CiphersetError,
        question: Question,
    ) -> Iterator[tuple[Act, Deployed]]:
        """The act, all of it debited or nothing; what is not there goes through the same door."""
        model = found if isinstance(found, Deployed) else None
        about = about_nothing(name) if model is None else model.about
        is_scored = question.precision is not Precision.LABEL
        opens = () if model is None else model.opens
        cost = Asking(about, len(question), question.precision, opens)
        faults: list[CiphersetError] = [] if isinstance(found, Deployed) else [found]

        def moment(transaction: Transaction) -> Moment:
            asked = query_moment(transaction, workspace.gate, cost)
            if model is None:
                return replace(asked, debits=())
            if not is_scored:
                return asked
            try:
                check_scores(model.checked)
                who = workspace.gate.actor
                pairs = pair_debits_in(
                    transaction, workspace.gate, model.key, who, len(question), noisy=False
                )
            except (PolicyError, InputError) as fault:
                faults[:] = [fault]
                return replace(asked, debits=())
            return replace(asked, debits=(*asked.debits, *pairs))

        action = Action.PREDICT_SCORES if is_scored else Action.PREDICT
        facts: dict[str, Fact] = {"rows": len(question), "precision": question.precision.value}
        with workspace.gate.act(action, name, facts, about=about, moment=moment) as act:
            if model is None or faults:
                raise faults[0]
            yield act, model

    def _record_question(self, act: Act, model: Deployed, question: Question) -> None:
        act.facts.update(
            bundle=model.bundle.digest,
            key_id=model.bundle.manifest.key_id,
            inputs=",".join(self.digests.of(each) for each in question.contents()),
            lengths=",".join(str(each) for each in question.lengths()),
        )

    def _record_answer(self, act: Act, answer: Answer) -> None:
        told = [each.as_json() for each in answer.predictions]
        position = {name: str(code) for code, name in enumerate(answer.classes)}
        act.facts.update(
            answer=self.digests.of(canonical.encode(told)),
            labels=",".join(_short(each, position) for each in answer.predictions),
            statement=canonical.digest_bytes(answer.signature.encode()),
        )

    def _watch(self, workspace: Workspace, asked: tuple[Deployed, Opened], found: _Found) -> None:
        if found.answers is not None:
            given = (found.vectors, found.answers)
            self.probing.observe(workspace, asked, given, self.clock())

    def _call(self, workspace: Workspace, act: Act, model: Deployed, found: _Found) -> None:
        if self.alarms is None or found.answers is None or not self.alarms.of(model.name):
            return
        digests = str(act.facts["inputs"]).split(",")
        mine = tuple(digests[at] for at in found.answered)
        act.facts["calls"] = call(self.alarms, workspace, Answered(model, mine, found.answers))

    def _signed(
        self, model: Deployed, opened: Opened, question: Question, found: tuple[Predicted, ...]
    ) -> Answer:
        said = Said(
            name=model.name,
            precision=question.precision.value,
            inputs=question.inputs(),
            predictions=[each.as_json() for each in found],
            nonce=secrets.token_hex(_NONCE_BYTES),
        )
        time = self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        return Answer(
            model=model.name,
            precision=question.precision,
            predictions=found,
            classes=model.bundle.manifest.classes,
            nonce=said.nonce,
            signature=signed_statement(said, opened.lineage, time, self.signer),
        )


def open_models(session: Session, models: Deployments | None = None) -> ModelService:
    """The deployed models of the session's workspace; close it when done.

    Webhooks are sent where the session is held (``app.workspace.hold``): they outlive a request.

    Raises: as ``open_workspace`` and ``read_rules``.
    """
    with open_workspace(session) as workspace:
        signer = workspace.ring.signer()
    rules, alarms = read_rules(session.home), None
    if rules and session.held is not None:
        sender = Sender(session.home / SPOOL, rules, session.held.ledger)
        alarms = Alarms(rules, sender)
    return ModelService(models or Deployments(), signer, TextDigests(signer), alarms)


def _predicted(
    opened: Opened, model: Deployed, question: Question, alarms: Alarms | None
) -> _Found:
    """What may be told of what the model says to each input that can be answered."""
    x, faults = plain_vectors(opened, question)
    manifest, all_ = model.bundle.manifest, range(len(question))
    if not len(x):
        return _Found(tuple(Predicted(None, error=faults[at]) for at in all_), (), x, None)
    queries = opened.gateway.queries(x, at_gate=manifest.at_gate)
    is_asked = question.precision is not Precision.LABEL
    is_watched = opened.worker.has_scores and alarms is not None and bool(alarms.of(model.name))
    answers = opened.worker.run(queries, scores=is_asked or is_watched)
    told = iter(released(manifest, answers, question.precision))
    return _Found(
        tuple(Predicted(None, error=faults[at]) if at in faults else next(told) for at in all_),
        tuple(at for at in all_ if at not in faults),
        x,
        answers,
    )


def _short(told: Predicted, position: dict[str, str]) -> str:
    """A class by its place among the model's, several so, a number as it is, or the fault."""
    if isinstance(told.label, tuple):
        return "+".join(position[name] for name in told.label) or "none"
    if told.label is None:
        return told.error or ""
    return position.get(str(told.label), str(told.label))
