"""How long a lineage takes among thousands of assets: of one model, and of a key that made all.

python benchmarks/lineage.py [ASSETS]
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cipherset.core import canonical
from cipherset.evidence.views.lineage.graph import graph
from cipherset.evidence.views.lineage.links import links
from cipherset.evidence.views.lineage.trace import made_again, trace
from cipherset.evidence.views.picture import Key, Picture, Thing


@dataclass(frozen=True)
class Run:
    """A run as a view sees it."""

    id: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: dict[str, object] = field(default_factory=dict)
    actor: str = "ada"
    started: str = "2026-01-01T00:00:00+00:00"
    finished: str | None = "2026-01-01T00:00:01+00:00"
    status: str = "done"


def picture(n_assets: int) -> Picture:
    """Sources of ten exports each, all under one key, and a model of each export."""
    used = {"key_id": "support-1", "key_version": 1}
    key = Key(
        canonical.digest({"key_id": "support-1", "version": 1}),
        "support-1",
        "support",
        1,
        "active",
        "file:kek",
        "",
        "2026-01-01",
    )
    things = [Thing(key.id, "key", key.name, key.created)]
    runs: list[Run] = []
    for i in range(n_assets // 2):
        source, export, model = f"source-{i // 10}", f"export-{i}", f"model-{i}"
        if i % 10 == 0:
            things.append(Thing(source, "dataset", f"{source}.csv", "2026"))
        things.append(Thing(export, "dataset", export, "2026", {"cipherset_id": str(i), **used}))
        things.append(Thing(model, "model", model, "2026", used))
        runs.append(Run(f"run-{i}-p", "protect", (source,), (export,), dict(used)))
        runs.append(Run(f"run-{i}-t", "train", (export,), (model,), {"brought": True}))
    now = datetime(2026, 1, 2, tzinfo=UTC)
    known = {each.id: each for each in things}
    return Picture(
        now=now,
        events=len(runs),
        policy="p",
        alone=True,
        things=known,
        steps=tuple(runs),
        keys=(key,),
    )


def timed(call: Callable[[], object]) -> float:
    """The least of five, in milliseconds."""
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return 1000 * min(taken)


def main() -> None:
    """Print how long each step takes."""
    n_assets = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    taken = picture(n_assets)
    found = links(taken)
    model, key = found.nodes["model-0"], found.nodes[taken.keys[0].id]
    print(f"{len(taken.things)} assets, {len(taken.steps)} runs")
    print(f"all links of the picture      {timed(lambda: links(taken)):8.1f} ms")
    print(f"the lineage of one model      {timed(lambda: trace(found, model)):8.1f} ms")
    print(f"the lineage of the key        {timed(lambda: trace(found, key)):8.1f} ms")
    print(f"what to make again without it {timed(lambda: made_again(found, [key.id])):8.1f} ms")
    print(f"a graph around one model      {timed(lambda: graph(found, model.id)):8.1f} ms")


if __name__ == "__main__":
    main()
