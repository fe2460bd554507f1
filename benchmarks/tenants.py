"""What a tenant's key costs among ten thousand, and what links the exports of two tenants.

Usage: python benchmarks/tenants.py [--keys 10000] [--of 100] [--calls 100] [--data DIR]
       [--only keys linkage]

A tenant here is a key of its own at a provider of its own (a ``file:`` each: what a KMS takes to
answer comes on top). Two workspaces, of ``--of`` and of ``--keys`` keys, are asked for the same, in
turn, in one run: the processor's time of one call, the median over ``--calls`` tenants drawn at
random. *Ring* is the key ring alone; *gate* is the whole act: policies, two events on the disk and
the ring. Only the ratio of the two columns means something on another machine: 1 is a cost that
does not grow.

With DIR, the folder of BANKING77: two tenants of 4,000 rows each, half of them the other's too,
export them under keys of their own. Somebody who has both files, and nothing else, links the rows
that both have: each to the likeliest in the other file that is of its class.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from banking77 import Banking, Codes, read
from tables import MADE_UP, Table, arguments, hand_over

from cipherset.app import keys
from cipherset.app.erasure.sealed import open_exports
from cipherset.app.exports.dataset import fixed_size_list, matrix
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.gate import Action
from cipherset.app.workspace import Session, hold, open_workspace
from cipherset.core.values import ColumnRoles, Float32s
from cipherset.custody.keys import KeyRing, KeyUse
from cipherset.evidence.attack.linkage.tenants import link_tenants
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.export import open_cipherset

N_ROWS = 4_000
Call = Callable[[Session, str], object]


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--of", type=int, default=100)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--data", type=Path, help="the folder of BANKING77")
    parser.add_argument("--only", nargs="*", default=[*MAKERS], choices=[*MAKERS])
    asked = parser.parse_args()
    hand_over((table for name in asked.only for table in MAKERS[name](asked)), asked.tables)


def of_keys(asked: argparse.Namespace) -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as folder:
        sizes = (asked.of, asked.keys)
        made = [filled(Path(folder) / str(size), size) for size in sizes]
        first = [each_s for _, each_s in made]
        with hold(made[0][0]) as few, hold(made[1][0]) as many:
            yield table((few, many), sizes, first, asked.calls)


def filled(home: Path, size: int) -> tuple[Session, float]:
    """A workspace of ``size`` tenants, and the seconds of processor that the last hundred took."""
    session = Session(home, "root", home, TerminalProgress())
    with open_workspace(session):
        pass
    (home / "keks").mkdir()
    ring = KeyRing(home)
    for number in range(size):
        if number == size - 100:
            start = time.process_time()
        ring.create(name_of(number), provider_uri=f"file:keks/{name_of(number)}")
    return session, (time.process_time() - start) / 100


def name_of(number: int) -> str:
    return f"tenant-{number:05d}"


def table(
    sessions: tuple[Session, Session], sizes: Sequence[int], first: list[float], n_calls: int
) -> Table:
    rows = [row("create, ring", first)]
    rows += [row(name, measured(call, sessions, sizes, n_calls)) for name, call in CALLS.items()]
    rows += [row(name, measured(call, sessions, sizes, 3)) for name, call in OF_ALL.items()]
    header = ("milliseconds of processor", f"of {sizes[0]:,}", f"of {sizes[1]:,}", "ratio")
    title = f"A tenant's key among {sizes[0]:,} and among {sizes[1]:,}, a provider each"
    note = "What is said of all keys (`key list`, `doctor`, views) reads all, as it must."
    return Table("tenants/keys", title, header, rows, (MADE_UP,), note=note)


def row(name: str, seconds: Sequence[float]) -> tuple[str, ...]:
    few, many = (each * 1000 for each in seconds)
    return name, f"{few:.2f}", f"{many:.2f}", f"{many / few:.1f}"


def measured(
    call: Call, sessions: tuple[Session, Session], sizes: Sequence[int], n_calls: int
) -> list[float]:
    """The median seconds of one call in either workspace, in turn."""
    # The same tenants at each call, no one twice: what is retired was rotated.
    drawn = [random.Random(0).sample(range(size), n_calls) for size in sizes]  # noqa: S311
    times: list[list[float]] = [[], []]
    for numbers in zip(*drawn, strict=True):
        for place, (session, number) in enumerate(zip(sessions, numbers, strict=True)):
            name = name_of(number)
            start = time.process_time()
            call(session, name)
            times[place].append(time.process_time() - start)
    return [median(each) for each in times]


def fresh(home: Path) -> KeyRing:
    """As a command has it: nothing was read yet."""
    return KeyRing(home)


def _late(prefix: str) -> Iterator[str]:
    return (f"{prefix}-{number}" for number in range(10**9))


_RING, _GATE = _late("late"), _late("gated")

CALLS: dict[str, Call] = {
    "create one more, ring": lambda session, _: fresh(session.home).create(
        name := next(_RING), provider_uri=f"file:keks/{name}"
    ),
    "create one more, gate": lambda session, _: keys.create(
        session, name := next(_GATE), purpose="", provider=f"file:keks/{name}"
    ),
    "find by name": lambda session, name: fresh(session.home).find(name),
    "find none": lambda session, _: fresh(session.home).find("nobody"),
    "open, ring": lambda session, name: fresh(session.home).open(name, purpose=KeyUse.QUERY),
    "show": keys.show,
    "rotate, ring": lambda session, name: fresh(session.home).rotate(name),
    "rotate, gate": lambda session, name: keys.rotate(session, name, provider=None),
    "retire, gate": lambda session, name: keys.retire(session, name, 1),
    "bind, gate": lambda session, name: keys.bind(session, name, ()),
}
OF_ALL: dict[str, Call] = {"list all": lambda session, _: keys.list_keys(session)}


@dataclass(frozen=True)
class Exported:
    """A tenant's export: ciphertexts, their classes, the row of the data each is; the settings."""

    x: Float32s
    groups: Codes
    rows: Codes
    minimizer: str
    factor: float


