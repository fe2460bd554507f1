"""How long pages of the console take, by how many assets there are; and Chromium's first paint.

    python benchmarks/console.py [--assets 100 1000 10000] [--times 7]

Each asset has a label; one in ten is an export that was measured. *first* is the first look of a
process, *again* the median of those after it, *after a run* the median of those where a run was
recorded in between. The paint is the browser's own first contentful paint of the list of assets,
from the click on; it needs Chromium and Playwright (requirements/test.in).
"""

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from cipherset.app.access.init import init
from cipherset.app.assess.finding import suite_digest
from cipherset.app.serving.quiet import Quiet
from cipherset.app.workspace import Session, hold, open_workspace
from cipherset.core.canonical import digest_bytes
from cipherset.custody.ledger import Outcome, RunStatus, Transaction
from cipherset.custody.policy import BuiltIn
from cipherset.interfaces.console.doors import Doors
from cipherset.interfaces.console.mount import router
from cipherset.interfaces.http.app import assembled
from cipherset.interfaces.http.limits import DEFAULT_LIMITS
from cipherset.interfaces.http.reload import Reload
from cipherset.interfaces.http.seen import Seen
from cipherset.interfaces.http.server import Server, Settled, listen
from cipherset.interfaces.http.services import Services

PAGES = {
    "overview": "/console",
    "assets": "/console/assets",
    "search": "/console/assets?words=rows-00042",
    "exports": "/console/exports",
    "exposure": "/console/exposure",
    "audit trail": "/console/audit",
}
LEVELS = ("public", "internal", "confidential", "restricted")
PAINT = (
    """() => (performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0) / 1000"""
)


def asset(i: int) -> str:
    return digest_bytes(b"asset %d" % i)


def fill(session: Session, n: int) -> None:
    """``n`` datasets."""
    suite = suite_digest()

    def one(work: Transaction, i: int) -> None:
        told = {"cipherset_id": f"{i:032x}", "rows": 100, "key_id": "k", "key_version": 1}
        exported = i % 10 == 0
        work.record_asset(
            asset(i),
            actor="root",
            kind="dataset",
            name=f"rows-{i:05}.parquet",
            attributes=told if exported else {},
        )
        label = {"level": LEVELS[i % 4], "tags": ["PII"], "trusts": ["internal"]}
        remark(work, i, {"label": label})
        if exported:
            facts = {"manifest": asset(i), "verdict": "within limit", "reid": 0.02, "suite": suite}
            work.append(
                actor="root", action="assess", subject="x", outcome=Outcome.DONE, body=facts
            )

    def all_of_them(work: Transaction) -> None:
        for i in range(n):
            one(work, i)

    with open_workspace(session) as workspace:
        workspace.gate.ledger.transact(all_of_them)


def remark(work: Transaction, i: int, parameters: dict[str, object]) -> None:
    """A run that says something of asset ``i``."""
    run = work.start_run("classify", actor="root", inputs=[asset(i)], parameters=parameters)
    work.finish_run(run.id, status=RunStatus.DONE)


@contextmanager
def console(session: Session) -> Iterator[tuple[str, Doors]]:
    """The pages, served by a process that is this one."""
    with hold(session) as held, listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        doors = Doors(session.actor, port)
        app = assembled(Services(held, doors), [router(doors)], Seen(), schema=None)
        ready = threading.Event()
        server = Server(app, Settled(DEFAULT_LIMITS, None, Reload((), ()), ready.set))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        ready.wait()
        try:
            yield f"http://127.0.0.1:{port}", doors
        finally:
            server.should_exit = True
            thread.join()


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Of the clock, and of the processor: the client's part is in it too."""
    began = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began[0], time.process_time() - began[1]


def median(found: list[tuple[float, float]]) -> tuple[float, float]:
    clock, processor = zip(*found, strict=True)
    return statistics.median(clock), statistics.median(processor)


def server_times(session: Session, url: str, doors: Doors, times: int) -> None:
    cookies = {doors.cookie: doors.enter(doors.ticket())}
    with httpx.Client(base_url=url, cookies=cookies, timeout=60) as client:
        for name, path in PAGES.items():
            first = seconds(lambda path=path: client.get(path).raise_for_status())
            again = [seconds(lambda path=path: client.get(path)) for _ in range(times)]
            after = []
            for _ in range(times):
                with open_workspace(session) as workspace:
                    workspace.gate.ledger.transact(lambda work: remark(work, 0, {}))
                after.append(seconds(lambda path=path: client.get(path)))
            found = (first, median(again), median(after))
            cells = (f"{1000 * clock:6.0f} ({1000 * cpu:.0f})" for clock, cpu in found)
            print(f"  {name:12}" + "".join(f"{each:>16}" for each in cells))


def painted(page: Page) -> float:
    """When it was, in seconds; asked again and again: the page's own policy lets nothing wait."""
    while not (found := page.evaluate(PAINT)):
        time.sleep(0.01)
    return float(found)


def paint_times(url: str, doors: Doors, times: int) -> None:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{url}/console/enter?ticket={doors.ticket()}")
        page.get_by_role("button").click()
        page.wait_for_url("**/console")
        first = painted(page)
        found = []
        for _ in range(times):
            page.goto(f"{url}/console/assets")
            found.append(painted(page))
        browser.close()
    print(
        f"  first paint: the overview {1000 * first:.0f} ms, then "
        f"the assets {1000 * statistics.median(found):.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--times", type=int, default=7)
    asked = parser.parse_args()
    for n in asked.assets:
        with tempfile.TemporaryDirectory() as folder:
            session = Session(Path(folder) / "workspace", "root", Path(folder), Quiet())
            init(session, BuiltIn.SOLO)
            fill(session, n)
            print(f"{n} assets: ms of the clock (and of the processor) first, again, after a run")
            with console(session) as (url, doors):
                paint_times(url, doors, asked.times)
            with console(session) as (url, doors):
                server_times(session, url, doors, asked.times)


if __name__ == "__main__":
    main()
