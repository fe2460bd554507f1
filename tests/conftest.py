"""What every test lives by: the network is shut, and a test that cannot run here says so.

- ``@pytest.mark.needs("chromium")`` names a system package. Where it is missing the test is listed
  as *not run* with the script that installs it; under ``--all`` (make test-all) it fails.
- ``attack``, ``soak`` and ``extra`` tests run under ``--all``, or when ``-m`` asks for them.
- Only this machine can be reached from a test.
- With ``--all`` and ``--cov`` (make test-all), a refusal that no test has seen fails the run.
- With ``-n`` (make test, make test-all) a worker per core runs whole files, and hands over what it
  could not run.
- Laws are tried on the same examples each time, however long they take on a machine that is busy.
"""

import ast
import resource
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from math import inf
from pathlib import Path
from typing import Any, Final

import coverage
import pytest
from hypothesis import HealthCheck, settings
from xdist import is_xdist_worker
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# What a test may need, by the name of its Debian package in scripts/system-packages, and the
# programs that show it is there, any of which will do.
PROGRAMS: Final = {
    "gcc": ("cc", "gcc", "clang"),
    "curl": ("curl",),
    "openssl": ("openssl",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "dbus": ("dbus-daemon",),
    "gnome-keyring": ("gnome-keyring-daemon",),
    "postgresql": ("pg_ctlcluster", "initdb"),
    "softhsm2": ("softhsm2-util",),
    "systemd": ("systemd-analyze",),
}
# Files whose tests are long and need nothing of each other.
ALONE: Final = "tests/docs/test_docs_examples.py"
LATER: Final = ("attack", "soak", "extra")
NOT_RUN: Final = pytest.StashKey[list[str]]()
UNSEEN: Final = pytest.StashKey[list[str]]()
PACKAGE: Final = Path(__file__).parents[1] / "src" / "cipherset"
# (Ray takes 127.0.0.1 for a name of the machine and looks for its address on the network.)
LOOPBACK: Final = ("127.0.0.1", "127.0.0.2", "::1", "localhost")

settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all",
        action="store_true",
        help="run attack, soak and extra tests too, and fail on any that cannot run here",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOT_RUN] = []
    config.stash[UNSEEN] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for name in _needs(item):
            if name not in PROGRAMS:
                raise pytest.UsageError(f"{item.nodeid} needs {name!r}: not in {__file__}")
    if config.option.all or config.option.markexpr:
        items[:] = _longest_first(items)
        return
    later = [item for item in items if _is_later(item)]
    if later:
        config.hook.pytest_deselected(items=later)
        config.stash[NOT_RUN].append(
            f"{len(later)} tests marked {', '.join(LATER)}: run them with make test-all"
        )
    items[:] = _longest_first([item for item in items if not _is_later(item)])


def _is_later(item: pytest.Item) -> bool:
    return any(map(item.get_closest_marker, LATER))


def _longest_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """What a worker takes at once stays together; at the end is what is short, for all workers."""
    together: dict[str, list[pytest.Item]] = {}
    for item in items:
        together.setdefault(_taken_at_once(item.nodeid), []).append(item)

    def size(some: list[pytest.Item]) -> tuple[bool, bool, int]:
        return any(map(_is_later, some)), some[0].nodeid.startswith(ALONE), len(some)

    return [item for some in sorted(together.values(), key=size, reverse=True) for item in some]


def _taken_at_once(nodeid: str) -> str:
    """A worker takes a whole file, for its fixtures; of the pages of the docs, one page."""
    return nodeid if nodeid.startswith(ALONE) else nodeid.partition("::")[0]


def pytest_runtest_setup(item: pytest.Item) -> None:
    missing = [name for name in _needs(item) if not any(map(shutil.which, PROGRAMS[name]))]
    if not missing:
        return
    reason = f"needs {', '.join(missing)} (scripts/system-packages)"
    if item.config.option.all:
        pytest.fail(f"cannot run: {reason}", pytrace=False)
    item.config.stash[NOT_RUN].append(f"{item.nodeid}: {reason}")
    raise pytest.skip.Exception(f"not run: {reason}", _use_item_location=True)


