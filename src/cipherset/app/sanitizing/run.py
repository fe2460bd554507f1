"""``sanitize``: the rows of a source with what must not leave taken out, to a file of their own.

Batches go through in order and are forgotten. The files are built beside their places and put
there at the end, the rows last: a run that was stopped leaves what was there before. A row that
cannot be sanitized is not written; its number and the reason are, never its text.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from cipherset.app.gate import Action, Fact
from cipherset.app.gate.about import About, about_key
from cipherset.app.gate.subjects import about_source
from cipherset.app.sanitizing.batch import CleanBatch, Work, clean_batch
from cipherset.app.sanitizing.outputs import open_outputs
from cipherset.app.sanitizing.request import Counts, SanitizeRequest, SanitizeResult, uncovered
from cipherset.app.sanitizing.rules import asked_policy, keyed_rules
from cipherset.app.sanitizing.workers import Workers, in_order
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.protocols import Progress
from cipherset.custody.keys import KeyUse
from cipherset.pipeline.ingest import Source, open_source


def sanitize_file(session: Session, request: SanitizeRequest) -> SanitizeResult:
    """Write the rows of a source without what must not leave.

    Leaks: what no detector finds; columns that are not named as text, as they are; of a token or
    a surrogate, which values are equal and how often each is there.

    Raises:
        InputError, UsageError, KeyAccessError, BackendError: as their messages say.
    """
    source = open_source(request.source)
    policy = asked_policy(request.rules)
    facts: dict[str, Fact] = {
        "source": source.name,
        "key": request.key,
        "rules": policy.digest,
    }
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(
            Action.SANITIZE, str(request.target), facts, about=_about(workspace, request, source)
        ) as act,
    ):
        source.check_columns(request.named)
        source.check_texts(request.text)
        key = None
        if request.key is not None:
            key = workspace.ring.open(request.key, purpose=KeyUse.EXPORT)
            act.facts.update({"key_id": key.key_id, "key_version": key.version})
        rules = keyed_rules(policy, key)
        with Workers(policy) as workers:
            work = Work(request.text, rules, request.largest_row)
            batches = in_order(partial(clean_batch, work), source.whole(), workers, rules.detectors)
            counts = _written(request, source, batches, session.progress)
        act.facts.update(_facts(counts))
    untouched = [name for name in source.columns() if request.wants(name)]
    return SanitizeResult(
        request,
        counts,
        policy.digest,
        None if key is None else key.key_id,
        untouched=tuple(name for name in untouched if name not in request.text),
        not_covered=uncovered(policy.languages),
    )


def _about(workspace: Workspace, request: SanitizeRequest, source: Source) -> About:
    """The source and, where there is one, the key."""
    about = about_source(workspace, source)
    if request.key is None:
        return about
    return replace(about, also=about_key(workspace.ring.get(request.key)).bound())


def _facts(counts: Counts) -> dict[str, Fact]:
    return {
        "rows": counts.rows,
        "quarantined": counts.quarantined,
        "entities": " ".join(f"{name}={n}" for name, n in sorted(counts.found.items())),
    }


def _written(
    request: SanitizeRequest, source: Source, batches: Iterator[CleanBatch], progress: Progress
) -> Counts:
    counts = Counts()
    progress.start("sanitize", None)
    with open_outputs(request, source) as outputs:
        for batch in batches:
            outputs.write(batch)
            counts.rows += batch.clean.n_rows
            counts.found += batch.found
            counts.reasons.update(entry.reason for entry in batch.quarantined)
            progress.advance(batch.clean.n_rows + len(batch.quarantined))
        outputs.place(any_quarantined=counts.quarantined > 0)
    progress.finish()
    return counts
