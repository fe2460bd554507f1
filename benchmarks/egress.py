"""Which planted calls logs tell, and how fast; which rows are told in what was sent.

Usage: OMP_NUM_THREADS=1 python benchmarks/egress.py [--data DIR] [--tables FILE]

Logs are made up: one call to each service on the list in each form, between calls to hosts that
are no service. With DIR (banking77, mts_dialog, airline_support_tweets) rows are planted in bodies
of chats, as they are and altered, and texts of the same and of other kinds are looked at for rows
that are not there. Nothing near a training row is left among these.
"""

import csv
import gzip
import io
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from shingles import apart, every, restyled
from tables import MADE_UP, Table, arguments, hand_over, local

from cipherset.app.discovery.egress.rows import Indexed
from cipherset.core.labels import Level
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import KeyedHashes
from cipherset.evidence.discover.egress import (
    Hints,
    LogFile,
    Tally,
    detected,
    read_bodies,
    read_log,
    shipped,
)
from cipherset.pipeline.sanitize.shingles import Counting, build
from cipherset.pipeline.sanitize.shingles.words import words_of

SEED = 0
TRIALS = 300
BATCHES = 20
MOST = 1000  # texts of a kind that are looked at
BATCH = 14
NOW = datetime(2026, 11, 26, 20, tzinfo=UTC)
EPOCH = int(datetime(2026, 11, 26, 18, tzinfo=UTC).timestamp())
DECOYS = (
    *("openai.com.evil.example", "notopenai.com", "openai-com.net", "auth0.com", "cdn.auth0.com"),
    *("o1.ingest.sentry.io", "unpkg.com", "api.statsig.com", "www.gravatar.com", "news.example"),
    *("s3.eu-west-1.amazonaws.com", "contoso.azurewebsites.net", "fonts.googleapis.com"),
)
LINES: dict[str, tuple[str, Callable[[int, str], str]]] = {
    "dnsmasq": ("", lambda i, host: f"Nov 26 18:00:00 dnsmasq[7]: query[A] {host} from {who(i)}"),
    "bind": (
        "",
        lambda i, host: (
            f"26-Nov-2026 18:00:00.000 queries: info: client @0x7f {who(i)}#4711 "
            f"({host}): query: {host} IN A +E(0)K (10.0.0.1)"
        ),
    ),
    "squid": (
        "",
        lambda i, host: (
            f"{EPOCH}.000 90 {who(i)} TCP_TUNNEL/200 39 CONNECT {host}:443 - "
            "HIER_DIRECT/192.0.2.1 -"
        ),
    ),
    "combined": (
        "",
        lambda i, host: (
            f"{who(i)} - - [26/Nov/2026:18:00:00 +0000] "
            f'"CONNECT {host}:443 HTTP/1.1" 200 39 "-" "-"'
        ),
    ),
    "zeek": (
        "#separator \\x09\n#path\tssl\n#fields\tts\tid.orig_h\tid.resp_h\tserver_name\n",
        lambda i, host: f"{EPOCH}.0\t{who(i)}\t192.0.2.1\t{host}",
    ),
    "w3c": (
        "#Fields: date time c-ip cs-host cs-bytes\n",
        lambda i, host: f"2026-11-26 18:00:00 {who(i)} {host} 512",
    ),
    "csv": ("time,user,url,bytes_sent\n", lambda i, host: f"{EPOCH},{who(i)},https://{host}/x,512"),
    "json": (
        "",
        lambda i, host: json.dumps({"ts": EPOCH, "user": who(i), "host": host, "bytes_out": 512}),
    ),
}


