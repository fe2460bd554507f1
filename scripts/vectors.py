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

The reversible form has folders of its own, whose files are read the other way: ``stored`` rows and
their ``seal`` give back ``input`` within the tolerance, or are refused.

    dtype                what the rows are stored as; the seal is over these bytes, little-endian
    associated data      bytes that a row is bound to, one line a row, or no such line
    noise key, seal key  derived from the secret by HKDF; a seal starts with the row's nonce

So has Gaussian noise. In place of a factor stand ``epsilon`` and ``delta``, and what follows:

    sigma, grid, reach squared    of the mechanism; the grid is a power of two
    noise                         the integers, exactly: steps of the grid, one line a row
    tolerance                     two steps in the ciphertext: truncation may fall either way
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cipherset.core.errors import InputError
from cipherset.core.secret import KeyHandle, Secret
from cipherset.core.values import Float32s, Guarantee
from cipherset.pipeline.encrypt import SCHEMES, VectorCipher, mechanism
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


@dataclass(frozen=True)
class ReversibleCase:
    """What is sealed; ``changed`` is what the reader has instead, and so refuses."""

    name: str
    sealed: Case
    dtype: str = "float32"
    associated_data: tuple[str, ...] = ()
    changed: tuple[tuple[str, str], ...] = ()
    flipped: tuple[str, int] | None = None


def reversible_cases() -> list[ReversibleCase]:
    """One case for each thing that can go right or wrong on the way back."""
    two = Case("", unit_rows(2, 3), 3)
    extra = ("3137", "")
    changes = {
        "secret": NOISE_STREAM,
        "key id": "ticket",
        "key version": "2",
        "scheme": "",
        "approximation factor": "2.5",
        "associated data": "3138",
    }
    return [
        ReversibleCase("dim-1", Case("", [[1.0], [-0.5]], 1)),
        ReversibleCase("dim-64", Case("", unit_rows(2, 64), 64)),
        ReversibleCase("no-noise", replace(two, factor="0.0")),
        ReversibleCase("no-rows", replace(two, rows=[])),
        ReversibleCase("float16", two, dtype="float16"),
        ReversibleCase("float64", two, dtype="float64"),
        ReversibleCase("associated-data", two, associated_data=extra),
        *(
            ReversibleCase(
                f"refuse-{name.replace(' ', '-')}",
                two,
                associated_data=extra,
                changed=((name, value),),
            )
            for name, value in changes.items()
        ),
        ReversibleCase("refuse-stored", two, flipped=("stored", 0)),
        ReversibleCase("refuse-nonce", two, flipped=("seal", 11)),
        ReversibleCase("refuse-tag-first-byte", two, flipped=("seal", 12)),
        ReversibleCase("refuse-tag-last-byte", two, flipped=("seal", 43)),
        ReversibleCase("refuse-dtype", two, changed=(("dtype", "float64"),)),
    ]


@dataclass(frozen=True)
class GaussianCase:
    """A case whose noise is Gaussian."""

    case: Case
    epsilon: str = "4.0"
    delta: str = "1e-06"


def gaussian_cases() -> list[GaussianCase]:
    """One case for each thing that can go right or wrong."""
    one = Case("", [[1.0, 0.0]], 2)
    return [
        GaussianCase(Case("dim-1", [[1.0], [-1.0], [0.5]], 1)),
        GaussianCase(Case("dim-2", [[1.0, 0.0], [0.0, -1.0]], 2)),
        GaussianCase(Case("dim-64", unit_rows(2, 64), 64)),
        GaussianCase(Case("epsilon-1", unit_rows(2, 3), 3), epsilon="1.0"),
        GaussianCase(Case("epsilon-16", unit_rows(2, 3), 3), epsilon="16.0"),
        GaussianCase(Case("delta-1e-9", unit_rows(2, 3), 3), delta="1e-09"),
        GaussianCase(Case("zero-row", [[0.0, 0.0, 0.0]], 3)),
        GaussianCase(Case("no-rows", [], 3)),
        GaussianCase(Case("refuse-norm", [[1.0, 0.0], [1.0, 0.1]], 2)),
        GaussianCase(replace(one, name="refuse-epsilon-0"), epsilon="0.0"),
        GaussianCase(replace(one, name="refuse-epsilon-nan"), epsilon="nan"),
        GaussianCase(replace(one, name="refuse-epsilon-33"), epsilon="33.0"),
        GaussianCase(replace(one, name="refuse-delta-0"), delta="0.0"),
        GaussianCase(replace(one, name="refuse-delta-1"), delta="1.0"),
        GaussianCase(replace(one, name="refuse-too-fine"), epsilon="32.0", delta="1e-12"),
    ]


