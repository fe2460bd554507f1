"""Runs the benchmarks and keeps their tables in docs/evidence.json, which the pages show.

Usage: python benchmarks/evidence.py [--data DIR] [--only NAME ...] [--peer-python PATH]
    [--tenseal-python PATH] [--concrete-python PATH] [--detectors-python PATH]

DIR holds the folders banking77, airline_support_tweets, goemotions_group, pii_anon_eval, wnut17,
sms_spam, mts_dialog, movielens and orl_faces: copies that are not distributed. Each benchmark is a
process of its own with one thread. What cannot run here keeps its old tables, and standard error
says so; so does a part of a benchmark that was left out.
"""

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "evidence.json"
BANKING = ("--data", "DIR/banking77")
# What places stand for, as they are written in a command.
PYTHONS = {
    "PEER_PYTHON": "peer",
    "TENSEAL_PYTHON": "tenseal",
    "CONCRETE_PYTHON": "concrete",
    "DETECTORS_PYTHON": "detectors",
}
Kept = Mapping[str, Any]


@dataclass(frozen=True)
class Benchmark:
    """A script of this folder; options with places it needs, and others it runs without.

    ``also`` are folders that must be there though they are not named.
    """

    name: str
    needs: tuple[tuple[str, str], ...] = ()
    takes: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()


BENCHMARKS = (
    Benchmark("demo"),
    Benchmark("reviews"),
    Benchmark("anomalies"),
    Benchmark("minimize", needs=(BANKING,), rest=("--seeds", "5")),
    Benchmark("gaussian", needs=(BANKING,), rest=("--seeds", "3")),
    Benchmark("membership", needs=(BANKING,)),
    Benchmark("compare", needs=(BANKING,), rest=("--names-model",)),
    Benchmark(
        "private",
        needs=(("--data", "DIR"),),
        also=("DIR/banking77", "DIR/airline_support_tweets", "DIR/goemotions_group"),
        rest=("--seeds", "1"),
    ),
    Benchmark("gradients", needs=(BANKING,)),
    Benchmark("owners", needs=(BANKING,)),
    Benchmark("rounds", needs=(BANKING,)),
    Benchmark(
        "attacks",
        needs=(BANKING,),
        takes=(("--second", "DIR/goemotions_group"), ("--peer-python", "PEER_PYTHON")),
    ),
    Benchmark(
        "frontier",
        needs=(("--data", "DIR"),),
        also=("DIR/banking77", "DIR/airline_support_tweets", "DIR/goemotions_group"),
    ),
    Benchmark("inversion", takes=(BANKING,)),
    Benchmark(
        "fhe",
        needs=(
            BANKING,
            ("--tenseal-python", "TENSEAL_PYTHON"),
            ("--concrete-python", "CONCRETE_PYTHON"),
        ),
    ),
    Benchmark(
        "detect",
        needs=(("--data", "DIR"), ("--peer-python", "DETECTORS_PYTHON")),
        also=("DIR/pii_anon_eval", "DIR/wnut17", "DIR/banking77", "DIR/sms_spam"),
    ),
    Benchmark(
        "injection",
        needs=(("--data", "DIR"),),
        also=("DIR/prompt_injection", "DIR/banking77", "DIR/mts_dialog"),
    ),
    Benchmark("faces", needs=(("--data", "DIR"),), also=("DIR/orl_faces",)),
    Benchmark("kinds", takes=(("--data", "DIR"),)),
    Benchmark("memory", rest=("--rows", "10000", "200000", "400000")),
)


@dataclass(frozen=True)
class Here:
    """What this machine has: the folder of the data and the peers' Pythons."""

    data: Path | None
    pythons: Mapping[str, str | None]

    def found(self, place: str) -> str | None:
        """Where ``place`` is, or None."""
        if place in self.pythons:
            return self.pythons[place]
        if self.data is None:
            return None
        path = self.data / place.removeprefix("DIR").lstrip("/")
        return str(path) if path.is_dir() else None

    def run(self, asked: Benchmark) -> list[Kept]:
        """Its tables, each with where, when and by what it was made; none if it cannot run."""
        lost = [place for _, place in asked.needs if self.found(place) is None]
        lost += [place for place in asked.also if self.found(place) is None]
        if lost:
            say(f"{asked.name} not run: no {', '.join(lost)}")
            return []
        options = [*asked.needs]
        for option, place in asked.takes:
            if self.found(place) is None:
                say(f"{asked.name} runs without {option}: no {place}")
            else:
                options.append((option, place))
        return self._tables(asked, options)

    def _tables(self, asked: Benchmark, options: Sequence[tuple[str, str]]) -> list[Kept]:
        script = f"benchmarks/{asked.name}.py"
        shown = ["python", script, *(part for pair in options for part in pair), *asked.rest]
        command = [sys.executable, str(ROOT / script), *asked.rest]
        for option, place in options:
            command += [option, str(self.found(place))]
        with tempfile.TemporaryDirectory() as folder:
            to = Path(folder) / "tables.json"
            one = ["env", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1"]
            subprocess.run([*one, *command, "--tables", str(to)], check=True)
            tables: list[dict[str, Any]] = json.loads(to.read_text(encoding="utf-8"))
        made = {
            "command": " ".join(shown),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": {"cores": len(os.sched_getaffinity(0)), "threads": 1},
            "version": importlib.metadata.version("cipherset"),
        }
        return [table | made for table in tables]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def read() -> dict[str, Kept]:
    """The tables by name."""
    found: dict[str, Kept] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def written(tables: Mapping[str, Kept]) -> str:
    """The file: sorted, and one row a line, so that a change is seen where it is."""
    shown = []
    for name, table in sorted(tables.items()):
        fields = [
            f"    {json.dumps(key)}: {_value(key, value)}"
            for key, value in sorted(table.items())
            if key != "name"
        ]
        shown.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(fields) + "\n  }")
    return "{\n" + ",\n".join(shown) + "\n}\n"


def _value(key: str, value: object) -> str:
    if key != "rows":
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    rows = ",\n".join("      " + json.dumps(row, ensure_ascii=False) for row in value)
    return f"[\n{rows}\n    ]"


def merged(old: Mapping[str, Kept], name: str, new: Sequence[Kept]) -> dict[str, Kept]:
    """``old`` with the ``new`` tables of one benchmark; says which are kept as they were."""
    names = {table["name"] for table in new}
    for kept in sorted(set(old) - names):
        if new and kept.startswith(f"{name}/"):
            say(f"{kept} keeps its rows of {old[kept]['date']}")
    return dict(old) | {table["name"]: table for table in new}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the local copies")
    known = [benchmark.name for benchmark in BENCHMARKS]
    parser.add_argument("--only", nargs="+", choices=known, default=known, metavar="NAME")
    for peer in PYTHONS.values():
        parser.add_argument(f"--{peer}-python")
    asked = parser.parse_args()
    pythons = {place: getattr(asked, f"{peer}_python") for place, peer in PYTHONS.items()}
    here = Here(asked.data, pythons)
    failed = False
    for benchmark in BENCHMARKS:
        if benchmark.name not in asked.only:
            continue
        try:
            made = here.run(benchmark)
        except subprocess.CalledProcessError as error:
            say(f"{benchmark.name} keeps its tables: it ended with {error.returncode}")
            failed = True
        else:
            # Each is kept as it ends: the next may take long. The file is read only now, for what
            # another run has written meanwhile.
            FILE.write_text(written(merged(read(), benchmark.name, made)), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
