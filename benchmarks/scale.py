"""What a stage costs on workers and at the one who asks, and what Ray adds to it.

Usage: OMP_NUM_THREADS=1 python benchmarks/scale.py [--rows 12000] [--texts 500] [--tables FILE]
       [--vectors 100000 1000000 5000000] [--only costs ray memory]

Costs are processor seconds of one core: of a worker's part of each stage, called without Ray, and
of the operation when all answers are there, which is what the one who asks does. With the package
ray, the same operation runs on a cluster of this machine with one and with two workers; processor
seconds there are those of every process that was started, the cluster's own included, told apart
by a run over next to no rows. Memory is the most that the process of the one who asks ever had,
and the most of any other.
"""

import argparse
import ctypes
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from memory import write_vectors
from tables import MADE_UP, Table, arguments, hand_over

GROUP_ROWS = 5_000
ADDRESS = "127.0.0.2"  # a loopback that Ray does not take for a name of the machine
TICKS = os.sysconf("SC_CLK_TCK")
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: who loses its parent becomes a child of this one
ONLY = ("costs", "ray", "memory")
WORDS = (
    "parcel",
    "order",
    "late",
    "refund",
    "card",
    "charged",
    "twice",
    "app",
    "login",
    "reset",
    "price",
    "quote",
    "call",
    "back",
)
EMBEDDED = ("--label", "topic", "--key", "bench", "--minimize", "lda:2", "--accept-risk", "bench")
NAMES = {"protect": "protect texts", "vectors": "protect vectors of 384 numbers"}
NOISE = ("--approximation-factor", "5")


def write_texts(path: Path, n_rows: int, group_rows: int = GROUP_ROWS) -> None:
    """Tickets of 30 words, a third of them with a phone number or an address of mail."""
    rng = np.random.default_rng(3)
    kinds = ("", "call +1 202 555 01{:02d}", "mail a.person{:02d}@example.com")
    texts = [
        f"{' '.join(rng.choice(WORDS, size=30))} {kinds[i % 3].format(i % 100)} {i}"
        for i in range(n_rows)
    ]
    topics = [f"topic {i % 3}" for i in range(n_rows)]
    pq.write_table(pa.table({"body": texts, "topic": topics}), path, row_group_size=group_rows)


def operation(stage: str, folder: Path, *where: str) -> list[str]:
    """The arguments of the command for a stage."""
    source = str(folder / "rows.parquet")
    home = ("--home", str(folder / "home"), "--json", *where)
    if stage == "scan":
        return ["scan", source, "--all-rows", *home]
    if stage == "sanitize":
        return ["sanitize", source, "--text", "body", "--to", str(folder / "out.parquet"), *home]
    to = ("--to", str(folder / "out.cipherset"))
    column = ("--text", "body") if stage == "protect" else ("--vector", "vector")
    label = EMBEDDED if stage == "protect" else ("--label", "label", *EMBEDDED[2:])
    return ["protect", source, *column, *to, *label, *NOISE, *home]


def main_of(arguments: list[str]) -> None:
    """Run the command in this process."""
    from cipherset.interfaces.cli.main import main

    sys.argv[1:] = arguments
    with Path(os.devnull).open("w") as nowhere:
        out, sys.stdout = sys.stdout, nowhere
        try:
            main()
        except SystemExit as ended:
            if ended.code:
                raise
        finally:
            sys.stdout = out


