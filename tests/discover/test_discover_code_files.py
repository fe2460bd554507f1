"""Folders and archives are read to their end, whatever someone put into them."""

import bz2
import gzip
import io
import json
import lzma
import os
import socket
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from discover_planted import lay, planted
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.evidence.discover.code import Kind, Limits, ReadFault, scan
from cipherset.evidence.discover.code.files.reach import read_fault

USE = b"import openai\n"


def tar_of(members: dict[str, bytes], mode: str = "w") -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode=mode) as tar:
        for name, content in members.items():
            facts = tarfile.TarInfo(name)
            facts.size = len(content)
            tar.addfile(facts, io.BytesIO(content))
    return raw.getvalue()


def zip_of(members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return raw.getvalue()


def faults(report) -> list[ReadFault]:
    return [one.fault for one in report.not_read]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_an_archive_has_what_its_folder_has(mode, tmp_path):
    root = planted(tmp_path / "tree")
    members = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }
    archive = tmp_path / ("image.tar.bz2" if mode == "w:bz2" else "image")
    archive.write_bytes(tar_of(members, mode))
    of_folder = {
        (one.kind, one.what, one.path.removeprefix(f"{root}/")) for one in scan([root]).findings
    }
    of_archive = {
        (one.kind, one.what, one.path.removeprefix(f"{archive}!/"))
        for one in scan([archive]).findings
    }
    assert of_archive == of_folder


def test_layers_of_an_image_are_read(tmp_path):
    layer = tar_of(
        {"usr/lib/python3/dist-packages/openai-1.0.dist-info/METADATA": b"x", "app/a.py": USE}
    )
    model = tar_of({"models/q4": b"GGUF\3\0\0\0" + bytes(70_000)})
    saved = {
        "manifest.json": b"[]",
        "abc/layer.tar": layer,
        "blobs/sha256/def": gzip.compress(model),
        "blobs/sha256/zzz": b"\x28\xb5\x2f\xfd" + bytes(600),
    }
    (tmp_path / "saved.tar").write_bytes(tar_of(saved))
    layout = tmp_path / "layout"
    for name, content in {**saved, "oci-layout": b"{}"}.items():
        path = layout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for root in (tmp_path / "saved.tar", layout):
        report = scan([root])
        assert [(one.kind, one.what) for one in report.findings] == [
            (Kind.SDK, "openai"),
            (Kind.SDK, "openai"),
            (Kind.MODEL_FILE, "q4"),
        ]
        assert report.findings[2].digest.startswith("sha256:")
        assert faults(report) == [ReadFault.COMPRESSED]


