"""Other people's ciphertexts: what any file of encrypted vectors gives away, without its key.

For whoever uses a scheme that keeps distances, ours or another's, and wants to know. The attacker
holds the file, the encoder and public text. With ``records``, the plain texts of the file's rows in
the file's order, his guesses are scored, and some rows serve as known pairs; without them he has
only his own objective to go by, and so has whoever reads it.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cipherset.app.assess.attacks.unpaired import ROWS, WITH_LABELS, WITHOUT_LABELS, Held, scored
from cipherset.app.assess.lines import Aligned, Line, Scoring, Stopwatch, linked, reid
from cipherset.app.assess.verdict import Judgment, Verdict, judge
from cipherset.app.encoders import open_encoder
from cipherset.app.exports.codes import Codebook, Codes
from cipherset.app.gate import Action, Fact
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import DimensionError, InputError
from cipherset.core.values import LABEL, ColumnRoles, Float32s, NoiseLaw
from cipherset.evidence.attack import Knowledge
from cipherset.evidence.attack.alignment.pairs import PairAligner
from cipherset.pipeline.ingest import open_source

VICTIMS: Final = 2000
PAIRS: Final = (10, 50, 100, 200, 500, 1000, 5000)
LEAST_ROWS: Final = 100
# What an attacker supposes of noise he knows nothing of, per coordinate.
SUPPOSED: Final = 0.1


@dataclass(frozen=True, slots=True)
class ForeignRequest:
    """A file of encrypted vectors, and what an attacker has beside it.

    ``vector`` and ``label`` are columns of the file, ``text`` of the public source and of the
    records; the public source may have ``label`` too.
    """

    ciphertexts: str
    public: str
    text: tuple[str, ...]
    vector: str = "vector"
    label: str | None = None
    records: str | None = None
    encoder: str = "minilm-l6-v2"
    limit: float = 0.05
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ForeignResult:
    """What was got of the file."""

    rows: int
    dim: int
    lines: tuple[Line, ...]
    objectives: dict[str, float]
    n_star: int | None
    judged: Judgment
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "rows": self.rows,
            "dim": self.dim,
            "attacks": [line.as_json() for line in self.lines],
            "objectives": self.objectives,
            "n_star": self.n_star,
            "verdict": self.judged.verdict.value,
            "reasons": list(self.judged.reasons),
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Files:
    """The file in memory, and what is beside it."""

    c: Float32s = field(repr=False)
    labels: tuple[str, ...] | None = field(repr=False)
    public: Float32s = field(repr=False)
    public_labels: tuple[str, ...] | None = field(repr=False)
    plain: Float32s | None = field(repr=False)


def assess_foreign(session: Session, request: ForeignRequest) -> ForeignResult:
    """Attack a file of ciphertexts made elsewhere.

    Raises:
        InputError: a source does not fit; too few rows (code ``assess_few_rows``).
        DimensionError: the file's vectors are not as wide as the encoder's.
    """
    watch = Stopwatch()
    facts: dict[str, Fact] = {"foreign": True}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.ASSESS, request.ciphertexts, facts) as act,
    ):
        files = _read(session, request)
        session.progress.start("attacks", None)
        result = _attack(files, request, watch)
        session.progress.finish()
        act.facts.update({"verdict": result.judged.verdict.value, "n_star": result.n_star})
    return result


def _read(session: Session, request: ForeignRequest) -> _Files:
    c, labels = _vectors(request)
    encoder = open_encoder(request.encoder, session.cache)
    if c.shape[1] != encoder.dim:
        raise DimensionError(
            f"the vectors of {request.vector!r} are {c.shape[1]} wide, those of "
            f"{encoder.name} {encoder.dim}",
            code="dimension",
            hint="give the encoder the vectors were made with: --encoder NAME",
        )
    texts, public_labels = _texts(request.public, request.text, request.label)
    plain = None
    if request.records is not None:
        records, _ = _texts(request.records, request.text, None)
        if len(records) != len(c):
            raise InputError(
                f"{len(records)} records for {len(c)} ciphertexts",
                code="records_differ",
                hint="give the plain records in the order of the file, one for each row",
            )
        plain = encoder.encode(records, progress=session.progress)
    public = encoder.encode(texts, progress=session.progress)
    return _Files(c, labels, public, public_labels, plain)


def _vectors(request: ForeignRequest) -> tuple[Float32s, tuple[str, ...] | None]:
    source = open_source(request.ciphertexts)
    roles = ColumnRoles(vector=request.vector, label=request.label)
    batches = list(source.encrypted(roles))
    c = np.concatenate([batch.values for batch in batches])
    if len(c) < LEAST_ROWS:
        raise InputError(
            f"{len(c)} rows; it takes {LEAST_ROWS}",
            code="assess_few_rows",
            hint="give a file of more rows",
        )
    if request.label is None:
        return c, None
    return c, tuple(str(v) for batch in batches for v in batch.columns.column(LABEL).to_pylist())


def _texts(
    spec: str, text: tuple[str, ...], label: str | None
) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Texts of a source, and their labels where it has that column."""
    source = open_source(spec)
    named = label if label in source.columns() else None
    batches = list(source.texts(ColumnRoles(text=text, label=named)))
    texts = tuple(one for batch in batches for one in batch.texts)
    if named is None:
        return texts, None
    labels = (str(v) for batch in batches for v in batch.columns.column(LABEL).to_pylist())
    return texts, tuple(labels)


