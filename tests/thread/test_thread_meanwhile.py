"""Two runs at once: what one has exported is not overlooked by the other; and what never left."""

import json
import shutil

import pytest
from thread_program import Program
from thread_samples import QUICK, Owner, bytes_below, leftovers, opened, vector_rows, write_rows

from cipherset.app.exports import request as exports_request
from cipherset.app.exports.earlier.live import NOTHING, exports_but
from cipherset.app.exports.earlier.meanwhile import placing
from cipherset.app.workspace import Session
from cipherset.core.errors import PolicyError
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.custody.keys.lock import changing
from cipherset.interfaces.cli.output import TerminalProgress

COLUMNS = ("--vector", "vec", "--label", "topic")
RISK = ("--accept-risk", "a rehearsal")


class Slow:
    """Talks to ``thread_slow.py``, which runs one at a time."""

    def __init__(self):
        self._program = Program("thread_slow.py")

    def begin(self, owner, source, target, key, *, places=None):
        """A run that has looked at all other exports and placed nothing yet."""
        job = {"home": owner.home, "source": source, "target": owner.folder / target, "key": key}
        told = {name: str(value) for name, value in job.items()} | {"places": places}
        self._program.tell(json.dumps(told))
        assert self._program.answer() == "measuring\n"
        return self

    def go_on(self):
        self._program.tell("go")

    def is_running(self, seconds):
        return self._program.is_silent(seconds)

    def answer(self):
        """What the run came to; None where it was killed."""
        return json.loads(self._program.answer())

    def end(self):
        self.go_on()
        return self.answer()

    def close(self):
        self._program.close()


@pytest.fixture(scope="module")
def slow():
    made = Slow()
    yield made
    made.close()


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    owner = Owner(tmp_path_factory.mktemp("meanwhile") / "owner")
    owner.folder.mkdir()
    owner.key("support")
    owner.key("other")
    write_rows(owner.folder / "rows.parquet", vector_rows(150))
    write_rows(owner.folder / "more.parquet", vector_rows(150, seed=1))
    return owner


@pytest.fixture
def owner(start, tmp_path) -> Owner:
    folder = tmp_path / "owner"
    shutil.copytree(start.folder, folder)
    return Owner(folder)


@pytest.fixture
def rows(owner):
    return owner.folder / "rows.parquet"


@pytest.fixture
def more(owner):
    return owner.folder / "more.parquet"


def protect(owner, source, key, to, *options):
    asked = (*COLUMNS, "--key", key, "--to", owner.folder / to, *QUICK, *RISK, *options)
    return owner.ok("protect", source, *asked)


def test_two_runs_on_the_same_rows_see_each_other(slow, owner, rows):
    run = slow.begin(owner, rows, "slow", "support")
    made = protect(owner, rows, "other", "quick")
    assert run.end() == ["export_meanwhile", 3]
    assert not (owner.folder / "slow").exists()
    assert exports(owner) == [made["cipherset_id"]]
    assert leftovers(owner.folder) == []
    assert protect(owner, rows, "support", "slow")["joined_with"] == [made["cipherset_id"]]


def test_the_same_asked_for_twice_at_once_is_made_once(slow, owner, rows):
    run = slow.begin(owner, rows, "slow", "support")
    made = protect(owner, rows, "support", "quick")
    assert run.end() == ["export_meanwhile", 3]
    again = protect(owner, rows, "support", "slow")
    assert (again["repeated"], again["cipherset_id"]) == (True, made["cipherset_id"])


def test_runs_on_other_rows_do_not_hinder_each_other(slow, owner, rows, more):
    run = slow.begin(owner, more, "slow", "other")
    made = protect(owner, rows, "support", "quick")
    cipherset_id, repeated = run.end()
    assert (cipherset_id != made["cipherset_id"], repeated) == (True, False)
    for target in ("quick", "slow"):
        owner.ok("train", owner.folder / target, "--to", owner.folder / f"{target}.b", "--at-gate")