class Scheduling(LoadFileScheduling):
    """In the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return _taken_at_once(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    return Scheduling(config, log)


def pytest_testnodedown(node: WorkerController) -> None:
    known = node.config.stash[NOT_RUN]
    known += [
        line for line in getattr(node, "workeroutput", {}).get("not_run", ()) if line not in known
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if is_xdist_worker(session):
        config.workeroutput["not_run"] = config.stash[NOT_RUN]
        return
    if not config.option.all or session.exitstatus != 0:
        return
    skipped = config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped", [])
    config.stash[NOT_RUN] += [f"{report.nodeid}: {report.longrepr[2]}" for report in skipped]
    if config.option.cov_source:
        config.stash[UNSEEN] = _refusals_without_a_test()
    if config.stash[NOT_RUN] or config.stash[UNSEEN]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for title, key in (("not run", NOT_RUN), ("refusal without a test", UNSEEN)):
        lines = terminalreporter.config.stash[key]
        if lines:
            terminalreporter.section(title)
        for line in lines:
            terminalreporter.line(f"{title}: {line}")


class Growth:
    """How the work of a call grows with what it is given, whatever else the machine does.

    The processor's own time, of each size the least of three, one after the other in turn; where
    one turn takes longer than ``_LONG_S``, it is long enough to compare. What takes less than a
    hundredth of a second is too little. Coverage does not look on: the work it adds is not ours.
    """

    _LONG_S: Final = 3.0

    def __call__(self, call: Callable[[Any], object], little: object, much: object) -> float:
        """How many times the work for ``little`` that for ``much`` is."""
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return self._ratio(call, (little, much))
        finally:
            sys.settrace(tracer)

    def _ratio(self, call: Callable[[Any], object], sizes: tuple[object, object]) -> float:
        least = [inf, inf]
        for _ in range(3):
            for place, what in enumerate(sizes):
                start = time.process_time()
                call(what)
                least[place] = min(least[place], time.process_time() - start)
            if sum(least) > self._LONG_S:
                break
        return least[1] / max(least[0], 0.01)


@pytest.fixture(scope="session")
def growth() -> Growth:
    """For linear work a number like the growth in size; tests allow three times that."""
    return Growth()


@contextmanager
def _small_files(size_bytes: int) -> Iterator[None]:
    # Python does not look how much of a module's cache was written: of what is imported inside
    # there would be the beginning, in the sources' folders, and no process could import it.
    was, writes_none = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
        sys.dont_write_bytecode = writes_none


@pytest.fixture(scope="session")
def small_files() -> Callable[[int], AbstractContextManager[None]]:
    """Inside, no file of this process grows over so many bytes: a full disk without being root."""
    return _small_files


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    """Refuse every connection that would leave the machine, so no test leans on the network."""
    patch = pytest.MonkeyPatch()
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_here(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            pytest.fail(f"a test reached for the network: {address[0]}")
        connect(self, address)  # type: ignore[arg-type]

    def look_up_here(host: object, *args: object, **options: object) -> object:
        if host is not None and host not in LOOPBACK:
            pytest.fail(f"a test looked up a host on the network: {host}")
        return look_up(host, *args, **options)  # type: ignore[arg-type]

    patch.setattr(socket.socket, "connect", connect_here)
    patch.setattr(socket, "getaddrinfo", look_up_here)
    yield
    patch.undo()


def _needs(item: pytest.Item) -> list[str]:
    return [name for marker in item.iter_markers("needs") for name in marker.args]


def _refusals_without_a_test() -> list[str]:
    """Return where package code raises an error in a line that this run never reached."""
    measured = coverage.Coverage()
    measured.load()
    unseen = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        excused = {n for n, line in enumerate(text.splitlines(), 1) if "# house: " in line}
        raised = {
            node.lineno
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Raise) and node.exc is not None
        }
        _, _, _, missing, _ = measured.analysis2(str(path))
        unseen += [
            f"{path.relative_to(PACKAGE.parents[1])}:{line}"
            for line in sorted(raised & set(missing) - excused)
        ]
    return unseen