def _attack(files: _Files, request: ForeignRequest, watch: Stopwatch) -> ForeignResult:
    order = np.random.default_rng([request.seed, 0xF0]).permutation(len(files.c))
    n_victims = min(VICTIMS, len(order) // 2)
    victims, known = order[:n_victims], order[n_victims:]
    y, public_y = _label_codes(files)
    clear = np.zeros(n_victims, dtype=np.int64) if y is None else y[victims]
    scoring = None if files.plain is None else Scoring.of(files.plain[victims], clear, request.seed)
    some = order[:ROWS]
    held = Held(
        c=files.c[some],
        y=None if y is None else y[some],
        public=files.public[:ROWS],
        public_y=None if public_y is None else public_y[:ROWS],
        victims=files.c[victims],
        candidates=files.public if files.plain is None else files.plain[victims],
        noise=NoiseLaw.gaussian(SUPPOSED),
        given=f"{min(len(files.public), ROWS)} public texts",
    )
    lines, objectives = _without_pairs(held, scoring, request.seed)
    n_star = None
    if scoring is not None and files.plain is not None:
        paired, n_star = _with_pairs(files.c[known], files.plain[known], held, scoring, request)
        lines += paired
    return ForeignResult(
        rows=len(files.c),
        dim=files.c.shape[1],
        lines=tuple(lines),
        objectives=objectives,
        n_star=n_star,
        judged=_judged(lines, request.limit),
        seconds=watch.seconds(),
    )


def _without_pairs(
    held: Held, scoring: Scoring | None, seed: int
) -> tuple[list[Line], dict[str, float]]:
    """Every alignment that needs no pair: lines where they can be scored, and own objectives."""
    lines: list[Line] = []
    objectives = {}
    labeled = held.y is not None and held.public_y is not None
    for name, recover in (WITHOUT_LABELS | (WITH_LABELS if labeled else {})).items():
        watch = Stopwatch()
        guesses = recover(held, seed)
        objectives[name] = max(guess.objective for guess in guesses)
        if scoring is not None:
            lines += scored(name, guesses, held, scoring, watch)
    return lines, objectives


def _with_pairs(
    c: Float32s, plain: Float32s, held: Held, scoring: Scoring, request: ForeignRequest
) -> tuple[list[Line], int | None]:
    """The best map from each number of pairs, and the fewest that pass the limit."""
    lines: list[Line] = []
    fewest = None
    for n_pairs in (n for n in PAIRS if n <= len(c)):
        watch = Stopwatch()
        guesses = [
            Aligned(guess.apply(held.victims), held.candidates, held.noise)
            for guess in PairAligner(c[:n_pairs], plain[:n_pairs]).recover(request.seed)
        ]
        best = max(guesses, key=lambda one: reid(one, scoring.clear).excess)
        found = list(
            linked(
                scoring,
                best,
                attack="map learned from pairs",
                knowledge=Knowledge.KNOWN_PAIRS,
                given=f"{n_pairs} known pairs",
                watch=watch,
            )
        )
        lines += found
        excess = found[0].excess
        if fewest is None and excess is not None and excess[1] > request.limit:
            fewest = n_pairs
    return lines, fewest


def _judged(lines: list[Line], limit: float) -> Judgment:
    """Attacks without a pair decide; pairs have a number of their own."""
    if not lines:
        return Judgment(
            Verdict.INCONCLUSIVE,
            ("without --records no guess can be scored; an attacker goes by his own objective",),
        )
    return judge(
        [one for one in lines if one.outcome.knowledge is Knowledge.PUBLIC_TEXT], (), limit
    )


def _label_codes(files: _Files) -> tuple[Codes | None, Codes | None]:
    """Codes of both sides' labels by one table; labels of one side alone say nothing here."""
    if files.labels is None:
        return None, None
    book = Codebook()
    y = book.encode(pa.chunked_array([list(files.labels)]))
    if files.public_labels is None:
        return y, None
    return y, book.encode(pa.chunked_array([list(files.public_labels)]))
