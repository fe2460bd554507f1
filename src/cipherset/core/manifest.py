"""What a cipherset and a model bundle say about themselves; nothing here is secret or plain.

Both are JSON in canonical form. The cipherset's manifest is signed by its owner
(``core.envelope``); the bundle's is not signed: the lab writes it, and the gateway trusts
neither it nor the model beside it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from cipherset.core import canonical
from cipherset.core.errors import IntegrityError
from cipherset.core.labels import Label
from cipherset.core.values import LABEL, ROW

CIPHERSET_TYPE: Final = "application/vnd.cipherset.manifest.v1+json"
VECTOR: Final = "vector"

Digest = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,20}:[0-9a-f]{64}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Scheme = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,16}/[0-9]{1,3}$")]
Instant = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2,128}$")]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Dim = Annotated[int, Field(ge=1, le=65536)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Scalar = bool | int | Finite | str | None


class Frozen(BaseModel):
    """A value that is checked once and never changes."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, ser_json_inf_nan="null"
    )


class Task(StrEnum):
    """What the labels are for."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    MULTILABEL = "multilabel"

    @property
    def has_names(self) -> bool:
        """Whether its labels are names out of a list: one a row, or several."""
        return self is not Task.REGRESSION


class ModelKind(StrEnum):
    """The model families trained here; ``external`` is any other that came as ONNX."""

    LOGISTIC = "logistic"
    MLP = "mlp"
    BOOSTING = "boosting"
    EXTERNAL = "external"


class EncoderFacts(Frozen):
    """The encoder whose vectors were encrypted; ``digest`` is None for one's own vectors."""

    name: str
    digest: Digest | None
    dim: Dim


class PartFile(Frozen):
    """One Parquet file; ``path`` is relative, ``<split>/part-<number>.parquet``."""

    path: Annotated[str, StringConstraints(pattern=r"^(train|test)/part-\d{5}\.parquet$")]
    sha256: Sha256
    bytes: Count
    rows: Count


class SplitFacts(Frozen):
    """The rows of one split and the files that hold them, in order."""

    rows: Count
    files: tuple[PartFile, ...]


class SplitsFacts(Frozen):
    """Both splits; ``test`` may have no rows and no files."""

    train: SplitFacts
    test: SplitFacts


class KAnonymity(Frozen):
    """How many rows share their values in the clear columns.

    ``k`` is the smallest group, ``combinations`` the number of groups and ``rows_alone`` the
    rows whose combination no other row has.
    """

    columns: tuple[str, ...]
    rows: Count
    k: Count
    combinations: Count
    rows_alone: Count


class Lineage(Frozen):
    """Where the rows came from: a keyed digest (a plain one would confirm guesses)."""

    source_digest: Digest
    run_id: str
    package_version: str


class ComposedFacts(Frozen):
    """What all live exports of a row keep together; None where one has no finite epsilon."""

    exports: Annotated[int, Field(ge=1, lt=2**53)]
    epsilon: Positive | None
    delta: Positive | None


class PromiseFacts(Frozen):
    """An (epsilon, delta) of each row that something was computed from."""

    epsilon: Positive
    delta: Positive


class SyntheticFacts(PromiseFacts):
    """What drawn rows keep of the source's: for each row, whole, and the conditions."""

    per: Literal["row of the source"] = "row of the source"
    conditions: Annotated[tuple[str, ...], Field(min_length=1)]


class HeadFacts(PromiseFacts):
    """What a model that was trained at the gate keeps of each row, whole, and the conditions."""

    per: Literal["row trained on"] = "row trained on"
    conditions: Annotated[tuple[str, ...], Field(min_length=1)]


class PrivacyFacts(Frozen):
    """The (epsilon, delta) of Gaussian noise, and the conditions it holds on.

    ``sigma`` is the standard deviation per coordinate, in units of the minimized row, and
    ``sensitivity`` the largest distance of two of these. ``minimizer`` is what the minimizer keeps
    of each row it was fitted on, None where that is nothing. ``composed`` is both together, over
    all exports, as of when this one was made.
    """

    epsilon: Positive
    delta: Positive
    sigma: Positive
    sensitivity: Positive
    per: Literal["exported row"]
    conditions: Annotated[tuple[str, ...], Field(min_length=1)]
    composed: ComposedFacts
    minimizer: PromiseFacts | None = None


class SignerFacts(Frozen):
    """The raw Ed25519 public key in hex; its SHA-256 is the signer's fingerprint."""

    public_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class KeyFacts(Frozen):
    """Which key made the vectors: never the key, only how to tell it from another."""

    scheme: Scheme
    key_id: str
    key_version: Annotated[int, Field(ge=1, lt=2**31)]
    key_check: Hex