def in_child(*arguments: object) -> dict[str, float]:
    """What a part of this program prints, with processor and memory of all that it started."""
    told = ("RAY_AUTH_MODE=token", f"RAY_AUTH_TOKEN={secrets.token_hex(32)}")
    quiet = ("RAY_USAGE_STATS_ENABLED=0", "OMP_NUM_THREADS=1")
    here = [sys.executable, __file__, "--child", *map(str, arguments)]
    command = ["env", *told, *quiet, *here]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(here)}:\n{done.stdout}{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def look_around(seconds: dict[int, float], peaks: dict[int, int]) -> None:
    """Note processor seconds and peak bytes so far of every process that descends from this one.

    Not those of ``wait``: Ray's workers are waited for by nobody.
    """
    parents, found = {}, {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            told = (place / "stat").read_text().rpartition(")")[2].split()
            peak = re.search(r"VmHWM:\s+(\d+)", (place / "status").read_text())
        except OSError:
            continue
        number = int(place.name)
        parents[number] = int(told[1])
        found[number] = ((int(told[11]) + int(told[12])) / TICKS, int(peak[1]) if peak else 0)
    for number, (used, kilobytes) in found.items():
        above = number
        while above in parents and above != os.getpid():
            above = parents[above]
        if above == os.getpid() and number != above:
            seconds[number] = used
            peaks[number] = max(peaks.get(number, 0), 1024 * kilobytes)  # none once it ended


def child(arguments: list[str]) -> None:
    """Run a measurement as a process of its own, and look at every process that it starts."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    worker = os.fork()
    if worker == 0:
        MEASURED[arguments[0]](*arguments[1:])
        os._exit(0)
    seconds: dict[int, float] = {}
    peaks: dict[int, int] = {}
    while (ended := os.waitpid(worker, os.WNOHANG)) == (0, 0):
        look_around(seconds, peaks)
        time.sleep(0.05)
    status = ended[1]
    told = json.loads(Path(arguments[-1]).read_text()) if status == 0 else {}
    asker = peaks.pop(worker, 0)
    told |= {"cpu": sum(seconds.values()), "asker_peak": asker}
    told |= {"other_peak": max(peaks.values(), default=0)}
    print(json.dumps(told))
    sys.exit(status != 0)


def on_ray(stage: str, n_workers: str, folder: str, to: str) -> None:
    """The operation on a cluster of so many workers; 0 is in this process."""
    where: list[str] = []
    cluster = None
    if int(n_workers):
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, "node_ip_address": ADDRESS}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(int(n_workers)):
            cluster.add_node(num_cpus=1, node_ip_address=ADDRESS)
        where = ["--engine", "ray", "--address", cluster.address]
    since, used = time.perf_counter(), time.process_time()
    main_of(operation(stage, Path(folder), *where))
    told = {"wall": time.perf_counter() - since, "asker": time.process_time() - used}
    if cluster is not None:
        cluster.shutdown()
    Path(to).write_text(json.dumps(told))


def without_ray(stage: str, folder: str, to: str) -> None:
    """A worker's work on every part, then the operation with all answers there."""
    from cipherset.app.engine import run
    from cipherset.app.engine.pool import Job
    from cipherset.app.engine.worker import Worker

    told = {"work": 0.0, "answers": 0.0}
    worker = Worker()

    class Here:
        """Does all parts at once, before the first is asked for."""

        def __init__(self, ray: object, job: Job, todo: list[int]) -> None:
            self.n_lost = 0
            since = time.process_time()
            for part in todo:
                expires_at = time.time() + 3600
                task = job.task.encoded()
                worker.work(
                    job.grants.grant(worker.hello(), task, part=part, expires_at=expires_at)
                )
            told["done"] = time.process_time()
            told["work"] = told["done"] - since
            there = Path(job.task.folder).iterdir()
            told["answers"] = float(sum(path.stat().st_size for path in there))

        def wait_for(self, part: int) -> None:
            pass

        def close(self) -> None:
            pass

    class Nothing:
        def __enter__(self) -> None:
            pass

        def __exit__(self, *error: object) -> None:
            pass

    run.Pool = Here  # type: ignore[misc, assignment]
    run.connected = lambda engine: Nothing()  # type: ignore[assignment]
    main_of(operation(stage, Path(folder), "--engine", "ray"))
    told["asker"] = time.process_time() - told["done"]
    Path(to).write_text(json.dumps(told))


MEASURED: dict[str, Callable[..., None]] = {"on_ray": on_ray, "without_ray": without_ray}


def measured(
    kind: str, stage: str, n_rows: int, *options: object, groups: int = GROUP_ROWS
) -> dict[str, float]:
    """One measurement in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if stage == "vectors":
            write_vectors(folder / "rows.parquet", n_rows, 32 if kind == "on_ray" else 384)
        else:
            write_texts(folder / "rows.parquet", n_rows, groups)
        main_of(["key", "create", "bench", "--home", str(folder / "home"), "--json"])
        return in_child(kind, stage, *options, folder, folder / "told.json")


def costs(args: argparse.Namespace) -> Iterator[Table]:
    rows = []
    for stage in ("scan", "sanitize", "protect", "vectors"):
        n = {"protect": args.texts, "vectors": 2 * args.rows}.get(stage, args.rows)
        few = n // 2 if stage in NAMES else n // 10
        less, more = (
            measured("without_ray", stage, size, groups=max(n // 4, 1)) for size in (few, n)
        )
        work, asker, answers = (
            (more[name] - less[name]) / (n - few) for name in ("work", "asker", "answers")
        )
        rows.append(
            (
                f"{NAMES.get(stage, stage)}, {few:,} to {n:,} rows",
                f"{1e6 * work:,.0f}",
                f"{1e6 * asker:,.0f}",
                f"{answers:,.0f}",
                f"{work / asker:.1f}",
            )
        )
    yield Table(
        "scale/costs",
        "Processor time for each further row, on one core",
        ("stage", "a worker, µs", "the one who asks, µs", "answer, bytes", "workers it feeds"),
        rows,
        (MADE_UP,),
        note="From the difference of two sizes: what a run costs at all is not in it. Of `protect` "
        "the one who asks also splits, fits, encrypts, attacks, shuffles and writes.",
    )


def ray(args: argparse.Namespace) -> Iterator[Table]:
    base = {n: measured("on_ray", "sanitize", 16, n) for n in (0, 1, 2)}
    rows, taken = [], {}
    for n in (0, 1, 2):
        found = measured("on_ray", "sanitize", args.rows, n)
        rows.append(
            (
                f"Ray, {n} workers" if n else "in this process, a process a core",
                f"{found['wall'] - base[n]['wall']:.1f}",
                f"{found['cpu'] - base[n]['cpu']:.1f}",
                f"{base[n]['wall']:.1f}",
                f"{base[n]['cpu']:.1f}",
            )
        )
        taken[n] = (found["wall"] - base[n]["wall"], found["cpu"] - base[n]["cpu"])
    wall, cpu = (one / two for one, two in zip(taken[1], taken[2], strict=True))
    yield Table(
        "scale/ray",
        f"`sanitize` of {args.rows:,} rows on one machine",
        ("engine", "wall, s", "processor, s", "16 rows: wall", "processor"),
        rows,
        (MADE_UP,),
        note="Seconds beyond those of a run over 16 rows, which are those of starting. Two workers "
        f"are done {wall:.2f} times as soon as one, for {1 / cpu:.2f} times the processor time.",
    )


def memory(args: argparse.Namespace) -> Iterator[Table]:
    rows = []
    for n in args.vectors:
        for n_workers in args.workers:
            found = measured("on_ray", "vectors", n, n_workers)
            peaks = (f"{found[name] / 2**20:.0f}" for name in ("asker_peak", "other_peak"))
            where = f"Ray, {n_workers} workers" if n_workers else "in this process"
            rows.append((f"{n:,}", where, *peaks, f"{found['wall']:.0f}"))
            print(*rows[-1], file=sys.stderr, flush=True)
    yield Table(
        "scale/memory",
        "`protect` of given vectors of 32 numbers",
        ("rows", "engine", "the one who asks, MB", "largest other process, MB", "wall, s"),
        rows,
        (MADE_UP,),
    )


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2:])
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="not needed: texts are made up")
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--vectors", type=int, nargs="*", default=[100_000, 1_000_000, 5_000_000])
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 2], help="of memory")
    parser.add_argument("--only", nargs="*", default=ONLY, choices=ONLY)
    args = parser.parse_args()
    makers = {"costs": costs, "ray": ray, "memory": memory}
    hand_over((table for name in args.only for table in makers[name](args)), args.tables)


if __name__ == "__main__":
    main()