def test_one_minimizer_per_version_though_two_runs_fit_one(slow, owner, rows, more):
    run = slow.begin(owner, more, "slow", "support")
    protect(owner, rows, "support", "quick")
    minimizers = bytes_below(owner.home / "minimizers")
    assert run.end() == ["export_meanwhile", 3]
    assert bytes_below(owner.home / "minimizers") == minimizers
    protect(owner, more, "support", "slow")
    assert bytes_below(owner.home / "minimizers") == minimizers


def test_what_cannot_be_read_was_made_meanwhile(slow, owner, rows, more):
    run = slow.begin(owner, more, "slow", "support")
    made = protect(owner, rows, "other", "quick")
    (owner.home / "exports" / made["cipherset_id"] / "meta").unlink()
    assert run.end() == ["export_meanwhile", 3]


def test_a_run_waits_for_whoever_places(slow, owner, rows):
    run = slow.begin(owner, rows, "slow", "support")
    with changing(owner.home):
        run.go_on()
        assert run.is_running(0.5)
        assert not (owner.folder / "slow").exists()
    assert run.answer()[1] is False
    assert (owner.folder / "slow").exists()


def exports(owner):
    return sorted(path.name for path in (owner.home / "exports").glob("[!.]*"))


@pytest.mark.parametrize("target", ["out", "elsewhere"])
def test_what_was_killed_before_it_was_placed_is_removed(slow, owner, rows, target):
    assert slow.begin(owner, rows, "out", "support", places=1).end() is None
    assert len(exports(owner)) == 1
    assert not (owner.folder / "out").exists()
    made = protect(owner, rows, "support", target)
    assert (made["repeated"], made["joined_with"]) == (False, [])
    assert exports(owner) == [made["cipherset_id"]]
    assert leftovers(owner.folder) == []


def test_what_may_have_been_placed_is_live(owner, rows):
    """Killed after it was placed, before that was written down; then it is moved away."""
    made = protect(owner, rows, "support", "out")
    (owner.home / "exports" / made["cipherset_id"] / "placed").unlink()
    (owner.folder / "out").rename(owner.folder / "moved")
    again = protect(owner, rows, "support", "out")
    assert (again["repeated"], again["joined_with"]) == (False, [made["cipherset_id"]])


def test_what_was_overwritten_is_not_taken_for_what_was_not_placed(owner, rows):
    """Killed after two folders had changed places, before the old one was removed."""
    old, new = protect(owner, rows, "other", "old"), protect(owner, rows, "support", "out")
    (owner.home / "exports" / new["cipherset_id"] / "placed").unlink()
    (owner.folder / "old").rename(owner.folder / ".out.partial-4194305-00000000")
    again = protect(owner, rows, "support", "out", "--max-reid", "0.41", "--force")
    assert sorted(again["joined_with"]) == sorted([old["cipherset_id"], new["cipherset_id"]])


def test_a_target_that_appears_meanwhile_is_left_alone(slow, owner, rows):
    run = slow.begin(owner, rows, "slow", "support")
    (owner.folder / "slow").mkdir()
    assert run.end() == ["target_exists", 2]
    assert exports(owner) == []
    assert leftovers(owner.folder) == []
    assert list((owner.folder / "slow").iterdir()) == []
    (owner.folder / "slow").rmdir()
    assert protect(owner, rows, "support", "slow")["joined_with"] == []


@pytest.mark.parametrize("of_these_rows", [True, False])
def test_what_another_run_has_placed_is_seen_under_the_lock(owner, rows, of_these_rows):
    """The same in this process: an export of these rows, or another minimizer of the key."""
    protect(owner, rows, "support", "one.cipherset")
    session = Session(owner.home, "tester", owner.home, TerminalProgress())
    with opened(session) as workspace:
        key = workspace.ring.open("support", purpose=KeyUse.EXPORT)
        mine = exports_request.Owner(workspace, key, AesGcmSealer.from_key(key), session.progress)
        (live,) = exports_but(mine, NOTHING).readable
        identities = live.identities() if of_these_rows else live.identities()[:0]
        with (
            pytest.raises(PolicyError) as refused,
            placing(mine, NOTHING, identities, new_minimizer=not of_these_rows),
        ):
            pass
    assert refused.value.code == "export_meanwhile"