class Manifest(KeyFacts):
    """A cipherset's manifest, schema ``cipherset/manifest/1`` (docs/adr/0006).

    ``label_column`` is what the source called the labels; in the files it is ``label``. ``label``
    says how sensitive its source is, None where nobody has looked (``cipherset scan``). Noise in
    a ball has an approximation factor and no epsilon, Gaussian noise ``privacy`` and no factor.
    Where ``synthetic`` is there, no row is a person's: they were drawn, and carry no noise.
    """

    schema_name: Literal["cipherset/manifest/1"] = Field(
        default="cipherset/manifest/1", alias="schema"
    )
    cipherset_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    created: Instant
    dim: Dim
    approximation_factor: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    noise: Literal["ball", "gaussian"] = "ball"
    privacy: PrivacyFacts | None = None
    synthetic: SyntheticFacts | None = None
    minimizer: str
    encoder: EncoderFacts
    task: Task | None
    label_column: str | None
    classes: tuple[str, ...]
    clear_columns: tuple[str, ...]
    splits: SplitsFacts
    sanitizer: Mapping[str, Count]
    k_anonymity: KAnonymity | None
    assessment: Mapping[str, Finite]
    utility: Mapping[str, Finite]
    settings: Mapping[str, Scalar]
    label: Label | None = None
    lineage: Lineage
    signer: SignerFacts

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        for split, facts in (("train", self.splits.train), ("test", self.splits.test)):
            names = [f"{split}/part-{i:05d}.parquet" for i in range(len(facts.files))]
            if [file.path for file in facts.files] != names:
                raise ValueError("parts are not numbered in order")
            if sum(file.rows for file in facts.files) != facts.rows:
                raise ValueError("the parts' rows do not add up")
        gaussian = self.noise == "gaussian"
        if gaussian != (self.privacy is not None) or gaussian != (
            self.approximation_factor is None
        ):
            raise ValueError("only noise in a ball has a factor, only Gaussian noise an epsilon")
        columns = (ROW, VECTOR, LABEL, *self.clear_columns)
        if len(set(columns)) != len(columns) or len(set(self.classes)) != len(self.classes):
            raise ValueError("a name occurs twice")
        if (self.task is None) != (self.label_column is None):
            raise ValueError("a task needs labels, and labels a task")
        if (self.task is not None and self.task.has_names) != bool(self.classes):
            raise ValueError("labels that are names need a list of them, and only they have one")
        return self


class CiphersetRef(Frozen):
    """Which cipherset a model was trained on; ``manifest`` is its manifest.json's digest."""

    cipherset_id: str
    manifest: Sha256


class ValueRange(Frozen):
    """The smallest and the largest number a regression model may answer."""

    low: Finite
    high: Finite


class BundleManifest(KeyFacts):
    """A model bundle's manifest, schema ``cipherset/bundle/1``."""

    schema_name: Literal["cipherset/bundle/1"] = Field(default="cipherset/bundle/1", alias="schema")
    created: Instant
    model: ModelKind
    task: Task
    classes: tuple[str, ...]
    value_range: ValueRange | None
    dim: Dim
    trained_on: CiphersetRef
    at_gate: bool
    metrics: Mapping[str, Finite]
    privacy: HeadFacts | None = None
    label: Label | None = None
    onnx: Sha256
    packages: Mapping[str, str]


def manifest_bytes(manifest: Manifest | BundleManifest) -> bytes:
    """The canonical JSON of a manifest."""
    return canonical.encode(manifest.model_dump(mode="json", by_alias=True))


def read_manifest(raw: bytes) -> Manifest:
    """The cipherset manifest in ``raw``.

    Raises:
        IntegrityError: not canonical, or not of this schema; names the first field.
    """
    canonical.decode(raw, what="the manifest")
    try:
        return Manifest.model_validate_json(raw)
    except ValidationError as error:
        raise _not_of_schema("cipherset/manifest/1", "manifest_schema", error) from None


def read_bundle_manifest(raw: bytes) -> BundleManifest:
    """The bundle manifest in ``raw``.

    Raises:
        IntegrityError: not canonical, or not of this schema; names the first field.
    """
    canonical.decode(raw, what="bundle.json")
    try:
        return BundleManifest.model_validate_json(raw)
    except ValidationError as error:
        raise _not_of_schema("cipherset/bundle/1", "bundle_schema", error) from None


def _not_of_schema(schema: str, code: str, error: ValidationError) -> IntegrityError:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    return IntegrityError(
        f"this is not of schema {schema}: {where!r} ({first['type']})",
        code=code,
        hint="it was written by another version, or not by cipherset",
    )
