"""Deployed models, opened once and kept, and taken anew when somebody deploys another.

What a request needs is opened inside an act that was allowed: key, minimizer, encoder. What is kept
is given up as soon as its bundle changes, and when its key may not be used any more.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from cipherset.app.assets.deploy import DEPLOY, MODELS, model_name
from cipherset.app.gate import About
from cipherset.app.gate.about import about_key
from cipherset.app.gate.subjects import about_bundle
from cipherset.app.gateway import Gateway, encoder_of, image_encoder_of, open_gateway
from cipherset.app.serving.models.batcher import EncodingBatcher
from cipherset.app.serving.models.sandbox.keeper import ModelWorker
from cipherset.app.serving.models.sandbox.process import WorkerLimits
from cipherset.app.serving.models.sandbox.worker import Job
from cipherset.app.serving.models.signed import Lineage
from cipherset.app.workspace import Session, Workspace
from cipherset.core import canonical
from cipherset.core.errors import KeyAccessError, UsageError
from cipherset.core.manifest import Task
from cipherset.core.protocols import Encoder, ImageEncoder
from cipherset.custody.keys import KeyUse
from cipherset.custody.ledger.records import runs_of
from cipherset.custody.policy import Kind
from cipherset.pipeline.train import Bundle, check_model, load_bundle
from cipherset.pipeline.train.check import CheckedModel

_BUNDLE: Final = "bundle.json"
Seen = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """A version of a key, by its names."""

    key_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Opened:
    """All that answers for one model: its map to queries, its worker and where it comes from.

    It takes vectors where it has an encoder neither of texts nor of images. An image is decoded
    with ``decoding``, which all models have in common: of a few bytes it may take a gigabyte.
    """

    gateway: Gateway = field(repr=False)
    encoder: EncodingBatcher | None = field(repr=False)
    worker: ModelWorker = field(repr=False)
    lineage: Lineage
    images: ImageEncoder | None = field(default=None, repr=False)
    decoding: threading.Lock = field(default_factory=threading.Lock, repr=False)


@dataclass(eq=False)
class Deployed:
    """A bundle in its place; ``opened`` once somebody was allowed to ask.

    ``opens`` is its key as it was when it was last used. Once it ``is_dropped``, the last of its
    ``n_users`` closes what is open: nobody loses the worker that he waits for.
    """

    name: str
    bundle: Bundle
    about: About
    seen: Seen
    opened: Opened | None = None
    opens: tuple[About, ...] = ()
    opening: threading.Lock = field(default_factory=threading.Lock, repr=False)
    n_users: int = 0
    is_dropped: bool = False

    @property
    def key(self) -> NamedVersion:
        """The key version that its queries are made with."""
        return NamedVersion(self.bundle.manifest.key_id, self.bundle.manifest.key_version)

    @cached_property
    def checked(self) -> CheckedModel:
        """The graph, as one that may run.

        Raises:
            InputError, PolicyError: as ``check_model``.
        """
        manifest = self.bundle.manifest
        return check_model(self.bundle.onnx, dim=manifest.dim, task=manifest.task)


class Deployments:
    """The models of one workspace, by the name they are asked for; for many threads."""

    def __init__(
        self,
        *,
        limits: WorkerLimits | None = None,
        encoders: Callable[[Encoder], EncodingBatcher] = EncodingBatcher,
    ) -> None:
        """Nothing is opened yet."""
        self._limits = limits or WorkerLimits()
        self._make_batcher = encoders
        self._models: dict[str, Deployed] = {}
        self._batchers: dict[str, EncodingBatcher] = {}
        self._images: dict[str, ImageEncoder] = {}
        self._decoding = threading.Lock()
        self._lock = threading.Lock()

    def find(self, home: Path, name: str) -> Deployed | None:
        """The model of that name as it is now in ``home``; None where there is none.

        Raises:
            UsageError: ``model_name``.
            IntegrityError: the bundle was changed.
        """
        folder = home / MODELS / model_name(name)
        unused: Opened | None = None
        try:
            with self._lock:
                known, seen = self._models.get(name), _seen(folder)
                if known is not None and known.seen == seen:
                    return known
                unused = self._drop(name)
                if seen is None:
                    return None
                bundle = load_bundle(folder)
                found = Deployed(name, bundle, about_bundle(bundle, folder), seen)
                self._models[name] = found
                return found
        finally:
            _close(unused)

    def names(self, home: Path) -> list[str]:
        """The models that are deployed, by name."""
        return sorted(path.parent.name for path in (home / MODELS).glob(f"*/{_BUNDLE}"))

    @contextmanager
    def using(self, session: Session, workspace: Workspace, model: Deployed) -> Iterator[Opened]:
        """The model, opened; inside an act that was allowed, and while its key may be used.

        Who found it before another was deployed is answered by the one that he was allowed.

        Raises:
            KeyAccessError, PolicyError: its key may not be used now: what was open is given up.
            IntegrityError: a sealed part is missing or was changed.
            BackendError: the encoder's weights are not there.
        """
        with self._lock:
            model.n_users += 1
        try:
            try:
                with workspace.ring.relying_on(model.key, purpose=KeyUse.QUERY) as key:
                    model.opens = (about_key(key),)
                    with model.opening:
                        if model.opened is None:
                            model.opened = self._open(session, workspace, model)
                    opened = model.opened
            except KeyAccessError:
                self.forget(model.name)
                raise
            yield opened
        finally:
            with self._lock:
                model.n_users -= 1
                unused = _unused(model)
            _close(unused)

    def forget(self, name: str) -> None:
        """Give up what is open of a model."""
        with self._lock:
            unused = self._drop(name)
        _close(unused)

    def close(self) -> None:
        """Give up everything; what waits for an encoder is answered first."""
        with self._lock:
            unused = [self._drop(name) for name in list(self._models)]
            batchers = list(self._batchers.values())
            self._batchers.clear()
            self._images.clear()
        for each in unused:
            _close(each)
        for batcher in batchers:
            batcher.close()

    def _drop(self, name: str) -> Opened | None:
        """Keep it no longer; what of it is to be closed, once the lock is given back."""
        model = self._models.pop(name, None)
        if model is None:
            return None
        model.is_dropped = True
        return _unused(model)

    def _open(self, session: Session, workspace: Workspace, model: Deployed) -> Opened:
        manifest = model.bundle.manifest
        gateway = open_gateway(workspace, manifest.trained_on.cipherset_id, manifest)
        checked = model.checked
        job = Job(
            input=checked.input,
            output=checked.output,
            scores=checked.scores,
            dim=manifest.dim,
            classes=manifest.classes,
            memory_bytes=self._limits.memory_bytes,
            several=manifest.task is Task.MULTILABEL,
        )
        return Opened(
            gateway=gateway,
            encoder=self._batcher(session, gateway),
            worker=ModelWorker(job, checked.onnx, limits=self._limits),
            lineage=Lineage(
                model=model.bundle.digest,
                manifest=manifest.trained_on.manifest,
                key_id=manifest.key_id,
                key_version=manifest.key_version,
                run=_deployment(workspace, model),
            ),
            images=self._image_encoder(session, gateway),
            decoding=self._decoding,
        )

    def _batcher(self, session: Session, gateway: Gateway) -> EncodingBatcher | None:
        """One for all models of an encoder."""
        digest = gateway.export.meta.settings.encoder
        with self._lock:
            if digest not in self._batchers:
                encoder = encoder_of(gateway.export.meta, session.cache)
                if encoder is None:
                    return None
                self._batchers[digest] = self._make_batcher(encoder)
            return self._batchers[digest]

    def _image_encoder(self, session: Session, gateway: Gateway) -> ImageEncoder | None:
        """The same for all models of an encoder of images."""
        meta = gateway.export.meta
        digest = meta.settings.encoder
        with self._lock:
            if digest not in self._images:
                encoder = image_encoder_of(meta, session.cache)
                if encoder is None:
                    return None
                self._images[digest] = encoder
            return self._images[digest]


def _unused(model: Deployed) -> Opened | None:
    """What was open of a dropped model that nobody uses any more; under the lock."""
    if not model.is_dropped or model.n_users:
        return None
    opened, model.opened = model.opened, None
    return opened


def _close(opened: Opened | None) -> None:
    if opened is not None:
        opened.worker.close()


def about_nothing(name: str) -> About:
    """A model that is not there, for the gate: nobody has approved it, and it is restricted."""
    return About(Kind.MODEL, canonical.digest({"no model": name}), name)


def no_model(name: str) -> UsageError:
    """There is none, for whoever may know."""
    return UsageError(
        f"no model is deployed as {name}",
        code="model_unknown",
        hint="cipherset deploy BUNDLE --name NAME",
    )


def _seen(folder: Path) -> Seen | None:
    """What changes with every deployment; it is put in place in one step."""
    try:
        found = (folder / _BUNDLE).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _deployment(workspace: Workspace, model: Deployed) -> str | None:
    """The run that put the model in its place, the last of them."""
    runs = workspace.gate.ledger.transact(
        lambda transaction: list(runs_of(transaction.connection, model.bundle.digest))
    )
    put = (run for run in reversed(runs) if run.kind == DEPLOY)
    return next((run.id for run in put if run.parameters.get("name") == model.name), None)
