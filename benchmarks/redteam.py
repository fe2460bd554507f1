"""How long a run of the red team takes, what it finds, and how often chance alarms.

Usage: python benchmarks/redteam.py --data DIR [--tables FILE]

DIR holds banking77 and prompt_injection. An export of banking77 rows and its model are attacked,
quickly and wholly, again with other seeds, and with a weak export in the place of the first. The
prompts of the shipped set were written without looking at the guard's patterns.
"""

import resource
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from banking77 import coarse_label, encoded, rows_of
from tables import MADE_UP, Table, arguments, hand_over, local

from cipherset.app.assets.deploy import DeployRequest, deploy
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.keys import create
from cipherset.app.models import TrainRequest, TrainSpec, train
from cipherset.app.redteam.accepted import accept
from cipherset.app.redteam.attack import Attackers
from cipherset.app.redteam.line import Line, rate
from cipherset.app.redteam.regression import compare
from cipherset.app.redteam.request import RedTeamRequest, RedTeamResult
from cipherset.app.redteam.run import redteam
from cipherset.app.serving.quiet import Quiet
from cipherset.app.workspace import Session
from cipherset.core.manifest import ModelKind
from cipherset.core.values import ColumnRoles

ROWS = 3000
SEEDS = 5
MADE_UP_RUNS = 2000
LINES = 30
TRIALS = 200
ROLES = ColumnRoles((), "vec", "topic")
STRONG = {"minimize": "lda:2", "approximation_factor": 6.0, "accept_risk": "a benchmark"}
WEAK = {
    "minimize": "none",
    "approximation_factor": 0.01,
    "scheme": "sap/1",
    "accept_risk": "a benchmark",
}


def exported(session: Session, folder: Path, key: str, settings: dict[str, object]) -> None:
    """Put an export where the first one was, or is to be."""
    there = folder / "rows.cipherset"
    shutil.rmtree(there, ignore_errors=True)
    create(session, key, purpose="", provider=None, only_in=())
    protect(session, ProtectRequest(str(folder / "r.parquet"), ROLES, key, there, **settings))


def made(data: Path, folder: Path, cache: Path) -> Session:
    """A workspace with one export and its model, deployed."""
    rows = [(row["text"], coarse_label(row["category"])) for row in rows_of(data / "banking77")]
    order = np.random.default_rng(0).permutation(len(rows))[:ROWS]
    x = encoded([rows[at][0] for at in order], cache)
    told = [{"vec": x[n].tolist(), "topic": rows[at][1]} for n, at in enumerate(order)]
    pq.write_table(pa.Table.from_pylist(told), folder / "r.parquet")
    session = Session(folder / "home", "ada", cache, Quiet())
    exported(session, folder, "support", STRONG)
    bundle = folder / "router.bundle"
    train(TrainRequest(folder / "rows.cipherset", bundle, TrainSpec(ModelKind.LOGISTIC)))
    deploy(session, DeployRequest(bundle, "router", accept_risk="a benchmark"))
    return session


def attacked(session: Session, *, quick: bool, **more: object) -> RedTeamResult:
    """One run; its seconds are the processor's, its workers' too: what else runs does not count."""
    before = _worked()
    found = redteam(session, RedTeamRequest(is_quick=quick, **more))
    if found is None:
        raise SystemExit("stopped")
    return replace(found, seconds=_worked() - before)


def _worked() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def of_runs(session: Session, folder: Path) -> Iterator[Table]:
    """Seconds, other seeds, and a weak export."""
    rows = []
    for quick in (True, False):
        name = "quick" if quick else "whole"
        first = attacked(session, quick=quick)
        accept(session, first.finding.finding_id, "a benchmark")
        rows.append(_row(f"{name}, first", [first]))
        again = [attacked(session, quick=quick)]
        rows.append(_row(f"{name}, again", again))
        if quick:
            seeds = [attacked(session, quick=quick, seed=1 + n) for n in range(SEEDS)]
            rows.append(_row(f"{name}, {SEEDS} other seeds", seeds))
    exported(session, folder, "weak", WEAK)
    weak = attacked(session, quick=True, only=("reidentify",))
    rows.append(_row("quick, a weak export in its place", [weak]))
    header = ("run", "processor seconds", "lines", "worse", "over the limit", "not measured")
    title = f"Runs on {ROWS} BANKING77 rows and their model"
    yield Table("redteam/runs", title, header, rows, (local("BANKING77"),))
    told = [
        (each["line"], f"{each['before']:.3f}", f"{each['value']:.3f}")
        for each in weak.finding.worse
    ]
    yield Table(
        "redteam/weak", "What was worse", ("line", "before", "now"), told, (local("BANKING77"),)
    )


def _row(name: str, found: Sequence[RedTeamResult]) -> tuple[str, ...]:
    seconds = [each.seconds for each in found]
    span = f"{min(seconds):.0f}" if len(found) == 1 else f"{min(seconds):.0f} to {max(seconds):.0f}"
    counts = [
        (len(each.finding.lines), len(each.finding.worse), len(each.finding.over)) for each in found
    ]
    unmeasured = sum(len(each.finding.unmeasured) for each in found)
    lines, worse, over = (sum(column) for column in zip(*counts, strict=True))
    return name, span, str(lines), str(worse), str(over), str(unmeasured)


def of_prompts(session: Session, data: Path) -> Table:
    """What passes the guard of prompts as it is shipped."""
    path = data / "prompt_injection" / "prompt_injection.jsonl"
    only = ("prompts", "own-prompts")
    handed = Attackers(injections=path)
    found = attacked(session, quick=True, only=only, attackers=handed).finding
    rows = [
        (
            each["attack"],
            each["metric"],
            f"{each['value']:.1%}",
            f"{each['ci'][0]:.1%} to {each['ci'][1]:.1%}",
            str(each["n"]),
        )
        for each in found.lines
    ]
    return Table(
        "redteam/prompts",
        "Prompts before the shipped rules, without the classifier",
        ("what", "metric", "value", "interval", "n"),
        rows,
        (MADE_UP, local("prompt_injection")),
    )


def of_chance() -> Table:
    """Runs of made-up lines: how often nothing is called worse, and how often something is."""
    rng = np.random.default_rng(0)
    rows = []
    for rise in (0.0, 0.05, 0.1, 0.15, 0.2, 0.3):
        called = 0
        for _ in range(MADE_UP_RUNS):
            rates = rng.uniform(0.0, 0.3, size=LINES)
            before = [_line(n, p, rng) for n, p in enumerate(rates)]
            rates[0] += rise
            now = [_line(n, p, rng) for n, p in enumerate(rates)]
            called += bool(compare(now, before).worse)
        share, (low, high) = rate(called, MADE_UP_RUNS)
        rows.append((f"{rise:.0%}", f"{share:.2%}", f"{low:.2%} to {high:.2%}"))
    return Table(
        "redteam/chance",
        f"Runs of {LINES} lines of {TRIALS} trials each that are called worse",
        ("one line rises by", "called worse", "interval"),
        rows,
        (MADE_UP,),
    )


def _line(n: int, p: float, rng: np.random.Generator) -> Line:
    value, ci = rate(int(rng.binomial(TRIALS, p)), TRIALS)
    return Line(
        attack=f"{n}", against="", name="", metric="", value=value, ci=ci, n=TRIALS, bound=""
    )


def tables(data: Path, cache: Path) -> Iterator[Table]:
    yield of_chance()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = made(data, folder, cache)
        yield of_prompts(session, data)
        yield from of_runs(session, folder)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args()
    hand_over(tables(asked.data, asked.cache), asked.tables)


if __name__ == "__main__":
    main()
