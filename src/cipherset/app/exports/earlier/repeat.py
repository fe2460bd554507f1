"""The same rows, key and settings asked for again: the export that was made then.

A second one with noise of its own would let the noise be averaged away.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cipherset.app.exports.earlier.exposure import leaving_again
from cipherset.app.exports.earlier.live import Live, verified
from cipherset.app.exports.earlier.measured import check_measured
from cipherset.app.exports.leak import Leak
from cipherset.app.exports.request import Owner, ProtectRequest, ProtectResult
from cipherset.app.exports.sent.sent import note_copy
from cipherset.app.exports.utility import Utility
from cipherset.app.gate import About
from cipherset.app.places import Made, check_target
from cipherset.app.state import was_forgotten
from cipherset.core import canonical
from cipherset.core.errors import PolicyError
from cipherset.core.files import disk_errors, replace_directory
from cipherset.pipeline.export import Cipherset


@dataclass(frozen=True, slots=True)
class Asked:
    """The keyed digest of a source and the digest of a request: equal where both are."""

    source: str
    request: str


class Measured(BaseModel):
    """What was measured on an export, as it is sealed beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    leak: Leak
    utility: Utility | None


def request_digest(request: ProtectRequest, encoder: str | None) -> str:
    """The digest of what decides on an export beside its rows and key.

    Not of where it goes, nor of why its risk was accepted. ``encoder`` is the digest of its
    weights.
    """
    roles = request.roles
    noise = {} if request.guarantee is None else {"noise": request.noise_kept}
    fields = {"all_fields": True} if request.all_fields else {}
    suspects = {"drop_suspects": True} if request.drop_suspects else {}
    images = {} if roles.image is None else {"image": roles.image}
    beside = {"columns": list(roles.beside)} if roles.beside else {}
    pool = {} if roles.pool is None else {"pool": roles.pool}
    between = roles.label_separator
    ranked = {"ranked": True} if roles.ranked else {}
    separator = {} if between is None else {"label_separator": between}
    asked = request.consent
    consent = {} if asked is None else {"consent": [asked.column, asked.purpose]}
    return canonical.digest(
        noise
        | fields
        | consent
        | suspects
        | images
        | pool
        | beside
        | separator
        | ranked
        | {
            "text": list(roles.text),
            "vector": roles.vector,
            "label": roles.label,
            "group": roles.group,
            "keep": list(roles.keep),
            "minimize": request.minimize_kept,
            "approximation_factor": request.approximation_factor,
            "scheme": request.scheme,
            "fit_share": request.fit_share,
            "test_share": request.test_share,
            "max_reid": request.max_reid,
            "seed": request.seed,
            "encoder": encoder,
            "rules": request.rules.digest,
        }
    )


def made_before(
    owner: Owner,
    request: ProtectRequest,
    about: About,
    among: tuple[Sequence[Live], Asked],
    *,
    staged: Path,
) -> ProtectResult | None:
    """The export of those ``among`` which was asked for in the same words; None if there is none.

    It is at ``request.target`` already, or is copied there, by way of ``staged`` (there, empty),
    from where it was put: an act of its own, for rows of the source ``about`` go to a new place.

    Raises:
        PolicyError: ``export_lost``: it is in neither place, and the risk is not accepted;
            ``not_allowed``, or as ``check_measured``: it may not go to that place; or as
            ``note_copy``.
        UsageError: there is something else at ``request.target``.
        BackendError: it cannot be copied.
    """
    exports, asked = among
    same = [live for live in exports if _is_same(owner, live, asked)]
    for live in same:
        there = verified(owner, live, str(request.target))
        if there is not None:
            return _result(live, request, there)
    for live in same:
        there = verified(owner, live, live.state.meta.target)
        if there is None:
            continue
        result = _result(live, request, there)
        check_measured(request, result.leak)
        with leaving_again(owner, request, about, result):
            if request.store is not None:  # it is sent from where it is
                return replace(result, target=Path(live.state.meta.target))
            _copy(owner, request, live, staged)
        return result
    if same and request.accept_risk is None:
        raise _lost(same[0])
    return None


def _is_same(owner: Owner, live: Live, asked: Asked) -> bool:
    if was_forgotten(live.state.folder):  # it holds a row that is to be in no export any more
        return False
    meta = live.state.meta
    made_under = (meta.key_id, meta.key_version)
    key = (owner.key.key_id, owner.key.version)
    return made_under == key and Asked(meta.source_digest, meta.request) == asked


def _copy(owner: Owner, request: ProtectRequest, live: Live, staged: Path) -> None:
    check_target(request.target, Made.CIPHERSET, overwrite=request.overwrite)
    with disk_errors(request.target):
        shutil.copytree(live.state.meta.target, staged, dirs_exist_ok=True)
    if verified(owner, live, str(staged)) is None:  # it changed while it was copied
        raise _lost(live)  # house: between two reads
    note_copy(owner, live.state.meta.cipherset_id, str(request.target.absolute()))
    replace_directory(staged, request.target, overwrite=request.overwrite)


def _result(live: Live, request: ProtectRequest, there: Cipherset) -> ProtectResult:
    measured = Measured.model_validate_json(live.state.measured)
    return ProtectResult(
        there.manifest, request.target, measured.leak, measured.utility, repeated=True
    )


def _lost(live: Live) -> PolicyError:
    meta = live.state.meta
    return PolicyError(
        f"this was exported before, as {meta.cipherset_id}, and is no longer whole at "
        f"{meta.target}; another export of the same rows would let the noise be averaged away",
        code="export_lost",
        hint="bring the export back to where it was; or make a new one, a new exposure of the "
        "same rows, with --accept-risk REASON",
    )
