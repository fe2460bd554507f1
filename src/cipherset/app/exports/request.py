"""What ``protect`` is asked and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Final, Protocol

from cipherset.app.encoders import DEFAULT_ENCODER, chosen_spec
from cipherset.app.engine.engine import IN_PROCESS, Engine
from cipherset.app.exports.columns.roles import check_roles
from cipherset.app.exports.leak import Leak
from cipherset.app.exports.utility import Utility
from cipherset.app.gate import About, Fact
from cipherset.app.gate.about import about_key
from cipherset.app.workspace import Workspace
from cipherset.core.envelope import fingerprint
from cipherset.core.errors import UsageError
from cipherset.core.manifest import Manifest
from cipherset.core.objects import ObjectFolder
from cipherset.core.protocols import Progress, Sealer
from cipherset.core.secret import KeyHandle
from cipherset.core.values import ColumnRoles, Guarantee
from cipherset.pipeline.encrypt import parse_noise, scheme_named
from cipherset.pipeline.ingest import Consent
from cipherset.pipeline.minimize import MinimizerKind, parse_spec
from cipherset.pipeline.sanitize import Policy, default_policy

AUTO: Final = "auto"
_FOR_SETS: Final = frozenset({None, MinimizerKind.PLS, MinimizerKind.PCA, MinimizerKind.NONE})


@dataclass(frozen=True, slots=True)
class ProtectRequest:
    """What ``protect`` is asked to do; the defaults are the command's.

    ``purpose`` is what the rows are wanted for: the grant's or else the key's where it is None.
    With ``synthetic`` no row leaves: others are drawn that keep it of each row. With a ``store``
    the cipherset goes there too, from ``target``.
    """

    source: str
    roles: ColumnRoles
    key: str
    target: Path
    minimize: str = AUTO
    approximation_factor: float | None = None
    noise: str = "ball"
    scheme: str = "rsap/1"
    fit_share: float = 1.0
    max_reid: float = 0.05
    test_share: float = 0.25
    seed: int = 0
    encoder: str = DEFAULT_ENCODER
    rules: Policy = field(default_factory=default_policy)
    accept_risk: str | None = None
    accept_mixing: str | None = None
    all_fields: bool = False
    consent: Consent | None = None
    purpose: str | None = None
    drop_suspects: bool = False
    synthetic: Guarantee | None = None
    overwrite: bool = False
    engine: Engine = IN_PROCESS
    store: ObjectFolder | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            UsageError: ``usage``, ``test_share``, ``fit_share``.
            InputError: ``minimizer_spec``, ``minimizer_dim``, ``scheme``, ``noise``.
        """
        if self.roles.n_kinds != 1:
            raise _usage("give either text columns, a vector column or an image column")
        if not 0 < self.max_reid < 1:
            raise _usage(f"the limit of re-identification lies between 0 and 1: {self.max_reid:g}")
        here_alone = (self.synthetic, self.roles.pool, self.roles.image, self.roles.beside or None)
        if self.engine.is_ray and any(each is not None for each in here_alone):
            raise _usage("--engine ray draws no rows, pools none, takes no images, no --columns")
        self._check_noise()
        self._check_synthetic()
        check_roles(self.roles, all_fields=self.all_fields, command="protect")
        self._check_labels()
        self._check_beside()
        if self.has_private_minimizer and self.guarantee is None:
            raise _usage(
                "a minimizer with an epsilon needs noise with one: --noise gaussian:EPS,DELTA"
            )
        scheme_named(self.scheme)
        if not 0 < self.test_share < 1:
            raise UsageError(
                f"the test share must lie between 0 and 1, not {self.test_share:g}",
                code="test_share",
                hint="for example --test-share 0.25",
            )
        if not 0 < self.fit_share <= 1:
            raise UsageError(
                f"the fit share must lie in (0, 1], not {self.fit_share:g}",
                code="fit_share",
                hint="for example --fit-share 0.2",
            )
        if self.seed < 0:
            raise _usage(f"the seed is a whole number from 0 on: {self.seed}")

    @property
    def place(self) -> str:
        """Where the cipherset is to be, as people name it."""
        return str(self.store or self.target)

    @property
    def encoder_spec(self) -> str | None:
        """The encoder of texts or images; None where there are vectors. See ``chosen_spec``."""
        return chosen_spec(self.roles, self.encoder)

    def _check_noise(self) -> None:
        factor = self.approximation_factor
        if factor is not None and not 0 <= factor < inf:
            raise _usage(f"the approximation factor is a number from 0 on: {factor:g}")
        if self.guarantee is not None and factor is not None:
            raise _usage("an approximation factor is for noise in a ball, which has no epsilon")

    def _check_synthetic(self) -> None:
        """Nothing else may be computed from the rows than what the promise is made for."""
        if self.synthetic is None:
            return
        if self.store is not None:
            raise _usage("a synthetic release is written to a folder: give --to DIR")
        if self.roles.label is None:
            raise _usage("a synthetic release is drawn by class: give --label COLUMN")
        if self.roles.keep or self.roles.group:
            raise _usage("a synthetic release has no column but its label, and no groups")
        if (self.minimize, self.noise, self.fit_share) != (AUTO, "ball", 1.0) or (
            self.approximation_factor is not None or self.drop_suspects
        ):
            raise _usage("a synthetic release settles its minimizer and its noise by itself")
        if len(self.roles.text) > 1 and not self.all_fields:
            raise _usage("which text columns are needed is read off the rows: give --all-fields")

    def _check_labels(self) -> None:
        """Classes have anchors; sets of labels have none, and are told linearly."""
        if self.roles.label_separator is None:
            return
        kind = None if self.minimize == AUTO else parse_spec(self.minimize).kind
        if self.synthetic is not None or kind not in _FOR_SETS:
            raise _usage("with several labels a row take --minimize auto, pls:K, pca:K or none")

    def _check_beside(self) -> None:
        """What is fitted on columns keeps no epsilon."""
        if self.roles.beside and (self.synthetic is not None or self.has_private_minimizer):
            raise _usage("what is fitted on --columns keeps no epsilon: leave them out")

    @property
    def guarantee(self) -> Guarantee | None:
        """What the noise is to keep for each row; None for noise in a ball, which keeps nothing."""
        return parse_noise(self.noise)

    @property
    def minimize_kept(self) -> str:
        """The minimizer in one spelling, by which keys and exports are bound to it."""
        return self.minimize if self.minimize == AUTO else str(parse_spec(self.minimize))

    @property
    def private_minimizer(self) -> Guarantee | None:
        """What the minimizer is to keep for each row it is fitted on; None where it keeps none."""
        return None if self.minimize == AUTO else parse_spec(self.minimize).guarantee

    @property
    def has_private_minimizer(self) -> bool:
        """Whether the minimizer is to keep an epsilon."""
        return self.private_minimizer is not None

    @property
    def noise_kept(self) -> str:
        """The noise in one spelling, by which keys and exports are bound to it."""
        return self.noise if self.guarantee is None else str(self.guarantee)

    @property
    def factor(self) -> float | None:
        """The approximation factor where it is settled: 0 where the noise is Gaussian."""
        return self.approximation_factor if self.guarantee is None else 0.0


