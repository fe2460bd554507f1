"""What stops whoever copies or probes a served model, the copy they get, and who else is alarmed.

Usage: python benchmarks/probing.py --data DIR [--limit R] [--tables FILE]

DIR holds banking77 and airline_support_tweets. A model of each is exported, trained, deployed and
asked through the service that answers /v1/predict; copies are made of what it answered until it
refused. How far thresholds are stretched was chosen on sessions of the same two sets (other draws
of rows), so the rates of false alarms are of data of these kinds and not a promise for others.
"""

import csv
import gzip
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from banking77 import coarse_label, encoded, rows_of
from sklearn.linear_model import LogisticRegression
from tables import Table, arguments, hand_over, local

from cipherset.app.access.activation import activate_set
from cipherset.app.assets.deploy import DeployRequest, deploy
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.keys import create
from cipherset.app.models import TrainRequest, TrainSpec, train
from cipherset.app.serving.models.answer import Question
from cipherset.app.serving.models.predict import ModelService, open_models
from cipherset.app.serving.probing.measure import ModelCopied, measure_copies
from cipherset.app.serving.quiet import Quiet
from cipherset.app.workspace import Session, hold
from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import ModelKind
from cipherset.core.values import ColumnRoles, Float32s
from cipherset.custody.policy import BuiltIn, builtin
from cipherset.evidence.attack.model.answers import Answers
from cipherset.evidence.attack.model.extraction import copied
from cipherset.evidence.attack.statistics import clopper_pearson
from cipherset.guard.probing import Monitor, Verdict, learn_usual, query_cap
from cipherset.guard.probing.signs import BLOCK
from cipherset.guard.probing.usual import MOST_BLOCKS

LIMIT = 0.8
N_OWN, N_PUBLIC, N_HELD = 3000, 1000, 1500
MOST = 1000
N_SESSIONS = 120
STEP = 16
CALLERS = 20
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
UNREACHED = "not refused"
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Domain:
    """One set: vectors (n, 384) and labels of the owner's rows, public ones and held-out ones."""

    name: str
    x: Float32s
    labels: npt.NDArray[np.str_]
    texts: Sequence[str]

    @property
    def own(self) -> slice:
        return slice(0, N_OWN)

    @property
    def public(self) -> Float32s:
        return self.x[N_OWN : N_OWN + N_PUBLIC]

    @property
    def held(self) -> Float32s:
        return self.x[N_OWN + N_PUBLIC :][:N_HELD]


def domains(data: Path, cache: Path) -> tuple[Domain, Domain]:
    banking = [(row["text"], coarse_label(row["category"])) for row in rows_of(data / "banking77")]
    path = data / "airline_support_tweets" / "airline_support_tweets.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        airline = [(row["text"], row["airline_sentiment"]) for row in csv.DictReader(lines)]
    made = []
    for name, rows in (("banking77", banking), ("airline_support_tweets", airline)):
        order = np.random.default_rng(0).permutation(len(rows))[: N_OWN + N_PUBLIC + N_HELD]
        texts = [rows[at][0] for at in order]
        labels = np.array([rows[at][1] for at in order])
        made.append(Domain(name, encoded(texts, cache), labels, texts))
    return made[0], made[1]


def questions(domain: Domain, other: Domain, cache: Path) -> dict[str, Float32s]:
    """What each attacker asks, in order; they hold the encoder and so ask vectors."""
    rng = np.random.default_rng(1)
    normal = rng.standard_normal((MOST, domain.x.shape[1])).astype(np.float32)
    words = sorted({word for text in domain.texts for word in re.findall("[a-z]+", text.lower())})
    mixed = [" ".join(rng.choice(words, rng.integers(5, 14))) for _ in range(500)]
    walks: list[str] = []
    variants: list[str] = []
    for text in domain.texts[N_OWN : N_OWN + 40]:
        words_of = text.split()
        for _ in range(12):
            swapped = text.split()
            for line in (swapped, words_of):
                line[rng.integers(len(line))] = str(rng.choice(words))
            variants.append(" ".join(swapped))
            walks.append(" ".join(words_of))
    return {
        "random vectors": normal / np.linalg.norm(normal, axis=1, keepdims=True),
        "words in random order": encoded(mixed, cache),
        f"texts of {other.name}": other.public,
        "public texts of the same kind": domain.public,
        "walks of one word at a time": encoded(walks, cache),
        "variants of a few texts": encoded(variants, cache),
    }


