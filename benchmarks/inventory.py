"""How long the inventory takes to record, to list and to write as a bill of materials.

Usage: python benchmarks/inventory.py [--assets 1000 10000]

A report of an agent with so many keys, each in a file of its own, is taken in twice; then the
inventory is listed, searched, and written as CycloneDX. Seconds of one core, on this machine.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tables import MADE_UP, Table, arguments, hand_over

from cipherset.app.discovery.scan import DiscoverRequest, discover
from cipherset.app.sight.inventory import see_bom, see_inventory
from cipherset.app.workspace import Session
from cipherset.evidence.discover.code import Found, Kind, Report
from cipherset.evidence.views.inventory.rows import Wanted


class Quiet:
    """Progress that nobody sees."""

    def start(self, stage: str, total: int | None) -> None:
        pass

    def advance(self, steps: int) -> None:
        pass

    def finish(self) -> None:
        pass


def seconds(act: Callable[[], object]) -> str:
    begun = time.process_time()
    act()
    return f"{time.process_time() - begun:.2f}"


def measured(n_assets: int, cache: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder) / "home", "ada", cache, Quiet())
        found = (Found(Kind.KEY, "a credential", f"/srv/{i}/env") for i in range(n_assets))
        path = Path(folder) / "report.json"
        path.write_text(json.dumps(Report(("/srv",), tuple(found), host="host").as_json()))
        taken_in = DiscoverRequest(reports=(path,))
        return [
            f"{n_assets:,}",
            seconds(lambda: discover(session, taken_in)),
            seconds(lambda: discover(session, taken_in)),
            seconds(lambda: see_inventory(session)),
            seconds(lambda: see_inventory(session, Wanted(search="no such thing"))),
            seconds(lambda: see_bom(session)),
        ]


def tables(sizes: Sequence[int], cache: Path) -> Iterator[Table]:
    yield Table(
        name="inventory/seconds",
        title="The inventory: seconds of one core",
        header=("assets", "recorded", "seen again", "listed", "searched", "bill"),
        rows=[measured(each, cache) for each in sizes],
        data=(MADE_UP,),
    )


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--assets", type=int, nargs="+", default=[1000, 10000], metavar="N")
    asked = parser.parse_args()
    hand_over(tables(asked.assets, asked.cache), asked.tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