ARCHIVES = {
    "backup.tar": tar_of({"a.py": USE}),
    "code.tar.gz": tar_of({"a.py": USE}, "w:gz"),
    "code.tar.xz": tar_of({"a.py": USE}, "w:xz"),
    "code.zip": zip_of({"a.py": USE}),
    "lib.whl": zip_of({"a.py": USE}, zipfile.ZIP_DEFLATED),
    "lib.jar": zip_of({"META-INF/MANIFEST.MF": b"x", "a.py": USE}),
    "tool.pyz": b"#!/usr/bin/env python3\n" + zip_of({"a.py": USE}),
    "blob": zip_of({"a.py": USE}),
    "code.docx": zip_of({"a.py": USE}),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_in_a_folder_is_told_and_as_a_path_it_is_read(name, tmp_path):
    archive = tmp_path / "tree" / "deep" / name
    archive.parent.mkdir(parents=True)
    archive.write_bytes(ARCHIVES[name])
    report = scan([tmp_path / "tree"])
    assert report.findings == ()
    assert [(one.path, one.fault) for one in report.not_read] == [(str(archive), ReadFault.PASSED)]
    assert report.n_not_read == 1
    report = scan([archive])
    assert [(one.what, one.path) for one in report.findings] == [("openai", f"{archive}!/a.py")]
    assert report.not_read == ()


@pytest.mark.parametrize(
    ("name", "raw", "fault"),
    [
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(60), ReadFault.COMPRESSED),
        ("a.rar", b"Rar!\x1a\x07\x01" + bytes(60), ReadFault.COMPRESSED),
        ("a.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(60), ReadFault.COMPRESSED),
        ("a.py.gz", gzip.compress(USE, mtime=0), ReadFault.COMPRESSED),
        ("rows.jsonl.bz2", bz2.compress(b"{}"), ReadFault.COMPRESSED),
        ("model.pkl.xz", lzma.compress(b"x"), ReadFault.COMPRESSED),
        ("a.zip", b"nothing of the kind", ReadFault.BROKEN),
        ("a.tgz", gzip.compress(b"no tar", mtime=0), ReadFault.BROKEN),
    ],
)
def test_what_is_packed_otherwise_is_told_wherever_it_is(name, raw, fault, tmp_path):
    (tmp_path / name).write_bytes(raw)
    for path in (tmp_path, tmp_path / name):
        assert faults(scan([path])) == [fault]


def test_data_that_is_kept_as_a_zip_archive_is_passed_unsaid(tmp_path):
    np.savez(tmp_path / "rows.npz", a=np.zeros(3))
    (tmp_path / "text.docx").write_bytes(zip_of({"[Content_Types].xml": b"<x/>"}))
    (tmp_path / "book.epub").write_bytes(zip_of({"mimetype": b"application/epub+zip"}))
    (tmp_path / "page.1.gz").write_bytes(gzip.compress(b"of a manual"))
    (tmp_path / "none.zip").write_bytes(zip_of({}))
    (tmp_path / "m.pt").write_bytes(zip_of({"m/data.pkl": b"x"}))
    report = scan([tmp_path])
    assert report.not_read == ()
    assert [one.how for one in report.findings] == ["PyTorch (zip)"]


def test_a_zip_has_what_its_folder_has(tmp_path):
    root = planted(tmp_path / "tree")
    files = [path for path in root.rglob("*") if path.is_file()]
    raw = zip_of({path.relative_to(root).as_posix(): path.read_bytes() for path in files}, 8)
    (tmp_path / "code.zip").write_bytes(raw)
    (tmp_path / "image.tar").write_bytes(tar_of({"app/code.zip": raw}))

    def found(path, before):
        report = scan([path])
        return {(one.kind, one.what, one.path.removeprefix(before)) for one in report.findings}

    expected = found(root, f"{root}/")
    zipped, image = tmp_path / "code.zip", tmp_path / "image.tar"
    assert found(zipped, f"{zipped}!/") == expected
    assert found(image, f"{image}!/app/code.zip!/") == expected


def test_a_zip_bomb_is_left(tmp_path):
    zeros = {f"{number}.py": bytes(1_500_000) for number in range(20)}
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of(zeros, zipfile.ZIP_DEFLATED))
    report = scan([path], limits=Limits(archive_bytes=1_000_000))
    assert faults(report)[-1] is ReadFault.TOO_MUCH
    assert report.n_files < 3
    report = scan([path], limits=Limits(n_members=5))
    assert (report.n_files, faults(report)[-1]) == (6, ReadFault.TOO_MUCH)
    inner = tmp_path / "a.tar"
    inner.write_bytes(tar_of({"a.zip": path.read_bytes()}))
    report = scan([inner], limits=Limits(archive_bytes=20_000))
    assert ReadFault.TOO_MUCH in faults(report)


def test_a_zip_in_a_zip_is_read_as_deep_as_the_limit(tmp_path):
    deep = USE
    for _ in range(6):
        deep = zip_of({"a.py" if deep is USE else "a.zip": deep})
    (tmp_path / "deep.zip").write_bytes(deep)
    assert faults(scan([tmp_path / "deep.zip"])) == [ReadFault.TOO_DEEP]
    assert len(scan([tmp_path / "deep.zip"], limits=Limits(depth=6)).findings) == 1


def test_members_that_are_not_read_are_told(tmp_path):
    plain = bytearray(zip_of({"a.py": USE, "b.py": USE}))
    for place in (6, plain.index(b"PK\1\2") + 8):
        plain[place] |= 1
    (tmp_path / "a.zip").write_bytes(plain)
    report = scan([tmp_path / "a.zip"])
    assert [one.path[-4:] for one in report.findings] == ["b.py"]
    assert faults(report) == [ReadFault.ENCRYPTED]
    (tmp_path / "b.zip").write_bytes(zip_of({"a.py": USE}, zipfile.ZIP_BZIP2))
    assert faults(scan([tmp_path / "b.zip"])) == [ReadFault.COMPRESSED]