def served(domain: Domain, folder: Path, cache: Path, limit: float) -> tuple[Session, ModelCopied]:
    """A workspace with one deployed model, measured, and a limit of agreement."""
    session = Session(folder / "home", "ada", cache, Quiet())
    rows = [
        {"vec": x.tolist(), "topic": label}
        for x, label in zip(domain.x[domain.own], domain.labels[domain.own].tolist(), strict=True)
    ]
    source, there, bundle = (folder / name for name in ("r.parquet", "r.cipherset", "r.bundle"))
    pq.write_table(pa.Table.from_pylist(rows), source)
    create(session, "support", purpose="", provider=None, only_in=())
    settings = {"minimize": "lda:2", "approximation_factor": 3.0, "accept_risk": "a benchmark"}
    roles = ColumnRoles((), "vec", "topic")
    protect(session, ProtectRequest(str(source), roles, "support", there, **settings))
    train(TrainRequest(there, bundle, TrainSpec(ModelKind.LOGISTIC)))
    deploy(session, DeployRequest(bundle, "router", accept_risk="a benchmark"))
    found = measure_copies(session, bundle)
    policies = folder / "policies"
    policies.mkdir()
    for name, text in builtin.texts(BuiltIn.SOLO).items():
        (policies / name).write_text(text)
    limits = f"max_agreement = {limit}\n{builtin.limits(BuiltIn.SOLO)}"
    (policies / "limits.toml").write_text(limits)
    activate_set(session, str(policies))
    return session, found


@dataclass(frozen=True)
class Attempt:
    """What an attacker had asked when it ended, what came back, and what ended it."""

    asked: Float32s
    told: list[str]
    ended: str


def attempt(models: ModelService, session: Session, x: Float32s, callers: int) -> Attempt:
    """Ask on, a minute later each time, until refused for good; callers take turns."""
    told: list[str] = []
    rows: list[Float32s] = []
    out: dict[int, str] = {}
    step = 10  # what a slowed caller may ask in a minute
    for turn, start in enumerate(range(0, len(x), step)):
        caller = turn % callers
        some = x[start : start + step]
        clock = replace(models, clock=lambda turn=turn: NOON + timedelta(minutes=turn / callers))
        try:
            who = replace(session, actor=f"eve-{caller}")
            answer = clock.predict(who, "router", Question(vectors=some))
        except CiphersetError as error:
            out[caller] = error.code
            if len(out) == callers:
                break
            continue
        told += [str(each.label) for each in answer.predictions]
        rows.append(some)
    asked = np.concatenate(rows) if rows else x[:0]
    return Attempt(asked, told, ", ".join(sorted(set(out.values()))) or UNREACHED)


def agreement(asked: Float32s, told: Sequence[str], held: Float32s, truth: list[str]) -> str:
    """Of a copy made from labels, with the classes that it heard of, on held-out rows."""
    classes = sorted(set(told))
    if len(told) < 10 or len(classes) < 2:
        return f"{np.mean(np.array(truth) == (told or [''])[0]):.3f}"
    codes = np.array([classes.index(label) for label in told])
    scores = np.log(np.clip(np.eye(len(classes))[codes], 0.1 / len(classes), 0.9))
    _, copy = copied(asked.astype(np.float64), scores, Answers.LABELS)
    guessed = np.array(classes)[copy(held.astype(np.float64)).argmax(axis=1)]
    return f"{np.mean(guessed == np.array(truth)):.3f}"


def labels_of(models: ModelService, session: Session, x: Float32s) -> list[str]:
    """The labels of ``x`` with nobody counting: for scoring alone, of a model that is open."""
    model = models.models.find(session.home, "router")
    opened = model.opened
    codes = opened.worker.run(opened.gateway.queries(x, at_gate=False)).labels
    return [str(model.bundle.manifest.classes[code]) for code in codes.tolist()]