def number_rows(name: str, rows: Float32s) -> Header:
    """One line per row, nine significant digits: enough for float32 to come back exactly."""
    return [(name, " ".join(f"{value:.9g}" for value in row)) for row in rows.tolist()]


def cipher_of(case: Case, scheme: str) -> VectorCipher:
    """The cipher that the arguments of ``case`` make."""
    return VectorCipher(
        bytes.fromhex(case.secret),
        dim=case.dim,
        scheme=scheme,
        approximation_factor=float(case.factor),
        key_id=case.key_id,
        key_version=int(case.key_version),
    )


def answers(case: Case, scheme: str) -> Header:
    """What follows from the arguments of ``case``; an empty list of rows is still ``ok``."""
    secret = Secret(bytes.fromhex(case.secret))
    bound_to = Derivation(case.key_id, int(case.key_version), scheme, case.dim)
    cipher = cipher_of(case, scheme)
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


def reversible_header(case: ReversibleCase, scheme: str) -> Header:
    """The whole file: what was sealed, then what the reader finds in its place."""
    sealed = case.sealed
    cipher = cipher_of(sealed, scheme)
    rows = np.array(sealed.rows, dtype=np.float32).reshape(-1, sealed.dim)
    nonces = Stream(bytes.fromhex(NOISE_STREAM)).read(12 * len(rows)).reshape(-1, 12)
    stored, seals = cipher.encrypt_reversible_for_testing(
        rows,
        associated_data=[bytes.fromhex(value) for value in case.associated_data] or None,
        dtype=case.dtype,
        nonces_for_testing=nonces,
    )
    if case.flipped is not None:
        name, position = case.flipped
        ({"stored": stored, "seal": seals}[name]).view(np.uint8)[0, position] ^= 1
    header = [
        ("expect", "seal" if case.changed or case.flipped else "ok"),
        ("tolerance", "2e-3" if case.dtype == "float16" else TOLERANCE),
        ("scheme", scheme),
        ("secret", sealed.secret),
        ("key id", sealed.key_id),
        ("key version", sealed.key_version),
        ("dim", str(sealed.dim)),
        ("approximation factor", sealed.factor),
        ("dtype", case.dtype),
        *(("associated data", value) for value in case.associated_data),
        *number_rows("stored", stored.astype(np.float32)),
        *(("seal", row.tobytes().hex()) for row in seals),
    ]
    for name, value in case.changed:
        place = [found for found, _ in header].index(name)
        other = next(other.name for other in SCHEMES if other.name != scheme)
        header[place] = (name, other if name == "scheme" else value)
    return header if header[0][1] != "ok" else [*header, *reversible_answers(case, scheme)]


def reversible_answers(case: ReversibleCase, scheme: str) -> Header:
    """The derived keys, and the rows that come back."""
    secret = Secret(bytes.fromhex(case.sealed.secret))
    bound_to = Derivation(case.sealed.key_id, int(case.sealed.key_version), scheme, case.sealed.dim)
    rows = np.array(case.sealed.rows, dtype=np.float32).reshape(-1, case.sealed.dim)
    return [
        ("noise key", bound_to.derive(secret, "reversible-noise", n_bytes=32).hex()),
        ("seal key", bound_to.derive(secret, "reversible-seal", n_bytes=32).hex()),
        *number_rows("input", rows),
    ]


