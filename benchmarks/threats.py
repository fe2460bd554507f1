"""How long attackers' paths and an auditor's report take, by how many assets there are.

    python benchmarks/threats.py [--exports 500 5000]

Each export is of a source of its own, and is asked four times. The paths are computed from a
picture that is there; the view and the report begin with the ledger. Times are the processor's own.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cipherset.app.reports.run import ReportRequest, report
from cipherset.app.serving.quiet import Quiet
from cipherset.app.sight.gather import picture
from cipherset.app.sight.threats import known, threats
from cipherset.app.workspace import Session, open_workspace
from cipherset.core import canonical
from cipherset.custody.ledger import Outcome, RunStatus, Transaction
from cipherset.evidence.views.threats.paths import paths

_T = TypeVar("_T")
CALLERS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exports", type=int, nargs="+", default=[500, 5000])
    print(f"{'assets':>8} {'events':>8} {'paths':>8} {'paths s':>8} {'view s':>8} {'report s':>9}")
    for n in parser.parse_args().exports:
        with tempfile.TemporaryDirectory() as folder:
            print(measured(Path(folder), n), flush=True)


def measured(folder: Path, n: int) -> str:
    session = Session(folder / "home", "ada", folder, Quiet())
    with open_workspace(session) as workspace:
        workspace.gate.ledger.transact(lambda work: fill(work, n))
        seen = picture(workspace)
        about = known(workspace, seen)
        found, computing = timed(lambda: paths(seen, about))
    _, looking = timed(lambda: threats(session))
    made, reporting = timed(lambda: report(session, ReportRequest(folder / "r", "2020-01-01")))
    shown = f"{len(seen.things):8} {made.events:8} {len(found):8}"
    return f"{shown} {computing:8.2f} {looking:8.2f} {reporting:9.2f}"


def fill(work: Transaction, n: int) -> None:
    """``n`` sources, and an export of each."""
    for i in range(n):
        source, export = canonical.digest({"source": i}), canonical.digest({"export": i})
        told = {"key_id": "k", "key_version": 1}
        facts = {**told, "cipherset_id": f"{i:032x}", "rows": 100}
        work.record_asset(source, actor="ada", kind="dataset", name=f"rows {i}", attributes={})
        run = work.start_run("protect", actor="ada", inputs=[source], parameters=told)
        work.record_asset(export, actor="ada", kind="dataset", name=f"export {i}", attributes=facts)
        work.finish_run(run.id, status=RunStatus.DONE, outputs=[export])
        for caller in range(CALLERS):
            for outcome in (Outcome.INTENDED, Outcome.DONE):
                work.append(
                    actor=f"service-{caller}",
                    action="predict",
                    subject=export,
                    outcome=outcome,
                    body={"asset": export, "kind": "model", "rows": 1},
                )


def timed(call: Callable[[], _T]) -> tuple[_T, float]:
    began = time.process_time()
    return call(), time.process_time() - began


if __name__ == "__main__":
    main()
