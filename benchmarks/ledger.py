"""How fast the ledger is, beside what its database can do at all: decisions, appends, verification.

Usage: python benchmarks/ledger.py [--postgresql URL --password-file FILE] [--seconds 2]
    [--threads 16] [--events 200000]

A gate decision is two durable pieces of work, as the gate does them: the debit of a budget with the
event of the intent, then the event of the outcome. A raw commit is one row inserted and committed
through the database's driver, in one thread. All are measured in turn, several times over, in one
run, since only their ratios mean something on another machine; medians are shown.

The server at URL is given an empty database; its tables are left there.
"""

import argparse
import hashlib
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import rfc8785
from sqlalchemy.engine import make_url
from tables import MADE_UP, Table, arguments, hand_over

from cipherset.custody.ledger import QUERIES, Debit, Event, Ledger, Outcome, debit
from cipherset.custody.ledger.chain import event_hash, verify

ROUNDS = 3
BODY = {
    "policy": "team",
    "model": "sha256:" + "0" * 64,
    "rows": 1,
    "grant": "grant-0123456789abcdef",
}
Step = Callable[[], object]


@dataclass(frozen=True)
class Database:
    """One that is measured; ``raw`` gives a raw commit to repeat."""

    name: str
    url: str
    password: str | None
    raw: Callable[[], Step]


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--postgresql", metavar="URL")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--events", type=int, default=200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hand_over(tables(asked, Path(folder)), asked.tables)


def tables(asked: argparse.Namespace, folder: Path) -> Iterator[Table]:
    databases = [sqlite(folder)]
    if asked.postgresql:
        databases.append(postgresql(asked))
    yield speed(databases, asked)
    yield verification(folder, asked.events)


def speed(databases: list[Database], asked: argparse.Namespace) -> Table:
    rows = []
    for database in databases:
        with Ledger(database.url, password=database.password) as ledger:
            steps = {
                "raw commits, 1 thread": (database.raw(), 1),
                "events appended, 1 thread": (lambda ledger=ledger: append(ledger), 1),
                f"events appended, {asked.threads} threads": (
                    lambda ledger=ledger: append(ledger),
                    asked.threads,
                ),
                "gate decisions, 1 thread": (lambda ledger=ledger: decide(ledger), 1),
                f"gate decisions, {asked.threads} threads": (
                    lambda ledger=ledger: decide(ledger),
                    asked.threads,
                ),
            }
            rates: dict[str, list[float]] = {name: [] for name in steps}
            for _ in range(ROUNDS):
                for name, (step, n_threads) in steps.items():
                    rates[name].append(rate_per_s(step, n_threads, asked.seconds))
            raw = median(rates["raw commits, 1 thread"])
            rows += [
                (database.name, name, f"{median(found):.0f}", f"{median(found) / raw:.2f}")
                for name, found in rates.items()
            ]
    return Table(
        "ledger/speed",
        "Durable work in one process",
        ("database", "what", "per second", "to raw commits"),
        rows,
        (MADE_UP,),
        note="A gate decision is a debit and two events in two durable pieces of work.",
    )


def append(ledger: Ledger) -> None:
    ledger.append(actor="ada", action="query", subject="m", outcome=Outcome.DONE, body=BODY)


def decide(ledger: Ledger) -> None:
    def intent(work):  # noqa: ANN001, ANN202 -- the ledger's
        debit(work, [Debit(QUERIES, "model", 1, None)])
        return work.append(
            actor="ada", action="query", subject="m", outcome=Outcome.INTENDED, body=BODY
        )

    ledger.transact(intent)
    append(ledger)


def rate_per_s(step: Step, n_threads: int, seconds: float) -> float:
    counts = [0] * n_threads
    until = time.perf_counter() + seconds

    def run(k: int) -> None:
        while time.perf_counter() < until:
            step()
            counts[k] += 1

    since = time.perf_counter()
    threads = [threading.Thread(target=run, args=(k,)) for k in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - since)


def sqlite(folder: Path) -> Database:
    def raw() -> Step:
        connection = sqlite3.connect(
            folder / "raw.sqlite", isolation_level=None, check_same_thread=False
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE raw (seq INTEGER PRIMARY KEY, body TEXT) STRICT")

        def step() -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO raw (body) VALUES (?)", (str(BODY),))
            connection.execute("COMMIT")

        return step

    return Database("SQLite", f"sqlite:///{folder / 'ledger.sqlite'}", None, raw)


def postgresql(asked: argparse.Namespace) -> Database:
    password = asked.password_file.read_text().strip() if asked.password_file else None

    def raw() -> Step:
        import psycopg

        url = make_url(asked.postgresql)
        place = {"host": url.query.get("host") or url.host, "port": url.port}
        who = {"user": url.username, "password": password, "dbname": url.database}
        given = {name: value for name, value in {**place, **who}.items() if value is not None}
        connection = psycopg.connect(**given, autocommit=True)
        connection.execute("CREATE TABLE raw (seq BIGSERIAL PRIMARY KEY, body TEXT)")
        return lambda: connection.execute("INSERT INTO raw (body) VALUES (%s)", (str(BODY),))

    return Database("PostgreSQL", asked.postgresql, password, raw)


def verification(folder: Path, n_events: int) -> Table:
    """Of a ledger of ``n_events``, beside the bare hashes of the same events."""
    with Ledger(f"sqlite:///{folder / 'long.sqlite'}") as ledger:

        def many(work):  # noqa: ANN001, ANN202 -- the ledger's
            for k in range(n_events // 10):
                work.append(
                    actor="ada", action="query", subject=str(k), outcome=Outcome.DONE, body=BODY
                )

        for _ in range(10):
            ledger.transact(many)
        events = list(ledger.events())
        ways: dict[str, Callable[[], object]] = {
            "`Ledger.verify`: read and verified": ledger.verify,
            "verified, in memory": lambda: verify(events),
            "bare: SHA-256 of the canonical JSON, by rfc8785": lambda: bare(events),
            "with a checkpoint of all": lambda: ledger.verify(checkpoint=checkpoint),
        }
        checkpoint = ledger.checkpoint()
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                since = time.perf_counter()
                way()
                took[name].append(time.perf_counter() - since)
    last = median(took["bare: SHA-256 of the canonical JSON, by rfc8785"])
    return Table(
        "ledger/verify",
        f"Verification of {n_events:,} events in SQLite",
        ("what", "seconds", "microseconds per event", "to bare"),
        [
            (
                name,
                f"{median(found):.2f}",
                f"{median(found) / n_events * 1e6:.1f}",
                f"{median(found) / last:.2f}",
            )
            for name, found in took.items()
        ],
        (MADE_UP,),
    )


def bare(events: list[Event]) -> int:
    """Canonical JSON and SHA-256 of each event, and nothing else; the number that fits."""
    names = ("action", "actor", "body", "outcome", "previous", "seq", "subject", "time")
    fits = 0
    for event in events:
        fields = {name: getattr(event, name) for name in names}
        raw = rfc8785.dumps({**fields, "schema": "cipherset/event/1"})
        fits += event.hash == "sha256:" + hashlib.sha256(raw).hexdigest()
    if fits != len(events) or event_hash(replace(events[0], seq=0)) == events[0].hash:
        raise SystemExit("these are not the events' hashes")
    return fits


if __name__ == "__main__":
    main()