def who(i: int) -> str:
    return f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def column(path: Path, name: str) -> list[str]:
    unpack = gzip.open if path.suffix == ".gz" else open
    with unpack(path, "rt", encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def log_of(form: str, hosts: Sequence[str]) -> LogFile:
    head, line = LINES[form]
    text = head + "".join(f"{line(i, host)}\n" for i, host in enumerate(hosts))
    return LogFile(form, lambda: io.BytesIO(text.encode()))


def tallied(log: LogFile) -> Tally:
    tally, hints = Tally(shipped()), Hints(NOW)
    read_log(log, detected(log, hints), hints, lambda seen: tally.take(seen, log.name))
    return tally


class Repeated(io.RawIOBase):
    """A block of lines over and over, so that the log itself takes no memory."""

    def __init__(self, head: bytes, block: bytes, times: int) -> None:
        self._part, self._block, self._left = head, block, times

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        if not self._part and self._left:
            self._left, self._part = self._left - 1, self._block
        given, self._part = self._part[: len(buffer)], self._part[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def long_log(form: str, n_lines: int) -> LogFile:
    """Lines of a hundred principals, few of them to a service."""
    head, line = LINES[form]
    hosts = [("claude.ai", *DECOYS)[i % (len(DECOYS) + 1)] for i in range(100)]
    block = "".join(f"{line(i, host)}\n" for i, host in enumerate(hosts)).encode()
    times = n_lines // len(hosts)
    return LogFile(form, lambda: io.BufferedReader(Repeated(head.encode(), block, times)))


def read_cost(form: str) -> tuple[float, float]:
    """Lines a second of 100,000, and the most memory in MB, traced over 20,000."""
    started = time.process_time()
    tallied(long_log(form, 100_000))
    seconds = time.process_time() - started
    tracemalloc.start()
    tallied(long_log(form, 20_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return 100_000 / seconds, peak / 1e6


def planted() -> Table:
    services = shipped().services
    hosts = [
        host for each in services for host in (each.domains[0].replace("*", "eu-west-1"), *DECOYS)
    ]
    rows = []
    for form in LINES:
        seen = tallied(log_of(form, hosts)).sightings()
        right = {(who(i * (len(DECOYS) + 1)), each.id) for i, each in enumerate(services)}
        found = {(each.principal, each.service.id) for each in seen}
        speed, peak = read_cost(form)
        told = f"{len(found & right)} of {len(right)}"
        rows.append([form, told, str(len(found - right)), f"{speed / 1e3:.0f}", f"{peak:.1f}"])
    return Table(
        "egress/planted",
        "Calls to AI services that are told, in logs of each form",
        ("form", "planted calls told", "others accused", "thousand lines/s", "peak MB"),
        rows,
        (MADE_UP,),
        note=f"{len(services)} services; {len(hosts) - len(services)} calls to other hosts, of "
        "which some look alike or are shared. Speed: 100,000 lines of 100 principals; memory: "
        "traced over 20,000 of them.",
    )


def indexed(name: str, rows: Sequence[str]) -> Indexed:
    hashes = KeyedHashes(KeyHandle("benchmark", 1, Secret(bytes(32))), "shingles")
    counting = Counting(hashes)
    index = build(counting.watching([rows]), hashes)
    return Indexed(name, Level.RESTRICTED, index, counting.done().bits)


def sent(texts: Sequence[str], ask: str = "Answer these for me:") -> str:
    """The text of a chat that was sent, as it is read out of a log of bodies."""
    said = "\n".join((ask, *texts))
    body = json.dumps({"messages": [{"role": "user", "content": said}]})
    entry = json.dumps({"url": "https://api.openai.com/v1", "user": "x", "body": body}) + "\n"
    (read,) = read_bodies(LogFile("b", lambda: io.BytesIO(entry.encode())))
    return "" if read is None else read.text


Edit = Callable[[list[str], np.random.Generator], list[str]]
EDITS: dict[str, Edit] = {
    "as they are": lambda words, _: words,
    "in capitals, with other signs": restyled,
    "their first half": lambda words, _: words[: max(8, len(words) // 2)],
    "every 8th word replaced": every(8),
    "every 5th word replaced": every(5),
}


def rows_told(name: str, train: list[str], same: list[str], others: dict[str, list[str]]) -> Table:
    one, rng = indexed(name, train), np.random.default_rng(SEED)
    long = [row for row in train if len(words_of(row)) >= 8]
    rows = []
    for edit, change in EDITS.items():
        picked = [long[i] for i in rng.integers(len(long), size=TRIALS)]
        hits = sum(bool(one.rows_in(sent([" ".join(change(row.split(), rng))]))) for row in picked)
        rows.append([f"rows, {edit}", f"{hits / TRIALS:.1%}"])
    counts = []
    for _ in range(BATCHES):
        picked = [long[i] for i in rng.choice(len(long), size=BATCH, replace=False)]
        counts.append(len(one.rows_in(sent(picked))))
    low, high = min(counts), max(counts)
    rows.append(
        [f"{BATCH} rows together: how many are told", f"{np.mean(counts):.1f} ({low}–{high})"]
    )
    some = [same[i] for i in rng.permutation(len(same))[:MOST]]
    benign = apart(train, some)
    for kind, texts in {f"other rows of {name}": benign, **others}.items():
        hits = sum(bool(one.rows_in(sent([text]))) for text in texts)
        rows.append([f"{kind}, none of these", f"{hits / len(texts):.2%} of {len(texts)}"])
    return Table(
        f"egress/{name}",
        f"Rows of {name} that are told in what was sent ({len(train)} rows)",
        ("what was sent", "told"),
        rows,
        (local(name),),
        (SEED,),
        f"Rows of eight words and more: {len(long) / len(train):.0%} of them; others are not seen.",
    )


def tables(data: Path | None) -> Iterator[Table]:
    yield planted()
    if data is None:
        return
    tweets = column(data / "airline_support_tweets" / "airline_support_tweets.csv.gz", "text")
    split = {
        "banking77": [
            column(data / "banking77" / f"{part}.csv", "text") for part in ("train", "test")
        ],
        "airline tweets": [tweets[:7000], tweets[7000:]],
        "mts_dialog": [
            column(data / "mts_dialog" / f"{part}.csv", "dialogue")  # codespell:ignore dialogue
            for part in ("train", "test1")
        ],
    }
    for name, (train, test) in split.items():
        others = {
            f"texts of {other}": texts[1][:MOST] for other, texts in split.items() if other != name
        }
        yield rows_told(name, train, test, others)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    hand_over(tables(asked.data), asked.tables)


if __name__ == "__main__":
    main()