@settings(max_examples=60)
@given(st.data())
def test_no_zip_stops_a_scan(tmp_path_factory, data):
    raw = bytearray(zip_of({"a.py": USE, "b.zip": zip_of({"b.py": USE})}, zipfile.ZIP_DEFLATED))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(4, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("any") / "a.zip"
    path.write_bytes(bytes(raw[: data.draw(st.integers(4, len(raw)))]))
    assert ReadFault.DEFECT not in faults(scan([path]))


def test_names_in_archives_are_shown_and_never_used(tmp_path):
    names = ["../../etc/a.py", "/root/b.py", "x/\x1b[31m\ncolor.py", "..", "./c.py", "d\u202e.py"]
    archive = tmp_path / "odd.tar"
    archive.write_bytes(tar_of(dict.fromkeys(names, USE)))
    before = set(tmp_path.parent.rglob("*.py"))
    report = scan([archive])
    assert len(report.findings) == 5
    for one in report.findings:
        assert one.path.startswith(f"{archive}!/")
        assert one.path.isprintable()
        assert "/../" not in one.path
    assert set(tmp_path.parent.rglob("*.py")) == before


def test_links_and_devices_of_an_archive_are_passed(tmp_path):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            facts = tarfile.TarInfo("a.py")
            facts.type = kind
            facts.linkname = "/etc/passwd"
            tar.addfile(facts)
    (tmp_path / "a.tar").write_bytes(raw.getvalue())
    assert scan([tmp_path / "a.tar"]).n_files == 1


def test_a_bomb_is_left(tmp_path):
    bomb = gzip.compress(tar_of({"zeros": bytes(5_000_000), "a.py": USE}))
    (tmp_path / "bomb.tgz").write_bytes(bomb)
    report = scan([tmp_path / "bomb.tgz"], limits=Limits(archive_bytes=1_000_000))
    assert report.findings == ()
    assert faults(report) == [ReadFault.TOO_MUCH]
    assert len(scan([tmp_path / "bomb.tgz"]).findings) == 1


def test_a_header_as_large_as_memory_is_left(tmp_path):
    facts = tarfile.TarInfo("x")
    facts.type = tarfile.XHDTYPE
    facts.size = 1 << 40
    (tmp_path / "a.tar").write_bytes(facts.tobuf(tarfile.GNU_FORMAT) + bytes(2000))
    assert faults(scan([tmp_path / "a.tar"])) == [ReadFault.TOO_MUCH]


def test_members_and_depth_are_bounded(tmp_path):
    many = tmp_path / "many.tar"
    many.write_bytes(tar_of({f"{number}.py": USE for number in range(20)}))
    report = scan([many], limits=Limits(n_members=5))
    assert len(report.findings) == 5
    assert faults(report) == [ReadFault.TOO_MUCH]
    deep = USE
    for _ in range(6):
        deep = tar_of({"a.py": deep} if deep is USE else {"layer.tar": deep})
    (tmp_path / "deep.tar").write_bytes(deep)
    assert faults(scan([tmp_path / "deep.tar"])) == [ReadFault.TOO_DEEP]


def test_a_broken_archive_gives_what_it_has(tmp_path):
    whole = tar_of({"a.py": USE, "b.py": USE * 2000})
    (tmp_path / "cut.tar").write_bytes(whole[:3000])
    (tmp_path / "cut.tgz").write_bytes(gzip.compress(whole)[:100])
    report = scan([tmp_path / "cut.tar"])
    assert "openai" in {one.what for one in report.findings}
    assert ReadFault.DEFECT not in faults(report)
    assert faults(scan([tmp_path / "cut.tgz"])) in ([ReadFault.BROKEN], [])


@settings(max_examples=40)
@given(st.data())
def test_no_archive_stops_a_scan(tmp_path_factory, data):
    raw = bytearray(tar_of({"a.py": USE, "layer.tar": tar_of({"b.py": USE})}))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, 3000))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("any") / "a.tar"
    path.write_bytes(gzip.compress(bytes(raw)) if data.draw(st.booleans()) else bytes(raw))
    assert ReadFault.DEFECT not in faults(scan([path]))


