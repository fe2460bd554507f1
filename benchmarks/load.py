"""How many requests a second the gateway answers, and how long each waits, by concurrency.

Usage: python benchmarks/load.py [--seconds 5] [--rounds 3]
       python benchmarks/load.py --url http://127.0.0.1:8443 --model NAME --vector-of DIM

A server process on loopback; its callers are threads of another process, and take their time from
the same cores. ``/healthz`` goes through the perimeter alone; a list of grants through the gate,
with both events synced to the disk; a prediction of one vector through the gate and the confined
model, and is signed. Rates are the median over rounds taken in turn, latencies those of all rounds.
The ratio is to ``/healthz`` at the same concurrency: it means something on another machine too.

With ``--url`` a server that runs already is asked, on this machine.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import numpy as np
from tables import MADE_UP, Table, arguments, hand_over

sys.path.append(str(Path(__file__).parents[1] / "tests" / "serving"))

import serving_thread
from serving_process import serving

CONCURRENCY = (1, 8, 32)


@dataclass(frozen=True)
class Asked:
    """One kind of request."""

    name: str
    method: str
    path: str
    body: bytes | None = None


@dataclass
class Measured:
    """Answers a second of each round, and the seconds that each request took."""

    rates: list[float] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", help="of a server that runs")
    parser.add_argument("--model", default="router")
    parser.add_argument("--vector-of", type=int, default=serving_thread.DIM, metavar="DIM")
    asked = parser.parse_args()
    kinds = requests(asked.model, asked.vector_of)
    if asked.url:
        hand_over(tables(asked.url, kinds, asked.seconds, asked.rounds), asked.tables)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = serving_thread.vector_owner(Path(folder) / "owner").session.home
        with serving(home) as process:
            hand_over(tables(process.url, kinds, asked.seconds, asked.rounds), asked.tables)


def requests(model: str, dim: int) -> tuple[Asked, ...]:
    vector = np.full(dim, dim**-0.5).tolist()
    predict = json.dumps({"model": model, "vectors": [vector]}).encode()
    return (
        Asked("`/healthz`", "GET", "/healthz"),
        Asked("grants", "GET", "/v1/grants"),
        Asked("predict", "POST", "/v1/predict", predict),
    )


def tables(url: str, kinds: Sequence[Asked], seconds: float, rounds: int) -> Iterator[Table]:
    rows = []
    for clients in CONCURRENCY:
        found = {kind.name: Measured() for kind in kinds}
        for _ in range(rounds):
            for kind in kinds:
                measure(url, kind, clients, seconds, found[kind.name])
        least = median(found[kinds[0].name].rates)
        for name, each in found.items():
            rate = median(each.rates)
            p50, p95, p99 = np.percentile(each.times_s, (50, 95, 99)) * 1e3
            shown = (f"{rate:,.0f}", f"{rate / least:.2f}", f"{p50:.1f}", f"{p95:.1f}")
            rows.append((name, str(clients), *shown, f"{p99:.1f}"))
    yield Table(
        "load/requests",
        "Requests a second, and milliseconds of each",
        ("request", "callers", "a second", "of `/healthz`", "p50", "p95", "p99"),
        rows,
        (MADE_UP,),
    )


def measure(url: str, kind: Asked, clients: int, seconds: float, into: Measured) -> None:
    """Add one round; each caller keeps its connection."""
    times: list[list[float]] = [[] for _ in range(clients)]
    end = time.perf_counter() + seconds

    def work(mine: list[float]) -> None:
        ask = connected(url, kind)
        ask()
        while (start := time.perf_counter()) < end:
            ask()
            mine.append(time.perf_counter() - start)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_s = [each for mine in times for each in mine]
    into.rates.append(len(all_s) / seconds)
    into.times_s += all_s


def connected(url: str, kind: Asked):  # noqa: ANN201 -- a closure
    connection = HTTPConnection(urlsplit(url).netloc)

    def ask() -> None:
        headers = {"content-type": "application/json"} if kind.body else {}
        connection.request(kind.method, kind.path, kind.body, headers)
        response = connection.getresponse()
        told = response.read()
        if response.status != 200:
            raise SystemExit(told.decode())

    return ask


if __name__ == "__main__":
    main()