def of_linkage(asked: argparse.Namespace) -> Iterator[Table]:
    if asked.data is None:
        return
    banking = read(asked.data, asked.cache)
    order = np.random.default_rng(0).permutation(len(banking.coarse))
    held = (order[:N_ROWS], order[N_ROWS // 2 : N_ROWS // 2 + N_ROWS])
    a, b = (exported(banking, mine) for mine in held)
    risky: dict[str, Any] = {"accept_risk": "a benchmark", "approximation_factor": 0.0}
    minimized = [
        exported(banking, mine, minimize=each.minimizer, **risky)
        for mine, each in zip(held, (a, b), strict=True)
    ]
    whole = [exported(banking, mine, minimize="none", **risky) for mine in held]
    rows = [
        ("all 384 numbers, no noise", *linked(*whole)),
        (f"{a.minimizer} and {b.minimizer}, no noise", *linked(*minimized)),
        (f"by default: the same, factors {a.factor:g} and {b.factor:g}", *linked(a, b)),
    ]
    title = f"Rows that two tenants have, {N_ROWS // 2:,} each, linked without any key"
    header = ("export", "as they lie", "by distances", "95 % of the better", "chance")
    yield Table("tenants/linkage", title, header, rows, (banking.source,))


def exported(banking: Banking, mine: Codes, **options: Any) -> Exported:  # noqa: ANN401
    """The rows ``mine``, protected in a workspace of the tenant's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = Session(folder / "home", "root", folder, TerminalProgress())
        keys.create(session, "own", purpose="", provider=None)
        labels = [str(label) for label in banking.coarse[mine]]
        vectors = fixed_size_list(banking.vectors[mine])
        pq.write_table(pa.table({"vector": vectors, "label": labels}), folder / "rows.parquet")
        roles = ColumnRoles((), "vector", "label")
        source, target = str(folder / "rows.parquet"), folder / "out.cipherset"
        manifest = protect(
            session, ProtectRequest(source, roles, "own", target, **options)
        ).manifest
        # No key opens where no act is under way.
        with (
            open_workspace(session) as workspace,
            workspace.gate.act(Action.AUDIT, "a benchmark", {}),
        ):
            (export,) = open_exports(workspace).exports
            told = pa.concat_tables(export.rows.chunks())
        there = open_cipherset(target)
        table = pa.concat_tables([there.to_arrow("train"), there.to_arrow("test")])
    of = dict(zip(told["row"].to_pylist(), told["source"].to_pylist(), strict=True))
    rows = mine[[of[row] for row in table["row"].to_pylist()]]
    factor = manifest.approximation_factor or 0.0
    return Exported(matrix(table["vector"]), banking.coarse[rows], rows, manifest.minimizer, factor)


def linked(a: Exported, b: Exported) -> tuple[str, ...]:
    """What somebody with both files finds, and what drawing within the class would."""
    place = {row: at for at, row in enumerate(b.rows.tolist())}
    truth = np.array([place.get(row, -1) for row in a.rows.tolist()])
    found = link_tenants(a.x, b.x, truth=truth, first_groups=a.groups, second_groups=b.groups)
    interval = f"{found.interval.low:.4f} to {found.interval.high:.4f}"
    return f"{found.nearest:.4f}", f"{found.profile:.4f}", interval, f"{found.chance:.4f}"


MAKERS = {"keys": of_keys, "linkage": of_linkage}


if __name__ == "__main__":
    main()