def test_what_is_no_regular_file_is_told_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.py"))
        report = scan([tmp_path])
    assert faults(report) == [ReadFault.NOT_A_FILE] * 2


def test_loops_of_links_are_not_walked(tmp_path):
    lay({"a/use.py": "import openai\n"}, tmp_path)
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "lost.py").symlink_to("nowhere.py")
    (tmp_path / "copy.py").symlink_to("a/use.py")
    report = scan([tmp_path])
    assert [Path(one.path).name for one in report.findings] == ["use.py"]
    assert report.not_read == ()


def test_a_link_that_is_given_is_followed(tmp_path):
    lay({"tree/use.py": "import openai\n", "one.py": "import groq\n"}, tmp_path)
    (tmp_path / "root").symlink_to("tree")
    (tmp_path / "file").symlink_to("one.py")
    assert [one.what for one in scan([tmp_path / "root"]).findings] == ["openai"]
    assert [one.what for one in scan([tmp_path / "one.py"]).findings] == ["groq"]


def test_roots_in_roots_are_read_once(tmp_path):
    lay({"a/use.py": "import openai\n"}, tmp_path)
    report = scan([tmp_path / "a", tmp_path, tmp_path / "a" / "use.py", tmp_path])
    assert report.n_files == 1
    assert report.roots == (str(tmp_path),)


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(InputError) as refused:
        scan([tmp_path / "none"])
    assert refused.value.code == "discover_path"


def test_what_is_large_is_told(tmp_path):
    (tmp_path / "a.py").write_bytes(USE + b"#" * 3000)
    (tmp_path / "b.jsonl").write_text(
        json.dumps({"prompt": "a", "completion": "b"}) + "\n" + "x" * 3000
    )
    report = scan([tmp_path], limits=Limits(text_bytes=2000))
    assert faults(report) == [ReadFault.TOO_LARGE]
    assert [one.kind for one in report.findings] == [Kind.DATASET]


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (13, ReadFault.NO_PERMISSION),
        (1, ReadFault.NO_PERMISSION),
        (40, ReadFault.NOT_A_FILE),
        (6, ReadFault.NOT_A_FILE),
        (2, ReadFault.GONE),
        (5, ReadFault.GONE),
    ],
)
def test_what_the_system_says_of_a_file(number, fault):
    assert read_fault(OSError(number, "x")) is fault


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_file_that_is_another_when_it_is_opened(is_gone, tmp_path):
    """Progress is told before the hundredth file is opened, and after it was listed."""
    lay({f"a{number:02}.txt": "" for number in range(99)}, tmp_path)
    lay({"b.py": "import openai"}, tmp_path)

    def swap(_: int) -> None:
        (tmp_path / "b.py").unlink()
        if not is_gone:
            os.mkfifo(tmp_path / "b.py")

    expected = ReadFault.GONE if is_gone else ReadFault.NOT_A_FILE
    assert faults(scan([tmp_path], seen=swap)) == [expected]


def test_a_folder_that_goes_while_it_is_waiting(tmp_path):
    lay({f"a{number:02}.txt": "" for number in range(100)}, tmp_path)
    (tmp_path / "folder").mkdir()
    report = scan([tmp_path], seen=lambda _: (tmp_path / "folder").rmdir())
    assert faults(report) == [ReadFault.GONE]


def test_programs_without_an_ending_are_told_by_their_first_line(tmp_path):
    lay(
        {
            "a": "#!/usr/bin/env python3\nimport openai\n",
            "b": "#!/usr/bin/env -S node --x\nrequire('groq-sdk')\n",
            "c": "#!/bin/sh\nollama serve\n",
            "d": "import anthropic\n",
            "e": "#!/usr/bin/tcl\nimport anthropic\n",
        },
        tmp_path,
    )
    assert [one.what for one in scan([tmp_path]).findings] == ["openai", "groq-sdk", "Ollama"]


def test_python_that_is_not_text_is_told(tmp_path):
    (tmp_path / "a.py").write_bytes(b"import openai\0\xff\0")
    assert faults(scan([tmp_path])) == [ReadFault.NOT_TEXT]


def test_progress_is_told(tmp_path):
    lay({f"{number}.txt": "" for number in range(250)}, tmp_path)
    told = []
    scan([tmp_path], seen=told.append)
    assert told == [100, 200]