class Measured(Protocol):
    """What was measured of each text column; the names are the source's."""

    @property
    def dropped(self) -> tuple[str, ...]: ...
    def as_json(self) -> dict[str, Any]: ...


def _usage(message: str) -> UsageError:
    return UsageError(message, code="usage", hint="see: cipherset protect --help")


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner's side of one operation: workspace, opened key, and what seals under it."""

    workspace: Workspace
    key: KeyHandle
    sealer: Sealer = field(repr=False)
    progress: Progress


def key_of(workspace: Workspace, request: ProtectRequest) -> About | None:
    """The request's key, as the gate knows it; None where there is none of that name."""
    known = workspace.ring.find(request.key)
    return None if known is None else about_key(known)


@dataclass(frozen=True, slots=True)
class ProtectResult:
    """What was written, and what was measured on it.

    ``vectors_found`` counts the texts that were embedded before and not again.
    """

    manifest: Manifest
    target: Path
    leak: Leak
    utility: Utility | None
    repeated: bool = False
    fields: Measured | None = None
    vectors_found: int = 0
    engine: Mapping[str, Fact] = field(default_factory=dict)
    store: ObjectFolder | None = None

    @property
    def place(self) -> str:
        """Where the cipherset is, as people name it."""
        return str(self.store or self.target)

    @property
    def _without_consent(self) -> dict[str, Any]:
        """How many rows were dropped, where consent was asked for."""
        dropped = self.manifest.settings.get("rows_without_consent")
        return {} if dropped is None else {"without_consent": dropped}

    @property
    def _suspect(self) -> dict[str, Any]:
        """How many rows were dropped as they stand out, where they were looked for."""
        told = self.manifest.settings
        return {"rows_suspect": told["rows_suspect"]} if "rows_suspect" in told else {}

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        manifest, utility = self.manifest, self.utility
        splits, joined = manifest.splits, self.leak.joined
        return {
            "cipherset": self.place,
            **({} if self.store is None else {"kept": str(self.target)}),
            "repeated": self.repeated,
            "vectors_found": self.vectors_found,
            "cipherset_id": manifest.cipherset_id,
            "signer": fingerprint(manifest.signer.public_key),
            "key_id": manifest.key_id,
            "rows": {
                "train": splits.train.rows,
                "test": splits.test.rows,
                "anchored": manifest.settings["rows_anchored"],
                **self._without_consent,
            },
            **self._suspect,
            "dim": manifest.dim,
            "scheme": manifest.scheme,
            "approximation_factor": manifest.approximation_factor,
            "noise": manifest.noise,
            "privacy": None
            if manifest.privacy is None
            else manifest.privacy.model_dump(mode="json"),
            "minimizer": manifest.minimizer,
            "sanitized": dict(manifest.sanitizer),
            "assessment": self.leak.summary(),
            "joined_with": [] if joined is None else list(joined.exports),
            "joined_drawn": [] if joined is None else list(joined.drawn),
            "utility": None if utility is None else utility.figures(),
            "verdict": None if utility is None else utility.verdict,
            "fields": None if self.fields is None else self.fields.as_json(),
            "label": None if manifest.label is None else manifest.label.as_json(),
        }
