"""Write the known answers of the encrypt room, tests/vectors/<scheme>/*.txt.

Usage: python scripts/vectors.py [DIRECTORY]

A file that is there and agrees within its tolerance is left as it is.

A file is a header of ``name: value`` lines; a name that repeats is a list. Numbers are decimal,
bytes are hex, a row is its numbers separated by spaces (``nan`` and ``inf`` included).

    expect               ok, or the code of the refusal; one file, one failure
    secret, key id, key version, scheme, dim, approximation factor    the arguments
    noise stream         the AES-256 key of the noise
    input                rows
    tolerance            largest difference of any number (QR and Box–Muller differ in the last
                         bits between machines)
    rotation key (not sap/1), scale word, key check    the bytes derived from the secret by HKDF
    scale, query, output                   what comes of them
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cipherset.core.errors import InputError
from cipherset.core.secret import Secret
from cipherset.core.values import Float32s
from cipherset.pipeline.encrypt import SCHEMES, VectorCipher
from cipherset.pipeline.encrypt.derive import Derivation, scale
from cipherset.pipeline.encrypt.sap import SAP_1
from cipherset.pipeline.encrypt.stream import Stream, gaussians

SECRET = bytes(range(32)).hex()
NOISE_STREAM = bytes(range(32, 64)).hex()
TOLERANCE = "1e-5"
Header = list[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """The arguments of one file; what is not given is as in most files."""

    name: str
    rows: Sequence[Sequence[float]]
    dim: int
    factor: str = "2.0"
    key_id: str = "tickets"
    key_version: str = "1"
    secret: str = SECRET
    scheme: str = ""


def unit_rows(n: int, dim: int) -> list[list[float]]:
    """``n`` unit-norm rows that depend on nothing but their shape."""
    rows = gaussians(Stream(bytes(32)), n * dim).reshape(n, dim)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rounded: list[list[float]] = rows.astype(np.float32).tolist()
    return rounded


def cases() -> list[Case]:
    """One case for each thing that can go right or wrong."""
    return [
        Case("dim-1", [[1.0], [-1.0], [0.5]], 1),
        Case("dim-2", [[1.0, 0.0], [0.0, -1.0]], 2),
        Case("dim-3", unit_rows(3, 3), 3, factor="4.0"),
        Case("dim-64", unit_rows(2, 64), 64),
        Case("zero-row", [[0.0, 0.0, 0.0]], 3),
        Case("no-rows", [], 3),
        Case("no-noise", unit_rows(2, 6), 6, factor="0.0"),
        Case("key-id-empty", unit_rows(1, 3), 3, key_id=""),
        Case("key-id-not-ascii", unit_rows(1, 3), 3, key_id="Schlüssel"),
        Case("key-version-2", unit_rows(1, 3), 3, key_version="2"),
        Case("refuse-width", [[1.0, 0.0]], 3),
        Case("refuse-nan", [[1.0, 0.0], [float("nan"), 0.0]], 2),
        Case("refuse-infinity", [[float("-inf"), 0.0]], 2),
        Case("refuse-short-secret", [[1.0, 0.0]], 2, secret=SECRET[:-2]),
        Case("refuse-long-secret", [[1.0, 0.0]], 2, secret=SECRET + "00"),
        Case("refuse-dim-0", [], 0),
        Case("refuse-negative-factor", [[1.0, 0.0]], 2, factor="-1.0"),
        Case("refuse-factor-nan", [[1.0, 0.0]], 2, factor="nan"),
        Case("refuse-key-version-0", [[1.0, 0.0]], 2, key_version="0"),
        Case("refuse-scheme", [[1.0, 0.0]], 2, scheme="rsap/0"),
    ]


def number_rows(name: str, rows: Float32s) -> Header:
    """One line per row, nine significant digits: enough for float32 to come back exactly."""
    return [(name, " ".join(f"{value:.9g}" for value in row)) for row in rows.tolist()]


def answers(case: Case, scheme: str) -> Header:
    """What follows from the arguments of ``case``; an empty list of rows is still ``ok``."""
    secret = Secret(bytes.fromhex(case.secret))
    bound_to = Derivation(case.key_id, int(case.key_version), scheme, case.dim)
    cipher = VectorCipher(
        secret,
        dim=case.dim,
        scheme=scheme,
        approximation_factor=float(case.factor),
        key_id=case.key_id,
        key_version=int(case.key_version),
    )
    rows = np.array(case.rows, dtype=np.float32).reshape(
        len(case.rows), -1 if case.rows else case.dim
    )
    query = cipher.encrypt_query(rows)
    output = cipher.encrypt_for_testing(rows, noise_stream_for_testing=bytes.fromhex(NOISE_STREAM))
    rotation_key = [("rotation key", bound_to.derive(secret, "rotation", n_bytes=32).hex())]
    return [
        ("expect", "ok"),
        ("tolerance", TOLERANCE),
        *(rotation_key if scheme != SAP_1.name else []),
        ("scale word", bound_to.derive(secret, "scale", n_bytes=4).hex()),
        ("key check", cipher.key_check),
        ("scale", f"{scale(secret, bound_to):.9g}"),
        *number_rows("query", query),
        *number_rows("output", output),
    ]


def header(case: Case, scheme: str) -> Header:
    """The whole file as pairs of name and value."""
    arguments = [
        ("scheme", scheme),
        ("secret", case.secret),
        ("key id", case.key_id),
        ("key version", case.key_version),
        ("dim", str(case.dim)),
        ("approximation factor", case.factor),
        ("noise stream", NOISE_STREAM),
        *(("input", " ".join(f"{value:.9g}" for value in row)) for row in case.rows),
    ]
    try:
        results = answers(case, scheme)
    except InputError as refusal:
        results = [("expect", refusal.code)]
    return [results[0], *arguments, *results[1:]]


def files() -> Iterator[tuple[Path, str]]:
    """Path below the directory, and text, of each file."""
    for scheme in SCHEMES:
        folder = Path(scheme.name.replace("/", "-"))
        for case in cases():
            lines = header(case, case.scheme or scheme.name)
            text = "".join(f"{name}: {value}".rstrip() + "\n" for name, value in lines)
            yield folder / f"{case.name}.txt", text


def agree(old: str, new: str) -> bool:
    """Whether two files differ by nothing but numbers that are within the tolerance."""
    pairs = [[line.partition(":") for line in text.splitlines()] for text in (old, new)]
    if [name for name, _, _ in pairs[0]] != [name for name, _, _ in pairs[1]]:
        return False
    for (name, _, was), (_, _, now) in zip(*pairs, strict=True):
        if name not in {"query", "output"}:
            if was != now:
                return False
        elif not np.allclose(numbers(was), numbers(now), rtol=0, atol=float(TOLERANCE)):
            return False
    return True


def numbers(row: str) -> list[float]:
    """The numbers of one line."""
    return [float(number) for number in row.split()]


def main() -> None:
    """Write every file below the directory that is given, or below tests/vectors."""
    default = Path(__file__).parent.parent / "tests" / "vectors"
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    for path, text in files():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and agree(target.read_text(encoding="utf-8"), text):
            continue
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
