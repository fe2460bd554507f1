"""At saturation for minutes nothing grows, and every request is in the ledger once, whole.

``benchmarks/soak.py`` does the same for ten.
"""

import pytest
import serving_thread
from serving_process import Load, events, outcomes, serving
from serving_soak import MOST_KB, SLACK, growth_kb, soaked

pytestmark = pytest.mark.soak
DONE = [("intended", None), ("done", None)]
# Of half as many, a cache of 2 MB that fills up late is no more than MOST_KB a thousand.
LEAST = 10_000


def test_nothing_grows_and_every_request_is_accounted_for(tmp_path):
    home = serving_thread.vector_owner(tmp_path / "owner").session.home
    with serving(home) as process:
        with Load(process.url, clients=32) as load:
            found = soaked(process, load, 2.0, least=LEAST)
        assert process.end() == 0
        assert process.popen.stderr.read() == ""
    half = len(found) // 2
    for of in ("descriptors", "threads", "workers"):
        early = max(getattr(each, of) for each in found[:half])
        assert max(getattr(each, of) for each in found[half:]) <= early + SLACK
    assert growth_kb(found) < MOST_KB
    assert growth_kb(found, "worker_mb") < MOST_KB
    assert set(load.answers.values()) == {(200, "")}
    assert outcomes(events(home)) == dict.fromkeys(load.answers, DONE)
