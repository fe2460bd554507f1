"""Whatever is changed, added, taken away or put in its place is refused, in our own words."""

import errno
import io
import os
import socket
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from export_samples import Sample, batch, write_sample
from securesystemslib.signer import CryptoSigner

from cipherset.core.canonical import digest_bytes
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.core.manifest import PartFile, SplitFacts, SplitsFacts, Task
from cipherset.pipeline.export import Layout, open_cipherset

PART = "train/part-00000.parquet"


def refusal(path: Path, signer: str | None = None) -> str:
    with pytest.raises(IntegrityError) as caught:
        open_cipherset(path, signer=signer)
    return caught.value.code


def test_any_byte_of_the_manifest_counts(sample):
    file = sample.path / "manifest.json"
    raw = file.read_bytes()
    for place in range(0, len(raw), 7):  # the envelope's own test takes every bit
        file.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(IntegrityError):
            open_cipherset(sample.path)
    file.write_bytes(raw)
    open_cipherset(sample.path)


def test_any_byte_of_a_part_counts(sample):
    file = sample.path / PART
    raw = file.read_bytes()
    for place in [*range(0, len(raw), 97), len(raw) - 1]:
        file.write_bytes(raw[:place] + bytes([raw[place] ^ 128]) + raw[place + 1 :])
        assert refusal(sample.path) == "digest"
    file.write_bytes(raw[:-1])
    assert refusal(sample.path) == "digest"
    file.write_bytes(raw + b"x")
    assert refusal(sample.path) == "file_size"


def link(path: Path) -> None:
    target = path.parent.parent / "elsewhere"
    path.rename(target)
    path.symlink_to(target)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    path.unlink()
    # A Unix address has room for 108 bytes; a relative one always fits.
    with socket.socket(socket.AF_UNIX) as server, chdir(path.parent):
        server.bind(path.name)


def link_directory(path: Path) -> None:
    away = path.parent.parent.parent / "away"
    path.parent.rename(away)
    path.parent.symlink_to(away)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a part is missing": lambda path: (path / PART).unlink(),
    "a part is a link": lambda path: link(path / PART),
    "a part is a pipe": lambda path: pipe(path / PART),
    "a part is a directory": lambda path: ((path / PART).unlink(), (path / PART).mkdir()),
    "a part is a socket": lambda path: unix_socket(path / PART),
    "the manifest is a socket": lambda path: unix_socket(path / "manifest.json"),
    "the manifest is a pipe": lambda path: pipe(path / "manifest.json"),
    "a directory is a link": lambda path: link_directory(path / PART),
    "a file beside the manifest": lambda path: (path / "notes.txt").write_bytes(b""),
    "a hidden file": lambda path: (path / ".hidden").write_bytes(b""),
    "a file beside the parts": lambda path: (path / "train" / "x").write_bytes(b""),
    "a link beside the parts": lambda path: (path / "train" / "x").symlink_to("/etc/passwd"),
    "an empty directory": lambda path: (path / "extra").mkdir(),
    "a directory of files": lambda path: (
        (path / "extra").mkdir(),
        (path / "extra" / "x").write_bytes(b""),
    ),
    "a directory in a directory": lambda path: (path / "train" / "deep").mkdir(),
    "no manifest": lambda path: (path / "manifest.json").unlink(),
    "the manifest is a link": lambda path: link(path / "manifest.json"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_set_of_files_is_exact(sample, change):
    change(sample.path)
    assert refusal(sample.path) == "files"


def test_a_huge_manifest_is_not_read(sample):
    with (sample.path / "manifest.json").open("r+b") as file:
        file.truncate(1 << 40)
    assert refusal(sample.path) == "file_size"


def test_another_signer(sample):
    fingerprint = open_cipherset(sample.path).fingerprint
    assert refusal(sample.path, "0" * 64) == "signer"
    sample.signer = CryptoSigner.generate_ed25519()
    facts = sample.manifest.signer.model_copy(
        update={"public_key": sample.signer.public_key.keyval["public"]}
    )
    sample.sign(sample.manifest.model_copy(update={"signer": facts}))
    assert open_cipherset(sample.path).fingerprint != fingerprint
    assert refusal(sample.path, fingerprint) == "signer"


def test_what_changes_after_opening_is_not_read(sample):
    data = open_cipherset(sample.path)
    file = sample.path / PART
    raw = file.read_bytes()
    file.write_bytes(raw[:200] + bytes([raw[200] ^ 1]) + raw[201:])
    with pytest.raises(IntegrityError) as caught:
        data.to_numpy("train")
    assert caught.value.code == "digest"
    file.unlink()
    with pytest.raises(IntegrityError) as caught:
        data.to_arrow("train")
    assert caught.value.code == "files"
    link_directory(file)
    with pytest.raises(IntegrityError) as caught:
        data.to_arrow("train")
    assert caught.value.code == "files"


def test_a_file_that_may_not_be_read_is_a_backend_error(sample, monkeypatch):
    def refuse(*place: object, dir_fd: int | None = None) -> int:
        raise PermissionError(errno.EACCES, "no")

    data = open_cipherset(sample.path)
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(BackendError) as caught:
        data.to_arrow("train")
    assert caught.value.code == "no_permission"


def sign_part(sample: Sample, raw: bytes, rows: int = 40) -> Path:
    """Put ``raw`` in place of the training part and sign that, as a broken writer would."""
    (sample.path / PART).write_bytes(raw)
    part = PartFile(path=PART, sha256=digest_bytes(raw), bytes=len(raw), rows=rows)
    splits = SplitsFacts(
        train=SplitFacts(rows=rows, files=(part,)), test=sample.manifest.splits.test
    )
    sample.sign(sample.manifest.model_copy(update={"splits": splits}))
    return sample.path


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def with_vectors(table: pa.Table, vectors: pa.Array) -> pa.Table:
    field = pa.field("vector", vectors.type, nullable=table.schema.field("vector").nullable)
    return table.set_column(1, field, vectors)


def fixed(values: np.ndarray, *, nullable: bool = False) -> pa.Array:
    kind = pa.list_(pa.field("element", pa.float32(), nullable=nullable), values.shape[1])
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), type=kind)