def gaussian_header(gaussian: GaussianCase, scheme: str) -> Header:
    """The whole file of a case with Gaussian noise."""
    case = gaussian.case
    arguments = [
        ("scheme", scheme),
        ("secret", case.secret),
        ("key id", case.key_id),
        ("key version", case.key_version),
        ("dim", str(case.dim)),
        ("epsilon", gaussian.epsilon),
        ("delta", gaussian.delta),
        ("noise stream", NOISE_STREAM),
        *(("input", " ".join(f"{value:.9g}" for value in row)) for row in case.rows),
    ]
    try:
        results = gaussian_answers(gaussian, scheme)
    except InputError as refusal:
        results = [("expect", refusal.code)]
    return [results[0], *arguments, *results[1:]]


def gaussian_answers(gaussian: GaussianCase, scheme: str) -> Header:
    """Mechanism, noise and output."""
    case = gaussian.case
    key = KeyHandle(case.key_id, int(case.key_version), Secret(bytes.fromhex(case.secret)))
    guarantee = Guarantee(float(gaussian.epsilon), float(gaussian.delta))
    cipher = VectorCipher.with_gaussian_noise(key, dim=case.dim, scheme=scheme, guarantee=guarantee)
    found = mechanism(guarantee, dim=case.dim)
    rows = np.array(case.rows, dtype=np.float32).reshape(-1, case.dim)
    stream = bytes.fromhex(NOISE_STREAM)
    output = cipher.encrypt_for_testing(rows, noise_stream_for_testing=stream)
    raw = Stream(stream).read(16 * rows.size).reshape(len(rows), 16 * case.dim)
    return [
        ("expect", "ok"),
        ("tolerance", f"{4 * found.grid:.9g}"),
        ("key check", cipher.key_check),
        ("sigma", f"{found.sigma:.9g}"),
        ("grid", f"{found.grid:.17g}"),
        ("reach squared", str(found.reach_squared)),
        *(("noise", " ".join(map(str, row))) for row in found.table.draw(raw).tolist()),
        *number_rows("query", cipher.encrypt_query(rows)),
        *number_rows("output", output),
    ]


def files() -> Iterator[tuple[Path, str]]:
    """Path below the directory, and text, of each file."""
    for scheme in SCHEMES:
        folder = Path(scheme.name.replace("/", "-"))
        for case in cases():
            lines = header(case, case.scheme or scheme.name)
            text = "".join(f"{name}: {value}".rstrip() + "\n" for name, value in lines)
            yield folder / f"{case.name}.txt", text
        for reversible in reversible_cases():
            lines = reversible_header(reversible, scheme.name)
            text = "".join(f"{name}: {value}".rstrip() + "\n" for name, value in lines)
            yield folder.with_name(f"{folder}-reversible") / f"{reversible.name}.txt", text
        for gaussian in gaussian_cases():
            lines = gaussian_header(gaussian, scheme.name)
            text = "".join(f"{name}: {value}".rstrip() + "\n" for name, value in lines)
            yield folder.with_name(f"{folder}-gaussian") / f"{gaussian.case.name}.txt", text


def agree(old: str, new: str) -> bool:
    """Whether two files differ by nothing but numbers that are within the tolerance."""
    pairs = [[line.partition(":") for line in text.splitlines()] for text in (old, new)]
    if [name for name, _, _ in pairs[0]] != [name for name, _, _ in pairs[1]]:
        return False
    tolerance = next((float(value) for name, _, value in pairs[0] if name == "tolerance"), 0.0)
    for (name, _, was), (_, _, now) in zip(*pairs, strict=True):
        if name == "seal":  # over the last bits of ``stored``, except for the nonce
            if was.strip()[:24] != now.strip()[:24]:
                return False
        elif name not in {"query", "output", "stored"}:
            if was != now:
                return False
        elif not np.allclose(numbers(was), numbers(now), rtol=0, atol=tolerance):
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
