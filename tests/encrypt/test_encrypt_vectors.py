"""Known answers: every file of tests/vectors, read the way another implementation would."""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.core.values import Guarantee
from cipherset.pipeline.encrypt import VectorCipher
from cipherset.pipeline.encrypt.derive import Derivation, scale
from cipherset.pipeline.encrypt.stream import Stream

VECTORS = Path(__file__).parent.parent / "vectors"
FILES = sorted(VECTORS.glob("*sap-1/*.txt"))
REVERSIBLE = sorted(VECTORS.glob("*sap-1-reversible/*.txt"))
GAUSSIAN = sorted(VECTORS.glob("*sap-1-gaussian/*.txt"))
TO_TOLERANCE = {"query", "output", "stored", "seal"}


def read(path):
    header = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        header[name].append(value.strip())
    return header


def rows(header, name, width):
    values = [[float(number) for number in row.split()] for row in header[name]]
    return np.array(values, dtype=np.float32).reshape(len(values), -1 if values else width)


def cipher_of(header):
    return VectorCipher(
        bytes.fromhex(header["secret"][0]),
        dim=int(header["dim"][0]),
        scheme=header["scheme"][0],
        approximation_factor=float(header["approximation factor"][0]),
        key_id=header["key id"][0],
        key_version=int(header["key version"][0]),
    )


