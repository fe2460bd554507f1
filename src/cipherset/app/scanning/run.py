"""``scan``: look at rows, label each column, and write the label of the source into the ledger.

Nothing that was found leaves in clear: not in what is returned, nor on the page, nor in the
ledger, which does not learn the names of columns either.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from cipherset.app.encoders import open_encoder
from cipherset.app.engine.run import Distributed
from cipherset.app.fields.choose import FieldsResult, measure_fields
from cipherset.app.fields.rows import sample_rows
from cipherset.app.fields.trial import Trial
from cipherset.app.gate import Action, Fact
from cipherset.app.gate.subjects import about_source
from cipherset.app.labels.record import (
    known_label,
    known_trust,
    record_home,
    record_label,
    record_purpose,
    record_source,
)
from cipherset.app.scanning.columns import scan_detectors
from cipherset.app.scanning.look import Looked, Row, look_at_all, look_at_some, look_on_engine
from cipherset.app.scanning.report import render
from cipherset.app.scanning.request import ScanRequest, ScanResult
from cipherset.app.training.suspects import Looking, Suspects, suspects_of
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.files import write_atomic
from cipherset.core.labels import Label, Level, Trust, joined
from cipherset.pipeline.ingest import Source, open_source
from cipherset.pipeline.sanitize import (
    Detector,
    default_policy,
    default_rules,
)
from cipherset.pipeline.sanitize.bench import recall_of
from cipherset.pipeline.sanitize.label import (
    ColumnLabel,
    Grounds,
    Reservoir,
    label_column,
)
from cipherset.pipeline.sanitize.label.kinds import kind_of
from cipherset.pipeline.sanitize.label.seen import shape_of

MEASURED_ROWS: Final = 3_000
_LONGEST_NAME: Final = 60
_VALUES: Final = frozenset({"whole", "decimal", "date", "vector"})
PARTLY: Final = (
    "this is not written down as the source's label, for columns were left out: scan it once "
    "without --text"
)
HEADLESS: Final = "some columns are called by what looks like a value: is the first row a header?"


def scan(session: Session, request: ScanRequest) -> ScanResult:
    """The labels of a source, and where asked for a page of them.

    Raises:
        InputError: the source or a row is not fit, or has no such column.
        PolicyError: ``not_allowed``; ``purpose_known``: the rows were collected for something else;
            ``home_known``: they are another tenant's, or of another region.
        BackendError: the ledger or the page cannot be written.
    """
    source = open_source(request.source)
    facts: dict[str, Fact] = {"source": source.name, "all_rows": request.all_rows}
    with open_workspace(session) as workspace:
        about = about_source(workspace, source)
        on = Distributed(session, workspace, request.engine, request.source, about.id)
        with workspace.gate.act(Action.SCAN, source.name, facts, about=about) as act:
            detectors = scan_detectors(default_policy())
            looked = _look(on, request, source, detectors)
            result = _result(workspace, request, source, looked, detectors)
            if request.fields and request.label is not None:
                result = replace(result, fields=_fields(session, request, source, request.label))
            if request.suspects:
                result = replace(result, suspects=_suspects(session, request, source))
            act.facts.update({**_facts(result), **on.facts})
            if request.html is not None:
                write_atomic(request.html, render(result).encode())
    return result


def _fields(session: Session, request: ScanRequest, source: Source, label: str) -> FieldsResult:
    rows = sample_rows(source, request.columns, label, most=MEASURED_ROWS, seed=request.seed)
    encoder = open_encoder(request.encoder, session.cache)
    session.progress.start("measure what the label needs", None)
    trial = Trial(rows, encoder, default_rules(), request.seed, session.progress)
    measured = measure_fields(trial, request.columns, label)
    session.progress.finish()
    return measured


def _suspects(session: Session, request: ScanRequest, source: Source) -> Suspects:
    looking = Looking(
        request.columns,
        request.label,
        open_encoder(request.encoder, session.cache),
        request.seed,
        sample=None if request.all_rows else request.sample,
    )
    return suspects_of(source, looking, session.progress)


def _look(
    on: Distributed, request: ScanRequest, source: Source, detectors: Sequence[Detector]
) -> Looked:
    columns, progress = request.looked_at, on.session.progress
    if request.engine.is_ray:
        return look_on_engine(source, columns, on, progress)
    if request.all_rows:
        return look_at_all(source, columns, detectors, progress)
    reservoir: Reservoir[Row] = Reservoir(request.sample, np.random.default_rng(request.seed))
    return look_at_some(source, columns, detectors, progress, reservoir)


def _result(
    workspace: Workspace,
    request: ScanRequest,
    source: Source,
    looked: Looked,
    detectors: Sequence[Detector],
) -> ScanResult:
    asset_id = record_source(workspace, source)
    if request.purpose is not None:
        record_purpose(workspace, asset_id, request.purpose)
    record_home(workspace, asset_id, request.home)
    known = known_label(workspace, asset_id)
    trust = request.trust or known_trust(known)
    grounds = Grounds(detectors, looked.n_rows, trust, recall_of(detectors))
    labels = {name: label_column(name, seen, grounds) for name, seen in looked.seen.items()}
    label = _highest(labels, trust)
    # Of the columns not looked at nothing is known.
    is_whole = known is not None or not request.columns
    if is_whole:
        record_label(workspace, asset_id, label, _parameters(request, looked, labels))
    shown = _shown(list(labels), detectors)
    return ScanResult(
        source=source.name,
        label=joined([known, label]) or label,
        columns={shown[name]: column for name, column in labels.items()},
        n_rows=looked.n_rows,
        n_looked=looked.n_looked,
        trust=trust,
        asset=asset_id,
        notes=_notes(shown, is_whole=is_whole),
    )


def _notes(shown: Mapping[str, str], *, is_whole: bool) -> tuple[str, ...]:
    headless = (HEADLESS,) if any(shown[name] != name for name in shown) else ()
    return headless if is_whole else (*headless, PARTLY)


def _highest(labels: Mapping[str, ColumnLabel], trust: Trust | None) -> Label:
    trusts = () if trust is None else (trust,)
    nothing = Label(level=Level.PUBLIC, trusts=trusts)
    return joined([nothing, *(column.label for column in labels.values())]) or nothing


def _parameters(
    request: ScanRequest, looked: Looked, labels: Mapping[str, ColumnLabel]
) -> dict[str, Any]:
    """What the ledger learns beside the label: counts, and by which detectors."""
    detectors = {each for column in labels.values() for each in column.detectors}
    return {
        "rows": looked.n_rows,
        "sampled": looked.n_looked,
        "columns": dict(sorted(Counter(c.label.level.value for c in labels.values()).items())),
        "entities": sorted({entity for column in labels.values() for entity in column.entities}),
        "detectors": sorted(detectors),
        "all_columns": not request.looked_at,
    }


def _facts(result: ScanResult) -> dict[str, Fact]:
    return {
        "asset": result.asset,
        "label": result.label.level.value,
        "tags": ",".join(result.label.tags),
        "trust": result.trust,
        "rows": result.n_rows,
        "sampled": result.n_looked,
        "rows_suspect": None if result.suspects is None else len(result.suspects),
    }


def _shown(names: Sequence[str], detectors: Sequence[Detector]) -> dict[str, str]:
    """What each column is called in the result: by number where its name looks like a value.

    A file without a header shows its first record there.
    """
    shown: dict[str, str] = {}
    for number, name in enumerate(names, start=1):
        called = f"column {number}"
        while called in names:
            called += "*"
        shown[name] = called if _is_value(name, detectors) else name
    return shown


def _is_value(name: str, detectors: Sequence[Detector]) -> bool:
    found = [span for detector in detectors for span in detector.detect([name])[0]]
    return (
        any(kind_of(span.entity).is_firm for span in found)
        or len(name) > _LONGEST_NAME
        or not name.isprintable()  # a terminal would act on it
        or shape_of(name) in _VALUES
    )
