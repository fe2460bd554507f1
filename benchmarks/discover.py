"""What the scan for AI finds of planted uses and of trees without any, and how fast it is.

Usage: OMP_NUM_THREADS=1 python benchmarks/discover.py [--tree DIR …] [--tables FILE]

The planted trees are those of the tests. The others are the standard library and packages that
are installed here, read as if they were a project's own sources; ``--tree`` adds more of them. A
find there is counted, whatever it is. Times are of one process, on one core.
"""

import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time

from tables import MADE_UP, Table, arguments, hand_over

from cipherset.evidence.discover.agent import agent_bytes
from cipherset.evidence.discover.code import Report, scan

TESTS = Path(__file__).parents[1] / "tests" / "discover"
PACKAGES = (
    *("numpy", "pyarrow", "cryptography", "sqlalchemy", "matplotlib", "scipy", "pydantic"),
    *("hypothesis", "PIL", "jinja2", "click", "rich", "starlette", "fontTools", "mypy"),
)


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--tree", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    hand_over(tables(options.tree), options.tables)


def tables(more: list[Path]) -> Iterator[Table]:
    yield planted_table()
    yield other_table(more)


def planted_table() -> Table:
    sys.path.insert(0, str(TESTS))
    from discover_later import LATER
    from discover_planted import CLEAN, USES, lay

    rows = []
    for name, uses in (("first", USES), ("later", LATER)):
        with tempfile.TemporaryDirectory() as folder:
            root = lay({path: text for path, (text, _) in uses.items()}, Path(folder))
            report = scan([root])
            found = sum(
                bool(
                    kinds
                    & {one.kind.value for one in report.findings if one.path == str(root / path)}
                )
                for path, (_, kinds) in uses.items()
            )
        rows.append((name, str(len(uses)), str(found)))
    with tempfile.TemporaryDirectory() as folder:
        report = scan([lay(CLEAN, Path(folder))])
    rows.append(("only words", "0", str(len(report.findings))))
    return Table(
        "discover/planted",
        "Planted uses of AI, and those that are found",
        ("tree", "uses", "found"),
        rows,
        (MADE_UP,),
        note=f"The agent is one file of {len(agent_bytes()):,} bytes.",
    )


def other_table(more: list[Path]) -> Table:
    pure = Path(sysconfig.get_path("purelib"))
    standard = Path(sysconfig.get_path("stdlib"))
    own = [path for path in standard.iterdir() if path.name not in {"site-packages", "test"}]
    trees = [("standard library", own)]
    trees += [(name, [pure / name]) for name in PACKAGES if (pure / name).is_dir()]
    trees += [(tree.name, [tree]) for tree in more]
    rows = []
    for name, roots in trees:
        start = process_time()
        report = scan(roots)
        rows.append((name, *figures(report, process_time() - start)))
    return Table(
        "discover/others",
        "Sources of others: finds, and time",
        ("tree", "files", "finds", "not read", "s per 1,000 files"),
        rows,
        ("packages that are installed where it runs",),
    )


def figures(report: Report, took_s: float) -> tuple[str, str, str, str]:
    each = 1000 * took_s / max(1, report.n_files)
    return f"{report.n_files:,}", str(len(report.findings)), str(report.n_not_read), f"{each:.1f}"


if __name__ == "__main__":
    main()