def run(header):
    cipher = cipher_of(header)
    x = rows(header, "input", cipher.dim)
    noise = bytes.fromhex(header["noise stream"][0])
    return (
        cipher,
        cipher.encrypt_query(x),
        cipher.encrypt_for_testing(x, noise_stream_for_testing=noise),
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_known_answer(engine, path):
    header = read(path)
    if header["expect"] != ["ok"]:
        with pytest.raises(InputError) as refusal:
            run(header)
        assert [refusal.value.code] == header["expect"]
        return
    cipher, query, output = run(header)
    tolerance = float(header["tolerance"][0])
    assert [cipher.key_check] == header["key check"]
    for name, found in (("query", query), ("output", output)):
        np.testing.assert_allclose(found, rows(header, name, cipher.dim), rtol=0, atol=tolerance)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_known_subkeys(path):
    header = read(path)
    if header["expect"] != ["ok"]:
        assert "output" not in header
        return
    secret = Secret(bytes.fromhex(header["secret"][0]))
    bound_to = Derivation(
        header["key id"][0],
        int(header["key version"][0]),
        header["scheme"][0],
        int(header["dim"][0]),
    )
    assert bound_to.derive(secret, "scale", n_bytes=4).hex() == header["scale word"][0]
    assert scale(secret, bound_to) == np.float32(header["scale"][0])
    for rotation_key in header["rotation key"]:
        assert bound_to.derive(secret, "rotation", n_bytes=32).hex() == rotation_key


@pytest.mark.parametrize("path", REVERSIBLE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_known_reversible_answer(engine, path):
    header, cipher = read(path), cipher_of(read(path))
    dtype = header["dtype"][0]
    stored = rows(header, "stored", cipher.dim).astype(dtype)
    seals = np.frombuffer(bytes.fromhex("".join(header["seal"])), dtype=np.uint8).reshape(-1, 44)
    extra = [bytes.fromhex(value) for value in header["associated data"]] or None
    if header["expect"] != ["ok"]:
        with pytest.raises(IntegrityError, match="row 0 ") as refusal:
            cipher.decrypt(stored, seals, associated_data=extra)
        assert [refusal.value.code] == header["expect"]
        return
    x, tolerance = rows(header, "input", cipher.dim), float(header["tolerance"][0])
    found = cipher.decrypt(stored, seals, associated_data=extra)
    np.testing.assert_allclose(found, x, rtol=0, atol=tolerance)
    again, _ = cipher.encrypt_reversible_for_testing(
        x, associated_data=extra, dtype=dtype, nonces_for_testing=seals[:, :12]
    )
    np.testing.assert_allclose(again, stored, rtol=0, atol=tolerance)
    secret = Secret(bytes.fromhex(header["secret"][0]))
    bound_to = Derivation(cipher.key_id, cipher.key_version, cipher.scheme, cipher.dim)
    for name in ("noise", "seal"):
        derived = bound_to.derive(secret, f"reversible-{name}", n_bytes=32)
        assert [derived.hex()] == header[f"{name} key"]


def run_gaussian(header):
    key = KeyHandle(
        header["key id"][0],
        int(header["key version"][0]),
        Secret(bytes.fromhex(header["secret"][0])),
    )
    cipher = VectorCipher.with_gaussian_noise(
        key,
        dim=int(header["dim"][0]),
        scheme=header["scheme"][0],
        guarantee=Guarantee(float(header["epsilon"][0]), float(header["delta"][0])),
    )
    stream = bytes.fromhex(header["noise stream"][0])
    x = rows(header, "input", cipher.dim)
    return cipher, x, cipher.encrypt_for_testing(x, noise_stream_for_testing=stream)


@pytest.mark.parametrize("path", GAUSSIAN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_known_gaussian_answer(path):
    header = read(path)
    if header["expect"] != ["ok"]:
        with pytest.raises(InputError) as refusal:
            run_gaussian(header)
        assert [refusal.value.code] == header["expect"]
        return
    cipher, x, output = run_gaussian(header)
    found, (tolerance,) = cipher.mechanism, header["tolerance"]
    assert [cipher.key_check] == header["key check"]
    assert found.sigma == pytest.approx(float(header["sigma"][0]), rel=1e-8)
    assert found.grid == float(header["grid"][0])
    assert [str(found.reach_squared)] == header["reach squared"]
    words = Stream(bytes.fromhex(header["noise stream"][0])).read(16 * x.size)
    drawn = found.table.draw(words.reshape(len(x), 16 * cipher.dim))
    assert [" ".join(map(str, row)) for row in drawn.tolist()] == header["noise"]
    query, known = rows(header, "query", cipher.dim), rows(header, "output", cipher.dim)
    np.testing.assert_allclose(cipher.encrypt_query(x), query, rtol=0, atol=1e-5)
    np.testing.assert_allclose(output, known, rtol=0, atol=float(tolerance))
    # The known numbers by themselves: the query on the grid, plus the integers.
    scale = np.linalg.norm(query, axis=1) / np.maximum(np.linalg.norm(x, axis=1), 1e-9)
    if (scale > 0).all():
        by_hand = query + scale[:, None] * found.grid * drawn
        np.testing.assert_allclose(known, by_hand, rtol=0, atol=float(tolerance))


def test_both_schemes_have_answers_and_refusals():
    for scheme in ("rsap-1", "sap-1"):
        kinds = [read(path)["expect"][0] for path in FILES if path.parent.name == scheme]
        assert kinds.count("ok") >= 5
        assert {"dimension", "not_finite", "secret_length", "scheme"} <= set(kinds)


def test_the_script_writes_the_committed_files(tmp_path):
    script = VECTORS.parent.parent / "scripts" / "vectors.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=600)
    written = {path.relative_to(tmp_path) for path in tmp_path.glob("*/*.txt")}
    assert written == {path.relative_to(VECTORS) for path in [*FILES, *REVERSIBLE, *GAUSSIAN]}
    for path in written:
        old, new = read(VECTORS / path), read(tmp_path / path)
        assert old.keys() == new.keys()
        for name in old.keys() - TO_TOLERANCE:
            assert old[name] == new[name], (path, name)


def test_the_script_leaves_files_that_agree_and_mends_those_that_do_not(tmp_path):
    script = VECTORS.parent.parent / "scripts" / "vectors.py"
    path = tmp_path / "sap-1" / "dim-1.txt"
    path.parent.mkdir()
    committed = (VECTORS / "sap-1" / "dim-1.txt").read_text(encoding="utf-8")
    first = next(line for line in committed.splitlines() if line.startswith("query:"))
    value = float(first.split()[1])
    close = committed.replace(first, f"query: {value + 2e-6:.9g}", 1)
    for before, after in ((close, close), (close.replace("ok", "no"), committed)):
        path.write_text(before, encoding="utf-8")
        subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=600)
        found = path.read_text(encoding="utf-8").splitlines()
        kept = {"query", "output"} if before != after else set()
        for line, expected in zip(found, after.splitlines(), strict=True):
            assert line == expected or line.partition(":")[0] in kept
