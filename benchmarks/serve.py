"""What the gateway adds to the encoder: throughput of /v1/predict at concurrency 32, and latency.

Usage: python benchmarks/serve.py [--seconds 5] [--clients 32]

A whole request is: the gate (decision, budget, both events, every commit synced), the key's use,
sanitizing, encoding, minimizing, encrypting, the confined model, digests and a signature. The
encoder alone is given the same texts, in batches as large as it likes, on all cores. *Over HTTP* is
a real server on loopback, whose clients take their time from the same cores; *in the process* is
the same without HTTP. In turn in one run: only ratios mean something on another machine. Latency is
that of one caller, of a model that takes vectors: without any encoder.
"""

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import uvicorn
from tables import MADE_UP, Table, arguments, hand_over

from cipherset.app.assets.deploy import DeployRequest, deploy
from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.app.exports.protect import protect
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.keys import create
from cipherset.app.models import TrainRequest, TrainSpec, train
from cipherset.app.serving.models.answer import Question
from cipherset.app.serving.models.predict import open_models
from cipherset.app.workspace import Session, hold
from cipherset.core.manifest import ModelKind
from cipherset.core.values import ColumnRoles
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.services import Services

SIZES = (1, 8, 32)
ROUNDS = 3
LATENCY_CALLS = 300
TOPICS = ("parcel", "refund")
TEMPLATES = {
    "parcel": "where is the box that you sent to number {} in the {} street, it has been {} days?",
    "refund": "please refund {} euros for order {} of last week, I sent it back {} days ago",
}


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=32)
    asked = parser.parse_args()
    hand_over(measured(asked.cache, asked.seconds, asked.clients), asked.tables)


def measured(cache: Path, seconds: float, clients: int) -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        session = Session(home / "home", "ada", cache, TerminalProgress())
        texts = made_texts(600)
        prepare(session, home / "texts", "router", texts, ColumnRoles(("body",), None, "topic"))
        vectors = made_vectors(600)
        prepare(session, home / "vectors", "plain", vectors, ColumnRoles((), "vec", "topic"))
        bodies = [row["body"] for row in texts]
        yield throughput(session, bodies, seconds, clients)
        yield latency(session, np.array([row["vec"] for row in vectors], "f4"))


def made_texts(n: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    return [
        {"topic": topic, "body": TEMPLATES[topic].format(*rng.integers(2, 90, size=3))}
        for topic in (TOPICS[i % 2] for i in range(n))
    ]


def made_vectors(n: int, dim: int = 32) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, dim)) + np.arange(n)[:, None] % 2
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return [{"topic": TOPICS[i % 2], "vec": row.tolist()} for i, row in enumerate(x.astype("f4"))]


def prepare(
    session: Session, folder: Path, name: str, rows: list[dict[str, Any]], roles: ColumnRoles
) -> None:
    """A key, an export and a model of it, deployed."""
    folder.mkdir()
    source, target, bundle = folder / "rows.parquet", folder / "out", folder / "bundle"
    pq.write_table(pa.Table.from_pylist(rows), source)
    create(session, name, purpose="", provider=None)
    request = ProtectRequest(
        str(source),
        roles,
        name,
        target,
        minimize="lda:1",
        approximation_factor=5.0,
        accept_risk="a benchmark",
    )
    protect(session, request)
    train(TrainRequest(target, bundle, TrainSpec(ModelKind.LOGISTIC)))
    deploy(session, DeployRequest(bundle, name, accept_risk="a benchmark"))


def throughput(session: Session, texts: list[str], seconds: float, clients: int) -> Table:
    encoder = open_encoder(DEFAULT_ENCODER, session.cache)
    encoder.encode(texts[:64])
    rows = []
    with hold(session) as held, served(held) as port, open_models(held) as models:
        for size in SIZES:

            def direct(chosen: list[str]) -> None:
                models.predict(held, "router", Question(texts=tuple(chosen)))

            rates: dict[str, list[float]] = {"encoder": [], "process": [], "http": []}
            for _ in range(ROUNDS):
                rates["encoder"].append(encoder_rate(encoder.encode, texts, seconds))
                rates["process"].append(rate(lambda: direct, texts, size, seconds, clients))
                rates["http"].append(
                    rate(lambda: over_http(port, "router"), texts, size, seconds, clients)
                )
            alone, inside, http = (median(rates[name]) for name in rates)
            cells = (f"{alone:,.0f}", f"{inside:,.0f}", f"{inside / alone:.2f}")
            rows.append((str(size), *cells, f"{http:,.0f}", f"{http / alone:.2f}"))
    return Table(
        "serve/throughput",
        f"Texts a second at concurrency {clients}, SQLite, every commit synced",
        (
            "texts a request",
            "encoder alone",
            "predict in the process",
            "of the encoder",
            "over HTTP",
            "of the encoder",
        ),
        rows,
        (MADE_UP,),
    )


def encoder_rate(encode: Callable[[list[str]], object], texts: list[str], seconds: float) -> float:
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        encode(texts[:256])
        done += 256
    return done / (time.perf_counter() - start)


def rate(
    connect: Callable[[], Callable[[list[str]], None]],
    texts: list[str],
    size: int,
    seconds: float,
    clients: int,
) -> float:
    """Texts a second, answered to as many callers at once."""
    done = [0] * clients
    end = time.perf_counter() + seconds

    def work(who: int) -> None:
        ask = connect()
        while time.perf_counter() < end:
            start = (who * 37 + done[who]) % (len(texts) - size)
            ask(texts[start : start + size])
            done[who] += size

    start = time.perf_counter()
    threads = [threading.Thread(target=work, args=(who,)) for who in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - start)


def latency(session: Session, x: np.ndarray) -> Table:
    rows = []
    with hold(session) as held, served(held) as port, open_models(held) as models:
        question = Question(vectors=x[:1])
        ask = over_http(port, "plain", name="vectors")
        ways = {
            "in the process": lambda: models.predict(held, "plain", question),
            "over HTTP": lambda: ask(x[:1].tolist()),
        }
        for name, way in ways.items():
            way()
            times = sorted(timed(way) for _ in range(LATENCY_CALLS))
            p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
            rows.append((name, f"{p50 * 1e3:.1f}", f"{p99 * 1e3:.1f}"))
    title = "Milliseconds of a request without an encoder, one caller"
    return Table("serve/latency", title, ("", "p50", "p99"), rows, (MADE_UP,))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def over_http(port: int, model: str, *, name: str = "texts") -> Callable[[list[Any]], None]:
    connection = HTTPConnection("127.0.0.1", port)

    def ask(inputs: list[Any]) -> None:
        body = json.dumps({"model": model, name: inputs})
        connection.request("POST", "/v1/predict", body, {"content-type": "application/json"})
        response = connection.getresponse()
        told = response.read()
        if response.status != 200:
            raise SystemExit(told.decode())

    return ask


@contextmanager
def served(held: Session) -> Iterator[int]:
    """The gateway on loopback, in a thread; its port."""
    app = build_app(Services(held, ClaimedIdentity("ada", lambda: True)))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
