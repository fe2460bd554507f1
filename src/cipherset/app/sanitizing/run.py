"""``sanitize``: the rows of a source with what must not leave taken out, to a file of their own.

Batches go through in order and are forgotten. The files are built beside their places and put
there at the end, the rows last: a run that was stopped leaves what was there before. A row that
cannot be sanitized is not written; its number and the reason are, never its text.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from cipherset.app.engine import sanitized
from cipherset.app.engine.run import Distributed
from cipherset.app.gate import Action, Fact, Moment
from cipherset.app.gate.about import About, about_key
from cipherset.app.gate.subjects import about_source
from cipherset.app.labels.made import AT
from cipherset.app.labels.record import record_source, recorded_run
from cipherset.app.sanitizing.batch import CleanBatch, Work, clean_batch
from cipherset.app.sanitizing.before import allowed_label, check_apart, suspects_in
from cipherset.app.sanitizing.outputs import check_free, open_outputs, rows_at
from cipherset.app.sanitizing.request import (
    SUSPECTS,
    Counts,
    SanitizeRequest,
    SanitizeResult,
    uncovered,
)
from cipherset.app.sanitizing.rules import asked_policy, keyed_rules
from cipherset.app.sanitizing.workers import Workers, in_order
from cipherset.app.sanitizing.writing import REPEATS, Planting, Writing
from cipherset.app.training.filters import filters_named
from cipherset.app.training.kept import KeptOfDataset
from cipherset.app.training.suspects import Suspects
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.canonical import digest
from cipherset.core.labels import Label
from cipherset.core.objects import ObjectPath
from cipherset.core.protocols import Progress
from cipherset.core.secret import KeyHandle
from cipherset.custody.keys import KeyUse
from cipherset.pipeline.ingest import Source, open_source
from cipherset.pipeline.sanitize import Policy, SanitizeRules
from cipherset.pipeline.sanitize.canaries import Canaries, make

SANITIZE: Final = "sanitize"


def sanitize_file(session: Session, request: SanitizeRequest) -> SanitizeResult:
    """Write the rows of a source without what must not leave.

    Leaks: what no detector finds; columns that are not named as text, as they are; of a token or
    a surrogate, which values are equal and how often each is there.

    Raises:
        PolicyError: ``not_allowed``; ``restricted_rows``.
        InputError, UsageError, KeyAccessError, BackendError: as their messages say.
    """
    source = open_source(request.source)
    check_free(request)
    policy = asked_policy(request.rules)
    facts: dict[str, Fact] = {
        "source": source.name,
        "key": request.key,
        "rules": policy.digest,
        "accepted_risk": request.accept_risk,
    }
    with open_workspace(session) as workspace:
        about, under = _about(workspace, request, source)
        moment = Moment(accepted_risk=request.accept_risk is not None, key=under)
        with workspace.gate.act(
            Action.SANITIZE, str(request.target), facts, about=about, moment=moment
        ) as act:
            label = allowed_label(workspace, act, about.id, request.accept_risk)
            source.check_columns(request.named)
            source.check_texts(request.text)
            check_apart(request, source)
            key = None
            if request.key is not None:
                key = workspace.ring.open(request.key, purpose=KeyUse.EXPORT)
                act.facts.update({"key_id": key.key_id, "key_version": key.version})
            suspects = suspects_in(session, request, source)
            stand_ins = key if policy.treatments.keyed else None
            on = Distributed(
                session, workspace, request.engine, request.source, about.id, stand_ins
            )
            run = _Run(request, source, policy, key, on, suspects)
            record_source(workspace, source)
            with recorded_run(workspace, SANITIZE, [about.id], _told(run)) as made:
                result = run.done(workspace, label)
                report = {"sanitizer": digest(dict(result.counts.found))}
                made.append(record_source(workspace, open_source(request.address), report))
            act.facts.update({**_facts(result), **on.facts, "made": made[0]})
            act.facts[AT] = request.place
    return result


@dataclass(frozen=True, slots=True)
class _Run:
    """One source on its way to its file."""

    request: SanitizeRequest
    source: Source
    policy: Policy
    key: KeyHandle | None
    on: Distributed
    suspects: Suspects | None = None

    @property
    def progress(self) -> Progress:
        """Told how far it has come."""
        return self.on.session.progress

    def done(self, workspace: Workspace, label: Label | None) -> SanitizeResult:
        """Write the rows; what the owner keeps of them is kept before they are in their place."""
        request, rules = self.request, keyed_rules(self.policy, self.key)
        kept = self._kept(workspace)
        canaries = make(request.canaries, repeats=REPEATS) if request.canaries else None
        planting = None if canaries is None else self._planting(canaries)
        n_ngrams = None
        self.progress.start("sanitize", None)
        with (
            rows_at(workspace.home, request) as target,
            open_outputs(request, self.source, target) as outputs,
            Workers(self.policy) as workers,
        ):
            writing = Writing(outputs, self.progress, planting, copies=request.keep_duplicates)
            texts = writing.texts(self._batches(rules, workers))
            if kept is not None and request.index:
                n_ngrams = kept.index(texts).n_ngrams
            deque(texts, maxlen=0)  # where no index has drawn them
            if kept is not None and canaries is not None:
                kept.keep_canaries(canaries)
            outputs.place(any_quarantined=writing.counts.quarantined > 0)
            if isinstance(request.target, ObjectPath):
                request.target.put(target)
        self.progress.finish()
        return self._result(writing.counts, label, n_ngrams)

    def _result(self, counts: Counts, label: Label | None, n_ngrams: int | None) -> SanitizeResult:
        request = self.request
        untouched = [name for name in self.source.columns() if request.wants(name)]
        return SanitizeResult(
            request,
            counts,
            self.policy.digest,
            None if self.key is None else self.key.key_id,
            untouched=tuple(name for name in untouched if name not in request.text),
            not_covered=uncovered(self.policy.languages),
            label=label,
            canary_rows=request.canaries * REPEATS,
            n_ngrams=n_ngrams,
            suspects=self.suspects,
        )

    def _batches(self, rules: SanitizeRules, workers: Workers) -> Iterator[CleanBatch]:
        request = self.request
        names = [each for each in request.filters if each != SUSPECTS]
        filters = tuple(filters_named(names))
        marked = {} if self.suspects is None else self.suspects.reasons
        work = Work(request.text, rules, request.largest_row, filters, marked)
        if request.engine.is_ray:
            return self._on_engine(sanitized.settings(work, self.policy.text, names))
        return in_order(partial(clean_batch, work), self.source.whole(), workers, rules.detectors)

    def _on_engine(self, settings: dict[str, Any]) -> Iterator[CleanBatch]:
        for part, tables in self.on.answers(self.source, sanitized.STAGE, settings):
            yield from sanitized.decoded(part, tables, self.request.text)

    def _kept(self, workspace: Workspace) -> KeptOfDataset | None:
        if self.key is None or not self.request.keeps:
            return None
        return KeptOfDataset.of(workspace.home, self.request.kept_as, self.key)

    def _planting(self, canaries: Canaries) -> Planting:
        n_rows = sum(rows.n_rows for rows in self.source.whole())
        return Planting(canaries, self.request.text[0], n_rows)


def _about(
    workspace: Workspace, request: SanitizeRequest, source: Source
) -> tuple[About, About | None]:
    """The source, and where there is one the key, which takes part."""
    about = about_source(workspace, source)
    if request.key is None:
        return about, None
    key = about_key(workspace.ring.get(request.key))
    return replace(about, also=key.bound()), key


def _told(run: _Run) -> dict[str, Any]:
    """What is asked for, as lineage shows it."""
    told = {"rules": run.policy.digest, "filters": sorted(run.request.filters)}
    key = {} if run.key is None else {"key_id": run.key.key_id, "key_version": run.key.version}
    return {**told, **key, "canaries": run.request.canaries}


def _facts(result: SanitizeResult) -> dict[str, Fact]:
    counts = result.counts
    return {
        "rows": counts.rows,
        "quarantined": counts.quarantined,
        "entities": " ".join(f"{name}={n}" for name, n in sorted(counts.found.items())),
        "label": None if result.label is None else result.label.level.value,
        "canaries": result.request.canaries,
        "rows_suspect": None if result.suspects is None else len(result.suspects),
    }
