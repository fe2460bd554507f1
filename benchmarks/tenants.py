"""What a tenant's key costs in a workspace of ten thousand, each wrapped by a provider of its own.

Usage: python benchmarks/tenants.py [--keys 10000] [--of 100] [--calls 100]

A tenant here is a key of its own at a provider of its own (a ``file:`` each: what a KMS takes to
answer comes on top). Two workspaces, of ``--of`` and of ``--keys`` keys, are asked for the same, in
turn, in one run: the processor's time of one call, the median over ``--calls`` tenants drawn at
random. *Ring* is the key ring alone; *gate* is the whole act: policies, two events on the disk and
the ring. Only the ratio of the two columns means something on another machine: 1 is a cost that
does not grow.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from tables import MADE_UP, Table, arguments, hand_over

from cipherset.app import keys
from cipherset.app.workspace import Session, hold, open_workspace
from cipherset.custody.keys import KeyRing, KeyUse
from cipherset.interfaces.cli.output import TerminalProgress

Call = Callable[[Session, str], object]


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--of", type=int, default=100)
    parser.add_argument("--calls", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes = (asked.of, asked.keys)
        made = [filled(Path(folder) / str(size), size) for size in sizes]
        first = [each_s for _, each_s in made]
        with hold(made[0][0]) as few, hold(made[1][0]) as many:
            tables = [table((few, many), sizes, first, asked.calls)]
        hand_over(tables, asked.tables)


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


if __name__ == "__main__":
    main()
