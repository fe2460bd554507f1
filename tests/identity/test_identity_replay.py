"""A proof is good once, in bounded memory, whatever the clock does and whoever was restarted."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_people import Clock

from cipherset.core.errors import IntegrityError
from cipherset.interfaces.http.identity.clock import ForwardClock
from cipherset.interfaces.http.identity.replay import USED_FILE, LastProof, ReplayStore

NOW = 1_800_000_000.0


class Nowhere(LastProof):
    """A last proof that is not kept: for laws over many stores."""

    def __init__(self):
        self.second = 0

    def raise_to(self, made):
        self.second = max(self.second, made)


def is_first(store, name, made, *, keep_from=NOW - 60, key="k"):
    return store.is_first(key, name, made, keep_from=keep_from)


def test_once_and_for_each_key(tmp_path):
    store = ReplayStore(LastProof(tmp_path / USED_FILE))
    assert is_first(store, "a", NOW)
    assert not is_first(store, "a", NOW)
    assert not is_first(store, "a", NOW + 1)
    assert is_first(store, "a", NOW, key="other")
    # A key that runs into the name is another key.
    assert is_first(store, "bc", NOW, key="a")
    assert is_first(store, "c", NOW, key="ab")


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(-90, 90), st.integers(-50, 50)),
        max_size=40,
    ),
    st.integers(1, 6),
)
def test_no_proof_is_taken_twice_whatever_the_clock_and_the_room(asked, most):
    """The oracle keeps everything for ever."""
    store, taken = ReplayStore(Nowhere(), most=most), set()
    for name, made, jump in asked:
        if is_first(store, str(name), NOW + made, keep_from=NOW + jump - 60):
            assert (name, made) not in taken
            taken.add((name, made))
        assert len(store) <= most


def test_a_flood_does_not_let_an_earlier_proof_in_again():
    store = ReplayStore(Nowhere(), most=100)
    assert is_first(store, "stolen", NOW)
    for i in range(500):
        is_first(store, f"flood {i}", NOW + 1)
    assert len(store) <= 100
    assert not is_first(store, "stolen", NOW)
    assert is_first(store, "fresh", NOW + 2)


def test_a_clock_that_jumps_forward_and_back_opens_nothing():
    store = ReplayStore(Nowhere())
    assert is_first(store, "stolen", NOW)
    assert is_first(store, "later", NOW + 7200, keep_from=NOW + 7100)
    assert not is_first(store, "stolen", NOW)


def test_a_restart_opens_nothing(tmp_path):
    path = tmp_path / USED_FILE
    assert is_first(ReplayStore(LastProof(path)), "stolen", NOW)
    again = ReplayStore(LastProof(path))
    assert not is_first(again, "stolen", NOW)
    assert not is_first(again, "other of that second", NOW)
    assert is_first(again, "next", NOW + 1)
    assert path.stat().st_mode & 0o077 == 0


def test_threads_share_it(tmp_path):
    store = ReplayStore(LastProof(tmp_path / USED_FILE))
    taken = []

    def ask():
        taken.extend(name for name in map(str, range(200)) if is_first(store, name, NOW))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(300)
        assert not each.is_alive()
    assert sorted(taken) == sorted(map(str, range(200)))


@pytest.mark.parametrize("text", ["", "soon", "-1", "9" * 30])
def test_a_file_that_says_something_else(tmp_path, text):
    path = tmp_path / USED_FILE
    path.write_text(text)
    with pytest.raises(IntegrityError) as caught:
        LastProof(path)
    assert caught.value.code == "proofs_file"


def test_time_does_not_run_backwards():
    clock = Clock()
    forward = ForwardClock(clock)
    first = forward.now()
    clock.time += 100
    assert forward.now() == first + 100
    clock.time -= 5000
    assert forward.now() == first + 100