SIGNED: dict[str, Callable[[pa.Table], pa.Table]] = {
    "a row less": lambda table: table.slice(1),
    "a column less": lambda table: table.drop_columns(["region"]),
    "a column more": lambda table: table.append_column("name", pa.array(["x"] * 40)),
    "columns in another order": lambda table: table.select(["vector", "row", "label", "region"]),
    "another width": lambda table: with_vectors(table, fixed(np.zeros((40, 2), "f4"))),
    "float64": lambda table: with_vectors(
        table, pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(120)), 3)
    ),
    "lists that may be ragged": lambda table: with_vectors(table, pa.array([[1.0]] * 40)),
    "not a number": lambda table: with_vectors(table, fixed(np.full((40, 3), np.nan, "f4"))),
    "an unknown class": lambda table: table.set_column(
        2, table.schema.field("label"), pa.array(["ugly"] * 40)
    ),
    "a nested clear column": lambda table: table.set_column(3, "region", pa.array([[1]] * 40)),
    "only the ids": lambda table: table.select(["row"]),
}


@pytest.mark.parametrize("change", SIGNED.values(), ids=SIGNED.keys())
def test_a_part_that_was_signed_but_is_wrong(sample, change):
    table = open_cipherset(sample.path).to_arrow("train")
    assert refusal(sign_part(sample, parquet(change(table)))) == "part"


def test_a_corrupt_part_that_was_signed(sample):
    raw = (sample.path / PART).read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(150):
        corrupt = bytearray(raw)
        for place in rng.integers(4, len(raw) - 8, 5):
            corrupt[place] ^= int(rng.integers(1, 256))
        sign_part(sample, bytes(corrupt))
        try:
            open_cipherset(sample.path)
        except IntegrityError as error:
            assert error.code == "part"
            refused += 1
    assert refused > 100
    for broken in (b"", b"PAR1", raw[: len(raw) // 2], b"\x00" * 500, b"{}" * 50):
        assert refusal(sign_part(sample, broken)) == "part"


def test_a_number_that_is_not_finite_was_signed(tmp_path):
    sample = write_sample(
        tmp_path, [batch(40, label=np.arange(40.0))], [], Layout(3, Task.REGRESSION)
    )
    table = open_cipherset(sample.path).to_arrow("train")
    labels = pa.array([np.inf] * 40)
    changed = table.set_column(2, table.schema.field("label"), labels)
    assert refusal(sign_part(sample, parquet(changed))) == "part"


def test_a_null_where_none_may_be_was_signed(sample):
    table = open_cipherset(sample.path).to_arrow("train")
    labels = pa.array([None] + ["good"] * 39)
    changed = table.set_column(2, pa.field("label", pa.string()), labels)
    assert refusal(sign_part(sample, parquet(changed))) == "part"