@contextmanager
def fresh(session: Session) -> Iterator[Session]:
    """A copy of the workspace, in which nothing was asked yet."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(session.home, Path(folder) / "home")
        yield replace(session, home=Path(folder) / "home")


def of_attacks(domain: Domain, session: Session, asked: dict[str, Float32s], seen: str) -> Table:
    rows = []
    tries = [(name, x, 1) for name, x in asked.items()]
    tries += [(f"{name}, {CALLERS} callers", asked[name], CALLERS) for name in list(asked)[:4]]
    for name, x, callers in tries:
        with fresh(session) as copy, hold(copy) as held, open_models(held) as models:
            models.predict(held, "router", Question(vectors=domain.held[:1]))  # opens it
            truth = labels_of(models, held, domain.held)
            every = agreement(x, labels_of(models, held, x), domain.held, truth)
            tried = attempt(models, held, x, callers)
            got = agreement(tried.asked, tried.told, domain.held, truth)
            rows.append((name, str(len(x)), every, str(len(tried.told)), tried.ended, got))
    return Table(
        f"probing/attacks_{domain.name}",
        f"Copies of a model of {domain.name}, labels only",
        ("what is asked", "questions", "copy unguarded", "answered", "ended by", "copy got"),
        rows,
        (local(domain.name),),
        note=f"Each line begins anew. {seen}.",
    )


def of_people(domain: Domain) -> Table:
    """Sessions of held-out rows, watched with the rows of the owner as the yardstick."""
    rng = np.random.default_rng(2)
    names, codes = np.unique(domain.labels, return_inverse=True)
    head = TrainedHead(domain.x[domain.own], codes[domain.own])
    usual = learn_usual(
        domain.x[domain.own], head.labels(domain.x[domain.own]), len(names), rng=rng
    )
    held, labels = domain.held, head.labels(domain.held)
    kinds = {
        "all topics": (len(names), STEP),
        "two topics": (2, STEP),
        "one topic": (1, STEP),
        "all topics, in bursts of 256": (len(names), 256),
    }
    rows, n_all, alarms_all = [], 0, 0
    for kind, (n_topics, step) in kinds.items():
        alarms = refused = n = 0
        for _ in range(N_SESSIONS):
            topics = rng.permutation(len(names))[:n_topics]
            weights = np.where(np.isin(labels, topics), 0.0, np.log(0.02))
            order = np.argsort(-(weights + rng.gumbel(size=len(labels))))[: MOST_BLOCKS * BLOCK]
            monitor = Monitor(usual)
            for start in range(0, len(order), step):
                some = order[start : start + step]
                seen = monitor.observe("ann", held[some], labels[some], NOON)
                alarms += bool(seen.signs)
            refused += seen.verdict is Verdict.REFUSE
            n += len(order) // BLOCK
        rows.append((kind, str(n), share(alarms, n), f"{refused} of {N_SESSIONS}"))
        n_all, alarms_all = n_all + n, alarms_all + alarms
    rows.append(("together", str(n_all), share(alarms_all, n_all), ""))
    return Table(
        f"probing/people_{domain.name}",
        f"Held-out rows of {domain.name} asked by people",
        ("sessions", "blocks of 64", "alarmed (95 % interval)", "sessions refused"),
        rows,
        (local(domain.name),),
        note="Blocks overlap in rows, so the intervals are somewhat too narrow.",
    )


class TrainedHead:
    """A logistic model of plain vectors, whose labels stand for the served model's."""

    def __init__(self, x: Float32s, codes: Codes) -> None:
        self._model = LogisticRegression(C=10.0, max_iter=300).fit(x, codes)

    def labels(self, x: Float32s) -> Codes:
        return np.asarray(self._model.predict(x), dtype=np.int64)


def share(hits: int, n: int) -> str:
    low, high = clopper_pearson(hits, n)
    return f"{hits / n:.2%} ({low:.2%} to {high:.2%})"


def tables(data: Path, cache: Path, limit: float) -> Iterator[Table]:
    one, two = domains(data, cache)
    for domain in (one, two):
        yield of_people(domain)
    for domain, other in ((one, two), (two, one)):
        asked = questions(domain, other, cache)
        with tempfile.TemporaryDirectory() as folder:
            session, found = served(domain, Path(folder), cache, limit)
            cap = query_cap(found.curve(Answers.LABELS), limit)
            told = (
                f"Limit of agreement {limit}: by the measured curve {cap.each} answers for each "
                f"caller, {cap.together} for all together"
            )
            yield of_attacks(domain, session, asked, told)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=float, default=LIMIT, help="max_agreement")
    asked = parser.parse_args()
    hand_over(tables(asked.data, asked.cache, asked.limit), asked.tables)


if __name__ == "__main__":
    main()
