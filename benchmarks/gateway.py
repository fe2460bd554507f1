"""How long a refusal takes: of what is there, and of what is not; and what a served act costs.

    python benchmarks/gateway.py [--times 400]

The two kinds of refusal are asked in turn, of a team's gateway in this process, through all layers.
*guess* is the share of right guesses of which of the two it was, by the threshold that is best for
these very times, of one time or of the median of several; *no difference* is the same for two
series of what is there, which is what chance gives that threshold.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from starlette.requests import Request
from starlette.testclient import TestClient

from cipherset.app import keys
from cipherset.app.access.grants import Wish, request
from cipherset.app.access.init import init
from cipherset.app.access.principals import Change, add
from cipherset.app.serving.quiet import Quiet
from cipherset.app.workspace import Session, hold
from cipherset.custody.policy import Action, Authenticated, BuiltIn
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.known import Known
from cipherset.interfaces.http.services import Services

MISSING = "grant-0123456789ab"
TOGETHER = 25


class Everybody:
    """Whoever the header names; who proves it is measured elsewhere."""

    def identify(self, asked: Request) -> Known:
        return Known(asked.headers["X-Who"], Authenticated.CERTIFICATE, "127.0.0.1")


@contextmanager
def team(folder: Path) -> Iterator[tuple[TestClient, str]]:
    """A team's gateway, and a grant that is there."""
    root = Session(folder / "workspace", "root", folder, Quiet())
    init(root, BuiltIn.TEAM)
    add(root, Change("kim", ("key-custodian",)))
    add(root, Change("rita", ("reviewer",)))
    kim = replace(root, actor="kim")
    keys.create(kim, "support", purpose="figures", provider=None)
    there = request(kim, Wish(Action.DETOKENIZE, ("key:support",), "figures")).request.id
    with hold(root) as held:
        app = build_app(Services(held, Everybody()))
        with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
            yield client, there


def times_ms(calls: list[Callable[[], object]], times: int) -> list[list[float]]:
    """The time of each call in milliseconds, one after the other in turn, ``times`` times."""
    found: list[list[float]] = [[] for _ in calls]
    for _ in range(times + TOGETHER):
        for call, kept in zip(calls, found, strict=True):
            began = time.perf_counter()
            call()
            kept.append(1000 * (time.perf_counter() - began))
    return [kept[TOGETHER:] for kept in found]


def guess(first: list[float], second: list[float]) -> float:
    """The largest share of right guesses that a threshold gives, either way round."""
    values = np.concatenate([first, second])
    is_second = np.arange(len(values)) >= len(first)
    order = is_second[np.argsort(values, kind="stable")]
    below = np.concatenate([[0], np.cumsum(order)])
    right = np.arange(len(values) + 1) - below + (is_second.sum() - below)
    share = right / len(values)
    return float(max(share.max(), 1 - share.min()))


def medians(times: list[float]) -> list[float]:
    """Of ``TOGETHER`` times each."""
    return [
        statistics.median(times[start : start + TOGETHER])
        for start in range(0, len(times), TOGETHER)
    ]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=400)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder, team(Path(folder)) as (client, there):

        def vote(grant: str) -> object:
            return client.post(f"/v1/grants/{grant}/deny", json={}, headers={"X-Who": "nobody"})

        def clean(key: str) -> object:
            body = {"texts": ["a text"], "key": key}
            return client.post("/v1/sanitize", json=body, headers={"X-Who": "nobody"})

        pairs = {
            "a vote on a grant": (lambda: vote(there), lambda: vote(MISSING)),
            "a key for stand-ins": (lambda: clean("support"), lambda: clean("nothing")),
        }
        for name, pair in pairs.items():
            there_ms, not_ms, again_ms = times_ms([*pair, pair[0]], times)
            print(
                f"{name}: there {statistics.median(there_ms):.2f} ms, not there "
                f"{statistics.median(not_ms):.2f} ms (medians of {times}); guess by one time "
                f"{guess(there_ms, not_ms):.3f}, by {TOGETHER} "
                f"{guess(medians(there_ms), medians(not_ms)):.3f}; no difference "
                f"{guess(there_ms, again_ms):.3f}, "
                f"{guess(medians(there_ms), medians(again_ms)):.3f}"
            )
        alive, listed = times_ms(
            [
                lambda: client.get("/healthz"),
                lambda: client.get("/v1/grants", headers={"X-Who": "rita"}),
            ],
            times,
        )
        print(f"/healthz {statistics.median(alive):.2f} ms")
        print(f"/v1/grants {statistics.median(listed):.2f} ms")


if __name__ == "__main__":
    main()
