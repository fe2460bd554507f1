"""An MLflow server, or its database, by MLflow's own client.

Nothing but the bundle, its metrics and the tags below is sent: no source, no user, no environment,
as MLflow's other interface would. What the client would tell its makers is switched off.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cipherset.app.assets.promote import tags_of
from cipherset.core.errors import BackendError, InputError, IntegrityError
from cipherset.interfaces.cli.settings import silence_mlflow
from cipherset.pipeline.train import load_bundle

FOLDER: Final = "bundle"
_GONE: Final = "RESOURCE_DOES_NOT_EXIST"
_THERE: Final = "RESOURCE_ALREADY_EXISTS"


@dataclass(frozen=True, slots=True)
class Logged:
    """A bundle in MLflow: its run, and the version of the model that it is."""

    run_id: str
    model: str
    version: str
    tags: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "run": self.run_id,
            "model": self.model,
            "version": self.version,
            "tags": dict(self.tags),
        }


class MlflowRegistry:
    """A tracking server and its registry of models; ``name`` is what the ledger calls it."""

    name: Final = "mlflow"

    def __init__(self, tracking: str | None = None) -> None:
        """At the URI ``tracking``; without, where MLFLOW_TRACKING_URI says.

        Raises:
            InputError: ``missing_extra``.
            BackendError: ``registry``.
        """
        silence_mlflow()
        try:
            from mlflow import MlflowClient, exceptions
        except ImportError:
            raise InputError(
                "mlflow is not installed",
                code="missing_extra",
                hint="pip install 'cipherset[mlflow]'",
            ) from None
        self._refusal: type[Exception] = exceptions.MlflowException
        with self._errors():
            self._client = MlflowClient(tracking_uri=tracking, registry_uri=tracking)

    def log(self, path: Path, model: str, *, experiment: str) -> Logged:
        """The bundle in ``path`` as a run of ``experiment`` and a new version of ``model``.

        Raises:
            IntegrityError: the bundle was changed.
            BackendError: ``registry``.
        """
        bundle = load_bundle(path)
        tags = tags_of(bundle)
        with self._errors(), self._run(self._experiment(experiment), tags) as run_id:
            for name, value in bundle.manifest.metrics.items():
                self._client.log_metric(run_id, name, value)
            self._client.log_artifacts(run_id, str(path), FOLDER)
            self._make(model)
            made = self._client.create_model_version(
                model, source=f"runs:/{run_id}/{FOLDER}", run_id=run_id, tags=tags
            )
        return Logged(run_id, model, str(made.version), tags)

    def fetch(self, model: str, version: str, folder: Path) -> Path:
        """Where below ``folder`` the bundle of a version is now.

        Raises:
            InputError: ``registry_version``: there is none.
            IntegrityError: ``registry_source``: the version is not of a run's bundle.
            BackendError: ``registry``.
        """
        with self._errors():
            found = self._client.get_model_version(model, version)
            if not found.run_id or found.source != f"runs:/{found.run_id}/{FOLDER}":
                # Whoever loads it would not get what is fetched here.
                raise IntegrityError(
                    f"version {version} of {model} is not the bundle of its run",
                    code="registry_source",
                    hint="log the bundle again: cipherset mlflow log BUNDLE --model NAME",
                )
            return Path(self._client.download_artifacts(found.run_id, FOLDER, str(folder)))

    def mark(self, model: str, version: str, alias: str, tags: Mapping[str, str]) -> None:
        """Put the tags on a version, then let ``alias`` name it.

        Raises:
            InputError: ``registry_version``: there is none.
            BackendError: ``registry``.
        """
        with self._errors():
            for name, value in tags.items():
                self._client.set_model_version_tag(model, version, name, value)
            self._client.set_registered_model_alias(model, alias, version)

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        return str(self._client.create_experiment(name) if found is None else found.experiment_id)

    @contextmanager
    def _run(self, experiment: str, tags: Mapping[str, str]) -> Iterator[str]:
        """A run of MLflow's around the body; one that fails is marked so."""
        run_id = self._client.create_run(experiment, tags=dict(tags)).info.run_id
        status = "FAILED"
        try:
            yield run_id
            status = "FINISHED"
        finally:
            self._client.set_terminated(run_id, status)

    def _make(self, model: str) -> None:
        try:
            self._client.create_registered_model(model)
        except self._refusal as error:
            if getattr(error, "error_code", "") != _THERE:
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What MLflow refuses, as an error of ours; its own text may hold what was sent."""
        try:
            yield
        except self._refusal as error:
            code = str(getattr(error, "error_code", ""))
            if code == _GONE:
                raise InputError(
                    "MLflow knows no such model, version or run",
                    code="registry_version",
                    hint="log it first: cipherset mlflow log BUNDLE --model NAME",
                ) from None
            raise BackendError(
                f"MLflow cannot do this ({code})",
                code="registry",
                hint="check --tracking or MLFLOW_TRACKING_URI, and what you may do there",
            ) from None
