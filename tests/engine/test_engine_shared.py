"""Jobs of several threads of one process: one connection, and a standard output that stays."""

import sys
from contextlib import redirect_stdout
from io import StringIO
from threading import Thread

import pytest
from ray_here import RayHere

from cipherset.app.engine.cluster import connected
from cipherset.app.engine.engine import Engine, EngineKind
from cipherset.core.errors import BackendError

HERE = Engine(EngineKind.RAY, has_token=True)
ELSEWHERE = Engine(EngineKind.RAY, address="127.0.0.1:6399", has_token=True)


class Connecting(RayHere):
    """One that is connected on demand, and prints where Ray prints; counts both."""

    n_init = n_shutdown = 0

    def init(self, **options: object) -> None:
        print("of Ray, while it connects")
        self.connected = True
        self.n_init += 1

    def shutdown(self) -> None:
        print("of Ray, while it ends")
        self.connected = False
        self.n_shutdown += 1


@pytest.fixture
def ray(monkeypatch):
    made = Connecting(connected=False)
    monkeypatch.setitem(sys.modules, "ray", made)
    return made


def said(name, text):
    thread = Thread(target=print, args=(text,), name=name)
    thread.start()
    thread.join()


def test_only_what_ray_prints_is_not_shown(ray):
    with redirect_stdout(StringIO()) as shown:
        with connected(HERE):
            said("ray_listen_error_messages", "a worker died")
            said("another", "other work")
            print("ours")
            assert sys.stdout.getvalue() == "other work\nours\n"
        assert sys.stdout is shown
        assert shown.getvalue() == "other work\nours\n"


def test_the_last_of_two_jobs_ends_the_connection(ray):
    with redirect_stdout(StringIO()) as shown:
        first, second = connected(HERE), connected(HERE)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert ray.is_initialized()
        assert sys.stdout is not shown
        second.__exit__(None, None, None)
        assert (ray.n_init, ray.n_shutdown) == (1, 1)
        assert sys.stdout is shown


def test_another_cluster_is_refused_while_one_is_connected(ray):
    with connected(HERE):
        with pytest.raises(BackendError) as refusal, connected(ELSEWHERE):
            pass
        assert refusal.value.code == "ray_busy"
        assert ray.is_initialized()
    with connected(ELSEWHERE):
        assert ray.n_init == 2


def test_a_connection_that_was_there_is_left(ray):
    with redirect_stdout(StringIO()) as shown:
        ray.connected = True
        with connected(HERE), connected(ELSEWHERE):
            assert sys.stdout is shown
        assert (ray.n_init, ray.n_shutdown) == (0, 0)


def test_what_another_thread_puts_there_meanwhile_is_not_taken_away(ray):
    with redirect_stdout(StringIO()) as shown:
        other = redirect_stdout(StringIO())
        with connected(HERE):
            mine = other.__enter__()
        assert sys.stdout is mine
        other.__exit__(None, None, None)
        print("after both")
        assert shown.getvalue() == "after both\n"


@pytest.mark.parametrize("at", ["init", "shutdown"])
def test_output_is_put_back_when_ray_fails(ray, monkeypatch, at):
    with redirect_stdout(StringIO()) as shown:

        def failing(**_options: object) -> None:
            raise ConnectionError

        with monkeypatch.context() as patch:
            patch.setattr(ray, at, failing)
            with pytest.raises((BackendError, ConnectionError)), connected(HERE):
                pass
        assert sys.stdout is shown
        ray.connected = False
        with connected(HERE):
            assert ray.is_initialized()
        assert not ray.is_initialized()
