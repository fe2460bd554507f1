"""Where AI is used in folders, files and images of file systems."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

from cipherset.core.errors import Caught, InputError
from cipherset.evidence.discover.code.catalog import Catalog
from cipherset.evidence.discover.code.files.archive import (
    Budget,
    is_archive,
    is_no_archive,
    is_unreadable_archive,
    members,
    packed_name,
)
from cipherset.evidence.discover.code.files.reach import (
    Bytes,
    File,
    files_under,
    one_file,
    read_fault,
)
from cipherset.evidence.discover.code.files.zipped import is_data, is_zip, zip_members
from cipherset.evidence.discover.code.found import (
    Found,
    Hit,
    Kind,
    NotRead,
    ReadFault,
    Report,
    shown,
)
from cipherset.evidence.discover.code.look.dispatch import (
    cache_hits,
    ending_of,
    is_read,
    look,
    named,
)
from cipherset.evidence.discover.code.look.manifests import installed
from cipherset.evidence.discover.code.look.models import HEAD, model_format
from cipherset.evidence.discover.code.report import MOST_FINDINGS, MOST_NOT_READ
from cipherset.evidence.discover.code.rows import load_catalog

# Packages of others: each is named by its record, and its code is not read.
_INSTALLED: Final = frozenset({"site-packages", "dist-packages", "node_modules"})
_BUNDLE: Final = "bundle.json"
_AT_ONCE: Final = 1 << 20
_TELL_EVERY: Final = 100  # files
_MODELS: Final = frozenset(
    {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".onnx", ".gguf", ".safetensors", ".h5", ".keras"}
)
_HIDDEN: Final = "•••"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a tree is read; sizes in bytes."""

    text_bytes: int = 2_000_000
    digest_bytes: int = 64_000_000_000
    archive_bytes: int = 64_000_000_000
    n_members: int = 2_000_000
    depth: int = 3


def scan(
    paths: Sequence[Path | str],
    *,
    catalog: Path | str | None = None,
    limits: Limits = Limits(),
    host: str = "",
    seen: Callable[[int], None] | None = None,
) -> Report:
    """What is found under ``paths``: folders, files, tar archives, OCI layouts.

    Nothing that is found is executed, imported or unpickled.

    Args:
        paths: Where to look.
        catalog: A TOML file with more services than the package knows.
        limits: How much is read.
        host: The name of the machine, for the report.
        seen: Called with the number of files looked at so far, now and then.

    Raises:
        InputError: ``discover_path``: there is no such path; ``discover_catalog``: not a catalog.
    """
    known = load_catalog(catalog)
    roots = _roots(paths)
    started = _now()
    scanning = _Scan(known, limits, seen)
    for root in roots:
        if root.is_dir():
            for file in files_under(root, scanning.fault):
                scanning.file(file, limits.depth)
        else:
            scanning.file(one_file(root), limits.depth)
    return Report(
        roots=tuple(shown(str(root)) for root in roots),
        findings=scanning.findings(),
        not_read=tuple(scanning.not_read),
        n_not_read=scanning.n_not_read,
        n_files=scanning.n_files,
        host=shown(host),
        started=started,
        finished=_now(),
        catalog=known.digest,
    )


def _roots(paths: Sequence[Path | str]) -> list[Path]:
    """The paths, without those that lie in another of them."""
    roots: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise InputError(
                f"there is no file or folder {shown(str(path))}",
                code="discover_path",
                hint="name folders, files, tar archives or OCI layouts that are there",
            )
        roots.append(path)
    real = [root.resolve() for root in roots]
    return [
        root
        for place, root in enumerate(roots)
        if not any(
            other in real[place].parents or (other == real[place] and before < place)
            for before, other in enumerate(real)
        )
    ]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class _Sum:
    """One find, in all its places."""

    found: Found
    lines: set[int]


@dataclass
class _Scan:
    """A scan on its way: what was found so far, once for each kind, name and file."""

    known: Catalog
    limits: Limits
    seen: Callable[[int], None] | None
    not_read: list[NotRead] = field(default_factory=list)
    n_not_read: int = 0
    n_files: int = 0
    _found: dict[tuple[Kind, str, str], _Sum] = field(default_factory=dict)
    _bundles: dict[str, tuple[str, str]] = field(default_factory=dict)
    _budget: Budget | None = None

    def fault(self, path: str, fault: ReadFault) -> None:
        """Tell a file that was not read."""
        self.n_not_read += 1
        if len(self.not_read) < MOST_NOT_READ:
            self.not_read.append(NotRead(path, fault))

    def findings(self) -> tuple[Found, ...]:
        """All of them, in the order of their places; models with the bundle they lie in."""
        found = [replace(one.found, n_times=len(one.lines)) for one in self._found.values()]
        whole = [self._in_bundle(one) if one.digest else one for one in found]
        return tuple(sorted(whole, key=lambda one: (one.path, one.line, one.kind, one.what)))

    def _in_bundle(self, found: Found) -> Found:
        of_model, of_bundle = self._bundles.get(_folder(found.path), ("", ""))
        return replace(found, bundle=of_bundle) if of_model == found.digest else found

    def file(self, file: File, depth: int) -> None:
        """Look at one file, and into it if it is an archive; nothing it holds stops the scan."""
        self.n_files += 1
        if self.seen is not None and self.n_files % _TELL_EVERY == 0:
            self.seen(self.n_files)
        caught = Caught()
        with caught:
            try:
                self._look(file, depth)
            except OSError as error:
                self.fault(file.path, read_fault(error))
            except EOFError:
                self.fault(file.path, ReadFault.BROKEN)
        if caught.kind:
            self.fault(file.path, ReadFault.DEFECT)

    def _look(self, file: File, depth: int) -> None:
        path = PurePosixPath(*file.parts)
        self._add(file, [*named(path, self.known), *cache_hits(file.parts)])
        registry, name = installed(file.parts)
        is_installed = not _INSTALLED.isdisjoint(file.parts[:-1])
        if registry and is_installed:
            self._package(file, registry, name)
            return
        with file.open() as stream:
            head = stream.read(HEAD)
            kind = model_format(head, file.name, file.size_bytes)
            if kind:
                self._model(file, kind, head, stream)
            elif (reads := _reader_of(head, file.name)) is not None:
                self._archive(file, head, stream, depth, reads)
            elif (fault := _packed(head, file)) is not None:
                self.fault(file.path, fault)
            elif not is_installed:
                self._text(file, head, stream)

    def _text(self, file: File, head: bytes, stream: Bytes) -> None:
        path = PurePosixPath(*file.parts)
        ending = ending_of(file, head)
        if not is_read(ending, path):
            return
        if file.size_bytes > self.limits.text_bytes and ending not in {".jsonl", ".ndjson"}:
            self.fault(file.path, ReadFault.TOO_LARGE)
            return
        raw = head + stream.read(self.limits.text_bytes - len(head))
        if file.name == _BUNDLE:
            self._bundle(file, raw)
        self._add(file, look(raw, file, ending, self.known, self.fault))

    def _bundle(self, file: File, raw: bytes) -> None:
        """Note which model a ``bundle.json`` of ours names."""
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            return
        model = value.get("onnx") if isinstance(value, dict) else None
        if isinstance(model, str):
            own = "sha256:" + hashlib.sha256(raw).hexdigest()
            self._bundles[_folder(file.path)] = (model, own)

    def _package(self, file: File, registry: str, name: str) -> None:
        service = self.known.package(registry, name)
        if service is not None:
            self._add(file, [Hit(service.kind, name, 0, "installed", service.name)])

    def _model(self, file: File, kind: str, head: bytes, stream: Bytes) -> None:
        digest = ""
        if file.size_bytes <= self.limits.digest_bytes:
            digest = _digest(head, stream)
        else:
            self.fault(file.path, ReadFault.TOO_LARGE)
        self._keep(
            Found(
                Kind.MODEL_FILE,
                shown(file.name),
                file.path,
                how=kind,
                digest=digest,
                size_bytes=file.size_bytes,
            )
        )

    def _archive(
        self,
        file: File,
        head: bytes,
        stream: Bytes,
        depth: int,
        reads: Callable[..., Iterator[File]],
    ) -> None:
        if not file.may_hold_files:
            self.fault(file.path, ReadFault.PASSED)
            return
        if depth <= 0:
            self.fault(file.path, ReadFault.TOO_DEEP)
            return
        if self._budget is None or depth == self.limits.depth:
            self._budget = Budget(self.limits.archive_bytes, self.limits.n_members)
        for member in reads(stream, head, file.path, self._budget, self.fault):
            self.file(member, depth - 1)

    def _add(self, file: File, hits: Iterator[Hit] | Sequence[Hit]) -> None:
        for hit in hits:
            what = self.known.key_value.sub(_HIDDEN, hit.what)
            how = self.known.key_value.sub(_HIDDEN, hit.how)
            self._keep(Found(hit.kind, shown(what), file.path, hit.line, shown(how), hit.service))

    def _keep(self, found: Found) -> None:
        key = (found.kind, found.what, found.path)
        one = self._found.get(key)
        if one is None:
            if len(self._found) < MOST_FINDINGS:
                self._found[key] = _Sum(found, {found.line})
            return
        one.lines.add(found.line)
        if found.line < one.found.line:
            one.found = replace(one.found, line=found.line)


def _reader_of(head: bytes, name: str) -> Callable[..., Iterator[File]] | None:
    """What reads the archive that begins so; None where it is none."""
    if is_zip(head):
        return None if is_data(head, name) else zip_members
    return members if is_archive(head, name) else None


def _packed(head: bytes, file: File) -> ReadFault | None:
    """Why a file is not read that is packed in another way than an archive is."""
    if is_unreadable_archive(head):
        return ReadFault.COMPRESSED
    inner = PurePosixPath(packed_name(head, file.name))
    if is_read(inner.suffix.lower(), inner) or inner.suffix.lower() in _MODELS:
        return ReadFault.COMPRESSED
    return ReadFault.BROKEN if is_no_archive(head, file.name) else None


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _digest(head: bytes, stream: Bytes) -> str:
    whole = hashlib.sha256(head)
    while part := stream.read(_AT_ONCE):
        whole.update(part)
    return "sha256:" + whole.hexdigest()
